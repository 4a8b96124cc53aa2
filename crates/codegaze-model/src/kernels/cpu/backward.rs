//! Gradients of what is element-wise, and of attention.

use std::cell::Cell;
use std::f32::consts::{FRAC_1_SQRT_2, PI};

use rayon::prelude::*;
use rten_gemm::{GemmInputA, GemmInputB, GemmOptions};
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_tensor::NdTensorView;
use rten_vecmath::{Erf, Exp, Sum, SumSquareSub};

use super::attention::{part_of, scale};
use super::tiles::Tiles;
use super::{LayerNorm, Matrix, NORM_ROWS, gemm};
use crate::kernels::AttentionPass;

thread_local! {
    /// Two buffers of one task. Taken and put back, as a thread may start another task while it waits.
    static BUFFERS: Cell<[Vec<f32>; 2]> = const { Cell::new([Vec::new(), Vec::new()]) };
}

/// See [`Backend::normalize_backward`](crate::kernels::Backend::normalize_backward).
pub(super) fn normalize(x: &Matrix, norm: &LayerNorm, gradient: &mut Matrix) {
    let width = x.n_cols;
    gradient
        .values_mut()
        .par_chunks_mut(NORM_ROWS * width)
        .zip(x.values().par_chunks(NORM_ROWS * width))
        .for_each(|(gradient, x)| {
            for (gradient, x) in gradient.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                normalize_row(x, norm, gradient);
            }
        });
}

fn normalize_row(x: &[f32], norm: &LayerNorm, gradient: &mut [f32]) {
    #[expect(clippy::cast_precision_loss, reason = "a width is far below 2^24")]
    let n = x.len() as f32;
    let mean = Sum::new(x).dispatch() / n;
    let variance = SumSquareSub::new(x, mean).dispatch() / n;
    let inverse = 1.0 / (variance + norm.eps).sqrt();
    for (g, weight) in gradient.iter_mut().zip(&norm.weight) {
        *g *= weight;
    }
    let mean_gradient = Sum::new(&*gradient).dispatch() / n;
    // mean(g ⊙ x̂) = mean(g ⊙ x − g · mean) / √(var + ε)
    let along = (dot(gradient, x) / n - mean_gradient * mean) * inverse;
    for (g, x) in gradient.iter_mut().zip(x) {
        *g = (*g - mean_gradient - (x - mean) * inverse * along) * inverse;
    }
}

/// See [`Backend::gelu_backward`](crate::kernels::Backend::gelu_backward).
pub(super) fn gelu(x: &Matrix, gradient: &mut Matrix) {
    let n = NORM_ROWS * x.n_cols;
    gradient
        .values_mut()
        .par_chunks_mut(n)
        .zip(x.values().par_chunks(n))
        .for_each(|(gradient, x)| {
            let [mut distribution, mut density] = BUFFERS.take();
            distribution.clear();
            distribution.extend(x.iter().map(|x| x * FRAC_1_SQRT_2));
            (Erf {}).map_mut(&mut distribution);
            density.clear();
            density.extend(x.iter().map(|x| -0.5 * x * x));
            (Exp {}).map_mut(&mut density);
            let factor = 1.0 / (2.0 * PI).sqrt();
            for (((g, x), erf), exp) in gradient.iter_mut().zip(x).zip(&distribution).zip(&density)
            {
                *g *= 0.5 * (1.0 + erf) + x * factor * exp;
            }
            BUFFERS.set([distribution, density]);
        });
}

/// See [`Backend::attend_backward`](crate::kernels::Backend::attend_backward). Each head is one task.
pub(super) fn attend(
    attention: &AttentionPass<'_, Matrix>,
    context_gradient: &Matrix,
    weights_gradient: &mut Matrix,
    qkv_gradient: &mut Matrix,
) {
    let &AttentionPass {
        qkv,
        weights,
        n_heads,
    } = attention;
    let (n, hidden) = (qkv.n_rows, qkv.n_cols / 3);
    let head_size = hidden / n_heads;
    weights_gradient.reshape(n_heads * n, n);
    qkv_gradient.reshape(n, 3 * hidden);
    let tiles = Tiles::new(qkv_gradient);
    weights_gradient
        .values_mut()
        .par_chunks_exact_mut(n * n)
        .zip(weights.values().par_chunks_exact(n * n))
        .enumerate()
        .for_each(|(head, (of_weights, weights))| {
            let [mut of_scores, mut product] = BUFFERS.take();
            let columns = head * head_size..(head + 1) * head_size;
            let of_context = NdTensorView::from_data([n, hidden], context_gradient.values())
                .slice((.., columns));
            multiply(
                of_weights,
                of_context,
                part_of(qkv, 2, head, head_size).transposed(),
                1.0,
            );
            of_scores.resize(n * n, 0.0);
            let rows = of_scores
                .chunks_exact_mut(n)
                .zip(of_weights.chunks_exact(n))
                .zip(weights.chunks_exact(n));
            for ((of_scores, of_weights), weights) in rows {
                let sum = dot(of_weights, weights);
                for ((s, g), a) in of_scores.iter_mut().zip(of_weights).zip(weights) {
                    *s = a * (g - sum);
                }
            }
            let weights = NdTensorView::from_data([n, n], weights);
            let of_scores_view = NdTensorView::from_data([n, n], &of_scores[..]);
            let (queries, keys) = (
                part_of(qkv, 0, head, head_size),
                part_of(qkv, 1, head, head_size),
            );
            let scale = scale(head_size);
            product.resize(n * head_size, 0.0);
            for (part, (a, b, factor)) in [
                (of_scores_view, keys, scale),
                (of_scores_view.transposed(), queries, scale),
                (weights.transposed(), of_context, 1.0),
            ]
            .into_iter()
            .enumerate()
            {
                multiply(&mut product, a, b, factor);
                for (row, values) in product.chunks_exact(head_size).enumerate() {
                    // SAFETY: a head is one task and owns its columns of each part, in every row.
                    #[allow(unsafe_code)]
                    let target =
                        unsafe { tiles.row(row, part * hidden + head * head_size, head_size) };
                    target.copy_from_slice(values);
                }
            }
            BUFFERS.set([of_scores, product]);
        });
}

/// `out = factor · a b`
fn multiply(
    out: &mut [f32],
    a: NdTensorView<'_, f32, 2>,
    b: NdTensorView<'_, f32, 2>,
    factor: f32,
) {
    gemm()
        .gemm(
            out,
            GemmInputA::Unpacked(a),
            GemmInputB::Unpacked(b),
            GemmOptions {
                alpha: factor,
                ..GemmOptions::default()
            },
        )
        .expect("the callers' views are of one attention pass");
}

/// Σ a ⊙ b, in partial sums that a compiler can vectorize.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, b) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sums = [0.0f32; 16];
    for (a, b) in a.0.iter().zip(b.0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
