//! The windows in which the model reads a text, as answers tell them.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::body::off_thread;
use super::super::error::{ApiError, NOTHING};
use super::super::position::Span;
use super::ask::Target;
use crate::analysis::chunk::{Chunk, ChunkConfig};
use crate::analysis::{Unscored, plan_chunks};
use crate::engine::{Finished, RawChunk, Scope};
use crate::text::ByteSpan;
use crate::text::line_index::LineIndex;

/// One window of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ChunkInfo {
    /// The number of the chunk, from 0.
    pub index: usize,
    /// The part of the text that the model read.
    pub span: Span,
    /// The part of `span` that was scored. The cores of all chunks partition the text.
    pub core: Span,
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
    pub span: Span,
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
    fn new(index: &LineIndex, chunk_idx: usize, chunk: Chunk, token_count: usize) -> Self {
        Self {
            index: chunk_idx,
            span: chunk.span.into(),
            core: chunk.core.into(),
            lines: Lines {
                first: index.line_at(chunk.core.start),
                last: index.line_at(chunk.core.end.max(chunk.core.start + 1) - 1),
            },
            token_count,
        }
    }

    /// Of each of an analysis' chunks.
    pub fn of(finished: &Finished) -> Vec<(Self, Shares)> {
        let chunks = finished.analysis.chunks.iter().enumerate();
        chunks
            .map(|(at, chunk)| {
                let place = Chunk {
                    span: chunk.span,
                    core: chunk.core,
                };
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
        Self::new(index, chunk.chunk_idx, chunk.chunk, chunk.raw.n_tokens)
    }
}

/// How a text will be cut.
pub(crate) struct Plan {
    /// Of the whole text.
    pub n_chunks: usize,
    /// Of each chunk that is wanted and not blank: its number, and its subwords, special ones included.
    pub wanted: Vec<(usize, usize)>,
}

impl Plan {
    /// Cuts the target as the engine will.
    ///
    /// # Errors
    /// When there is no such chunk, or nothing in it.
    pub async fn new(target: &Target) -> Result<Self, ApiError> {
        let (model, document, scope) = (
            std::sync::Arc::clone(&target.model),
            target.document.clone(),
            target.scope,
        );
        off_thread(move || {
            let config = ChunkConfig::new(model.info().max_code_subwords());
            let chunks = plan_chunks(&model, &document, &config);
            let is_wanted = |at: usize| match scope {
                Scope::Chunk(wanted) => wanted == at,
                _ => true,
            };
            let is_blank = |span: ByteSpan| span.of(document.text()).trim().is_empty();
            if let Scope::Chunk(wanted) = scope
                && wanted >= chunks.len()
            {
                return Err(crate::engine::EngineError::NoChunk {
                    chunk: wanted,
                    n_chunks: chunks.len(),
                }
                .into());
            }
            let wanted: Vec<(usize, usize)> = chunks
                .iter()
                .enumerate()
                .filter(|&(at, chunk)| is_wanted(at) && !is_blank(chunk.core))
                .map(|(at, chunk)| {
                    let subwords = model.tokenizer().count(chunk.span.of(document.text()));
                    (at, subwords + 2)
                })
                .collect();
            if wanted.is_empty() {
                return Err(ApiError::unanalysable(NOTHING));
            }
            Ok(Self {
                n_chunks: chunks.len(),
                wanted,
            })
        })
        .await
    }

    /// Attention weights in all wanted chunks' square matrices.
    pub fn cells(&self) -> usize {
        self.wanted
            .iter()
            .map(|&(_, n_tokens)| n_tokens.saturating_mul(n_tokens))
            .fold(0, usize::saturating_add)
    }
}
