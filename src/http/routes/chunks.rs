//! The windows in which the model reads a text, as responses describe them.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::error::{ApiError, NOTHING};
use crate::analysis::Unscored;
use crate::engine::{Finished, Planned, RawChunk, Scope};
use crate::text::ByteSpan;
use crate::text::line_index::LineIndex;
use crate::view::position::WireSpan;

/// `<s>` and `</s>`.
const N_SPECIAL: usize = 2;

/// One window of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ChunkInfo {
    /// The number of the chunk, from 0.
    pub index: usize,
    /// The part of the text that the model read.
    pub span: WireSpan,
    /// The part of `span` that was scored. The cores of all chunks partition the text.
    pub core: WireSpan,
    /// The first and last line of the core, from 0.
    pub lines: Lines,
    /// The number of subwords that the model read, including special ones; 0 if the chunk is only whitespace.
    pub token_count: usize,
}

/// Line numbers from 0; both ends are included.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Lines {
    pub first: usize,
    pub last: usize,
}

/// The shares of a chunk's attention that special subwords, whitespace and context took, each 0 … 1.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "names on the wire")]
pub(crate) struct Shares {
    /// The share of special subwords, before sinks are dropped.
    pub sink_share: f32,
    /// The share of whitespace in the remaining attention.
    pub whitespace_share: f32,
    /// The share of the lines around the core in the remaining attention.
    pub context_share: f32,
}

/// A part of the text that has no scores.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct UnscoredPart {
    pub span: WireSpan,
    pub reason: String,
}

impl From<&Unscored> for UnscoredPart {
    fn from(part: &Unscored) -> Self {
        Self {
            span: part.span.into(),
            reason: part.reason.clone(),
        }
    }
}

impl ChunkInfo {
    fn new(
        index: &LineIndex,
        chunk_idx: usize,
        (span, core): (ByteSpan, ByteSpan),
        token_count: usize,
    ) -> Self {
        Self {
            index: chunk_idx,
            span: span.into(),
            core: core.into(),
            lines: Lines {
                first: index.line_at(core.start),
                last: index.line_at(core.end.max(core.start + 1) - 1),
            },
            token_count,
        }
    }

    /// Of each of an analysis' chunks.
    pub fn of(finished: &Finished) -> Vec<(Self, Shares)> {
        let chunks = finished.analysis.chunks.iter().enumerate();
        chunks
            .map(|(at, chunk)| {
                let place = (chunk.span, chunk.core);
                let index = finished.document.index();
                let info = Self::new(index, finished.first_chunk + at, place, chunk.n_tokens);
                let shares = Shares {
                    sink_share: chunk.sink_share,
                    whitespace_share: chunk.whitespace_share,
                    context_share: chunk.context_share,
                };
                (info, shares)
            })
            .collect()
    }

    pub fn of_raw(index: &LineIndex, chunk: &RawChunk) -> Self {
        let place = (chunk.chunk.span, chunk.chunk.core);
        Self::new(index, chunk.chunk_idx, place, chunk.raw.n_tokens)
    }
}

/// Attention weights in the square matrices of the wanted chunks that are not blank.
///
/// # Errors
/// When there is no such chunk, or nothing but whitespace.
pub(crate) fn cells(planned: &Planned, scope: Scope) -> Result<usize, ApiError> {
    let chunks = planned.chunks_in(scope)?;
    let wanted = chunks.filter(|&chunk_idx| !planned.is_blank(chunk_idx));
    let cells = wanted.map(|chunk_idx| {
        let n_tokens = planned.chunks()[chunk_idx].n_subwords + N_SPECIAL;
        n_tokens.saturating_mul(n_tokens)
    });
    let sum = cells.reduce(usize::saturating_add);
    sum.ok_or_else(|| ApiError::unanalysable(NOTHING))
}
