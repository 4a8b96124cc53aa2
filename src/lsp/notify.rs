//! Messages to the user, the status, and refreshes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::Instant;
use tower_lsp::ls_types::notification::ShowMessage;
use tower_lsp::ls_types::{MessageType, ShowMessageParams};

use super::custom::{Status, StatusParams};
use super::features::FeatureSet;
use super::transport::Client;
use crate::panics::lock;

/// Between two refreshes: after each, every client requests the results of all documents again.
const REFRESH_PAUSE: Duration = Duration::from_millis(500);

/// Sends what the client did not request.
pub(crate) struct Notifier {
    client: Client,
    last_status: Mutex<Option<StatusParams>>,
    refresh: watch::Sender<FeatureSet>,
    is_refresh_pending: AtomicBool,
}

impl Notifier {
    /// Needs a runtime.
    pub fn start(client: Client) -> Self {
        let (refresh, wanted) = watch::channel(FeatureSet::EMPTY);
        tokio::spawn(send_refreshes(client.clone(), wanted));
        Self {
            client,
            last_status: Mutex::default(),
            refresh,
            is_refresh_pending: AtomicBool::new(false),
        }
    }

    pub fn info(&self, message: impl Into<String>) {
        self.show(MessageType::INFO, message.into());
    }

    pub fn warn(&self, message: impl Into<String>) {
        self.show(MessageType::WARNING, message.into());
    }

    pub fn error(&self, message: impl Into<String>) {
        self.show(MessageType::ERROR, message.into());
    }

    fn show(&self, typ: MessageType, message: String) {
        tracing::info!(%message, "shown to the user");
        self.client
            .notify::<ShowMessage>(ShowMessageParams { typ, message });
    }

    /// Sends the status, unless it is the one that was sent last.
    pub fn status(&self, read: impl FnOnce() -> StatusParams) {
        // Locked while it is read and sent, so that the newest status is the last on the wire.
        let mut last = lock(&self.last_status);
        let status = read();
        if last.as_ref() != Some(&status) {
            self.client.notify::<Status>(status.clone());
            *last = Some(status);
        }
    }

    /// Asks the client to request the results of `features` again. Further calls within a short time send one refresh more, with
    /// the features of the last call.
    pub fn refresh(&self, features: FeatureSet) {
        self.refresh.send_replace(features);
    }

    /// Remembers that a request was answered before its analysis was done, so that a refresh has to follow.
    pub fn set_refresh_pending(&self) {
        self.is_refresh_pending.store(true, Ordering::Relaxed);
    }

    /// Whether a refresh has to follow; afterwards, none has to.
    pub fn take_refresh_pending(&self) -> bool {
        self.is_refresh_pending.swap(false, Ordering::Relaxed)
    }
}

/// Sends the first refresh at once, and each later one at least [`REFRESH_PAUSE`] after the one before.
async fn send_refreshes(client: Client, mut wanted: watch::Receiver<FeatureSet>) {
    let mut next = Instant::now();
    while wanted.changed().await.is_ok() {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + REFRESH_PAUSE;
        let features = *wanted.borrow_and_update();
        // The results are empty. Waiting for them keeps at most one refresh of each feature open.
        join_all(
            features
                .iter()
                .filter_map(|feature| feature.refresh(&client)),
        )
        .await;
    }
}
