//! The levels of the latest analyses. Several requests need the same ones, and sorting a long document's lifts takes longer than
//! the rest of an answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::engine::Finished;
use crate::view::levels::{LevelThresholds, Levels};

/// As many documents as an editor shows at once.
const KEPT: usize = 8;

struct Entry {
    of: Weak<Finished>,
    thresholds: LevelThresholds,
    levels: Levels,
}

#[derive(Default)]
pub(crate) struct LevelCache {
    latest: Mutex<VecDeque<Entry>>,
}

impl LevelCache {
    /// The levels of an analysis under these thresholds.
    pub fn get(&self, finished: &Arc<Finished>, thresholds: &LevelThresholds) -> Levels {
        let lock = || self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock()
            .iter()
            .find(|entry| {
                std::ptr::eq(entry.of.as_ptr(), Arc::as_ptr(finished))
                    && entry.thresholds == *thresholds
            })
            .map(|entry| entry.levels.clone());
        known.unwrap_or_else(|| {
            let levels = Levels::new(&finished.analysis, thresholds);
            let mut latest = lock();
            latest.push_front(Entry {
                of: Arc::downgrade(finished),
                thresholds: *thresholds,
                levels: levels.clone(),
            });
            latest.truncate(KEPT);
            levels
        })
    }
}
