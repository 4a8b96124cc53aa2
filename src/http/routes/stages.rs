//! The time that a request spent in each stage, for the response's headers and the metrics.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::super::admission::Permit;
use super::super::app::App;
use super::super::body::respond;
use crate::analysis::Timing;
use crate::engine::Finished;
use crate::view::milliseconds;

/// Carries the durations of the stages, as browsers' developer tools show them.
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// The durations of the stages that a request went through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stages(Vec<(&'static str, Duration)>);

impl Stages {
    pub fn add(&mut self, stage: &'static str, spent: Duration) {
        self.0.push((stage, spent));
    }

    /// Measures `work` as a stage.
    pub fn measure<T>(&mut self, stage: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.add(stage, start.elapsed());
        done
    }

    /// Adds the stages of an analysis that was requested at `asked`. Cached results take no time.
    pub fn analysis(&mut self, finished: &Finished, asked: Instant) {
        let Timing {
            chunk,
            tokenize,
            forward,
            attribute,
            total,
        } = finished.spent;
        self.add("queue", asked.elapsed().saturating_sub(total));
        self.add("chunk", chunk);
        if finished.cached.iter().any(|&cached| !cached) {
            self.add("tokenize", tokenize);
            self.add("forward", forward);
            self.add("attribute", attribute);
        }
    }

    /// Adds the stages to the metrics, and returns the header.
    fn record(&self, app: &App, permit: &Permit) -> Option<HeaderValue> {
        for &(stage, spent) in &self.0 {
            app.metrics.stage(stage, spent);
        }
        let mut header = String::new();
        for (stage, spent) in self.0.iter().copied().chain([("total", permit.elapsed())]) {
            if !header.is_empty() {
                header.push_str(", ");
            }
            // Writing to a string does not fail.
            let _ = write!(header, "{stage};dur={:.3}", milliseconds::exact(spent));
        }
        HeaderValue::from_str(&header).ok()
    }

    /// A response that holds its request's permit until it is sent.
    pub fn respond(&self, app: &App, json: Vec<u8>, permit: Permit) -> Response {
        let header = self.record(app, &permit);
        let mut response = respond(json, permit);
        if let Some(header) = header {
            response.headers_mut().insert(SERVER_TIMING, header);
        }
        response
    }
}

/// Rounded to microseconds.
pub(crate) fn latency_ms(permit: &Permit) -> f64 {
    milliseconds::rounded(permit.elapsed())
}
