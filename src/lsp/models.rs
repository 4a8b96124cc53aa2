//! Which model serves: chosen by the setting, loaded on a thread of its own, asked for before it is fetched, swapped in live.

mod download;

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tower_lsp::ls_types::{MessageActionItem, MessageType};

use super::custom::{ModelResult, StatusParams};
use super::session::Session;
use crate::attribution::Method;
use crate::engine::ModelAndView;
use crate::model::source::{HubOptions, ModelFiles, ModelSource};
use crate::model::{Device, LoadError, Model};
use crate::view::options::ViewAnswer;

/// What `auto` prefers, and `downloadModel` fetches unless told otherwise.
pub(crate) const CODEBERT: &str = "microsoft/codebert-base";
const AUTO: &str = "auto";
const DOWNLOAD: &str = "Download";
const NOT_NOW: &str = "Not now";

/// Where the model that serves came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Embedded,
    Directory,
    Hub,
}

impl Origin {
    fn of(source: &ModelSource) -> Self {
        match source {
            ModelSource::Embedded => Self::Embedded,
            ModelSource::Directory(_) => Self::Directory,
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
enum Phase {
    Loading,
    Ready,
    Downloading { percent: Option<u32> },
    Error,
}

impl Phase {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Loading => "loading",
            Self::Ready => "ready",
            Self::Downloading { .. } => "downloading",
            Self::Error => "error",
        }
    }
}

struct State {
    /// Counts choices: a load that belongs to an earlier one serves nobody.
    ticket: u64,
    requested: String,
    device: Device,
    phase: Phase,
    message: Option<String>,
    origin: Option<Origin>,
    last_analysis: Option<Duration>,
    /// Models that the client was asked about: each once.
    asked: HashSet<String>,
}

pub(crate) struct Models {
    session: Weak<Session>,
    state: Mutex<State>,
}

impl Models {
    pub fn new(session: Weak<Session>) -> Self {
        Self {
            session,
            state: Mutex::new(State {
                ticket: 0,
                requested: AUTO.to_owned(),
                device: Device::default(),
                phase: Phase::Loading,
                message: None,
                origin: None,
                last_analysis: None,
                asked: HashSet::new(),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `requested` the model, on a thread. Asked again for what is served or under way, it does nothing.
    pub fn choose(&self, requested: &str, device: Device) {
        let ticket = {
            let mut state = self.state();
            let is_same =
                state.ticket > 0 && state.requested == requested && state.device == device;
            let is_settled = match state.phase {
                Phase::Loading | Phase::Downloading { .. } => true,
                // With a message something is left to be tried again.
                Phase::Ready => state.message.is_none(),
                Phase::Error => false,
            };
            if is_same && is_settled {
                return;
            }
            state.ticket += 1;
            requested.clone_into(&mut state.requested);
            state.device = device;
            state.phase = Phase::Loading;
            state.message = None;
            state.ticket
        };
        self.on_thread(move |session| load_choice(&session, ticket));
    }

    /// Runs `work` on a thread of its own: loading takes seconds, fetching minutes.
    fn on_thread(&self, work: impl FnOnce(Arc<Session>) + Send + 'static) {
        let Some(session) = self.session.upgrade() else {
            return;
        };
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::Builder::new().name("codegaze-model".to_owned());
        let spawned = thread.spawn(move || {
            let _guard = runtime.enter();
            session.notifier.status();
            work(session);
        });
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread to load the model on");
        }
    }

    /// As the settings or a command named it.
    pub fn requested(&self) -> String {
        self.state().requested.clone()
    }

    pub fn analyzed_in(&self, time: Duration) {
        self.state().last_analysis = Some(time);
    }

    /// Changes the state if `ticket` is still the choice, and tells the client.
    fn update(&self, session: &Session, ticket: u64, change: impl FnOnce(&mut State)) {
        {
            let mut state = self.state();
            if state.ticket != ticket {
                return;
            }
            change(&mut state);
        }
        session.notifier.status();
    }

    fn is_current(&self, ticket: u64) -> bool {
        self.state().ticket == ticket
    }

    pub fn status(&self, session: &Session) -> StatusParams {
        let served = session.model_and_view();
        let state = self.state();
        let is_loading = state.phase == Phase::Loading;
        StatusParams {
            state: state.phase.as_str(),
            message: state
                .message
                .clone()
                .or_else(|| is_loading.then(|| format!("loading {}", state.requested))),
            model: served.as_ref().map(|served| served.model.info().id.clone()),
            embedded: served.is_some() && state.origin == Some(Origin::Embedded),
            percent: match state.phase {
                Phase::Downloading { percent } => percent,
                _ => None,
            },
            analysis_ms: state.last_analysis.map(milliseconds),
            view: served.as_ref().map(view_of),
        }
    }

    pub fn result(&self, session: &Session) -> ModelResult {
        let served = session.model_and_view();
        let cache = session.engine.stats().cache;
        let state = self.state();
        let info = served.as_ref().map(|served| served.model.info());
        let size = |of: fn(&crate::model::ModelInfo) -> usize| info.map_or(0, |info| of(info));
        ModelResult {
            state: state.phase.as_str(),
            message: state.message.clone(),
            requested: state.requested.clone(),
            id: info.map(|info| info.id.clone()),
            revision: info.and_then(|info| info.revision.clone()),
            source: state
                .origin
                .filter(|_| served.is_some())
                .map(Origin::as_str),
            embedded: served.is_some() && state.origin == Some(Origin::Embedded),
            layers: size(|info| info.n_layers),
            heads: size(|info| info.n_heads),
            hidden_size: size(|info| info.hidden_size),
            max_tokens: size(|info| info.max_tokens),
            precision: info.map_or("f32", |info| info.precision.as_str()),
            device: state.device.to_string(),
            view: served.as_ref().map(view_of),
            methods: Method::ALL.map(Method::as_str),
            cache: cache.into(),
        }
    }
}

fn view_of(served: &ModelAndView) -> ViewAnswer {
    ViewAnswer::new(served.model.info(), &served.config.attribution)
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The cache alone, whatever the environment says.
fn cached_only() -> HubOptions {
    HubOptions {
        offline: true,
        ..HubOptions::from_env()
    }
}

/// Finds, loads and serves what the state asks for.
fn load_choice(session: &Arc<Session>, ticket: u64) {
    let (requested, device) = {
        let state = session.models.state();
        (state.requested.clone(), state.device)
    };
    let source = if requested == AUTO {
        Ok(auto())
    } else {
        ModelSource::from_str(&requested).map_err(LoadError::from)
    };
    let failed = match source.and_then(|source| find(&source).map(|files| (source, files))) {
        Ok((source, files)) => match load(session, ticket, &source, &files, device) {
            Ok(()) => return,
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let is_hub = matches!(
        ModelSource::from_str(&requested),
        Ok(ModelSource::Hub { .. })
    );
    // Something serves meanwhile.
    let fallback = session.model_and_view().is_none().then(|| {
        let files = find(&ModelSource::Embedded)?;
        load(session, ticket, &ModelSource::Embedded, &files, device)
    });
    if let Some(Err(error)) = fallback {
        tracing::error!(%error, "the embedded model does not load");
    }
    if is_hub && !HubOptions::from_env().offline && not_cached(&requested) {
        session.models.update(session, ticket, |state| {
            state.phase = Phase::Ready;
            state.message = Some(format!("{requested} is not on this machine"));
        });
        ask(session, requested);
        return;
    }
    session.models.fail(session, ticket, failed);
}

/// CodeBERT if the hub's cache has it, else the embedded model.
fn auto() -> ModelSource {
    match ModelSource::from_str(CODEBERT) {
        Ok(codebert) if find(&codebert).is_ok() => codebert,
        _ => ModelSource::Embedded,
    }
}

/// Without the network.
fn find(source: &ModelSource) -> Result<ModelFiles, LoadError> {
    source.resolve(&cached_only(), &())
}

fn not_cached(requested: &str) -> bool {
    let source = ModelSource::from_str(requested);
    source.is_ok_and(|source| find(&source).is_err())
}

fn load(
    session: &Arc<Session>,
    ticket: u64,
    source: &ModelSource,
    files: &ModelFiles,
    device: Device,
) -> Result<(), LoadError> {
    let model = Arc::new(Model::load(files, device)?);
    if !session.models.is_current(ticket) {
        return Ok(()); // somebody chose another one meanwhile
    }
    session.serve(model);
    session.models.update(session, ticket, |state| {
        state.origin = Some(Origin::of(source));
        state.phase = Phase::Ready;
        state.message = None;
    });
    Ok(())
}

impl Models {
    /// The person who ended it knows: no message, and what served serves on.
    fn call_off(&self, session: &Session, ticket: u64, message: String) {
        let is_serving = session.model_and_view().is_some();
        self.update(session, ticket, |state| {
            state.phase = if is_serving {
                Phase::Ready
            } else {
                Phase::Error
            };
            state.message = Some(message);
        });
    }

    fn fail(&self, session: &Session, ticket: u64, message: String) {
        if !self.is_current(ticket) {
            return;
        }
        let serving = session
            .model_and_view()
            .map(|served| format!("; {} serves", served.model.info().id));
        session.notifier.error(format!(
            "codegaze: {message}{}",
            serving.unwrap_or_default()
        ));
        self.update(session, ticket, |state| {
            state.phase = Phase::Error;
            state.message = Some(message);
        });
    }
}

/// Asks once whether a model may be fetched, and fetches it.
fn ask(session: &Arc<Session>, requested: String) {
    if !session.models.state().asked.insert(requested.clone()) {
        return;
    }
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let serving = session.model_and_view().map_or_else(String::new, |served| {
            format!(" Until then {} serves.", served.model.info().id)
        });
        let size = if requested.starts_with(CODEBERT) {
            " (500 MB)"
        } else {
            ""
        };
        let question = format!(
            "codegaze: {requested} is not on this machine. Download it from the Hugging Face hub{size}?{serving}"
        );
        let actions = [DOWNLOAD, NOT_NOW].map(|title| MessageActionItem {
            title: title.to_owned(),
            properties: std::collections::HashMap::default(),
        });
        let answer = session
            .client
            .show_message_request(MessageType::INFO, question, Some(actions.into()))
            .await;
        let is_yes = matches!(answer, Ok(Some(action)) if action.title == DOWNLOAD);
        // Settings may have named it again meanwhile; what counts is that no other one was chosen.
        if is_yes && session.models.requested() == requested {
            // Told by notifications; nobody waits for the result.
            drop(download::fetch(&session, &requested, None).await);
        }
    });
}

pub(crate) use download::fetch;
