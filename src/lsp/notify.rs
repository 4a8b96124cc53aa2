//! What the server says of its own accord: one task, so that the order of saying is the order of sending, and the client is
//! never asked from a handler.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tower_lsp::Client;
use tower_lsp::ls_types::notification::Notification;
use tower_lsp::ls_types::{MessageType, Uri};

use super::custom::{HeatmapChanged, HeatmapChangedParams, Status, StatusParams};
use super::session::Session;
use crate::engine::{Live, LivePhase, LiveReceiver};

/// Between two refreshes: they are global, and every client asks for everything again.
const REFRESH_PAUSE: Duration = Duration::from_millis(500);
/// A client that does not answer a request of ours.
pub(crate) const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

enum Say {
    Message(MessageType, String),
    Status(StatusParams),
    HeatmapChanged(HeatmapChangedParams),
}

/// Handle to the task that talks to the client.
pub(crate) struct Notifier {
    queue: mpsc::UnboundedSender<Say>,
    session: Weak<Session>,
    refresh: Arc<Notify>,
    /// Somebody was answered before there was something to see.
    is_owed: Arc<AtomicBool>,
}

impl Notifier {
    /// Needs a runtime.
    pub fn start(client: Client, session: Weak<Session>) -> Self {
        let (queue, said) = mpsc::unbounded_channel();
        let refresh = Arc::new(Notify::new());
        tokio::spawn(say(client.clone(), said));
        tokio::spawn(refresh_loop(client, Arc::clone(&refresh), session.clone()));
        Self {
            queue,
            session,
            refresh,
            is_owed: Arc::default(),
        }
    }

    pub fn info(&self, message: impl Into<String>) {
        self.push(Say::Message(MessageType::INFO, message.into()));
    }

    pub fn warn(&self, message: impl Into<String>) {
        self.push(Say::Message(MessageType::WARNING, message.into()));
    }

    pub fn error(&self, message: impl Into<String>) {
        self.push(Say::Message(MessageType::ERROR, message.into()));
    }

    /// Tells the current status, if the client wants it.
    pub fn status(&self) {
        let Some(session) = self.session.upgrade() else {
            return;
        };
        if session.state().caps.wants_status {
            self.push(Say::Status(session.models.status(&session)));
        }
    }

    /// Asks for new requests soon: the model, the view or the levels changed.
    pub fn refresh(&self) {
        self.refresh.notify_one();
    }

    /// A request was answered before there was something to show: a refresh will follow.
    pub fn was_early(&self) {
        self.is_owed.store(true, Ordering::Relaxed);
    }

    /// Tells of a document's results until it is closed.
    pub fn follow(&self, uri: Uri, mut live: LiveReceiver) {
        // What was published before anybody looked counts as well.
        live.mark_changed();
        let (queue, session) = (self.queue.clone(), self.session.clone());
        let (refresh, is_owed) = (Arc::clone(&self.refresh), Arc::clone(&self.is_owed));
        tokio::spawn(async move {
            while live.changed().await.is_ok() {
                let now = live.borrow_and_update().clone();
                let Some(session) = session.upgrade() else {
                    return;
                };
                let Some(finished) = &now.analysis else {
                    continue;
                };
                if matches!(now.phase, LivePhase::Ready) {
                    session.models.analyzed_in(finished.analysis.timing.total);
                    session.notifier.status();
                    if is_owed.swap(false, Ordering::Relaxed) {
                        refresh.notify_one();
                    }
                }
                if let Some(changed) = heatmap_changed(&session, &uri, &now) {
                    // The queue ends with the session.
                    drop(queue.send(changed));
                }
            }
        });
    }

    /// The same analyses have other levels now: tells of every document's heat.
    pub fn levels_changed(&self, session: &Session) {
        let uris: Vec<Uri> = {
            let state = session.state();
            state
                .documents
                .iter()
                .map(|open| open.uri.clone())
                .collect()
        };
        for uri in uris {
            let Some(live) = session.engine.watch(uri.as_str()) else {
                continue;
            };
            let now = live.borrow().clone();
            if let Some(changed) = heatmap_changed(session, &uri, &now) {
                self.push(changed);
            }
        }
        self.refresh();
    }

    fn push(&self, say: Say) {
        // Fails only when the runtime ends.
        drop(self.queue.send(say));
    }
}

/// News of a document's heat, for a client that wants it; of an older text nobody is told.
fn heatmap_changed(session: &Session, uri: &Uri, now: &Live) -> Option<Say> {
    let finished = now.analysis.as_ref()?;
    let state = session.state();
    let open = state.documents.get(uri.as_str())?;
    let is_news = open.document.version() == now.version && state.caps.wants_heatmap_changed;
    is_news.then(|| {
        Say::HeatmapChanged(HeatmapChangedParams {
            uri: uri.clone(),
            version: open.client_version,
            complete: finished.complete,
        })
    })
}

async fn say(client: Client, mut said: mpsc::UnboundedReceiver<Say>) {
    let mut last_status = None;
    while let Some(say) = said.recv().await {
        match say {
            Say::Message(kind, message) => {
                tracing::info!(%message, "told the client");
                client.show_message(kind, message).await;
            }
            Say::Status(status) => {
                if last_status.as_ref() != Some(&status) {
                    notify::<Status>(&client, status.clone()).await;
                    last_status = Some(status);
                }
            }
            Say::HeatmapChanged(changed) => notify::<HeatmapChanged>(&client, changed).await,
        }
    }
}

async fn notify<N: Notification>(client: &Client, params: N::Params) {
    client.send_notification::<N>(params).await;
}

/// The first refresh goes out at once, the next ones not closer together than [`REFRESH_PAUSE`].
async fn refresh_loop(client: Client, wanted: Arc<Notify>, session: Weak<Session>) {
    let mut next = Instant::now();
    loop {
        wanted.notified().await;
        tokio::time::sleep_until(next).await;
        next = Instant::now() + REFRESH_PAUSE;
        let Some(session) = session.upgrade() else {
            return;
        };
        let features = {
            let state = session.state();
            state.settings.features.intersection(state.caps.refreshable)
        };
        drop(session);
        let requests = features
            .iter()
            .filter_map(|feature| feature.refresh(&client));
        // The results carry nothing. Waiting for them keeps at most one refresh of each feature open.
        join_all(requests.map(|request| tokio::time::timeout(ANSWER_DEADLINE, request))).await;
    }
}
