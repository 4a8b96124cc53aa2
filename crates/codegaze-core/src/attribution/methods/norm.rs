//! Norm-based analysis: like `received`, with the norm of the vector that a key contributes in place of its attention weight.
//!
//! Kobayashi et al. 2020 (<https://aclanthology.org/2020.emnlp-main.574>), §3.1: attention output is
//! `y_i = Σ_j α_ij f(x_j)` with `f(x) = (x W^V + b^V) W^O`; what `j` contributes to `i` is measured by `‖α_ij f(x_j)‖`, and for
//! several heads by `‖Σ_h α^h_ij f^h(x_j)‖`.

use rayon::prelude::*;

use super::{AttributionMethod, Paper, PassNeeds, RawScores, ReducedPass, received};
#[cfg(test)]
use crate::attribution::{AttributionConfig, Sinks, naive};
use crate::attribution::{HeadFusion, normalize};
use codegaze_model::roberta::LayerAttention;

pub(super) struct Norm;

impl AttributionMethod for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn title(&self) -> &'static str {
        "Norm-weighted"
    }

    fn about(&self) -> &'static str {
        "attention weighted by the norm of what it carries"
    }

    fn formula(&self) -> &'static str {
        "`received`, with `N^l_ij = ‖Σ_{h ∈ H} A^{l,h}_ij f^h(x_j)‖₂` in place of `A^l_ij`, rows normalized to a sum of 1; `f^h(x) = (x W_V^h + b_V^h) W_O^h`"
    }

    fn paper(&self) -> Option<Paper> {
        Some(Paper {
            authors: "Kobayashi et al. 2020",
            title: "Attention is Not Only a Weight",
            url: "https://aclanthology.org/2020.emnlp-main.574",
            place: "§3.1",
        })
    }

    fn needs(&self) -> PassNeeds {
        PassNeeds {
            transformed_values: true,
            ..PassNeeds::default()
        }
    }

    fn reduce(&self, attention: &LayerAttention<'_>, heads: &HeadFusion, sum: &mut [f32]) {
        // `Attributor` skips layers without these values, and reports them as missing.
        if let Some(values) = attention.transformed_values {
            add_norms(attention, values, heads, sum);
        }
    }

    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores {
        received::mean_row(pass, &pass.queries())
    }

    #[cfg(test)]
    fn naive(&self, pass: &naive::Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
        let layers: Vec<naive::Rows> = config
            .layers
            .iter()
            .map(|&layer| {
                naive::fuse_layer(pass, &config.heads, |heads, query, key| {
                    let carried = |d: usize, head: usize| {
                        let value = f64::from(pass.value(layer, head, key)[d]);
                        pass.weight(layer, head, query, key) * value
                    };
                    let of_dimension = |d| heads.iter().map(|&h| carried(d, h)).sum::<f64>();
                    let squares = (0..naive::HIDDEN).map(|d| of_dimension(d).powi(2));
                    squares.sum::<f64>().sqrt()
                })
            })
            .collect();
        let queries = pass.queries(config.sinks);
        let is_dropped = config.sinks == Sinks::Drop;
        naive::mean_row(pass, &naive::mean(&layers), &queries, is_dropped)
    }
}

/// Adds the layer's norms, every row normalized to a sum of 1, to `sum` [query, key]. `values` are `f^h(x_j)`,
/// [head, key, hidden].
///
/// The sum over heads is inside the norm, so the direct formula needs a vector of width `hidden` for every pair. Instead,
/// `‖Σ_h α_h f^h‖² = Σ_{h,g} α_h α_g ⟨f^h, f^g⟩`, and the inner products of a key's head vectors are computed once.
fn add_norms(attention: &LayerAttention<'_>, values: &[f32], heads: &HeadFusion, sum: &mut [f32]) {
    let n = attention.n_tokens;
    let chosen = heads.chosen(attention.n_heads);
    let is_max = heads.is_max();
    let pairs: Vec<(usize, usize)> = chosen
        .iter()
        .enumerate()
        .flat_map(|(i, &h)| chosen[..=i].iter().map(move |&g| (h, g)))
        .filter(|&(h, g)| !is_max || h == g)
        .collect();
    let products: Vec<Vec<f32>> = pairs
        .par_iter()
        .map(|&(h, g)| inner_products(values, n, attention.n_heads, h, g))
        .collect();
    sum.par_chunks_exact_mut(n)
        .enumerate()
        .for_each(|(query, sum)| {
            let row_of = |head: usize| &attention.head(head)[query * n..(query + 1) * n];
            let mut squares = vec![0.0_f32; n];
            for (&(h, g), products) in pairs.iter().zip(&products) {
                let cells = squares
                    .iter_mut()
                    .zip(row_of(h))
                    .zip(row_of(g))
                    .zip(products);
                if is_max {
                    for (((square, a), b), product) in cells {
                        *square = square.max(a * b * product);
                    }
                } else {
                    // ⟨f^h, f^g⟩ occurs twice in the double sum unless h = g.
                    let times = if h == g { 1.0 } else { 2.0 };
                    for (((square, a), b), product) in cells {
                        *square += times * a * b * product;
                    }
                }
            }
            for square in &mut squares {
                // Rounding may leave a tiny negative square; NaN stays NaN and is reported.
                if *square < 0.0 {
                    *square = 0.0;
                }
                *square = square.sqrt();
            }
            normalize(&mut squares);
            for (cell, norm) in sum.iter_mut().zip(&squares) {
                *cell += norm;
            }
        });
}

/// `⟨f^h(x_j), f^g(x_j)⟩`, [key].
fn inner_products(values: &[f32], n: usize, n_heads: usize, h: usize, g: usize) -> Vec<f32> {
    let hidden = values.len() / (n_heads * n);
    let of_head =
        |head: usize| values[head * n * hidden..(head + 1) * n * hidden].chunks_exact(hidden);
    of_head(h)
        .zip(of_head(g))
        .map(|(a, b)| a.iter().zip(b).map(|(x, y)| x * y).sum())
        .collect()
}
