//! Where a request's time went: in its headers, and in the metrics.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use super::super::admission::Ticket;
use super::super::app::App;
use super::super::body::answer;
use crate::analysis::Timing;
use crate::engine::Finished;
use crate::view::milliseconds;

/// Carries the durations of the stages, as browsers' developer tools show them.
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Durations by stage; a stage that did not happen is not there.
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

    /// What an analysis took that was waited for since `asked`. What the cache had took nothing.
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

    /// Counts them, and says them in the answer's headers.
    fn tell(&self, app: &App, ticket: &Ticket) -> Option<HeaderValue> {
        for &(stage, spent) in &self.0 {
            app.metrics.stage(stage, spent);
        }
        let mut header = String::new();
        for (stage, spent) in self.0.iter().copied().chain([("total", ticket.elapsed())]) {
            if !header.is_empty() {
                header.push_str(", ");
            }
            // Writing into a string does not fail.
            let _ = write!(header, "{stage};dur={:.3}", milliseconds::exact(spent));
        }
        HeaderValue::from_str(&header).ok()
    }

    /// The answer, which keeps its request's leave until the client has read it.
    pub fn answer(&self, app: &App, json: Vec<u8>, ticket: Ticket) -> Response {
        let told = self.tell(app, &ticket);
        let mut response = answer(json, ticket);
        if let Some(told) = told {
            response.headers_mut().insert(SERVER_TIMING, told);
        }
        response
    }
}

/// To the microsecond, as answers have it.
pub(crate) fn latency_ms(ticket: &Ticket) -> f64 {
    milliseconds::rounded(ticket.elapsed())
}
