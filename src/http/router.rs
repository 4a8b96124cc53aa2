//! From a path to its handler, through what every request passes: metrics, headers, the guard.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::app::App;
use super::compression;
use super::error::ApiError;
use super::guard::{self, Guard};
use super::metrics;
use super::openapi;
use super::options::ServerOptions;
use super::page;
use super::routes::stages::SERVER_TIMING;
use super::unread;
use crate::panics;

/// `is_remote`: the server can be reached from other machines.
pub(crate) fn router(app: Arc<App>, options: &ServerOptions, is_remote: bool) -> Router {
    let guard = Arc::new(Guard::new(options, is_remote));
    let origins = options.allowed_origins.iter();
    let origins: Vec<HeaderValue> = origins.filter_map(|origin| origin.parse().ok()).collect();
    let metrics = Arc::clone(&app.metrics);
    let (router, document) = openapi::routes().split_for_parts();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([SERVER_TIMING, RETRY_AFTER]);
    router
        .merge(openapi::pages(&document))
        .merge(page::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(Arc::clone(&guard), guard::check_token))
        .layer(cors)
        .layer(from_fn_with_state(guard, guard::check_names))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(compression::compress))
        .layer(from_fn(common_headers))
        .layer(from_fn_with_state(Arc::clone(&app), unread::discard))
        .layer(from_fn_with_state(metrics, metrics::count))
        .with_state(app)
}

async fn no_route(request: Request) -> ApiError {
    ApiError::NotFound {
        path: request.uri().path().to_owned(),
    }
}

async fn no_method(request: Request) -> ApiError {
    ApiError::Method {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panics::message(&*panic);
    ApiError::Internal(format!(
        "internal error ({message}): this is a bug in codegaze, please report it"
    ))
    .into_response()
}

/// Browsers shall not guess the type of a response, keep it, or embed it in pages of other origins.
async fn common_headers(request: Request, next: axum::middleware::Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}
