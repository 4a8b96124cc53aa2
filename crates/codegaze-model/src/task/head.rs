//! A task head's weights, its logits, and the gradient of one answer.
//!
//! With the hidden state h of one position, and the parameters' names as in transformers:
//!
//! ```text
//! masked                y = LN(gelu(h W_denseᵀ + b))          logits = y Eᵀ + b, E the decoder or the word embeddings
//! sequence, pair        y = tanh(h W_denseᵀ + b)              logits = y W_out_projᵀ + b
//! token                                                       logits = h Wᵀ + b
//! ```

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use rayon::prelude::*;

use super::{Activation, HeadLayout, TaskKind, TaskLayout};
use crate::roberta::ForwardError;
use crate::weights::Weights;
use crate::{LoadError, Model, kernels};

/// Rows of a vocabulary that one task multiplies: a copy of them is all that a tied decoder needs.
const BLOCK: usize = 1024;

/// Why a task head gives no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The head cannot be found or read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The pass was cancelled, or the device failed.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// A logit is NaN or infinite.
    #[error(
        "the task head's output is not finite (NaN or infinite); the model's weights are damaged or overflow, try another checkpoint"
    )]
    NotFinite,
    /// Hidden states, a position or a class that the head does not have.
    #[error("{what} {found} does not suit the task head: {expected}")]
    Shape {
        /// What does not suit.
        what: &'static str,
        /// Its value.
        found: usize,
        /// What is possible.
        expected: String,
    },
}

/// Which number of an answer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// The logit itself.
    Logit,
    /// The logarithm of the probability, to base e. Of a regression, the logit.
    LogProbability,
}

/// One number that a head computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The row that the head reads; 0, `<s>`, for a classifier of texts.
    pub position: usize,
    /// The label, or the id of a subword.
    pub class: usize,
    /// Which number of it.
    pub quantity: Quantity,
}

/// The logits of some positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Logits {
    /// Length of the axis `class`: labels, or subwords of the vocabulary.
    pub n_classes: usize,
    /// [position, class]
    pub values: Vec<f32>,
    activation: Activation,
}

impl Logits {
    /// Logarithms of the probabilities to base e, \[class\], of the position at `index`. Of a regression, the values.
    ///
    /// # Panics
    /// When there is no such position.
    #[must_use]
    pub fn log_probabilities(&self, index: usize) -> Vec<f64> {
        let row = &self.values[index * self.n_classes..(index + 1) * self.n_classes];
        match self.activation {
            Activation::Identity => row.iter().map(|x| f64::from(*x)).collect(),
            Activation::Sigmoid => row.iter().map(|x| log_sigmoid(f64::from(*x))).collect(),
            Activation::Softmax => {
                let most = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
                let sum: f64 = row.iter().map(|x| (f64::from(*x) - most).exp()).sum();
                let total = most + sum.ln();
                row.iter().map(|x| f64::from(*x) - total).collect()
            }
        }
    }
}

/// A head's weights.
pub struct TaskHead {
    layout: TaskLayout,
    hidden_size: usize,
    parameters: Parameters,
}

enum Parameters {
    Masked {
        dense: Linear,
        norm: Norm,
        /// [subword, hidden]; `None` stands for the word embeddings.
        decoder: Option<Vec<f32>>,
        bias: Vec<f32>,
    },
    Classifier {
        dense: Linear,
        out: Linear,
    },
    Token(Linear),
}

struct Linear {
    /// [out, in]
    weight: Vec<f32>,
    bias: Vec<f32>,
}

struct Norm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    epsilon: f64,
}

impl TaskHead {
    pub(super) fn read(
        weights: &Weights,
        layout: TaskLayout,
        hidden_size: usize,
        vocab_size: usize,
        epsilon: f64,
    ) -> Result<Self, LoadError> {
        let module = &layout.module;
        let read =
            |name: &str, shape: &[usize]| weights.read_f32(&format!("{module}.{name}"), shape);
        let linear = |name: &str, n_out: usize, n_in: usize| {
            Ok::<_, LoadError>(Linear {
                weight: read(&format!("{name}weight"), &[n_out, n_in])?,
                bias: read(&format!("{name}bias"), &[n_out])?,
            })
        };
        let n_labels = layout.labels.len();
        let parameters = match layout.kind {
            TaskKind::Masked => Parameters::Masked {
                dense: linear("dense.", hidden_size, hidden_size)?,
                norm: Norm {
                    weight: read("layer_norm.weight", &[hidden_size])?,
                    bias: read("layer_norm.bias", &[hidden_size])?,
                    epsilon,
                },
                decoder: match layout.layout {
                    HeadLayout::Untied => Some(read("decoder.weight", &[vocab_size, hidden_size])?),
                    _ => None,
                },
                // A decoder of its own adds its own bias.
                bias: match (
                    layout.layout,
                    weights.shape(&format!("{module}.decoder.bias")),
                ) {
                    (HeadLayout::Untied, Some(_)) => read("decoder.bias", &[vocab_size])?,
                    _ if weights.shape(&format!("{module}.bias")).is_some() => {
                        read("bias", &[vocab_size])?
                    }
                    _ => read("decoder.bias", &[vocab_size])?,
                },
            },
            TaskKind::Sequence => Parameters::Classifier {
                dense: linear("dense.", hidden_size, hidden_size)?,
                out: linear("out_proj.", n_labels, hidden_size)?,
            },
            TaskKind::Pair => Parameters::Classifier {
                dense: linear("dense.", hidden_size, 2 * hidden_size)?,
                out: linear("out_proj.", n_labels, hidden_size)?,
            },
            TaskKind::Token => Parameters::Token(linear("", n_labels, hidden_size)?),
        };
        Ok(Self {
            layout,
            hidden_size,
            parameters,
        })
    }

    /// What the head answers, and its labels.
    #[must_use]
    pub fn layout(&self) -> &TaskLayout {
        &self.layout
    }

    /// Columns of a row that the head reads: twice the width of a hidden state for a pair of texts, whose `<s>` vectors are concatenated.
    #[must_use]
    pub fn width(&self) -> usize {
        match self.layout.kind {
            TaskKind::Pair => 2 * self.hidden_size,
            _ => self.hidden_size,
        }
    }

    /// Bytes of the head's weights. A tied decoder is the encoder's, and not counted.
    #[must_use]
    pub fn n_bytes(&self) -> usize {
        let linear = |layer: &Linear| layer.weight.len() + layer.bias.len();
        let n_values = match &self.parameters {
            Parameters::Masked {
                dense,
                norm,
                decoder,
                bias,
            } => {
                let decoder = decoder.as_ref().map_or(0, Vec::len);
                linear(dense) + 2 * norm.weight.len() + decoder + bias.len()
            }
            Parameters::Classifier { dense, out } => linear(dense) + linear(out),
            Parameters::Token(layer) => linear(layer),
        };
        n_values * size_of::<f32>()
    }

    /// The logits at `positions` of `rows` [token, [`width`](Self::width)]: the last hidden state, or one row for a pair of texts.
    ///
    /// `model` is the model that the head belongs to.
    ///
    /// # Errors
    /// When a position is not in `rows`, when a logit is not finite, or when the device fails.
    pub fn logits(
        &self,
        model: &Model,
        rows: &[f32],
        positions: &[usize],
    ) -> Result<Logits, TaskError> {
        let width = self.width();
        let mut x = Vec::with_capacity(positions.len() * width);
        for &position in positions {
            x.extend_from_slice(self.row(rows, position)?);
        }
        let n = positions.len();
        let (values, n_classes) = match &self.parameters {
            Parameters::Token(layer) => (layer.apply(&x, n), layer.bias.len()),
            Parameters::Classifier { dense, out } => {
                let mut y = dense.apply(&x, n);
                for value in &mut y {
                    *value = value.tanh();
                }
                (out.apply(&y, n), out.bias.len())
            }
            Parameters::Masked {
                dense, norm, bias, ..
            } => {
                let mut y = dense.apply(&x, n);
                for row in y.chunks_exact_mut(width) {
                    let z: Vec<f64> = row.iter().map(|z| gelu(f64::from(*z))).collect();
                    for (value, y) in row.iter_mut().zip(norm.apply(&z)) {
                        *value = narrow(y);
                    }
                }
                (self.decode(model, &y, n, bias)?, bias.len())
            }
        };
        if values.iter().all(|value| value.is_finite()) {
            Ok(Logits {
                n_classes,
                values,
                activation: self.layout.activation,
            })
        } else {
            Err(TaskError::NotFinite)
        }
    }

    /// One answer and its gradient with respect to `rows` [token, [`width`](Self::width)].
    ///
    /// # Errors
    /// As [`Self::logits`], and when there is no such class.
    pub fn gradient(
        &self,
        model: &Model,
        rows: &[f32],
        answer: Answer,
    ) -> Result<(f64, Vec<f32>), TaskError> {
        let logits = self.logits(model, rows, &[answer.position])?;
        if answer.class >= logits.n_classes {
            return Err(TaskError::Shape {
                what: "class",
                found: answer.class,
                expected: format!("it has {}", logits.n_classes),
            });
        }
        let log_probabilities = logits.log_probabilities(0);
        let chosen = f64::from(logits.values[answer.class]);
        // ∂answer/∂logits: one class, less the probabilities of all.
        let mut slopes = vec![0.0; logits.n_classes];
        slopes[answer.class] = 1.0;
        let value = match answer.quantity {
            Quantity::Logit => chosen,
            Quantity::LogProbability => {
                match self.layout.activation {
                    Activation::Identity => {}
                    Activation::Sigmoid => slopes[answer.class] = 1.0 / (1.0 + chosen.exp()),
                    Activation::Softmax => {
                        for (slope, log) in slopes.iter_mut().zip(&log_probabilities) {
                            *slope -= log.exp();
                        }
                    }
                }
                log_probabilities[answer.class]
            }
        };
        let width = self.width();
        let x = self.row(rows, answer.position)?;
        let inner = match &self.parameters {
            Parameters::Token(layer) => layer.backward(&slopes, width),
            Parameters::Classifier { dense, out } => {
                let mut g = out.backward(&slopes, self.hidden_size);
                for (g, z) in g.iter_mut().zip(dense.apply(x, 1)) {
                    let y = f64::from(z).tanh();
                    *g *= 1.0 - y * y;
                }
                dense.backward(&g, width)
            }
            Parameters::Masked { dense, norm, .. } => {
                let z: Vec<f64> = dense.apply(x, 1).into_iter().map(f64::from).collect();
                let activated: Vec<f64> = z.iter().map(|z| gelu(*z)).collect();
                let mut g = norm.backward(&activated, &self.decode_backward(model, &slopes)?);
                for (g, z) in g.iter_mut().zip(&z) {
                    *g *= gelu_slope(*z);
                }
                dense.backward(&g, width)
            }
        };
        let mut gradient = vec![0.0; rows.len()];
        let target = &mut gradient[answer.position * width..(answer.position + 1) * width];
        for (target, g) in target.iter_mut().zip(inner) {
            *target = narrow(g);
        }
        Ok((value, gradient))
    }

    fn row<'r>(&self, rows: &'r [f32], position: usize) -> Result<&'r [f32], TaskError> {
        let width = self.width();
        let n_rows = rows.len() / width;
        if !rows.len().is_multiple_of(width) {
            return Err(TaskError::Shape {
                what: "the number of values",
                found: rows.len(),
                expected: format!("it reads rows of {width}"),
            });
        }
        if position >= n_rows {
            return Err(TaskError::Shape {
                what: "position",
                found: position,
                expected: format!("the pass has {n_rows}"),
            });
        }
        Ok(&rows[position * width..(position + 1) * width])
    }

    /// `y Eᵀ + b` for `y` [position, hidden] → [position, subword].
    fn decode(
        &self,
        model: &Model,
        y: &[f32],
        n: usize,
        bias: &[f32],
    ) -> Result<Vec<f32>, TaskError> {
        let transposed = transpose(y, n, self.hidden_size);
        let n_classes = bias.len();
        let blocks = (0..n_classes.div_ceil(BLOCK)).into_par_iter().map(|block| {
            let ids = block * BLOCK..((block + 1) * BLOCK).min(n_classes);
            let mut product = vec![0.0; ids.len() * n];
            self.with_decoder_rows(model, ids, |rows| {
                kernels::multiply(&mut product, rows, &transposed, self.hidden_size);
            })?;
            Ok::<_, TaskError>(product)
        });
        // [subword, position], block by block.
        let product = blocks.collect::<Result<Vec<_>, _>>()?.concat();
        let mut values = transpose(&product, n_classes, n);
        for row in values.chunks_exact_mut(n_classes) {
            for (value, bias) in row.iter_mut().zip(bias) {
                *value += bias;
            }
        }
        Ok(values)
    }

    /// `slopes E` for `slopes` \[subword\] → \[hidden\].
    fn decode_backward(&self, model: &Model, slopes: &[f64]) -> Result<Vec<f64>, TaskError> {
        let mut gradient = vec![0.0; self.hidden_size];
        for start in (0..slopes.len()).step_by(BLOCK) {
            let ids = start..(start + BLOCK).min(slopes.len());
            let part = &slopes[ids.clone()];
            if part.iter().all(|slope| *slope == 0.0) {
                continue;
            }
            self.with_decoder_rows(model, ids, |rows| {
                add_product(&mut gradient, part, rows);
            })?;
        }
        Ok(gradient)
    }

    /// Gives the decoder's rows for a range of ids, [id, hidden].
    fn with_decoder_rows(
        &self,
        model: &Model,
        ids: std::ops::Range<usize>,
        mut take: impl FnMut(&[f32]),
    ) -> Result<(), TaskError> {
        if let Parameters::Masked {
            decoder: Some(rows),
            ..
        } = &self.parameters
        {
            take(&rows[ids.start * self.hidden_size..ids.end * self.hidden_size]);
        } else {
            let ids: Vec<u32> = ids.filter_map(|id| u32::try_from(id).ok()).collect();
            take(&model.word_embeddings(&ids)?);
        }
        Ok(())
    }
}

impl Linear {
    /// `x Wᵀ + b` for `x` [row, in] → [row, out].
    fn apply(&self, x: &[f32], n_rows: usize) -> Vec<f32> {
        let n_out = self.bias.len();
        if n_rows == 0 {
            return Vec::new();
        }
        let n_in = x.len() / n_rows;
        let mut product = vec![0.0; n_out * n_rows];
        kernels::multiply(
            &mut product,
            &self.weight,
            &transpose(x, n_rows, n_in),
            n_in,
        );
        let mut y = transpose(&product, n_out, n_rows);
        for row in y.chunks_exact_mut(n_out) {
            for (y, bias) in row.iter_mut().zip(&self.bias) {
                *y += bias;
            }
        }
        y
    }

    /// `gradient W` for `gradient` \[out\] → \[in\].
    fn backward(&self, gradient: &[f64], n_in: usize) -> Vec<f64> {
        let mut result = vec![0.0; n_in];
        add_product(&mut result, gradient, &self.weight);
        result
    }
}

impl Norm {
    /// (x̂, 1 / √(var + ε))
    fn normalize(&self, x: &[f64]) -> (Vec<f64>, f64) {
        let n = count(x);
        let mean = x.iter().sum::<f64>() / n;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let inverse = 1.0 / (variance + self.epsilon).sqrt();
        (x.iter().map(|x| (x - mean) * inverse).collect(), inverse)
    }

    fn apply(&self, x: &[f64]) -> Vec<f64> {
        let (normal, _) = self.normalize(x);
        let parameters = self.weight.iter().zip(&self.bias);
        normal
            .iter()
            .zip(parameters)
            .map(|(x, (weight, bias))| x * f64::from(*weight) + f64::from(*bias))
            .collect()
    }

    /// See [`Backend::normalize_backward`](crate::kernels::Backend::normalize_backward).
    fn backward(&self, x: &[f64], gradient: &[f64]) -> Vec<f64> {
        let (normal, inverse) = self.normalize(x);
        let n = count(x);
        let g: Vec<f64> = gradient
            .iter()
            .zip(&self.weight)
            .map(|(g, weight)| g * f64::from(*weight))
            .collect();
        let mean = g.iter().sum::<f64>() / n;
        let slope = g.iter().zip(&normal).map(|(g, x)| g * x).sum::<f64>() / n;
        g.iter()
            .zip(&normal)
            .map(|(g, x)| (g - mean - x * slope) * inverse)
            .collect()
    }
}

/// `sums += factors rows` for `factors` \[row\] and `rows` [row, column].
fn add_product(sums: &mut [f64], factors: &[f64], rows: &[f32]) {
    for (factor, row) in factors.iter().zip(rows.chunks_exact(sums.len())) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += factor * f64::from(*x);
        }
    }
}

/// [row, column] → [column, row]
fn transpose(x: &[f32], n_rows: usize, n_columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    for row in 0..n_rows {
        for column in 0..n_columns {
            out[column * n_rows + row] = x[row * n_columns + column];
        }
    }
    out
}

/// `gelu(x)` in the exact erf form: x Φ(x).
fn gelu(x: f64) -> f64 {
    x * normal(x)
}

/// Φ(x) + x φ(x)
fn gelu_slope(x: f64) -> f64 {
    normal(x) + x * (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// Φ, the standard normal distribution.
fn normal(x: f64) -> f64 {
    0.5 * (1.0 + candle_core::cpu::erf::erf_f64(x * FRAC_1_SQRT_2))
}

/// ln σ(x), without overflow.
fn log_sigmoid(x: f64) -> f64 {
    x.min(0.0) - (-x.abs()).exp().ln_1p()
}

#[expect(clippy::cast_precision_loss, reason = "the width of a hidden state")]
fn count(x: &[f64]) -> f64 {
    x.len() as f64
}

#[expect(clippy::cast_possible_truncation, reason = "hidden states are f32")]
fn narrow(x: f64) -> f32 {
    x as f32
}
