//! The model that the user chose, and how far its loading is. `load` finds and loads it, `download` fetches it from the hub.

mod download;
mod load;

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tower_lsp::ls_types::Uri;

use super::custom::{LoadState, ModelResult, StatusParams};
use super::session::Session;
use crate::attribution::Method;
use crate::engine::{CacheStats, ModelAndView};
use crate::model::source::ModelSource;
use crate::model::{Device, Mode, ModelInfo, Precision};
use crate::panics::lock;
use crate::view::milliseconds;
use crate::view::options::ViewAnswer;

pub(crate) use download::fetch;
pub(crate) use load::choose;

/// The model that `auto` prefers, and that `downloadModel` fetches by default.
pub(crate) const CODEBERT: &str = "microsoft/codebert-base";
const AUTO: &str = "auto";

/// Where the current model came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SourceKind {
    Embedded,
    Directory,
    Hub,
}

impl SourceKind {
    fn of(source: &ModelSource) -> Self {
        match source {
            ModelSource::Embedded => Self::Embedded,
            ModelSource::Directory(_) | ModelSource::OnBase { .. } => Self::Directory,
            ModelSource::Hub { .. } => Self::Hub,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Directory => "directory",
            Self::Hub => "hub",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LoadPhase {
    Loading,
    Ready,
    Downloading { percent: Option<u32> },
    Error,
}

impl LoadPhase {
    fn state(&self) -> LoadState {
        match self {
            Self::Loading => LoadState::Loading,
            Self::Ready => LoadState::Ready,
            Self::Downloading { .. } => LoadState::Downloading,
            Self::Error => LoadState::Error,
        }
    }
}

/// Which model is to be loaded, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelRequest {
    /// `auto`, `embedded`, a directory, or a hub id.
    pub name: String,
    pub device: Device,
    pub precision: Precision,
    pub mode: Mode,
    /// The most subwords of one pass, if fewer than the model can read.
    pub window: Option<usize>,
}

/// The chosen model, and the state of its loading.
#[derive(Default)]
pub(crate) struct ModelChoice {
    state: Mutex<ChoiceState>,
}

/// The latest analysis of any document.
#[derive(Clone)]
struct LastAnalysis {
    uri: Uri,
    time: Duration,
}

struct ChoiceState {
    /// Incremented with every choice. What was loaded for an earlier one is discarded.
    generation: u64,
    request: ModelRequest,
    phase: LoadPhase,
    message: Option<String>,
    source: Option<SourceKind>,
    /// Where the current model runs.
    device: Device,
    last_analysis: Option<LastAnalysis>,
    /// Models whose download was offered; each is offered once.
    offered: HashSet<String>,
}

impl Default for ChoiceState {
    fn default() -> Self {
        Self {
            generation: 0,
            request: ModelRequest {
                name: AUTO.to_owned(),
                device: Device::default(),
                precision: Precision::default(),
                mode: Mode::default(),
                window: None,
            },
            phase: LoadPhase::Loading,
            message: None,
            source: None,
            device: Device::default(),
            last_analysis: None,
            offered: HashSet::new(),
        }
    }
}

impl ModelChoice {
    fn state(&self) -> MutexGuard<'_, ChoiceState> {
        lock(&self.state)
    }

    /// Makes `request` the choice, and returns its generation. `None` if it is loaded or being loaded already.
    fn begin(&self, request: ModelRequest) -> Option<u64> {
        let mut state = self.state();
        let is_same = state.generation > 0 && state.request == request;
        let is_settled = match state.phase {
            LoadPhase::Loading | LoadPhase::Downloading { .. } => true,
            // A message says what went wrong, and a second choice tries again.
            LoadPhase::Ready => state.message.is_none(),
            LoadPhase::Error => false,
        };
        if is_same && is_settled {
            return None;
        }
        Some(state.begin(request, LoadPhase::Loading, None))
    }

    /// Makes the hub's `requested` the choice while it is being downloaded, and returns its generation.
    fn begin_download(&self, requested: &str) -> u64 {
        let mut state = self.state();
        let request = ModelRequest {
            name: requested.to_owned(),
            ..state.request.clone()
        };
        let phase = LoadPhase::Downloading { percent: None };
        let message = format!("downloading {requested}");
        state.begin(request, phase, Some(message))
    }

    /// As the settings or a command named it.
    pub fn requested(&self) -> String {
        self.state().request.name.clone()
    }

    pub fn set_last_analysis(&self, uri: Uri, time: Duration) {
        self.state().last_analysis = Some(LastAnalysis { uri, time });
    }

    fn is_current(&self, generation: u64) -> bool {
        self.state().generation == generation
    }

    /// `current`: the model that analyzes, if there is one.
    pub fn status(&self, current: Option<&ModelAndView>) -> StatusParams {
        let state = self.state();
        let last = state.last_analysis.as_ref();
        let is_loading = state.phase == LoadPhase::Loading;
        StatusParams {
            state: state.phase.state(),
            message: state
                .message
                .clone()
                .or_else(|| is_loading.then(|| format!("loading {}", state.request.name))),
            model: current.map(|current| current.model.info().id.clone()),
            embedded: current.is_some() && state.source == Some(SourceKind::Embedded),
            percent: match state.phase {
                LoadPhase::Downloading { percent } => percent,
                _ => None,
            },
            analysis_ms: last.map(|last| milliseconds::exact(last.time)),
            analysis_uri: last.map(|last| last.uri.clone()),
            notes: current.map_or_else(Vec::new, notes_of),
            view: current.map(view_of),
        }
    }

    fn result(&self, current: Option<&ModelAndView>, cache: CacheStats) -> ModelResult {
        let state = self.state();
        let info = current.map(|current| current.model.info());
        let size = |of: fn(&ModelInfo) -> usize| info.map_or(0, |info| of(info));
        ModelResult {
            state: state.phase.state(),
            message: state.message.clone(),
            requested: state.request.name.clone(),
            id: info.map(|info| info.id.clone()),
            revision: info.and_then(|info| info.revision.clone()),
            source: state
                .source
                .filter(|_| current.is_some())
                .map(SourceKind::as_str),
            embedded: current.is_some() && state.source == Some(SourceKind::Embedded),
            layers: size(|info| info.n_layers),
            heads: size(|info| info.n_heads),
            hidden_size: size(|info| info.hidden_size),
            max_tokens: size(|info| info.max_tokens),
            precision: info.map_or(state.request.precision, |info| info.precision),
            device: if current.is_some() {
                state.device
            } else {
                state.request.device
            },
            view: current.map(view_of),
            methods: Method::ALL.into(),
            notes: current.map_or_else(Vec::new, notes_of),
            cache: cache.into(),
        }
    }
}

impl ChoiceState {
    fn begin(&mut self, request: ModelRequest, phase: LoadPhase, message: Option<String>) -> u64 {
        self.generation += 1;
        self.request = request;
        self.phase = phase;
        self.message = message;
        self.generation
    }
}

/// The result of `codegaze/model`.
pub(crate) fn result(session: &Session) -> ModelResult {
    let current = session.model_and_view();
    let cache = session.engine.stats().cache;
    session.model_choice.result(current.as_ref(), cache)
}

fn notes_of(current: &ModelAndView) -> Vec<String> {
    current.model.info().notes.clone()
}

fn view_of(current: &ModelAndView) -> ViewAnswer {
    ViewAnswer::new(current.model.info(), &current.config.attribution)
}
