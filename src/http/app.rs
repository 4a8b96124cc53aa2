//! What all requests share, and the way from a path to its handler.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::admission::Admission;
use super::error::ApiError;
use super::guard::{self, Guard};
use super::metrics::{self, Metrics};
use super::models::Models;
use super::openapi;
use super::options::{Limits, Options};
use super::page;
use crate::engine::{Engine, EngineConfig};
use crate::panics;

/// The durations of a request by stage, as browsers' developer tools show them.
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

pub(crate) struct App {
    pub engine: Engine,
    pub models: Models,
    pub limits: Limits,
    pub admission: Admission,
    pub guard: Guard,
    pub metrics: Metrics,
    pub started: Instant,
    origins: Vec<HeaderValue>,
    /// Whether the server is ending; its receivers are the connections that are open.
    ending: watch::Sender<bool>,
}

impl App {
    pub fn new(options: &Options, is_remote: bool) -> Arc<Self> {
        let origins = options.allowed_origins.iter();
        Arc::new(Self {
            engine: Engine::start(EngineConfig {
                cache_bytes: options.limits.cache_bytes,
                observer: options.observer.clone(),
            }),
            models: Models::new(&options.models),
            limits: options.limits,
            admission: Admission::new(options.limits),
            guard: Guard::new(options, is_remote),
            metrics: Metrics::new(),
            started: Instant::now(),
            origins: origins.filter_map(|origin| origin.parse().ok()).collect(),
            ending: watch::Sender::new(false),
        })
    }

    /// Tells all connections to come to their end.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// To be held by a connection for as long as it is open.
    pub fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    pub async fn all_ended(&self) {
        self.ending.closed().await;
    }
}

pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, document) = openapi::routes().split_for_parts();
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(app.origins.clone()))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .expose_headers([SERVER_TIMING, RETRY_AFTER]);
    router
        .merge(openapi::pages(&document))
        .merge(page::routes())
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(from_fn_with_state(Arc::clone(&app), guard::token))
        .layer(cors)
        .layer(from_fn_with_state(Arc::clone(&app), guard::names))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(common_headers))
        .layer(from_fn_with_state(Arc::clone(&app), metrics::count))
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

/// Answers are neither guessed at, nor kept, nor embedded by other pages.
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

/// What a handler shares with all others.
pub(crate) type Shared = State<Arc<App>>;
