//! The state of one client's session, and how a request waits for its analysis. `updates` has what follows from changes.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::Uri;

use super::client_caps::ClientCaps;
use super::documents::{Documents, OpenDocument};
use super::errors::engine_error;
use super::features::FeatureSet;
use super::levels::LevelCache;
use super::models::ModelChoice;
use super::notify::Notifier;
use super::progress::Cancellations;
use super::proto::Positions;
use super::settings::Settings;
use super::transport::Client;
use crate::attribution::AttributionOptions;
use crate::engine::{
    Engine, EngineConfig, EngineError, Finished, LivePhase, ModelAndView, Observer, Submission,
};
use crate::off_thread::{EndedEarly, off_thread};
use crate::panics::lock;
use crate::text::ByteSpan;
use crate::text::document::Document;
use crate::view::levels::Levels;
use crate::view::live::{LiveAnalysis, LiveView};
use crate::view::position::Encoding;

/// How long a request for the visible part waits before it gets what there is of it.
const FIRST_PART: Duration = Duration::from_millis(500);

/// Shared by handlers, tasks and the threads that load models.
pub(crate) struct Session {
    pub client: Client,
    pub engine: Engine,
    pub model_choice: ModelChoice,
    pub notifier: Notifier,
    /// Work that the client can cancel by its progress token.
    pub cancellations: Cancellations,
    levels: LevelCache,
    /// `None` until a model is loaded. Locked before `state` where both are locked. Also locked while a document is submitted, so
    /// that none is submitted under the older view after the others got the new one.
    model_and_view: Mutex<Option<ModelAndView>>,
    state: Mutex<SessionState>,
}

/// Never locked across an await.
pub(crate) struct SessionState {
    pub documents: Documents,
    pub settings: Settings,
    /// The settings after `initialize`. Later ones override these.
    pub base: Settings,
    /// The client's last settings, as it sent them.
    pub given: serde_json::Value,
    /// The view of the settings, or the one that `setView` set after they last changed.
    pub view: AttributionOptions,
    pub caps: ClientCaps,
    pub encoding: Encoding,
    /// Features that the client knows of.
    pub advertised: FeatureSet,
    /// Faults of settings that were shown; each is shown once.
    pub shown_faults: Vec<String>,
}

/// A document as it was when a request arrived.
#[derive(Clone)]
pub(crate) struct Snapshot {
    /// As the client wrote it in the request.
    pub uri: Uri,
    key: Arc<str>,
    pub document: Document,
    pub client_version: i32,
    pub encoding: Encoding,
    pub settings: Settings,
    pub caps: ClientCaps,
}

impl Snapshot {
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.document, self.encoding)
    }

    /// The document's key in the engine and in `documents`.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What a request that needs an analysis gets.
pub(crate) enum Lookup {
    /// Of exactly the snapshot's document.
    Found(LiveAnalysis),
    /// No model is loaded yet.
    Loading,
    /// The deadline passed before the analysis was done.
    Pending,
    /// The document was edited or closed after the request arrived.
    Outdated,
    /// The document is not analyzed: closed, or too large.
    Absent,
    Failed(EngineError),
}

impl Session {
    pub fn new(client: Client, observer: Option<Observer>) -> Arc<Self> {
        let settings = Settings::default();
        Arc::new(Self {
            notifier: Notifier::start(client.clone()),
            model_choice: ModelChoice::default(),
            engine: Engine::start(EngineConfig {
                cache_bytes: settings.cache_bytes,
                observer,
            }),
            cancellations: Cancellations::default(),
            levels: LevelCache::default(),
            model_and_view: Mutex::default(),
            client,
            state: Mutex::new(SessionState {
                documents: Documents::default(),
                base: settings.clone(),
                given: serde_json::Value::Null,
                view: AttributionOptions::default(),
                caps: ClientCaps::default(),
                encoding: Encoding::default(),
                advertised: settings.features,
                shown_faults: Vec::new(),
                settings,
            }),
        })
    }

    /// A panic of a handler leaves the state consistent: it is so after each assignment.
    pub fn state(&self) -> MutexGuard<'_, SessionState> {
        lock(&self.state)
    }

    /// The open document at `uri`. A handler takes it before its first await.
    pub fn snapshot(&self, uri: &Uri) -> Option<Snapshot> {
        let state = self.state();
        let open = state.documents.get(uri)?;
        Some(state.snapshot(open, uri))
    }

    /// The analysis of a snapshot, or of the part `want` of it, awaited up to `deadline`.
    pub async fn look_up(
        &self,
        snapshot: &Snapshot,
        want: Option<ByteSpan>,
        deadline: Duration,
    ) -> Lookup {
        if self.model_and_view().is_none() {
            self.notifier.set_refresh_pending();
            return Lookup::Loading;
        }
        if let Some(span) = want {
            self.engine.focus(snapshot.key(), span);
        }
        self.engine.expedite(snapshot.key());
        let Some(mut live) = self.engine.watch(snapshot.key()) else {
            return Lookup::Absent;
        };
        let wait = async {
            loop {
                let now = live.borrow_and_update().clone();
                if now.version != snapshot.document.version() {
                    return Err(Lookup::Outdated);
                }
                if let LivePhase::Failed(error) = now.phase {
                    return Err(Lookup::Failed(error));
                }
                if let Some(finished) = now.analysis
                    && (finished.complete || want.is_some_and(|want| covers(&finished, want)))
                {
                    return Ok(finished);
                }
                if live.changed().await.is_err() {
                    return Err(Lookup::Outdated);
                }
            }
        };
        match tokio::time::timeout(deadline, wait).await {
            // The deadline is for the model; what remains takes milliseconds.
            Ok(Ok(finished)) => match self.live_analysis(snapshot, finished).await {
                Ok(live) => Lookup::Found(live),
                Err(error) => Lookup::Failed(error),
            },
            Ok(Err(other)) => other,
            Err(_) => {
                self.refresh_when_ready(snapshot.key());
                Lookup::Pending
            }
        }
    }

    async fn live_analysis(
        &self,
        snapshot: &Snapshot,
        finished: Arc<Finished>,
    ) -> std::result::Result<LiveAnalysis, EngineError> {
        let thresholds = snapshot.settings.thresholds;
        let levels = if let Some(levels) = self.levels.get(&finished, &thresholds) {
            levels
        } else {
            let of = Arc::clone(&finished);
            let levels =
                off_thread(move || Ok::<_, EndedEarly>(Levels::new(&of.analysis, &thresholds)));
            let levels = levels.await.map_err(|error| EngineError::Panicked {
                message: error.to_string(),
            })?;
            self.levels.insert(&finished, &thresholds, levels.clone());
            levels
        };
        Ok(LiveAnalysis {
            finished,
            levels,
            version: snapshot.client_version.into(),
            encoding: snapshot.encoding,
        })
    }

    /// A snapshot's document with the model and the view of the session; `None` until a model is loaded.
    pub fn live_view(&self, snapshot: &Snapshot) -> Option<LiveView> {
        let model_and_view = self.model_and_view()?;
        Some(LiveView {
            document: snapshot.document.clone(),
            version: snapshot.client_version.into(),
            encoding: snapshot.encoding,
            model_and_view,
            view: self.state().view.clone(),
            thresholds: snapshot.settings.thresholds,
        })
    }

    /// For requests that need the whole analysis: `None` if there is none, an error if it is late or outdated.
    pub async fn analyzed(
        &self,
        snapshot: &Snapshot,
        want: Option<ByteSpan>,
    ) -> Result<Option<LiveAnalysis>> {
        match self
            .look_up(snapshot, want, snapshot.settings.deadline)
            .await
        {
            Lookup::Found(live) => Ok(Some(live)),
            Lookup::Loading | Lookup::Absent => Ok(None),
            Lookup::Failed(error) => {
                tracing::error!(uri = snapshot.key(), %error, "no analysis");
                Ok(None)
            }
            Lookup::Pending | Lookup::Outdated => Err(Error::content_modified()),
        }
    }

    /// The analysis of `want`. After a short time, what is there of it: more follows with `codegaze/heatmapChanged`.
    pub async fn analyzed_so_far(
        &self,
        snapshot: &Snapshot,
        want: ByteSpan,
    ) -> Result<Option<LiveAnalysis>> {
        let deadline = snapshot.settings.deadline;
        let short = deadline.min(FIRST_PART);
        if let Lookup::Found(live) = self.look_up(snapshot, Some(want), short).await {
            return Ok(Some(live));
        }
        let so_far = tokio::time::timeout(deadline, self.first_part(snapshot));
        let Ok(Some(finished)) = so_far.await else {
            return self.analyzed(snapshot, Some(want)).await;
        };
        self.refresh_when_ready(snapshot.key());
        let live = self.live_analysis(snapshot, finished).await;
        live.map(Some).map_err(|error| engine_error(&error))
    }

    /// Waits for any part of a snapshot's analysis. `None` if there will be none.
    async fn first_part(&self, snapshot: &Snapshot) -> Option<Arc<Finished>> {
        let mut live = self.engine.watch(snapshot.key())?;
        loop {
            let now = live.borrow_and_update().clone();
            if now.version != snapshot.document.version()
                || matches!(now.phase, LivePhase::Failed(_))
            {
                return None;
            }
            if let Some(finished) = now.analysis
                && !finished.analysis.lexemes.is_empty()
            {
                return Some(finished);
            }
            live.changed().await.ok()?;
        }
    }

    /// The model that analyzes, and the session's view of it; `None` until a model is loaded.
    pub fn model_and_view(&self) -> Option<ModelAndView> {
        lock(&self.model_and_view).clone()
    }

    /// Makes `current` the model and view of all open documents.
    pub fn analyze_under(&self, current: &ModelAndView) {
        let mut model_and_view = lock(&self.model_and_view);
        *model_and_view = Some(current.clone());
        for open in self.state().documents.iter() {
            self.engine.set_view(&open.key, current.clone());
        }
    }

    /// Submits a document under the model and view of the moment.
    pub fn submit_under_current_view(
        &self,
        key: &str,
        submission: impl FnOnce(Option<ModelAndView>) -> Submission,
    ) {
        let model_and_view = lock(&self.model_and_view);
        self.engine.submit(key, submission(model_and_view.clone()));
    }
}

impl SessionState {
    fn snapshot(&self, open: &OpenDocument, uri: &Uri) -> Snapshot {
        Snapshot {
            uri: uri.clone(),
            key: Arc::clone(&open.key),
            document: open.document.clone(),
            client_version: open.client_version,
            encoding: self.encoding,
            settings: self.settings.clone(),
            caps: self.caps,
        }
    }
}

/// Whether all chunks of `part` are analyzed.
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
