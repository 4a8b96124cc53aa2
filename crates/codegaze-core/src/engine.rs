//! One inference thread for the process: live documents, whose latest version wins, and requests.
//!
//! | module | holds |
//! | --- | --- |
//! | `state` | what is wanted: documents, requests, the model; who is next |
//! | `worker` | the thread: one chunk at a time, behind a panic fence |
//! | `job` | one document under one view, chunk by chunk |
//! | `cache` | results by text, bounded in bytes |
//! | `counts` | subword counts of lines that were counted before |
//! | `single` | requests about one chunk: maps in small, raw tensors |
//! | `pending` | a result that is awaited |
//!
//! Nobody who calls into the [`Engine`] waits for the model: calls change what is wanted and return; results come through a
//! `watch` channel a document, or a `oneshot` a request. A receiver that is dropped cancels its request. A job that is no longer
//! wanted stops before the next layer of the model; what it computed until then is kept.

mod cache;
mod counts;
mod job;
mod observer;
mod pending;
mod single;
mod state;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::analysis::raw::RawChoice;
use crate::analysis::thumbnails::Thumbnails;
use crate::analysis::{AnalysisConfig, AnalysisError, Extras};
use crate::attribution::AttributionConfig;
use codegaze_model::Model;
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

pub use cache::CacheStats;
pub use job::{Finished, Scope};
pub use observer::Observer;
pub use pending::Pending;
pub use single::RawChunk;

use pending::Reply;
use state::{Order, Queued, State, Work};

/// Why there is no result.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    #[error("no model is loaded yet; try again in a moment")]
    NoModel,
    #[error("chunk {chunk} does not exist: the document has {n_chunks}, counted from 0")]
    NoChunk { chunk: usize, n_chunks: usize },
    #[error(transparent)]
    Analysis(Arc<AnalysisError>),
    #[error(
        "the analysis failed inside ({message}); this is a defect, please report it with the file"
    )]
    Panicked { message: String },
    #[error("the request was cancelled")]
    Cancelled,
}

/// How far a live document's analysis is.
#[derive(Clone, Debug, Default)]
pub enum Phase {
    /// For the model, for a pause in typing, or for another document.
    #[default]
    Waiting,
    Running,
    Ready,
    Failed(EngineError),
}

/// What is known about the latest version of a live document under the current view.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// Of the document that was submitted last.
    pub version: i64,
    pub phase: Phase,
    /// Of that version and view, or `None`; complete if the phase is [`Phase::Ready`].
    pub analysis: Option<Arc<Finished>>,
}

/// How a live document is watched; ends when the document is closed.
pub type LiveReceiver = watch::Receiver<Live>;

/// A model, and how it is looked at.
#[derive(Clone)]
pub struct Served {
    pub model: Arc<Model>,
    pub config: Arc<AnalysisConfig>,
}

impl Served {
    /// For live documents.
    #[must_use]
    pub fn live(model: Arc<Model>, attribution: AttributionConfig) -> Self {
        Self::new(model, attribution, LIVE_EXTRAS)
    }

    fn new(model: Arc<Model>, attribution: AttributionConfig, extras: Extras) -> Self {
        let config = AnalysisConfig {
            extras,
            ..AnalysisConfig::new(model.info(), attribution)
        };
        Self {
            model,
            config: Arc::new(config),
        }
    }
}

/// What the engine did since it started.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineStats {
    pub cache: CacheStats,
    /// Windows that the model read.
    pub passes: u64,
    /// Of these, those that went on from the record of an earlier pass.
    pub resumed: u64,
    /// Windows that were given up since nobody wanted them any more, or something more urgent came.
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
    state: Mutex<State>,
    wake: Condvar,
}

impl Shared {
    /// A poisoned lock says that a caller panicked between two assignments; the state is whole after each.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What live documents are analyzed with besides the view: subwords and relations for hovers.
const LIVE_EXTRAS: Extras = Extras {
    subwords: true,
    matrix: false,
    relations: true,
    embedding: false,
};

impl Engine {
    /// Starts the thread, without a model.
    ///
    /// # Panics
    /// When the operating system refuses a thread.
    #[must_use]
    pub fn start(cache_bytes: usize) -> Self {
        Self::start_observed(cache_bytes, None)
    }

    /// [`Self::start`], with somebody who looks on.
    ///
    /// # Panics
    /// As [`Self::start`] does.
    #[must_use]
    pub fn start_observed(cache_bytes: usize, observer: Option<Observer>) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            wake: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("codegaze-engine".to_owned())
            .spawn(move || worker::run(&for_thread, cache_bytes, observer))
            .expect("the operating system gives one thread to a program that starts");
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Serves another model, or the same under another view, to all who name none of their own. Their live documents are
    /// analyzed anew.
    pub fn serve(&self, model: Arc<Model>, attribution: AttributionConfig) {
        let mut state = self.shared.lock();
        state.serve(Served::live(model, attribution));
        self.shared.wake.notify_one();
    }

    #[must_use]
    pub fn served(&self) -> Option<Served> {
        self.shared.lock().served.clone()
    }

    /// Makes `document` the latest version of the live document `key`. Analyzed after `delay`, which starts anew with each
    /// version, or when somebody [hurries](Self::hurry). It becomes the focused document.
    pub fn submit(&self, key: &str, document: Document, delay: Duration) {
        self.shared
            .lock()
            .submit(key, document, None, Instant::now() + delay);
        self.shared.wake.notify_one();
    }

    /// Like [`Self::submit`], under the document's own model and view, whatever serves the others.
    pub fn submit_under(&self, key: &str, document: Document, own: Served, delay: Duration) {
        self.shared
            .lock()
            .submit(key, document, Some(own), Instant::now() + delay);
        self.shared.wake.notify_one();
    }

    /// Tells what of a document is looked at: analyzed first. The document becomes the focused one.
    pub fn focus(&self, key: &str, span: ByteSpan) {
        self.shared.lock().focus(key, span);
        self.shared.wake.notify_one();
    }

    /// Ends a document's delay: somebody waits for it.
    pub fn hurry(&self, key: &str) {
        self.shared.lock().hurry(key);
        self.shared.wake.notify_one();
    }

    /// Forgets a live document; its job stops.
    pub fn close(&self, key: &str) {
        self.shared.lock().close(key);
    }

    /// `None` for a document that was not submitted.
    #[must_use]
    pub fn watch(&self, key: &str) -> Option<LiveReceiver> {
        self.shared.lock().watch(key)
    }

    /// Analyses a text once, under any view, with the model that serves now.
    #[must_use]
    pub fn analyze(
        &self,
        document: Document,
        scope: Scope,
        attribution: AttributionConfig,
        extras: Extras,
    ) -> Pending<Finished> {
        match self.served() {
            Some(Served { model, .. }) => {
                self.analyze_with(model, document, scope, attribution, extras)
            }
            None => Pending::failed(EngineError::NoModel),
        }
    }

    /// Like [`Self::analyze`], with any model.
    #[must_use]
    pub fn analyze_with(
        &self,
        model: Arc<Model>,
        document: Document,
        scope: Scope,
        attribution: AttributionConfig,
        extras: Extras,
    ) -> Pending<Finished> {
        let (progress, watched) = watch::channel((0, 0));
        let under = Served::new(model, attribution, extras);
        self.enqueue(Some(watched), |reply| Work::Analysis {
            document,
            scope,
            under,
            job: None,
            reply,
            progress,
        })
    }

    /// Every layer's and head's map of one chunk, in small, with the model that serves now: at most `size` cells a side.
    #[must_use]
    pub fn thumbnails(&self, document: Document, scope: Scope, size: usize) -> Pending<Thumbnails> {
        match self.served() {
            Some(Served { model, .. }) => self.thumbnails_with(model, document, scope, size),
            None => Pending::failed(EngineError::NoModel),
        }
    }

    /// Like [`Self::thumbnails`], with any model.
    #[must_use]
    pub fn thumbnails_with(
        &self,
        model: Arc<Model>,
        document: Document,
        scope: Scope,
        size: usize,
    ) -> Pending<Thumbnails> {
        self.enqueue(None, |reply| Work::Thumbnails {
            document,
            scope,
            model,
            size,
            reply,
        })
    }

    /// The raw tensors of one chunk, with any model. `choice` suits it.
    #[must_use]
    pub fn raw_with(
        &self,
        model: Arc<Model>,
        document: Document,
        scope: Scope,
        choice: RawChoice,
    ) -> Pending<RawChunk> {
        self.enqueue(None, |reply| Work::Raw {
            document,
            scope,
            model,
            choice,
            reply,
        })
    }

    fn enqueue<T>(
        &self,
        progress: Option<watch::Receiver<(usize, usize)>>,
        work: impl FnOnce(Reply<T>) -> Work,
    ) -> Pending<T> {
        let (reply, result) = oneshot::channel();
        let cancel = Arc::new(AtomicBool::new(false));
        self.shared.lock().enqueue(Queued {
            cancel: Arc::clone(&cancel),
            work: work(reply),
        });
        self.shared.wake.notify_one();
        Pending::new(result, cancel, progress)
    }

    #[must_use]
    pub fn stats(&self) -> EngineStats {
        let state = self.shared.lock();
        EngineStats {
            queued: state.requests.len(),
            ..state.stats
        }
    }

    /// Drops all cached results; what was freed, in bytes.
    #[must_use]
    pub fn clear_cache(&self) -> oneshot::Receiver<usize> {
        let (reply, freed) = oneshot::channel();
        self.order(Order::ClearCache(reply));
        freed
    }

    pub fn set_cache_bytes(&self, limit: usize) {
        self.order(Order::SetCacheBytes(limit));
    }

    fn order(&self, order: Order) {
        self.shared.lock().orders.push(order);
        self.shared.wake.notify_one();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.lock().shut_down();
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // Its panics are caught inside; it stops before the next layer.
            drop(thread.join());
        }
    }
}
