//! Finds and loads the chosen model, on a thread of its own. Documents are analyzed with the new model as soon as it is loaded.

use std::str::FromStr;
use std::sync::Arc;

use tower_lsp::ls_types::request::ShowMessageRequest;
use tower_lsp::ls_types::{MessageActionItem, MessageType, ShowMessageRequestParams};

use super::{AUTO, CODEBERT, ChoiceState, LoadPhase, ModelRequest, SourceKind, download};
use crate::lsp::session::Session;
use crate::model::source::{HubOptions, ModelFiles, ModelSource};
use crate::model::{Device, LoadError, Mode, Model, ModelOptions};

const DOWNLOAD: &str = "Download";
const NOT_NOW: &str = "Not now";

/// Loads the requested model on a thread, unless it is loaded or being loaded already.
pub(crate) fn choose(session: &Arc<Session>, request: ModelRequest) {
    if let Some(generation) = session.model_choice.begin(request) {
        on_thread(session, move |session| load_choice(session, generation));
    }
}

/// Runs `work` on a thread of its own: loading takes seconds, downloading minutes.
pub(super) fn on_thread(session: &Arc<Session>, work: impl FnOnce(&Arc<Session>) + Send + 'static) {
    let session = Arc::clone(session);
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name("codegaze-model".to_owned());
    let spawned = thread.spawn(move || {
        let _guard = runtime.enter();
        session.send_status();
        work(&session);
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to load the model on");
    }
}

/// Changes the state, unless another model was chosen since, and sends the status.
pub(super) fn update(session: &Session, generation: u64, change: impl FnOnce(&mut ChoiceState)) {
    {
        let mut state = session.model_choice.state();
        if state.generation != generation {
            return;
        }
        change(&mut state);
    }
    session.send_status();
}

/// After the user cancelled: no message is shown, and the current model stays.
pub(super) fn abort(session: &Session, generation: u64, message: String) {
    let has_model = session.model_and_view().is_some();
    update(session, generation, |state| {
        state.phase = if has_model {
            LoadPhase::Ready
        } else {
            LoadPhase::Error
        };
        state.message = Some(message);
    });
}

pub(super) fn fail(session: &Session, generation: u64, message: String) {
    if !session.model_choice.is_current(generation) {
        return;
    }
    let current = session
        .model_and_view()
        .map(|current| format!("; {} stays in use", current.model.info().id));
    session.notifier.error(format!(
        "codegaze: {message}{}",
        current.unwrap_or_default()
    ));
    update(session, generation, |state| {
        state.phase = LoadPhase::Error;
        state.message = Some(message);
    });
}

/// The cache alone, whatever the environment says.
fn cached_only() -> HubOptions {
    HubOptions {
        offline: true,
        ..HubOptions::from_env()
    }
}

fn load_choice(session: &Arc<Session>, generation: u64) {
    let request = session.model_choice.state().request.clone();
    let requested = request.name.clone();
    let source = if requested == AUTO {
        Ok(auto())
    } else {
        ModelSource::from_str(&requested).map_err(LoadError::from)
    };
    let loaded = source.and_then(|source| {
        let files = find(&source)?;
        load_or_use_cpu(session, generation, &source, &files, &request)
    });
    let Err(error) = loaded else {
        return;
    };
    // So that there is a model meanwhile.
    let fallback = session.model_and_view().is_none().then(|| {
        // Mode and window are for the requested model.
        let request = ModelRequest {
            mode: Mode::default(),
            window: None,
            ..request.clone()
        };
        let files = find(&ModelSource::Embedded)?;
        load_or_use_cpu(
            session,
            generation,
            &ModelSource::Embedded,
            &files,
            &request,
        )
    });
    if let Some(Err(error)) = fallback {
        tracing::error!(%error, "the embedded model does not load");
    }
    if can_be_downloaded(&requested) {
        update(session, generation, |state| {
            state.phase = LoadPhase::Ready;
            state.message = Some(format!("{requested} is not on this machine"));
        });
        offer_download(session, requested);
        return;
    }
    fail(session, generation, error.to_string());
}

/// CodeBERT if the hub's cache has it, otherwise the embedded model.
fn auto() -> ModelSource {
    match ModelSource::from_str(CODEBERT) {
        Ok(codebert) if find(&codebert).is_ok() => codebert,
        _ => ModelSource::Embedded,
    }
}

/// Finds the files without the network.
fn find(source: &ModelSource) -> Result<ModelFiles, LoadError> {
    source.resolve(&cached_only(), &())
}

/// Whether `requested` is a model of the hub that is not in its cache, and the network may be used.
fn can_be_downloaded(requested: &str) -> bool {
    let Ok(source @ ModelSource::Hub { .. }) = ModelSource::from_str(requested) else {
        return false;
    };
    !HubOptions::from_env().offline && find(&source).is_err()
}

/// Loads a model onto the requested device, or onto the CPU if that device cannot be used.
pub(super) fn load_or_use_cpu(
    session: &Arc<Session>,
    generation: u64,
    source: &ModelSource,
    files: &ModelFiles,
    request: &ModelRequest,
) -> Result<(), LoadError> {
    let error = match load(session, generation, source, files, request) {
        Err(error @ (LoadError::NotCompiledIn { .. } | LoadError::Device { .. })) => error,
        loaded => return loaded,
    };
    let on_cpu = ModelRequest {
        device: Device::Cpu,
        ..request.clone()
    };
    load(session, generation, source, files, &on_cpu)?;
    let message = format!("{error}; the model runs on the CPU");
    session.notifier.warn(format!("codegaze: {message}"));
    update(session, generation, |state| state.device = Device::Cpu);
    Ok(())
}

/// Loads a model and uses it, unless another one was chosen meanwhile.
pub(super) fn load(
    session: &Arc<Session>,
    generation: u64,
    source: &ModelSource,
    files: &ModelFiles,
    request: &ModelRequest,
) -> Result<(), LoadError> {
    let options = ModelOptions {
        mode: request.mode,
        window: request.window,
        ..ModelOptions::default()
    };
    let (device, precision) = (request.device, request.precision);
    let model = Arc::new(Model::load_with(files, device, precision, &options)?);
    if !session.model_choice.is_current(generation) {
        return Ok(());
    }
    for note in &model.info().notes {
        tracing::info!(model = %model.info().id, "{note}");
    }
    session.serve(model);
    update(session, generation, |state| {
        state.source = Some(SourceKind::of(source));
        state.device = request.device;
        state.phase = LoadPhase::Ready;
        state.message = None;
    });
    Ok(())
}

/// Asks the user once whether a model may be downloaded, and downloads it.
fn offer_download(session: &Arc<Session>, requested: String) {
    let is_new = (session.model_choice.state().offered).insert(requested.clone());
    if !is_new {
        return;
    }
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let current = session
            .model_and_view()
            .map_or_else(String::new, |current| {
                format!(" Until then {} is used.", current.model.info().id)
            });
        let size = if requested.starts_with(CODEBERT) {
            " (500 MB)"
        } else {
            ""
        };
        let message = format!(
            "codegaze: {requested} is not on this machine. Download it from the Hugging Face hub{size}?{current}"
        );
        let actions = [DOWNLOAD, NOT_NOW].map(|title| MessageActionItem {
            title: title.to_owned(),
            properties: std::collections::HashMap::default(),
        });
        let question = ShowMessageRequestParams {
            typ: MessageType::INFO,
            message,
            actions: Some(actions.into()),
        };
        let chosen = session
            .client
            .ask_user::<ShowMessageRequest>(question)
            .await;
        let is_yes = matches!(chosen, Ok(Some(action)) if action.title == DOWNLOAD);
        // The settings may have chosen another model meanwhile.
        if is_yes && session.model_choice.requested() == requested {
            // Success and failure are sent as status and messages.
            let _ = download::fetch(&session, &requested, None).await;
        }
    });
}
