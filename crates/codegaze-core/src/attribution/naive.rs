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
    pub blocks: Vec<Block>,
}

/// What one layer computes around its attention.
#[derive(Clone, Debug)]
pub struct Block {
    /// [token][hidden]
    pub input: Vec<f32>,
    /// [token][hidden]
    pub attended: Vec<f32>,
    /// [hidden]
    pub attention_weight: Vec<f32>,
    /// [token]
    pub attention_deviation: Vec<f32>,
    /// [hidden]
    pub output_weight: Vec<f32>,
    /// [token]
    pub output_deviation: Vec<f32>,
}

impl Block {
    pub fn attended_row(&self, token: usize) -> Vec<f64> {
        let row = &self.attended[token * HIDDEN..(token + 1) * HIDDEN];
        row.iter().map(|x| f64::from(*x)).collect()
    }
}

/// `γ ⊙ (v − mean(v)) · inverse`
pub fn linear_norm(vector: &[f64], weight: &[f32], inverse: f64) -> Vec<f64> {
    let mean = vector.iter().sum::<f64>() / vector.len() as f64;
    let scaled = vector.iter().zip(weight);
    scaled
        .map(|(x, weight)| (x - mean) * f64::from(*weight) * inverse)
        .collect()
}

/// `M^L … M^1` of layers in ascending order.
pub fn product(layers: &[Rows]) -> Rows {
    let n = layers[0].len();
    let multiply = |a: &Rows, b: &Rows| -> Rows {
        let cell = |i: usize, j: usize| (0..n).map(|k| a[i][k] * b[k][j]).sum();
        (0..n)
            .map(|i| (0..n).map(|j| cell(i, j)).collect())
            .collect()
    };
    let mut layers = layers.iter();
    let first = layers.next().cloned().unwrap_or_default();
    layers.fold(first, |product, layer| multiply(layer, &product))
}

impl Pass {
    pub fn weight(&self, layer: usize, head: usize, query: usize, key: usize) -> f64 {
        f64::from(self.weights[layer][(head * self.n + query) * self.n + key])
    }

    pub fn value(&self, layer: usize, head: usize, key: usize) -> &[f32] {
        let start = (head * self.n + key) * HIDDEN;
        &self.values[layer][start..start + HIDDEN]
    }

    /// `Σ_h A^h_ij f^h(x_j) + [i = j] x_i`
    pub fn summand(&self, layer: usize, heads: &[usize], query: usize, key: usize) -> Vec<f64> {
        let own = |d: usize| {
            if query == key {
                f64::from(self.blocks[layer].input[query * HIDDEN + d])
            } else {
                0.0
            }
        };
        let carried = |d: usize, head: usize| {
            let value = f64::from(self.value(layer, head, key)[d]);
            self.weight(layer, head, query, key) * value
        };
        (0..HIDDEN)
            .map(|d| own(d) + heads.iter().map(|&head| carried(d, head)).sum::<f64>())
            .collect()
    }

    /// The queries that the mean is over.
    pub fn queries(&self, sinks: Sinks) -> Vec<usize> {
        let special = self.special();
        (0..self.n)
            .filter(|&i| sinks == Sinks::Keep || !special[i])
            .collect()
    }

    /// Fills the blocks so that their layer norms are those of the sums over all heads and keys, without biases and without a feed-forward
    /// network.
    pub fn with_blocks(
        mut self,
        inputs: Vec<Vec<f32>>,
        attention_weight: &[f32],
        output_weight: &[f32],
    ) -> Self {
        let heads: Vec<usize> = (0..self.n_heads).collect();
        let deviation = |sum: &[f64]| {
            let mean = sum.iter().sum::<f64>() / HIDDEN as f64;
            let variance = sum.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / HIDDEN as f64;
            1.0 / (variance + 1e-5).sqrt()
        };
        for (layer, input) in inputs.into_iter().enumerate() {
            self.blocks.push(Block {
                input,
                attended: Vec::new(),
                attention_weight: attention_weight.to_vec(),
                attention_deviation: Vec::new(),
                output_weight: output_weight.to_vec(),
                output_deviation: Vec::new(),
            });
            for query in 0..self.n {
                let mut sum = vec![0.0; HIDDEN];
                for key in 0..self.n {
                    for (sum, x) in sum.iter_mut().zip(self.summand(layer, &heads, query, key)) {
                        *sum += x;
                    }
                }
                let inverse = deviation(&sum);
                let attended = linear_norm(&sum, attention_weight, inverse);
                let block = &mut self.blocks[layer];
                block.attention_deviation.push(inverse as f32);
                block.output_deviation.push(deviation(&attended) as f32);
                block.attended.extend(attended.iter().map(|x| *x as f32));
            }
        }
        self
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
            let sum = if sum > 0.0 { sum } else { 1.0 };
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

/// The mean row of the layers' product over the queries, scaled to a sum of 1, and its mass on special subwords.
pub fn product_row(pass: &Pass, layers: &[Rows], sinks: Sinks) -> (Vec<f64>, f64) {
    let (mut scores, sunk) = mean_row(pass, &product(layers), &pass.queries(sinks), false);
    let sum: f64 = scores.iter().sum();
    let sum = if sum > 0.0 { sum } else { 1.0 };
    for score in &mut scores {
        *score /= sum;
    }
    (scores, sunk / sum)
}
