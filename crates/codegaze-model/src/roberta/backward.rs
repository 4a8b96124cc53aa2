//! Gradients of a number that is computed from a hidden state, with respect to what the encoder read and where it looked.
//!
//! Only gradients of activations are computed, none of weights. A layer keeps nothing of the forward pass but its input: its other
//! activations are computed again, so the memory is that of one layer, whatever the number of layers. In the notation of
//! [`Backend`]'s methods, which state the single derivatives, layer l is
//!
//! ```text
//! qkv = h W_qkvᵀ + b          A, c = attend(qkv)
//! u = c W_Oᵀ + b + h          a = LN₁(u)
//! z = a W₁ᵀ + b               v = gelu(z) W₂ᵀ + b + a          h′ = LN₂(v)
//! ```
//!
//! and backward
//!
//! ```text
//! ∂v = LN₂′(v) ∂h′            ∂z = gelu′(z) ⊙ (∂v W₂)          ∂a = ∂z W₁ + ∂v
//! ∂u = LN₁′(u) ∂a             ∂c = ∂u W_O                      ∂A, ∂qkv = attend′(qkv, A) ∂c
//! ∂h = ∂qkv W_qkv + ∂u
//! ```
//!
//! `tests/fixtures/generate.py` has the same gradients from PyTorch's autograd.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ForwardError, RobertaEncoder, RobertaLayer, Start, check_shape, device};
use crate::kernels::{AttentionPass, Backend, Epilogue, Words};

/// A pass whose gradients are wanted.
#[derive(Clone, Copy, Debug)]
pub struct BackwardPass<'a> {
    /// The subwords of the pass, special ones included.
    pub ids: &'a [u32],
    /// The word embeddings [token, hidden] that the pass read, if they are not those of `ids`.
    pub word_embeddings: Option<&'a [f32]>,
    /// Hidden states 0 … k − 1 of the pass: what its first k layers read, each [token, hidden].
    pub inputs: &'a [Vec<f32>],
    /// ∂target/∂(hidden state k), [token, hidden].
    pub gradient: &'a [f32],
}

/// One layer's gradient, alive only while a sink looks at it.
#[derive(Clone, Copy, Debug)]
pub struct LayerGradient<'a> {
    /// The layer, from 0.
    pub layer_idx: usize,
    /// Length of the axis `head`.
    pub n_heads: usize,
    /// Length of the axes `query` and `key`: subwords of the pass, special ones included.
    pub n_tokens: usize,
    /// Post-softmax weights A, [head, query, key].
    pub weights: &'a [f32],
    /// ∂target/∂A, [head, query, key].
    pub gradient: &'a [f32],
}

/// Takes gradients as they are computed.
pub trait GradientSink {
    /// Called once for every layer, descending. `Break` ends the pass.
    fn attention(&mut self, gradient: LayerGradient<'_>) -> ControlFlow<()> {
        let _ = gradient;
        ControlFlow::Continue(())
    }

    /// Called at the end with ∂target/∂(word embeddings), [token, hidden]. As the three embeddings are added, it is also the gradient
    /// with respect to their sum.
    fn word_embeddings(&mut self, gradient: &[f32]) {
        let _ = gradient;
    }
}

/// One layer's activations, computed again, and their gradients.
struct Activations<B: Backend> {
    /// h
    input: B::Matrix,
    qkv: B::Matrix,
    /// A
    weights: B::Matrix,
    /// c
    context: B::Matrix,
    /// u
    attention_sum: B::Matrix,
    /// a
    attended: B::Matrix,
    /// z
    before_gelu: B::Matrix,
    intermediate: B::Matrix,
    /// v
    output_sum: B::Matrix,
    /// ∂h′, and ∂h at the end of a layer
    gradient: B::Matrix,
    /// ∂a and ∂u
    attended_gradient: B::Matrix,
    /// ∂z
    intermediate_gradient: B::Matrix,
    /// ∂c
    context_gradient: B::Matrix,
    /// ∂A
    weights_gradient: B::Matrix,
    /// ∂qkv
    qkv_gradient: B::Matrix,
}

impl<B: Backend> Default for Activations<B> {
    fn default() -> Self {
        Self {
            input: B::Matrix::default(),
            qkv: B::Matrix::default(),
            weights: B::Matrix::default(),
            context: B::Matrix::default(),
            attention_sum: B::Matrix::default(),
            attended: B::Matrix::default(),
            before_gelu: B::Matrix::default(),
            intermediate: B::Matrix::default(),
            output_sum: B::Matrix::default(),
            gradient: B::Matrix::default(),
            attended_gradient: B::Matrix::default(),
            intermediate_gradient: B::Matrix::default(),
            context_gradient: B::Matrix::default(),
            weights_gradient: B::Matrix::default(),
            qkv_gradient: B::Matrix::default(),
        }
    }
}

impl<B: Backend> RobertaEncoder<B> {
    /// See [`Encoder::backward`](super::Encoder::backward).
    pub(super) fn run_backward(
        &self,
        pass: &BackwardPass<'_>,
        sink: &mut dyn GradientSink,
        cancel: &AtomicBool,
    ) -> Result<(), ForwardError> {
        self.check_backward(pass)?;
        let n_tokens = pass.ids.len();
        if n_tokens == 0 {
            return Ok(());
        }
        let backend = &self.backend;
        let mut activations = Activations::<B>::default();
        backend
            .write(pass.gradient, n_tokens, &mut activations.gradient)
            .map_err(device)?;
        let layers = self.layers.iter().zip(pass.inputs).enumerate().rev();
        for (layer_idx, (layer, input)) in layers {
            if cancel.load(Ordering::Relaxed) {
                return Err(ForwardError::Cancelled);
            }
            let n_heads = self.config.num_attention_heads;
            backend
                .write(input, n_tokens, &mut activations.input)
                .and_then(|()| layer.recompute(backend, n_heads, &mut activations))
                .and_then(|()| layer.backward(backend, n_heads, &mut activations))
                .map_err(device)?;
            let weights = backend.read(&activations.weights).map_err(device)?;
            let gradient = backend
                .read(&activations.weights_gradient)
                .map_err(device)?;
            let flow = sink.attention(LayerGradient {
                layer_idx,
                n_heads,
                n_tokens,
                weights: &weights,
                gradient: &gradient,
            });
            if flow.is_break() {
                return Ok(());
            }
        }
        let words = pass
            .word_embeddings
            .map_or(Words::Ids(pass.ids), Words::Rows);
        let positions = self.config.position_ids(pass.ids);
        let sum = &mut activations.input;
        backend
            .embed(words, &positions, &self.embeddings, sum)
            .and_then(|()| {
                backend.normalize_backward(sum, &self.embeddings.norm, &mut activations.gradient)
            })
            .map_err(device)?;
        let gradient = backend.read(&activations.gradient).map_err(device)?;
        sink.word_embeddings(&gradient);
        Ok(())
    }

    fn check_backward(&self, pass: &BackwardPass<'_>) -> Result<(), ForwardError> {
        self.check(
            pass.ids,
            pass.word_embeddings
                .map_or(Start::Embeddings, Start::WordEmbeddings),
        )?;
        let expected = pass.ids.len() * self.config.hidden_size;
        check_shape("the gradient", pass.gradient.len(), expected)?;
        for input in pass.inputs {
            check_shape("a layer's input", input.len(), expected)?;
        }
        let (n_inputs, n_layers) = (pass.inputs.len(), self.layers.len());
        check_shape("layers with inputs", n_inputs, n_inputs.min(n_layers))
    }
}

impl<B: Backend> RobertaLayer<B> {
    /// From the layer's input to the sum before its last layer norm.
    fn recompute(
        &self,
        backend: &B,
        n_heads: usize,
        x: &mut Activations<B>,
    ) -> Result<(), B::Error> {
        backend.apply(&x.input, &self.qkv, &Epilogue::Bias, None, &mut x.qkv)?;
        backend.attend(&x.qkv, n_heads, &mut x.weights, Some(&mut x.context))?;
        backend.apply(
            &x.context,
            &self.attention_output,
            &Epilogue::BiasAdd(&x.input),
            None,
            &mut x.attention_sum,
        )?;
        backend.copy(&x.attention_sum, &mut x.attended)?;
        backend.normalize(&mut x.attended, &self.attention_norm)?;
        backend.apply(
            &x.attended,
            &self.intermediate,
            &Epilogue::Bias,
            None,
            &mut x.before_gelu,
        )?;
        backend.gelu(&x.before_gelu, &mut x.intermediate)?;
        backend.apply(
            &x.intermediate,
            &self.output,
            &Epilogue::BiasAdd(&x.attended),
            None,
            &mut x.output_sum,
        )
    }

    /// From the gradient of the layer's output to that of its input, in place, and to that of its attention.
    fn backward(
        &self,
        backend: &B,
        n_heads: usize,
        x: &mut Activations<B>,
    ) -> Result<(), B::Error> {
        backend.normalize_backward(&x.output_sum, &self.output_norm, &mut x.gradient)?;
        backend.apply_backward(
            &x.gradient,
            &self.output,
            None,
            &mut x.intermediate_gradient,
        )?;
        backend.gelu_backward(&x.before_gelu, &mut x.intermediate_gradient)?;
        backend.apply_backward(
            &x.intermediate_gradient,
            &self.intermediate,
            Some(&x.gradient),
            &mut x.attended_gradient,
        )?;
        backend.normalize_backward(
            &x.attention_sum,
            &self.attention_norm,
            &mut x.attended_gradient,
        )?;
        backend.apply_backward(
            &x.attended_gradient,
            &self.attention_output,
            None,
            &mut x.context_gradient,
        )?;
        let attention = AttentionPass {
            qkv: &x.qkv,
            weights: &x.weights,
            n_heads,
        };
        backend.attend_backward(
            attention,
            &x.context_gradient,
            &mut x.weights_gradient,
            &mut x.qkv_gradient,
        )?;
        backend.apply_backward(
            &x.qkv_gradient,
            &self.qkv,
            Some(&x.attended_gradient),
            &mut x.gradient,
        )
    }
}
