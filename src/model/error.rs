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
        "{file} is not a model configuration: {source}; take config.json from the model's repository"
    )]
    ConfigJson {
        file: String,
        #[source]
        source: serde_json::Error,
    },
    #[error(
        "{file} describes a model of type {found:?}; supported is \"roberta\" (CodeBERT, GraphCodeBERT, UniXcoder, CodeBERTa, roberta-base)"
    )]
    ModelType { file: String, found: String },
    #[error("{file} cannot be used: {cause}")]
    Config { file: String, cause: String },

    #[error("the device cannot hold the model: {source}; try --device cpu")]
    Device {
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },

    #[error(transparent)]
    Source(#[from] super::source::SourceError),

    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] super::source::hub::HubError),
}
