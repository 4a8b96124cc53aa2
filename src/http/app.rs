//! What all requests share.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::State;
use tokio::sync::watch;

use super::admission::Admission;
use super::metrics::Metrics;
use super::models::Models;
use super::options::{Limits, ServerOptions};
use crate::engine::{Engine, EngineConfig};

/// The state of the server, as handlers see it.
pub(crate) struct App {
    pub engine: Engine,
    pub models: Models,
    pub limits: Limits,
    pub admission: Admission,
    pub metrics: Arc<Metrics>,
    pub started: Instant,
    /// Whether the server is ending. Its receivers are the open connections.
    ending: watch::Sender<bool>,
}

/// The argument of a handler that receives the state.
pub(crate) type Shared = State<Arc<App>>;

impl App {
    pub fn new(options: &ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            engine: Engine::start(EngineConfig {
                cache_bytes: options.limits.cache_bytes,
                observer: options.observer.clone(),
            }),
            models: Models::new(&options.models),
            limits: options.limits,
            admission: Admission::new(options.limits),
            metrics: Arc::new(Metrics::new()),
            started: Instant::now(),
            ending: watch::Sender::new(false),
        })
    }

    /// Makes every connection end after its current response.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// A connection holds this for as long as it is open.
    pub fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }

    pub async fn all_ended(&self) {
        self.ending.closed().await;
    }
}
