//! From attention to one score for each subword, and from subwords to lexemes.
//!
//! `A^{l,h}` [query, key] are the post-softmax weights of layer `l`, head `h`; every row sums to 1. `S` are the special
//! subwords (`<s>`, `</s>`). `docs/ATTRIBUTION.md` lists the formulas. Each method's file also has a naive implementation in f64,
//! and a test compares the two.
//!
//! [`Attributor`] is an [`AttentionSink`](codegaze_model::roberta::AttentionSink): it receives the attention of one layer after another.
//! It keeps one [query, key] matrix, or for rollout one for each layer, and never one for each head.
//!
//! | module | contents |
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
        /// Their columns are dropped, and rows are renormalized.
        #[default]
        Drop = "drop", "left out, and their share is reported";
        Keep = "keep", "counted like any other";
    }
}

/// Attribution settings, checked against a model: the model has all of these layers and heads.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributionConfig {
    /// How attention becomes scores.
    pub method: Method,
    /// The layers that are read: from 0, ascending, not empty.
    pub layers: Vec<usize>,
    /// How the heads of a layer become one matrix.
    pub heads: HeadFusion,
    /// What happens to attention on special subwords.
    pub sinks: Sinks,
    /// How a lexeme's subwords become one score.
    pub aggregate: Aggregate,
}

impl AttributionConfig {
    /// What the encoder has to compute for these settings.
    #[must_use]
    pub fn plan(&self) -> ForwardPlan {
        let needs = self.method.definition().needs();
        ForwardPlan {
            layers: self.layers.clone(),
            transformed_values: needs.transformed_values,
            blocks: needs.blocks,
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
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small counts, and f32 as in the encoder"
)]
mod naive;

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "small counts")]
mod tests;
