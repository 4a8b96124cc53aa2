//! How to reach the hub and where its cache is: resolved once from the environment, then passed along.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::names::expand_home;

/// Where the hub is unless `HF_ENDPOINT` says otherwise.
const ENDPOINT: &str = "https://huggingface.co";

/// Settings of the Hugging Face hub, in the words of its own clients.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// The cache of the hub's clients: folders `models--owner--name`.
    pub cache: PathBuf,
    /// Scheme, host and port, without a slash at the end.
    pub endpoint: String,
    /// Sent to the endpoint only.
    pub token: Option<Token>,
    /// Use the cache alone.
    pub offline: bool,
    /// Use `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment.
    pub proxy_from_env: bool,
    /// How long a name lookup and a connection may take.
    pub connect_timeout: Duration,
    /// How long an answer, or its next byte, may take.
    pub stall_timeout: Duration,
    /// Further attempts after a failed one; new bytes of a file start the count anew.
    pub retries: u32,
    /// The pause before the first further attempt; it doubles with each.
    pub backoff: Duration,
}

impl HubOptions {
    /// Reads `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT`, `HF_TOKEN`, `HF_TOKEN_PATH`, `HF_HUB_OFFLINE` and their older names.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_vars(|name| env::var_os(name))
    }

    /// Like [`Self::from_env`], for variables that `get` looks up.
    #[must_use]
    pub fn from_vars(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let get = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| get(name)?.into_string().ok();
        // As huggingface_hub does, `~` is the home directory also where no shell has seen it.
        let path = |name: &str| {
            let value = get(name)?;
            Some(
                value
                    .to_str()
                    .map_or_else(|| value.clone().into(), expand_home),
            )
        };
        let flag = |name: &str| {
            text(name).is_some_and(|value| {
                matches!(
                    value.to_ascii_lowercase().as_str(),
                    "1" | "true" | "yes" | "on"
                )
            })
        };

        let home = path("HF_HOME").unwrap_or_else(|| {
            path("XDG_CACHE_HOME")
                .or_else(|| env::home_dir().map(|home| home.join(".cache")))
                .unwrap_or_else(env::temp_dir)
                .join("huggingface")
        });
        let token = text("HF_TOKEN")
            .or_else(|| text("HUGGING_FACE_HUB_TOKEN"))
            .or_else(|| {
                let path = path("HF_TOKEN_PATH").unwrap_or_else(|| home.join("token"));
                fs::read_to_string(path).ok()
            });

        Self {
            cache: path("HF_HUB_CACHE")
                .or_else(|| path("HUGGINGFACE_HUB_CACHE"))
                .unwrap_or_else(|| home.join("hub")),
            endpoint: text("HF_ENDPOINT").map_or_else(
                || ENDPOINT.to_owned(),
                |endpoint| endpoint.trim_end_matches('/').to_owned(),
            ),
            token: token.as_deref().and_then(Token::new),
            offline: flag("HF_HUB_OFFLINE") || flag("TRANSFORMERS_OFFLINE"),
            proxy_from_env: true,
            connect_timeout: Duration::from_secs(10),
            stall_timeout: Duration::from_secs(30),
            retries: 4,
            backoff: Duration::from_millis(500),
        }
    }
}

/// An access token, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// `None` for blanks.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    #[cfg(feature = "hub")]
    pub(super) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// Receives the progress of a download, and can cancel it. Files follow one after the other.
pub trait DownloadProgress {
    /// A file begins. `done` of its `total` bytes are there from an earlier, interrupted download.
    fn init(&self, file: &str, total: u64, done: u64) {
        let _ = (file, total, done);
    }

    /// So many of the file's bytes are there now. Falls when the file must start again.
    fn update(&self, done: u64) {
        let _ = done;
    }

    /// The file is complete and checked.
    fn finish(&self, file: &str) {
        let _ = file;
    }

    /// Looked at between two pieces of a file: `true` ends the download; what is there stays for the next one.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Ignores all progress.
impl DownloadProgress for () {}
