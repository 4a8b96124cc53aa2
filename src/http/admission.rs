//! Limits how many requests are admitted and how much memory their responses take. A request over the limit is refused at once,
//! or waits until its deadline.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio::time::Instant;

use super::error::ApiError;
use super::options::Limits;

/// Attention weights that one permit of the semaphore stands for.
const CELLS_PER_UNIT: usize = 4096;

pub(crate) struct Admission {
    requests: Arc<Semaphore>,
    cells: Arc<Semaphore>,
    live: Arc<Semaphore>,
    limits: Limits,
}

/// The permit of an admitted request, which has a deadline. It is dropped after the last byte of the response.
pub(crate) struct Permit {
    held: Vec<OwnedSemaphorePermit>,
    admitted: Instant,
    pub deadline: Deadline,
}

/// When the response to a request is too late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Admission {
    pub fn new(limits: Limits) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(limits.queue)),
            cells: Arc::new(Semaphore::new(units(limits.cells))),
            live: Arc::new(Semaphore::new(limits.live)),
            limits,
        }
    }

    pub fn admit(&self) -> Result<Permit, ApiError> {
        let permit = Arc::clone(&self.requests).try_acquire_owned();
        let permit = permit.map_err(|_| ApiError::Busy {
            limit: self.limits.queue,
        })?;
        let admitted = Instant::now();
        let timeout = self.limits.timeout;
        Ok(Permit {
            held: vec![permit],
            admitted,
            deadline: Deadline {
                at: admitted + timeout,
                timeout,
            },
        })
    }

    /// A permit for one more WebSocket.
    pub fn admit_live(&self) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        Arc::clone(&self.live).try_acquire_owned()
    }

    /// Waits until a response with `cells` attention weights fits. `instead` is what a client can request if it never does.
    ///
    /// # Errors
    /// If it is more than one response may have.
    pub async fn reserve(
        &self,
        permit: &mut Permit,
        cells: usize,
        instead: &str,
    ) -> Result<(), ApiError> {
        let limit = self.limits.answer_cells.min(self.limits.cells);
        if cells > limit {
            return Err(ApiError::unanalysable(format!(
                "the response would contain {cells} attention weights, and the limit is {limit}: {instead}"
            )));
        }
        let wanted = u32::try_from(units(cells)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.cells).acquire_many_owned(wanted).await;
        // The semaphore is never closed.
        permit.held.extend(room);
        Ok(())
    }

    /// Requests that wait, run, or whose response is being sent.
    pub fn depth(&self) -> usize {
        self.limits.queue - self.requests.available_permits()
    }

    pub fn live_connections(&self) -> usize {
        self.limits.live - self.live.available_permits()
    }
}

impl Permit {
    /// Since the request was admitted.
    pub fn elapsed(&self) -> Duration {
        self.admitted.elapsed()
    }
}

impl Deadline {
    /// Drops `work` at the deadline, which also cancels its requests to the engine.
    pub async fn within<T>(
        self,
        work: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        tokio::time::timeout_at(self.at, work)
            .await
            .unwrap_or(Err(ApiError::Deadline(self.timeout)))
    }
}

fn units(cells: usize) -> usize {
    cells.div_ceil(CELLS_PER_UNIT).min(Semaphore::MAX_PERMITS)
}
