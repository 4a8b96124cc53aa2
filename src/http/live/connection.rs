//! One client: what it says is done at once, what it asks is answered when it is known, and what it is told is the newest.

mod questions;

use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket, close_code};
use futures_util::StreamExt;
use futures_util::future::AbortHandle;
use tokio::sync::{mpsc, watch};

use super::super::admission::Ticket;
use super::super::app::App;
use super::super::body::is_object;
use super::super::error::ApiError;
use super::PROTOCOL;
use super::document::{OpenDocument, Wanted};
use super::heat::HeatJob;
use super::messages::{ClientMessage, Notice, State};
use super::writer::{Outgoing, write};
use crate::engine::{LivePhase, LiveReceiver};
use crate::text::document::Document;
use questions::{Questions, Slot};

/// A client that is not heard of for three of them is gone.
const PING: Duration = Duration::from_secs(20);

/// Notices that a client has not read yet; a client with more than these only talks.
const MAX_UNREAD: usize = 64;

/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

pub(super) struct Connection {
    app: Arc<App>,
    ending: watch::Receiver<bool>,
    /// The engine's name for the document.
    key: String,
    document: Option<OpenDocument>,
    live: Option<LiveReceiver>,
    /// The model of the document that is not loaded yet.
    awaited: Option<String>,
    questions: Questions,
    current: HashMap<Slot, (u64, AbortHandle)>,
    /// What is to be said, oldest first.
    said: VecDeque<Said>,
    /// What is to be shown: the newest state, or nothing new.
    heat: Option<HeatJob>,
    ping_due: bool,
}

struct Said {
    /// Of an answer.
    question: Option<(Slot, u64)>,
    text: String,
    ticket: Option<Ticket>,
}

impl Connection {
    pub fn new(app: Arc<App>, ending: watch::Receiver<bool>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            app,
            ending,
            key: format!("ws/{number}"),
            document: None,
            live: None,
            awaited: None,
            questions: Questions::new(),
            current: HashMap::new(),
            said: VecDeque::new(),
            heat: None,
            ping_due: false,
        }
    }

    /// Talks to the client until one of the two goes.
    pub async fn run(mut self, socket: WebSocket) {
        let (sink, mut stream) = socket.split();
        let (outgoing, to_write) = mpsc::channel(1);
        let mut writer = tokio::spawn(write(sink, to_write));
        let mut models = self.app.models.watch();
        let mut ping = tokio::time::interval(PING);
        let mut heard = Instant::now();
        self.say_hello();
        let last_word = loop {
            let has_news = self.has_news();
            tokio::select! {
                message = stream.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(message)) => match self.hear(message) {
                            ControlFlow::Continue(()) => {}
                            ControlFlow::Break(last_word) => break last_word,
                        },
                        Some(Err(error)) => {
                            tracing::debug!(%error, "a WebSocket ended early");
                            break None;
                        }
                        None => break None,
                    }
                }
                is_there = changed(&mut self.live) => self.look(is_there),
                Some((slot, id, outcome)) = self.questions.next(), if !self.questions.is_empty() => {
                    self.answered(slot, id, outcome);
                }
                leave = outgoing.reserve(), if has_news => match leave {
                    Ok(leave) => if let Some(news) = self.news() {
                        leave.send(news);
                    },
                    Err(_) => break None,
                },
                Ok(()) = models.changed() => self.await_model(),
                _ = self.ending.changed() => {
                    break Some((close_code::AWAY, "the server is shutting down"));
                }
                _ = ping.tick() => {
                    if heard.elapsed() > 3 * PING {
                        break None;
                    }
                    self.ping_due = true;
                }
            }
        };
        self.app.engine.close(&self.key);
        if let Some((code, reason)) = last_word {
            let close = outgoing.send(Outgoing::Close { code, reason });
            drop(tokio::time::timeout(LAST_WORDS, close).await);
        }
        drop(outgoing);
        if tokio::time::timeout(LAST_WORDS, &mut writer).await.is_err() {
            writer.abort();
        }
    }

    fn say_hello(&mut self) {
        self.say(&Notice::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION"),
            models: crate::http::routes::info::ModelDescription::all(self.app.models.all()),
            max_text_bytes: self.app.limits.body_bytes,
        });
    }

    /// Something was said; the close code and the reason, if that ends the connection.
    fn hear(&mut self, message: Message) -> ControlFlow<Option<(u16, &'static str)>> {
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
        let malformed = |fault: String| {
            ApiError::Malformed(format!("invalid message: {fault}; see docs/http.md"))
        };
        if is_object(text.as_bytes()) {
            match serde_json::from_str(&text) {
                Ok(message) => self.obey(message),
                Err(error) => {
                    let fault = error.to_string();
                    self.complain(None, &malformed(fault));
                }
            }
        } else {
            self.complain(None, &malformed("not a JSON object".to_owned()));
        }
        if self.said.len() > MAX_UNREAD {
            return ControlFlow::Break(Some((
                close_code::POLICY,
                "too many unanswered messages; read before you send more",
            )));
        }
        ControlFlow::Continue(())
    }

    fn obey(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::Open {
                version,
                text,
                model,
                view,
                range,
                encoding,
                level_quantiles,
            } => {
                self.forget();
                let document = Document::new(text, version);
                let wanted = Wanted {
                    model,
                    view,
                    level_quantiles,
                };
                match OpenDocument::new(document, encoding, range, wanted) {
                    Ok(document) => {
                        self.document = Some(document);
                        self.submit();
                    }
                    Err(error) => self.complain(None, &error),
                }
            }
            ClientMessage::Edit { version, changes } => {
                let Some(document) = &mut self.document else {
                    return self.complain(None, &no_document());
                };
                match document.edit(version, changes) {
                    Ok(()) => self.submit(),
                    Err(error) => self.complain(None, &error),
                }
            }
            ClientMessage::Look { range } => {
                let Some(document) = &mut self.document else {
                    return self.complain(None, &no_document());
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
                    return self.complain(None, &no_document());
                };
                let wanted = Wanted {
                    model,
                    view,
                    level_quantiles,
                };
                match document.look_through(&self.app, wanted) {
                    Ok(()) => self.submit(),
                    Err(error) => self.complain(None, &error),
                }
            }
            ClientMessage::Close {} => self.forget(),
            question => self.ask(question),
        }
    }

    /// The document and all that is about it.
    fn forget(&mut self) {
        self.app.engine.close(&self.key);
        self.document = None;
        self.live = None;
        self.awaited = None;
        self.heat = None;
    }

    /// Lets the newest version be analyzed, as soon as its model is there.
    fn submit(&mut self) {
        // Of an older version.
        self.heat = None;
        let limit = self.app.limits.body_bytes;
        let Some(document) = &self.document else {
            return;
        };
        if document.document.text().len() > limit {
            self.forget();
            return self.complain(None, &ApiError::TooLarge { limit });
        }
        match document.submit(&self.app, &self.key) {
            Ok(live) => {
                self.live = Some(live);
                if let Some(model) = self.awaited.take() {
                    let state = State::Ready;
                    self.say(&Notice::Status { state, model });
                }
                // What the engine said before it was listened to.
                self.show();
            }
            Err(ApiError::Loading { model }) => {
                if self.awaited.as_ref() != Some(&model) {
                    self.awaited = Some(model.clone());
                    let state = State::Loading;
                    self.say(&Notice::Status { state, model });
                }
            }
            Err(error) => self.complain(None, &error),
        }
    }

    /// One more model is loaded.
    fn await_model(&mut self) {
        if self.awaited.is_some() {
            self.submit();
        }
    }

    /// The engine has something new on the document.
    fn look(&mut self, is_there: bool) {
        if is_there {
            self.show();
        } else {
            self.live = None;
        }
    }

    /// Makes what is known of the newest version the next thing to be shown.
    fn show(&mut self) {
        let (Some(document), Some(live)) = (&self.document, &mut self.live) else {
            return;
        };
        let now = live.borrow_and_update().clone();
        if now.version != document.document.version() {
            return;
        }
        if let LivePhase::Failed(error) = now.phase {
            return self.complain(None, &error.into());
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

    fn complain(&mut self, id: Option<u64>, error: &ApiError) {
        self.say(&Notice::error(id, error));
    }

    fn say(&mut self, notice: &Notice) {
        match serde_json::to_string(notice) {
            Ok(text) => self.said.push_back(Said {
                question: None,
                text,
                ticket: None,
            }),
            Err(error) => tracing::error!(%error, "cannot encode a notification as JSON"),
        }
    }

    fn has_news(&self) -> bool {
        self.ping_due || !self.said.is_empty() || self.heat.is_some()
    }

    /// The most important thing to be said.
    fn news(&mut self) -> Option<Outgoing> {
        if std::mem::take(&mut self.ping_due) {
            return Some(Outgoing::Ping);
        }
        if let Some(Said { text, ticket, .. }) = self.said.pop_front() {
            return Some(Outgoing::Text(text, ticket));
        }
        self.heat.take().map(Outgoing::Heat)
    }
}

fn no_document() -> ApiError {
    ApiError::unanalysable("no document is open; send `open` first")
}

/// Whether there is something new, rather than nobody who would say it; never, without a document.
async fn changed(live: &mut Option<LiveReceiver>) -> bool {
    match live {
        Some(live) => live.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}
