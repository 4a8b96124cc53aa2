//! Where a model's files come from: the binary itself, a directory, or the Hugging Face hub.

mod directory;
mod embedded;
pub(crate) mod error;
pub(crate) mod files;
mod folder;
#[cfg(feature = "hub")]
pub mod hub;
mod layout;
mod missing;
mod names;
mod options;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::LoadError;

pub use super::file::Blob;
pub use embedded::EMBEDDED_MODEL;
pub use error::SourceError;
pub use files::{ModelFiles, TokenizerFiles, TokenizerSettings, WeightFiles};
pub use missing::{Missing, Part};
use names::{expand_home, is_hub_id, is_revision, looks_like_path};
pub use options::{DownloadProgress, HubOptions, Token};

/// A model as the user names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSource {
    /// The model inside the binary, [`EMBEDDED_MODEL`].
    #[default]
    Embedded,
    /// A directory that holds a model, or a file of weights in such a directory.
    Directory(PathBuf),
    /// A directory or a file with weights; what is missing beside them comes from another model.
    OnBase {
        /// The directory or the file.
        path: PathBuf,
        /// The other model.
        base: Box<ModelSource>,
    },
    /// `owner/name`, with a branch, tag or commit; without one, `main`.
    Hub {
        /// `owner/name`
        id: String,
        /// A branch, tag or commit.
        revision: Option<String>,
    },
}

impl ModelSource {
    /// Finds the model's files. A hub model that is complete in the cache causes no network request; otherwise its files are
    /// downloaded.
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
            Self::Directory(path) => directory::files(path),
            Self::OnBase { path, base } => {
                directory::files_on_base(path, base.resolve(options, progress)?)
            }
            #[cfg(feature = "hub")]
            Self::Hub { id, revision } => hub::resolve(id, revision.as_deref(), options, progress),
            #[cfg(not(feature = "hub"))]
            Self::Hub { .. } => Err(no_hub(self, options, progress)),
        }
    }

    /// Takes what is missing beside the weights of a directory or file from `base`.
    ///
    /// # Errors
    ///
    /// When this is not a directory or a file.
    pub fn on_base(self, base: Self) -> Result<Self, SourceError> {
        match self {
            Self::Directory(path) => Ok(Self::OnBase {
                path,
                base: Box::new(base),
            }),
            other => Err(SourceError::NoBase {
                model: other.to_string(),
            }),
        }
    }

    /// Like [`Self::resolve`], but requests the revision's current commit from the hub first, which updates a model whose branch has
    /// moved.
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
            Self::Hub { id, revision } => hub::download(id, revision.as_deref(), options, progress),
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
            Self::Directory(path) | Self::OnBase { path, .. } => write!(f, "{}", path.display()),
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

    /// An empty text, `embedded` and the embedded model's name are the embedded model. A path is a directory or a file of weights,
    /// whether it exists or not. `owner/name[@revision]` is a hub model.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        if matches!(text, "" | "embedded") || text == EMBEDDED_MODEL {
            return Ok(Self::Embedded);
        }
        let path = expand_home(text);
        if path.exists() {
            return Ok(Self::Directory(path));
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

#[cfg(test)]
mod tests;
