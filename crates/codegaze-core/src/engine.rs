//! The inference thread of the process. It serves live documents, for which only the latest version counts, and requests.
//!
//! | module | contents |
//! | --- | --- |
//! | `schedule` | all work, behind one lock, and which of it is most urgent |
//! | `worker` | the thread, which takes one step of one task at a time |
//! | `live` | live documents, and the task that takes the next step of one |
//! | `request` | requests, and the task that takes the next step of one |
//! | `outcome` | the result of a step; a panic ends only its task |
//! | `plan` | a version of a document, cut into chunks once |
//! | `job` | one document under one view, chunk by chunk |
//! | `cache` | results by text, limited in bytes |
//! | `counts` | the numbers of subwords of lines, so that each line is counted once |
//! | `pending` | the future result of a request |
//!
//! Callers never wait for the model: a call adds or changes work and returns. The engine sends results through a `watch` channel for
//! each document and a `oneshot` channel for each request. If a caller drops the receiver, the engine cancels the request. A step whose
//! result is no longer needed stops before the next layer of the model, and the cache keeps what it computed.
//!
//! The engine has no default model. Each document and each request brings its own.

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

/// Why the engine returns no result.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The document does not have the requested chunk.
    #[error("chunk {chunk} does not exist: the document has {n_chunks}, counted from 0")]
    NoChunk {
        /// The chunk that was requested.
        chunk: usize,
        /// The number of chunks in the document.
        n_chunks: usize,
    },
    /// The encoder or the attribution failed.
    #[error(transparent)]
    Analysis(Arc<AnalysisError>),
    /// The task panicked. The engine continues with other tasks.
    #[error(
        "the analysis failed ({message}): this is a bug in codegaze, please report it with the file"
    )]
    Panicked {
        /// The message of the panic.
        message: String,
    },
    /// The receiver was dropped, or the engine ended.
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
    /// The model that reads the text.
    pub model: Arc<Model>,
    /// How its attention becomes scores, and what the analysis contains.
    pub config: Arc<AnalysisConfig>,
}

impl ModelAndView {
    /// A view for live documents. Its analyses contain subwords and relations, which hovers show.
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

/// The configuration of an engine.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// The most memory that cached results take, in bytes.
    pub cache_bytes: usize,
    /// Receives every complete analysis.
    pub observer: Option<Observer>,
}

/// What the engine has done since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineStats {
    /// The contents of the cache, and how often it had a result.
    pub cache: CacheStats,
    /// The number of documents that were cut into chunks.
    pub plans: u64,
    /// The number of texts that were tokenized to cut documents: lines, and candidates for chunks. Each text counts once.
    pub counted: u64,
    /// The number of windows that the model read.
    pub passes: u64,
    /// The number of these passes that continued from the record of an earlier pass.
    pub resumed: u64,
    /// The number of steps that stopped because their result was no longer needed, or because more urgent work arrived.
    pub cancelled: u64,
    /// The number of tasks that panicked.
    pub panics: u64,
    /// The number of requests that wait or run.
    pub queued: usize,
}

/// A handle of the inference thread. Dropping it ends the thread.
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
    /// If the operating system does not start a thread.
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
            .expect("the operating system starts a thread");
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Makes `submission` the latest version of the live document `key`, and focuses the document.
    pub fn submit(&self, key: &str, submission: Submission) {
        self.change(|schedule| schedule.submit(key, submission));
    }

    /// Analyzes a live document again with another model or view. Its delay and its priority do not change.
    pub fn set_view(&self, key: &str, view: ModelAndView) {
        self.change(|schedule| schedule.set_view(key, view));
    }

    /// Sets the part of a document that the user looks at, which is analyzed first, and focuses the document.
    pub fn focus(&self, key: &str, span: ByteSpan) {
        self.change(|schedule| schedule.focus(key, span));
    }

    /// Ends the delay of a document, because a request waits for its analysis.
    pub fn expedite(&self, key: &str) {
        self.change(|schedule| schedule.expedite(key, Instant::now()));
    }

    /// Removes a live document, and cancels its analysis.
    pub fn close(&self, key: &str) {
        self.change(|schedule| schedule.close(key));
    }

    /// A receiver of the state of a live document; `None` for a document that was not submitted.
    #[must_use]
    pub fn watch(&self, key: &str) -> Option<LiveReceiver> {
        self.shared.lock().watch(key)
    }

    /// Cuts a document into chunks, for [`Self::analyze`], [`Self::thumbnails`] and [`Self::raw`]. If the plan of this version is in use,
    /// it is returned at once.
    #[must_use]
    pub fn plan(&self, model: Arc<Model>, document: Document) -> Pending<Arc<Planned>> {
        match self.shared.plans.find(&model, &document) {
            Some(planned) => Pending::ready(planned),
            None => self.enqueue(PlanRequest { model, document }, None),
        }
    }

    /// Analyzes a document, or one chunk of it.
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

    /// What the engine has done since it started.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        self.shared.lock().stats()
    }

    /// Removes all cached results, and sends the number of bytes that they took.
    #[must_use]
    pub fn clear_cache(&self) -> oneshot::Receiver<usize> {
        let (reply, freed) = oneshot::channel();
        self.change(|schedule| schedule.control(Control::ClearCache(reply)));
        freed
    }

    /// Sets the most memory that cached results take, in bytes.
    pub fn set_cache_bytes(&self, limit: usize) {
        self.change(|schedule| schedule.control(Control::SetCacheBytes(limit)));
    }

    /// Changes the schedule, and wakes the thread.
    fn change(&self, change: impl FnOnce(&mut Schedule)) {
        change(&mut self.shared.lock());
        self.shared.wake.notify_one();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.change(Schedule::shut_down);
        if let Some(thread) = self.thread.take() {
            // The thread catches panics of tasks, and stops before the next layer.
            let _ = thread.join();
        }
    }
}
