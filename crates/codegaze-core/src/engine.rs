//! One inference thread for the process: live documents, of which the latest version wins, and requests.
//!
//! | module | holds |
//! | --- | --- |
//! | `schedule` | what is wanted, behind one lock; what is most urgent |
//! | `worker` | the thread: one step of one task at a time |
//! | `live` | live documents, and the task that takes the next step of one |
//! | `request` | requests, and the task that takes the next step of one |
//! | `outcome` | what a step came to; a panic ends its task and nothing else |
//! | `plan` | a version of a document, cut into chunks once |
//! | `job` | one document under one view, chunk by chunk |
//! | `cache` | results by text, bounded in bytes |
//! | `counts` | subword counts of lines that were counted before |
//! | `pending` | the result of a request, to be awaited |
//!
//! Callers never wait for the model: a call changes what is wanted and returns. Results are sent through a `watch` channel for
//! each document, and through a `oneshot` for each request. Dropping the receiver cancels the request. A step that is no longer
//! wanted stops before the next layer of the model; what it computed until then is kept.
//!
//! The engine has no default model: every document and every request brings its own.

mod cache;
mod counts;
mod job;
mod live;
mod observer;
mod outcome;
mod pending;
mod plan;
mod request;
mod schedule;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use crate::analysis::raw::RawChoice;
use crate::analysis::thumbnails::Thumbnails;
use crate::analysis::{AnalysisConfig, AnalysisError, Extras};
use crate::attribution::AttributionConfig;
use crate::panics::lock;
use codegaze_model::Model;
use codegaze_model::roberta::ForwardError;
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

pub use cache::CacheStats;
pub use job::Finished;
pub use live::{Live, LivePhase, LiveReceiver, Submission};
pub use observer::Observer;
pub use pending::Pending;
pub use plan::{Planned, Scope};
pub use request::RawChunk;

use plan::Plans;
use request::{AnalysisRequest, PlanRequest, RawRequest, Request, RequestTask, ThumbnailsRequest};
use schedule::{Control, Schedule};

/// Why there is no result.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error("chunk {chunk} does not exist: the document has {n_chunks}, counted from 0")]
    NoChunk { chunk: usize, n_chunks: usize },
    #[error(transparent)]
    Analysis(Arc<AnalysisError>),
    #[error(
        "the analysis failed ({message}): this is a bug in codegaze, please report it with the file"
    )]
    Panicked { message: String },
    #[error("the request was cancelled")]
    Cancelled,
}

impl From<AnalysisError> for EngineError {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Forward(ForwardError::Cancelled) => Self::Cancelled,
            error => Self::Analysis(Arc::new(error)),
        }
    }
}

impl From<ForwardError> for EngineError {
    fn from(error: ForwardError) -> Self {
        AnalysisError::from(error).into()
    }
}

/// A model, and the view under which its attention is analyzed.
#[derive(Clone)]
pub struct ModelAndView {
    pub model: Arc<Model>,
    pub config: Arc<AnalysisConfig>,
}

impl ModelAndView {
    /// For live documents: with subwords and relations, which hovers show.
    #[must_use]
    pub fn live(model: Arc<Model>, attribution: AttributionConfig) -> Self {
        let extras = Extras {
            subwords: true,
            relations: true,
            ..Extras::default()
        };
        Self {
            config: analysis_config(&model, attribution, extras),
            model,
        }
    }
}

fn analysis_config(
    model: &Model,
    attribution: AttributionConfig,
    extras: Extras,
) -> Arc<AnalysisConfig> {
    Arc::new(AnalysisConfig {
        extras,
        ..AnalysisConfig::new(model.info(), attribution)
    })
}

/// What the engine is started with.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// Limit of the cache.
    pub cache_bytes: usize,
    /// Sees every analysis when it is complete.
    pub observer: Option<Observer>,
}

/// What the engine did since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineStats {
    pub cache: CacheStats,
    /// Documents that were cut into chunks.
    pub plans: u64,
    /// Texts that were tokenized to cut documents: lines, and candidates for chunks. Texts that were counted before are not.
    pub counted: u64,
    /// Windows that were tokenized for the model, and that it read.
    pub passes: u64,
    /// Of these, those that continued from the record of an earlier pass.
    pub resumed: u64,
    /// Steps that stopped because their result was no longer wanted, or because something more urgent arrived.
    pub cancelled: u64,
    pub panics: u64,
    /// Requests that wait or run.
    pub queued: usize,
}

/// Handle to the inference thread; the thread ends with it.
pub struct Engine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    schedule: Mutex<Schedule>,
    plans: Arc<Plans>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Schedule> {
        lock(&self.schedule)
    }
}

impl Engine {
    /// Starts the thread.
    ///
    /// # Panics
    /// When the operating system refuses a thread.
    #[must_use]
    pub fn start(config: EngineConfig) -> Self {
        let shared = Arc::new(Shared {
            schedule: Mutex::default(),
            plans: Arc::default(),
            wake: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("codegaze-engine".to_owned())
            .spawn(move || worker::run(&for_thread, config))
            .expect("the operating system gives one thread to a program that starts");
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Makes `submission` the latest version of the live document `key`, and the document the focused one.
    pub fn submit(&self, key: &str, submission: Submission) {
        self.change(|schedule| schedule.submit(key, submission));
    }

    /// Analyzes a live document anew under another model or view. Its delay and its place in the order stay.
    pub fn set_view(&self, key: &str, view: ModelAndView) {
        self.change(|schedule| schedule.set_view(key, view));
    }

    /// Says which part of a document the user looks at: it is analyzed first. The document becomes the focused one.
    pub fn focus(&self, key: &str, span: ByteSpan) {
        self.change(|schedule| schedule.focus(key, span));
    }

    /// Ends a document's delay: a request waits for its analysis.
    pub fn expedite(&self, key: &str) {
        self.change(|schedule| schedule.expedite(key, Instant::now()));
    }

    /// Removes a live document, and cancels its analysis.
    pub fn close(&self, key: &str) {
        self.change(|schedule| schedule.close(key));
    }

    /// `None` for a document that was not submitted.
    #[must_use]
    pub fn watch(&self, key: &str) -> Option<LiveReceiver> {
        self.shared.lock().watch(key)
    }

    /// Cuts a document into chunks, for [`Self::analyze`], [`Self::thumbnails`] and [`Self::raw`]. A version that is being worked
    /// on has been cut before.
    #[must_use]
    pub fn plan(&self, model: Arc<Model>, document: Document) -> Pending<Arc<Planned>> {
        match self.shared.plans.find(&model, &document) {
            Some(planned) => Pending::ready(planned),
            None => self.enqueue(PlanRequest { model, document }, None),
        }
    }

    /// Analyzes a document, or one chunk of it, once.
    #[must_use]
    pub fn analyze(
        &self,
        planned: &Arc<Planned>,
        scope: Scope,
        attribution: AttributionConfig,
        extras: Extras,
    ) -> Pending<Finished> {
        let (progress, watched) = watch::channel((0, 0));
        let request = AnalysisRequest {
            planned: Arc::clone(planned),
            config: analysis_config(&planned.model, attribution, extras),
            scope,
            job: None,
            progress,
        };
        self.enqueue(request, Some(watched))
    }

    /// The map of every layer and head of the first chunk in the scope, with at most `size` cells on a side.
    #[must_use]
    pub fn thumbnails(
        &self,
        planned: &Arc<Planned>,
        scope: Scope,
        size: usize,
    ) -> Pending<Thumbnails> {
        let planned = Arc::clone(planned);
        let request = ThumbnailsRequest {
            planned,
            scope,
            size,
        };
        self.enqueue(request, None)
    }

    /// The raw tensors of each chunk in the scope that is not blank. `choice` was checked against the model.
    #[must_use]
    pub fn raw(
        &self,
        planned: &Arc<Planned>,
        scope: Scope,
        choice: RawChoice,
    ) -> Pending<Vec<RawChunk>> {
        let request = RawRequest::new(Arc::clone(planned), scope, choice);
        self.enqueue(request, None)
    }

    fn enqueue<R: Request>(
        &self,
        request: R,
        progress: Option<watch::Receiver<(usize, usize)>>,
    ) -> Pending<R::Answer> {
        let (reply, result) = oneshot::channel();
        let (task, cancel) = RequestTask::new(request, reply);
        self.change(|schedule| schedule.enqueue(task));
        Pending::new(result, cancel, progress)
    }

    #[must_use]
    pub fn stats(&self) -> EngineStats {
        self.shared.lock().stats()
    }

    /// Removes all cached results; sends how many bytes they took.
    #[must_use]
    pub fn clear_cache(&self) -> oneshot::Receiver<usize> {
        let (reply, freed) = oneshot::channel();
        self.change(|schedule| schedule.control(Control::ClearCache(reply)));
        freed
    }

    pub fn set_cache_bytes(&self, limit: usize) {
        self.change(|schedule| schedule.control(Control::SetCacheBytes(limit)));
    }

    /// Changes what is wanted, and lets the thread look at it.
    fn change(&self, change: impl FnOnce(&mut Schedule)) {
        change(&mut self.shared.lock());
        self.shared.wake.notify_one();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.change(Schedule::shut_down);
        if let Some(thread) = self.thread.take() {
            // Its panics are caught inside; it stops before the next layer.
            let _ = thread.join();
        }
    }
}
