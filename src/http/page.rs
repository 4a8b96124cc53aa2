//! The page at `/`, which is built from `web/` and is part of the program.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use sha2::{Digest, Sha256};

struct Part {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const PARTS: [Part; 4] = [
    Part {
        path: "/",
        content_type: "text/html; charset=utf-8",
        bytes: include_bytes!("../../web/dist/index.html"),
    },
    Part {
        path: "/codegaze.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../../web/dist/codegaze.js"),
    },
    Part {
        path: "/codegaze.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../../web/dist/codegaze.css"),
    },
    Part {
        path: "/icon.svg",
        content_type: "image/svg+xml",
        bytes: include_bytes!("../../web/dist/icon.svg"),
    },
];

/// The page loads nothing from other servers and sends nothing to them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Whether a path belongs to the page, for which a browser needs no token.
pub(crate) fn has(path: &str) -> bool {
    PARTS.iter().any(|part| part.path == path)
}

/// The routes need no state.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    PARTS.iter().fold(Router::new(), |router, part| {
        let tag = tag(part.bytes);
        router.route(
            part.path,
            get(move |headers: HeaderMap| async move {
                let known = [
                    (ETAG, tag.clone()),
                    (CACHE_CONTROL, "no-cache".to_owned()),
                    (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
                ];
                let is_there = headers
                    .get(IF_NONE_MATCH)
                    .is_some_and(|theirs| theirs.as_bytes() == tag.as_bytes());
                if is_there {
                    return (StatusCode::NOT_MODIFIED, known).into_response();
                }
                let content_type = [(CONTENT_TYPE, part.content_type)];
                (known, content_type, part.bytes).into_response()
            }),
        )
    })
}

/// Changes with the content.
fn tag(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let start = digest.first_chunk().copied().map(u64::from_be_bytes);
    format!("\"{:016x}\"", start.unwrap_or_default())
}
