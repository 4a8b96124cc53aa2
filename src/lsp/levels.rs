//! The levels of the latest analyses. Several requests need the same ones, and sorting a long document's lifts takes longer than
//! the rest of an answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, Weak};

use crate::engine::Finished;
use crate::panics::lock;
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
    /// The levels of an analysis under these thresholds, if they are known.
    pub fn get(&self, finished: &Arc<Finished>, thresholds: &LevelThresholds) -> Option<Levels> {
        let latest = lock(&self.latest);
        let mut entries = latest.iter();
        let known = entries.find(|entry| {
            std::ptr::eq(entry.of.as_ptr(), Arc::as_ptr(finished))
                && entry.thresholds == *thresholds
        });
        known.map(|entry| entry.levels.clone())
    }

    pub fn insert(&self, finished: &Arc<Finished>, thresholds: &LevelThresholds, levels: Levels) {
        let mut latest = lock(&self.latest);
        latest.push_front(Entry {
            of: Arc::downgrade(finished),
            thresholds: *thresholds,
            levels,
        });
        latest.truncate(KEPT);
    }
}
