//! The future result of a request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{oneshot, watch};

use super::EngineError;

pub(super) type Reply<T> = oneshot::Sender<Result<T, EngineError>>;

/// The future result of a request. Dropping it cancels the request.
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
    pub(super) fn new(
        result: oneshot::Receiver<Result<T, EngineError>>,
        cancel: Arc<AtomicBool>,
        progress: Option<watch::Receiver<(usize, usize)>>,
    ) -> Self {
        Self {
            result,
            cancel: CancelOnDrop(cancel),
            progress,
        }
    }

    /// A result that exists already.
    pub(super) fn ready(result: T) -> Self {
        let (reply, receiver) = oneshot::channel();
        // The receiver exists: sending succeeds.
        let _ = reply.send(Ok(result));
        Self::new(receiver, Arc::default(), None)
    }

    /// A receiver of (chunks done, chunks in all). Only the first call returns it, and only for requests that report progress.
    pub fn progress(&mut self) -> Option<watch::Receiver<(usize, usize)>> {
        self.progress.take()
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// If the request failed or was cancelled.
    pub async fn done(self) -> Result<T, EngineError> {
        let Self { result, cancel, .. } = self;
        let done = result.await.unwrap_or(Err(EngineError::Cancelled));
        drop(cancel);
        done
    }

    /// Like [`Self::done`], for a thread that may block.
    ///
    /// # Errors
    /// As [`Self::done`].
    pub fn wait(self) -> Result<T, EngineError> {
        let Self { result, cancel, .. } = self;
        let done = result
            .blocking_recv()
            .unwrap_or(Err(EngineError::Cancelled));
        drop(cancel);
        done
    }
}
