//! The attention of a whole pass, and functions that the naive forms of the methods share, in f64 and straight from the definitions.

use super::{AttributionConfig, HeadFusion, Sinks};

pub const HIDDEN: usize = 6;

/// The attention of a whole pass: weights[layer][head][query][key], values[layer][head][key][hidden].
#[derive(Clone, Debug)]
pub struct Pass {
    pub n_heads: usize,
    pub n: usize,
    pub weights: Vec<Vec<f32>>,
    pub values: Vec<Vec<f32>>,
}

impl Pass {
    pub fn weight(&self, layer: usize, head: usize, query: usize, key: usize) -> f64 {
        f64::from(self.weights[layer][(head * self.n + query) * self.n + key])
    }

    pub fn value(&self, layer: usize, head: usize, key: usize) -> &[f32] {
        let start = (head * self.n + key) * HIDDEN;
        &self.values[layer][start..start + HIDDEN]
    }

    /// The queries that the mean is over.
    pub fn queries(&self, sinks: Sinks) -> Vec<usize> {
        let special = self.special();
        (0..self.n)
            .filter(|&i| sinks == Sinks::Keep || !special[i])
            .collect()
    }

    pub fn special(&self) -> Vec<bool> {
        (0..self.n).map(|i| i == 0 || i == self.n - 1).collect()
    }
}

/// [query][key]
pub type Rows = Vec<Vec<f64>>;

/// Fuses the selected heads with one formula for each pair of subwords, and normalizes rows to a sum of 1. `of_heads` receives heads, query
/// and key.
pub fn fuse_layer(
    pass: &Pass,
    heads: &HeadFusion,
    of_heads: impl Fn(&[usize], usize, usize) -> f64,
) -> Rows {
    let chosen = heads.chosen(pass.n_heads);
    let cell = |query: usize, key: usize| {
        if heads.is_max() {
            let each = chosen.iter().map(|&head| of_heads(&[head], query, key));
            return each.fold(0.0, f64::max);
        }
        of_heads(&chosen, query, key)
    };
    (0..pass.n)
        .map(|query| {
            let row: Vec<f64> = (0..pass.n).map(|key| cell(query, key)).collect();
            let sum: f64 = row.iter().sum();
            row.into_iter().map(|x| x / sum).collect()
        })
        .collect()
}

/// The fused attention of each layer.
pub fn fused(pass: &Pass, config: &AttributionConfig) -> Vec<Rows> {
    let layers = config.layers.iter();
    layers
        .map(|&layer| {
            fuse_layer(pass, &config.heads, |heads, query, key| {
                let weights = heads.iter().map(|&h| pass.weight(layer, h, query, key));
                weights.sum::<f64>() / heads.len() as f64
            })
        })
        .collect()
}

pub fn mean(layers: &[Rows]) -> Rows {
    let n = layers[0].len();
    let cell = |i: usize, j: usize| {
        layers.iter().map(|layer| layer[i][j]).sum::<f64>() / layers.len() as f64
    };
    (0..n)
        .map(|i| (0..n).map(|j| cell(i, j)).collect())
        .collect()
}

/// The mean of the rows of `queries`, and the mean mass on special subwords. With `by_row`, rows are first renormalized without this mass.
pub fn mean_row(pass: &Pass, rows: &Rows, queries: &[usize], by_row: bool) -> (Vec<f64>, f64) {
    let special = pass.special();
    let n_queries = queries.len() as f64;
    let sunk = |row: &[f64]| -> f64 {
        let mass = row.iter().zip(&special);
        mass.filter(|(_, special)| **special).map(|(x, _)| x).sum()
    };
    let sink_share = queries.iter().map(|&i| sunk(&rows[i])).sum::<f64>() / n_queries;
    let mut scores = vec![0.0; pass.n];
    for &i in queries {
        let kept = if by_row { 1.0 - sunk(&rows[i]) } else { 1.0 };
        for (score, value) in scores.iter_mut().zip(&rows[i]) {
            *score += value / kept / n_queries;
        }
    }
    (scores, sink_share)
}
