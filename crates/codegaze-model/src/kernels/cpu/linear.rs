//! Linear layers with weights packed once, in panels of columns.

use std::cell::Cell;
use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;
use rten_gemm::{GemmInputA, GemmInputB, GemmOptions, PackedBMatrix};
use rten_simd::SimdUnaryOp;
use rten_tensor::NdTensorView;
use rten_vecmath::Gelu;

use super::tiles::Tiles;
use super::{Epilogue, Fetch, LinearNames, Matrix, PANEL, ROW_BLOCK, gemm};
use crate::LoadError;

/// `x Wᵀ + b` with Wᵀ [in, out] packed for the machine's kernel.
pub struct Linear {
    /// Wᵀ [in, out]
    forward: Panels,
    /// W [out, in], for gradients; packed when the first one is computed.
    backward: OnceLock<Panels>,
    /// [out]
    bias: Vec<f32>,
    /// W [out, in] as read, kept where single heads' blocks of it are needed.
    raw: Vec<f32>,
}

/// The right factor of a product, [`n_in`, `n_out`].
struct Panels {
    list: Vec<Panel>,
    n_in: usize,
    n_out: usize,
}

struct Panel {
    columns: Range<usize>,
    weights: PackedBMatrix<f32>,
}

thread_local! {
    /// A tile's product before it is finished. Taken and put back, as a thread may start another tile while it waits.
    static TILE: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

impl Linear {
    /// Reads and packs one tensor after the other.
    pub(super) fn pack(fetch: &mut Fetch<'_>, parts: &[LinearNames]) -> Result<Self, LoadError> {
        let n_in = parts.first().map_or(0, |part| part.n_in);
        let n_out = parts.iter().map(|part| part.n_out).sum();
        let mut linear = Self {
            forward: Panels {
                list: Vec::new(),
                n_in,
                n_out,
            },
            backward: OnceLock::new(),
            bias: Vec::with_capacity(n_out),
            raw: Vec::new(),
        };
        for part in parts {
            let weight = fetch(&part.weight, &[part.n_out, part.n_in])?;
            let view = NdTensorView::from_data([part.n_out, part.n_in], &weight.values[..]);
            linear
                .forward
                .pack(linear.bias.len(), part.n_out, |columns| {
                    view.slice((columns, ..)).transposed()
                });
            linear.bias.extend(fetch(&part.bias, &[part.n_out])?.values);
            if parts.len() == 1 && part.n_in == part.n_out {
                // The attention output: norm-based attribution multiplies by one head's columns of it. 1/12 of a layer.
                linear.raw = weight.values;
            }
        }
        Ok(linear)
    }

    /// `W_O^h` transposed, [`head_size`, out]: the rows of Wᵀ that head `head` writes through.
    ///
    /// Only for square layers, whose weights are kept.
    pub(super) fn head_block(&self, head: usize, head_size: usize) -> NdTensorView<'_, f32, 2> {
        NdTensorView::from_data([self.n_out(), self.forward.n_in], &self.raw[..])
            .slice((.., head * head_size..(head + 1) * head_size))
            .transposed()
    }

    pub(super) fn n_out(&self) -> usize {
        self.forward.n_out
    }

    pub(super) fn apply(
        &self,
        x: &Matrix,
        epilogue: &Epilogue<'_, Matrix>,
        n_columns: Option<usize>,
        out: &mut Matrix,
    ) {
        let n_columns = n_columns.unwrap_or(self.n_out());
        self.forward
            .multiply(x, n_columns, out, |row, columns, values, target| {
                let bias = &self.bias[columns.clone()];
                match epilogue {
                    Epilogue::Bias => {
                        for ((t, v), b) in target.iter_mut().zip(&*values).zip(bias) {
                            *t = v + b;
                        }
                    }
                    Epilogue::BiasGelu => {
                        for (v, b) in values.iter_mut().zip(bias) {
                            *v += b;
                        }
                        (Gelu {}).map_mut(values);
                        target.copy_from_slice(values);
                    }
                    Epilogue::BiasAdd(residual) => {
                        let residual = &residual.row(row)[columns];
                        for (((t, v), b), r) in
                            target.iter_mut().zip(&*values).zip(bias).zip(residual)
                        {
                            *t = v + b + r;
                        }
                    }
                }
            });
    }

    /// See [`Backend::apply_backward`](crate::kernels::Backend::apply_backward).
    pub(super) fn apply_backward(
        &self,
        gradient: &Matrix,
        residual: Option<&Matrix>,
        out: &mut Matrix,
    ) {
        let panels = self.backward.get().unwrap_or_else(|| {
            // Outside of `get_or_init`: a thread that waits for a part of this work must not meet the lock in another task.
            let transposed = self.forward.transposed();
            self.backward.get_or_init(|| transposed)
        });
        panels.multiply(
            gradient,
            panels.n_out,
            out,
            |row, columns, values, target| match residual {
                Some(residual) => {
                    let residual = &residual.row(row)[columns];
                    for ((t, v), r) in target.iter_mut().zip(&*values).zip(residual) {
                        *t = v + r;
                    }
                }
                None => target.copy_from_slice(values),
            },
        );
    }
}

impl Panels {
    /// Appends `n_out` columns from `first_column` on. `view` gives the factor's columns of a range, [in, column], which starts at 0.
    fn pack<'a>(
        &mut self,
        first_column: usize,
        n_out: usize,
        view: impl Fn(Range<usize>) -> NdTensorView<'a, f32, 2>,
    ) {
        for start in (0..n_out).step_by(PANEL) {
            let end = (start + PANEL).min(n_out);
            self.list.push(Panel {
                columns: first_column + start..first_column + end,
                weights: gemm().prepack_b(view(start..end)),
            });
        }
    }

    /// The transposed factor. The packed weights are in the order of the machine's kernel, so they are read by products with rows of the
    /// identity, which are exact.
    fn transposed(&self) -> Self {
        let mut transposed = Self {
            list: Vec::new(),
            n_in: self.n_out,
            n_out: self.n_in,
        };
        let (mut identity, mut rows) = (Matrix::default(), Matrix::default());
        for start in (0..self.n_in).step_by(PANEL) {
            let n_rows = PANEL.min(self.n_in - start);
            identity.reshape(n_rows, self.n_in);
            identity.values_mut().fill(0.0);
            for row in 0..n_rows {
                identity.values_mut()[row * self.n_in + start + row] = 1.0;
            }
            self.multiply(&identity, self.n_out, &mut rows, |_, _, values, target| {
                target.copy_from_slice(values);
            });
            let view = NdTensorView::from_data([n_rows, self.n_out], rows.values());
            transposed.pack(start, n_rows, |columns| {
                view.slice((columns, ..)).transposed()
            });
        }
        transposed
    }

    /// The first `n_columns` columns of `x` times the factor, tile by tile. `finish` gets a row, columns, the product's values there, and
    /// the place in `out` that it fills.
    fn multiply(
        &self,
        x: &Matrix,
        n_columns: usize,
        out: &mut Matrix,
        finish: impl Fn(usize, Range<usize>, &mut [f32], &mut [f32]) + Sync,
    ) {
        let gemm = gemm();
        let n_rows = x.n_rows;
        out.reshape(n_rows, self.n_out);
        let input = NdTensorView::from_data([n_rows, self.n_in], x.values());
        let n_panels = self
            .list
            .partition_point(|panel| panel.columns.start < n_columns);
        let n_row_blocks = n_rows.div_ceil(ROW_BLOCK);
        let tiles = Tiles::new(out);
        (0..n_panels * n_row_blocks).into_par_iter().for_each(|i| {
            let (panel, row_block) = (&self.list[i / n_row_blocks], i % n_row_blocks);
            let rows = row_block * ROW_BLOCK..((row_block + 1) * ROW_BLOCK).min(n_rows);
            let columns = panel.columns.clone();
            let width = columns.len();
            let mut tile = TILE.take();
            tile.resize(ROW_BLOCK * PANEL, 0.0);
            let product = &mut tile[..rows.len() * width];
            gemm.gemm(
                product,
                GemmInputA::Unpacked(input.slice((rows.clone(), ..))),
                GemmInputB::Packed(&panel.weights),
                GemmOptions::default(),
            )
            .expect("shapes were fixed when the weights were packed by this executor");
            for (row, values) in rows.zip(product.chunks_exact_mut(width)) {
                // SAFETY: every (row block, panel) pair is one task: no two tasks write the same rectangle.
                #[allow(unsafe_code)]
                let target = unsafe { tiles.row(row, columns.start, width) };
                finish(row, columns.clone(), values, target);
            }
            TILE.set(tile);
        });
    }
}
