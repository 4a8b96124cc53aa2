//! Work-done progress: it begins once, is reported at most every tenth of a second, and ends however the work ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tower_lsp::ls_types::notification::Progress;
use tower_lsp::ls_types::request::WorkDoneProgressCreate;
use tower_lsp::ls_types::{
    NumberOrString, ProgressParams, ProgressParamsValue, WorkDoneProgress, WorkDoneProgressBegin,
    WorkDoneProgressCreateParams, WorkDoneProgressEnd, WorkDoneProgressReport,
};

use super::transport::Client;
use crate::panics::lock;

const REPORT_PAUSE: Duration = Duration::from_millis(100);

/// Under which token progress is reported.
pub(crate) enum ProgressTarget {
    /// The client sent the token with its request.
    Client(NumberOrString),
    /// A token of the server, which the client has to accept first.
    Server(NumberOrString),
    /// The client does not show progress.
    None,
}

/// Reports the progress of one piece of work. Progress ends when it is dropped.
pub(crate) struct Reporter {
    latest: watch::Sender<(Option<u32>, String)>,
    task: JoinHandle<()>,
}

impl Reporter {
    pub fn start(
        client: Client,
        target: ProgressTarget,
        title: String,
        is_cancellable: bool,
    ) -> Self {
        let (latest, watched) = watch::channel((Some(0), String::new()));
        let task = tokio::spawn(report(client, target, title, is_cancellable, watched));
        Self { latest, task }
    }

    /// Ends the progress, and waits until the end is sent.
    pub async fn finish(self) {
        let Self { latest, task } = self;
        drop(latest);
        // Fails only if the task panicked.
        let _ = task.await;
    }

    /// `percent` is 0 to 100, or `None` if it is unknown.
    pub fn report(&self, percent: Option<u32>, message: String) {
        self.latest.send_replace((percent, message));
    }
}

async fn report(
    client: Client,
    target: ProgressTarget,
    title: String,
    is_cancellable: bool,
    mut watched: watch::Receiver<(Option<u32>, String)>,
) {
    let token = match target {
        ProgressTarget::Client(token) => token,
        ProgressTarget::Server(token) => {
            let params = WorkDoneProgressCreateParams {
                token: token.clone(),
            };
            // Nothing may be sent under a token that the client did not accept.
            if client
                .request::<WorkDoneProgressCreate>(params)
                .await
                .is_err()
            {
                return;
            }
            token
        }
        ProgressTarget::None => return,
    };
    let send = |value| {
        client.notify::<Progress>(ProgressParams {
            token: token.clone(),
            value: ProgressParamsValue::WorkDone(value),
        });
    };
    send(WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title,
        cancellable: Some(is_cancellable),
        message: None,
        percentage: Some(0),
    }));
    while watched.changed().await.is_ok() {
        let (percentage, message) = watched.borrow_and_update().clone();
        send(WorkDoneProgress::Report(WorkDoneProgressReport {
            cancellable: Some(is_cancellable),
            message: (!message.is_empty()).then_some(message),
            percentage,
        }));
        tokio::select! {
            () = tokio::time::sleep(REPORT_PAUSE) => {}
            () = ended(watched.clone()) => {}
        }
    }
    send(WorkDoneProgress::End(WorkDoneProgressEnd { message: None }));
}

/// Resolves when the work has ended.
async fn ended(mut watched: watch::Receiver<(Option<u32>, String)>) {
    while watched.changed().await.is_ok() {}
}

/// Tells work that the client cancelled it.
#[derive(Clone, Default)]
pub(crate) struct Cancellation {
    flag: Arc<AtomicBool>,
    changed: Arc<Notify>,
}

impl Cancellation {
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Relaxed)
    }

    pub async fn cancelled(&self) {
        while !self.is_cancelled() {
            self.changed.notified().await;
        }
    }
}

/// Work that can be cancelled, by its progress token.
#[derive(Default)]
pub(crate) struct Cancellations {
    by_token: Arc<Mutex<HashMap<NumberOrString, Cancellation>>>,
}

/// Removes the token when the work has ended.
pub(crate) struct Cancellable {
    pub cancellation: Cancellation,
    token: Option<NumberOrString>,
    by_token: Arc<Mutex<HashMap<NumberOrString, Cancellation>>>,
}

impl Cancellations {
    /// Without a token the client cannot cancel the work.
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
