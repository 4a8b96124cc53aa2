//! What the server is, what it has, and whether it can work.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::app::Shared;
use super::super::error::{ApiError, ErrorBody};
use super::super::models::NamedModel;
use crate::attribution::{Aggregate, Method, Sinks};
use crate::model::source::ModelSource;
use crate::model::{Device, Precision};
use crate::view::colormap::Colormap;

/// The server's models, and the valid values of a request's fields.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelsAnswer {
    /// The first one is the default.
    pub models: Vec<ModelDescription>,
    pub methods: Vec<Method>,
    pub sinks: Vec<Sinks>,
    pub aggregates: Vec<Aggregate>,
    pub colormaps: Vec<Colormap>,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "Model"))]
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ModelDescription {
    /// The name to use as `model`: the one that the server was started with.
    pub name: String,
    pub default: bool,
    pub state: ModelState,
    pub source: ModelOrigin,
    /// This field and those below are null until the model is loaded.
    pub id: Option<String>,
    /// The commit of a hub model.
    pub revision: Option<String>,
    pub layers: Option<usize>,
    pub heads: Option<usize>,
    pub hidden_size: Option<usize>,
    /// The number of subwords that fit into one pass, including special ones.
    pub max_tokens: Option<usize>,
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub precision: Option<Precision>,
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub device: Option<Device>,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelState {
    Loading,
    Ready,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ModelOrigin {
    Embedded,
    Directory,
    Hub,
}

impl ModelDescription {
    fn new(named: &NamedModel, is_default: bool) -> Self {
        let info = named.model().map(|model| model.info());
        Self {
            name: named.name.clone(),
            default: is_default,
            state: if info.is_some() {
                ModelState::Ready
            } else {
                ModelState::Loading
            },
            source: match named.source {
                ModelSource::Embedded => ModelOrigin::Embedded,
                ModelSource::Directory(_) | ModelSource::OnBase { .. } => ModelOrigin::Directory,
                ModelSource::Hub { .. } => ModelOrigin::Hub,
            },
            id: info.map(|info| info.id.clone()),
            revision: info.and_then(|info| info.revision.clone()),
            layers: info.map(|info| info.n_layers),
            heads: info.map(|info| info.n_heads),
            hidden_size: info.map(|info| info.hidden_size),
            max_tokens: info.map(|info| info.max_tokens),
            precision: info.map(|info| info.precision),
            device: info.map(|info| info.device),
        }
    }

    /// The first one is the default.
    pub fn all(models: &[NamedModel]) -> Vec<Self> {
        let models = models.iter().enumerate();
        models
            .map(|(at, named)| Self::new(named, at == 0))
            .collect()
    }
}

/// The server's models, and the valid values of a request's fields.
#[utoipa::path(
    get,
    path = "/models",
    tag = "Server",
    responses(
        (status = 200, description = "The models and the values", body = ModelsAnswer),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn models(app: Shared) -> Json<ModelsAnswer> {
    Json(ModelsAnswer {
        models: ModelDescription::all(app.models.all()),
        methods: Method::ALL.into(),
        sinks: Sinks::ALL.into(),
        aggregates: Aggregate::ALL.into(),
        colormaps: Colormap::ALL.into(),
    })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    pub status: HealthStatus,
    /// The version of the program.
    pub version: &'static str,
    pub uptime_s: f64,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HealthStatus {
    Ok,
}

/// Whether the server is running. `/ready` reports whether its models are loaded.
#[utoipa::path(
    get,
    path = "/health",
    tag = "Server",
    responses(
        (status = 200, description = "The server is running", body = Health),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn health(app: Shared) -> Json<Health> {
    Json(Health {
        status: HealthStatus::Ok,
        version: env!("CARGO_PKG_VERSION"),
        uptime_s: app.started.elapsed().as_secs_f64(),
    })
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    pub status: ReadyStatus,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ReadyStatus {
    Ready,
}

/// Whether all models are loaded.
#[utoipa::path(
    get,
    path = "/ready",
    tag = "Server",
    responses(
        (status = 200, description = "All models are loaded", body = Ready),
        (status = 503, description = "A model is still loading", body = ErrorBody),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn ready(app: Shared) -> Result<Json<Ready>, ApiError> {
    if *app.ending().borrow() {
        return Err(ApiError::Ending);
    }
    for named in app.models.all() {
        if named.model().is_none() {
            return Err(ApiError::Loading {
                model: named.name.clone(),
            });
        }
    }
    Ok(Json(Ready {
        status: ReadyStatus::Ready,
    }))
}

/// Metrics for Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "Server",
    responses(
        (status = 200, description = "The metrics", body = String, content_type = "text/plain"),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn metrics(app: Shared) -> Response {
    let text = app.metrics.text(&app.engine, &app.admission);
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
        .into_response()
}
