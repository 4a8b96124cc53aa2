//! What a pass computed on its way: enough to answer any layer, head and method without a new one.
//!
//! Every layer's input is kept, [token, hidden]. From it the layer's attention is one projection and one softmax away, and a
//! pass that was cancelled, or that ended at a lower layer, continues where it stopped. At CodeBERT's size this takes a third
//! of the memory of the attention maps for 200 subwords and an eighth for 512; `docs/PERFORMANCE.md` has the numbers.

use std::ops::ControlFlow;

use codegaze_model::roberta::{
    AttentionSink, ForwardError, ForwardPlan, HiddenStates, LayerAttention, Start,
};

/// Runs a model on one text, from any layer.
type Run<'a> =
    dyn FnMut(Start<'_>, &ForwardPlan, &mut dyn AttentionSink) -> Result<(), ForwardError> + 'a;

/// The inputs of a model's layers for one text. Belongs to that text and that model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PassRecord {
    /// [layer][token, hidden], of the layers from 0 on as far as passes have come.
    inputs: Vec<Vec<f32>>,
}

impl PassRecord {
    /// Layers whose attention is known without running the one before.
    #[must_use]
    pub fn n_layers(&self) -> usize {
        self.inputs.len()
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inputs
            .iter()
            .map(|input| size_of_val(&input[..]))
            .sum()
    }

    /// Sends the attention of the plan's layers to `sink`, ascending: of recorded layers from their inputs, of the others
    /// from a pass that begins where the record ends. Sends no hidden states. `run` runs the model on the record's
    /// text; what it computes before an error is recorded.
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
