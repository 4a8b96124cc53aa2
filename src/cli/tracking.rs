//! `--mlflow-uri`: records analyses as a run in MLflow.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::error::CliError;
use super::signals;
use crate::analysis::Analysis;
use crate::engine::Observer;
use crate::tracking::{Credentials, RunStatus, Sample, Tracker, TrackingOptions};

const URI: &str = "MLFLOW_TRACKING_URI";
const EXPERIMENT: &str = "MLFLOW_EXPERIMENT_NAME";
/// At the end of a session: how long to wait for the server's next response, and for all of them.
const STALL: Duration = Duration::from_secs(2);
const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct TrackingArgs {
    /// Record the session as a run on this MLflow tracking server (default: `MLFLOW_TRACKING_URI`, if it is set)
    #[arg(long, value_name = "URI", value_hint = ValueHint::Url)]
    pub mlflow_uri: Option<String>,
    /// The experiment of the run; it is created if it does not exist (default: `MLFLOW_EXPERIMENT_NAME`, or codegaze)
    #[arg(long, value_name = "NAME")]
    pub mlflow_experiment: Option<String>,
}

/// The session's run, if the user requested one. Dropping it ends the run.
pub(super) struct Tracking(Option<Arc<Tracker>>);

impl Tracking {
    /// `warn` is called at most once, with the reason why nothing is recorded.
    pub(super) fn start(
        args: &TrackingArgs,
        command: &'static str,
        warn: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, CliError> {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(uri) = args.mlflow_uri.clone().or_else(|| var(URI)) else {
            return Ok(Self(None));
        };
        let experiment = args.mlflow_experiment.clone().or_else(|| var(EXPERIMENT));
        let options = TrackingOptions {
            uri,
            experiment: experiment.unwrap_or_else(|| "codegaze".to_owned()),
            credentials: Credentials::from_vars(var),
            command,
        };
        // The environment variable is for other programs as well, which also accept files and databases.
        if args.mlflow_uri.is_none() && !options.uri.starts_with("http") {
            warn(format!(
                "{URI} is {}, which is not the address of a server; codegaze records nothing",
                options.uri
            ));
            return Ok(Self(None));
        }
        let tracker = Tracker::start(options, warn).map_err(CliError::usage)?;
        Ok(Self(Some(Arc::new(tracker))))
    }

    /// Records the analysis of a text of `bytes` bytes.
    pub(super) fn record(&self, bytes: usize, analysis: &Analysis) {
        if let Self(Some(tracker)) = self {
            tracker.record(Sample::new(bytes, analysis, &analysis.timing, None));
        }
    }

    /// Notes that the command failed, so that its run ends as failed.
    pub(super) fn fail(&self) {
        if let Self(Some(tracker)) = self {
            tracker.set_status(RunStatus::Failed);
        }
    }

    /// Ends the run as killed, and then the process, if a signal tells the process to end. For commands that have no other way to end
    /// after a signal.
    pub(super) fn end_on_signals(&self) -> Result<(), CliError> {
        let Self(Some(tracker)) = self else {
            return Ok(());
        };
        let tracker = Arc::clone(tracker);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(CliError::failed)?;
        let thread = std::thread::Builder::new().name("codegaze-signals".to_owned());
        let spawned = thread.spawn(move || {
            let signal = runtime.block_on(signals::received());
            tracker.set_status(RunStatus::Killed);
            tracker.finish(STALL, LIMIT);
            // The exit code of a shell for a process that a signal ended.
            std::process::exit(128 + signal);
        });
        spawned.map(|_| ()).map_err(CliError::failed)
    }

    /// Records every analysis of an engine.
    pub(super) fn observer(&self) -> Option<Observer> {
        let tracker = Arc::clone(self.0.as_ref()?);
        Some(Observer::new(move |finished, cache| {
            let bytes = finished.document.text().len();
            let sample = Sample::new(bytes, &finished.analysis, &finished.spent, Some(cache.hits));
            tracker.record(sample);
        }))
    }
}

impl Drop for Tracking {
    fn drop(&mut self) {
        if let Self(Some(tracker)) = self {
            if std::thread::panicking() {
                tracker.set_status(RunStatus::Failed);
            }
            tracker.finish(STALL, LIMIT);
        }
    }
}
