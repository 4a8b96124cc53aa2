//! The raw tensors of one chunk, for research. This is the only module that keeps all attention maps of a chunk in memory.

use std::fmt;
use std::ops::ControlFlow;

use super::Pass;
use super::chunk::Chunk;
use crate::attribution::{Fusion, HeadChoice, HeadFusion, SelectError, fuse_heads};
use codegaze_model::roberta::{
    AttentionSink, ForwardError, ForwardPlan, HiddenStates, LayerAttention,
};
use codegaze_text::ByteSpan;

/// Which heads are exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawHeads {
    /// Each of these separately: from 0, ascending.
    Each(Vec<usize>),
    /// All heads fused to one.
    Fused(Fusion),
}

impl RawHeads {
    /// The heads that `choice` names of a model with `n_heads` heads; all of them for `None`.
    ///
    /// # Errors
    /// If a head is out of range.
    pub fn resolve(choice: Option<&HeadChoice>, n_heads: usize) -> Result<Self, SelectError> {
        let Some(choice) = choice else {
            return Ok(Self::Each((0..n_heads).collect()));
        };
        Ok(match choice.resolve(n_heads)? {
            HeadFusion::Heads(heads) => Self::Each(heads),
            HeadFusion::All(fusion) => Self::Fused(fusion),
        })
    }

    /// The size of the head axis.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        match self {
            Self::Each(heads) => heads.len(),
            Self::Fused(_) => 1,
        }
    }
}

impl fmt::Display for RawHeads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Each(heads) => {
                let heads: Vec<String> = heads.iter().map(ToString::to_string).collect();
                f.write_str(&heads.join(","))
            }
            Self::Fused(fusion) => fusion.fmt(f),
        }
    }
}

/// Which tensors are exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawChoice {
    /// Layers that the model has, ascending.
    pub layers: Vec<usize>,
    /// The heads of each layer.
    pub heads: RawHeads,
    /// Whether the hidden states are exported as well.
    pub hidden_states: bool,
}

/// The tensors of one chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct RawAttention {
    /// The layers of the first axis of `attentions`.
    pub layers: Vec<usize>,
    /// The heads of the second axis of `attentions`.
    pub heads: RawHeads,
    /// The number of subwords, including special ones.
    pub n_tokens: usize,
    /// Attention weights after the softmax, [layer, head, query, key].
    pub attentions: Vec<f32>,
    /// Ids in the model's vocabulary, \[token\].
    pub input_ids: Vec<u32>,
    /// Where each subword is in the document, \[token\]; `None` for special subwords.
    pub spans: Vec<Option<ByteSpan>>,
    /// The output of the embeddings and of each layer, [layer + 1, token, hidden]; `None` unless requested.
    pub hidden_states: Option<Vec<f32>>,
    /// The length of a hidden state.
    pub hidden_size: usize,
}

impl RawAttention {
    /// The lengths of the axes of `attentions`: layer, head, query, key.
    #[must_use]
    pub fn attentions_shape(&self) -> [usize; 4] {
        [
            self.layers.len(),
            self.heads.len(),
            self.n_tokens,
            self.n_tokens,
        ]
    }
}

/// Runs the model on one chunk, and keeps the tensors that `choice` names. `pass` has the chunk's text.
///
/// # Errors
/// If the pass is cancelled, or if the device fails.
pub fn raw_attention(
    mut pass: Pass<'_>,
    chunk: &Chunk,
    choice: RawChoice,
) -> Result<RawAttention, ForwardError> {
    let RawChoice {
        layers,
        heads,
        hidden_states: with_hidden_states,
    } = choice;
    let plan = ForwardPlan {
        layers,
        transformed_values: false,
        blocks: false,
        hidden_states: if with_hidden_states {
            HiddenStates::All
        } else {
            HiddenStates::None
        },
    };
    let mut sink = RawSink {
        heads: &heads,
        attentions: Vec::new(),
        hidden_states: Vec::new(),
    };
    pass.forward(&plan, &mut sink)?;
    let RawSink {
        attentions,
        hidden_states,
        ..
    } = sink;
    let Pass {
        model, encoding, ..
    } = pass;
    let place = |span: &Option<ByteSpan>| span.map(|span| span.shifted(chunk.span.start));
    Ok(RawAttention {
        layers: plan.layers,
        heads,
        n_tokens: encoding.ids.len(),
        attentions,
        spans: encoding.spans.iter().map(place).collect(),
        input_ids: encoding.ids,
        hidden_states: with_hidden_states.then_some(hidden_states),
        hidden_size: model.info().hidden_size,
    })
}

struct RawSink<'a> {
    heads: &'a RawHeads,
    attentions: Vec<f32>,
    hidden_states: Vec<f32>,
}

impl AttentionSink for RawSink<'_> {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        match self.heads {
            RawHeads::Each(heads) => {
                for &head in heads {
                    self.attentions.extend_from_slice(attention.head(head));
                }
            }
            RawHeads::Fused(fusion) => {
                let heads = HeadFusion::All(*fusion);
                self.attentions.extend(fuse_heads(&attention, &heads));
            }
        }
        ControlFlow::Continue(())
    }

    fn hidden_state(&mut self, _index: usize, values: &[f32]) {
        self.hidden_states.extend_from_slice(values);
    }
}
