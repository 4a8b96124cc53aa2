//! Attention rollout: the product of all layers' attention, each mixed with the identity to account for the residual connection.
//!
//! Abnar & Zuidema 2020 (<https://aclanthology.org/2020.acl-main.385>), §3 and eq. 1: `uᵀ Ã^L … Ã^1` with `Ã^l = ½ A^l + ½ I`.
//! `u` is uniform over the queries that count, so the scores are the column means of the rollout matrix over these queries.

use super::{AttributionMethod, Paper, PassNeeds, RawScores, ReducedPass};
use crate::attribution::LayerChoice;
#[cfg(test)]
use crate::attribution::{AttributionConfig, naive};

pub(super) struct Rollout;

impl AttributionMethod for Rollout {
    fn name(&self) -> &'static str {
        "rollout"
    }

    fn title(&self) -> &'static str {
        "Rollout"
    }

    fn about(&self) -> &'static str {
        "attention followed through all layers"
    }

    fn formula(&self) -> &'static str {
        "`uᵀ Ã^L ⋯ Ã^1` with `Ã^l = ½ A^l + ½ I` and `u` uniform over `i ∉ S`: the column means of the rollout matrix"
    }

    fn paper(&self) -> Option<Paper> {
        Some(Paper {
            authors: "Abnar & Zuidema 2020",
            title: "Quantifying Attention Flow in Transformers",
            url: "https://aclanthology.org/2020.acl-main.385",
            place: "§3 and eq. 1",
        })
    }

    /// The product is over the whole encoder.
    fn default_layers(&self) -> LayerChoice {
        LayerChoice::All
    }

    fn needs(&self) -> PassNeeds {
        PassNeeds {
            each_layer: true,
            ..PassNeeds::default()
        }
    }

    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores {
        let scores = walk(pass.layers, &pass.queries(), pass.special.len());
        let sink_share = pass.special_mass(&scores);
        RawScores { scores, sink_share }
    }

    #[cfg(test)]
    fn naive(&self, pass: &naive::Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
        let identity = |i: usize, j: usize| if i == j { 1.0 } else { 0.0 };
        let n = pass.n;
        let mut product: naive::Rows = (0..n)
            .map(|i| (0..n).map(|j| identity(i, j)).collect())
            .collect();
        for layer in naive::fused(pass, config) {
            let mixed = |i: usize, k: usize| 0.5 * layer[i][k] + 0.5 * identity(i, k);
            product = (0..n)
                .map(|i| {
                    (0..n)
                        .map(|j| (0..n).map(|k| mixed(i, k) * product[k][j]).sum())
                        .collect()
                })
                .collect();
        }
        // Sinks are dropped once, from the result.
        naive::mean_row(pass, &product, &pass.queries(config.sinks), false)
    }
}

/// `uᵀ Ã^L … Ã^1`, [key], with `u` uniform over `queries`.
///
/// Multiplies a vector by one layer's matrix after another, from the last to the first, which is cheaper than the product of the
/// matrices. `layers` are fused matrices [query, key], ascending.
fn walk(layers: &[Vec<f32>], queries: &[usize], n: usize) -> Vec<f32> {
    let mut mass = vec![0.0_f32; n];
    #[expect(
        clippy::cast_precision_loss,
        reason = "at most a few thousand subwords"
    )]
    let each = 1.0 / queries.len().max(1) as f32;
    for &query in queries {
        mass[query] = each;
    }
    for layer in layers.iter().rev() {
        let mut next: Vec<f32> = mass.iter().map(|m| 0.5 * m).collect();
        for (m, row) in mass.iter().zip(layer.chunks_exact(n)) {
            if *m == 0.0 {
                continue;
            }
            for (cell, weight) in next.iter_mut().zip(row) {
                *cell += 0.5 * m * weight;
            }
        }
        mass = next;
    }
    mass
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollout_of_identity_is_identity() {
        let n = 5;
        let mut identity = vec![0.0; n * n];
        for i in 0..n {
            identity[i * n + i] = 1.0;
        }
        for query in 0..n {
            let rolled = walk(&vec![identity.clone(); 4], &[query], n);
            for (i, mass) in rolled.iter().enumerate() {
                let expected = if i == query { 1.0 } else { 0.0 };
                assert!((mass - expected).abs() < 1e-6, "{rolled:?}");
            }
        }
    }
}
