//! The messages of a WebSocket, in both directions: the types of `docs/http.md`. `codegaze_view::live` has those of results, which
//! are the language server's too.

use serde::{Deserialize, Serialize};

use super::super::error::{ApiError, ErrorBody};
use super::super::routes::info::{ModelDescription, ModelState};
use crate::view::heatmap::Unit;
use crate::view::live::Change;
use crate::view::live::heat::HeatmapResult;
use crate::view::options::ViewOptions;
use crate::view::position::{Encoding, WirePosition, WireRange};

/// From the client.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum ClientMessage {
    /// Replaces the document by a new one.
    Open {
        version: i64,
        text: String,
        /// As in a request to `/analyze`: an id as in the Language Server Protocol or a common alias.
        language: Option<String>,
        model: Option<String>,
        view: Option<ViewOptions>,
        range: Option<WireRange>,
        #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
        #[serde(default)]
        encoding: Encoding,
        /// Where levels 1 to 5 begin: five ascending quantiles of lift in the document.
        level_quantiles: Option<Vec<f32>>,
    },
    Edit {
        version: i64,
        changes: Vec<Change>,
    },
    /// The visible part: it is analyzed first, and heat is sent of this part only.
    Look {
        range: Option<WireRange>,
    },
    /// Selects another model, view or other levels for the same text. Omitted keys keep their values.
    View {
        model: Option<String>,
        view: Option<ViewOptions>,
        /// As in `open`.
        level_quantiles: Option<Vec<f32>>,
    },
    Matrix {
        id: u64,
        slot: Option<String>,
        position: Option<WirePosition>,
        chunk: Option<usize>,
        model: Option<String>,
        view: Option<ViewOptions>,
        #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
        #[serde(default)]
        unit: Unit,
    },
    Thumbnails {
        id: u64,
        slot: Option<String>,
        position: Option<WirePosition>,
        chunk: Option<usize>,
        model: Option<String>,
        size: Option<usize>,
    },
    Relations {
        id: u64,
        slot: Option<String>,
        position: WirePosition,
        limit: Option<usize>,
    },
    Summary {
        id: u64,
        slot: Option<String>,
        /// The number of most attended lexemes in the result; 20 by default.
        top: Option<usize>,
    },
    /// Closes the document; the connection stays open.
    Close {},
}

/// From the server, without a question.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Notice {
    /// The first message.
    Hello {
        protocol: &'static str,
        version: &'static str,
        /// As in `GET /models`.
        models: Vec<ModelDescription>,
        max_text_bytes: usize,
    },
    /// Whether the document waits for its model.
    Status { state: ModelState, model: String },
    Error {
        /// The question's id; `null` if the error does not answer a question.
        id: Option<u64>,
        #[serde(flatten)]
        error: ErrorBody,
    },
}

impl Notice {
    pub fn error(id: Option<u64>, error: &ApiError) -> Self {
        Self::Error {
            id,
            error: error.body(),
        }
    }
}

/// The heat of the newest version.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Heat {
    #[cfg_attr(feature = "ts", ts(type = "'heat'"))]
    pub r#type: &'static str,
    #[serde(flatten)]
    pub heatmap: HeatmapResult,
    pub chunks: Progress,
    pub sink_share: f32,
    pub analysis_ms: f64,
}

/// How many chunks are analyzed.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Progress {
    pub done: usize,
    pub all: usize,
    /// Of those that are done.
    pub cached: usize,
}

/// The answer to a question.
#[derive(Debug, Serialize)]
pub(super) struct AnswerMessage<T> {
    pub r#type: &'static str,
    pub id: u64,
    /// `null` if there is nothing at that place.
    pub result: Option<T>,
}
