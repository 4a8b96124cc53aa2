//! Requests about one chunk that are no analysis: its maps in small, its raw tensors.

use std::sync::atomic::{AtomicBool, Ordering};

use super::EngineError;
use super::cache::WindowKey;
use super::job::{Scope, Tools};
use crate::analysis::chunk::{self, Chunk, ChunkConfig};
use crate::analysis::raw::{RawAttention, RawChoice, raw_attention};
use crate::analysis::thumbnails::{Thumbnails, thumbnails};
use crate::analysis::{AnalysisError, PassRecord};
use codegaze_model::Model;
use codegaze_text::document::Document;

/// The raw tensors of one chunk, and which one it is.
#[derive(Clone, Debug, PartialEq)]
pub struct RawChunk {
    pub raw: RawAttention,
    pub chunk: Chunk,
    pub chunk_idx: usize,
    /// Chunks of the whole document.
    pub n_chunks: usize,
}

pub(super) fn maps(
    document: &Document,
    scope: Scope,
    model: &Model,
    size: usize,
    tools: &mut Tools,
    cancel: &AtomicBool,
) -> Result<Thumbnails, EngineError> {
    let (chunk, chunk_idx, _) = find(document, scope, model, tools, cancel)?;
    let text = chunk.span.of(document.text());
    with_record(text, model, tools, |record| {
        Ok(thumbnails(model, text, chunk_idx, size, record, cancel)?)
    })
}

pub(super) fn raw(
    document: &Document,
    scope: Scope,
    model: &Model,
    choice: RawChoice,
    tools: &mut Tools,
    cancel: &AtomicBool,
) -> Result<RawChunk, EngineError> {
    let (chunk, chunk_idx, n_chunks) = find(document, scope, model, tools, cancel)?;
    let text = chunk.span.of(document.text());
    let raw = with_record(text, model, tools, |record| {
        raw_attention(model, document, &chunk, choice, Some(record), cancel)
    })?;
    Ok(RawChunk {
        raw,
        chunk,
        chunk_idx,
        n_chunks,
    })
}

/// The first chunk in the scope, its number, and how many there are.
fn find(
    document: &Document,
    scope: Scope,
    model: &Model,
    tools: &mut Tools,
    cancel: &AtomicBool,
) -> Result<(Chunk, usize, usize), EngineError> {
    let config = ChunkConfig::new(model.info().max_code_subwords());
    let mut count = |text: &str| tools.counts.count_unless(cancel, model, text);
    let chunks = chunk::plan(document.text(), document.index(), &mut count, &config);
    if cancel.load(Ordering::Relaxed) {
        return Err(EngineError::Cancelled);
    }
    let wanted = chunks
        .iter()
        .enumerate()
        .find(|&(at, chunk)| scope.wants(at, chunk, chunks.len()));
    let Some((chunk_idx, &chunk)) = wanted else {
        return Err(EngineError::NoChunk {
            chunk: match scope {
                Scope::Chunk(chunk) => chunk,
                _ => 0,
            },
            n_chunks: chunks.len(),
        });
    };
    Ok((chunk, chunk_idx, chunks.len()))
}

/// A pass that goes on where an earlier one over the same text stopped, and leaves what it computed to the next.
fn with_record<T>(
    text: &str,
    model: &Model,
    tools: &mut Tools,
    pass: impl FnOnce(&mut PassRecord) -> Result<T, AnalysisError>,
) -> Result<T, EngineError> {
    let key = WindowKey::new(text, model.info());
    let mut record = tools.cache.take_record(key);
    tools.passes += 1;
    tools.resumed += u64::from(record.n_layers() > 0);
    let done = pass(&mut record);
    // Also after a cancelled pass.
    tools.cache.insert_record(key, record);
    Ok(done?)
}
