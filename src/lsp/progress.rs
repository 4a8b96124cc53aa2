//! Work-done progress: begun once, reported at most every tenth of a second, and always ended, however the work ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tower_lsp::Client;
use tower_lsp::ls_types::notification::Progress;
use tower_lsp::ls_types::{
    NumberOrString, ProgressParams, ProgressParamsValue, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressEnd, WorkDoneProgressReport,
};

use super::notify::ANSWER_DEADLINE;

const REPORT_PAUSE: Duration = Duration::from_millis(100);

/// Whose token the progress is reported under.
pub(crate) enum Under {
    /// The client sent it with its request.
    Client(NumberOrString),
    /// One of ours, which the client is asked to take.
    Server(NumberOrString),
    /// The client shows no progress.
    Nobody,
}

/// Reports the progress of one piece of work; dropped, it ends it.
pub(crate) struct Reporter {
    latest: watch::Sender<(Option<u32>, String)>,
    task: JoinHandle<()>,
}

impl Reporter {
    pub fn start(client: Client, under: Under, title: String, is_cancellable: bool) -> Self {
        let (latest, watched) = watch::channel((Some(0), String::new()));
        let task = tokio::spawn(report(client, under, title, is_cancellable, watched));
        Self { latest, task }
    }

    /// Ends the progress, and waits until that is said.
    pub async fn finish(self) {
        let Self { latest, task } = self;
        drop(latest);
        // A task that panicked has nothing more to say.
        drop(task.await);
    }

    /// `percent` 0 … 100, if that is known.
    pub fn report(&self, percent: Option<u32>, message: String) {
        self.latest.send_replace((percent, message));
    }
}

async fn report(
    client: Client,
    under: Under,
    title: String,
    is_cancellable: bool,
    mut watched: watch::Receiver<(Option<u32>, String)>,
) {
    let token = match under {
        Under::Client(token) => token,
        Under::Server(token) => {
            let created = client.create_work_done_progress(token.clone());
            // Without its word nothing may be sent.
            match tokio::time::timeout(ANSWER_DEADLINE, created).await {
                Ok(Ok(())) => token,
                _ => return,
            }
        }
        Under::Nobody => return,
    };
    let send = |value| {
        client.send_notification::<Progress>(ProgressParams {
            token: token.clone(),
            value: ProgressParamsValue::WorkDone(value),
        })
    };
    send(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title,
        cancellable: Some(is_cancellable),
        message: None,
        percentage: Some(0),
    }))
    .await;
    while watched.changed().await.is_ok() {
        let (percentage, message) = watched.borrow_and_update().clone();
        send(WorkDoneProgress::Report(WorkDoneProgressReport {
            cancellable: Some(is_cancellable),
            message: (!message.is_empty()).then_some(message),
            percentage,
        }))
        .await;
        tokio::select! {
            () = tokio::time::sleep(REPORT_PAUSE) => {}
            () = ended(watched.clone()) => {}
        }
    }
    send(WorkDoneProgress::End(WorkDoneProgressEnd { message: None })).await;
}

/// Resolves when nobody reports any more.
async fn ended(mut watched: watch::Receiver<(Option<u32>, String)>) {
    while watched.changed().await.is_ok() {}
}

/// Tells work that the client wants it ended.
#[derive(Clone, Default)]
pub(crate) struct Cancellation {
    flag: Arc<AtomicBool>,
    told: Arc<Notify>,
}

impl Cancellation {
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.told.notify_waiters();
        self.told.notify_one();
    }

    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    pub async fn cancelled(&self) {
        while !self.is_cancelled() {
            self.told.notified().await;
        }
    }
}

/// By progress token, for `window/workDoneProgress/cancel`.
#[derive(Default)]
pub(crate) struct Cancellations {
    by_token: Arc<Mutex<HashMap<NumberOrString, Cancellation>>>,
}

/// Forgets the token when the work is over.
pub(crate) struct Cancellable {
    pub cancellation: Cancellation,
    token: Option<NumberOrString>,
    by_token: Arc<Mutex<HashMap<NumberOrString, Cancellation>>>,
}

impl Cancellations {
    /// `None`: nobody can name the work.
    pub fn register(&self, token: Option<NumberOrString>) -> Cancellable {
        let cancellation = Cancellation::default();
        if let Some(token) = &token {
            lock(&self.by_token).insert(token.clone(), cancellation.clone());
        }
        Cancellable {
            cancellation,
            token,
            by_token: Arc::clone(&self.by_token),
        }
    }

    pub fn cancel(&self, token: &NumberOrString) {
        if let Some(cancellation) = lock(&self.by_token).get(token) {
            cancellation.cancel();
        }
    }
}

impl Drop for Cancellable {
    fn drop(&mut self) {
        if let Some(token) = &self.token {
            lock(&self.by_token).remove(token);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
