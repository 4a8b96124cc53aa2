//! Why a model's files are not found.

use std::io;
use std::path::PathBuf;

use super::missing::Missing;
use crate::quote::{quote, quote_path};

/// Why a model's files cannot be found without the hub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant's message says what it and its fields are"
)]
pub enum SourceError {
    #[error(
        "unknown model \"{}\": give a directory or a Hugging Face id, such as microsoft/codebert-base or owner/name@revision, or omit it for the embedded model",
        quote(text)
    )]
    Unknown { text: String },

    #[error(
        "invalid revision {revision:?} of {id}: give a branch, a tag or a commit, such as {id}@main"
    )]
    Revision { id: String, revision: String },

    #[error(
        "--base completes a directory or a file of weights, and {} is neither; omit --base, or give a path",
        quote(model)
    )]
    NoBase { model: String },

    #[error(
        "this codegaze was built without the embedded model: give a directory or a Hugging Face id with --model, or build with the feature `embedded`"
    )]
    NotEmbedded,

    #[error(
        "cannot download {model}: this codegaze was built without the feature `hub`; give a directory that contains the model's files"
    )]
    NoHub { model: String },

    #[error("model directory {} does not exist; check the path", quote_path(path))]
    NoDirectory { path: PathBuf },

    #[error(
        "cannot list model directory {}: {source}; check its permissions",
        quote_path(path)
    )]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("model directory {} has {missing}", quote_path(path))]
    Incomplete { path: PathBuf, missing: Missing },
}
