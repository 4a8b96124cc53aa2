//! From attention to one score per subword, and from subwords to lexemes.
//!
//! `A^{l,h}` [query, key] are the post-softmax weights of layer `l`, head `h`; every row sums to 1. `S` are the special
//! subwords (`<s>`, `</s>`). `docs/ATTRIBUTION.md` has the formulae in one place, each test beside its method holds them to a
//! naive implementation.
//!
//! A method reads attention while it streams by ([`Attributor`] is an [`AttentionSink`]) and keeps one [query, key] matrix,
//! or for rollout one a layer; never a matrix a head.

pub mod align;
mod fuse;
mod norm;
mod rollout;
mod select;

use std::fmt;
use std::ops::ControlFlow;

use codegaze_model::roberta::{AttentionSink, ForwardPlan, LayerAttention};

pub use fuse::fuse_heads;
pub use select::{HeadChoice, LayerChoice, SelectError};

/// A family of formulae that turns attention into one score per subword.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// Mean attention that a subword receives: `r_j = mean_{i∉S} A_ij`.
    #[default]
    Received,
    /// Attention of the `<s>` query: `c_j = A_0j`.
    Cls,
    /// Attention rollout (Abnar & Zuidema 2020, §3, eq. 1), averaged over the queries.
    Rollout,
    /// Norm-based analysis (Kobayashi et al. 2020, §3.1): received, of `‖Σ_h A^h_ij f^h(x_j)‖` in place of `A_ij`.
    Norm,
}

impl Method {
    pub const ALL: [Self; 4] = [Self::Received, Self::Cls, Self::Rollout, Self::Norm];

    /// The name on the command line and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Cls => "cls",
            Self::Rollout => "rollout",
            Self::Norm => "norm",
        }
    }

    /// The layers that the method reads unless told otherwise: rollout is a product over all of them, the others look at
    /// the last.
    #[must_use]
    pub fn default_layers(self) -> LayerChoice {
        match self {
            Self::Rollout => LayerChoice::All,
            Self::Received | Self::Cls | Self::Norm => LayerChoice::Last,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How the heads of a layer become one matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum HeadFusion {
    /// Mean over all heads.
    #[default]
    Mean,
    /// Maximum over all heads, cell by cell; rows are then renormalized.
    Max,
    /// Mean over these heads, zero-based, ascending.
    Heads(Vec<usize>),
}

/// What happens to attention on special subwords (`<s>`, `</s>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sinks {
    /// Their columns are dropped, rows renormalized, and the dropped mass is reported.
    #[default]
    Drop,
    Keep,
}

impl Sinks {
    pub const ALL: [Self; 2] = [Self::Drop, Self::Keep];

    /// The name on the command line and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Keep => "keep",
        }
    }
}

/// How a lexeme's subwords become one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// All the attention that falls on the lexeme. A lexeme of many subwords has many chances to get some.
    #[default]
    Sum,
    /// Attention per subword: uniform attention gives every lexeme the same, however long it is.
    Mean,
    /// The subword that gets most.
    Max,
}

impl Aggregate {
    pub const ALL: [Self; 3] = [Self::Sum, Self::Mean, Self::Max];

    /// The name on the command line and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Max => "max",
        }
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
    /// Checks choices against a model's layers and heads. `layers: None` stands for the method's default; subwords are summed.
    ///
    /// # Errors
    /// When a layer or a head is out of range.
    pub fn resolve(
        method: Method,
        layers: Option<&LayerChoice>,
        heads: &HeadChoice,
        sinks: Sinks,
        n_layers: usize,
        n_heads: usize,
    ) -> Result<Self, SelectError> {
        let default = method.default_layers();
        Ok(Self {
            method,
            layers: layers.unwrap_or(&default).resolve(n_layers)?,
            heads: heads.resolve(n_heads)?,
            sinks,
            aggregate: Aggregate::default(),
        })
    }

    /// What the encoder must compute for this.
    #[must_use]
    pub fn plan(&self) -> ForwardPlan {
        ForwardPlan {
            layers: self.layers.clone(),
            transformed_values: self.method == Method::Norm,
            ..ForwardPlan::default()
        }
    }
}

/// Why attention could not be turned into scores.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttributionError {
    #[error(
        "the model's attention is not finite (NaN or infinite); its weights are damaged or overflow, try another checkpoint"
    )]
    NotFinite,
    #[error("the encoder delivered {found} of {expected} layers")]
    MissingLayers { expected: usize, found: usize },
}

/// One score per subword.
#[derive(Clone, Debug, PartialEq)]
pub struct SubwordScores {
    /// ≥ 0, \[token\]. With dropped sinks special subwords have 0 and the others sum to 1; with kept ones all sum to 1.
    pub scores: Vec<f32>,
    /// Share of the mass on special subwords, 0 … 1, before they are dropped.
    pub sink_share: f32,
    /// The fused matrix over all subwords, [query, key], specials included, rows sum to 1.
    pub matrix: Vec<f32>,
}

/// Reads a pass's attention and turns it into [`SubwordScores`].
pub struct Attributor<'a> {
    config: &'a AttributionConfig,
    /// Whether a subword is special, [token].
    special: &'a [bool],
    /// Sum over the layers seen of each layer's fused matrix, [query, key].
    fused: Vec<f32>,
    /// Rollout only: each layer's fused matrix.
    by_layer: Vec<Vec<f32>>,
    n_layers_seen: usize,
}

impl<'a> Attributor<'a> {
    #[must_use]
    pub fn new(config: &'a AttributionConfig, special: &'a [bool]) -> Self {
        Self {
            config,
            special,
            fused: vec![0.0; special.len() * special.len()],
            by_layer: Vec::new(),
            n_layers_seen: 0,
        }
    }

    /// The scores, once the pass is over.
    ///
    /// # Errors
    /// When attention was not finite, or a layer is missing.
    pub fn finish(self) -> Result<SubwordScores, AttributionError> {
        let expected = self.config.layers.len();
        if self.n_layers_seen != expected {
            return Err(AttributionError::MissingLayers {
                expected,
                found: self.n_layers_seen,
            });
        }
        let n = self.special.len();
        let mut matrix = self.fused;
        #[expect(clippy::cast_precision_loss, reason = "a handful of layers")]
        let scale = 1.0 / expected as f32;
        for weight in &mut matrix {
            *weight *= scale;
        }
        // One pass finds NaN and infinity: both survive a sum.
        if !matrix.iter().sum::<f32>().is_finite() {
            return Err(AttributionError::NotFinite);
        }
        let keep = self.config.sinks == Sinks::Keep;
        let queries: Vec<usize> = match self.config.method {
            Method::Cls => vec![0],
            _ => (0..n).filter(|&i| keep || !self.special[i]).collect(),
        };
        let (mut scores, sink_share) = match self.config.method {
            Method::Rollout => {
                let rolled = rollout::walk(&self.by_layer, &queries, n);
                let sink_share = masked_sum(&rolled, self.special);
                (rolled, sink_share)
            }
            _ => received(&matrix, &queries, self.special, keep),
        };
        if !keep {
            for (score, &special) in scores.iter_mut().zip(self.special) {
                if special {
                    *score = 0.0;
                }
            }
            normalize(&mut scores);
        }
        Ok(SubwordScores {
            scores,
            sink_share: sink_share.clamp(0.0, 1.0),
            matrix,
        })
    }
}

impl AttentionSink for Attributor<'_> {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        let heads = &self.config.heads;
        match (self.config.method, attention.transformed_values) {
            (Method::Rollout, _) => {
                let layer = fuse_heads(&attention, heads);
                for (sum, weight) in self.fused.iter_mut().zip(&layer) {
                    *sum += weight;
                }
                self.by_layer.push(layer);
            }
            (Method::Norm, Some(values)) => {
                norm::add_norms(&attention, values, heads, &mut self.fused);
            }
            // Without transformed values there is no norm; `finish` reports the layer as missing.
            (Method::Norm, None) => return ControlFlow::Continue(()),
            (Method::Received | Method::Cls, _) => {
                fuse::add_fused(&attention, heads, &mut self.fused);
            }
        }
        self.n_layers_seen += 1;
        ControlFlow::Continue(())
    }
}

/// Mean over `queries` of the rows of `matrix` [query, key]; unless sinks are kept, with special columns dropped and rows
/// renormalized first. Also the mean mass on special columns.
fn received(matrix: &[f32], queries: &[usize], special: &[bool], keep: bool) -> (Vec<f32>, f32) {
    let n = special.len();
    let mut scores = vec![0.0; n];
    let mut sink_share = 0.0;
    #[expect(
        clippy::cast_precision_loss,
        reason = "at most a few thousand subwords"
    )]
    let weight = 1.0 / queries.len().max(1) as f32;
    for &query in queries {
        let row = &matrix[query * n..(query + 1) * n];
        let sunk = masked_sum(row, special);
        sink_share += weight * sunk;
        let kept = if keep {
            1.0
        } else {
            row.iter().sum::<f32>() - sunk
        };
        // A query that looks at sinks alone says nothing about the others.
        if kept > f32::EPSILON {
            for (score, value) in scores.iter_mut().zip(row) {
                *score += weight * value / kept;
            }
        }
    }
    (scores, sink_share)
}

fn masked_sum(values: &[f32], mask: &[bool]) -> f32 {
    values
        .iter()
        .zip(mask)
        .filter_map(|(value, &masked)| masked.then_some(value))
        .sum()
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
mod tests;
