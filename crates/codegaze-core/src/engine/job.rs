//! One document under one view, chunk by chunk: first what the cache has, then what the user looks at, then the rest.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::ModelAndView;
use super::cache::{CacheView, WindowKey};
use super::worker::WorkerContext;
use crate::analysis::chunk::{self, Chunk};
use crate::analysis::{Analysis, AnalysisError, ScoredWindow, Timing, assemble, score_window};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

/// Which chunks of the document are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    Document,
    /// The chunk whose core holds this byte; the last one for an offset past the end.
    ChunkAt(usize),
    /// The chunk with this number.
    Chunk(usize),
}

/// A document on its way to its analysis.
pub(super) struct Job {
    document: Document,
    view: ModelAndView,
    cache_view: CacheView,
    scope: Scope,
    chunks: Vec<PlannedChunk>,
    /// Of the whole document.
    n_chunks: usize,
    chunking: Duration,
    started: Instant,
}

struct PlannedChunk {
    chunk: Chunk,
    chunk_idx: usize,
    key: WindowKey,
    window: Option<Arc<ScoredWindow>>,
    was_cached: bool,
}

impl Job {
    /// Cuts the document, and takes from the cache what is there. Once `cancel` is raised this ends soon, with an invalid job.
    pub fn plan(
        document: Document,
        view: ModelAndView,
        scope: Scope,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Self {
        let started = Instant::now();
        let ModelAndView { model, config } = &view;
        let mut count = |text: &str| context.counts.count_unless(cancel, model, text);
        let chunks = chunk::plan(document.text(), document.index(), &mut count, &config.chunk);
        let chunking = started.elapsed();
        let cache_view = CacheView::new(config);
        let n_chunks = chunks.len();
        let chunks = chunks
            .iter()
            .enumerate()
            .filter(|&(at, chunk)| scope.wants(at, chunk, n_chunks))
            .map(|(chunk_idx, &chunk)| {
                let key = WindowKey::new(chunk.span.of(document.text()), model.info());
                let window = context.cache.score(key, chunk.core_in_span(), &cache_view);
                PlannedChunk {
                    chunk,
                    chunk_idx,
                    key,
                    was_cached: window.is_some(),
                    window,
                }
            })
            .collect();
        Self {
            document,
            view,
            cache_view,
            scope,
            chunks,
            n_chunks,
            chunking,
            started,
        }
    }

    /// Whether `focus` is scored; everything, for `None`.
    pub fn is_done(&self, focus: Option<ByteSpan>) -> bool {
        self.chunks
            .iter()
            .all(|planned| planned.window.is_some() || !planned.touches(focus))
    }

    /// (chunks that are scored, chunks in all)
    pub fn progress(&self) -> (usize, usize) {
        let done = self.chunks.iter().filter(|c| c.window.is_some()).count();
        (done, self.chunks.len())
    }

    /// Scores the missing chunk that is nearest to `focus`.
    pub fn step(
        &mut self,
        focus: Option<ByteSpan>,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<(), AnalysisError> {
        let missing = self.chunks.iter_mut().filter(|c| c.window.is_none());
        let Some(next) = missing.min_by_key(|planned| planned.distance(focus)) else {
            return Ok(());
        };
        let core = next.chunk.core_in_span();
        let text = next.chunk.span.of(self.document.text());
        let mut record = context.cache.take_record(next.key);
        context.passes += 1;
        context.resumed += u64::from(record.n_layers() > 0);
        let scored = score_window(
            &self.view.model,
            text,
            core,
            &self.view.config,
            Some(&mut record),
            cancel,
        );
        // Also after a cancelled pass: the next one continues there.
        context.cache.insert_record(next.key, record);
        let window = Arc::new(scored?);
        context
            .cache
            .insert_score(next.key, core, &self.cache_view, Arc::clone(&window));
        next.window = Some(window);
        Ok(())
    }

    /// The analysis of what is scored by now.
    pub fn assemble(&self) -> Finished {
        let scored: Vec<(Chunk, Arc<ScoredWindow>)> = self
            .chunks
            .iter()
            .filter_map(|planned| Some((planned.chunk, Arc::clone(planned.window.as_ref()?))))
            .collect();
        let mut analysis = assemble(
            &self.document,
            self.view.model.info(),
            &self.view.config,
            &scored,
        );
        analysis.timing.chunk = self.chunking;
        analysis.timing.total = self.started.elapsed();
        let fresh = self.chunks.iter().filter(|planned| !planned.was_cached);
        let mut spent = Timing {
            chunk: self.chunking,
            total: analysis.timing.total,
            ..Timing::default()
        };
        for window in fresh.filter_map(|planned| planned.window.as_ref()) {
            spent.tokenize += window.tokenize;
            spent.forward += window.forward;
            spent.attribute += window.attribute;
        }
        Finished {
            spent,
            complete: self.is_done(None),
            first_chunk: self.chunks.first().map_or(0, |first| first.chunk_idx),
            n_chunks: self.n_chunks,
            cached: self
                .chunks
                .iter()
                .filter(|planned| planned.window.is_some())
                .map(|planned| planned.was_cached)
                .collect(),
            document: self.document.clone(),
            scope: self.scope,
            analysis,
        }
    }
}

/// An analysis with the text that was analyzed.
#[derive(Clone, Debug)]
pub struct Finished {
    pub document: Document,
    pub analysis: Analysis,
    /// Whether every chunk of the scope is scored.
    pub complete: bool,
    pub scope: Scope,
    /// The number in the document of the analysis' first chunk.
    pub first_chunk: usize,
    /// Chunks of the whole document.
    pub n_chunks: usize,
    /// Of each of the analysis' chunks, whether it came from the cache.
    pub cached: Vec<bool>,
    /// What this job took by stage, counting only the chunks that did not come from the cache.
    pub spent: Timing,
}

impl Scope {
    pub(super) fn wants(self, chunk_idx: usize, chunk: &Chunk, n_chunks: usize) -> bool {
        match self {
            Self::Document => true,
            Self::Chunk(wanted) => wanted == chunk_idx,
            Self::ChunkAt(offset) => {
                let is_last = chunk_idx + 1 == n_chunks;
                chunk.core.start <= offset && (offset < chunk.core.end || is_last)
            }
        }
    }
}

impl PlannedChunk {
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

/// Whether two spans have a byte in common; an empty one counts as the byte at its place.
fn touch(core: ByteSpan, part: ByteSpan) -> bool {
    core.start < part.end.max(part.start + 1) && part.start < core.end
}
