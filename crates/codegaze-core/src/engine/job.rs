//! One document under one view, chunk by chunk: first the cached chunks, then the visible ones, then the rest.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::EngineError;
use super::cache::CacheView;
use super::plan::{Planned, Scope};
use super::worker::WorkerContext;
use crate::analysis::chunk::Chunk;
use crate::analysis::{Analysis, AnalysisConfig, ScoredWindow, Timing, assemble, score_window};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

/// The unfinished analysis of a document.
pub(super) struct Job {
    planned: Arc<Planned>,
    config: Arc<AnalysisConfig>,
    cache_view: CacheView,
    scope: Scope,
    /// The chunks of the scope.
    chunks: Vec<JobChunk>,
    /// The time that this job spent on the plan.
    chunking: Duration,
    started: Instant,
}

struct JobChunk {
    chunk_idx: usize,
    chunk: Chunk,
    /// `None` until it is scored.
    window: Option<Arc<ScoredWindow>>,
    was_cached: bool,
}

impl Job {
    /// Begins with the scores that are in the cache.
    ///
    /// # Errors
    /// [`EngineError::NoChunk`]
    pub fn new(
        planned: Arc<Planned>,
        config: Arc<AnalysisConfig>,
        scope: Scope,
        context: &mut WorkerContext,
    ) -> Result<Self, EngineError> {
        let started = Instant::now();
        let cache_view = CacheView::new(&config);
        let chunks = planned
            .chunks_in(scope)?
            .map(|chunk_idx| {
                let chunk = planned.chunks()[chunk_idx];
                let (key, core) = (planned.key(chunk_idx), chunk.core_in_span());
                let window = context.cache.score(key, core, &cache_view);
                JobChunk {
                    chunk_idx,
                    chunk,
                    was_cached: window.is_some(),
                    window,
                }
            })
            .collect();
        Ok(Self {
            chunking: planned.charge(),
            planned,
            config,
            cache_view,
            scope,
            chunks,
            started,
        })
    }

    /// Whether all chunks that touch `focus` are scored; for `None`, whether all chunks are.
    pub fn is_done(&self, focus: Option<ByteSpan>) -> bool {
        let mut chunks = self.chunks.iter();
        chunks.all(|part| part.window.is_some() || !part.touches(focus))
    }

    /// (chunks that are scored, chunks in all)
    pub fn progress(&self) -> (usize, usize) {
        let done = self.chunks.iter().filter(|part| part.window.is_some());
        (done.count(), self.chunks.len())
    }

    /// Scores the unscored chunk that is nearest to `focus`.
    pub fn step(
        &mut self,
        focus: Option<ByteSpan>,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<(), EngineError> {
        let missing = self.chunks.iter_mut().filter(|part| part.window.is_none());
        let Some(next) = missing.min_by_key(|part| part.distance(focus)) else {
            return Ok(());
        };
        let core = next.chunk.core_in_span();
        let window = context.pass(&self.planned, next.chunk_idx, cancel, |pass| {
            score_window(pass, core, &self.config)
        })?;
        let window = Arc::new(window);
        let key = self.planned.key(next.chunk_idx);
        context
            .cache
            .insert_score(key, core, &self.cache_view, Arc::clone(&window));
        next.window = Some(window);
        Ok(())
    }

    /// The analysis of the chunks that are scored so far.
    pub fn assemble(&self) -> Finished {
        let Planned {
            model, document, ..
        } = &*self.planned;
        let scored: Vec<(Chunk, Arc<ScoredWindow>)> = self
            .chunks
            .iter()
            .filter_map(|part| Some((part.chunk, Arc::clone(part.window.as_ref()?))))
            .collect();
        let mut analysis = assemble(document, model.info(), &self.config, &scored);
        analysis.timing.chunk = self.planned.chunking();
        analysis.timing.total = self.chunking + self.started.elapsed();
        Finished {
            spent: self.spent(analysis.timing.total),
            complete: self.is_done(None),
            first_chunk: self.chunks.first().map_or(0, |first| first.chunk_idx),
            n_chunks: self.planned.chunks().len(),
            cached: self
                .chunks
                .iter()
                .filter(|part| part.window.is_some())
                .map(|part| part.was_cached)
                .collect(),
            document: document.clone(),
            scope: self.scope,
            analysis,
        }
    }

    fn spent(&self, total: Duration) -> Timing {
        let mut spent = Timing {
            chunk: self.chunking,
            total,
            ..Timing::default()
        };
        let fresh = self.chunks.iter().filter(|part| !part.was_cached);
        for window in fresh.filter_map(|part| part.window.as_ref()) {
            spent.tokenize += window.tokenize;
            spent.forward += window.forward;
            spent.attribute += window.attribute;
        }
        spent
    }
}

impl JobChunk {
    fn touches(&self, focus: Option<ByteSpan>) -> bool {
        focus.is_none_or(|focus| touch(self.chunk.core, focus))
    }

    /// Bytes between the core and the focus.
    fn distance(&self, focus: Option<ByteSpan>) -> usize {
        let core = self.chunk.core;
        focus.map_or(0, |focus| {
            let before = focus.start.saturating_sub(core.end);
            before + core.start.saturating_sub(focus.end)
        })
    }
}

/// Whether two spans have a byte in common. An empty `part` counts as the byte at its offset.
fn touch(core: ByteSpan, part: ByteSpan) -> bool {
    core.start < part.end.max(part.start + 1) && part.start < core.end
}

/// An analysis together with the text that was analyzed.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The version that was analyzed.
    pub document: Document,
    /// The scores.
    pub analysis: Analysis,
    /// Whether every chunk of the scope is scored.
    pub complete: bool,
    /// Which chunks were requested.
    pub scope: Scope,
    /// The index in the document of the first chunk in `analysis`.
    pub first_chunk: usize,
    /// The number of chunks in the whole document.
    pub n_chunks: usize,
    /// Whether each chunk in `analysis` came from the cache, \[chunk\].
    pub cached: Vec<bool>,
    /// The time of each stage, without chunks that came from the cache.
    pub spent: Timing,
}
