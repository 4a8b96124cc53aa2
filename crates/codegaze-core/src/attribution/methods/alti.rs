//! ALTI, aggregation of layer-wise token-to-token interactions: how close a key's vector comes to the query's whole output.
//!
//! Ferrando et al. 2022 (<https://aclanthology.org/2022.emnlp-main.595>), eqs. 5–8: with `T_i(x_j) = LN₁(Σ_h A^h_ij f^h(x_j) + [i = j] x_i)`,
//! the layer norm made linear, and `y_i` its output for the whole sum, `c_ij = max(0, ‖y_i‖₁ − ‖y_i − T_i(x_j)‖₁)` with rows normalized
//! to a sum of 1. Layers are multiplied as in rollout, without an identity, because `c_ii` contains the residual connection.

use super::decomposition::{Contributions, center_and_scale, product_row};
use super::{AttributionMethod, Cost, Paper, PassNeeds, RawScores, ReducedPass};
#[cfg(test)]
use crate::attribution::{AttributionConfig, naive};
use crate::attribution::{HeadFusion, LayerChoice, normalize};
use codegaze_model::roberta::LayerAttention;

pub(super) struct Alti;

impl AttributionMethod for Alti {
    fn name(&self) -> &'static str {
        "alti"
    }

    fn title(&self) -> &'static str {
        "ALTI"
    }

    fn about(&self) -> &'static str {
        "how close what a word contributes comes to the whole, followed through all layers"
    }

    fn formula(&self) -> &'static str {
        "`uᵀ C^L ⋯ C^1` with `c_ij = max(0, ‖y_i‖₁ − ‖y_i − T_i(x_j)‖₁)`, rows normalized to a sum of 1; `T_i(x_j) = LN₁(Σ_{h ∈ H} A^{l,h}_ij f^h(x_j) + [i = j] x_i)` with the deviation of the whole sum, `y_i` the output of `LN₁`, `u` uniform over `i ∉ S`"
    }

    fn paper(&self) -> Option<Paper> {
        Some(Paper {
            authors: "Ferrando et al. 2022",
            title: "Measuring the Mixing of Contextual Information in the Transformer",
            url: "https://aclanthology.org/2022.emnlp-main.595",
            place: "eqs. 5–8",
        })
    }

    fn cost(&self) -> Cost {
        Cost::FewPasses
    }

    /// The product is over the whole encoder.
    fn default_layers(&self) -> LayerChoice {
        LayerChoice::All
    }

    fn needs(&self) -> PassNeeds {
        PassNeeds {
            transformed_values: true,
            blocks: true,
            each_layer: true,
        }
    }

    fn reduce(&self, attention: &LayerAttention<'_>, heads: &HeadFusion, sum: &mut [f32]) {
        // `Attributor` skips layers without these values, and reports them as missing.
        let (Some(values), Some(block)) = (attention.transformed_values, attention.block) else {
            return;
        };
        let norm = block.attention_norm;
        let hidden = norm.weight.len();
        let (mut values, mut input) = (values.to_vec(), block.input.to_vec());
        center_and_scale(&mut values, norm.weight);
        center_and_scale(&mut input, norm.weight);
        let lengths: Vec<f32> = block
            .attended
            .chunks_exact(hidden)
            .map(|row| row.iter().map(|y| y.abs()).sum())
            .collect();
        let contributions = Contributions {
            attention,
            values: &values,
            input: &input,
            hidden,
        };
        let matrix = contributions.measure(heads, |query, vector| {
            let whole = &block.attended[query * hidden..(query + 1) * hidden];
            let inverse = norm.inverse_deviation[query];
            lengths[query] - distance(whole, vector, inverse)
        });
        let n = attention.n_tokens;
        for (sum, row) in sum.chunks_exact_mut(n).zip(matrix.chunks_exact(n)) {
            let mut row = row.to_vec();
            normalize(&mut row);
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }

    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores {
        let scores = product_row(pass.layers, &pass.queries(), pass.special.len());
        let sink_share = pass.special_mass(&scores);
        RawScores { scores, sink_share }
    }

    #[cfg(test)]
    fn naive(&self, pass: &naive::Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
        let layers: Vec<naive::Rows> = config
            .layers
            .iter()
            .map(|&layer| {
                naive::fuse_layer(pass, &config.heads, |heads, query, key| {
                    let block = &pass.blocks[layer];
                    let summand = pass.summand(layer, heads, query, key);
                    let inverse = f64::from(block.attention_deviation[query]);
                    let vector = naive::linear_norm(&summand, &block.attention_weight, inverse);
                    let whole = block.attended_row(query);
                    let length: f64 = whole.iter().map(|y| y.abs()).sum();
                    let difference: f64 =
                        whole.iter().zip(&vector).map(|(y, t)| (y - t).abs()).sum();
                    (length - difference).max(0.0)
                })
            })
            .collect();
        naive::product_row(pass, &layers, config.sinks)
    }
}

/// `‖whole − factor · vector‖₁`, in partial sums that a compiler can vectorize.
fn distance(whole: &[f32], vector: &[f32], factor: f32) -> f32 {
    let (whole, vector) = (whole.as_chunks::<16>(), vector.as_chunks::<16>());
    let mut sums = [0.0_f32; 16];
    for (whole, vector) in whole.0.iter().zip(vector.0) {
        for ((sum, y), v) in sums.iter_mut().zip(whole).zip(vector) {
            *sum += (y - factor * v).abs();
        }
    }
    let rest: f32 = whole
        .1
        .iter()
        .zip(vector.1)
        .map(|(y, v)| (y - factor * v).abs())
        .sum();
    sums.iter().sum::<f32>() + rest
}
