//! Where a model's files come from: the binary itself, a directory, or the Hugging Face hub.

mod directory;
mod embedded;
#[cfg(feature = "hub")]
pub mod hub;
mod layout;
mod options;

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::LoadError;
use super::file::ModelFile;

pub use embedded::EMBEDDED_MODEL;
pub use layout::Missing;
pub use options::{DownloadProgress, HubOptions, Token};

/// The bytes of one file: on disk, or part of the binary.
#[derive(Clone, Debug)]
pub enum Blob {
    Path(PathBuf),
    Embedded {
        name: &'static str,
        bytes: &'static [u8],
    },
}

impl Blob {
    /// The file's name, without its directory.
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Path(path) => path.file_name().unwrap_or_default().to_string_lossy(),
            Self::Embedded { name, .. } => Cow::Borrowed(name),
        }
    }

    /// The whole content of a file of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// When it is larger, cannot be read, or is no regular file.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, LoadError> {
        ModelFile::open(self)?.read_all("file of a model", limit)
    }
}

/// The tokenizer's files.
#[derive(Clone, Debug)]
pub enum TokenizerFiles {
    /// `tokenizer.json`
    Json(Blob),
    /// `vocab.json` and `merges.txt`, as CodeBERT has them.
    VocabMerges { vocab: Blob, merges: Blob },
}

/// The weights' files, by layout.
#[derive(Clone, Debug)]
pub enum WeightFiles {
    /// `model.safetensors`
    Safetensors(Blob),
    /// `model.safetensors.index.json` and the shards that it names, beside it.
    SafetensorsSharded { index: PathBuf },
    /// `pytorch_model.bin`: zip, or the non-zip format of torch before 1.6. Told apart by content.
    Torch(Blob),
    /// `pytorch_model.bin.index.json` and the shards that it names, beside it.
    TorchSharded { index: PathBuf },
}

/// A model's files, found but not yet read.
#[derive(Clone, Debug)]
pub struct ModelFiles {
    /// `codegaze-mini`, a directory's path as given, or a hub id without its revision.
    pub id: String,
    /// The commit of a hub model, else `None`.
    pub revision: Option<String>,
    pub config: Blob,
    pub tokenizer: TokenizerFiles,
    /// `tokenizer_config.json`
    pub tokenizer_config: Option<Blob>,
    pub weights: WeightFiles,
}

impl ModelFiles {
    /// The directory that holds the files; `None` for the embedded model.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match &self.config {
            Blob::Path(path) => path.parent(),
            Blob::Embedded { .. } => None,
        }
    }
}

/// A model as the user names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSource {
    /// The model inside the binary, [`EMBEDDED_MODEL`].
    #[default]
    Embedded,
    Directory(PathBuf),
    /// `owner/name`, with a branch, tag or commit; without one, `main`.
    Hub {
        id: String,
        revision: Option<String>,
    },
}

impl ModelSource {
    /// Finds the model's files. A hub model that is complete in the cache causes no network request; else its files are downloaded.
    ///
    /// # Errors
    ///
    /// [`LoadError::Source`] for the embedded model and directories, [`LoadError::Hub`] for hub models.
    pub fn resolve(
        &self,
        options: &HubOptions,
        progress: &dyn DownloadProgress,
    ) -> Result<ModelFiles, LoadError> {
        match self {
            Self::Embedded => Ok(embedded::files()?),
            Self::Directory(path) => Ok(directory::files(path)?),
            #[cfg(feature = "hub")]
            Self::Hub { id, revision } => {
                Ok(hub::resolve(id, revision.as_deref(), options, progress)?)
            }
            #[cfg(not(feature = "hub"))]
            Self::Hub { .. } => Err(no_hub(self, options, progress)),
        }
    }

    /// Like [`Self::resolve`], but asks the hub for the revision's current commit first, and so updates a model whose branch has moved.
    ///
    /// # Errors
    ///
    /// As [`Self::resolve`].
    pub fn download(
        &self,
        options: &HubOptions,
        progress: &dyn DownloadProgress,
    ) -> Result<ModelFiles, LoadError> {
        match self {
            #[cfg(feature = "hub")]
            Self::Hub { id, revision } => {
                Ok(hub::download(id, revision.as_deref(), options, progress)?)
            }
            _ => self.resolve(options, progress),
        }
    }
}

#[cfg(not(feature = "hub"))]
fn no_hub(source: &ModelSource, _: &HubOptions, _: &dyn DownloadProgress) -> LoadError {
    LoadError::Source(SourceError::NoHub {
        model: source.to_string(),
    })
}

impl fmt::Display for ModelSource {
    /// As [`ModelSource::from_str`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str(EMBEDDED_MODEL),
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Hub { id, revision: None } => f.write_str(id),
            Self::Hub {
                id,
                revision: Some(revision),
            } => write!(f, "{id}@{revision}"),
        }
    }
}

impl FromStr for ModelSource {
    type Err = SourceError;

    /// Nothing, `embedded` and the embedded model's name are the embedded model; what exists as a directory or is written like a path is a directory;
    /// `owner/name[@revision]` is a hub model.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        if matches!(text, "" | "embedded") || text == EMBEDDED_MODEL {
            return Ok(Self::Embedded);
        }
        let path = expand_home(text);
        if path.is_dir() {
            return Ok(Self::Directory(path));
        }
        if path.is_file() {
            return Err(SourceError::IsFile { path });
        }
        if looks_like_path(text) {
            return Ok(Self::Directory(path));
        }
        let (id, revision) = match text.split_once('@') {
            Some((id, revision)) => (id, Some(revision)),
            None => (text, None),
        };
        if !is_hub_id(id) {
            return Err(SourceError::Unknown {
                text: text.to_owned(),
            });
        }
        if let Some(revision) = revision.filter(|revision| !is_revision(revision)) {
            return Err(SourceError::Revision {
                id: id.to_owned(),
                revision: revision.to_owned(),
            });
        }
        Ok(Self::Hub {
            id: id.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }
}

fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

fn looks_like_path(text: &str) -> bool {
    let drive = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic)
        && matches!(text.as_bytes().get(1..3), Some(b":/" | b":\\"));
    drive || text.starts_with(['.', '/', '~', '\\']) || text.ends_with(['/', '\\'])
}

/// The hub's own rules for `owner/name`; `--` is what the cache's folder names put for `/`.
fn is_hub_id(id: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.len() <= 96
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            && !name.starts_with(['-', '.'])
            && !name.ends_with(['-', '.'])
            && !name.contains("--")
            && !name.contains("..")
    };
    id.split_once('/')
        .is_some_and(|(owner, name)| is_name(owner) && is_name(name))
}

/// A branch, tag, commit or `refs/pr/1`: what is safe as a part of a URL and of a path in the cache.
fn is_revision(revision: &str) -> bool {
    revision.len() <= 200
        && revision.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with(['-', '.'])
                && !part.ends_with('.')
                && !part.contains("..")
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
        })
}

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

#[cfg(test)]
mod tests;
