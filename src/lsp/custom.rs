//! Requests and notifications that the protocol does not have: the types of `docs/protocol.md`. `codegaze_view::live` has those of
//! most results.

use serde::{Deserialize, Serialize};
use tower_lsp::ls_types::notification::Notification;
use tower_lsp::ls_types::{Position, Range, TextDocumentIdentifier, Uri};

use crate::attribution::Method;
use crate::engine::CacheStats;
use crate::model::{Device, Precision};
use crate::view::heatmap::Unit;
use crate::view::options::{ViewAnswer, ViewOptions};

/// Custom requests, by their names on the wire.
pub(crate) mod method {
    pub(crate) const HEATMAP: &str = "codegaze/heatmap";
    pub(crate) const EXPLAIN: &str = "codegaze/explain";
    pub(crate) const RELATIONS: &str = "codegaze/relations";
    pub(crate) const MATRIX: &str = "codegaze/matrix";
    pub(crate) const THUMBNAILS: &str = "codegaze/thumbnails";
    pub(crate) const MODEL: &str = "codegaze/model";
}

/// A result, and the document that it is about.
#[derive(Debug, Serialize)]
pub(crate) struct OfDocument<T> {
    pub uri: Uri,
    #[serde(flatten)]
    pub result: T,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HeatmapParams {
    #[cfg_attr(feature = "ts", ts(type = "{ uri: string }"))]
    pub text_document: TextDocumentIdentifier,
    #[cfg_attr(feature = "ts", ts(optional, type = "Range"))]
    #[serde(default)]
    pub range: Option<Range>,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplainParams {
    #[cfg_attr(feature = "ts", ts(type = "{ uri: string }"))]
    pub text_document: TextDocumentIdentifier,
    #[cfg_attr(feature = "ts", ts(type = "Position"))]
    pub position: Position,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RelationsParams {
    #[cfg_attr(feature = "ts", ts(type = "{ uri: string }"))]
    pub text_document: TextDocumentIdentifier,
    #[cfg_attr(feature = "ts", ts(type = "Position"))]
    pub position: Position,
    #[serde(default)]
    pub limit: Option<usize>,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MatrixParams {
    #[cfg_attr(feature = "ts", ts(type = "{ uri: string }"))]
    pub text_document: TextDocumentIdentifier,
    #[cfg_attr(feature = "ts", ts(optional, type = "Position"))]
    #[serde(default)]
    pub position: Option<Position>,
    #[serde(default)]
    pub chunk: Option<usize>,
    #[serde(default)]
    pub view: Option<ViewOptions>,
    #[cfg_attr(feature = "ts", ts(as = "Option<_>", optional))]
    #[serde(default)]
    pub unit: Unit,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThumbnailsParams {
    #[cfg_attr(feature = "ts", ts(type = "{ uri: string }"))]
    pub text_document: TextDocumentIdentifier,
    #[cfg_attr(feature = "ts", ts(optional, type = "Position"))]
    #[serde(default)]
    pub position: Option<Position>,
    #[serde(default)]
    pub chunk: Option<usize>,
    #[serde(default)]
    pub size: Option<usize>,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "Cache"))]
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CacheAnswer {
    entries: usize,
    bytes: usize,
    limit_bytes: usize,
    hits: u64,
    misses: u64,
    evictions: u64,
}

impl From<CacheStats> for CacheAnswer {
    fn from(stats: CacheStats) -> Self {
        Self {
            entries: stats.entries,
            bytes: stats.bytes,
            limit_bytes: stats.limit_bytes,
            hits: stats.hits,
            misses: stats.misses,
            evictions: stats.evictions,
        }
    }
}

/// Whether the model can be used.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LoadState {
    Loading,
    Ready,
    Downloading,
    Error,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModelResult {
    pub state: LoadState,
    pub message: Option<String>,
    pub requested: String,
    pub id: Option<String>,
    pub revision: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "ModelOrigin | null"))]
    pub source: Option<&'static str>,
    pub embedded: bool,
    pub layers: usize,
    pub heads: usize,
    pub hidden_size: usize,
    pub max_tokens: usize,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub precision: Precision,
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub device: Device,
    pub view: Option<ViewAnswer>,
    #[cfg_attr(feature = "ts", ts(type = "MethodName[]"))]
    pub methods: Vec<Method>,
    /// What a user should know about how the model was read, such as a task head that is not used.
    pub notes: Vec<String>,
    pub cache: CacheAnswer,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "Status"))]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StatusParams {
    pub state: LoadState,
    pub message: Option<String>,
    pub model: Option<String>,
    pub embedded: bool,
    pub percent: Option<u32>,
    pub analysis_ms: Option<f64>,
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub analysis_uri: Option<Uri>,
    pub notes: Vec<String>,
    pub view: Option<ViewAnswer>,
}

#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "HeatmapChanged"))]
#[derive(Clone, Debug, Serialize)]
pub(crate) struct HeatmapChangedParams {
    #[cfg_attr(feature = "ts", ts(type = "string"))]
    pub uri: Uri,
    pub version: i32,
    pub complete: bool,
    pub percent: u32,
}

/// A notification's parameters must be readable too, for the trait; nobody reads them here.
macro_rules! sent_only {
    ($params:ty) => {
        impl<'de> Deserialize<'de> for $params {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(serde::de::Error::custom("sent, never received"))
            }
        }
    };
}

sent_only!(StatusParams);
sent_only!(HeatmapChangedParams);

pub(crate) enum Status {}

impl Notification for Status {
    type Params = StatusParams;
    const METHOD: &'static str = "codegaze/status";
}

pub(crate) enum HeatmapChanged {}

impl Notification for HeatmapChanged {
    type Params = HeatmapChangedParams;
    const METHOD: &'static str = "codegaze/heatmapChanged";
}
