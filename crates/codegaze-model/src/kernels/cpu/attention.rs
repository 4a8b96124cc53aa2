//! Scaled dot-product attention, a head a task.

use std::cell::Cell;

use rayon::prelude::*;
use rten_gemm::{GemmInputA, GemmInputB, GemmOptions};
use rten_simd::SimdOp;
use rten_tensor::NdTensorView;
use rten_vecmath::Softmax;

use super::linear::Linear;
use super::tiles::Tiles;
use super::{Matrix, gemm};

/// Query rows that are multiplied and normalized while they are in the cache.
const QUERY_BLOCK: usize = 66;

thread_local! {
    /// One head's weighted values, [query, head_size].
    static CONTEXT: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Queries (0), keys (1) or values (2) of one head: [token, `head_size`], a strided view of `qkv` [token, 3 · hidden].
pub(super) fn part_of(
    qkv: &Matrix,
    part: usize,
    head: usize,
    head_size: usize,
) -> NdTensorView<'_, f32, 2> {
    let start = part * (qkv.n_cols / 3) + head * head_size;
    NdTensorView::from_data([qkv.n_rows, qkv.n_cols], qkv.values())
        .slice((.., start..start + head_size))
}

/// What the products of queries and keys are multiplied by.
#[expect(
    clippy::cast_precision_loss,
    reason = "a head's width is far below 2^24"
)]
pub(super) fn scale(head_size: usize) -> f32 {
    1.0 / (head_size as f32).sqrt()
}

/// See [`Backend::attend`](crate::kernels::Backend::attend).
pub(super) fn attend(
    qkv: &Matrix,
    n_heads: usize,
    weights: &mut Matrix,
    context: Option<&mut Matrix>,
) {
    let gemm = gemm();
    let (n, hidden) = (qkv.n_rows, qkv.n_cols / 3);
    let head_size = hidden / n_heads;
    let scale = scale(head_size);
    weights.reshape(n_heads * n, n);
    let context = context.map(|context| {
        context.reshape(n, hidden);
        Tiles::new(context)
    });
    weights
        .values_mut()
        .par_chunks_exact_mut(n * n)
        .enumerate()
        .for_each(|(head, weights)| {
            let queries = part_of(qkv, 0, head, head_size);
            let keys = part_of(qkv, 1, head, head_size);
            for (block, rows) in weights.chunks_mut(QUERY_BLOCK * n).enumerate() {
                let first = block * QUERY_BLOCK;
                let last = first + rows.len() / n;
                gemm.gemm(
                    rows,
                    GemmInputA::Unpacked(queries.slice((first..last, ..))),
                    GemmInputB::Unpacked(keys.transposed()),
                    GemmOptions {
                        alpha: scale,
                        ..GemmOptions::default()
                    },
                )
                .expect("queries and keys have one width");
                for row in rows.chunks_exact_mut(n) {
                    Softmax::new_mut(row).dispatch();
                }
            }
            let Some(context) = &context else { return };
            let mut mixed = CONTEXT.take();
            mixed.resize(n * head_size, 0.0);
            gemm.gemm(
                &mut mixed,
                GemmInputA::Unpacked(NdTensorView::from_data([n, n], &*weights)),
                GemmInputB::Unpacked(part_of(qkv, 2, head, head_size)),
                GemmOptions::default(),
            )
            .expect("weights are [query, key], values [key, head_size]");
            for (row, values) in mixed.chunks_exact(head_size).enumerate() {
                // SAFETY: a head is one task and owns its columns of every row.
                #[allow(unsafe_code)]
                let target = unsafe { context.row(row, head * head_size, head_size) };
                target.copy_from_slice(values);
            }
            CONTEXT.set(mixed);
        });
}

/// See [`Backend::transformed_values`](crate::kernels::Backend::transformed_values).
pub(super) fn transformed_values(qkv: &Matrix, n_heads: usize, output: &Linear) -> Vec<f32> {
    let gemm = gemm();
    let n = qkv.n_rows;
    let head_size = qkv.n_cols / 3 / n_heads;
    let mut transformed = vec![0.0; n_heads * n * output.n_out()];
    transformed
        .par_chunks_exact_mut(n * output.n_out())
        .enumerate()
        .for_each(|(head, out)| {
            gemm.gemm(
                out,
                GemmInputA::Unpacked(part_of(qkv, 2, head, head_size)),
                GemmInputB::Unpacked(output.head_block(head, head_size)),
                GemmOptions::default(),
            )
            .expect("a head's values and its block of the output weights have one width");
        });
    transformed
}
