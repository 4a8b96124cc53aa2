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

    #[error(transparent)]
    Source(#[from] super::source::SourceError),

    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] super::source::hub::HubError),
}
