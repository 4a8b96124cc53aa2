//! From attention to one score per subword, and from subwords to lexemes.
//!
//! `A^{l,h}` [query, key] are the post-softmax weights of layer `l`, head `h`; every row sums to 1. `S` are the special
//! subwords (`<s>`, `</s>`). `docs/ATTRIBUTION.md` has the formulae in one place; a naive implementation of each method is in the
//! method's file, and a test compares the two.
//!
//! A method reads attention while it streams by ([`Attributor`] is an [`AttentionSink`](codegaze_model::roberta::AttentionSink)) and
//! keeps one [query, key] matrix, or for rollout one for each layer; it never keeps a matrix for each head.
//!
//! | module | what it holds |
//! | --- | --- |
//! | `methods` | the trait and the table of the methods; each method is a file of its own |
//! | `attributor` | the sink that runs a method over a pass |
//! | `fuse` | the heads of a layer → one matrix |
//! | `options` | what a user chooses, and its check against a model |
//! | `select` | which layers and heads |
//! | [`align`] | which subword lies on which lexeme |
//! | `aggregate` | the scores of a lexeme's subwords → one score |

mod aggregate;
pub mod align;
mod attributor;
mod fuse;
mod methods;
mod options;
mod select;

use codegaze_model::roberta::ForwardPlan;
use codegaze_text::named_enum;

pub use aggregate::Aggregate;
pub use attributor::{AttributionError, Attributor, SubwordScores};
pub use fuse::{Fusion, HeadFusion, fuse_heads};
pub use methods::{AttributionMethod, Cost, Method, Paper, PassNeeds, RawScores, ReducedPass};
pub use options::AttributionOptions;
pub use select::{HeadChoice, LayerChoice, SelectError};

named_enum! {
    /// What happens to attention on special subwords (`<s>`, `</s>`).
    #[derive(Default)]
    pub enum Sinks as "treatment of sinks" {
        /// Their columns are dropped, rows renormalized, and the dropped mass is reported.
        #[default]
        Drop = "drop", "left out, and their share is reported";
        Keep = "keep", "counted like any other";
    }
}

/// Attribution settings, checked against a model: no layer or head here is out of its range.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributionConfig {
    pub method: Method,
    /// Zero-based, ascending, not empty.
    pub layers: Vec<usize>,
    pub heads: HeadFusion,
    pub sinks: Sinks,
    pub aggregate: Aggregate,
}

impl AttributionConfig {
    /// What the encoder must compute for this.
    #[must_use]
    pub fn plan(&self) -> ForwardPlan {
        ForwardPlan {
            layers: self.layers.clone(),
            transformed_values: self.method.definition().needs().transformed_values,
            ..ForwardPlan::default()
        }
    }
}

/// Scales to a sum of 1, if there is any mass.
fn normalize(values: &mut [f32]) {
    let sum: f32 = values.iter().sum();
    if sum > 0.0 {
        for value in values {
            *value /= sum;
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small counts")]
mod naive;

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small counts")]
mod tests;
