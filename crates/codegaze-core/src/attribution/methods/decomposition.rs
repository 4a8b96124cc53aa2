//! A layer's output as a sum over keys: what methods share that compare a key's vector with the whole.
//!
//! Before its layer norm, a query's attention output is `Σ_j Σ_h A^h_ij f^h(x_j) + x_i` and a bias. A layer norm is linear once its
//! deviation is known, so it distributes over the sum: `LN(v) = γ ⊙ (v − mean(v)) · r_i` with `r_i = 1 / √(var + ε)` of the whole sum
//! (Kobayashi et al. 2021, <https://aclanthology.org/2021.emnlp-main.373>, §3).

use rayon::prelude::*;

use crate::attribution::HeadFusion;
use codegaze_model::kernels::multiply;
use codegaze_model::roberta::LayerAttention;

/// Queries whose vectors are computed at once, so that they stay in the cache.
const QUERY_BLOCK: usize = 64;

/// `γ ⊙ (v − mean(v))` for every row of `values`, in place.
pub(super) fn center_and_scale(values: &mut [f32], weight: &[f32]) {
    #[expect(clippy::cast_precision_loss, reason = "a width is far below 2^24")]
    let n = weight.len() as f32;
    values.par_chunks_exact_mut(weight.len()).for_each(|row| {
        let mean = row.iter().sum::<f32>() / n;
        for (x, weight) in row.iter_mut().zip(weight) {
            *x = (*x - mean) * weight;
        }
    });
}

/// What keys contribute to queries, after a linear map.
pub(super) struct Contributions<'a> {
    pub(super) attention: &'a LayerAttention<'a>,
    /// The mapped `f^h(x_j)`, [head, key, hidden].
    pub(super) values: &'a [f32],
    /// The mapped `x_i`, which a query contributes to itself, [token, hidden].
    pub(super) input: &'a [f32],
    /// Width of a vector.
    pub(super) hidden: usize,
}

impl Contributions<'_> {
    /// `measure(i, Σ_h A^h_ij f^h(x_j) + [i = j] x_i)` for every query i and key j, [query, key]. With the fusion `max`, the greatest
    /// measure over single heads.
    pub(super) fn measure(
        &self,
        heads: &HeadFusion,
        measure: impl Fn(usize, &[f32]) -> f32 + Sync,
    ) -> Vec<f32> {
        let n = self.attention.n_tokens;
        let chosen = heads.chosen(self.attention.n_heads);
        let sets: Vec<Vec<usize>> = if heads.is_max() {
            chosen.into_iter().map(|head| vec![head]).collect()
        } else {
            vec![chosen]
        };
        // [key, query]: each key is one task.
        let mut by_key = vec![0.0_f32; n * n];
        by_key
            .par_chunks_exact_mut(n)
            .enumerate()
            .for_each(|(key, column)| {
                for set in &sets {
                    self.measure_key(key, set, &measure, column);
                }
            });
        let mut matrix = vec![0.0; n * n];
        for (key, column) in by_key.chunks_exact(n).enumerate() {
            for (query, &value) in column.iter().enumerate() {
                matrix[query * n + key] = value;
            }
        }
        matrix
    }

    /// Raises `column` \[query\] to the measures of one key's vectors.
    fn measure_key(
        &self,
        key: usize,
        heads: &[usize],
        measure: &(impl Fn(usize, &[f32]) -> f32 + Sync),
        column: &mut [f32],
    ) {
        let (n, hidden) = (self.attention.n_tokens, self.hidden);
        let mut values = Vec::with_capacity(heads.len() * hidden);
        for head in heads {
            let start = (head * n + key) * hidden;
            values.extend_from_slice(&self.values[start..start + hidden]);
        }
        let mut vectors = vec![0.0; QUERY_BLOCK * hidden];
        for (block, column) in column.chunks_mut(QUERY_BLOCK).enumerate() {
            let first = block * QUERY_BLOCK;
            let weights: Vec<f32> = (first..first + column.len())
                .flat_map(|query| {
                    heads
                        .iter()
                        .map(move |head| self.attention.weights[(head * n + query) * n + key])
                })
                .collect();
            let vectors = &mut vectors[..column.len() * hidden];
            multiply(vectors, &weights, &values, heads.len());
            for (i, (vector, cell)) in vectors.chunks_exact_mut(hidden).zip(column).enumerate() {
                let query = first + i;
                if query == key {
                    let own = &self.input[query * hidden..(query + 1) * hidden];
                    for (x, own) in vector.iter_mut().zip(own) {
                        *x += own;
                    }
                }
                let value = measure(query, vector);
                // NaN replaces every value, and is reported.
                if value > *cell || value.is_nan() {
                    *cell = value;
                }
            }
        }
    }
}

/// `uᵀ M^L … M^1`, \[key\], with `u` uniform over `queries` and a sum of 1 after every layer. `layers` are [query, key], ascending.
pub(super) fn product_row(layers: &[Vec<f32>], queries: &[usize], n: usize) -> Vec<f32> {
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
        let mut next = vec![0.0_f32; n];
        for (m, row) in mass.iter().zip(layer.chunks_exact(n)) {
            for (cell, weight) in next.iter_mut().zip(row) {
                *cell += m * weight;
            }
        }
        crate::attribution::normalize(&mut next);
        mass = next;
    }
    mass
}
