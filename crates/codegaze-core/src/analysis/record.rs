//! The inputs of a pass's layers, from which codegaze computes any layer, head and method without a new pass.
//!
//! A record keeps every layer's input, [token, hidden]. One projection and one softmax compute the layer's attention from it, and a pass
//! that was cancelled, or that ended at a lower layer, continues where it stopped. At CodeBERT's size, a record takes a third of the
//! memory of the attention maps for 200 subwords and an eighth for 512; `docs/PERFORMANCE.md` has the measurements.

use std::ops::ControlFlow;

use codegaze_model::roberta::{
    AttentionSink, ForwardError, ForwardPlan, HiddenStates, LayerAttention, Start,
};

/// Runs a model on one text, from any layer.
type Run<'a> =
    dyn FnMut(Start<'_>, &ForwardPlan, &mut dyn AttentionSink) -> Result<(), ForwardError> + 'a;

/// The inputs of a model's layers for one text. It is valid only for this text and this model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassRecord {
    /// [layer][token, hidden], from layer 0 to the last one that a pass reached.
    inputs: Vec<Vec<f32>>,
}

impl PassRecord {
    /// The number of layers whose attention can be computed without the layer before.
    #[must_use]
    pub fn n_layers(&self) -> usize {
        self.inputs.len()
    }

    /// The size of the record in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inputs
            .iter()
            .map(|input| size_of_val(&input[..]))
            .sum()
    }

    /// Sends the attention of the plan's layers to `sink`, ascending. It computes recorded layers from their inputs, and the others in a
    /// pass that begins where the record ends. It sends no hidden states. `run` runs the model on the record's text; the record keeps
    /// what `run` computes before an error.
    pub(super) fn forward(
        &mut self,
        plan: &ForwardPlan,
        sink: &mut dyn AttentionSink,
        run: &mut Run<'_>,
    ) -> Result<(), ForwardError> {
        let n_known = plan
            .layers
            .partition_point(|&layer| layer < self.inputs.len());
        let (known, rest) = plan.layers.split_at(n_known);
        for &layer_idx in known {
            let start = Start::Layer {
                layer_idx,
                hidden: &self.inputs[layer_idx],
            };
            let plan = ForwardPlan {
                layers: vec![layer_idx],
                transformed_values: plan.transformed_values,
                blocks: plan.blocks,
                hidden_states: HiddenStates::None,
            };
            run(start, &plan, sink)?;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let start = match self.inputs.split_last() {
            None => Start::Embeddings,
            Some((hidden, before)) => Start::Layer {
                layer_idx: before.len(),
                hidden,
            },
        };
        let plan = ForwardPlan {
            layers: rest.to_vec(),
            transformed_values: plan.transformed_values,
            blocks: plan.blocks,
            hidden_states: HiddenStates::Inputs,
        };
        let mut recorder = Recorder {
            sink,
            inputs: Vec::new(),
        };
        let done = run(start, &plan, &mut recorder);
        let Recorder { inputs, .. } = recorder;
        self.inputs.extend(inputs);
        done
    }
}

struct Recorder<'a> {
    sink: &'a mut dyn AttentionSink,
    inputs: Vec<Vec<f32>>,
}

impl AttentionSink for Recorder<'_> {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        self.sink.attention(attention)
    }

    fn hidden_state(&mut self, _index: usize, values: &[f32]) {
        self.inputs.push(values.to_vec());
    }
}
