//! The page at `/`, which is built from `web/` and is part of the program.

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;

use super::content::Content;

struct Part {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

const PARTS: [Part; 5] = [
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
    // The help texts of the page link to it.
    Part {
        path: "/ATTRIBUTION.md",
        content_type: "text/plain; charset=utf-8",
        bytes: include_bytes!("../../docs/ATTRIBUTION.md"),
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
        let content = Content::new(
            part.bytes.into(),
            [
                (CONTENT_TYPE, part.content_type),
                (CONTENT_SECURITY_POLICY, POLICY),
            ],
        );
        router.route(
            part.path,
            get(move |headers: HeaderMap| content.respond(&headers)),
        )
    })
}
