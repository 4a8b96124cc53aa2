//! A model: tokenizer, encoder and what is known about it. The only place with candle, tokenizers, hf-hub and compute kernels.

pub mod kernels;
pub mod roberta;
pub mod source;
pub mod tokenizer;
pub mod weights;

mod error;
mod file;

pub use error::LoadError;

/// The arithmetic of the linear layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Precision {
    #[default]
    F32,
}

impl Precision {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
        }
    }
}

/// What is known about a loaded model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// `codegaze-mini`, a directory's path as given, or a hub id without its revision.
    pub id: String,
    /// The commit of a hub model.
    pub revision: Option<String>,
    pub n_layers: usize,
    /// Heads of every layer.
    pub n_heads: usize,
    pub hidden_size: usize,
    /// Subwords that fit one pass, special ones included: 512 for CodeBERT.
    pub max_tokens: usize,
    pub precision: Precision,
    /// Tells models apart, whatever they are called: a hash of configuration, tokenizer and a sample of every tensor.
    pub fingerprint: u64,
}
