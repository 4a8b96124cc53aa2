//! Receives settings after `initialize`, pulled or pushed, and applies them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tower_lsp::ls_types::request::{RegisterCapability, WorkspaceConfiguration};
use tower_lsp::ls_types::{
    ConfigurationItem, ConfigurationParams, Registration, RegistrationParams,
};

use super::capabilities::registrations;
use super::features::FeatureSet;
use super::models;
use super::session::Session;

/// The section of codegaze in a client's configuration.
const SECTION: &str = "codegaze";
/// How long the loading of the model waits for the settings that name it. Settings take less time to arrive.
const SETTINGS_TIMEOUT: Duration = Duration::from_millis(200);

/// After `initialized`: requests the settings if the client supports that, then loads the model that they name.
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
        // Later settings are applied when they arrive.
        let _ = tokio::time::timeout(SETTINGS_TIMEOUT, pulled).await;
    }
    choose_model(&session);
}

/// Handles `workspace/didChangeConfiguration`, which has the settings or is a sign to request them.
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
    let params = ConfigurationParams { items: vec![item] };
    match session
        .client
        .request::<WorkspaceConfiguration>(params)
        .await
    {
        Ok(settings) => apply(&session, settings.first().unwrap_or(&Value::Null)),
        Err(error) => tracing::warn!(%error, "no settings"),
    }
}

/// Overrides the settings of `initialize` with `given`, and applies the changes.
fn apply(session: &Arc<Session>, given: &Value) {
    let (old, new, open, advertised, faults) = {
        let mut state = session.state();
        let (new, faults) = state.base.with(given);
        let old = std::mem::replace(&mut state.settings, new.clone());
        if !given.is_null() {
            state.given = given.clone();
        }
        // The view that a command set stays until the settings name another one.
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
            let is_live = session.engine.watch(&open.key).is_some();
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
        session.send_levels_changed();
    } else if new.min_level != old.min_level {
        session.refresh();
    }
    if new.model_request() != old.model_request() {
        choose_model(session);
    }
}

fn choose_model(session: &Arc<Session>) {
    let request = session.state().settings.model_request();
    models::choose(session, request);
}

/// Registers features that the client does not know of, or tells the user that they need a restart.
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
    session.refresh();
}

fn register(session: &Session, registrations: Vec<Registration>) {
    let params = RegistrationParams { registrations };
    let registered = session.client.request::<RegisterCapability>(params);
    tokio::spawn(async {
        if let Err(error) = registered.await {
            tracing::warn!(%error, "not registered");
        }
    });
}

/// Shows one message with all faults that were not shown before.
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
