//! Requests: work whose result a caller awaits, one chunk at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::EngineError;
use super::job::{Finished, Job};
use super::outcome::Outcome;
use super::pending::Reply;
use super::plan::{Planned, Scope};
use super::worker::WorkerContext;
use crate::analysis::AnalysisConfig;
use crate::analysis::chunk::Chunk;
use crate::analysis::raw::{RawAttention, RawChoice, raw_attention};
use crate::analysis::thumbnails::{Thumbnails, thumbnails};
use codegaze_model::Model;
use codegaze_text::document::Document;

/// One kind of request.
pub(super) trait Request: Send + 'static {
    type Answer: Send;

    /// Computes at most one chunk. Returns `None` if there are more chunks: requests take turns.
    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Self::Answer>, EngineError>;
}

/// A request that waits or runs.
pub(super) struct RequestTask {
    /// Set when the receiver is dropped.
    pub cancel: Arc<AtomicBool>,
    request: Box<dyn Answering>,
}

impl RequestTask {
    /// The task, and the flag that cancels it.
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

    /// Sends the answer, or the error.
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

/// The chunks of a document.
pub(super) struct PlanRequest {
    pub model: Arc<Model>,
    pub document: Document,
}

impl Request for PlanRequest {
    type Answer = Arc<Planned>;

    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Arc<Planned>>, EngineError> {
        context.plan(&self.model, &self.document, cancel).map(Some)
    }
}

/// An analysis of a document, or of one chunk of it.
pub(super) struct AnalysisRequest {
    pub planned: Arc<Planned>,
    pub config: Arc<AnalysisConfig>,
    pub scope: Scope,
    /// `None` before the first step.
    pub job: Option<Job>,
    /// (chunks done, chunks in all)
    pub progress: watch::Sender<(usize, usize)>,
}

impl Request for AnalysisRequest {
    type Answer = Finished;

    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Finished>, EngineError> {
        let job = match &mut self.job {
            Some(job) => job,
            none => {
                let (planned, config) = (Arc::clone(&self.planned), Arc::clone(&self.config));
                none.insert(Job::new(planned, config, self.scope, context)?)
            }
        };
        job.step(None, context, cancel)?;
        self.progress.send_replace(job.progress());
        if !job.is_done(None) {
            return Ok(None);
        }
        let finished = job.assemble();
        context.observe(&finished);
        Ok(Some(finished))
    }
}

/// The maps of all layers and heads of one chunk.
pub(super) struct ThumbnailsRequest {
    pub planned: Arc<Planned>,
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
        let first = self.planned.chunks_in(self.scope)?.next();
        let chunk_idx = first.ok_or(EngineError::NoChunk {
            chunk: 0,
            n_chunks: 0,
        })?;
        let drawn = context.pass(&self.planned, chunk_idx, cancel, |pass| {
            thumbnails(pass, chunk_idx, self.size)
        });
        drawn.map(Some)
    }
}

/// The raw tensors of one chunk, with its position in the document.
#[derive(Clone, Debug, PartialEq)]
pub struct RawChunk {
    /// The tensors.
    pub raw: RawAttention,
    /// Where the chunk is in the document.
    pub chunk: Chunk,
    /// Its index in the document.
    pub chunk_idx: usize,
}

/// The raw tensors of several chunks.
pub(super) struct RawRequest {
    planned: Arc<Planned>,
    choice: RawChoice,
    scope: Scope,
    /// The index of the next chunk; `None` before the first step.
    next: Option<usize>,
    done: Vec<RawChunk>,
}

impl RawRequest {
    pub fn new(planned: Arc<Planned>, scope: Scope, choice: RawChoice) -> Self {
        Self {
            planned,
            choice,
            scope,
            next: None,
            done: Vec::new(),
        }
    }
}

impl Request for RawRequest {
    type Answer = Vec<RawChunk>;

    fn step(
        &mut self,
        context: &mut WorkerContext,
        cancel: &AtomicBool,
    ) -> Result<Option<Vec<RawChunk>>, EngineError> {
        let planned = &self.planned;
        let mut chunks = planned.chunks_in(self.scope)?;
        chunks.start = self.next.unwrap_or(chunks.start);
        let mut unread = chunks.filter(|&chunk_idx| !planned.is_blank(chunk_idx));
        if let Some(chunk_idx) = unread.next() {
            let chunk = planned.chunks()[chunk_idx];
            let raw = context.pass(planned, chunk_idx, cancel, |pass| {
                raw_attention(pass, &chunk, self.choice.clone())
            })?;
            self.done.push(RawChunk {
                raw,
                chunk,
                chunk_idx,
            });
            self.next = Some(chunk_idx + 1);
        }
        let is_last = unread.next().is_none();
        Ok(is_last.then(|| std::mem::take(&mut self.done)))
    }
}
