//! Heat levels of the latest analyses: several requests ask for the same ones, and sorting a long document's lifts takes
//! longer than all the rest of an answer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::engine::Finished;
use crate::view::levels::{HeatLevel, LevelThresholds, lexeme_levels};

/// As many documents as an editor shows at once.
const KEPT: usize = 8;

struct Entry {
    of: Weak<Finished>,
    thresholds: LevelThresholds,
    levels: Arc<[HeatLevel]>,
}

#[derive(Default)]
pub(crate) struct Levels {
    latest: Mutex<VecDeque<Entry>>,
}

impl Levels {
    /// One level per lexeme of the analysis.
    pub fn of(&self, finished: &Arc<Finished>, thresholds: &LevelThresholds) -> Arc<[HeatLevel]> {
        let lock = || self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock()
            .iter()
            .find(|entry| {
                std::ptr::eq(entry.of.as_ptr(), Arc::as_ptr(finished))
                    && entry.thresholds == *thresholds
            })
            .map(|entry| Arc::clone(&entry.levels));
        known.unwrap_or_else(|| {
            let levels: Arc<[HeatLevel]> =
                lexeme_levels(&finished.analysis.lexemes, thresholds).into();
            let mut latest = lock();
            latest.push_front(Entry {
                of: Arc::downgrade(finished),
                thresholds: *thresholds,
                levels: Arc::clone(&levels),
            });
            latest.truncate(KEPT);
            levels
        })
    }
}
