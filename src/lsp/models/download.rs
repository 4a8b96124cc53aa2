//! Downloads a model from the hub, with progress, and uses it then.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tower_lsp::ls_types::NumberOrString;

use super::LoadPhase;
use super::load::{abort, fail, load, on_thread, update};
use crate::lsp::progress::{Cancellation, ProgressTarget, Reporter};
use crate::lsp::session::Session;
use crate::model::LoadError;
use crate::model::source::{DownloadProgress, HubOptions, ModelSource};
use crate::panics::lock;

/// The download of a smaller file is not reported.
const LARGE: u64 = 4 << 20;
/// Between two reports.
const REPORT_PAUSE: Duration = Duration::from_millis(100);

/// Why a model was not downloaded or loaded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0} is not on the hub: give owner/name, as in microsoft/codebert-base")]
    NotHub(String),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the download of {0} was cancelled; the next one continues where it stopped")]
    Cancelled(String),
    #[error("another model was chosen meanwhile")]
    Superseded,
    #[error("the thread that fetches the model ended: this is a defect, please report it")]
    Broken,
}

/// Downloads `requested`, a hub id, and uses it. `token` is the progress token of the client's request, if it has one.
pub(crate) async fn fetch(
    session: &Arc<Session>,
    requested: &str,
    token: Option<NumberOrString>,
) -> Result<(), FetchError> {
    let source = ModelSource::from_str(requested).map_err(LoadError::from)?;
    if !matches!(source, ModelSource::Hub { .. }) {
        return Err(FetchError::NotHub(requested.to_owned()));
    }
    let generation = session.model_choice.begin_download(requested);
    session.send_status();
    let ours = NumberOrString::String(format!("codegaze/download/{generation}"));
    let caps = session.state().caps;
    let (token, target) = match token {
        Some(token) => (Some(token.clone()), ProgressTarget::Client(token)),
        None if caps.work_done_progress => (Some(ours.clone()), ProgressTarget::Server(ours)),
        None => (None, ProgressTarget::None),
    };
    let cancellable = session.cancellations.register(token);
    let title = format!("codegaze: {requested}");
    let reporter = Reporter::start(session.client.clone(), target, title, true);
    let watcher = Watcher {
        session: Arc::clone(session),
        generation,
        reporter,
        cancellation: cancellable.cancellation.clone(),
        file: Mutex::default(),
        total: AtomicU64::new(0),
        last: Mutex::new(None),
    };
    let (reply, result) = tokio::sync::oneshot::channel();
    let name = requested.to_owned();
    // Cancels the transfer when the request is dropped.
    let on_drop = CancelOnDrop(cancellable.cancellation.clone());
    on_thread(session, move |session| {
        let done = run(session, generation, &source, &name, &watcher);
        drop(watcher);
        // Not after the request, since it may have been cancelled.
        match &done {
            Ok(()) => {}
            Err(error @ FetchError::Cancelled(_)) => abort(session, generation, error.to_string()),
            Err(error) => fail(session, generation, error.to_string()),
        }
        // The request may have been cancelled.
        let _ = reply.send(done);
    });
    let done = result.await.unwrap_or_else(|_| {
        let error = FetchError::Broken;
        fail(session, generation, error.to_string());
        Err(error)
    });
    drop(on_drop);
    done
}

struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn run(
    session: &Arc<Session>,
    generation: u64,
    source: &ModelSource,
    name: &str,
    watcher: &Watcher,
) -> Result<(), FetchError> {
    let files = source
        .download(&HubOptions::from_env(), watcher)
        .map_err(|error| {
            if watcher.cancellation.is_cancelled() {
                FetchError::Cancelled(name.to_owned())
            } else {
                error.into()
            }
        })?;
    let request = session.model_choice.state().request.clone();
    update(session, generation, |state| {
        state.phase = LoadPhase::Loading;
        state.message = None;
    });
    load(session, generation, source, &files, &request)?;
    if session.model_choice.is_current(generation) {
        Ok(())
    } else {
        Err(FetchError::Superseded)
    }
}

/// Reports the download of large files to the client.
struct Watcher {
    session: Arc<Session>,
    generation: u64,
    reporter: Reporter,
    cancellation: Cancellation,
    file: Mutex<String>,
    total: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Watcher {
    fn report(&self, done: u64) {
        let total = self.total.load(Ordering::Relaxed);
        if total < LARGE {
            return;
        }
        let percent = u32::try_from(done.min(total) * 100 / total).ok();
        let file = lock(&self.file).clone();
        let message = format!("{file}: {} of {} MB", done / 1_000_000, total / 1_000_000);
        self.reporter.report(percent, message.clone());
        update(&self.session, self.generation, |state| {
            state.phase = LoadPhase::Downloading { percent };
            state.message = Some(message);
        });
    }
}

impl DownloadProgress for Watcher {
    fn init(&self, file: &str, total: u64, done: u64) {
        file.clone_into(&mut lock(&self.file));
        self.total.store(total, Ordering::Relaxed);
        self.report(done);
    }

    fn update(&self, done: u64) {
        let mut last = lock(&self.last);
        if last.is_none_or(|last| last.elapsed() >= REPORT_PAUSE) {
            *last = Some(Instant::now());
            drop(last);
            self.report(done);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled() || !self.session.model_choice.is_current(self.generation)
    }
}
