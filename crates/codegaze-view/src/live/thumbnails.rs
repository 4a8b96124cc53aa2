//! Thumbnails of the maps of all layers and heads of one chunk.

use serde::Serialize;

use codegaze_core::analysis::thumbnails::Thumbnails;

use super::LiveView;
use crate::matrix::pack_thumbnails;

/// Thumbnails of the maps of all layers and heads of a chunk.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThumbnailsResult {
    /// The version of the document that was analyzed.
    pub version: i64,
    /// The index of the chunk.
    pub chunk: usize,
    /// The number of layers.
    pub layers: usize,
    /// The number of heads in each layer.
    pub heads: usize,
    /// The number of cells on each side of a map.
    pub size: usize,
    /// [layer, head, query, key], one byte for each cell, as base64.
    pub cells: String,
}

impl LiveView {
    /// The wire form of thumbnails; `None` for a chunk without subwords.
    #[must_use]
    pub fn thumbnails(&self, drawn: &Thumbnails) -> Option<ThumbnailsResult> {
        Some(ThumbnailsResult {
            version: self.version,
            chunk: drawn.chunk_idx,
            layers: drawn.n_layers,
            heads: drawn.n_heads,
            size: drawn.size,
            cells: pack_thumbnails(drawn)?,
        })
    }
}
