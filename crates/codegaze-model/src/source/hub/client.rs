//! Requests to the hub: timeouts, redirects, the token, what a status means.

use std::io::{self, Read};
use std::thread;

use ureq::http::header::{CONTENT_LENGTH, ETAG, HeaderMap, LOCATION, RANGE};
use ureq::http::{Response, StatusCode, Uri};
use ureq::{Agent, Body, Proxy, Timeout};

use super::cache::is_commit_name;
use super::error::HubError;
use super::reference::{DEFAULT_REVISION, ModelRef};
use crate::source::options::{DownloadProgress, HubOptions};

/// The largest list of files, in bytes, that the client reads.
const LISTING_LIMIT: u64 = 32 << 20;
const MAX_REDIRECTS: usize = 8;

/// What a repository holds at a commit.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) commit: String,
    pub(super) files: Vec<String>,
}

/// What the hub says about a file before it sends it.
#[derive(Debug)]
pub(super) struct RemoteFile {
    pub(super) url: String,
    /// Names the content in the cache.
    pub(super) etag: String,
    /// Bytes.
    pub(super) size: Option<u64>,
}

impl RemoteFile {
    /// The content's SHA-256 in hexadecimal. A large file's `ETag` is that, a small one's the SHA-1 of its git object.
    pub(super) fn sha256(&self) -> Option<&str> {
        let is_sha256 =
            self.etag.len() == 64 && self.etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_sha256.then_some(self.etag.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Head,
    Get,
}

/// Sends requests about one model to the hub.
#[derive(Debug)]
pub(super) struct Client<'a> {
    agent: Agent,
    model: ModelRef<'a>,
    pub(super) options: &'a HubOptions,
    endpoint: Uri,
}

impl<'a> Client<'a> {
    pub(super) fn new(model: ModelRef<'a>, options: &'a HubOptions) -> Result<Self, HubError> {
        let endpoint: Uri = options
            .endpoint
            .parse()
            .ok()
            .filter(|uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https")))
            .filter(|uri| uri.host().is_some_and(|host| !host.is_empty()))
            .ok_or_else(|| HubError::Protocol {
                url: options.endpoint.clone(),
                cause: "it is not an http:// or https:// address".to_owned(),
            })?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // Followed here, where the token can be kept from other hosts and ports.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.stall_timeout))
            .timeout_per_read(Some(options.stall_timeout))
            .user_agent(concat!("codegaze/", env!("CARGO_PKG_VERSION")))
            // A compressed answer has neither the size nor the ranges of the file.
            .accept_encoding("identity");
        if !options.proxy_from_env {
            config = config.proxy(None::<Proxy>);
        }
        Ok(Self {
            agent: config.build().into(),
            model,
            options,
            endpoint,
        })
    }

    /// Asks which files the revision has, and which commit it is.
    pub(super) fn listing(&self, progress: &dyn DownloadProgress) -> Result<Listing, HubError> {
        let url = format!(
            "{}/api/{}",
            self.options.endpoint,
            self.model.repo().api_url()
        );
        let body = self.with_retries(progress, || {
            let response = self.send(Method::Get, &url, None)?;
            let response = self.accept(response, &url)?;
            let mut body = Vec::new();
            response
                .into_body()
                .into_reader()
                .take(LISTING_LIMIT)
                .read_to_end(&mut body)
                .map_err(|error| self.body_error(&url, &error))?;
            Ok(body)
        })?;
        let protocol = |cause: String| HubError::Protocol {
            url: url.clone(),
            cause,
        };
        let info: hf_hub::api::RepoInfo = serde_json::from_slice(&body)
            .map_err(|error| protocol(format!("its list of files is invalid ({error})")))?;
        if !is_commit_name(&info.sha) {
            return Err(protocol(format!("invalid commit {:?}", info.sha)));
        }
        Ok(Listing {
            commit: info.sha,
            files: info
                .siblings
                .into_iter()
                .map(|file| file.rfilename)
                .collect(),
        })
    }

    /// Asks what a file is: only the hub itself, for the CDN that it redirects to knows the content under another name.
    pub(super) fn look_up(
        &self,
        commit: &str,
        file: &str,
        progress: &dyn DownloadProgress,
    ) -> Result<RemoteFile, HubError> {
        let url = format!(
            "{}/{}/resolve/{commit}/{file}",
            self.options.endpoint, self.model.id
        );
        let response = self.with_retries(progress, || {
            let mut response = self.send(Method::Head, &url, None)?;
            let refused = [StatusCode::METHOD_NOT_ALLOWED, StatusCode::NOT_IMPLEMENTED];
            if refused.contains(&response.status()) {
                // A mirror that only knows GET: its headers say the same, and the body is not read.
                response = self.send(Method::Get, &url, None)?;
            }
            if response.status().is_redirection() {
                return Ok(response);
            }
            self.accept(response, &url)
        })?;
        let headers = response.headers();
        let etag = text(headers, "x-linked-etag")
            .or_else(|| text(headers, ETAG.as_str()))
            .map(|etag| etag.trim_start_matches("W/").trim_matches('"'))
            // It becomes a file's name.
            .filter(|etag| {
                (1..=128).contains(&etag.len())
                    && etag
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
            .ok_or_else(|| HubError::Protocol {
                url: url.clone(),
                cause: "it gives no ETag".to_owned(),
            })?;
        let size = text(headers, "x-linked-size").or_else(|| {
            // A redirect's length is that of its own text.
            let is_file = response.status().is_success();
            text(headers, CONTENT_LENGTH.as_str()).filter(|_| is_file)
        });
        Ok(RemoteFile {
            etag: etag.to_owned(),
            size: size.and_then(|size| size.parse().ok()),
            url,
        })
    }

    /// Requests a file's content from byte `start` on: 200 (all of it), 206, or 416.
    pub(super) fn content(&self, url: &str, start: u64) -> Result<Response<Body>, HubError> {
        let response = self.send(Method::Get, url, (start > 0).then_some(start))?;
        if response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(response);
        }
        self.accept(response, url)
    }

    /// Runs a request again as long as its failure looks like a passing one.
    fn with_retries<T>(
        &self,
        progress: &dyn DownloadProgress,
        mut request: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        let mut failures = 0;
        loop {
            match request() {
                Err(error) if error.is_transient() && failures < self.options.retries => {
                    tracing::debug!(%error, "trying again");
                    self.pause(failures, progress)?;
                    failures += 1;
                }
                result => return result,
            }
        }
    }

    /// Waits before another attempt: twice as long after every failure, up to ten seconds.
    pub(super) fn pause(
        &self,
        failures: u32,
        progress: &dyn DownloadProgress,
    ) -> Result<(), HubError> {
        let longest = std::time::Duration::from_secs(10);
        let pause = self.options.backoff.saturating_mul(1 << failures.min(8));
        thread::sleep(pause.min(longest));
        if progress.is_cancelled() {
            return Err(HubError::Cancelled);
        }
        Ok(())
    }

    /// Sends a request and follows its redirects: for HEAD within the endpoint only.
    fn send(
        &self,
        method: Method,
        url: &str,
        start: Option<u64>,
    ) -> Result<Response<Body>, HubError> {
        let mut target: Uri = url.parse().map_err(|_| HubError::Protocol {
            url: url.to_owned(),
            cause: "it is not a URL".to_owned(),
        })?;
        for _ in 0..=MAX_REDIRECTS {
            let is_hub = same_origin(&target, &self.endpoint);
            let mut request = match method {
                Method::Head => self.agent.head(&target),
                Method::Get => self.agent.get(&target),
            };
            // A CDN takes its own signature from the URL and must not receive the token.
            if let Some(token) = self.options.token.as_ref().filter(|_| is_hub) {
                request = request.header("Authorization", format!("Bearer {}", token.secret()));
            }
            if let Some(start) = start {
                request = request.header(RANGE, format!("bytes={start}-"));
            }
            let response = request
                .call()
                .map_err(|error| self.request_error(&target, error))?;
            let Some(location) = text(response.headers(), LOCATION.as_str())
                .filter(|_| response.status().is_redirection())
            else {
                return Ok(response);
            };
            let next = redirect(&target, location).ok_or_else(|| HubError::Protocol {
                url: without_query(&target),
                cause: "it redirects to an invalid address, or from https to http".to_owned(),
            })?;
            if method == Method::Head && !same_origin(&next, &self.endpoint) {
                return Ok(response);
            }
            target = next;
        }
        Err(HubError::Protocol {
            url: url.to_owned(),
            cause: format!("it redirects more than {MAX_REDIRECTS} times"),
        })
    }

    /// Turns a status other than success into its error.
    fn accept(&self, response: Response<Body>, url: &str) -> Result<Response<Body>, HubError> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let endpoint = self.options.endpoint.clone();
        let model = self.model.to_string();
        let code = text(response.headers(), "x-error-code").unwrap_or_default();
        Err(match (status, code) {
            (StatusCode::UNAUTHORIZED, _) if self.options.token.is_some() => {
                HubError::BadToken { endpoint, model }
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, "GatedRepo") => {
                HubError::Gated { endpoint, model }
            }
            (StatusCode::UNAUTHORIZED, _) => HubError::NoToken { endpoint, model },
            (StatusCode::FORBIDDEN, _) => HubError::Forbidden { endpoint, model },
            (StatusCode::NOT_FOUND, "RevisionNotFound") => self.no_revision(),
            (StatusCode::NOT_FOUND, _) if url.contains("/resolve/") => HubError::NoFile {
                url: url.to_owned(),
            },
            // A mirror that gives no code: the branch `main` is hardly ever what is missing.
            (StatusCode::NOT_FOUND, "") if self.model.revision != DEFAULT_REVISION => {
                self.no_revision()
            }
            (StatusCode::NOT_FOUND, _) => HubError::NoModel { endpoint, model },
            _ => HubError::Status {
                url: url.to_owned(),
                status: status.as_u16(),
            },
        })
    }

    fn no_revision(&self) -> HubError {
        HubError::NoRevision {
            endpoint: self.options.endpoint.clone(),
            id: self.model.id.to_owned(),
            revision: self.model.revision.to_owned(),
        }
    }

    fn request_error(&self, target: &Uri, error: ureq::Error) -> HubError {
        let unreachable = |cause: String| HubError::Unreachable {
            host: target
                .authority()
                .map_or_else(String::new, ToString::to_string),
            cause,
        };
        match error {
            ureq::Error::HostNotFound => unreachable("its name is unknown".to_owned()),
            ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => unreachable(format!(
                "no connection within {} s",
                self.options.connect_timeout.as_secs_f32()
            )),
            ureq::Error::Timeout(_) => HubError::Stalled {
                url: without_query(target),
                after: self.options.stall_timeout,
            },
            ureq::Error::Io(error) if is_broken(&error) => HubError::Interrupted {
                url: without_query(target),
                cause: error.to_string(),
            },
            // The token is the only header whose value we do not make.
            ureq::Error::Http(_) => HubError::BadToken {
                endpoint: self.options.endpoint.clone(),
                model: self.model.to_string(),
            },
            error @ ureq::Error::Protocol(_) => HubError::Protocol {
                url: without_query(target),
                cause: error.to_string(),
            },
            error => unreachable(error.to_string()),
        }
    }

    /// An error while a body is read.
    pub(super) fn body_error(&self, url: &str, error: &io::Error) -> HubError {
        let is_timeout = error.kind() == io::ErrorKind::TimedOut
            || error
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<ureq::Error>())
                .is_some_and(|inner| matches!(inner, ureq::Error::Timeout(_)));
        if is_timeout {
            HubError::Stalled {
                url: url.to_owned(),
                after: self.options.stall_timeout,
            }
        } else {
            HubError::Interrupted {
                url: url.to_owned(),
                cause: error.to_string(),
            }
        }
    }
}

/// A connection that stood and broke, unlike one that never came about.
fn is_broken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
    )
}

/// A header's value, if it is text.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// Same scheme, host and port.
fn same_origin(a: &Uri, b: &Uri) -> bool {
    let origin = |uri: &Uri| {
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        (https, uri.host().map(str::to_ascii_lowercase), port)
    };
    origin(a) == origin(b)
}

/// Where a `Location` points to, seen from `base`; `None` if it is not an HTTP address or leaves https.
fn redirect(base: &Uri, location: &str) -> Option<Uri> {
    let scheme = base.scheme_str()?;
    let absolute = if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{}{location}", base.authority()?)
    } else {
        location.to_owned()
    };
    let uri: Uri = absolute.parse().ok()?;
    match (scheme, uri.scheme_str()?) {
        (_, "https") | ("http", "http") => Some(uri),
        _ => None,
    }
}

/// For messages: a CDN's query is a signature, as good as a password while it lasts.
fn without_query(uri: &Uri) -> String {
    let text = uri.to_string();
    match text.split_once('?') {
        Some((head, _)) => head.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_differ_by_scheme_host_and_port() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        let hub = uri("https://hub.example/x");
        for (other, same) in [
            ("https://HUB.example:443/y", true),
            ("https://hub.example:444/x", false),
            ("http://hub.example/x", false),
            ("https://cdn.hub.example/x", false),
            ("https://hub.example.evil.example/x", false),
        ] {
            assert_eq!(same_origin(&hub, &uri(other)), same, "{other}");
        }
    }

    #[test]
    fn redirects_resolve_against_their_origin_and_stay_in_https() {
        let base: Uri = "https://hub.example:8443/a/b".parse().unwrap();
        for (location, target) in [
            ("/c?d", Some("https://hub.example:8443/c?d")),
            ("//cdn.example/c", Some("https://cdn.example/c")),
            ("https://cdn.example/c", Some("https://cdn.example/c")),
            ("http://cdn.example/c", None),
            ("file:///etc/passwd", None),
            ("c", None),
        ] {
            let found = redirect(&base, location).map(|uri| uri.to_string());
            assert_eq!(found.as_deref(), target, "{location}");
        }
    }
}
