//! Requests: work that a caller awaits, one chunk at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::cache::WindowKey;
use super::job::{Finished, Job, Scope};
use super::outcome::Outcome;
use super::pending::Reply;
use super::worker::WorkerContext;
use super::{EngineError, ModelAndView};
use crate::analysis::chunk::{self, Chunk, ChunkConfig};
use crate::analysis::raw::{RawAttention, RawChoice, raw_attention};
use crate::analysis::thumbnails::{Thumbnails, thumbnails};
use crate::analysis::{AnalysisError, PassRecord};
use codegaze_model::Model;
use codegaze_text::document::Document;

/// One kind of request.
pub(super) trait Request: Send + 'static {
    type Answer: Send;

    /// Does at most one chunk's work. `None` when there is more to do: requests of several chunks take turns.
    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Self::Answer>, EngineError>;
}

/// A request that waits or runs.
pub(super) struct RequestTask {
    /// Raised when the receiver is dropped.
    pub cancel: Arc<AtomicBool>,
    request: Box<dyn Answering>,
}

impl RequestTask {
    /// The task, and what cancels it.
    pub fn new<R: Request>(request: R, reply: Reply<R::Answer>) -> (Self, Arc<AtomicBool>) {
        let cancel = Arc::new(AtomicBool::new(false));
        let task = Self {
            cancel: Arc::clone(&cancel),
            request: Box::new(Awaited {
                request,
                answer: None,
                reply,
            }),
        };
        (task, cancel)
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    pub fn step(&mut self, context: &mut WorkerContext) -> Outcome {
        Outcome::of(|| self.request.step(context, &self.cancel))
    }

    /// Sends the answer, or the error for which there is none.
    pub fn answer(self, error: Option<EngineError>) {
        self.request.answer(error);
    }
}

/// A [`Request`] whose answer has any type.
trait Answering: Send {
    /// Whether there is an answer.
    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<bool, EngineError>;

    fn answer(self: Box<Self>, error: Option<EngineError>);
}

struct Awaited<R: Request> {
    request: R,
    answer: Option<R::Answer>,
    reply: Reply<R::Answer>,
}

impl<R: Request> Answering for Awaited<R> {
    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<bool, EngineError> {
        self.answer = self.request.step(context, cancel)?;
        Ok(self.answer.is_some())
    }

    fn answer(self: Box<Self>, error: Option<EngineError>) {
        let answer = match error {
            Some(error) => Err(error),
            None => self.answer.ok_or(EngineError::Cancelled),
        };
        // The receiver may have been dropped.
        let _ = self.reply.send(answer);
    }
}

/// An analysis of a document, or of one chunk of it.
pub(super) struct AnalysisRequest {
    document: Document,
    view: ModelAndView,
    scope: Scope,
    job: Option<Job>,
    /// (chunks done, chunks in all)
    progress: watch::Sender<(usize, usize)>,
}

impl AnalysisRequest {
    pub fn new(
        document: Document,
        view: ModelAndView,
        scope: Scope,
        progress: watch::Sender<(usize, usize)>,
    ) -> Self {
        Self {
            document,
            view,
            scope,
            job: None,
            progress,
        }
    }
}

impl Request for AnalysisRequest {
    type Answer = Finished;

    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Finished>, EngineError> {
        let job = self.job.get_or_insert_with(|| {
            let (document, view) = (self.document.clone(), self.view.clone());
            Job::plan(document, view, self.scope, context, cancel)
        });
        // A plan that was cut short by cancellation is invalid.
        if cancel.load(Ordering::Relaxed) {
            return Err(EngineError::Cancelled);
        }
        job.step(None, context, cancel)?;
        self.progress.send_replace(job.progress());
        if !job.is_done(None) {
            return Ok(None);
        }
        let finished = job.assemble();
        if let Scope::Chunk(chunk) = self.scope
            && finished.analysis.chunks.is_empty()
        {
            return Err(EngineError::NoChunk {
                chunk,
                n_chunks: finished.n_chunks,
            });
        }
        context.observe(&finished);
        Ok(Some(finished))
    }
}

/// The maps of all layers and heads of one chunk.
pub(super) struct ThumbnailsRequest {
    pub model: Arc<Model>,
    pub document: Document,
    pub scope: Scope,
    pub size: usize,
}

impl Request for ThumbnailsRequest {
    type Answer = Thumbnails;

    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Thumbnails>, EngineError> {
        let (model, document) = (&self.model, &self.document);
        let (chunk, chunk_idx, _) = find(document, self.scope, model, context, cancel)?;
        let text = chunk.span.of(document.text());
        let drawn = with_record(text, model, context, |record| {
            let drawn = thumbnails(model, text, chunk_idx, self.size, record, cancel);
            drawn.map_err(AnalysisError::from)
        })?;
        Ok(Some(drawn))
    }
}

/// The raw tensors of one chunk, and which one it is.
#[derive(Clone, Debug, PartialEq)]
pub struct RawChunk {
    pub raw: RawAttention,
    pub chunk: Chunk,
    pub chunk_idx: usize,
    /// Chunks of the whole document.
    pub n_chunks: usize,
}

pub(super) struct RawRequest {
    pub model: Arc<Model>,
    pub document: Document,
    pub scope: Scope,
    pub choice: RawChoice,
}

impl Request for RawRequest {
    type Answer = RawChunk;

    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<RawChunk>, EngineError> {
        let (model, document) = (&self.model, &self.document);
        let (chunk, chunk_idx, n_chunks) = find(document, self.scope, model, context, cancel)?;
        let text = chunk.span.of(document.text());
        let choice = self.choice.clone();
        let raw = with_record(text, model, context, |record| {
            raw_attention(model, document, &chunk, choice, Some(record), cancel)
        })?;
        Ok(Some(RawChunk {
            raw,
            chunk,
            chunk_idx,
            n_chunks,
        }))
    }
}

/// The first chunk in the scope, its number, and how many there are.
fn find(
    document: &Document,
    scope: Scope,
    model: &Model,
    context: &mut WorkerContext,
    cancel: &AtomicBool,
) -> Result<(Chunk, usize, usize), EngineError> {
    let config = ChunkConfig::new(model.info().max_code_subwords());
    let mut count = |text: &str| context.counts.count_unless(cancel, model, text);
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

/// A pass that continues where an earlier one over the same text stopped, and records what it computes for the next.
fn with_record<T>(
    text: &str,
    model: &Model,
    context: &mut WorkerContext,
    pass: impl FnOnce(&mut PassRecord) -> Result<T, AnalysisError>,
) -> Result<T, EngineError> {
    let key = WindowKey::new(text, model.info());
    let mut record = context.cache.take_record(key);
    context.passes += 1;
    context.resumed += u64::from(record.n_layers() > 0);
    let done = pass(&mut record);
    // Also after a cancelled pass.
    context.cache.insert_record(key, record);
    Ok(done?)
}
