//! One run from its first sample to its end: sends samples in batches, and repeats batches after errors.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, RequestError};
use super::{QUEUE, RunStatus, Sample, TrackingOptions, now};
use crate::panics::lock;

/// How long samples are collected before they are sent.
const BATCH_PAUSE: Duration = Duration::from_millis(500);
/// MLflow accepts 1,000 metrics, parameters and tags in a request.
const BATCH_METRICS: usize = 900;
/// The first and the longest pause after a failure. Each failure doubles the pause.
const RETRY_PAUSES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];

/// The limits of the oldest servers: newer ones take 500 or 6,000 characters of a parameter.
const PARAM_CHARS: usize = 250;
const TAG_CHARS: usize = 5000;

type Warn = Box<dyn FnOnce(String) + Send>;

/// Sends samples until the channel disconnects, and then ends the run.
pub(super) fn record(
    client: &Client,
    options: &TrackingOptions,
    samples: &Receiver<Sample>,
    status: &Mutex<RunStatus>,
    warn: Warn,
) {
    let mut run = Run {
        client,
        options,
        warn: Some(warn),
        id: None,
        has_params: false,
        models: BTreeSet::new(),
        methods: BTreeSet::new(),
        waiting: VecDeque::new(),
        next_step: 0,
        retry: None,
    };
    loop {
        let is_open = run.collect(samples);
        if !is_open {
            break;
        }
        if run.may_try() {
            run.send();
        }
    }
    run.end(status);
}

struct Run<'a> {
    client: &'a Client,
    options: &'a TrackingOptions,
    /// `None` after the first warning.
    warn: Option<Warn>,
    id: Option<String>,
    has_params: bool,
    models: BTreeSet<String>,
    methods: BTreeSet<String>,
    /// Samples that are not sent yet, oldest first.
    waiting: VecDeque<Sample>,
    /// The step of the oldest waiting sample.
    next_step: u64,
    /// After a failure: when to try again, and how long to wait after the next failure.
    retry: Option<(Instant, Duration)>,
}

impl Run<'_> {
    /// Collects samples for one pause. Returns `false` if the channel is disconnected.
    fn collect(&mut self, samples: &Receiver<Sample>) -> bool {
        let end = Instant::now() + BATCH_PAUSE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match samples.recv_timeout(left) {
                Ok(sample) => {
                    if self.waiting.len() == QUEUE {
                        self.waiting.pop_front();
                        self.next_step += 1;
                    }
                    self.waiting.push_back(sample);
                }
                Err(RecvTimeoutError::Timeout) => return true,
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn may_try(&self) -> bool {
        let is_time = self.retry.is_none_or(|(at, _)| Instant::now() >= at);
        !self.waiting.is_empty() && is_time
    }

    /// Sends all waiting samples. Returns whether the server accepted them.
    fn send(&mut self) -> bool {
        while !self.waiting.is_empty() {
            match self.send_batch() {
                Ok(()) => self.retry = None,
                Err(error) => {
                    self.failed(&error);
                    return false;
                }
            }
        }
        true
    }

    fn send_batch(&mut self) -> Result<(), RequestError> {
        let id = self.begun()?;
        let mut metrics = Vec::new();
        let mut n_samples = 0;
        for (step, sample) in (self.next_step..).zip(&self.waiting) {
            if metrics.len() + sample.metrics.len() > BATCH_METRICS {
                break;
            }
            n_samples += 1;
            metrics.extend(sample.metrics.iter().map(|(key, value)| {
                json!({ "key": key, "value": value, "timestamp": sample.timestamp, "step": step })
            }));
            for (key, value) in &sample.params {
                match *key {
                    "model" => self.models.insert(value.clone()),
                    "method" => self.methods.insert(value.clone()),
                    _ => continue,
                };
            }
        }
        // The parameters of a run cannot change, so tags list later models and methods.
        let tags = [
            ("codegaze.models", &self.models),
            ("codegaze.methods", &self.methods),
        ];
        let tags = tags.map(|(key, seen)| {
            let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
            json!({ "key": key, "value": cut(&seen.join(", "), TAG_CHARS) })
        });
        let request = json!({ "run_id": id, "metrics": metrics, "tags": tags });
        let sent = self.client.log_batch(&request);
        match sent {
            Err(error) if !error.is_final() => return Err(error),
            // A batch that the server will never accept must not delay later ones.
            Err(ref error) => self.warn(error),
            Ok(()) => {}
        }
        self.waiting.drain(..n_samples);
        self.next_step += n_samples as u64;
        Ok(())
    }

    /// The id of the run, which is created with the parameters of the first sample.
    fn begun(&mut self) -> Result<String, RequestError> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.create()?,
        };
        self.log_params(&id)?;
        Ok(id)
    }

    fn create(&mut self) -> Result<String, RequestError> {
        let experiment = self.client.experiment(&self.options.experiment)?;
        let first = self.waiting.front();
        let started = first.map_or_else(now, |sample| sample.timestamp);
        let run = json!({
            "experiment_id": experiment,
            "start_time": started,
            "run_name": format!("codegaze {} {started}", self.options.command),
            "tags": [
                { "key": "mlflow.source.name", "value": "codegaze" },
                { "key": "codegaze.command", "value": self.options.command },
            ],
        });
        let id = self.client.create_run(&run)?;
        self.id = Some(id.clone());
        Ok(id)
    }

    fn log_params(&mut self, id: &str) -> Result<(), RequestError> {
        if self.has_params {
            return Ok(());
        }
        let first = self.waiting.front().into_iter();
        let params: Vec<Value> = first
            .flat_map(|sample| &sample.params)
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| json!({ "key": key, "value": cut(value, PARAM_CHARS) }))
            .collect();
        let sent = self
            .client
            .log_batch(&json!({ "run_id": id, "params": params }));
        match sent {
            Err(error) if !error.is_final() => return Err(error),
            // Refused parameters must not hold up the metrics.
            Err(ref error) => self.warn(error),
            Ok(()) => {}
        }
        self.has_params = true;
        Ok(())
    }

    fn failed(&mut self, error: &RequestError) {
        let [first, longest] = RETRY_PAUSES;
        let pause = self.retry.map_or(first, |(_, pause)| pause);
        self.retry = Some((Instant::now() + pause, longest.min(pause * 2)));
        self.warn(error);
    }

    fn warn(&mut self, error: &RequestError) {
        tracing::debug!(%error, "MLflow");
        if let Some(warn) = self.warn.take() {
            warn(format!(
                "cannot record the run on MLflow at {}: {error}; codegaze continues without it, check --mlflow-uri",
                self.options.uri
            ));
        }
    }

    /// What is left is tried once more. The run is ended even if the server refuses the rest, so that it does not stay RUNNING; a
    /// run that the server does not know is not ended.
    fn end(&mut self, status: &Mutex<RunStatus>) {
        self.send();
        let Some(id) = self.id.clone() else {
            return;
        };
        let status = *lock(status);
        let ended = json!({ "run_id": id, "status": status.as_str(), "end_time": now() });
        if let Err(error) = self.client.update_run(&ended) {
            self.warn(&error);
        }
    }
}

/// At most `max` characters: of a longer text, the start and the end.
fn cut(text: &str, max: usize) -> String {
    let n = text.chars().count();
    if n <= max {
        return text.to_owned();
    }
    let start = max / 2;
    let left_out = n - (max - 1 - start);
    text.chars()
        .take(start)
        .chain(['…'])
        .chain(text.chars().skip(left_out))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn long_values_keep_their_start_and_end() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abc…fg");
        assert_eq!(cut("äöüßéèê", 4), "äö…ê");
    }
}
