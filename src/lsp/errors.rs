//! Errors of other modules as errors of the protocol.

use std::fmt::Display;

use tower_lsp::jsonrpc::{Error, Result};

use crate::engine::EngineError;
use crate::off_thread::EndedEarly;
use crate::view::options::ViewError;
use crate::view::picture::RenderError;

pub(crate) fn invalid_params(error: &ViewError) -> Error {
    Error::invalid_params(error.to_string())
}

pub(crate) fn engine_error(error: &EngineError) -> Error {
    match error {
        EngineError::Cancelled => Error::request_cancelled(),
        EngineError::NoChunk { .. } => Error::invalid_params(error.to_string()),
        error => {
            tracing::error!(%error, "no analysis");
            internal_error(error)
        }
    }
}

/// A picture that cannot be drawn from what the engine computed.
pub(crate) fn drawn<T>(result: std::result::Result<T, RenderError>) -> Result<T> {
    result.map_err(|error| internal_error(&error))
}

fn internal_error(error: &dyn Display) -> Error {
    let mut answer = Error::internal_error();
    answer.message = error.to_string().into();
    answer
}

impl From<EndedEarly> for Error {
    fn from(error: EndedEarly) -> Self {
        internal_error(&error)
    }
}
