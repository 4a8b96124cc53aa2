//! A version of a document, cut into chunks for a model once and shared by every task that works on it.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use super::EngineError;
use super::cache::WindowKey;
use super::counts::Counts;
use crate::analysis::chunk::{self, Chunk, ChunkConfig};
use crate::panics::lock;
use codegaze_model::Model;
use codegaze_text::document::Document;

/// Which chunks of a document a request is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All chunks.
    #[default]
    Document,
    /// The chunk whose core contains this byte offset; the last chunk for an offset past the end.
    ChunkAt(usize),
    /// The chunk with this index.
    Chunk(usize),
}

/// A version of a document, and the chunks in which a model reads it.
pub struct Planned {
    /// The model that reads the document.
    pub model: Arc<Model>,
    /// The version.
    pub document: Document,
    chunks: Vec<Chunk>,
    /// The cache key of each chunk.
    keys: Vec<WindowKey>,
    chunking: Duration,
    /// Whether a job has counted `chunking` as time that it spent.
    is_charged: AtomicBool,
}

impl Planned {
    /// # Errors
    /// If planning is cancelled, because an unfinished plan is invalid.
    pub(super) fn new(
        model: &Arc<Model>,
        document: &Document,
        counts: &mut Counts,
        cancel: &AtomicBool,
    ) -> Result<Self, EngineError> {
        let start = Instant::now();
        let config = ChunkConfig::new(model.info().max_code_subwords());
        let (text, index) = (document.text(), document.index());
        let mut count = |text: &str| counts.count_unless(cancel, model, text);
        let chunks = chunk::plan(text, index, &mut count, &config);
        if cancel.load(Ordering::Relaxed) {
            return Err(EngineError::Cancelled);
        }
        let chunking = start.elapsed();
        let key = |chunk: &Chunk| WindowKey::new(chunk.span.of(text), model.info());
        Ok(Self {
            model: Arc::clone(model),
            document: document.clone(),
            keys: chunks.iter().map(key).collect(),
            chunks,
            chunking,
            is_charged: AtomicBool::new(false),
        })
    }

    /// All chunks of the document, ascending.
    #[must_use]
    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// The text of a chunk, including context.
    #[must_use]
    pub fn text(&self, chunk_idx: usize) -> &str {
        self.chunks[chunk_idx].span.of(self.document.text())
    }

    /// Whether the core of a chunk is only whitespace.
    #[must_use]
    pub fn is_blank(&self, chunk_idx: usize) -> bool {
        let core = self.chunks[chunk_idx].core;
        core.of(self.document.text()).trim().is_empty()
    }

    /// The indices of the chunks in a scope; empty only for an empty document.
    ///
    /// # Errors
    /// [`EngineError::NoChunk`]
    pub fn chunks_in(&self, scope: Scope) -> Result<Range<usize>, EngineError> {
        let n_chunks = self.chunks.len();
        match scope {
            Scope::Document => Ok(0..n_chunks),
            Scope::Chunk(chunk) if chunk >= n_chunks => {
                Err(EngineError::NoChunk { chunk, n_chunks })
            }
            Scope::Chunk(chunk) => Ok(chunk..chunk + 1),
            Scope::ChunkAt(offset) => {
                let at = self
                    .chunks
                    .partition_point(|chunk| chunk.core.end <= offset);
                let at = at.min(n_chunks.saturating_sub(1));
                Ok(at..n_chunks.min(at + 1))
            }
        }
    }

    pub(super) fn key(&self, chunk_idx: usize) -> WindowKey {
        self.keys[chunk_idx]
    }

    /// How long cutting the document took.
    pub(super) fn chunking(&self) -> Duration {
        self.chunking
    }

    /// [`Self::chunking`] for the first job and zero for later ones, because the time was spent once.
    pub(super) fn charge(&self) -> Duration {
        if self.is_charged.swap(true, Ordering::Relaxed) {
            Duration::ZERO
        } else {
            self.chunking
        }
    }
}

impl fmt::Debug for Planned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Planned")
            .field("model", &self.model.info().id)
            .field("version", &self.document.version())
            .field("chunks", &self.chunks.len())
            .finish_non_exhaustive()
    }
}

/// The plans that are in use, so that each is computed once.
#[derive(Default)]
pub(super) struct Plans(Mutex<Vec<Weak<Planned>>>);

impl Plans {
    pub fn find(&self, model: &Arc<Model>, document: &Document) -> Option<Arc<Planned>> {
        let plans = lock(&self.0);
        plans.iter().filter_map(Weak::upgrade).find(|planned| {
            // Comparing versions is fast, and so is comparing clones of a document, which share their text.
            Arc::ptr_eq(&planned.model, model)
                && planned.document.version() == document.version()
                && planned.document == *document
        })
    }

    pub fn add(&self, planned: &Arc<Planned>) {
        let mut plans = lock(&self.0);
        plans.retain(|planned| planned.strong_count() > 0);
        plans.push(Arc::downgrade(planned));
    }
}
