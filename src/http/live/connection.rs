//! One WebSocket client. Commands take effect immediately, questions are answered asynchronously, and only the latest heat is
//! sent.

mod questions;

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket, close_code};
use futures_util::FutureExt;
use futures_util::StreamExt;
use futures_util::future::AbortHandle;
use futures_util::stream::SplitStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Interval;

use super::super::admission::Permit;
use super::super::app::App;
use super::super::body::is_object;
use super::super::error::ApiError;
use super::super::routes::ask::language_of;
use super::super::routes::info::ModelState;
use super::closing::{Close, after_panic, close_after};
use super::document::{ClientDocument, Wanted};
use super::heat::HeatJob;
use super::messages::{ClientMessage, Notice};
use super::writer::{Outgoing, write};
use super::{CLOSE_TIMEOUT, PROTOCOL};
use crate::engine::{LivePhase, LiveReceiver};
use crate::json_input;
use crate::text::document::Document;
use questions::{QuestionKey, Questions};

/// A client that sends nothing during three of these intervals is disconnected.
const PING: Duration = Duration::from_secs(20);

/// A client that has more unread messages than these is disconnected.
const MAX_UNREAD: usize = 64;

pub(super) struct Connection {
    app: Arc<App>,
    ending: watch::Receiver<bool>,
    address: IpAddr,
    /// The document's key in the engine.
    key: String,
    document: Option<ClientDocument>,
    live: Option<LiveReceiver>,
    /// The document's model, while it is not loaded yet.
    awaited: Option<String>,
    questions: Questions,
    current: HashMap<QuestionKey, (u64, AbortHandle)>,
    /// Messages that wait to be sent, oldest first.
    outbound: VecDeque<OutboundMessage>,
    /// The newest heat, if it is not sent yet.
    heat: Option<HeatJob>,
    ping_due: bool,
    last_received: Instant,
}

struct OutboundMessage {
    /// The question that this answers.
    question: Option<(QuestionKey, u64)>,
    text: String,
    permit: Option<Permit>,
}

impl Connection {
    pub fn new(app: Arc<App>, ending: watch::Receiver<bool>, address: IpAddr) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            app,
            ending,
            address,
            key: format!("ws/{number}"),
            document: None,
            live: None,
            awaited: None,
            questions: Questions::new(),
            current: HashMap::new(),
            outbound: VecDeque::new(),
            heat: None,
            ping_due: false,
            last_received: Instant::now(),
        }
    }

    /// Serves the client until one of the two ends the connection.
    pub async fn run(mut self, socket: WebSocket) {
        let (sink, mut stream) = socket.split();
        let (outgoing, to_write) = mpsc::channel(1);
        let mut writer = tokio::spawn(write(sink, to_write));
        let mut models = self.app.models.watch();
        let mut ping = tokio::time::interval(PING);
        self.send_hello();
        let close = loop {
            let step = self.step(&mut stream, &outgoing, &mut models, &mut ping);
            match AssertUnwindSafe(step).catch_unwind().await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(close)) => break close,
                Err(panic) => break Some(after_panic(&*panic)),
            }
        };
        self.app.engine.close(&self.key);
        if let Some(close) = close {
            let close = outgoing.send(Outgoing::Close(close));
            // A client that does not read does not get it.
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, close).await;
        }
        drop(outgoing);
        if tokio::time::timeout(CLOSE_TIMEOUT, &mut writer)
            .await
            .is_err()
        {
            writer.abort();
        }
    }

    /// Waits for the next event, and handles it.
    async fn step(
        &mut self,
        stream: &mut SplitStream<WebSocket>,
        outgoing: &mpsc::Sender<Outgoing>,
        models: &mut watch::Receiver<usize>,
        ping: &mut Interval,
    ) -> ControlFlow<Option<Close>> {
        let has_outbound = self.has_outbound();
        tokio::select! {
            message = stream.next() => return self.on_received(message),
            is_open = changed(&mut self.live) => self.on_live_change(is_open),
            Some((slot, id, outcome)) = self.questions.next(), if !self.questions.is_empty() => {
                self.on_answer(slot, id, outcome);
            }
            room = outgoing.reserve(), if has_outbound => {
                let Ok(room) = room else {
                    return ControlFlow::Break(None);
                };
                if let Some(next) = self.next_outbound() {
                    room.send(next);
                }
            }
            // The writer closed the connection.
            () = outgoing.closed() => return ControlFlow::Break(None),
            Ok(()) = models.changed() => self.on_model_loaded(),
            _ = self.ending.changed() => {
                return ControlFlow::Break(Some((close_code::AWAY, "the server is shutting down")));
            }
            _ = ping.tick() => {
                if self.last_received.elapsed() > 3 * PING {
                    return ControlFlow::Break(None);
                }
                self.ping_due = true;
            }
        }
        ControlFlow::Continue(())
    }

    fn send_hello(&mut self) {
        self.send(&Notice::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION"),
            models: crate::http::routes::info::ModelDescription::all(self.app.models.all()),
            max_text_bytes: self.app.limits.body_bytes,
        });
    }

    fn on_received(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> ControlFlow<Option<Close>> {
        self.last_received = Instant::now();
        match message {
            Some(Ok(message)) => self.on_message(message),
            Some(Err(error)) => {
                tracing::debug!(%error, "a WebSocket ended early");
                ControlFlow::Break(close_after(error))
            }
            None => ControlFlow::Break(None),
        }
    }

    fn on_message(&mut self, message: Message) -> ControlFlow<Option<Close>> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => {
                return ControlFlow::Break(Some((
                    close_code::UNSUPPORTED,
                    "send JSON in text messages",
                )));
            }
            Message::Close(_) => return ControlFlow::Break(None),
            Message::Ping(_) | Message::Pong(_) => return ControlFlow::Continue(()),
        };
        #[cfg(test)]
        assert_ne!(text.as_str(), super::tests::PANIC);
        let malformed = |fault: String| {
            ApiError::Malformed(format!("invalid message: {fault}; see docs/http.md"))
        };
        if is_object(text.as_bytes()) {
            match json_input::from_slice(text.as_bytes()) {
                Ok(message) => self.apply(message),
                Err(error) => {
                    let fault = error.to_string();
                    self.send_error(None, &malformed(fault));
                }
            }
        } else {
            self.send_error(None, &malformed("not a JSON object".to_owned()));
        }
        if self.outbound.len() > MAX_UNREAD {
            return ControlFlow::Break(Some((
                close_code::POLICY,
                "too many unanswered messages; read before you send more",
            )));
        }
        ControlFlow::Continue(())
    }

    fn apply(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::Open {
                version,
                text,
                language,
                model,
                view,
                range,
                encoding,
                level_quantiles,
            } => {
                self.close_document();
                let wanted = Wanted {
                    model,
                    view,
                    level_quantiles,
                };
                let document = language_of(language.as_deref()).and_then(|language| {
                    let document = Document::new(text, version).with_language(language);
                    ClientDocument::new(document, encoding, range, wanted)
                });
                match document {
                    Ok(document) => {
                        self.document = Some(document);
                        self.submit();
                    }
                    Err(error) => self.send_error(None, &error),
                }
            }
            ClientMessage::Edit { version, changes } => {
                let Some(document) = &mut self.document else {
                    return self.send_error(None, &no_document());
                };
                match document.edit(version, changes) {
                    Ok(()) => self.submit(),
                    Err(error) => self.send_error(None, &error),
                }
            }
            ClientMessage::Look { range } => {
                let Some(document) = &mut self.document else {
                    return self.send_error(None, &no_document());
                };
                document.range = range;
                document.focus(&self.app, &self.key);
                self.show();
            }
            ClientMessage::View {
                model,
                view,
                level_quantiles,
            } => {
                let Some(document) = &mut self.document else {
                    return self.send_error(None, &no_document());
                };
                let wanted = Wanted {
                    model,
                    view,
                    level_quantiles,
                };
                match document.look_through(&self.app, wanted) {
                    Ok(()) => self.submit(),
                    Err(error) => self.send_error(None, &error),
                }
            }
            ClientMessage::Close {} => self.close_document(),
            question => self.ask(question),
        }
    }

    fn close_document(&mut self) {
        self.app.engine.close(&self.key);
        self.document = None;
        self.live = None;
        self.awaited = None;
        self.heat = None;
    }

    /// Submits the newest version to the engine, once its model is loaded.
    fn submit(&mut self) {
        // The heat of an older version.
        self.heat = None;
        let limit = self.app.limits.body_bytes;
        let Some(document) = &self.document else {
            return;
        };
        if document.document.text().len() > limit {
            self.close_document();
            return self.send_error(None, &ApiError::TooLarge { limit });
        }
        match document.submit(&self.app, &self.key) {
            Ok(live) => {
                self.live = Some(live);
                if let Some(model) = self.awaited.take() {
                    let state = ModelState::Ready;
                    self.send(&Notice::Status { state, model });
                }
                // The engine may have results already.
                self.show();
            }
            Err(ApiError::Loading { model }) => {
                if self.awaited.as_ref() != Some(&model) {
                    self.awaited = Some(model.clone());
                    let state = ModelState::Loading;
                    self.send(&Notice::Status { state, model });
                }
            }
            Err(error) => {
                // Questions shall not wait for a model that will never read it.
                self.close_document();
                self.send_error(None, &error);
            }
        }
    }

    fn on_model_loaded(&mut self) {
        if self.awaited.is_some() {
            self.submit();
        }
    }

    /// The engine has published something about the document, or closed it.
    fn on_live_change(&mut self, is_open: bool) {
        if is_open {
            self.show();
        } else {
            self.live = None;
        }
    }

    /// Makes the results for the newest version the next heat to be sent.
    fn show(&mut self) {
        let (Some(document), Some(live)) = (&self.document, &mut self.live) else {
            return;
        };
        let now = live.borrow_and_update().clone();
        if now.version != document.document.version() {
            return;
        }
        if let LivePhase::Failed(error) = now.phase {
            return self.send_error(None, &error.into());
        }
        if let Some(finished) = now.analysis {
            self.heat = Some(HeatJob {
                finished,
                encoding: document.encoding,
                thresholds: document.thresholds,
                range: document.range,
            });
        }
    }

    fn send_error(&mut self, id: Option<u64>, error: &ApiError) {
        self.send(&Notice::error(id, error));
    }

    fn send(&mut self, notice: &Notice) {
        match serde_json::to_string(notice) {
            Ok(text) => self.outbound.push_back(OutboundMessage {
                question: None,
                text,
                permit: None,
            }),
            Err(error) => tracing::error!(%error, "cannot encode a notification as JSON"),
        }
    }

    fn has_outbound(&self) -> bool {
        self.ping_due || !self.outbound.is_empty() || self.heat.is_some()
    }

    /// The next message: a ping, then the oldest message, then heat.
    fn next_outbound(&mut self) -> Option<Outgoing> {
        if std::mem::take(&mut self.ping_due) {
            return Some(Outgoing::Ping);
        }
        if let Some(OutboundMessage { text, permit, .. }) = self.outbound.pop_front() {
            return Some(Outgoing::Text(text, permit));
        }
        self.heat.take().map(Outgoing::Heat)
    }
}

fn no_document() -> ApiError {
    ApiError::unanalysable("no document is open; send `open` first")
}

/// Whether the document is still open when something changes. Never resolves without a document.
async fn changed(live: &mut Option<LiveReceiver>) -> bool {
    match live {
        Some(live) => live.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}
