//! The inference thread: one step of one task, then a look at what is most urgent now.

use std::time::{Duration, Instant};

use super::cache::Cache;
use super::counts::Counts;
use super::job::Finished;
use super::observer::Observer;
use super::schedule::{Control, Next};
use super::{EngineConfig, Shared};
use crate::panics::{wait, wait_timeout};

/// A long document is assembled anew at most this often while it grows.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);

/// What the thread owns, and every step works with.
pub(super) struct WorkerContext {
    pub cache: Cache,
    pub counts: Counts,
    /// Windows that the model read, from the first layer or from a record.
    pub passes: u64,
    /// Of these, those that continued from a record.
    pub resumed: u64,
    observer: Option<Observer>,
    last_published: Instant,
}

impl WorkerContext {
    fn new(config: EngineConfig) -> Self {
        Self {
            cache: Cache::new(config.cache_bytes),
            counts: Counts::default(),
            passes: 0,
            resumed: 0,
            observer: config.observer,
            last_published: Instant::now(),
        }
    }

    /// Shows a complete analysis to the observer.
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
    let mut context = WorkerContext::new(config);
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

/// Before the result of a step, so that a caller who has seen the one sees the other.
fn publish_counts(shared: &Shared, context: &WorkerContext) {
    shared.lock().update_stats(|stats| {
        stats.cache = context.cache.stats();
        stats.passes = context.passes;
        stats.resumed = context.resumed;
    });
}
