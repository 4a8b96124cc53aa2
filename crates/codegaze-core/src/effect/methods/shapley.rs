//! Shapley values by sampling permutations (Castro et al. 2009, <https://doi.org/10.1016/j.cor.2008.04.004>, algorithm 1): the mean, over
//! orders of the units, of what the target gains when the unit is shown after those before it. Units that are not shown are masked.
//!
//! Every order is followed by its reverse (antithetic sampling, Mitchell et al. 2022, <https://arxiv.org/abs/2104.12199>, §4.2); the mean
//! of such a pair is one sample. Captum's `ShapleyValueSampling` estimates the same values.

use super::{EffectError, EffectMethod, Effects, Exactness, Explanation, Progress};

/// Shows the units one after the other, in random orders.
#[derive(Clone, Copy, Debug)]
pub struct Shapley {
    /// Pairs of an order and its reverse, at least 2.
    pub samples: usize,
    /// Selects the orders.
    pub seed: u64,
}

impl Default for Shapley {
    fn default() -> Self {
        Self {
            samples: 25,
            seed: 0,
        }
    }
}

impl EffectMethod for Shapley {
    fn explain(
        &self,
        explanation: &Explanation<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Effects, EffectError> {
        // One sample says nothing about its error.
        if self.samples < 2 {
            return Err(EffectError::TooFew {
                what: "samples",
                n: self.samples,
                least: 2,
            });
        }
        let n = explanation.units.len();
        // The text with nothing and with everything shown needs one pass each; an order needs one for each unit but the last.
        let total = 2 + 2 * self.samples * n.saturating_sub(1);
        let mut done = 0;
        let mut value = |ids: &[u32]| {
            let value = explanation.value(ids)?;
            done += 1;
            progress(Progress { done, total });
            Ok::<_, EffectError>(value)
        };
        let hidden = explanation.masked(explanation.units)?;
        let (whole, nothing) = (value(explanation.ids)?, value(&hidden)?);
        let mut random = fastrand::Rng::with_seed(self.seed);
        let mut order: Vec<usize> = (0..n).collect();
        let (mut sums, mut squares) = (vec![0.0; n], vec![0.0; n]);
        for _ in 0..self.samples {
            random.shuffle(&mut order);
            let mut pair = vec![0.0; n];
            for _ in 0..2 {
                let mut ids = hidden.clone();
                let mut before = nothing;
                for (shown, &unit) in order.iter().enumerate() {
                    for &subword in &explanation.units[unit] {
                        ids[subword] = explanation.ids[subword];
                    }
                    let after = if shown + 1 == n { whole } else { value(&ids)? };
                    pair[unit] += (after - before) / 2.0;
                    before = after;
                }
                order.reverse();
            }
            for ((sum, square), gain) in sums.iter_mut().zip(&mut squares).zip(pair) {
                *sum += gain;
                *square += gain * gain;
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
        let samples = self.samples as f64;
        let error = |(sum, square): (&f64, &f64)| {
            let variance = (square / samples - (sum / samples).powi(2)).max(0.0);
            (variance / (samples - 1.0)).sqrt()
        };
        let errors = sums.iter().zip(&squares).map(error).collect();
        Ok(Effects {
            units: sums.iter().map(|sum| sum / samples).collect(),
            value: whole,
            exactness: Exactness::StandardErrors(errors),
        })
    }
}
