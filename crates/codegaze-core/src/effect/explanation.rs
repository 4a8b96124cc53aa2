//! One text, its units and its target, and the passes that methods consist of.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;

use codegaze_model::Model;
use codegaze_model::roberta::{BackwardPass, GradientSink, HiddenStates, LayerGradient, Start};

use super::{EffectError, Target};

/// What is explained, and by which model.
#[derive(Clone, Copy)]
pub struct Explanation<'a> {
    /// The model that computes the target.
    pub model: &'a Model,
    /// The subwords of the text, special ones included. What the target itself masks is masked here.
    pub ids: &'a [u32],
    /// Whether a subword is special, \[token\]. Special subwords are never masked.
    pub special: &'a [bool],
    /// The subwords of each unit.
    pub units: &'a [Vec<usize>],
    /// The number that is explained.
    pub target: &'a dyn Target,
    /// Stops the work before the next layer when it is set.
    pub cancel: &'a AtomicBool,
}

/// How far a method is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Passes that are done.
    pub done: usize,
    /// Passes in all.
    pub total: usize,
}

/// A gradient of the target, and its value.
pub(super) struct Gradient {
    pub(super) value: f64,
    /// ∂target/∂(word embeddings), [token, hidden].
    pub(super) word_embeddings: Vec<f32>,
}

impl Explanation<'_> {
    /// The id that stands for a masked subword.
    pub(super) fn mask_id(&self) -> Result<u32, EffectError> {
        self.model.tokenizer().mask_id().ok_or(EffectError::NoMask)
    }

    /// The ids with the subwords of `units` masked.
    pub(super) fn masked<'u>(
        &self,
        units: impl IntoIterator<Item = &'u Vec<usize>>,
    ) -> Result<Vec<u32>, EffectError> {
        let mask = self.mask_id()?;
        let mut ids = self.ids.to_vec();
        for &subword in units.into_iter().flatten() {
            if !self.special[subword] {
                ids[subword] = mask;
            }
        }
        Ok(ids)
    }

    /// The target's value for other ids, in one pass.
    pub(super) fn value(&self, ids: &[u32]) -> Result<f64, EffectError> {
        self.value_from(ids, Start::Embeddings)
    }

    /// The target's value for other word embeddings, [token, hidden], in one pass.
    pub(super) fn value_of_words(&self, words: &[f32]) -> Result<f64, EffectError> {
        self.value_from(self.ids, Start::WordEmbeddings(words))
    }

    fn value_from(&self, ids: &[u32], start: Start<'_>) -> Result<f64, EffectError> {
        let last = HiddenStates::Last;
        let mut states = self.model.hidden_states(ids, start, last, self.cancel)?;
        let last = states.pop().unwrap_or_default();
        finite(self.target.value(&last))
    }

    /// The target's value and gradient, in one pass and back. `words` [token, hidden] replaces the word embeddings of the ids.
    /// `sink` receives the attention gradients.
    pub(super) fn gradient(
        &self,
        words: Option<&[f32]>,
        sink: &mut dyn GradientSink,
    ) -> Result<Gradient, EffectError> {
        let start = words.map_or(Start::Embeddings, Start::WordEmbeddings);
        let all = HiddenStates::All;
        let mut states = self
            .model
            .hidden_states(self.ids, start, all, self.cancel)?;
        let last = states.pop().unwrap_or_default();
        let value = finite(self.target.value(&last))?;
        let pass = BackwardPass {
            ids: self.ids,
            word_embeddings: words,
            inputs: &states,
            gradient: &self.target.gradient(&last),
        };
        let mut keep = Keep {
            sink,
            word_embeddings: Vec::new(),
        };
        self.model.backward(&pass, &mut keep, self.cancel)?;
        Ok(Gradient {
            value,
            word_embeddings: keep.word_embeddings,
        })
    }

    /// The sum of `values` \[token\] over each unit's subwords, \[unit\].
    pub(super) fn sum_units(&self, values: &[f64]) -> Vec<f64> {
        let sum = |unit: &Vec<usize>| unit.iter().map(|&subword| values[subword]).sum();
        self.units.iter().map(sum).collect()
    }
}

/// Passes attention gradients on, and keeps that of the word embeddings.
struct Keep<'a> {
    sink: &'a mut dyn GradientSink,
    word_embeddings: Vec<f32>,
}

impl GradientSink for Keep<'_> {
    fn attention(&mut self, gradient: LayerGradient<'_>) -> ControlFlow<()> {
        self.sink.attention(gradient)
    }

    fn word_embeddings(&mut self, gradient: &[f32]) {
        self.word_embeddings = gradient.to_vec();
    }
}

/// Takes no attention gradients.
pub(super) struct Discard;

impl GradientSink for Discard {}

pub(super) fn finite(value: f64) -> Result<f64, EffectError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(EffectError::NotFinite)
    }
}
