//! One inference thread for the process: live documents, whose latest version wins, and requests.
//!
//! | module | holds |
//! | --- | --- |
//! | `state` | what is wanted: documents, requests, the model; who is next |
//! | `worker` | the thread: one chunk at a time, behind a panic fence |
//! | `job` | one document under one view, chunk by chunk |
//! | `cache` | results by text, bounded in bytes |
//! | `counts` | subword counts of lines that were counted before |
//!
//! Nobody who calls into the [`Engine`] waits for the model: calls change what is wanted and return; results come through a
//! `watch` channel a document, or a `oneshot` a request. A receiver that is dropped cancels its request. A job that is no longer
//! wanted stops before the next layer of the model; what it computed until then is kept.

mod cache;
mod counts;
mod job;
mod state;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::analysis::chunk::ChunkConfig;
use crate::analysis::thumbnails::Thumbnails;
use crate::analysis::{AnalysisConfig, AnalysisError, Extras};
use crate::attribution::AttributionConfig;
use crate::model::Model;
use crate::text::ByteSpan;
use crate::text::document::Document;

pub use cache::CacheStats;
pub use job::{Finished, Scope};

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

/// The model that serves, and how it is looked at.
#[derive(Clone)]
pub struct Served {
    pub model: Arc<Model>,
    /// Of live documents.
    pub config: Arc<AnalysisConfig>,
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

/// What live documents are analysed with besides the view: subwords and relations for hovers.
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
        let shared = Arc::new(Shared {
            state: Mutex::new(State::default()),
            wake: Condvar::new(),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("codegaze-engine".to_owned())
            .spawn(move || worker::run(&for_thread, cache_bytes))
            .expect("the operating system gives one thread to a program that starts");
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Serves another model, or the same under another view. Every live document is analysed anew.
    pub fn serve(&self, model: Arc<Model>, attribution: AttributionConfig) {
        let config = AnalysisConfig {
            chunk: ChunkConfig::new(model.info().max_code_subwords()),
            extras: LIVE_EXTRAS,
            attribution,
        };
        let mut state = self.shared.lock();
        state.serve(Served {
            model,
            config: Arc::new(config),
        });
        self.shared.wake.notify_one();
    }

    #[must_use]
    pub fn served(&self) -> Option<Served> {
        self.shared.lock().served.clone()
    }

    /// Makes `document` the latest version of the live document `key`. Analysed after `delay`, which starts anew with each
    /// version, or when somebody [hurries](Self::hurry). It becomes the focused document.
    pub fn submit(&self, key: &str, document: Document, delay: Duration) {
        self.shared
            .lock()
            .submit(key, document, Instant::now() + delay);
        self.shared.wake.notify_one();
    }

    /// Tells what of a document is looked at: analysed first. The document becomes the focused one.
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
    pub fn analyse(
        &self,
        document: Document,
        scope: Scope,
        attribution: AttributionConfig,
        extras: Extras,
    ) -> Pending<Finished> {
        let (progress, watched) = watch::channel((0, 0));
        self.enqueue(Some(watched), |served, reply| {
            let config = AnalysisConfig {
                attribution,
                extras,
                ..(*served.config).clone()
            };
            Work::Analysis {
                document,
                scope,
                model: served.model,
                config: Arc::new(config),
                job: None,
                reply,
                progress,
            }
        })
    }

    /// Every layer's and head's map of one chunk, in small: at most `size` cells a side.
    #[must_use]
    pub fn thumbnails(&self, document: Document, scope: Scope, size: usize) -> Pending<Thumbnails> {
        self.enqueue(None, |served, reply| Work::Thumbnails {
            document,
            scope,
            served,
            size,
            reply,
        })
    }

    fn enqueue<T>(
        &self,
        progress: Option<watch::Receiver<(usize, usize)>>,
        work: impl FnOnce(Served, Reply<T>) -> Work,
    ) -> Pending<T> {
        let (reply, result) = oneshot::channel();
        let cancel = Arc::new(AtomicBool::new(false));
        let mut state = self.shared.lock();
        match state.served.clone() {
            Some(served) => {
                let work = work(served, reply);
                let cancel = Arc::clone(&cancel);
                state.enqueue(Queued { cancel, work });
            }
            // An error to send can only fail with a receiver that is gone.
            None => drop(reply.send(Err(EngineError::NoModel))),
        }
        drop(state);
        self.shared.wake.notify_one();
        Pending {
            result,
            cancel: CancelOnDrop(cancel),
            progress,
        }
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

type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// A request's result, to be awaited. Dropped, it cancels the request.
pub struct Pending<T> {
    result: oneshot::Receiver<Result<T, EngineError>>,
    cancel: CancelOnDrop,
    progress: Option<watch::Receiver<(usize, usize)>>,
}

struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<T> Pending<T> {
    /// (chunks done, chunks in all), as they change.
    pub fn progress(&mut self) -> Option<watch::Receiver<(usize, usize)>> {
        self.progress.take()
    }

    /// # Errors
    /// Why there is no result.
    pub async fn done(self) -> Result<T, EngineError> {
        let Self { result, cancel, .. } = self;
        let done = result.await.unwrap_or(Err(EngineError::Cancelled));
        drop(cancel);
        done
    }

    /// Like [`Self::done`], on a thread that may wait.
    ///
    /// # Errors
    /// Why there is no result.
    pub fn wait(self) -> Result<T, EngineError> {
        let Self { result, cancel, .. } = self;
        let done = result
            .blocking_recv()
            .unwrap_or(Err(EngineError::Cancelled));
        drop(cancel);
        done
    }
}
