//! Why a model cannot be loaded: one variant for each way in which a file can be bad.
//!
//! Fields hold what the files contain, as it is. Messages show it through [`quote`], so that no file can send control characters to
//! a terminal or fill it.

use std::path::PathBuf;

use crate::quote::{quote, quote_list, quote_path, quote_text};

/// An error of loading a model. Every message names the thing, the cause and the next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant's message says what it and its fields are"
)]
pub enum LoadError {
    #[error("cannot read {}: {source}", quote_path(path))]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },

    #[error(
        "{} is not a model configuration: {}; use config.json from the model's repository",
        quote_text(file),
        quote_text(cause)
    )]
    ConfigJson { file: String, cause: String },
    #[error(
        "{} describes a model of type \"{}\"; codegaze supports \"roberta\" (CodeBERT, GraphCodeBERT, UniXcoder, CodeBERTa, roberta-base), so choose one of these",
        quote_text(file),
        quote(found)
    )]
    ModelType { file: String, found: String },
    #[error("cannot use {}: {}", quote_text(file), quote_text(cause))]
    Config { file: String, cause: String },

    #[error(
        "this codegaze was built without {feature}; build it with --features {feature}, or use --device cpu"
    )]
    NotCompiledIn { feature: &'static str },

    #[error(
        "the window is {window} subwords; at least {least} are needed, and without a window the model's own is used"
    )]
    Window { window: usize, least: usize },

    #[error(
        "the model's tokenizer has no {token}, which the mode {mode} puts before a text; use the mode plain, or a model such as microsoft/unixcoder-base"
    )]
    Mode {
        token: &'static str,
        mode: super::Mode,
    },

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

    #[error("{} is {found}, not {expected}; {hint}", quote_text(file))]
    WrongContent {
        file: String,
        found: String,
        expected: &'static str,
        hint: &'static str,
    },

    #[error(
        "{} is truncated: it needs {needed} bytes and has {len}; download it again",
        quote_text(file)
    )]
    Truncated { file: String, needed: u64, len: u64 },

    #[error(
        "{} is damaged or not a safetensors file: it claims a header of {claimed} bytes and has only {len} bytes; download it again",
        quote_text(file)
    )]
    HeaderTooLong {
        file: String,
        claimed: u64,
        len: u64,
    },

    #[error(
        "{} is too large for {expected}: it has {len} bytes, and the limit is {limit}; use the file from the model's repository",
        quote_text(file)
    )]
    TooLarge {
        file: String,
        expected: &'static str,
        len: u64,
        limit: u64,
    },

    #[error(
        "{} cannot be read as {format}: {}; download or convert it again",
        quote_text(file),
        quote_text(cause)
    )]
    Malformed {
        file: String,
        format: &'static str,
        cause: String,
    },

    #[error(
        "{} is big-endian; save it again on a little-endian machine, or as safetensors",
        quote_text(file)
    )]
    BigEndian { file: String },

    #[error(
        "the pickle in {} names {}, which a plain state dict does not contain (nothing was executed); save only the model's state_dict(), or convert it to safetensors",
        quote_text(file),
        quote(name)
    )]
    ForbiddenGlobal { file: String, name: String },

    #[error(
        "the pickle in {} has the opcode {opcode:#04x} at byte {offset}, which torch.save does not write; convert the file to safetensors",
        quote_text(file)
    )]
    PickleOpcode {
        file: String,
        opcode: u8,
        offset: u64,
    },

    #[error(
        "{} names the shard \"{}\", which is not a file name in the same directory; get the index from the model's author again",
        quote_text(index),
        quote(shard)
    )]
    ShardPath { index: String, shard: String },

    #[error(
        "{} names the shard {}, which is missing; download it too",
        quote_text(index),
        quote(shard)
    )]
    MissingShard { index: String, shard: String },

    #[error(
        "tensor {} is missing from {}, which has {}; use a model with a RoBERTa-family encoder",
        quote(name),
        quote_text(file),
        quote_text(found)
    )]
    MissingTensor {
        name: String,
        file: String,
        /// What is there instead: the number of tensors and the nearest name.
        found: String,
    },

    #[error(
        "tensor {} of {} has the shape {found:?}, but config.json implies {expected:?}; use the config.json that belongs to these weights",
        quote(name),
        quote_text(file)
    )]
    Shape {
        name: String,
        file: String,
        found: Vec<usize>,
        expected: Vec<usize>,
    },

    #[error(
        "tensor {} of {} has the unsupported dtype {}; convert it to f32, f16, bf16 or f64",
        quote(name),
        quote_text(file),
        quote(dtype)
    )]
    Dtype {
        name: String,
        file: String,
        dtype: String,
    },

    #[error(
        "tensor {} of {} contains NaN or infinite values; the file is damaged or the training diverged, so use another copy",
        quote(name),
        quote_text(file)
    )]
    NotFinite { name: String, file: String },

    #[error(
        "tensor {} of {} reaches outside its storage: {}; download or convert the file again",
        quote(name),
        quote_text(file),
        quote_text(cause)
    )]
    TensorBounds {
        name: String,
        file: String,
        cause: String,
    },

    #[error(
        "{} contains several trained encoders, with the prefixes {}; save the state dict again with only one of them",
        quote_text(file),
        quote_list(prefixes)
    )]
    AmbiguousPrefix { file: String, prefixes: Vec<String> },

    #[error(
        "{} has no encoder with the prefix \"{}\"; it has encoders with the prefixes \"{}\"",
        quote_text(file),
        quote(wanted),
        quote_list(found)
    )]
    EncoderPrefix {
        file: String,
        wanted: String,
        found: Vec<String>,
    },

    #[error("{}", no_task_head(file, *wanted, found))]
    NoTaskHead {
        file: String,
        wanted: Option<&'static str>,
        /// The heads of other kinds.
        found: Vec<String>,
    },

    #[error(
        "{} has several task heads: {}; choose one with --task",
        quote_text(file),
        quote_list(found)
    )]
    AmbiguousTask { file: String, found: Vec<String> },

    #[error(
        "the task head {} of {} has {n_outputs} outputs, but config.json has {n_labels} labels; use the config.json that belongs to these weights",
        quote(module),
        quote_text(file)
    )]
    TaskLabels {
        module: String,
        file: String,
        n_outputs: usize,
        n_labels: usize,
    },

    #[error(
        "{} describes {}, which is not supported; codegaze supports byte-level BPE, which RoBERTa and CodeBERT use, so choose a model with such a tokenizer",
        quote_text(file),
        quote_text(found)
    )]
    UnsupportedTokenizer { file: String, found: String },

    #[error(
        "{} lacks the subword \"{}\", which every sequence needs; use the vocabulary of this model",
        quote_text(file),
        quote(name)
    )]
    MissingSpecial { file: String, name: String },
}

fn no_task_head(file: &str, wanted: Option<&str>, found: &[String]) -> String {
    let file = quote_text(file);
    match (wanted, found) {
        (Some(wanted), []) => format!(
            "{file} has an encoder and no task head of the kind {wanted}; use a checkpoint that was saved with its head"
        ),
        (Some(wanted), found) => format!(
            "{file} has no task head of the kind {wanted}; it has {}, so choose one of these with --task",
            quote_list(found)
        ),
        (None, _) => format!(
            "{file} has an encoder and no task head that codegaze knows, so it predicts nothing; use a checkpoint with lm_head or classifier, such as the embedded model"
        ),
    }
}
