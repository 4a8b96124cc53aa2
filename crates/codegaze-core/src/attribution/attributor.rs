//! The sink that runs a method over a pass: it receives attention layer by layer, and returns one score for each subword.

use std::ops::ControlFlow;

use codegaze_model::roberta::{AttentionSink, LayerAttention};

use super::methods::{AttributionMethod, RawScores, ReducedPass};
use super::{AttributionConfig, Sinks, normalize};

/// Why attention could not be turned into scores.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttributionError {
    /// A weight of the fused matrix is NaN or infinite.
    #[error(
        "the model's attention is not finite (NaN or infinite); its weights are damaged or overflow, try another checkpoint"
    )]
    NotFinite,
    /// The encoder sent fewer layers than the settings name, or sent them without the values that the method needs.
    #[error("the encoder delivered {found} of {expected} layers")]
    MissingLayers {
        /// The number of layers that the settings name.
        expected: usize,
        /// The number of layers that were reduced.
        found: usize,
    },
}

/// One score for each subword, and the matrix that the scores come from.
#[derive(Clone, Debug, PartialEq)]
pub struct SubwordScores {
    /// \[token\], each ≥ 0, with a sum of 1. Special subwords have 0 if sinks are dropped.
    pub scores: Vec<f32>,
    /// The share of the scores on special subwords before these are dropped, 0 … 1.
    pub sink_share: f32,
    /// The fused matrix over all subwords, including special ones: [query, key], rows sum to 1.
    pub matrix: Vec<f32>,
}

/// Reads a pass's attention and turns it into [`SubwordScores`].
pub struct Attributor<'a> {
    config: &'a AttributionConfig,
    method: &'static dyn AttributionMethod,
    /// Whether a subword is special, [token].
    special: &'a [bool],
    /// The sum of the matrices of all layers so far, [query, key].
    sum: Vec<f32>,
    /// Each layer's matrix, if the method needs them.
    layers: Vec<Vec<f32>>,
    n_layers_seen: usize,
}

impl<'a> Attributor<'a> {
    /// A sink for one pass. `special` \[token\] marks the special subwords.
    #[must_use]
    pub fn new(config: &'a AttributionConfig, special: &'a [bool]) -> Self {
        Self {
            config,
            method: config.method.definition(),
            special,
            sum: vec![0.0; special.len() * special.len()],
            layers: Vec::new(),
            n_layers_seen: 0,
        }
    }

    /// The scores, after the pass.
    ///
    /// # Errors
    /// If a weight is not finite, or if a layer is missing.
    pub fn finish(self) -> Result<SubwordScores, AttributionError> {
        let expected = self.config.layers.len();
        if self.n_layers_seen != expected {
            return Err(AttributionError::MissingLayers {
                expected,
                found: self.n_layers_seen,
            });
        }
        let mut matrix = self.sum;
        #[expect(clippy::cast_precision_loss, reason = "a handful of layers")]
        let scale = 1.0 / expected as f32;
        for weight in &mut matrix {
            *weight *= scale;
        }
        // NaN and infinity both survive a sum.
        if !matrix.iter().sum::<f32>().is_finite() {
            return Err(AttributionError::NotFinite);
        }
        let RawScores {
            mut scores,
            sink_share,
        } = self.method.finish(&ReducedPass {
            mean: &matrix,
            layers: &self.layers,
            special: self.special,
            sinks: self.config.sinks,
        });
        if self.config.sinks == Sinks::Drop {
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
        let needs = self.method.needs();
        let lacks_values = needs.transformed_values && attention.transformed_values.is_none();
        if lacks_values || (needs.blocks && attention.block.is_none()) {
            // The layer cannot be reduced; `finish` reports it as missing.
            return ControlFlow::Continue(());
        }
        let heads = &self.config.heads;
        if needs.each_layer {
            let mut layer = vec![0.0; self.sum.len()];
            self.method.reduce(&attention, heads, &mut layer);
            if self.method.has_normalized_rows() {
                add(&mut self.sum, &layer);
            } else {
                for (sum, row) in self
                    .sum
                    .chunks_exact_mut(attention.n_tokens)
                    .zip(layer.chunks_exact(attention.n_tokens))
                {
                    let mut row = row.to_vec();
                    normalize(&mut row);
                    add(sum, &row);
                }
            }
            self.layers.push(layer);
        } else {
            self.method.reduce(&attention, heads, &mut self.sum);
        }
        self.n_layers_seen += 1;
        ControlFlow::Continue(())
    }
}

fn add(sum: &mut [f32], values: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += value;
    }
}
