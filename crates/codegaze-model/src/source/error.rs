//! Why a model's files are not found.

use std::io;
use std::path::PathBuf;

use super::layout::Missing;

/// Why a model's files cannot be found without the hub.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    #[error(
        "unknown model {text:?}: give a directory or a Hugging Face id, such as microsoft/codebert-base or owner/name@revision, or omit it for the embedded model"
    )]
    Unknown { text: String },

    #[error(
        "invalid revision {revision:?} of {id}: give a branch, a tag or a commit, such as {id}@main"
    )]
    Revision { id: String, revision: String },

    #[error("{} is a file: give the directory that contains it and the model's other files", path.display())]
    IsFile { path: PathBuf },

    #[error(
        "this codegaze was built without the embedded model: give a directory or a Hugging Face id with --model, or build with the feature `embedded`"
    )]
    NotEmbedded,

    #[error(
        "cannot download {model}: this codegaze was built without the feature `hub`; give a directory that contains the model's files"
    )]
    NoHub { model: String },

    #[error("model directory {} does not exist", path.display())]
    NoDirectory { path: PathBuf },

    #[error("cannot list model directory {}: {source}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("model directory {} has {missing}", path.display())]
    Incomplete { path: PathBuf, missing: Missing },
}
