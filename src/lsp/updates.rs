//! What follows when a document, the model, the view or the levels change: analyses by the engine, and notifications about them.

use std::sync::Arc;
use std::time::Duration;

use tower_lsp::ls_types::Uri;

use super::custom::{HeatmapChanged, HeatmapChangedParams};
use super::documents::OpenDocument;
use super::keys::file_name;
use super::session::Session;
use super::settings::Settings;
use crate::engine::{Finished, Live, LivePhase, LiveReceiver, ModelAndView, Submission};
use crate::model::Model;
use crate::text::ByteSpan;

impl Session {
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
        self.analyze_under(&ModelAndView::live(model, attribution));
        self.refresh();
        self.send_status();
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
        let key = &*open.key;
        if open.document.text().len() > settings.max_file_bytes {
            self.engine.close(key);
            tracing::info!(uri = key, "larger than maxFileKb: not analyzed");
            return;
        }
        let is_new = self.engine.watch(key).is_none();
        self.submit_under_current_view(key, |view| Submission {
            document: open.document.clone(),
            view,
            edited,
            delay,
        });
        if is_new && let Some(live) = self.engine.watch(key) {
            self.follow(open.uri.clone(), live);
        }
    }

    /// After a change of the document at `uri`, or of an unknown document, was lost: its text is not the client's any more, so it has no
    /// results until the client sends the whole text.
    pub fn set_outdated(&self, uri: Option<&str>) {
        let outdated = self.state().documents.set_outdated(uri);
        let mut names = Vec::new();
        for open in outdated {
            self.engine.close(&open.key);
            names.push(file_name(&open.uri));
        }
        if !names.is_empty() {
            names.sort();
            self.notifier.warn(format!(
                "codegaze: a change of {} could not be read; close the file and open it again to see its attention",
                names.join(", ")
            ));
        }
    }

    /// Sends notifications about a document's results until it is closed.
    fn follow(self: &Arc<Self>, uri: Uri, mut live: LiveReceiver) {
        // Results that are there already are sent, too.
        live.mark_changed();
        // The engine, which is the session's, keeps the task running: the task must not keep the session.
        let session = Arc::downgrade(self);
        tokio::spawn(async move {
            while live.changed().await.is_ok() {
                let now = live.borrow_and_update().clone();
                let Some(session) = session.upgrade() else {
                    return;
                };
                session.send_results(&uri, &now);
            }
        });
    }

    fn send_results(&self, uri: &Uri, now: &Live) {
        let Some(finished) = &now.analysis else {
            return;
        };
        if matches!(now.phase, LivePhase::Ready) {
            self.model_choice
                .set_last_analysis(uri.clone(), finished.analysis.timing.total);
            self.send_status();
            self.send_pending_refresh();
        }
        self.send_heatmap_changed(uri, now);
    }

    /// After a request was answered without its analysis: sends a refresh once the analysis is there.
    pub fn refresh_when_ready(&self, key: &str) {
        self.notifier.set_refresh_pending();
        // It may have become ready before the line above.
        if let Some(live) = self.engine.watch(key)
            && matches!(live.borrow().phase, LivePhase::Ready)
        {
            self.send_pending_refresh();
        }
    }

    fn send_pending_refresh(&self) {
        if self.notifier.take_refresh_pending() {
            self.refresh();
        }
    }

    /// Sends `codegaze/heatmapChanged`, if the client wants it and `now` is about the newest text.
    fn send_heatmap_changed(&self, uri: &Uri, now: &Live) {
        let Some(finished) = &now.analysis else {
            return;
        };
        let state = self.state();
        let Some(open) = state.documents.get(uri) else {
            return;
        };
        if open.document.version() == now.version && state.caps.wants_heatmap_changed {
            self.client.notify::<HeatmapChanged>(HeatmapChangedParams {
                uri: uri.clone(),
                version: open.client_version,
                complete: finished.complete,
                percent: percent_done(finished),
            });
        }
    }

    /// Sends notifications about every document, since the same analyses have other levels now.
    pub fn send_levels_changed(&self) {
        let open: Vec<OpenDocument> = self.state().documents.iter().cloned().collect();
        for open in open {
            if let Some(live) = self.engine.watch(&open.key) {
                let now = live.borrow().clone();
                self.send_heatmap_changed(&open.uri, &now);
            }
        }
        self.refresh();
    }

    /// Asks the client to request the results of all features again that are on.
    pub fn refresh(&self) {
        let features = {
            let state = self.state();
            state.settings.features.intersection(state.caps.refreshable)
        };
        self.notifier.refresh(features);
    }

    /// Sends the model's state, if the client wants it.
    pub fn send_status(&self) {
        if self.state().caps.wants_status {
            self.notifier.status(|| {
                let current = self.model_and_view();
                self.model_choice.status(current.as_ref())
            });
        }
    }
}

/// How many of a document's chunks are analyzed, in percent.
fn percent_done(finished: &Finished) -> u32 {
    if finished.complete {
        return 100;
    }
    let (done, all) = (finished.analysis.chunks.len(), finished.n_chunks.max(1));
    u32::try_from(100 * done / all).map_or(99, |percent| percent.min(99))
}
