//! Heads of a layer → one [query, key] matrix.

use rayon::prelude::*;

use super::normalize;
use codegaze_model::roberta::LayerAttention;
use codegaze_text::named_enum;

named_enum! {
    /// How all heads of a layer become one matrix.
    #[derive(Default)]
    pub enum Fusion as "fusion of heads" {
        #[default]
        Mean = "mean", "their mean";
        /// Rows are then renormalized to a sum of 1.
        Max = "max", "the greatest of them, cell by cell";
    }
}

/// How the heads of a layer become one matrix.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HeadFusion {
    /// All heads.
    All(Fusion),
    /// Mean over these heads, zero-based, ascending.
    Heads(Vec<usize>),
}

impl HeadFusion {
    /// The heads that are fused, of `n_heads`.
    pub(super) fn chosen(&self, n_heads: usize) -> Vec<usize> {
        match self {
            Self::Heads(heads) => heads.clone(),
            Self::All(_) => (0..n_heads).collect(),
        }
    }

    pub(super) fn is_max(&self) -> bool {
        *self == Self::All(Fusion::Max)
    }
}

impl Default for HeadFusion {
    fn default() -> Self {
        Self::All(Fusion::default())
    }
}

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
    let chosen = heads.chosen(attention.n_heads);
    #[expect(clippy::cast_precision_loss, reason = "a handful of heads")]
    let weight = 1.0 / chosen.len() as f32;
    sum.par_chunks_exact_mut(n)
        .enumerate()
        .for_each(|(query, sum)| {
            if heads.is_max() {
                // max_h A^h_ij, rows back to a sum of 1
                let mut row = vec![0.0_f32; n];
                for &head in &chosen {
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
                for &head in &chosen {
                    for (cell, value) in sum.iter_mut().zip(row_of(head, query)) {
                        *cell += weight * value;
                    }
                }
            }
        });
}
