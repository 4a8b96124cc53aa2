//! Heads of a layer → one [query, key] matrix.

use rayon::prelude::*;

use super::{HeadFusion, normalize};
use codegaze_model::roberta::LayerAttention;

/// One layer's heads as one matrix, [query, key]; rows sum to 1.
#[must_use]
pub fn fuse_heads(attention: &LayerAttention<'_>, heads: &HeadFusion) -> Vec<f32> {
    let mut fused = vec![0.0; attention.n_tokens * attention.n_tokens];
    add_fused(attention, heads, &mut fused);
    fused
}

/// Adds the layer's fused matrix to `sum` [query, key].
pub(super) fn add_fused(attention: &LayerAttention<'_>, heads: &HeadFusion, sum: &mut [f32]) {
    let n = attention.n_tokens;
    let row_of = |head: usize, query: usize| &attention.head(head)[query * n..(query + 1) * n];
    let every: Vec<usize>;
    let chosen = match heads {
        HeadFusion::Heads(chosen) => chosen,
        HeadFusion::Mean | HeadFusion::Max => {
            every = (0..attention.n_heads).collect();
            &every
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "a handful of heads")]
    let weight = 1.0 / chosen.len() as f32;
    sum.par_chunks_exact_mut(n)
        .enumerate()
        .for_each(|(query, sum)| {
            if *heads == HeadFusion::Max {
                // max_h A^h_ij, rows back to a sum of 1
                let mut row = vec![0.0_f32; n];
                for &head in chosen {
                    for (cell, value) in row.iter_mut().zip(row_of(head, query)) {
                        *cell = cell.max(*value);
                    }
                }
                normalize(&mut row);
                for (cell, value) in sum.iter_mut().zip(&row) {
                    *cell += value;
                }
            } else {
                // mean_h A^h_ij
                for &head in chosen {
                    for (cell, value) in sum.iter_mut().zip(row_of(head, query)) {
                        *cell += weight * value;
                    }
                }
            }
        });
}
