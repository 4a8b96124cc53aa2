//! Integrated gradients (Sundararajan et al. 2017, <https://arxiv.org/abs/1703.01365>, eqs. 1 and 3), over the word embeddings:
//!
//! ```text
//! IG_j = ⟨e_j − e′_j, (1/m) Σ_k ∂t/∂e at e′ + ((k − ½)/m)(e − e′)⟩,   k = 1 … m
//! ```
//!
//! The baseline e′ has the embedding of the mask or of padding in the place of every word. Special subwords and all positions are kept.
//! Captum's `IntegratedGradients` with `method="riemann_middle"` computes the same.

use super::gradient::rows_dot;
use super::{EffectError, EffectMethod, Effects, Exactness, Explanation, Progress};
use crate::effect::explanation::Discard;

/// What stands in the place of words at the start of the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Baseline {
    /// The embedding of the mask subword.
    #[default]
    Mask,
    /// The embedding of the padding subword, at the positions of the words.
    Padding,
}

/// Follows the gradient on a straight path from a text without words to the text.
#[derive(Clone, Copy, Debug)]
pub struct IntegratedGradients {
    /// Points of the path at which the gradient is computed, at least 1.
    pub steps: usize,
    /// Where the path starts.
    pub baseline: Baseline,
}

impl Default for IntegratedGradients {
    fn default() -> Self {
        Self {
            steps: 50,
            baseline: Baseline::default(),
        }
    }
}

impl IntegratedGradients {
    /// The word embeddings of the baseline, [token, hidden].
    fn baseline(&self, explanation: &Explanation<'_>) -> Result<Vec<f32>, EffectError> {
        let id = match self.baseline {
            Baseline::Mask => explanation.mask_id()?,
            Baseline::Padding => {
                let tokenizer = explanation.model.tokenizer();
                tokenizer.pad_id().ok_or(EffectError::NoMask)?
            }
        };
        let ids: Vec<u32> = explanation
            .ids
            .iter()
            .zip(explanation.special)
            .map(|(&own, &special)| if special { own } else { id })
            .collect();
        Ok(explanation.model.word_embeddings(&ids)?)
    }
}

impl EffectMethod for IntegratedGradients {
    fn explain(
        &self,
        explanation: &Explanation<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Effects, EffectError> {
        if self.steps == 0 {
            return Err(EffectError::TooFew {
                what: "steps",
                n: 0,
                least: 1,
            });
        }
        let words = explanation.model.word_embeddings(explanation.ids)?;
        let baseline = self.baseline(explanation)?;
        let way: Vec<f32> = words.iter().zip(&baseline).map(|(e, b)| e - b).collect();
        let total = self.steps + 2;
        let mut products = vec![0.0; explanation.ids.len()];
        for step in 0..self.steps {
            #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
            let part = (step as f32 + 0.5) / self.steps as f32;
            let point: Vec<f32> = baseline
                .iter()
                .zip(&way)
                .map(|(b, way)| b + part * way)
                .collect();
            let gradient = explanation.gradient(Some(&point), &mut Discard)?;
            let along = rows_dot(&way, &gradient.word_embeddings, products.len());
            for (sum, product) in products.iter_mut().zip(along) {
                *sum += product;
            }
            progress(Progress {
                done: step + 1,
                total,
            });
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
        for sum in &mut products {
            *sum /= self.steps as f64;
        }
        let value = explanation.value_of_words(&words)?;
        progress(Progress {
            done: total - 1,
            total,
        });
        let baseline = explanation.value_of_words(&baseline)?;
        progress(Progress { done: total, total });
        Ok(Effects {
            units: explanation.sum_units(&products),
            value,
            exactness: Exactness::Completeness {
                baseline,
                gap: (products.iter().sum::<f64>() - (value - baseline)).abs(),
            },
        })
    }
}
