//! Relevance from attention and its gradient (Chefer et al. 2021, <https://arxiv.org/abs/2103.15679>, eqs. 5 and 6, self-attention):
//!
//! ```text
//! Ā_l = E_h[(∇A ⊙ A)⁺]        R ← I,  R ← R + Ā_l R  for l = 1 … L        score_j = R_qj
//! ```
//!
//! Only the query's row is needed: `r ← r + r Ā_l` for l = L … 1 gives the same, in the order in which gradients are computed, and without
//! a matrix R. The scores are not signed: Ā keeps what supports the target.

use std::ops::ControlFlow;

use codegaze_model::roberta::{GradientSink, LayerGradient};

use super::{EffectError, EffectMethod, Effects, Exactness, Explanation, Progress};

/// The row of R that is read: the query from which the target is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// `<s>`, from which classifiers compute their answer.
    #[default]
    Cls,
    /// The mean over all subwords but special ones.
    Mean,
}

/// Attention, weighted by how much the target depends on it, rolled out over the layers.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttentionGradient {
    /// The query.
    pub query: Query,
}

impl EffectMethod for AttentionGradient {
    fn explain(
        &self,
        explanation: &Explanation<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Effects, EffectError> {
        let mut rollout = Rollout {
            row: self.first_row(explanation.special),
        };
        let gradient = explanation.gradient(None, &mut rollout)?;
        progress(Progress { done: 1, total: 1 });
        Ok(Effects {
            units: explanation.sum_units(&rollout.row),
            value: gradient.value,
            exactness: Exactness::Exact,
        })
    }
}

impl AttentionGradient {
    /// The query's row of the identity, \[token\].
    fn first_row(self, special: &[bool]) -> Vec<f64> {
        let mut row = vec![0.0; special.len()];
        match self.query {
            Query::Cls => {
                if let Some(first) = row.first_mut() {
                    *first = 1.0;
                }
            }
            Query::Mean => {
                #[expect(clippy::cast_precision_loss, reason = "subwords of one window")]
                let n = special.iter().filter(|special| !**special).count().max(1) as f64;
                for (x, _) in row
                    .iter_mut()
                    .zip(special)
                    .filter(|(_, special)| !**special)
                {
                    *x = 1.0 / n;
                }
            }
        }
        row
    }
}

/// The row r, \[token\], from the last layer down.
struct Rollout {
    row: Vec<f64>,
}

impl GradientSink for Rollout {
    fn attention(&mut self, layer: LayerGradient<'_>) -> ControlFlow<()> {
        let n = layer.n_tokens;
        let mut added = vec![0.0; n];
        #[expect(clippy::cast_precision_loss, reason = "heads of one layer")]
        let n_heads = layer.n_heads as f64;
        for head in 0..layer.n_heads {
            let of_head = head * n * n..(head + 1) * n * n;
            let weights = layer.weights[of_head.clone()].chunks_exact(n);
            let gradients = layer.gradient[of_head].chunks_exact(n);
            for ((weights, gradients), &from) in weights.zip(gradients).zip(&self.row) {
                if from == 0.0 {
                    continue;
                }
                for ((sum, a), g) in added.iter_mut().zip(weights).zip(gradients) {
                    *sum += from * f64::from(a * g).max(0.0) / n_heads;
                }
            }
        }
        for (x, added) in self.row.iter_mut().zip(added) {
            *x += added;
        }
        ControlFlow::Continue(())
    }
}
