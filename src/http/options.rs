//! What the server is started with.

use std::net::IpAddr;
use std::time::Duration;

use super::client::Pace;
use crate::engine::Observer;
use crate::model::source::{HubOptions, ModelSource};
use crate::model::{Device, ModelOptions, Precision};

/// The environment variable that holds the bearer token.
pub const TOKEN_VARIABLE: &str = "CODEGAZE_TOKEN";

/// A shorter token can be guessed.
const MIN_TOKEN: usize = 16;

/// The address of the server, its models and its limits.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// A name or an address.
    pub host: String,
    /// 0 takes any that is free.
    pub port: u16,
    /// Whether `host` may be other than loopback.
    pub allow_remote: bool,
    /// Every request but those for public pages must carry it, if there is one.
    pub token: Option<String>,
    /// Names, besides `host` and loopback's, that clients may call the server by.
    pub allowed_hosts: Vec<String>,
    /// Other web pages that may use it: `https://example.org`.
    pub allowed_origins: Vec<String>,
    /// The first is the default.
    pub models: Vec<ModelSource>,
    pub device: Device,
    pub precision: Precision,
    /// How the models are read.
    pub reading: ModelOptions,
    pub hub: HubOptions,
    pub limits: Limits,
    pub observer: Option<Observer>,
}

/// What a client can make the server hold or do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a request's body and of a WebSocket message.
    pub body_bytes: usize,
    /// Requests that wait, run or are being sent; one more is told to come later.
    pub queue: usize,
    /// From a request's admission to its answer.
    pub timeout: Duration,
    /// WebSocket connections.
    pub live: usize,
    /// Connections for HTTP. For one more, the slowest one is closed.
    pub connections: usize,
    /// For results of chunks.
    pub cache_bytes: usize,
    /// Attention weights in one answer.
    pub answer_cells: usize,
    /// Attention weights in all answers that are being made or sent.
    pub cells: usize,
    /// Each pause in reading a response, and between two requests, may take so long.
    pub stall: Duration,
    /// How fast requests have to arrive.
    pub pace: Pace,
    /// Bytes in all bodies that are being received.
    pub received_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 << 20,
            queue: 128,
            timeout: Duration::from_secs(60),
            live: 64,
            connections: 512,
            cache_bytes: 256 << 20,
            // 32 maps of 512 × 512: 32 MB as numbers, about 100 MB as JSON.
            answer_cells: 32 * 512 * 512,
            cells: 256 * 512 * 512,
            stall: Duration::from_secs(30),
            pace: Pace {
                rate: 4 << 10,
                lag: Duration::from_secs(5),
            },
            received_bytes: 64 << 20,
        }
    }
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 8001,
            allow_remote: false,
            token: None,
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            models: vec![ModelSource::default()],
            device: Device::default(),
            precision: Precision::default(),
            reading: ModelOptions::default(),
            hub: HubOptions::from_env(),
            limits: Limits::default(),
            observer: None,
        }
    }
}

/// Why the server does not start as it was told to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServerOptionsError {
    #[error(
        "{host} is not a loopback address, so other machines could use this server; add --allow-remote and set a token in {TOKEN_VARIABLE}, or use 127.0.0.1"
    )]
    Remote { host: String },
    #[error(
        "--allow-remote needs a token: set {TOKEN_VARIABLE} to a random text of at least {MIN_TOKEN} characters"
    )]
    NoToken,
    #[error(
        "the token in {TOKEN_VARIABLE} is invalid: use at least {MIN_TOKEN} printable ASCII characters, without spaces"
    )]
    WeakToken,
    #[error(
        "invalid origin {origin:?}: give only scheme, host and port, such as https://example.org or http://localhost:5173"
    )]
    Origin { origin: String },
    #[error("invalid host name {host:?}: give it without scheme, port and path")]
    Host { host: String },
}

impl ServerOptions {
    /// Everything that can be told without binding to an address.
    ///
    /// # Errors
    /// One [`ServerOptionsError`] for each way in which they are unsafe or senseless.
    pub fn check(&self) -> Result<(), ServerOptionsError> {
        let is_good = |token: &String| {
            token.len() >= MIN_TOKEN && token.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match &self.token {
            Some(token) if !is_good(token) => return Err(ServerOptionsError::WeakToken),
            None if self.allow_remote => return Err(ServerOptionsError::NoToken),
            _ => {}
        }
        if let Some(origin) = self.allowed_origins.iter().find(|o| !is_origin(o)) {
            return Err(ServerOptionsError::Origin {
                origin: origin.clone(),
            });
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
        };
        let has_port = |name: &str| name.parse::<IpAddr>().is_err() && name.contains(':');
        let mut names = self.allowed_hosts.iter();
        if let Some(host) = names.find(|name| !is_name(name) || has_port(name)) {
            return Err(ServerOptionsError::Host { host: host.clone() });
        }
        Ok(())
    }
}

/// What browsers send as `Origin`: no path, no wildcard.
fn is_origin(text: &str) -> bool {
    if text == "null" {
        return true;
    }
    let Some((scheme, authority)) = text.split_once("://") else {
        return false;
    };
    let is_word = |word: &str, more: &[u8]| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    is_word(scheme, b"+-.") && is_word(authority, b"-._:[]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsafe_or_senseless_is_named() {
        type Change = fn(&mut ServerOptions);
        let good_token = || Some("0123456789abcdef".to_owned());
        assert_eq!(ServerOptions::default().check(), Ok(()));
        let table: [(Change, &str); 7] = [
            (|o| o.allow_remote = true, "--allow-remote needs a token"),
            (|o| o.token = Some("short".to_owned()), "is invalid"),
            (
                |o| o.token = Some("with a space in the middle".to_owned()),
                "is invalid",
            ),
            (
                |o| o.allowed_origins = vec!["*".to_owned()],
                "invalid origin",
            ),
            (
                |o| o.allowed_origins = vec!["https://a.org/path".to_owned()],
                "invalid origin",
            ),
            (
                |o| o.allowed_hosts = vec!["https://a.org".to_owned()],
                "invalid host name",
            ),
            (
                |o| o.allowed_hosts = vec!["a.org:80".to_owned()],
                "invalid host name",
            ),
        ];
        for (change, message) in table {
            let mut options = ServerOptions::default();
            change(&mut options);
            let error = options.check().unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let remote = ServerOptions {
            allow_remote: true,
            token: good_token(),
            allowed_origins: vec!["https://a.org".to_owned(), "null".to_owned()],
            allowed_hosts: vec!["box.local".to_owned(), "::1".to_owned()],
            ..ServerOptions::default()
        };
        assert_eq!(remote.check(), Ok(()));
    }
}
