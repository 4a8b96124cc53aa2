//! A callback that sees the engine's results: metrics of a session.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{CacheStats, Finished};

type Observe = dyn Fn(&Finished, CacheStats) + Send + Sync;

/// Is called with every complete analysis, on the inference thread: it has to be quick.
#[derive(Clone)]
pub struct Observer(Arc<Observe>);

impl fmt::Debug for Observer {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("Observer")
    }
}

impl Observer {
    pub fn new(observe: impl Fn(&Finished, CacheStats) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observe))
    }

    /// A panic in it is logged, and the analysis goes on.
    pub(super) fn observe(&self, finished: &Finished, cache: CacheStats) {
        let observed = catch_unwind(AssertUnwindSafe(|| (self.0)(finished, cache)));
        if observed.is_err() {
            tracing::error!("an observer of the engine panicked");
        }
    }
}
