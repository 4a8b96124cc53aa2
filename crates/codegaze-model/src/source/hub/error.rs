//! What can go wrong between here and the hub.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::quote::{quote_list, quote_text};
use crate::source::missing::Missing;

/// Why a hub model's files cannot be had. No message holds the token, nor the query of a signed URL.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "each variant's message says what it and its fields are"
)]
pub enum HubError {
    #[error(
        "the cache {} does not have all files of {model}: it has {missing}; offline mode is on (HF_HUB_OFFLINE), so turn it off and run `codegaze models download {model}`, or give a directory", cache.display()
    )]
    Offline {
        model: String,
        cache: PathBuf,
        missing: String,
    },

    #[error(
        "{endpoint} requires a token for {model} (401): the model is private, gated or does not exist; check the name, then set HF_TOKEN to a token that can read it"
    )]
    NoToken { endpoint: String, model: String },

    #[error(
        "{model} is gated: accept its conditions on {endpoint}/{model}, then set HF_TOKEN to a token of that account"
    )]
    Gated { endpoint: String, model: String },

    #[error(
        "{endpoint} does not accept the token for {model} (401): check HF_TOKEN, or the token file below HF_HOME"
    )]
    BadToken { endpoint: String, model: String },

    #[error(
        "{endpoint} refuses access to {model} (403): accept the model's conditions on its page, and set HF_TOKEN to a token that can read it"
    )]
    Forbidden { endpoint: String, model: String },

    #[error(
        "{endpoint} has no model {model} (404): check the spelling of owner/name; the model may have been renamed or removed, so search for it on {endpoint}"
    )]
    NoModel { endpoint: String, model: String },

    #[error(
        "{id} has no revision {revision:?} (404): give a branch, tag or commit that {endpoint}/{id} lists"
    )]
    NoRevision {
        endpoint: String,
        id: String,
        revision: String,
    },

    #[error(
        "{url} does not exist (404), although the model lists it: try again later, or give another revision"
    )]
    NoFile { url: String },

    #[error("{model} has {missing}; its files are {has}")]
    Incomplete {
        model: String,
        missing: Missing,
        has: String,
    },

    #[error("cannot use the index {}: {}; get it from the model's author again", quote_text(&path.display().to_string()), quote_text(cause))]
    Index { path: PathBuf, cause: String },

    #[error(
        "{url} responded with HTTP status {status}: try again later, and the download continues"
    )]
    Status { url: String, status: u16 },

    #[error(
        "cannot reach {host}: {cause}; check the network, HF_ENDPOINT and HTTPS_PROXY, or give a directory that contains the model"
    )]
    Unreachable { host: String, cause: String },

    #[error("{url} sent nothing for {} s: try again, and the download continues", after.as_secs_f32())]
    Stalled { url: String, after: Duration },

    #[error(
        "the transfer of {url} was interrupted: {cause}; try again, and the download continues"
    )]
    Interrupted { url: String, cause: String },

    #[error(
        "{url} has {found} bytes, but the hub announced {expected}: try again later; the download was removed"
    )]
    Size {
        url: String,
        expected: u64,
        found: u64,
    },

    #[error(
        "{url} does not have the announced content (SHA-256 {expected}, found {found}): try again later; the download was removed"
    )]
    Content {
        url: String,
        expected: String,
        found: String,
    },

    #[error("{url} did not respond like the hub: {cause}; check HF_ENDPOINT")]
    Protocol { url: String, cause: String },

    #[error("the disk is full: cannot write {}; free some space, or set HF_HOME to a directory on another disk", path.display())]
    DiskFull { path: PathBuf },

    #[error("cannot write to the cache {}: {source}; set HF_HOME to a writable directory", path.display())]
    Cache {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("another process has locked {} for {} s without progress: end that process, then try again", path.display(), after.as_secs())]
    Locked { path: PathBuf, after: Duration },

    #[error("the download was cancelled; the next download continues it")]
    Cancelled,
}

impl HubError {
    /// Whether the same request may succeed in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Stalled { .. } | Self::Interrupted { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }

    pub(super) fn cache(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { path: path.into() }
            }
            _ => Self::Cache {
                path: path.into(),
                source,
            },
        }
    }
}

/// The first of many names in their order, for a message.
pub(super) fn excerpt(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut names = names.to_vec();
    names.sort_unstable();
    quote_list(&names)
}
