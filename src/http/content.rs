//! A response that never changes while the program runs. A client that has it need not receive it again.

use std::future::{Future, ready};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use sha2::{Digest, Sha256};

#[derive(Clone)]
pub(crate) struct Content {
    bytes: Bytes,
    headers: Arc<HeaderMap>,
    /// Without `W/`.
    tag: String,
}

impl Content {
    pub fn new<const N: usize>(bytes: Bytes, headers: [(HeaderName, &'static str); N]) -> Self {
        let tag = tag(&bytes);
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.insert(name, HeaderValue::from_static(value));
        }
        all.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // Weak, because the bytes depend on `Accept-Encoding`.
        if let Ok(weak) = HeaderValue::from_str(&format!("W/{tag}")) {
            all.insert(ETAG, weak);
        }
        Self {
            bytes,
            headers: Arc::new(all),
            tag,
        }
    }

    /// The content, or 304 if the client has it.
    pub fn respond(&self, request: &HeaderMap) -> impl Future<Output = Response> + use<> {
        let mut response = if is_known(request, &self.tag) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            Response::new(Body::from(self.bytes.clone()))
        };
        *response.headers_mut() = (*self.headers).clone();
        ready(response)
    }
}

/// Changes with the content.
fn tag(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let start = digest.first_chunk().copied().map(u64::from_be_bytes);
    format!("\"{:016x}\"", start.unwrap_or_default())
}

/// Whether `If-None-Match` names the tag: as `*`, or in a list of strong or weak tags (RFC 9110, sections 8.8.3.2 and 13.1.2).
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let lists = request.get_all(IF_NONE_MATCH).into_iter();
    lists.filter_map(|list| list.to_str().ok()).any(|list| {
        list.trim() == "*"
            || tags(list).any(|theirs| theirs.strip_prefix("W/").unwrap_or(theirs) == tag)
    })
}

/// The tags of a list. A comma inside quotes belongs to a tag.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    list.split(move |character| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    })
    .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_tags_lists_and_an_asterisk_name_the_content() {
        for (list, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("*", true),
            ("\"b\", \"a\"", true),
            ("\"b\",W/\"a\" , \"c\"", true),
            ("\"b, c\", \"a\"", true),
            ("\"b\"", false),
            ("a", false),
            ("w/\"a\"", false),
            ("\"x,\"a\"", false),
            ("\"*\"", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, list.parse().unwrap());
            assert_eq!(is_known(&headers, "\"a\""), known, "{list}");
        }
        let mut headers = HeaderMap::new();
        headers.append(IF_NONE_MATCH, "\"b\"".parse().unwrap());
        headers.append(IF_NONE_MATCH, "\"a\"".parse().unwrap());
        assert!(is_known(&headers, "\"a\""));
    }
}
