//! Metrics in the text format of Prometheus.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use super::admission::Admission;
use crate::engine::{Engine, Finished};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    /// The route, not the path that the client sent.
    path: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PathLabel {
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OriginLabel {
    origin: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    version: &'static str,
}

pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<PathLabel, Histogram>,
    stages: Family<StageLabel, Histogram>,
    tokens: Family<OriginLabel, Counter>,
    /// Numbers that the engine and the admission count, read when the metrics are requested.
    sampled: Sampled,
}

#[derive(Default)]
struct Sampled {
    cache_hits: Counter,
    cache_misses: Counter,
    cache_evictions: Counter,
    cache_entries: Gauge,
    cache_bytes: Gauge,
    passes: Counter,
    resumed: Counter,
    cancelled: Counter,
    panics: Counter,
    queue_depth: Gauge,
    engine_queue: Gauge,
    live_connections: Gauge,
}

impl Sampled {
    fn register(&self, registry: &mut Registry) {
        let counters = [
            (
                "cache_hits",
                "Chunks whose result was in the cache",
                &self.cache_hits,
            ),
            (
                "cache_misses",
                "Chunks whose result was not in the cache",
                &self.cache_misses,
            ),
            (
                "cache_evictions",
                "Results that the cache evicted",
                &self.cache_evictions,
            ),
            ("engine_passes", "Windows that a model read", &self.passes),
            (
                "engine_resumed_passes",
                "Windows that continued from the record of an earlier pass",
                &self.resumed,
            ),
            (
                "engine_cancelled",
                "Windows that were cancelled",
                &self.cancelled,
            ),
            (
                "engine_panics",
                "Tasks that ended with a panic",
                &self.panics,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let gauges = [
            ("cache_entries", "Results in the cache", &self.cache_entries),
            (
                "cache_bytes",
                "Memory of the results in the cache, in bytes",
                &self.cache_bytes,
            ),
            (
                "queue_depth",
                "Requests that wait, run or are being answered",
                &self.queue_depth,
            ),
            (
                "engine_queue_depth",
                "Requests that wait for the inference thread or run on it",
                &self.engine_queue,
            ),
            (
                "live_connections",
                "Open WebSockets",
                &self.live_connections,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
    }
}

/// From a tenth of a millisecond to half a minute.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(1e-4, 2.0, 19))
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("codegaze");
        let requests = Family::<RequestLabels, Counter>::default();
        let latencies =
            Family::<PathLabel, Histogram>::new_with_constructor(durations as fn() -> Histogram);
        let stages =
            Family::<StageLabel, Histogram>::new_with_constructor(durations as fn() -> Histogram);
        let tokens = Family::<OriginLabel, Counter>::default();
        let version = Family::<VersionLabel, Gauge>::default();
        version
            .get_or_create(&VersionLabel {
                version: env!("CARGO_PKG_VERSION"),
            })
            .set(1);
        let sampled = Sampled::default();
        registry.register("build_info", "The program's version", version);
        registry.register(
            "http_requests",
            "Requests by route and status",
            requests.clone(),
        );
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's headers to its response's headers, by route",
            latencies.clone(),
        );
        registry.register(
            "stage_duration_seconds",
            "Time of a request by stage; a stage that a request did not need is not counted",
            stages.clone(),
        );
        registry.register(
            "tokens",
            "Subwords of analyzed texts, by origin: the model or the cache",
            tokens.clone(),
        );
        sampled.register(&mut registry);
        Self {
            registry,
            requests,
            durations: latencies,
            stages,
            tokens,
            sampled,
        }
    }

    pub fn stage(&self, stage: &'static str, spent: Duration) {
        self.stages
            .get_or_create(&StageLabel { stage })
            .observe(spent.as_secs_f64());
    }

    /// Counts the subwords of an analysis.
    pub fn read(&self, finished: &Finished) {
        for (chunk, &cached) in finished.analysis.chunks.iter().zip(&finished.cached) {
            self.tokens(chunk.n_tokens, cached);
        }
    }

    pub fn tokens(&self, n_tokens: usize, cached: bool) {
        let origin = if cached { "cache" } else { "model" };
        self.tokens
            .get_or_create(&OriginLabel { origin })
            .inc_by(n_tokens as u64);
    }

    /// All metrics at this moment.
    pub fn text(&self, engine: &Engine, admission: &Admission) -> String {
        let stats = engine.stats();
        let cache = stats.cache;
        let counters = [
            (&self.sampled.cache_hits, cache.hits),
            (&self.sampled.cache_misses, cache.misses),
            (&self.sampled.cache_evictions, cache.evictions),
            (&self.sampled.passes, stats.passes),
            (&self.sampled.resumed, stats.resumed),
            (&self.sampled.cancelled, stats.cancelled),
            (&self.sampled.panics, stats.panics),
        ];
        for (counter, value) in counters {
            counter.inner().store(value, Ordering::Relaxed);
        }
        let gauges = [
            (&self.sampled.cache_entries, cache.entries),
            (&self.sampled.cache_bytes, cache.bytes),
            (&self.sampled.queue_depth, admission.depth()),
            (&self.sampled.engine_queue, stats.queued),
            (&self.sampled.live_connections, admission.live_connections()),
        ];
        for (gauge, value) in gauges {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_text::encode(&mut text, &self.registry);
        text
    }
}

/// Counts every request, also those that clients abandon.
pub(crate) async fn count(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    // Clients choose paths; only known ones become labels.
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("other", MatchedPath::as_str)
        .to_owned();
    let mut counted = Counted {
        metrics,
        path,
        start: Instant::now(),
        status: CLIENT_CLOSED_REQUEST,
    };
    let response = next.run(request).await;
    counted.status = response.status().as_u16();
    response
}

/// The status that nginx uses for clients that close the connection before the response.
const CLIENT_CLOSED_REQUEST: u16 = 499;

/// A request. It is counted when this is dropped.
struct Counted {
    metrics: Arc<Metrics>,
    path: String,
    start: Instant,
    status: u16,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Metrics {
            requests,
            durations,
            ..
        } = &*self.metrics;
        let path = std::mem::take(&mut self.path);
        durations
            .get_or_create(&PathLabel { path: path.clone() })
            .observe(self.start.elapsed().as_secs_f64());
        let status = self.status;
        requests
            .get_or_create(&RequestLabels { path, status })
            .inc();
    }
}
