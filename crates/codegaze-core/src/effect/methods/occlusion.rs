//! Occlusion: `o_u = t(x) − t(x with unit u masked)`, one pass for each unit (Zeiler & Fergus 2014, <https://arxiv.org/abs/1311.2901>;
//! leave-one-out in Li et al. 2016, <https://arxiv.org/abs/1612.08220>, eq. 2, with probabilities there).
//!
//! Captum calls it `FeatureAblation`, with the mask's id as the baseline and units as the feature mask.

use super::{EffectError, EffectMethod, Effects, Exactness, Explanation, Progress};

/// Masks one unit after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Occlusion;

impl EffectMethod for Occlusion {
    fn explain(
        &self,
        explanation: &Explanation<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Effects, EffectError> {
        let total = explanation.units.len() + 1;
        let value = explanation.value(explanation.ids)?;
        progress(Progress { done: 1, total });
        let mut units = Vec::with_capacity(explanation.units.len());
        for unit in explanation.units {
            let without = explanation.value(&explanation.masked([unit])?)?;
            units.push(value - without);
            progress(Progress {
                done: units.len() + 1,
                total,
            });
        }
        Ok(Effects {
            units,
            value,
            exactness: Exactness::Exact,
        })
    }
}
