//! All layers' and heads' maps of one chunk, in small.

use serde::Serialize;

use codegaze_core::analysis::thumbnails::Thumbnails;

use super::LiveView;
use crate::matrix::pack_thumbnails;

/// All maps of a chunk.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThumbnailsResult {
    pub version: i64,
    pub chunk: usize,
    pub layers: usize,
    pub heads: usize,
    /// Cells on each side.
    pub size: usize,
    /// [layer, head, query, key], one byte for each cell, as base64.
    pub cells: String,
}

impl LiveView {
    /// `None` for a chunk without subwords.
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
