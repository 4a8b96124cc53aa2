//! Fetching a model from the hub, with progress, and serving it when it is there.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tower_lsp::ls_types::NumberOrString;

use super::{Phase, load};
use crate::lsp::progress::{Cancellation, Reporter, Under};
use crate::lsp::session::Session;
use crate::model::LoadError;
use crate::model::source::{DownloadProgress, HubOptions, ModelSource};

/// Files below this say nothing about how far a download is.
const LARGE: u64 = 4 << 20;
/// Between two reports.
const PAUSE: Duration = Duration::from_millis(100);

/// Why no model came.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0} is not on the hub: give owner/name, as in microsoft/codebert-base")]
    NotHub(String),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the download of {0} was cancelled; what is there stays for the next time")]
    Cancelled(String),
    #[error("another model was chosen meanwhile")]
    Superseded,
    #[error("the thread that fetches the model ended: this is a defect, please report it")]
    Broken,
}

/// Downloads `requested`, a hub id, and lets it serve. `token`: the client's progress token, if its request had one.
pub(crate) async fn fetch(
    session: &Arc<Session>,
    requested: &str,
    token: Option<NumberOrString>,
) -> Result<(), FetchError> {
    let source = ModelSource::from_str(requested).map_err(LoadError::from)?;
    if !matches!(source, ModelSource::Hub { .. }) {
        return Err(FetchError::NotHub(requested.to_owned()));
    }
    let ticket = {
        let mut state = session.models.state();
        state.ticket += 1;
        requested.clone_into(&mut state.requested);
        state.phase = Phase::Downloading { percent: None };
        state.message = Some(format!("downloading {requested}"));
        state.ticket
    };
    session.notifier.status();
    let ours = NumberOrString::String(format!("codegaze/download/{ticket}"));
    let caps = session.state().caps;
    let (named, under) = match token {
        Some(token) => (Some(token.clone()), Under::Client(token)),
        None if caps.work_done_progress => (Some(ours.clone()), Under::Server(ours)),
        None => (None, Under::Nobody),
    };
    let cancellable = session.cancellations.register(named);
    let title = format!("codegaze: {requested}");
    let reporter = Reporter::start(session.client.clone(), under, title, true);
    let watcher = Watcher {
        session: Arc::clone(session),
        ticket,
        reporter,
        cancellation: cancellable.cancellation.clone(),
        file: Mutex::default(),
        total: AtomicU64::new(0),
        last: Mutex::new(None),
    };
    let (reply, result) = tokio::sync::oneshot::channel();
    let name = requested.to_owned();
    // Dropped with the request: the transfer looks at it between two pieces.
    let on_drop = CancelOnDrop(cancellable.cancellation.clone());
    session.models.on_thread(move |session| {
        let done = run(&session, ticket, &source, &name, &watcher);
        drop(watcher);
        // Said here: a request that was cancelled waits for nothing.
        match &done {
            Ok(()) => {}
            Err(error @ FetchError::Cancelled(_)) => {
                session.models.call_off(&session, ticket, error.to_string());
            }
            Err(error) => session.models.fail(&session, ticket, error.to_string()),
        }
        drop(reply.send(done));
    });
    let done = result.await.unwrap_or_else(|_| {
        let error = FetchError::Broken;
        session.models.fail(session, ticket, error.to_string());
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
    ticket: u64,
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
    let device = session.models.state().device;
    session.models.update(session, ticket, |state| {
        state.phase = Phase::Loading;
        state.message = None;
    });
    load(session, ticket, source, &files, device)?;
    if session.models.is_current(ticket) {
        Ok(())
    } else {
        Err(FetchError::Superseded)
    }
}

/// Tells the client how far the large files are.
struct Watcher {
    session: Arc<Session>,
    ticket: u64,
    reporter: Reporter,
    cancellation: Cancellation,
    file: Mutex<String>,
    total: AtomicU64,
    last: Mutex<Option<Instant>>,
}

impl Watcher {
    fn tell(&self, done: u64) {
        let total = self.total.load(Ordering::Relaxed);
        if total < LARGE {
            return;
        }
        let percent = u32::try_from(done.min(total) * 100 / total).ok();
        let file = self
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let message = format!("{file}: {} of {} MB", done / 1_000_000, total / 1_000_000);
        self.reporter.report(percent, message.clone());
        let models = &self.session.models;
        models.update(&self.session, self.ticket, |state| {
            state.phase = Phase::Downloading { percent };
            state.message = Some(message);
        });
    }
}

impl DownloadProgress for Watcher {
    fn init(&self, file: &str, total: u64, done: u64) {
        file.clone_into(&mut self.file.lock().unwrap_or_else(PoisonError::into_inner));
        self.total.store(total, Ordering::Relaxed);
        self.tell(done);
    }

    fn update(&self, done: u64) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= PAUSE) {
            *last = Some(Instant::now());
            drop(last);
            self.tell(done);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled() || !self.session.models.is_current(self.ticket)
    }
}
