//! How much is under way at once. What does not fit is refused at once or waits within its deadline; nothing queues without end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::error::ApiError;
use super::options::Limits;

/// Weights are counted in units of so many.
const CELLS_A_UNIT: usize = 4096;

pub(crate) struct Admission {
    requests: Arc<Semaphore>,
    cells: Arc<Semaphore>,
    live: Arc<Semaphore>,
    limits: Limits,
}

/// A request that was let in: leave to work until a deadline. Dropped with the last byte of the answer.
pub(crate) struct Ticket {
    permits: Vec<OwnedSemaphorePermit>,
    admitted: Instant,
    pub deadline: Deadline,
}

/// When a request's answer comes too late.
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

    pub fn admit(&self) -> Result<Ticket, ApiError> {
        let permit = Arc::clone(&self.requests).try_acquire_owned();
        let permit = permit.map_err(|_| ApiError::Busy {
            limit: self.limits.queue,
        })?;
        let admitted = Instant::now();
        let timeout = self.limits.timeout;
        Ok(Ticket {
            permits: vec![permit],
            admitted,
            deadline: Deadline {
                at: admitted + timeout,
                timeout,
            },
        })
    }

    /// Leave for one more WebSocket.
    pub fn admit_live(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let permit = Arc::clone(&self.live).try_acquire_owned();
        permit.map_err(|_| ApiError::Busy {
            limit: self.limits.live,
        })
    }

    /// Waits until there is room for an answer of so many attention weights.
    ///
    /// # Errors
    /// When it is more than one answer may have.
    pub async fn reserve(&self, ticket: &mut Ticket, cells: usize) -> Result<(), ApiError> {
        let limit = self.limits.answer_cells.min(self.limits.cells);
        if cells > limit {
            return Err(ApiError::unanalysable(format!(
                "the response would contain {cells} attention weights, and the limit is {limit}: request one chunk, or fewer layers and heads"
            )));
        }
        let wanted = u32::try_from(units(cells)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.cells).acquire_many_owned(wanted).await;
        // It is never closed.
        ticket.permits.extend(permit);
        Ok(())
    }

    /// Requests that wait, run or are being sent.
    pub fn depth(&self) -> usize {
        self.limits.queue - self.requests.available_permits()
    }

    pub fn live_connections(&self) -> usize {
        self.limits.live - self.live.available_permits()
    }
}

impl Ticket {
    /// Since the request was let in.
    pub fn elapsed(&self) -> Duration {
        self.admitted.elapsed()
    }
}

impl Deadline {
    /// Gives `work` up at the deadline; what it asked of the engine is cancelled with it.
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
    cells.div_ceil(CELLS_A_UNIT).min(Semaphore::MAX_PERMITS)
}
