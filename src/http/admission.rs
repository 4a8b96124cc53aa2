//! Limits how many requests are admitted and how much memory their responses take. A request over the limit is refused at once,
//! or waits until its deadline.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::error::ApiError;
use super::options::Limits;
use super::places::{Place, Places};

/// Attention weights that one permit of the semaphore stands for.
const CELLS_PER_UNIT: usize = 4096;

/// Bytes of bodies that one permit of the semaphore stands for.
const BYTES_PER_UNIT: usize = 4096;

pub(crate) struct Admission {
    requests: Arc<Places>,
    live: Arc<Places>,
    cells: Arc<Semaphore>,
    received: Arc<Semaphore>,
    limits: Limits,
}

/// The permit of an admitted request, which has a deadline. It is dropped after the last byte of the response.
pub(crate) struct Permit {
    _place: Place,
    cells: Option<OwnedSemaphorePermit>,
    admitted: Instant,
    pub deadline: Deadline,
}

/// Memory for a body that is being received.
pub(crate) struct BodyRoom {
    received: Arc<Semaphore>,
    held: Vec<OwnedSemaphorePermit>,
    n_units: usize,
    limit: usize,
}

/// When the response to a request is too late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Admission {
    pub fn new(limits: Limits) -> Self {
        // The largest body always fits, and a second one beside it.
        let received = limits.received_bytes.max(2 * limits.body_bytes);
        Self {
            requests: Places::new(limits.queue),
            live: Places::new(limits.live),
            cells: Arc::new(Semaphore::new(units(limits.cells, CELLS_PER_UNIT))),
            received: Arc::new(Semaphore::new(units(received, BYTES_PER_UNIT))),
            limits,
        }
    }

    pub fn admit(&self, address: IpAddr) -> Result<Permit, ApiError> {
        let place = self.requests.take(address).ok_or(ApiError::Busy {
            limit: self.limits.queue,
        })?;
        let admitted = Instant::now();
        let timeout = self.limits.timeout;
        Ok(Permit {
            _place: place,
            cells: None,
            admitted,
            deadline: Deadline {
                at: admitted + timeout,
                timeout,
            },
        })
    }

    /// A permit for one more WebSocket.
    pub fn admit_live(&self, address: IpAddr) -> Option<Place> {
        self.live.take(address)
    }

    pub fn body_room(&self) -> BodyRoom {
        BodyRoom {
            received: Arc::clone(&self.received),
            held: Vec::new(),
            n_units: 0,
            limit: self.limits.queue,
        }
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
        let wanted = u32::try_from(units(cells, CELLS_PER_UNIT)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.cells).acquire_many_owned(wanted).await;
        // The semaphore is never closed.
        permit.cells = room.ok();
        Ok(())
    }

    /// Requests that wait, run, or whose response is being sent.
    pub fn depth(&self) -> usize {
        self.requests.n_taken()
    }

    pub fn live_connections(&self) -> usize {
        self.live.n_taken()
    }
}

impl BodyRoom {
    /// Makes room for a body of `n_bytes`. Bodies take room as they arrive, so a slow client cannot take much of it.
    pub fn grow(&mut self, n_bytes: usize) -> Result<(), ApiError> {
        let more = units(n_bytes, BYTES_PER_UNIT).saturating_sub(self.n_units);
        if more == 0 {
            return Ok(());
        }
        let wanted = u32::try_from(more).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.received).try_acquire_many_owned(wanted);
        let room = room.map_err(|_| ApiError::Busy { limit: self.limit })?;
        self.held.push(room);
        self.n_units += more;
        Ok(())
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

fn units(n: usize, per_unit: usize) -> usize {
    n.div_ceil(per_unit).min(Semaphore::MAX_PERMITS)
}
