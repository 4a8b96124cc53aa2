//! One client's session: its documents, its settings, the engine, and how an answer waits for its analysis.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tower_lsp::Client;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::Uri;

use super::client_caps::ClientCaps;
use super::documents::{Documents, OpenDocument};
use super::features::FeatureSet;
use super::levels::LevelCache;
use super::models::Models;
use super::notify::Notifier;
use super::progress::Cancellations;
use super::proto::Positions;
use super::settings::Settings;
use crate::attribution::AttributionConfig;
use crate::engine::{
    Engine, EngineConfig, EngineError, Finished, LivePhase, ModelAndView, Observer, Submission,
};
use crate::model::Model;
use crate::panics::lock;
use crate::text::document::Document;
use crate::text::{ByteSpan, PositionEncoding};
use crate::view::levels::Levels;
use crate::view::options::{View, ViewAnswer};

/// Shared by handlers, tasks and the thread that loads models.
pub(crate) struct Session {
    pub client: Client,
    pub engine: Engine,
    pub models: Models,
    pub notifier: Notifier,
    /// Work that the client may end by its progress token.
    pub cancellations: Cancellations,
    levels: LevelCache,
    /// `None` until a model is loaded. Locked before `state` where both are, and while documents are handed to the engine, so
    /// that none is submitted under an older view after the others got the new one.
    model_and_view: Mutex<Option<ModelAndView>>,
    state: Mutex<State>,
}

/// Never locked across an await.
pub(crate) struct State {
    pub documents: Documents,
    pub settings: Settings,
    /// What `initialize` said: the ground that later settings are laid on.
    pub base: Settings,
    /// The settings that the client gave last, as they came.
    pub given: serde_json::Value,
    /// What `setView` and `setModel` said since the settings last changed there.
    pub view: View,
    pub caps: ClientCaps,
    pub encoding: PositionEncoding,
    /// Features that the client knows of.
    pub advertised: FeatureSet,
    /// Faults of settings that were shown: each once.
    pub shown_faults: Vec<String>,
}

/// A document as it was when a request was read.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub uri: Uri,
    pub document: Document,
    pub client_version: i32,
    pub encoding: PositionEncoding,
    pub settings: Settings,
    pub caps: ClientCaps,
}

impl Snapshot {
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.document, self.encoding)
    }

    /// The engine's and the documents' name for it.
    pub fn key(&self) -> &str {
        self.uri.as_str()
    }
}

/// An analysis with its levels, of exactly a snapshot's document.
#[derive(Clone)]
pub(crate) struct Seen {
    pub finished: Arc<Finished>,
    /// Of this analysis, under the thresholds of the snapshot's settings.
    pub levels: Levels,
}

impl Seen {
    pub fn view(&self) -> ViewAnswer {
        let analysis = &self.finished.analysis;
        ViewAnswer::new(&analysis.model, &analysis.attribution)
    }
}

/// What a request that needs an analysis finds.
pub(crate) enum Look {
    Seen(Seen),
    /// No model is loaded yet.
    Loading,
    /// Under way, and the deadline has passed.
    Pending,
    /// The document was edited or closed meanwhile.
    Outdated,
    /// The document is not analyzed: closed, or too large.
    Absent,
    Failed(EngineError),
}

impl Session {
    pub fn new(client: Client, observer: Option<Observer>) -> Arc<Self> {
        let settings = Settings::default();
        Arc::new_cyclic(|session| Self {
            notifier: Notifier::start(client.clone(), session.clone()),
            models: Models::new(session.clone()),
            engine: Engine::start(EngineConfig {
                cache_bytes: settings.cache_bytes,
                observer,
            }),
            cancellations: Cancellations::default(),
            levels: LevelCache::default(),
            model_and_view: Mutex::default(),
            client,
            state: Mutex::new(State {
                documents: Documents::default(),
                base: settings.clone(),
                given: serde_json::Value::Null,
                view: View::default(),
                caps: ClientCaps::default(),
                encoding: PositionEncoding::default(),
                advertised: settings.features,
                shown_faults: Vec::new(),
                settings,
            }),
        })
    }

    /// A poisoned lock says that a handler panicked between two assignments; the state is whole after each.
    pub fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// To be taken before a handler's first await: what the request is about.
    pub fn snapshot(&self, uri: &Uri) -> Option<Snapshot> {
        let state = self.state();
        let open = state.documents.get(uri.as_str())?;
        Some(state.snapshot(open))
    }

    /// The analysis of a snapshot, or of the part `want` of it, awaited up to `deadline`.
    pub async fn look(
        &self,
        snapshot: &Snapshot,
        want: Option<ByteSpan>,
        deadline: Duration,
    ) -> Look {
        if self.model_and_view().is_none() {
            self.notifier.was_early();
            return Look::Loading;
        }
        if let Some(span) = want {
            self.engine.focus(snapshot.key(), span);
        }
        self.engine.expedite(snapshot.key());
        let Some(mut live) = self.engine.watch(snapshot.key()) else {
            return Look::Absent;
        };
        let wait = async {
            loop {
                let now = live.borrow_and_update().clone();
                if now.version != snapshot.document.version() {
                    return Look::Outdated;
                }
                if let LivePhase::Failed(error) = now.phase {
                    return Look::Failed(error);
                }
                if let Some(finished) = now.analysis
                    && (finished.complete || want.is_some_and(|want| covers(&finished, want)))
                {
                    return Look::Seen(self.seen(snapshot, finished));
                }
                if live.changed().await.is_err() {
                    return Look::Outdated;
                }
            }
        };
        let look = tokio::time::timeout(deadline, wait).await;
        look.unwrap_or_else(|_| {
            self.notifier.was_early();
            Look::Pending
        })
    }

    fn seen(&self, snapshot: &Snapshot, finished: Arc<Finished>) -> Seen {
        let levels = self.levels.get(&finished, &snapshot.settings.thresholds);
        Seen { finished, levels }
    }

    /// For answers that are all or nothing: `None` while there is nothing to say, an error when it came too late.
    pub async fn analyzed(
        &self,
        snapshot: &Snapshot,
        want: Option<ByteSpan>,
    ) -> Result<Option<Seen>> {
        match self.look(snapshot, want, snapshot.settings.deadline).await {
            Look::Seen(seen) => Ok(Some(seen)),
            Look::Loading | Look::Absent => Ok(None),
            Look::Failed(error) => {
                tracing::error!(uri = snapshot.key(), %error, "no analysis");
                Ok(None)
            }
            Look::Pending | Look::Outdated => Err(Error::content_modified()),
        }
    }

    /// The model that analyzes, and the session's view of it; `None` until a model is loaded.
    pub fn model_and_view(&self) -> Option<ModelAndView> {
        lock(&self.model_and_view).clone()
    }

    /// Applies the session's view to the model, once there is one. Values that the model does not have are left at their
    /// defaults, with a warning to the client.
    pub fn apply_view(&self) {
        if let Some(ModelAndView { model, .. }) = self.model_and_view() {
            self.serve(model);
        }
    }

    /// Makes `model` the one that analyzes, under the session's view.
    pub fn serve(&self, model: Arc<Model>) {
        let view = self.state().view.clone();
        let (attribution, faults) = view.resolve_or_default(model.info());
        for fault in faults {
            let id = &model.info().id;
            self.notifier
                .warn(format!("codegaze: {id}: {fault}; the default is used"));
        }
        self.analyze_all_under(model, attribution);
        self.notifier.refresh();
        self.notifier.status();
    }

    fn analyze_all_under(&self, model: Arc<Model>, attribution: AttributionConfig) {
        let mut current = lock(&self.model_and_view);
        let view = ModelAndView::live(model, attribution);
        *current = Some(view.clone());
        for open in self.state().documents.iter() {
            self.engine.set_view(open.uri.as_str(), view.clone());
        }
    }

    /// Hands a document to the engine, unless it is too large, and sends its results to the client. `edited` is what its last
    /// edit wrote, if that is known.
    pub fn submit(
        self: &Arc<Self>,
        open: &OpenDocument,
        edited: Option<ByteSpan>,
        settings: &Settings,
        delay: Duration,
    ) {
        let key = open.uri.as_str();
        if open.document.text().len() > settings.max_file_bytes {
            self.engine.close(key);
            tracing::info!(uri = key, "larger than maxFileKb: not analyzed");
            return;
        }
        let is_new = self.engine.watch(key).is_none();
        {
            let view = lock(&self.model_and_view);
            self.engine.submit(
                key,
                Submission {
                    document: open.document.clone(),
                    view: view.clone(),
                    edited,
                    delay,
                },
            );
        }
        if is_new && let Some(live) = self.engine.watch(key) {
            self.notifier.follow(open.uri.clone(), live);
        }
    }
}

impl State {
    pub fn snapshot(&self, open: &OpenDocument) -> Snapshot {
        Snapshot {
            uri: open.uri.clone(),
            document: open.document.clone(),
            client_version: open.client_version,
            encoding: self.encoding,
            settings: self.settings.clone(),
            caps: self.caps,
        }
    }
}

/// Whether nothing of `part` waits for its chunk.
fn covers(finished: &Finished, part: ByteSpan) -> bool {
    let end = part.end.max(part.start + 1);
    let chunks = &finished.analysis.chunks;
    let mut at = part.start;
    for chunk in chunks {
        if chunk.core.start > at {
            break;
        }
        at = at.max(chunk.core.end);
    }
    at >= end.min(finished.document.text().len())
}
