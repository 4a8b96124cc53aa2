//! A callback that receives the engine's results, for metrics.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{CacheStats, Finished};

type Observe = dyn Fn(&Finished, CacheStats) + Send + Sync;

/// A callback that receives every complete analysis. It runs on the inference thread, so it has to be fast.
#[derive(Clone)]
pub struct Observer(Arc<Observe>);

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Observer")
    }
}

impl Observer {
    /// An observer that calls `observe` with each complete analysis and the state of the cache.
    pub fn new(observe: impl Fn(&Finished, CacheStats) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    /// Calls the callback. A panic in it is logged, and the analysis continues.
    pub(super) fn observe(&self, finished: &Finished, cache: CacheStats) {
        let observed = catch_unwind(AssertUnwindSafe(|| (self.0)(finished, cache)));
        if observed.is_err() {
            tracing::error!("an observer of the engine panicked");
        }
    }
}
