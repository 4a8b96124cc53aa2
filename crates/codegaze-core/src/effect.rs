//! Effects: signed scores that say what a number rests on which the model computes from a text.
//!
//! | module | contents |
//! | --- | --- |
//! | [`target`] | the number that is explained, and its gradient |
//! | [`explanation`] | one text, its units and its target: the passes that every method consists of |
//! | [`methods`] | the methods; each is one file of `effect/methods/` |
//!
//! A positive effect supports the target, and a negative one opposes it. A unit is a group of subwords, such as those of a lexeme or of a
//! line. Masks replace ids by that of the mask subword and keep positions; text is never changed.

pub mod explanation;
pub mod methods;
pub mod target;

#[cfg(test)]
mod tests;

use codegaze_model::roberta::ForwardError;

pub use explanation::{Explanation, Progress};
pub use methods::{EffectMethod, Effects};
pub use target::Target;

/// Why a text could not be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EffectError {
    /// The pass was cancelled, the text does not suit the model, or the device failed.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// The tokenizer has no mask subword.
    #[error(
        "the model's tokenizer has no mask subword, which this method puts in the place of words; choose another method"
    )]
    NoMask,
    /// The target's value or an effect is NaN or infinite.
    #[error(
        "the target's value is not finite (NaN or infinite); the model's weights are damaged or overflow, try another checkpoint"
    )]
    NotFinite,
    /// A number of steps or samples is too small.
    #[error("{what} is {n}; at least {least} is needed")]
    TooFew {
        /// The option's name.
        what: &'static str,
        /// Its value.
        n: usize,
        /// The least value.
        least: usize,
    },
}
