//! Remembers the numbers of subwords of texts, because planning a document after an edit counts every line again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use codegaze_model::Model;

/// At this size, the table takes about twenty megabytes.
const MAX_ENTRIES: usize = 1 << 19;

/// Numbers of subwords by text. It is cleared when it is full, and when another model is used.
#[derive(Default)]
pub(super) struct Counts {
    /// Keyed hash and length of a text → number of subwords. Two different texts practically never agree in both.
    by_text: HashMap<(u64, usize), u32>,
    hasher: RandomState,
    model: Option<u64>,
    n_counted: u64,
}

impl Counts {
    /// Like [`Self::count`]. If `cancel` is set, it returns an arbitrary number at once.
    pub fn count_unless(&mut self, cancel: &AtomicBool, model: &Model, text: &str) -> usize {
        if cancel.load(Ordering::Relaxed) {
            return 1;
        }
        self.count(model, text)
    }

    /// The number of code subwords of `text`.
    pub fn count(&mut self, model: &Model, text: &str) -> usize {
        let fingerprint = model.info().fingerprint;
        if self.model != Some(fingerprint) || self.by_text.len() >= MAX_ENTRIES {
            self.by_text.clear();
            self.model = Some(fingerprint);
        }
        let key = (self.hasher.hash_one(text), text.len());
        let count = self.by_text.entry(key).or_insert_with(|| {
            self.n_counted += 1;
            let count = model.tokenizer().count(text);
            u32::try_from(count).unwrap_or(u32::MAX)
        });
        *count as usize
    }

    /// The number of texts that were tokenized.
    pub fn n_counted(&self) -> u64 {
        self.n_counted
    }
}
