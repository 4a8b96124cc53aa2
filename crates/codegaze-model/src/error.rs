//! Why a model cannot be loaded: one variant for each way in which a file can be bad.

use std::path::PathBuf;

/// An error of loading a model. Every message names the thing, the cause and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    #[error("cannot read {}: {source}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },

    #[error(
        "{file} is not a model configuration: {source}; use config.json from the model's repository"
    )]
    ConfigJson {
        file: String,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "{file} describes a model of type {found:?}; codegaze supports \"roberta\" (CodeBERT, GraphCodeBERT, UniXcoder, CodeBERTa, roberta-base)"
    )]
    ModelType { file: String, found: String },
    #[error("cannot use {file}: {cause}")]
    Config { file: String, cause: String },

    #[error(
        "this codegaze was built without {feature}; build it with --features {feature}, or use --device cpu"
    )]
    NotCompiledIn { feature: &'static str },

    #[error("cannot load the model onto the device: {source}; try --device cpu")]
    Device {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    #[error(transparent)]
    Source(#[from] super::source::error::SourceError),

    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] super::source::hub::error::HubError),

    #[error("{file} is {found}, not {expected}; {hint}")]
    WrongContent {
        file: String,
        found: String,
        expected: &'static str,
        hint: &'static str,
    },

    #[error("{file} is truncated: it needs {needed} bytes and has {len}; download it again")]
    Truncated { file: String, needed: u64, len: u64 },

    #[error(
        "{file} is damaged or not a safetensors file: it claims a header of {claimed} bytes and has only {len} bytes; download it again"
    )]
    HeaderTooLong {
        file: String,
        claimed: u64,
        len: u64,
    },

    #[error("{file} is too large for {expected}: it has {len} bytes, and the limit is {limit}")]
    TooLarge {
        file: String,
        expected: &'static str,
        len: u64,
        limit: u64,
    },

    #[error("{file} cannot be read as {format}: {cause}; download or convert it again")]
    Malformed {
        file: String,
        format: &'static str,
        cause: String,
    },

    #[error("{file} is big-endian; save it again on a little-endian machine, or as safetensors")]
    BigEndian { file: String },

    #[error(
        "the pickle in {file} names {name}, which a plain state dict does not contain (nothing was executed); save only the model's state_dict(), or convert it to safetensors"
    )]
    ForbiddenGlobal { file: String, name: String },

    #[error(
        "the pickle in {file} has the opcode {opcode:#04x} at byte {offset}, which torch.save does not write; convert the file to safetensors"
    )]
    PickleOpcode {
        file: String,
        opcode: u8,
        offset: u64,
    },

    #[error(
        "{index} names the shard {shard:?}, which is not a file name in the same directory; get the index from the model's author again"
    )]
    ShardPath { index: String, shard: String },

    #[error("{index} names the shard {shard}, which is missing; download it too")]
    MissingShard { index: String, shard: String },

    #[error(
        "tensor {name} is missing from {file}, which has {found}; use a model with a RoBERTa-family encoder"
    )]
    MissingTensor {
        name: String,
        file: String,
        /// What is there instead: the number of tensors and the nearest name.
        found: String,
    },

    #[error(
        "tensor {name} of {file} has the shape {found:?}, but config.json implies {expected:?}; use the config.json that belongs to these weights"
    )]
    Shape {
        name: String,
        file: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },

    #[error(
        "tensor {name} of {file} has the unsupported dtype {dtype}; convert it to f32, f16, bf16 or f64"
    )]
    Dtype {
        name: String,
        file: String,
        dtype: String,
    },

    #[error(
        "tensor {name} of {file} contains NaN or infinite values; the file is damaged or the training diverged, so use another copy"
    )]
    NotFinite { name: String, file: String },

    #[error(
        "tensor {name} of {file} reaches outside its storage: {cause}; download or convert the file again"
    )]
    TensorBounds {
        name: String,
        file: String,
        cause: String,
    },

    #[error(
        "{file} contains several encoders, with the prefixes {}; keep one of them", prefixes.join(", ")
    )]
    AmbiguousPrefix { file: String, prefixes: Vec<String> },

    #[error(
        "{file} describes {found}, which is not supported; codegaze supports byte-level BPE, which RoBERTa and CodeBERT use"
    )]
    UnsupportedTokenizer { file: String, found: String },

    #[error(
        "{file} lacks the subword {name:?}, which every sequence needs; use the vocabulary of this model"
    )]
    MissingSpecial { file: String, name: String },
}
