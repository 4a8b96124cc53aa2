//! Subword counts of texts that were counted before: planning a document's chunks after an edit counts every line again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};

use codegaze_model::Model;

/// About twenty megabytes at most.
const MAX_ENTRIES: usize = 1 << 19;

/// Forgets everything when it is full, and when another model is used.
#[derive(Default)]
pub(super) struct Counts {
    /// By keyed hash and length: it is practically impossible that two different texts agree in both.
    by_text: HashMap<(u64, usize), u32>,
    hasher: RandomState,
    model: Option<u64>,
    n_counted: u64,
}

impl Counts {
    /// Like [`Self::count`]; returns any number at once when `cancel` is raised.
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

    /// How many texts were tokenized to be counted.
    pub fn n_counted(&self) -> u64 {
        self.n_counted
    }
}
