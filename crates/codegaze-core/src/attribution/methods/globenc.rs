//! `GlobEnc`: the norm of what a key contributes to a query behind both layer norms of a layer, multiplied over all layers.
//!
//! Modarressi et al. 2022 (<https://aclanthology.org/2022.naacl-main.19>), §3.1 and eq. 6: `N_ij = ‖g₂(g₁(Σ_h A^h_ij f^h(x_j) + [i = j] x_i))‖₂`
//! with both layer norms made linear; the feed-forward network only enters through the deviation in `g₂`. The authors' code multiplies
//! the matrices of the layers as they are, without normalizing rows and without an identity
//! (<https://github.com/mohsenfayyaz/GlobEnc>, `modeling_bert.py`, `output_globenc`).

use super::decomposition::{Contributions, center_and_scale, product_row};
use super::{AttributionMethod, Cost, Paper, PassNeeds, RawScores, ReducedPass};
#[cfg(test)]
use crate::attribution::{AttributionConfig, naive};
use crate::attribution::{HeadFusion, LayerChoice};
use codegaze_model::roberta::LayerAttention;

pub(super) struct GlobEnc;

impl AttributionMethod for GlobEnc {
    fn name(&self) -> &'static str {
        "globenc"
    }

    fn title(&self) -> &'static str {
        "GlobEnc"
    }

    fn about(&self) -> &'static str {
        "the norm of what a word contributes, followed through all layers"
    }

    fn formula(&self) -> &'static str {
        "`uᵀ N^L ⋯ N^1` with `N^l_ij = ‖LN₂(LN₁(Σ_{h ∈ H} A^{l,h}_ij f^h(x_j) + [i = j] x_i))‖₂`, both layer norms with the deviations of the whole sums, `u` uniform over `i ∉ S`; normalized to a sum of 1"
    }

    fn paper(&self) -> Option<Paper> {
        Some(Paper {
            authors: "Modarressi et al. 2022",
            title: "GlobEnc: Quantifying Global Token Attribution by Incorporating the Whole Encoder Layer in Transformers",
            url: "https://aclanthology.org/2022.naacl-main.19",
            place: "§3.1 and eq. 6",
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

    fn has_normalized_rows(&self) -> bool {
        false
    }

    fn reduce(&self, attention: &LayerAttention<'_>, heads: &HeadFusion, sum: &mut [f32]) {
        // `Attributor` skips layers without these values, and reports them as missing.
        let (Some(values), Some(block)) = (attention.transformed_values, attention.block) else {
            return;
        };
        let (mut values, mut input) = (values.to_vec(), block.input.to_vec());
        for norm in [block.attention_norm, block.output_norm] {
            center_and_scale(&mut values, norm.weight);
            center_and_scale(&mut input, norm.weight);
        }
        let contributions = Contributions {
            attention,
            values: &values,
            input: &input,
            hidden: block.attention_norm.weight.len(),
        };
        let matrix = contributions.measure(heads, |query, vector| {
            let inverse = block.attention_norm.inverse_deviation[query]
                * block.output_norm.inverse_deviation[query];
            inverse * length(vector)
        });
        for (sum, x) in sum.iter_mut().zip(matrix) {
            *sum += x;
        }
    }

    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores {
        let scores = product_row(pass.layers, &pass.queries(), pass.special.len());
        let sink_share = pass.special_mass(&scores);
        RawScores { scores, sink_share }
    }

    #[cfg(test)]
    fn naive(&self, pass: &naive::Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
        let norms = |layer: usize, heads: &[usize], query: usize, key: usize| {
            let block = &pass.blocks[layer];
            let summand = pass.summand(layer, heads, query, key);
            let (first, second) = (
                f64::from(block.attention_deviation[query]),
                f64::from(block.output_deviation[query]),
            );
            let vector = naive::linear_norm(&summand, &block.attention_weight, first);
            let vector = naive::linear_norm(&vector, &block.output_weight, second);
            vector.iter().map(|x| x * x).sum::<f64>().sqrt()
        };
        let chosen = config.heads.chosen(pass.n_heads);
        let cell = |layer: usize, query: usize, key: usize| {
            if config.heads.is_max() {
                let each = chosen.iter().map(|&h| norms(layer, &[h], query, key));
                each.fold(0.0, f64::max)
            } else {
                norms(layer, &chosen, query, key)
            }
        };
        let layers: Vec<naive::Rows> = config
            .layers
            .iter()
            .map(|&layer| {
                (0..pass.n)
                    .map(|query| (0..pass.n).map(|key| cell(layer, query, key)).collect())
                    .collect()
            })
            .collect();
        naive::product_row(pass, &layers, config.sinks)
    }
}

/// `‖vector‖₂`, in partial sums that a compiler can vectorize.
fn length(vector: &[f32]) -> f32 {
    let chunks = vector.as_chunks::<16>();
    let mut sums = [0.0_f32; 16];
    for chunk in chunks.0 {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += x * x;
        }
    }
    let rest: f32 = chunks.1.iter().map(|x| x * x).sum();
    (sums.iter().sum::<f32>() + rest).sqrt()
}
