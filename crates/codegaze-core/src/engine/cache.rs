//! Results by text, limited in bytes.
//!
//! The cache keeps two kinds of results for a chunk: its scores under a view (a few hundred bytes for each lexeme), and the
//! record of its pass, from which another view is scored without a new pass. It evicts records before scores, because every edit
//! elsewhere in the document needs the scores again.

use std::hash::Hash;
use std::sync::Arc;

use lru::LruCache;
use sha2::{Digest, Sha256};

use crate::analysis::{AnalysisConfig, Extras, PassRecord, ScoredWindow};
use crate::attribution::AttributionConfig;
use codegaze_model::{Device, ModelInfo, Precision};
use codegaze_text::ByteSpan;

/// Identifies a window's text and the model that reads it. Devices and precisions round differently, so each has results of
/// its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct WindowKey {
    /// The first half of the text's SHA-256.
    text: u128,
    model: u64,
    device: Device,
    precision: Precision,
}

impl WindowKey {
    pub fn new(text: &str, model: &ModelInfo) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        Self {
            text: digest
                .iter()
                .take(16)
                .fold(0, |hash, &byte| hash << 8 | u128::from(byte)),
            model: model.fingerprint,
            device: model.device,
            precision: model.precision,
        }
    }
}

/// A window's scores under one view.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ScoreKey {
    window: WindowKey,
    core: ByteSpan,
    attribution: Arc<AttributionConfig>,
    extras: Extras,
}

/// The contents of the cache, and how often it had a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// The number of results.
    pub entries: usize,
    /// The memory that the results take, in bytes.
    pub bytes: usize,
    /// The most memory that results may take, in bytes.
    pub limit_bytes: usize,
    /// How many requested scores were in the cache.
    pub hits: u64,
    /// How many requested scores were not in the cache.
    pub misses: u64,
    /// How many results were evicted.
    pub evictions: u64,
}

/// The cache. It evicts the result that was used least recently.
pub(super) struct Cache {
    scores: Lru<ScoreKey, Arc<ScoredWindow>>,
    records: Lru<WindowKey, PassRecord>,
    limit_bytes: usize,
    hits: u64,
    misses: u64,
    evictions: u64,
}

impl Cache {
    pub fn new(limit_bytes: usize) -> Self {
        Self {
            scores: Lru::new(),
            records: Lru::new(),
            limit_bytes,
            hits: 0,
            misses: 0,
            evictions: 0,
        }
    }

    /// The scores of a window whose text is `window`.
    pub fn score(
        &mut self,
        window: WindowKey,
        core: ByteSpan,
        config: &CacheView,
    ) -> Option<Arc<ScoredWindow>> {
        let found = self.scores.get(&config.key(window, core)).cloned();
        if found.is_some() {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
        found
    }

    pub fn insert_score(
        &mut self,
        window: WindowKey,
        core: ByteSpan,
        config: &CacheView,
        scored: Arc<ScoredWindow>,
    ) {
        let bytes = scored.bytes() + size_of::<ScoreKey>();
        self.scores.insert(config.key(window, core), scored, bytes);
        self.shrink();
    }

    /// Removes a window's record; [`Self::insert_record`] puts it back after the next pass.
    pub fn take_record(&mut self, window: WindowKey) -> PassRecord {
        self.records.remove(&window).unwrap_or_default()
    }

    pub fn insert_record(&mut self, window: WindowKey, record: PassRecord) {
        if record.n_layers() == 0 {
            return;
        }
        let bytes = record.bytes() + size_of::<WindowKey>();
        self.records.insert(window, record, bytes);
        self.shrink();
    }

    pub fn set_limit(&mut self, limit_bytes: usize) {
        self.limit_bytes = limit_bytes;
        self.shrink();
    }

    /// Removes everything, and returns the number of bytes that this freed.
    pub fn clear(&mut self) -> usize {
        let bytes = self.bytes();
        self.scores = Lru::new();
        self.records = Lru::new();
        bytes
    }

    pub fn stats(&self) -> CacheStats {
        CacheStats {
            entries: self.scores.entries.len() + self.records.entries.len(),
            bytes: self.bytes(),
            limit_bytes: self.limit_bytes,
            hits: self.hits,
            misses: self.misses,
            evictions: self.evictions,
        }
    }

    fn bytes(&self) -> usize {
        self.scores.bytes + self.records.bytes
    }

    fn shrink(&mut self) {
        while self.bytes() > self.limit_bytes {
            if !self.records.evict() && !self.scores.evict() {
                return;
            }
            self.evictions += 1;
        }
    }
}

/// The part of a key that all chunks of a job share.
#[derive(Clone, Debug)]
pub(super) struct CacheView {
    attribution: Arc<AttributionConfig>,
    extras: Extras,
}

impl CacheView {
    pub fn new(config: &AnalysisConfig) -> Self {
        Self {
            attribution: Arc::new(config.attribution.clone()),
            extras: config.extras,
        }
    }

    fn key(&self, window: WindowKey, core: ByteSpan) -> ScoreKey {
        ScoreKey {
            window,
            core,
            attribution: Arc::clone(&self.attribution),
            extras: self.extras,
        }
    }
}

/// An LRU map that counts the memory of its values.
struct Lru<K: Hash + Eq, V> {
    entries: LruCache<K, (V, usize)>,
    bytes: usize,
}

impl<K: Hash + Eq, V> Lru<K, V> {
    fn new() -> Self {
        Self {
            entries: LruCache::unbounded(),
            bytes: 0,
        }
    }

    fn get(&mut self, key: &K) -> Option<&V> {
        self.entries.get(key).map(|(value, _)| value)
    }

    fn insert(&mut self, key: K, value: V, bytes: usize) {
        self.bytes += bytes;
        if let Some((_, old)) = self.entries.put(key, (value, bytes)) {
            self.bytes -= old;
        }
    }

    fn remove(&mut self, key: &K) -> Option<V> {
        let (value, bytes) = self.entries.pop(key)?;
        self.bytes -= bytes;
        Some(value)
    }

    /// Whether there was something to evict.
    fn evict(&mut self) -> bool {
        match self.entries.pop_lru() {
            Some((_, (_, bytes))) => {
                self.bytes -= bytes;
                true
            }
            None => false,
        }
    }
}
