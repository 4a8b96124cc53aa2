//! Gradient × input: `g_j = ⟨e_j, ∂t/∂e_j⟩` over the word embeddings e, summed over a unit's subwords (Shrikumar et al. 2016,
//! <https://arxiv.org/abs/1605.01713>, §3).
//!
//! Captum calls it `InputXGradient`.

use super::{EffectError, EffectMethod, Effects, Exactness, Explanation, Progress};
use crate::effect::explanation::Discard;

/// The first-order estimate of what a unit contributes, in one pass and back.
#[derive(Clone, Copy, Debug, Default)]
pub struct GradientInput;

impl EffectMethod for GradientInput {
    fn explain(
        &self,
        explanation: &Explanation<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Effects, EffectError> {
        let words = explanation.model.word_embeddings(explanation.ids)?;
        let gradient = explanation.gradient(None, &mut Discard)?;
        progress(Progress { done: 1, total: 1 });
        let products = rows_dot(&words, &gradient.word_embeddings, explanation.ids.len());
        Ok(Effects {
            units: explanation.sum_units(&products),
            value: gradient.value,
            exactness: Exactness::Exact,
        })
    }
}

/// The scalar products of the rows of `a` and `b`, both \[row, column\], in f64.
pub(super) fn rows_dot(a: &[f32], b: &[f32], n_rows: usize) -> Vec<f64> {
    let width = (a.len() / n_rows.max(1)).max(1);
    let products = |(a, b): (&[f32], &[f32])| {
        let products = a.iter().zip(b);
        products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    a.chunks_exact(width)
        .zip(b.chunks_exact(width))
        .map(products)
        .collect()
}
