//! Settings as they come: with `initialize`, pulled, pushed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tower_lsp::ls_types::{ConfigurationItem, Registration};

use super::capabilities::registrations;
use super::features::FeatureSet;
use super::notify::ANSWER_DEADLINE;
use super::session::Session;

/// The section of a client's configuration that is ours.
const SECTION: &str = "codegaze";
/// A model takes longer to load than settings take to come; a client that does not answer shall not hold it up.
const PATIENCE: Duration = Duration::from_millis(200);

/// After `initialized`: asks for settings if the client has some, then loads the model that they name.
pub(crate) async fn start(session: Arc<Session>) {
    let caps = session.state().caps;
    if caps.registers_configuration {
        let registration = Registration {
            id: "codegaze:configuration".to_owned(),
            method: "workspace/didChangeConfiguration".to_owned(),
            register_options: Some(serde_json::json!({ "section": SECTION })),
        };
        register(&session, vec![registration]);
    }
    if caps.pulls_configuration {
        let pulled = tokio::spawn(pull(Arc::clone(&session)));
        // Late settings count when they come.
        drop(tokio::time::timeout(PATIENCE, pulled).await);
    }
    choose_model(&session);
}

/// `workspace/didChangeConfiguration`: pushed settings, or a sign to ask for them.
pub(crate) fn changed(session: &Arc<Session>, pushed: &Value) {
    if session.state().caps.pulls_configuration {
        tokio::spawn(pull(Arc::clone(session)));
        return;
    }
    let ours = pushed.get(SECTION).unwrap_or(pushed);
    apply(session, ours);
}

async fn pull(session: Arc<Session>) {
    let item = ConfigurationItem {
        scope_uri: None,
        section: Some(SECTION.to_owned()),
    };
    let asked = session.client.configuration(vec![item]);
    match tokio::time::timeout(ANSWER_DEADLINE, asked).await {
        Ok(Ok(answer)) => apply(&session, answer.first().unwrap_or(&Value::Null)),
        Ok(Err(error)) => tracing::warn!(%error, "the client has no settings for us"),
        Err(_) => tracing::warn!("the client does not answer workspace/configuration"),
    }
}

/// Lays settings on what `initialize` said, and lets them take effect.
fn apply(session: &Arc<Session>, given: &Value) {
    let (old, new, open, advertised, faults) = {
        let mut state = session.state();
        let (new, faults) = state.base.with(given);
        let old = std::mem::replace(&mut state.settings, new.clone());
        if !given.is_null() {
            state.given = given.clone();
        }
        // What a command chose stays until the settings say something else.
        if new.view != old.view {
            state.view = new.view.clone();
        }
        let open: Vec<_> = state.documents.iter().cloned().collect();
        (old, new, open, state.advertised, faults)
    };
    warn(session, faults);
    if new.cache_bytes != old.cache_bytes {
        session.engine.set_cache_bytes(new.cache_bytes);
    }
    if new.log_level != old.log_level {
        super::set_log_level(new.log_level);
    }
    if new.features != old.features {
        advertise(session, advertised, new.features);
    }
    if new.max_file_bytes != old.max_file_bytes {
        for open in &open {
            let is_live = session.engine.watch(open.uri.as_str()).is_some();
            let is_small = open.document.text().len() <= new.max_file_bytes;
            if is_live != is_small {
                session.submit(open, None, &new, Duration::ZERO);
            }
        }
    }
    if new.view != old.view {
        session.apply_view();
    }
    if new.thresholds != old.thresholds {
        session.notifier.levels_changed(session);
    } else if new.min_level != old.min_level {
        session.notifier.refresh();
    }
    if new.model != old.model || new.device != old.device {
        choose_model(session);
    }
}

fn choose_model(session: &Session) {
    let (model, device) = {
        let state = session.state();
        (state.settings.model.clone(), state.settings.device)
    };
    session.models.choose(&model, device);
}

/// Registers features that are new, or says that they need a restart.
fn advertise(session: &Arc<Session>, advertised: FeatureSet, now: FeatureSet) {
    let registrable = session.state().caps.registrable;
    let (new, is_refused) = registrations(advertised, now, registrable);
    if !new.is_empty() {
        register(session, new);
    }
    // A feature that is turned off stays registered: its handler answers with nothing.
    session.state().advertised = advertised.union(now);
    if is_refused {
        session.notifier.info(
            "codegaze: a feature was turned on that takes effect when the server is restarted",
        );
    }
    session.notifier.refresh();
}

fn register(session: &Arc<Session>, registrations: Vec<Registration>) {
    let session = Arc::clone(session);
    tokio::spawn(async move {
        let registered = session.client.register_capability(registrations);
        match tokio::time::timeout(ANSWER_DEADLINE, registered).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the client refuses a registration"),
            Err(_) => tracing::warn!("the client does not answer client/registerCapability"),
        }
    });
}

/// One message for all faults of a configuration, and none for those that were shown before.
pub(crate) fn warn(session: &Session, faults: Vec<String>) {
    let mut state = session.state();
    let new: Vec<String> = faults
        .into_iter()
        .filter(|fault| !state.shown_faults.contains(fault))
        .collect();
    if new.is_empty() {
        return;
    }
    let message = format!("codegaze: setting {}", new.join("; "));
    state.shown_faults.extend(new);
    drop(state);
    session.notifier.warn(message);
}
