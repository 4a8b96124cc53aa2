//! The candle backend: any device that candle has. On the CPU it is the reference for [`super::cpu`].

use std::borrow::Cow;

use candle_core::{D, Device, Tensor};
use candle_nn::ops::{layer_norm, softmax_last_dim};

use super::{
    AttentionPass, Backend, EmbeddingTables, Epilogue, Fetch, LinearNames, Parameter, Words,
};
use crate::LoadError;

/// Runs on one candle device.
pub struct Candle {
    device: Device,
}

/// Activations, [row, column]; `None` before the first use.
#[derive(Default)]
pub struct Matrix(Option<Tensor>);

impl Matrix {
    fn get(&self) -> &Tensor {
        self.0
            .as_ref()
            .expect("the encoder writes a matrix before it reads it")
    }
}

/// Wᵀ [in, out] and b \[out\].
pub struct Linear {
    weight: Tensor,
    bias: Tensor,
}

/// Scale and shift, \[hidden\] each.
pub struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
    eps: f32,
}

impl LayerNorm {
    fn apply(&self, x: &Tensor) -> candle_core::Result<Tensor> {
        layer_norm(x, &self.weight, &self.bias, self.eps)
    }
}

impl Candle {
    /// A backend that computes on `device`.
    #[must_use]
    pub fn new(device: Device) -> Self {
        Self { device }
    }

    fn select(&self, table: &Tensor, ids: &[u32]) -> candle_core::Result<Tensor> {
        table.index_select(&Tensor::new(ids, &self.device)?, 0)
    }

    fn tensor(&self, parameter: Parameter) -> Result<Tensor, LoadError> {
        Tensor::from_vec(parameter.values, parameter.shape, &self.device).map_err(device_error)
    }
}

fn device_error(error: candle_core::Error) -> LoadError {
    LoadError::Device {
        source: Box::new(error),
    }
}

impl Backend for Candle {
    type Matrix = Matrix;
    type Linear = Linear;
    type LayerNorm = LayerNorm;
    type Table = Tensor;
    type Error = candle_core::Error;

    fn table(&self, table: Parameter) -> Result<Tensor, LoadError> {
        self.tensor(table)
    }

    fn linear(&self, fetch: &mut Fetch<'_>, parts: &[LinearNames]) -> Result<Linear, LoadError> {
        let (mut weights, mut biases) = (Vec::new(), Vec::new());
        for part in parts {
            weights.push(self.tensor(fetch(&part.weight, &[part.n_out, part.n_in])?)?);
            biases.push(self.tensor(fetch(&part.bias, &[part.n_out])?)?);
        }
        let weight = Tensor::cat(&weights, 0)
            .and_then(|weight| weight.t()?.contiguous())
            .map_err(device_error)?;
        let bias = Tensor::cat(&biases, 0).map_err(device_error)?;
        Ok(Linear { weight, bias })
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
            weight: self.tensor(weight)?,
            bias: self.tensor(bias)?,
            eps,
        })
    }

    fn embed(
        &self,
        words: Words<'_>,
        position_ids: &[u32],
        tables: &EmbeddingTables<Self>,
        out: &mut Matrix,
    ) -> candle_core::Result<()> {
        let words = match words {
            Words::Ids(ids) => self.select(&tables.words, ids)?,
            Words::Rows(rows) => {
                let n = position_ids.len();
                Tensor::from_slice(rows, (n, rows.len() / n), &self.device)?
            }
        };
        let x = (words + self.select(&tables.positions, position_ids)?)?
            .broadcast_add(&tables.token_types.get(0)?)?;
        out.0 = Some(x);
        Ok(())
    }

    fn rows(&self, table: &Tensor, ids: &[u32]) -> candle_core::Result<Vec<f32>> {
        self.select(table, ids)?.flatten_all()?.to_vec1()
    }

    fn apply(
        &self,
        x: &Matrix,
        linear: &Linear,
        epilogue: &Epilogue<'_, Matrix>,
        _n_columns: Option<usize>,
        out: &mut Matrix,
    ) -> candle_core::Result<()> {
        let y = x
            .get()
            .matmul(&linear.weight)?
            .broadcast_add(&linear.bias)?;
        out.0 = Some(match epilogue {
            Epilogue::Bias => y,
            Epilogue::BiasGelu => y.gelu_erf()?,
            Epilogue::BiasAdd(residual) => (y + residual.get())?,
        });
        Ok(())
    }

    fn normalize(&self, x: &mut Matrix, norm: &LayerNorm) -> candle_core::Result<()> {
        x.0 = Some(norm.apply(x.get())?);
        Ok(())
    }

    fn norm_weight(&self, norm: &LayerNorm) -> candle_core::Result<Vec<f32>> {
        norm.weight.to_vec1()
    }

    fn attend(
        &self,
        qkv: &Matrix,
        n_heads: usize,
        weights: &mut Matrix,
        context: Option<&mut Matrix>,
    ) -> candle_core::Result<()> {
        let qkv = qkv.get();
        let (n, width) = qkv.dims2()?;
        let (hidden, head_size) = (width / 3, width / 3 / n_heads);
        let [queries, keys, values] = [0, 1, 2].map(|part| split_heads(qkv, part, n_heads));
        let scores =
            (queries?.matmul(&keys?.transpose(D::Minus1, D::Minus2)?)? * scale(head_size))?;
        let softmaxed = softmax_last_dim(&scores)?;
        if let Some(context) = context {
            let mixed = softmaxed.matmul(&values?)?;
            context.0 = Some(mixed.transpose(0, 1)?.reshape((n, hidden))?);
        }
        weights.0 = Some(softmaxed.reshape((n_heads * n, n))?);
        Ok(())
    }

    fn transformed_values(
        &self,
        qkv: &Matrix,
        n_heads: usize,
        output: &Linear,
    ) -> candle_core::Result<Vec<f32>> {
        let values = split_heads(qkv.get(), 2, n_heads)?;
        let (_, _, head_size) = values.dims3()?;
        let blocks = output
            .weight
            .reshape((n_heads, head_size, output.bias.dims1()?))?;
        values.matmul(&blocks)?.flatten_all()?.to_vec1()
    }

    fn gelu(&self, x: &Matrix, out: &mut Matrix) -> candle_core::Result<()> {
        out.0 = Some(x.get().gelu_erf()?);
        Ok(())
    }

    fn copy(&self, x: &Matrix, out: &mut Matrix) -> candle_core::Result<()> {
        out.0 = Some(x.get().clone());
        Ok(())
    }

    fn apply_backward(
        &self,
        gradient: &Matrix,
        linear: &Linear,
        residual: Option<&Matrix>,
        out: &mut Matrix,
    ) -> candle_core::Result<()> {
        let product = gradient.get().matmul(&linear.weight.t()?)?;
        out.0 = Some(match residual {
            Some(residual) => (product + residual.get())?,
            None => product,
        });
        Ok(())
    }

    fn normalize_backward(
        &self,
        x: &Matrix,
        norm: &LayerNorm,
        gradient: &mut Matrix,
    ) -> candle_core::Result<()> {
        let x = x.get();
        let centered = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
        let deviation = (centered.sqr()?.mean_keepdim(D::Minus1)? + f64::from(norm.eps))?.sqrt()?;
        let normalized = centered.broadcast_div(&deviation)?;
        let scaled = gradient.get().broadcast_mul(&norm.weight)?;
        let along = (&scaled * &normalized)?.mean_keepdim(D::Minus1)?;
        let out = scaled
            .broadcast_sub(&scaled.mean_keepdim(D::Minus1)?)?
            .sub(&normalized.broadcast_mul(&along)?)?
            .broadcast_div(&deviation)?;
        gradient.0 = Some(out);
        Ok(())
    }

    fn gelu_backward(&self, x: &Matrix, gradient: &mut Matrix) -> candle_core::Result<()> {
        use std::f64::consts::{FRAC_1_SQRT_2, PI};
        let x = x.get();
        let distribution = (((x * FRAC_1_SQRT_2)?.erf()? + 1.0)? * 0.5)?;
        let density = ((x.sqr()? * -0.5)?.exp()? * (1.0 / (2.0 * PI).sqrt()))?;
        let slope = (distribution + (x * density)?)?;
        gradient.0 = Some((gradient.get() * slope)?);
        Ok(())
    }

    fn attend_backward(
        &self,
        attention: AttentionPass<'_, Matrix>,
        context_gradient: &Matrix,
        weights_gradient: &mut Matrix,
        qkv_gradient: &mut Matrix,
    ) -> candle_core::Result<()> {
        let AttentionPass {
            qkv,
            weights,
            n_heads,
        } = attention;
        let (n, hidden) = context_gradient.get().dims2()?;
        let [queries, keys, values] = [0, 1, 2].map(|part| split_heads(qkv.get(), part, n_heads));
        let (queries, keys, values) = (queries?, keys?, values?);
        let weights = weights.get().reshape((n_heads, n, n))?;
        let context = context_gradient
            .get()
            .reshape((n, n_heads, hidden / n_heads))?
            .transpose(0, 1)?
            .contiguous()?;
        let of_weights = context.matmul(&values.transpose(1, 2)?)?;
        let of_values = weights.transpose(1, 2)?.matmul(&context)?;
        let row_sums = (&of_weights * &weights)?.sum_keepdim(D::Minus1)?;
        let of_scores =
            ((&weights * of_weights.broadcast_sub(&row_sums)?)? * scale(hidden / n_heads))?;
        let of_queries = of_scores.matmul(&keys)?;
        let of_keys = of_scores.transpose(1, 2)?.matmul(&queries)?;
        let parts = [of_queries, of_keys, of_values]
            .into_iter()
            .map(|part| part.transpose(0, 1)?.reshape((n, hidden)))
            .collect::<candle_core::Result<Vec<_>>>()?;
        weights_gradient.0 = Some(of_weights.reshape((n_heads * n, n))?);
        qkv_gradient.0 = Some(Tensor::cat(&parts, 1)?);
        Ok(())
    }

    fn write(&self, values: &[f32], n_rows: usize, out: &mut Matrix) -> candle_core::Result<()> {
        let shape = (n_rows, values.len() / n_rows);
        out.0 = Some(Tensor::from_slice(values, shape, &self.device)?);
        Ok(())
    }

    fn read<'a>(&self, x: &'a Matrix) -> candle_core::Result<Cow<'a, [f32]>> {
        Ok(Cow::Owned(x.get().flatten_all()?.to_vec1()?))
    }
}

/// What the products of queries and keys are multiplied by.
#[expect(
    clippy::cast_precision_loss,
    reason = "a head's width is far below 2^24"
)]
fn scale(head_size: usize) -> f64 {
    1.0 / (head_size as f64).sqrt()
}

/// Queries (0), keys (1) or values (2) of `qkv` [token, 3 · hidden] → [head, token, `head_size`].
fn split_heads(qkv: &Tensor, part: usize, n_heads: usize) -> candle_core::Result<Tensor> {
    let (n, width) = qkv.dims2()?;
    let hidden = width / 3;
    qkv.narrow(1, part * hidden, hidden)?
        .reshape((n, n_heads, hidden / n_heads))?
        .transpose(0, 1)?
        .contiguous()
}
