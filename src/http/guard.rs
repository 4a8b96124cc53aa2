//! Rejects requests from web pages, and requests without the token. `Host` is checked against DNS rebinding, `Origin` against
//! cross-site requests.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::options::ServerOptions;
use super::page;
use super::server::MAX_HEAD;

/// Precedes a token in base64url among the subprotocols of a WebSocket, since a browser cannot send a header with it.
const BEARER_PROTOCOL: &str = "bearer.";

/// A colon, a space, and the end of the line.
const FIELD_MARKS: usize = 4;

/// Paths that need no token: pages that a browser opens, and what a supervisor requests.
const PUBLIC: [&str; 4] = ["/docs", "/openapi.json", "/health", "/ready"];

pub(crate) struct Guard {
    hosts: Vec<String>,
    origins: Vec<String>,
    /// SHA-256, so that the time of a comparison does not depend on how much of a guess is right.
    token: Option<[u8; 32]>,
    is_remote: bool,
}

impl Guard {
    /// `is_remote`: the server can be reached from other machines.
    pub fn new(options: &ServerOptions, is_remote: bool) -> Self {
        let mut hosts = vec!["localhost".to_owned(), options.host.to_ascii_lowercase()];
        hosts.extend(
            options
                .allowed_hosts
                .iter()
                .map(|host| host.to_ascii_lowercase()),
        );
        Self {
            hosts,
            origins: options.allowed_origins.clone(),
            token: options.token.as_ref().map(|token| digest(token.as_bytes())),
            is_remote,
        }
    }

    /// The host is one of the server's names or a loopback address. Other addresses are valid only if other machines can reach the
    /// server; an address, unlike a name, cannot be rebound.
    fn check_host(&self, request: &Request) -> Result<(), ApiError> {
        let named = header(request.headers(), &HOST)?.ok_or_else(|| {
            ApiError::Malformed("the request has no Host header; add one".to_owned())
        })?;
        // An absolute request target has a host, too.
        let target = request.uri().authority().map(Authority::as_str);
        for written in [Some(named), target].into_iter().flatten() {
            let name = written
                .parse::<Authority>()
                .map(|authority| authority.host().to_ascii_lowercase())
                .unwrap_or_default();
            let bare = name.trim_start_matches('[').trim_end_matches(']');
            let is_own = match bare.parse::<IpAddr>() {
                Ok(address) => address.is_loopback() || self.is_remote,
                Err(_) => false,
            };
            if !is_own && !self.hosts.iter().any(|host| *host == name || host == bare) {
                return Err(ApiError::ForeignHost {
                    host: written.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The origin is this server or a listed one. Programs other than browsers send none.
    fn check_origin(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let Some(origin) = header(headers, &ORIGIN)? else {
            return Ok(());
        };
        let own = header(headers, &HOST)?.unwrap_or_default();
        let is_own = origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(own));
        let is_listed = || {
            self.origins
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(origin))
        };
        if is_own || is_listed() {
            Ok(())
        } else if origin == "null" {
            // A list with `null` would accept every file and every sandboxed frame.
            Err(ApiError::NoOrigin)
        } else {
            Err(ApiError::ForeignOrigin {
                origin: origin.to_owned(),
            })
        }
    }

    fn check_token(&self, request: &Request) -> Result<(), ApiError> {
        let Some(token) = self.token else {
            return Ok(());
        };
        let path = request.uri().path();
        if PUBLIC.contains(&path) || page::has(path) {
            return Ok(());
        }
        let headers = request.headers();
        let by_header = header(headers, &AUTHORIZATION)?.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| token.trim().as_bytes().to_vec())
        });
        let by_protocol = || {
            let offered = header(headers, &SEC_WEBSOCKET_PROTOCOL).ok()??;
            let token = offered
                .split(',')
                .find_map(|protocol| protocol.trim().strip_prefix(BEARER_PROTOCOL))?;
            URL_SAFE_NO_PAD.decode(token).ok()
        };
        let given = by_header.or_else(by_protocol);
        match given {
            Some(given) if is_equal(digest(&given), token) => Ok(()),
            _ => Err(ApiError::Unauthorized),
        }
    }
}

/// A header that may occur once: of two, a proxy might read the other one.
fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let malformed = |fault| ApiError::Malformed(format!("the header {name} {fault}"));
    if values.next().is_some() {
        return Err(malformed("is repeated; send it once"));
    }
    let text = value.to_str();
    text.map(Some)
        .map_err(|_| malformed("is not ASCII; send it in ASCII"))
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

fn is_equal(a: [u8; 32], b: [u8; 32]) -> bool {
    a.iter().zip(&b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

/// hyper refuses a head only when its buffer is full, which can be larger than the limit.
fn check_size(request: &Request) -> Result<(), ApiError> {
    let fields = request.headers().iter();
    let fields: usize = fields
        .map(|(name, value)| name.as_str().len() + value.len() + FIELD_MARKS)
        .sum();
    let target = request.uri().path_and_query();
    let target = target.map_or(0, |target| target.as_str().len());
    if fields + target > MAX_HEAD {
        return Err(ApiError::HeadTooLarge);
    }
    Ok(())
}

/// Checks the size of the head, `Host` and `Origin`, before everything else.
pub(crate) async fn check_names(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    let checked = check_size(&request)
        .and_then(|()| guard.check_host(&request))
        .and_then(|()| guard.check_origin(request.headers()));
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// Checks the token, after the response to a browser's preflight, which has none.
pub(crate) async fn check_token(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response {
    match guard.check_token(&request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().uri("/analyze");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    fn guard(is_remote: bool) -> Guard {
        let options = ServerOptions {
            token: Some("a token that nobody guesses".to_owned()),
            allowed_hosts: vec!["Box.Local".to_owned()],
            allowed_origins: vec!["https://docs.example".to_owned()],
            ..ServerOptions::default()
        };
        Guard::new(&options, is_remote)
    }

    #[test]
    fn hosts() {
        let own = [
            "localhost",
            "LocalHost:8001",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:8001",
            "box.local",
        ];
        let foreign = [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:8001",
            "10.0.0.1",
            "user@evil.example",
            "0x7f.1",
        ];
        for host in own {
            assert!(
                guard(false).check_host(&request(&[("host", host)])).is_ok(),
                "{host}"
            );
        }
        for host in foreign {
            let checked = guard(false).check_host(&request(&[("host", host)]));
            assert!(
                matches!(checked, Err(ApiError::ForeignHost { .. })),
                "{host}"
            );
        }
        assert!(
            guard(true)
                .check_host(&request(&[("host", "10.0.0.1:80")]))
                .is_ok()
        );
        for host in ["evil.example", "10.0.0.1.evil.example"] {
            assert!(
                guard(true).check_host(&request(&[("host", host)])).is_err(),
                "{host}"
            );
        }
        assert!(guard(false).check_host(&request(&[])).is_err());
        let twice = request(&[("host", "localhost"), ("host", "evil.example")]);
        assert!(matches!(
            guard(false).check_host(&twice),
            Err(ApiError::Malformed(_))
        ));
        let mut absolute = request(&[("host", "localhost")]);
        *absolute.uri_mut() = "http://evil.example/analyze".parse().unwrap();
        assert!(guard(false).check_host(&absolute).is_err());
    }

    #[test]
    fn origins() {
        let host = ("host", "localhost:8001");
        for origin in [
            "http://localhost:8001",
            "https://LOCALHOST:8001",
            "https://docs.example",
        ] {
            let request = request(&[host, ("origin", origin)]);
            assert!(
                guard(false).check_origin(request.headers()).is_ok(),
                "{origin}"
            );
        }
        for origin in [
            "null",
            "http://localhost",
            "http://localhost:8002",
            "https://docs.example.evil.example",
            "https://evil.example",
            "",
        ] {
            let request = request(&[host, ("origin", origin)]);
            let checked = guard(false).check_origin(request.headers());
            assert!(
                matches!(
                    checked,
                    Err(ApiError::ForeignOrigin { .. } | ApiError::NoOrigin)
                ),
                "{origin}"
            );
        }
        assert!(
            guard(false)
                .check_origin(request(&[host]).headers())
                .is_ok()
        );
    }

    #[test]
    fn tokens() {
        let encoded = URL_SAFE_NO_PAD.encode("a token that nobody guesses");
        let protocols = format!("codegaze.1, bearer.{encoded}");
        for (name, value) in [
            ("authorization", "Bearer a token that nobody guesses"),
            ("authorization", "bearer  a token that nobody guesses"),
            ("sec-websocket-protocol", protocols.as_str()),
        ] {
            assert!(
                guard(false).check_token(&request(&[(name, value)])).is_ok(),
                "{value}"
            );
        }
        for (name, value) in [
            ("authorization", "a token that nobody guesses"),
            ("authorization", "Basic a token that nobody guesses"),
            ("authorization", "Bearer a token that nobody guesse"),
            ("authorization", "Bearer "),
            ("sec-websocket-protocol", "codegaze.1, bearer.%%%"),
            ("x-token", "a token that nobody guesses"),
        ] {
            let checked = guard(false).check_token(&request(&[(name, value)]));
            assert!(matches!(checked, Err(ApiError::Unauthorized)), "{value}");
        }
    }
}
