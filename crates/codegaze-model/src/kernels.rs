//! The operations that the encoder is written in, and what carries them out.
//!
//! The encoder is defined once, over [`Backend`]. Two backends exist: [`cpu`] (prepacked weights, fused epilogues, reused
//! buffers; the default) and [`candle`] (any device that candle has, and the reference for the first). Another precision
//! is another `Linear` of a backend: nothing above this module sees how weights are stored.

pub mod candle;
pub mod cpu;

use std::borrow::Cow;

use super::LoadError;

/// What is done to the product of a linear layer before it is stored.
pub enum Epilogue<'a, M> {
    /// `x Wᵀ + b`
    Bias,
    /// `gelu(x Wᵀ + b)` with the exact erf form (Hendrycks & Gimpel 2016), as `hidden_act: "gelu"` means it.
    BiasGelu,
    /// `x Wᵀ + b + residual`
    BiasAdd(&'a M),
}

/// One parameter tensor on its way into a backend: row-major values and their shape.
pub struct Parameter {
    /// Elements in row-major order.
    pub values: Vec<f32>,
    /// Lengths of the axes.
    pub shape: Vec<usize>,
}

/// Fetches the next parameter of a layer by its name; tensors are read one at a time so that no two copies of the
/// weights are alive.
pub type Fetch<'a> = dyn FnMut(&str, &[usize]) -> Result<Parameter, LoadError> + 'a;

/// The tables of `RobertaEmbeddings`, each [row, hidden].
pub struct EmbeddingTables<B: Backend + ?Sized> {
    /// One row for each id of the vocabulary.
    pub words: B::Table,
    /// One row for each position.
    pub positions: B::Table,
    /// One row for each token type; row 0 is used.
    pub token_types: B::Table,
    /// Normalizes the sum of the three.
    pub norm: B::LayerNorm,
}

/// The words of a text, before positions are added.
#[derive(Clone, Copy, Debug)]
pub enum Words<'a> {
    /// Rows of the word embeddings.
    Ids(&'a [u32]),
    /// Values in their place, row-major [token, hidden].
    Rows(&'a [f32]),
}

/// What [`Backend::attend`] read and computed.
pub struct AttentionPass<'a, M> {
    /// Queries, keys and values, [token, 3 · hidden].
    pub qkv: &'a M,
    /// Post-softmax weights, [head · query, key].
    pub weights: &'a M,
    /// Heads of the layer.
    pub n_heads: usize,
}

/// The encoder's arithmetic. An `out` is overwritten whole; its former shape and content do not matter, its memory is
/// reused.
pub trait Backend: Send + Sync {
    /// Activations, [row, column].
    type Matrix: Default + Send;
    /// The weight [out, in] and the bias \[out\] of a linear layer, as the backend stores them.
    type Linear: Send + Sync;
    /// The scale and the shift of a layer norm, \[hidden\] each.
    type LayerNorm: Send + Sync;
    /// A table of embeddings, [row, hidden].
    type Table: Send + Sync;
    /// Why the device failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Stores a table [row, hidden].
    ///
    /// # Errors
    /// When the device refuses the memory.
    fn table(&self, table: Parameter) -> Result<Self::Table, LoadError>;

    /// Stacks linear layers of equal input width into one: `parts` are (weight [out, in], bias \[out\]) names.
    ///
    /// # Errors
    /// What `fetch` returns, or when the device refuses the memory.
    fn linear(
        &self,
        fetch: &mut Fetch<'_>,
        parts: &[LinearNames],
    ) -> Result<Self::Linear, LoadError>;

    /// Stores a layer norm: `weight` and `bias` are \[hidden\], `eps` is added to the variance.
    ///
    /// # Errors
    /// When the device refuses the memory.
    fn layer_norm(
        &self,
        weight: Parameter,
        bias: Parameter,
        eps: f64,
    ) -> Result<Self::LayerNorm, LoadError>;

    /// `words + positions[position_ids] + token_types[0]` → [token, hidden], before the layer norm.
    ///
    /// # Errors
    /// When the device fails.
    fn embed(
        &self,
        words: Words<'_>,
        position_ids: &[u32],
        tables: &EmbeddingTables<Self>,
        out: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// The rows of a table, row-major [id, hidden], in host memory.
    ///
    /// # Errors
    /// When the device fails.
    fn rows(&self, table: &Self::Table, ids: &[u32]) -> Result<Vec<f32>, Self::Error>;

    /// `x` [token, in] → [token, out]. With `n_columns`, only the first so many output columns are needed; the others may
    /// be left undefined.
    ///
    /// # Errors
    /// When the device fails.
    fn apply(
        &self,
        x: &Self::Matrix,
        linear: &Self::Linear,
        epilogue: &Epilogue<'_, Self::Matrix>,
        n_columns: Option<usize>,
        out: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// Normalizes every row in place: `(x − mean) / sqrt(var + eps) · weight + bias`.
    ///
    /// # Errors
    /// When the device fails.
    fn normalize(&self, x: &mut Self::Matrix, norm: &Self::LayerNorm) -> Result<(), Self::Error>;

    /// The scale γ of a layer norm, \[hidden\], in host memory.
    ///
    /// # Errors
    /// When the device fails.
    fn norm_weight(&self, norm: &Self::LayerNorm) -> Result<Vec<f32>, Self::Error>;

    /// Scaled dot-product attention. `qkv` is [token, 3 · hidden]; `weights` becomes softmax(QKᵀ / √d) as
    /// [head · query, key], and `context`, when wanted, the weighted values [token, hidden].
    ///
    /// # Errors
    /// When the device fails.
    fn attend(
        &self,
        qkv: &Self::Matrix,
        n_heads: usize,
        weights: &mut Self::Matrix,
        context: Option<&mut Self::Matrix>,
    ) -> Result<(), Self::Error>;

    /// `f^h(x_j) = v_j^h W_O^h` of Kobayashi et al. 2020, §3.1: every key's value vector as head `h` writes it to the
    /// output, without the output bias → [head, key, hidden].
    ///
    /// # Errors
    /// When the device fails.
    fn transformed_values(
        &self,
        qkv: &Self::Matrix,
        n_heads: usize,
        output: &Self::Linear,
    ) -> Result<Vec<f32>, Self::Error>;

    /// `gelu(x)` in the exact erf form, as in [`Epilogue::BiasGelu`].
    ///
    /// # Errors
    /// When the device fails.
    fn gelu(&self, x: &Self::Matrix, out: &mut Self::Matrix) -> Result<(), Self::Error>;

    /// Copies `x` to `out`.
    ///
    /// # Errors
    /// When the device fails.
    fn copy(&self, x: &Self::Matrix, out: &mut Self::Matrix) -> Result<(), Self::Error>;

    /// The gradient with respect to the input of a linear layer: `gradient` [token, out] → `gradient W` [token, in], plus `residual`
    /// [token, in] if there is one.
    ///
    /// The first call may store the weights a second time, in the orientation that this product needs.
    ///
    /// # Errors
    /// When the device fails.
    fn apply_backward(
        &self,
        gradient: &Self::Matrix,
        linear: &Self::Linear,
        residual: Option<&Self::Matrix>,
        out: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// The gradient with respect to the input `x` of a layer norm, in place: with x̂ = (x − mean) / √(var + ε) and g = γ ⊙ `gradient`,
    /// it becomes `(g − mean(g) − x̂ · mean(g ⊙ x̂)) / √(var + ε)` in every row.
    ///
    /// # Errors
    /// When the device fails.
    fn normalize_backward(
        &self,
        x: &Self::Matrix,
        norm: &Self::LayerNorm,
        gradient: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// The gradient with respect to the input `x` of GELU, in place: `gradient ⊙ (Φ(x) + x φ(x))`, with the standard normal
    /// distribution's Φ and density φ.
    ///
    /// # Errors
    /// When the device fails.
    fn gelu_backward(
        &self,
        x: &Self::Matrix,
        gradient: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// The gradients of [`Self::attend`], from that with respect to the context, `context_gradient` [token, hidden].
    ///
    /// With `A = softmax(S)`, `S = QKᵀ / √d` and `C = AV` for each head: `∂A = ∂C Vᵀ`, `∂V = Aᵀ ∂C`,
    /// `∂S = A ⊙ (∂A − rowsum(∂A ⊙ A))`, `∂Q = ∂S K / √d`, `∂K = ∂Sᵀ Q / √d`. `weights_gradient` becomes ∂A [head · query, key] and `qkv_gradient` [token, 3 · hidden].
    ///
    /// # Errors
    /// When the device fails.
    fn attend_backward(
        &self,
        attention: AttentionPass<'_, Self::Matrix>,
        context_gradient: &Self::Matrix,
        weights_gradient: &mut Self::Matrix,
        qkv_gradient: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// Puts `values` [row, column], row-major, into `out`; they divide evenly into `n_rows`.
    ///
    /// # Errors
    /// When the device fails.
    fn write(
        &self,
        values: &[f32],
        n_rows: usize,
        out: &mut Self::Matrix,
    ) -> Result<(), Self::Error>;

    /// The matrix's values, row-major, in host memory.
    ///
    /// # Errors
    /// When the device fails.
    fn read<'a>(&self, x: &'a Self::Matrix) -> Result<Cow<'a, [f32]>, Self::Error>;
}

/// The tensor names of one linear layer, and its widths.
pub struct LinearNames {
    /// The weight's name; its shape is [`n_out`, `n_in`].
    pub weight: String,
    /// The bias's name; its shape is \[`n_out`\].
    pub bias: String,
    /// Columns of the input.
    pub n_in: usize,
    /// Columns of the output.
    pub n_out: usize,
}

impl LinearNames {
    /// `prefix.weight` [`n_out`, `n_in`] and `prefix.bias` \[`n_out`\].
    #[must_use]
    pub fn new(prefix: &str, n_in: usize, n_out: usize) -> Self {
        Self {
            weight: format!("{prefix}.weight"),
            bias: format!("{prefix}.bias"),
            n_in,
            n_out,
        }
    }
}

/// `a b` for row-major `a` [row, inner] and `b` [inner, column], into `out` [row, column], on the calling thread.
///
/// # Panics
/// When the lengths contradict each other.
pub fn multiply(out: &mut [f32], a: &[f32], b: &[f32], n_inner: usize) {
    cpu::multiply(out, a, b, n_inner);
}
