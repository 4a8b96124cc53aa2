//! The CPU backend: `rten-gemm` on weights that are packed once at load, `rten-vecmath` for what is element-wise.
//!
//! A linear layer is cut into tiles of `ROW_BLOCK` rows × `PANEL` columns. A tile's product is small enough to stay in
//! the second-level cache, so bias, GELU and residual are applied there and every output value is written to memory once.
//! `docs/PERFORMANCE.md` has the measurements behind the two sizes.

mod attention;
mod backward;
mod linear;
mod tiles;

use std::borrow::Cow;
use std::convert::Infallible;

use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions};
use rten_simd::{SimdOp, SimdUnaryOp};
use rten_tensor::NdTensorView;
use rten_vecmath::{Gelu, Normalize, NormalizeOptions, Sum, SumSquareSub};

use super::{
    AttentionPass, Backend, EmbeddingTables, Epilogue, Fetch, LinearNames, Parameter, Words,
};
use crate::LoadError;

/// Output columns of one packed panel of weights.
const PANEL: usize = 128;
/// Rows of one tile: a multiple of the AVX-512 and AVX2 kernels' six rows.
const ROW_BLOCK: usize = 132;
/// Rows that one task normalizes.
const NORM_ROWS: usize = 16;

/// Runs on all cores of this machine, in the global rayon pool.
#[derive(Default)]
pub struct Cpu;

/// The machine's best kernel. Made anew where it is used: it holds no data, and is not `Send`.
fn gemm() -> GemmExecutor {
    GemmExecutor::default()
}

/// See [`multiply`](crate::kernels::multiply).
pub(super) fn multiply(out: &mut [f32], a: &[f32], b: &[f32], n_inner: usize) {
    let (n_rows, n_columns) = (a.len() / n_inner, b.len() / n_inner);
    gemm()
        .gemm(
            out,
            GemmInputA::Unpacked(NdTensorView::from_data([n_rows, n_inner], a)),
            GemmInputB::Unpacked(NdTensorView::from_data([n_inner, n_columns], b)),
            GemmOptions::default(),
        )
        .expect("the lengths agree");
}

/// Activations, [row, column], in a buffer that only grows.
#[derive(Default)]
pub struct Matrix {
    buffer: Vec<f32>,
    n_rows: usize,
    n_cols: usize,
}

impl Matrix {
    /// Takes a new shape; the values are whatever the buffer held.
    fn reshape(&mut self, n_rows: usize, n_cols: usize) {
        let n = n_rows * n_cols;
        if self.buffer.len() < n {
            // A fresh allocation of zero pages instead of a copy: the old values are not wanted.
            self.buffer = vec![0.0; n];
        }
        (self.n_rows, self.n_cols) = (n_rows, n_cols);
    }

    fn values(&self) -> &[f32] {
        &self.buffer[..self.n_rows * self.n_cols]
    }

    fn values_mut(&mut self) -> &mut [f32] {
        &mut self.buffer[..self.n_rows * self.n_cols]
    }

    fn row(&self, row: usize) -> &[f32] {
        &self.buffer[row * self.n_cols..(row + 1) * self.n_cols]
    }
}

/// An embedding table, [row, hidden].
pub struct Table {
    values: Vec<f32>,
    width: usize,
}

impl Table {
    fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..(row + 1) * self.width]
    }
}

/// Scale and shift of a layer norm, \[hidden\] each.
pub struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
}

impl LayerNorm {
    fn normalize_row(&self, row: &mut [f32]) {
        #[expect(clippy::cast_precision_loss, reason = "a width is far below 2^24")]
        let n = row.len() as f32;
        let mean = Sum::new(row).dispatch() / n;
        let variance = SumSquareSub::new(row, mean).dispatch() / n;
        let options = NormalizeOptions {
            pre_scale_bias: mean,
            scale: 1.0 / (variance + self.eps).sqrt(),
            element_scale: Some(&self.weight),
            element_bias: Some(&self.bias),
            ..NormalizeOptions::default()
        };
        Normalize::new_mut(row, options).dispatch();
    }
}

impl Backend for Cpu {
    type Matrix = Matrix;
    type Linear = linear::Linear;
    type LayerNorm = LayerNorm;
    type Table = Table;
    type Error = Infallible;

    fn table(&self, table: Parameter) -> Result<Table, LoadError> {
        let width = table.shape.last().copied().unwrap_or(0);
        Ok(Table {
            values: table.values,
            width,
        })
    }

    fn linear(
        &self,
        fetch: &mut Fetch<'_>,
        parts: &[LinearNames],
    ) -> Result<linear::Linear, LoadError> {
        linear::Linear::pack(fetch, parts)
    }

    fn layer_norm(
        &self,
        weight: Parameter,
        bias: Parameter,
        eps: f64,
    ) -> Result<LayerNorm, LoadError> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "computed in f32, as PyTorch does"
        )]
        let eps = eps as f32;
        Ok(LayerNorm {
            weight: weight.values,
            bias: bias.values,
            eps,
        })
    }

    fn embed(
        &self,
        words: Words<'_>,
        position_ids: &[u32],
        tables: &EmbeddingTables<Self>,
        out: &mut Matrix,
    ) -> Result<(), Infallible> {
        let hidden = tables.words.width;
        out.reshape(position_ids.len(), hidden);
        let token_type = tables.token_types.row(0);
        let rows = out.values_mut().chunks_exact_mut(hidden);
        for (token, (row, &position)) in rows.zip(position_ids).enumerate() {
            let word = match words {
                Words::Ids(ids) => tables.words.row(ids[token] as usize),
                Words::Rows(rows) => &rows[token * hidden..(token + 1) * hidden],
            };
            let position = tables.positions.row(position as usize);
            for (((x, w), p), t) in row.iter_mut().zip(word).zip(position).zip(token_type) {
                *x = w + t + p;
            }
        }
        Ok(())
    }

    fn rows(&self, table: &Table, ids: &[u32]) -> Result<Vec<f32>, Infallible> {
        let rows = ids.iter().flat_map(|&id| table.row(id as usize));
        Ok(rows.copied().collect())
    }

    fn apply(
        &self,
        x: &Matrix,
        linear: &linear::Linear,
        epilogue: &Epilogue<'_, Matrix>,
        n_columns: Option<usize>,
        out: &mut Matrix,
    ) -> Result<(), Infallible> {
        linear.apply(x, epilogue, n_columns, out);
        Ok(())
    }

    fn normalize(&self, x: &mut Matrix, norm: &LayerNorm) -> Result<(), Infallible> {
        let n_cols = x.n_cols;
        x.values_mut()
            .par_chunks_mut(NORM_ROWS * n_cols)
            .for_each(|rows| {
                for row in rows.chunks_exact_mut(n_cols) {
                    norm.normalize_row(row);
                }
            });
        Ok(())
    }

    fn norm_weight(&self, norm: &LayerNorm) -> Result<Vec<f32>, Infallible> {
        Ok(norm.weight.clone())
    }

    fn attend(
        &self,
        qkv: &Matrix,
        n_heads: usize,
        weights: &mut Matrix,
        context: Option<&mut Matrix>,
    ) -> Result<(), Infallible> {
        attention::attend(qkv, n_heads, weights, context);
        Ok(())
    }

    fn transformed_values(
        &self,
        qkv: &Matrix,
        n_heads: usize,
        output: &linear::Linear,
    ) -> Result<Vec<f32>, Infallible> {
        Ok(attention::transformed_values(qkv, n_heads, output))
    }

    fn gelu(&self, x: &Matrix, out: &mut Matrix) -> Result<(), Infallible> {
        out.reshape(x.n_rows, x.n_cols);
        out.values_mut()
            .par_chunks_mut(NORM_ROWS * x.n_cols)
            .zip(x.values().par_chunks(NORM_ROWS * x.n_cols))
            .for_each(|(out, x)| {
                out.copy_from_slice(x);
                (Gelu {}).map_mut(out);
            });
        Ok(())
    }

    fn copy(&self, x: &Matrix, out: &mut Matrix) -> Result<(), Infallible> {
        out.reshape(x.n_rows, x.n_cols);
        out.values_mut().copy_from_slice(x.values());
        Ok(())
    }

    fn apply_backward(
        &self,
        gradient: &Matrix,
        linear: &linear::Linear,
        residual: Option<&Matrix>,
        out: &mut Matrix,
    ) -> Result<(), Infallible> {
        linear.apply_backward(gradient, residual, out);
        Ok(())
    }

    fn normalize_backward(
        &self,
        x: &Matrix,
        norm: &LayerNorm,
        gradient: &mut Matrix,
    ) -> Result<(), Infallible> {
        backward::normalize(x, norm, gradient);
        Ok(())
    }

    fn gelu_backward(&self, x: &Matrix, gradient: &mut Matrix) -> Result<(), Infallible> {
        backward::gelu(x, gradient);
        Ok(())
    }

    fn attend_backward(
        &self,
        attention: AttentionPass<'_, Matrix>,
        context_gradient: &Matrix,
        weights_gradient: &mut Matrix,
        qkv_gradient: &mut Matrix,
    ) -> Result<(), Infallible> {
        backward::attend(&attention, context_gradient, weights_gradient, qkv_gradient);
        Ok(())
    }

    fn write(&self, values: &[f32], n_rows: usize, out: &mut Matrix) -> Result<(), Infallible> {
        out.reshape(n_rows, values.len() / n_rows);
        out.values_mut().copy_from_slice(values);
        Ok(())
    }

    fn read<'a>(&self, x: &'a Matrix) -> Result<Cow<'a, [f32]>, Infallible> {
        Ok(Cow::Borrowed(x.values()))
    }
}
