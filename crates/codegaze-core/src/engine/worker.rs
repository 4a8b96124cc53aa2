//! The inference thread. After each step, it takes the next step of the most urgent task.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use super::cache::Cache;
use super::counts::Counts;
use super::job::Finished;
use super::observer::Observer;
use super::plan::{Planned, Plans};
use super::schedule::{Control, Next};
use super::{EngineConfig, EngineError, Shared};
use crate::analysis::Pass;
use crate::panics::{wait, wait_timeout};
use codegaze_model::Model;
use codegaze_text::document::Document;

/// How often an unfinished analysis of a long document is published at most.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// The state that the thread owns and every step uses.
pub(super) struct WorkerContext {
    pub cache: Cache,
    counts: Counts,
    plans: Arc<Plans>,
    /// The number of documents that were cut into chunks.
    n_plans: u64,
    /// The number of windows that the model read, from the first layer or from a record.
    passes: u64,
    /// The number of these passes that continued from a record.
    resumed: u64,
    observer: Option<Observer>,
    last_published: Instant,
}

impl WorkerContext {
    fn new(config: EngineConfig, plans: Arc<Plans>) -> Self {
        Self {
            cache: Cache::new(config.cache_bytes),
            counts: Counts::default(),
            plans,
            n_plans: 0,
            passes: 0,
            resumed: 0,
            observer: config.observer,
            last_published: Instant::now(),
        }
    }

    /// The plan of a version that is in use, or a new one.
    pub fn plan(
        &mut self,
        model: &Arc<Model>,
        document: &Document,
        cancel: &AtomicBool,
    ) -> Result<Arc<Planned>, EngineError> {
        if let Some(planned) = self.plans.find(model, document) {
            return Ok(planned);
        }
        self.n_plans += 1;
        let planned = Planned::new(model, document, &mut self.counts, cancel)?;
        let planned = Arc::new(planned);
        self.plans.add(&planned);
        Ok(planned)
    }

    /// Runs the model on one chunk. It continues where an earlier pass over the same text stopped, and records this one.
    pub fn pass<T, E>(
        &mut self,
        planned: &Planned,
        chunk_idx: usize,
        cancel: &AtomicBool,
        read: impl FnOnce(Pass<'_>) -> Result<T, E>,
    ) -> Result<T, EngineError>
    where
        EngineError: From<E>,
    {
        let key = planned.key(chunk_idx);
        let mut record = self.cache.take_record(key);
        self.passes += 1;
        self.resumed += u64::from(record.n_layers() > 0);
        let pass = Pass::new(&planned.model, planned.text(chunk_idx), cancel);
        let done = read(pass.recorded(&mut record));
        // The record is also kept after a cancelled pass, so that the next pass continues there.
        self.cache.insert_record(key, record);
        Ok(done?)
    }

    /// Sends a complete analysis to the observer.
    pub fn observe(&self, finished: &Finished) {
        if let Some(observer) = &self.observer {
            observer.observe(finished, self.cache.stats());
        }
    }

    pub fn publish_is_due(&self) -> bool {
        self.last_published.elapsed() >= PUBLISH_EVERY
    }

    pub fn published(&mut self) {
        self.last_published = Instant::now();
    }

    fn apply(&mut self, control: Control) {
        match control {
            Control::ClearCache(reply) => {
                // The receiver may have been dropped.
                let _ = reply.send(self.cache.clear());
            }
            Control::SetCacheBytes(limit) => self.cache.set_limit(limit),
        }
    }
}

pub(super) fn run(shared: &Shared, config: EngineConfig) {
    let mut context = WorkerContext::new(config, Arc::clone(&shared.plans));
    loop {
        match next(shared, &context) {
            Next::End => return,
            Next::Control(control) => context.apply(control),
            Next::Live(mut task) => {
                let outcome = task.step(&mut context);
                publish_counts(shared, &context);
                shared.lock().settle_live(*task, outcome);
            }
            Next::Request(mut task) => {
                let outcome = task.step(&mut context);
                publish_counts(shared, &context);
                shared.lock().settle_request(task, outcome);
            }
        }
    }
}

/// Sleeps until there is something to do.
fn next(shared: &Shared, context: &WorkerContext) -> Next {
    publish_counts(shared, context);
    let mut schedule = shared.lock();
    loop {
        let now = Instant::now();
        if let Some(next) = schedule.next(now) {
            return next;
        }
        schedule = match schedule.next_due() {
            None => wait(&shared.wake, schedule),
            Some(due) => {
                let timeout = due.saturating_duration_since(now);
                wait_timeout(&shared.wake, schedule, timeout)
            }
        };
    }
}

/// Publishes the counts. The thread calls this before it publishes the result of a step, so that a caller with the result sees them.
fn publish_counts(shared: &Shared, context: &WorkerContext) {
    shared.lock().update_stats(|stats| {
        stats.cache = context.cache.stats();
        stats.plans = context.n_plans;
        stats.counted = context.counts.n_counted();
        stats.passes = context.passes;
        stats.resumed = context.resumed;
    });
}
