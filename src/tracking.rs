//! Runs in MLflow: what was analyzed, and how long it took, recorded in the background.
//!
//! A session is one run, with the model and the view as parameters, and with a step of metrics for each analysis. A thread of its
//! own speaks MLflow's REST API (2.0, as mlflow 2 and 3 serve it); an analysis only puts a sample into a bounded queue. A server
//! that is slow or gone costs one warning, and samples when the queue is full; never time.

mod client;
mod run;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::analysis::{Analysis, Timing};
use crate::attribution::HeadFusion;
use crate::panics::lock;

use client::Client;
pub use client::Credentials;

/// The most samples that wait. Further ones are dropped.
const QUEUE: usize = 10_000;

/// The server and experiment of a run.
#[derive(Clone, Debug)]
pub struct TrackingOptions {
    /// The address of the server: `http://` or `https://`.
    pub uri: String,
    /// The name of the experiment, which is created if it does not exist.
    pub experiment: String,
    /// The credentials of the user, if the server needs them.
    pub credentials: Option<Credentials>,
    /// The tag `codegaze.command` of the run: `analyze`, `lsp` or `serve`.
    pub command: &'static str,
}

/// Why nothing is recorded.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    #[error(
        "invalid address of a tracking server {0:?}: give http://HOST:PORT, as `mlflow server` prints it"
    )]
    Address(String),
    #[error("cannot start the thread for the tracking server: {0}")]
    Thread(#[from] std::io::Error),
}

/// The recorded values of one analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since 1970.
    timestamp: i64,
    params: Vec<(&'static str, String)>,
    metrics: Vec<(&'static str, f64)>,
}

impl Sample {
    /// The sample of an analysis of a text of `bytes` bytes that took `timing`. `cache_hits` is the number of chunks that came from the
    /// cache since the session began.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    pub fn new(
        bytes: usize,
        analysis: &Analysis,
        timing: &Timing,
        cache_hits: Option<u64>,
    ) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let n_subwords: usize = analysis.chunks.iter().map(|chunk| chunk.n_tokens).sum();
        let mut metrics = vec![
            ("latency_ms", ms(timing.total)),
            ("latency_chunk_ms", ms(timing.chunk)),
            ("latency_tokenize_ms", ms(timing.tokenize)),
            ("latency_forward_ms", ms(timing.forward)),
            ("latency_attribute_ms", ms(timing.attribute)),
            ("code_length", bytes as f64),
            ("subwords", n_subwords as f64),
            ("chunks", analysis.chunks.len() as f64),
            ("sink_share", f64::from(analysis.sink_share)),
        ];
        metrics.extend(cache_hits.map(|hits| ("cache_hits", hits as f64)));
        let (model, view) = (&analysis.model, &analysis.attribution);
        let list = |indices: &[usize]| -> String {
            let indices: Vec<String> = indices.iter().map(ToString::to_string).collect();
            indices.join(",")
        };
        let heads = match &view.heads {
            HeadFusion::Heads(heads) => list(heads),
            HeadFusion::All(fusion) => fusion.to_string(),
        };
        Self {
            timestamp: now(),
            params: vec![
                ("model", model.id.clone()),
                ("revision", model.revision.clone().unwrap_or_default()),
                ("precision", model.precision.as_str().to_owned()),
                ("method", view.method.as_str().to_owned()),
                ("layers", list(&view.layers)),
                ("heads", heads),
                ("sinks", view.sinks.as_str().to_owned()),
                ("aggregate", view.aggregate.as_str().to_owned()),
                ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ],
            metrics,
        }
    }
}

/// The current time in milliseconds since 1970, the unit of MLflow.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

/// How a session ended, as MLflow shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunStatus {
    #[default]
    Finished,
    Failed,
    /// A signal ended it.
    Killed,
}

impl RunStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }
}

/// Receives samples. All threads that analyze share it.
#[derive(Debug)]
pub struct Tracker {
    /// `None` after the run is finished.
    queue: Mutex<Option<SyncSender<Sample>>>,
    /// Receives a message for every response of the server. It disconnects when the thread ends.
    progress: Mutex<Receiver<()>>,
    /// How the run ends.
    status: Arc<Mutex<RunStatus>>,
}

impl Tracker {
    /// Starts the thread, which sends nothing before the first sample. It calls `warn` once, if the server cannot be used.
    ///
    /// # Errors
    /// If the address is invalid, or if the operating system does not start a thread.
    pub fn start(
        options: TrackingOptions,
        warn: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, TrackingError> {
        let (answered, progress) = sync_channel(1);
        let client = Client::new(&options, answered)?;
        let (queue, samples) = sync_channel(QUEUE);
        let status = Arc::new(Mutex::new(RunStatus::default()));
        let last_status = Arc::clone(&status);
        std::thread::Builder::new()
            .name("codegaze-mlflow".to_owned())
            .spawn(move || {
                run::record(&client, &options, &samples, &last_status, Box::new(warn));
            })?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            progress: Mutex::new(progress),
            status,
        })
    }

    /// Adds a sample to the queue. It never waits.
    pub fn record(&self, sample: Sample) {
        let queue = lock(&self.queue);
        let Some(queue) = queue.as_ref() else {
            return;
        };
        if queue.try_send(sample).is_err() {
            tracing::debug!("the tracking server is behind: a sample is dropped");
        }
    }

    /// Notes how the session ended; call it before [`Self::finish`].
    pub fn set_status(&self, status: RunStatus) {
        *lock(&self.status) = status;
    }

    /// Ends the run, and waits until the server knows: at most `limit`, and at most `stall` from one answer of its to the next.
    pub fn finish(&self, stall: Duration, limit: Duration) {
        drop(lock(&self.queue).take());
        let end = Instant::now() + limit;
        let progress = lock(&self.progress);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // The loop ends when the thread ends, or after the time limit.
            if progress.recv_timeout(left.min(stall)).is_err() {
                return;
            }
        }
    }
}
