//! Every way in which a request fails: a status, and a body that names the thing, the cause and the next step.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::server::{MAX_HEAD, MAX_HEADERS};
use crate::attribution::SelectError;
use crate::engine::EngineError;
use crate::off_thread::EndedEarly;
use crate::view::heatmap::RowsError;
use crate::view::options::ViewError;
use crate::view::picture::RenderError;

/// Why a request fails.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("{0}")]
    Malformed(String),
    #[error("this request needs a token: send it as `Authorization: Bearer …`")]
    Unauthorized,
    #[error(
        "{host:?} is not a name of this server: use the address that it listens on, or start it with --allow-host"
    )]
    ForeignHost { host: String },
    #[error(
        "this server does not accept requests from pages of {origin:?}: start it with --allow-origin {origin}"
    )]
    ForeignOrigin { origin: String },
    #[error(
        "this server does not accept requests from pages without an origin, such as files and sandboxed frames: open the page from a web server, and start codegaze with --allow-origin and that server's origin"
    )]
    NoOrigin,
    #[error("unknown path {path}; /docs lists all endpoints")]
    NotFound { path: String },
    #[error("this endpoint is a WebSocket: {0}; send the headers of RFC 6455, version 13")]
    UpgradeRequired(String),
    #[error("{path} does not support {method}; /docs lists what it supports")]
    Method { method: String, path: String },
    #[error(
        "the body arrives too slowly; send it without pauses, and at least {rate} bytes per second"
    )]
    BodyTimeout { rate: u32 },
    #[error(
        "the body is larger than {limit} bytes; send a part, or start the server with a larger --max-body"
    )]
    TooLarge { limit: usize },
    #[error("the body has the Content-Encoding {found}; send it without one")]
    Encoded { found: String },
    #[error("expected the Content-Type `application/json`, not {found}")]
    MediaType { found: String },
    #[error("the headers are larger than {} KiB or more than {MAX_HEADERS}; send fewer", MAX_HEAD >> 10)]
    HeadTooLarge,
    #[error("the request's path is too long")]
    UriTooLong,
    #[error("{0}")]
    Unanalysable(String),
    #[error(
        "the server already handles its limit of {limit} requests; try again in {RETRY_AFTER} s"
    )]
    Busy { limit: usize },
    #[error("{0}")]
    Internal(String),
    #[error("{model} is still loading; try again in {RETRY_AFTER} s")]
    Loading { model: String },
    #[error("the server is shutting down; try again when it has restarted")]
    Ending,
    #[error(
        "the request took longer than {} s; send less at once, or start the server with a larger --timeout",
        .0.as_secs_f32()
    )]
    Deadline(Duration),
    #[error("a newer request replaced this one")]
    Superseded,
}

/// Seconds after which a client may repeat a request that was refused temporarily.
const RETRY_AFTER: u8 = 1;

/// `error_type`, by which programs distinguish errors.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ErrorType {
    Malformed,
    Unauthorized,
    ForbiddenHost,
    ForbiddenOrigin,
    NotFound,
    MethodNotAllowed,
    UpgradeRequired,
    BodyTimeout,
    TooLarge,
    UnsupportedMediaType,
    HeadersTooLarge,
    Unanalysable,
    Busy,
    Internal,
    ModelLoading,
    ShuttingDown,
    Deadline,
    Superseded,
}

/// The body of every error.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ErrorBody {
    /// For a person, in one line.
    pub error: String,
    pub error_type: ErrorType,
}

impl ApiError {
    pub fn unanalysable(error: impl Into<String>) -> Self {
        Self::Unanalysable(error.into())
    }

    /// What a program tells the error by: `error_type`, and the status.
    fn kind(&self) -> (ErrorType, StatusCode) {
        use {ErrorType as Type, StatusCode as Status};
        match self {
            Self::Malformed(_) => (Type::Malformed, Status::BAD_REQUEST),
            Self::Unauthorized => (Type::Unauthorized, Status::UNAUTHORIZED),
            Self::ForeignHost { .. } => (Type::ForbiddenHost, Status::FORBIDDEN),
            Self::ForeignOrigin { .. } | Self::NoOrigin => {
                (Type::ForbiddenOrigin, Status::FORBIDDEN)
            }
            Self::NotFound { .. } => (Type::NotFound, Status::NOT_FOUND),
            Self::Method { .. } => (Type::MethodNotAllowed, Status::METHOD_NOT_ALLOWED),
            Self::UpgradeRequired(_) => (Type::UpgradeRequired, Status::UPGRADE_REQUIRED),
            Self::BodyTimeout { .. } => (Type::BodyTimeout, Status::REQUEST_TIMEOUT),
            Self::TooLarge { .. } => (Type::TooLarge, Status::PAYLOAD_TOO_LARGE),
            Self::MediaType { .. } | Self::Encoded { .. } => {
                (Type::UnsupportedMediaType, Status::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::HeadTooLarge => (
                Type::HeadersTooLarge,
                Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
            ),
            Self::UriTooLong => (Type::HeadersTooLarge, Status::URI_TOO_LONG),
            Self::Unanalysable(_) => (Type::Unanalysable, Status::UNPROCESSABLE_ENTITY),
            Self::Busy { .. } => (Type::Busy, Status::TOO_MANY_REQUESTS),
            Self::Internal(_) => (Type::Internal, Status::INTERNAL_SERVER_ERROR),
            Self::Loading { .. } => (Type::ModelLoading, Status::SERVICE_UNAVAILABLE),
            Self::Ending => (Type::ShuttingDown, Status::SERVICE_UNAVAILABLE),
            Self::Deadline(_) => (Type::Deadline, Status::GATEWAY_TIMEOUT),
            // Occurs only over a WebSocket, which has no status.
            Self::Superseded => (Type::Superseded, Status::CONFLICT),
        }
    }

    pub fn status(&self) -> StatusCode {
        self.kind().1
    }

    pub fn error_type(&self) -> ErrorType {
        self.kind().0
    }

    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: self.to_string(),
            error_type: self.error_type(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Internal(message) = &self {
            tracing::error!(message, "internal error");
        }
        let mut response = (self.status(), Json(self.body())).into_response();
        let headers = response.headers_mut();
        match self {
            Self::Busy { .. } | Self::Loading { .. } => {
                headers.insert(
                    header::RETRY_AFTER,
                    HeaderValue::from(u16::from(RETRY_AFTER)),
                );
            }
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::UpgradeRequired(_) => {
                for (name, value) in [
                    (header::CONNECTION, "upgrade"),
                    (header::UPGRADE, "websocket"),
                    (header::SEC_WEBSOCKET_VERSION, "13"),
                ] {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            Self::Encoded { .. } => {
                let identity = HeaderValue::from_static("identity");
                headers.insert(header::ACCEPT_ENCODING, identity);
            }
            // The client does not keep to the limits.
            Self::BodyTimeout { .. } | Self::TooLarge { .. } | Self::HeadTooLarge => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::NoChunk { n_chunks: 0, .. } => Self::unanalysable(NOTHING),
            EngineError::NoChunk { .. } => Self::Unanalysable(error.to_string()),
            // The engine cancels requests only when it ends with the server.
            EngineError::Cancelled => Self::Ending,
            error => Self::Internal(error.to_string()),
        }
    }
}

/// The error for a text without lexemes.
pub(crate) const NOTHING: &str = "the text contains only whitespace; send some code";

impl From<EndedEarly> for ApiError {
    fn from(error: EndedEarly) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<SelectError> for ApiError {
    fn from(error: SelectError) -> Self {
        Self::Unanalysable(error.to_string())
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Value { key, expected } => {
                Self::Unanalysable(format!("{key} must be {expected}"))
            }
            error => Self::Unanalysable(error.to_string()),
        }
    }
}

impl From<RowsError> for ApiError {
    fn from(error: RowsError) -> Self {
        Self::Unanalysable(error.to_string())
    }
}

impl From<RenderError> for ApiError {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::TooSmall { .. }
            | RenderError::TooLarge { .. }
            | RenderError::Dpi { .. }
            | RenderError::NoChunk { .. } => Self::Unanalysable(error.to_string()),
            error => Self::Internal(error.to_string()),
        }
    }
}
