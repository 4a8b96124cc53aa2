//! The methods that compute effects: the trait, and one file for each method.

mod attention_gradient;
mod gradient;
mod integrated;
mod occlusion;
mod shapley;

pub use attention_gradient::{AttentionGradient, Query};
pub use gradient::GradientInput;
pub use integrated::{Baseline, IntegratedGradients};
pub use occlusion::Occlusion;
pub use shapley::Shapley;

use super::{EffectError, Explanation, Progress};

/// Computes what a target rests on.
pub trait EffectMethod: Sync {
    /// The effect of every unit. `progress` is called after every pass.
    ///
    /// # Errors
    /// If the work is cancelled, if the method does not suit the model or its options, or if a number is not finite.
    fn explain(
        &self,
        explanation: &Explanation<'_>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Effects, EffectError>;
}

/// What a method says.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// The effect of each unit, \[unit\], in units of the target.
    pub units: Vec<f64>,
    /// The target's value for the text.
    pub value: f64,
    /// How exact the effects are.
    pub exactness: Exactness,
}

/// What is known about the error of effects.
#[derive(Clone, Debug, PartialEq)]
pub enum Exactness {
    /// They are what the method defines, up to rounding.
    Exact,
    /// The effects of all subwords should add up to the difference between the target's values for the text and for the baseline.
    Completeness {
        /// The target's value for the baseline.
        baseline: f64,
        /// How much the sum of the effects of all subwords, special ones included, differs from `value - baseline`, absolute.
        gap: f64,
    },
    /// Each effect is a mean over random samples with this standard error, \[unit\].
    StandardErrors(Vec<f64>),
}
