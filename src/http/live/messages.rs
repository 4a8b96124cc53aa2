//! What is said over a WebSocket, in both directions: the types of `docs/http.md`. Names as in `docs/protocol.md`, where the
//! language server says the same.

use serde::{Deserialize, Serialize};

use super::super::error::{ApiError, ErrorBody};
use super::super::position::{Encoding, Position, Range};
use super::super::routes::info::ModelDescription;
use crate::view::heatmap::Unit;
use crate::view::options::{ViewAnswer, ViewOptions};

/// From the client.
#[derive(Debug, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub(super) enum ClientMessage {
    /// A new text, in place of any before.
    Open {
        version: i64,
        text: String,
        model: Option<String>,
        view: Option<ViewOptions>,
        range: Option<Range>,
        #[serde(default)]
        encoding: Encoding,
    },
    Edit {
        version: i64,
        changes: Vec<Change>,
    },
    /// What is visible: analyzed first, and only this is told.
    Look {
        range: Option<Range>,
    },
    /// The same text with another model or under another view; what is left out stays.
    View {
        model: Option<String>,
        view: Option<ViewOptions>,
    },
    Matrix {
        id: u64,
        slot: Option<String>,
        position: Option<Position>,
        chunk: Option<usize>,
        model: Option<String>,
        view: Option<ViewOptions>,
        #[serde(default)]
        unit: Unit,
    },
    Thumbnails {
        id: u64,
        slot: Option<String>,
        position: Option<Position>,
        chunk: Option<usize>,
        model: Option<String>,
        size: Option<usize>,
    },
    Relations {
        id: u64,
        slot: Option<String>,
        position: Position,
        limit: Option<usize>,
    },
    Summary {
        id: u64,
        slot: Option<String>,
    },
    /// The document is forgotten; the connection stays.
    Close {},
}

/// As in the Language Server Protocol: without a range the whole text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub range: Option<Range>,
    pub text: String,
}

/// From the server, of its own accord.
#[derive(Debug, Serialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub(super) enum Notice {
    /// First of all.
    Hello {
        protocol: &'static str,
        version: &'static str,
        /// As in `GET /models`.
        models: Vec<ModelDescription>,
        max_text_bytes: usize,
    },
    /// The model that the document waits for, and that it waits no longer.
    Status { state: State, model: String },
    Error {
        /// Of the question, if it was one.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Loading,
    Ready,
}

/// The heat of the newest version.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Heat {
    pub r#type: &'static str,
    pub version: i64,
    pub view: ViewAnswer,
    pub levels: usize,
    pub encoding: Encoding,
    pub complete: bool,
    pub chunks: Progress,
    pub unscored: Vec<Range>,
    /// Five integers a lexeme, as in `docs/protocol.md`.
    pub data: Vec<u32>,
    pub sink_share: f32,
    pub analysis_ms: f64,
}

/// How far an analysis is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Progress {
    pub done: usize,
    pub all: usize,
    /// Of those that are done.
    pub cached: usize,
}

/// To a question.
#[derive(Debug, Serialize)]
pub(super) struct Answer<T> {
    pub r#type: &'static str,
    pub id: u64,
    /// Null: nothing is there.
    pub result: Option<T>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MatrixResult {
    pub version: i64,
    pub view: ViewAnswer,
    pub chunk: usize,
    pub chunks: usize,
    pub range: Range,
    pub definition: Option<Range>,
    pub unit: Unit,
    pub tokens: Vec<MatrixToken>,
    pub weights: String,
    pub max: f32,
    pub sink_share: f32,
}

#[derive(Debug, Serialize)]
pub(super) struct MatrixToken {
    pub label: String,
    pub range: Option<Range>,
    pub score: f32,
}

#[derive(Debug, Serialize)]
pub(super) struct ThumbnailsResult {
    pub version: i64,
    pub chunk: usize,
    pub layers: usize,
    pub heads: usize,
    pub size: usize,
    pub cells: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RelationsResult {
    pub version: i64,
    pub view: ViewAnswer,
    pub chunk: usize,
    pub lexeme: LexemeHeat,
    pub attends_to: Vec<RelatedLexeme>,
    pub attended_by: Vec<RelatedLexeme>,
}

#[derive(Debug, Serialize)]
pub(super) struct LexemeHeat {
    pub range: Range,
    pub text: String,
    pub level: u8,
    pub share: f32,
    pub lift: f32,
    pub rank: usize,
}

#[derive(Debug, Serialize)]
pub(super) struct RelatedLexeme {
    pub range: Range,
    pub text: String,
    pub weight: f32,
}

/// What lines, definitions and chunks get.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SummaryResult {
    pub version: i64,
    pub view: ViewAnswer,
    /// Ascending; lines without lexemes are left out.
    pub lines: Vec<LineSummary>,
    /// Top-level ones, ascending.
    pub definitions: Vec<DefinitionSummary>,
    pub chunks: Vec<ChunkSummary>,
    /// The most attended lexemes, best first.
    pub top: Vec<LexemeHeat>,
    pub sink_share: f32,
    pub whitespace_share: f32,
}

#[derive(Debug, Serialize)]
pub(super) struct LineSummary {
    pub line: usize,
    /// Of the document; all sum to 1.
    pub share: f32,
    /// 1 is the average line.
    pub lift: f32,
    pub level: u8,
}

#[derive(Debug, Serialize)]
pub(super) struct DefinitionSummary {
    pub range: Range,
    pub name: String,
    /// Of the document.
    pub share: f32,
    /// In words.
    pub title: String,
    pub top: Option<TopSummary>,
}

#[derive(Debug, Serialize)]
pub(super) struct TopSummary {
    pub range: Range,
    pub label: String,
    pub lift: f32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChunkSummary {
    /// Of the core.
    pub range: Range,
    /// Subwords, special ones included.
    pub tokens: usize,
    pub sink_share: f32,
    pub whitespace_share: f32,
    pub cached: bool,
}
