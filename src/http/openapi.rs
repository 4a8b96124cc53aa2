//! The OpenAPI document, generated from the handlers and their types, and the pages that show it.

use std::sync::Arc;

use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::app::App;
use super::content::Content;
use super::docs;
use super::live;
use super::routes::{analyze, attention, explain, info, raw, source};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "codegaze",
        description = "See where a code model looks: the attention of CodeBERT and other RoBERTa-family models, over HTTP.\n\nLayers, heads, lines and chunks count from 0. Spans are UTF-8 byte offsets in the request's text. Every error response is `{error, error_type}`. `docs/ATTRIBUTION.md` defines `method`, `layers`, `heads`, `sinks`, `aggregate`, share and lift.",
    ),
    tags(
        (name = "REST", description = "Send a text, receive its attention"),
        (name = "Live", description = "Heat while you edit a text"),
        (name = "Server", description = "Models, state and metrics of the server"),
    ),
    modifiers(&Token),
    // A server without a token accepts requests without one.
    security((), ("token" = [])),
)]
struct Document;

struct Token;

impl utoipa::Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some(
                "The value of `CODEGAZE_TOKEN` in the server's environment, if it is set",
            ))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Every endpoint of the document.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(analyze::analyze))
        .routes(routes!(attention::analyze_with_attention))
        .routes(routes!(attention::analyze_attention))
        .routes(routes!(source::analyze_source))
        .routes(routes!(raw::get_attention))
        .routes(routes!(explain::explain))
        .routes(routes!(info::models))
        .routes(routes!(info::health))
        .routes(routes!(info::ready))
        .routes(routes!(info::metrics))
        .routes(routes!(live::connect))
}

/// The pages load and run nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document as JSON, and as a page for people.
pub(crate) fn pages<S: Clone + Send + Sync + 'static>(
    document: &utoipa::openapi::OpenApi,
) -> Router<S> {
    // Encoded once, because it does not change while the program runs.
    let value = serde_json::to_value(document).unwrap_or_default();
    let json = Content::new(
        value.to_string().into(),
        [(CONTENT_TYPE, "application/json")],
    );
    let page = Content::new(
        docs::page(&value).into(),
        [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, POLICY),
        ],
    );
    Router::new()
        .route(
            "/openapi.json",
            get(move |headers: HeaderMap| json.respond(&headers)),
        )
        .route(
            "/docs",
            get(move |headers: HeaderMap| page.respond(&headers)),
        )
}
