//! `workspace/executeCommand`.

pub(crate) mod heatmap;

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, ErrorCode, Result};
use tower_lsp::ls_types::ExecuteCommandParams;

use super::models::{self, CODEBERT, ModelRequest};
use super::session::{Session, Snapshot};
use crate::engine::LivePhase;
use crate::view::milliseconds;
use crate::view::options::{ViewAnswer, ViewOptions};

/// The commands that the server runs, by their names on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandName {
    Heatmap,
    SetView,
    SetModel,
    DownloadModel,
    ClearCache,
    Info,
}

impl CommandName {
    pub const ALL: [Self; 6] = [
        Self::Heatmap,
        Self::SetView,
        Self::SetModel,
        Self::DownloadModel,
        Self::ClearCache,
        Self::Info,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heatmap => "codegaze.server.heatmap",
            Self::SetView => "codegaze.server.setView",
            Self::SetModel => "codegaze.server.setModel",
            Self::DownloadModel => "codegaze.server.downloadModel",
            Self::ClearCache => "codegaze.server.clearCache",
            Self::Info => "codegaze.server.info",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|command| command.as_str() == name)
    }
}

/// Commands that a client runs itself, if it says so in `clientCommands`.
pub(crate) mod client_command {
    pub(crate) const SHOW_HEATMAP: &str = "codegaze.showHeatmap";
    pub(crate) const SELECT_VIEW: &str = "codegaze.selectView";
    pub(crate) const EXPLAIN: &str = "codegaze.explain";
    pub(crate) const EXPORT_HEATMAP: &str = "codegaze.exportHeatmap";
}

#[derive(Deserialize)]
struct SetModel {
    model: String,
}

#[derive(Default, Deserialize)]
struct DownloadModel {
    #[serde(default)]
    model: Option<String>,
}

/// A command and what it has to read before its first await.
pub(crate) struct Command {
    name: CommandName,
    params: ExecuteCommandParams,
    /// The document of a heatmap.
    snapshot: Option<Snapshot>,
}

impl Command {
    pub fn read(session: &Session, params: ExecuteCommandParams) -> Result<Self> {
        let name = CommandName::parse(&params.command).ok_or_else(|| {
            Error::invalid_params(format!(
                "unknown command {:?}; codegaze has {}",
                params.command,
                CommandName::ALL.map(CommandName::as_str).join(", ")
            ))
        })?;
        let snapshot =
            if name == CommandName::Heatmap {
                let uri = params
                    .arguments
                    .first()
                    .and_then(|argument| argument.get("uri"))
                    .and_then(|uri| serde_json::from_value(uri.clone()).ok());
                let uri = uri.ok_or_else(|| {
                    Error::invalid_params("codegaze.server.heatmap needs { \"uri\": … }")
                })?;
                Some(session.snapshot(&uri).ok_or_else(|| {
                    Error::invalid_params(format!("{} is not open", uri.as_str()))
                })?)
            } else {
                None
            };
        Ok(Self {
            name,
            params,
            snapshot,
        })
    }

    pub async fn run(self, session: &Arc<Session>) -> Result<Option<Value>> {
        let Self {
            name,
            mut params,
            snapshot,
        } = self;
        let token = params.work_done_progress_params.work_done_token.take();
        match name {
            CommandName::Heatmap => {
                let options = argument(name, &params)?;
                let Some(snapshot) = snapshot else {
                    return Ok(None);
                };
                let done = heatmap::run(session, &snapshot, options, token).await?;
                Ok(done.map(|done| json!(done)))
            }
            CommandName::SetView => set_view(session, &argument(name, &params)?),
            CommandName::SetModel => {
                let SetModel { model } = argument(name, &params)?;
                let settings = session.state().settings.model_request();
                let request = ModelRequest {
                    name: model,
                    ..settings
                };
                models::choose(session, request);
                Ok(Some(json!(models::result(session))))
            }
            CommandName::DownloadModel => {
                let DownloadModel { model } = argument(name, &params)?;
                let model = model.unwrap_or_else(|| CODEBERT.to_owned());
                let done = models::fetch(session, &model, token).await;
                done.map_err(|error| failed(&error))?;
                Ok(Some(json!(models::result(session))))
            }
            CommandName::ClearCache => {
                let freed = session.engine.clear_cache().await;
                Ok(Some(json!({ "bytes": freed.unwrap_or_default() })))
            }
            CommandName::Info => Ok(Some(info(session))),
        }
    }
}

/// The only argument, which is an object. Without it, the object is empty.
fn argument<T: DeserializeOwned>(name: CommandName, params: &ExecuteCommandParams) -> Result<T> {
    let given = params.arguments.first().cloned();
    let given = given.filter(|given| !given.is_null());
    serde_json::from_value(given.unwrap_or_else(|| json!({})))
        .map_err(|error| Error::invalid_params(format!("{}: {error}", name.as_str())))
}

pub(crate) fn failed(error: &dyn std::fmt::Display) -> Error {
    Error {
        code: ErrorCode::ServerError(-32803),
        message: error.to_string().into(),
        data: None,
    }
}

/// Sets the view of all documents. A view that the model does not have is an error, and changes nothing.
fn set_view(session: &Session, options: &ViewOptions) -> Result<Option<Value>> {
    let view = session.state().view.clone();
    let view = options
        .apply(&view)
        .map_err(|error| Error::invalid_params(error.to_string()))?;
    let Some(current) = session.model_and_view() else {
        // Checked when a model is loaded.
        session.state().view = view;
        return Ok(None);
    };
    let attribution = view
        .resolve(current.model.info())
        .map_err(|error| Error::invalid_params(error.to_string()))?;
    session.state().view = view;
    let answer = ViewAnswer::new(current.model.info(), &attribution);
    session.apply_view();
    Ok(Some(json!(answer)))
}

fn info(session: &Session) -> Value {
    let stats = session.engine.stats();
    let state = session.state();
    let mut timings = None;
    let documents: Vec<Value> = state
        .documents
        .iter()
        .map(|open| {
            let live = session
                .engine
                .watch(&open.key)
                .map(|live| live.borrow().clone());
            let analysis = live.as_ref().and_then(|live| live.analysis.clone());
            if let Some(finished) = &analysis {
                let timing = &finished.analysis.timing;
                timings = Some(json!({
                    "chunkMs": milliseconds::exact(timing.chunk),
                    "tokenizeMs": milliseconds::exact(timing.tokenize),
                    "forwardMs": milliseconds::exact(timing.forward),
                    "attributeMs": milliseconds::exact(timing.attribute),
                    "totalMs": milliseconds::exact(timing.total),
                }));
            }
            json!({
                "uri": open.uri,
                "version": open.client_version,
                "bytes": open.document.text().len(),
                "chunks": analysis.map_or(0, |finished| finished.n_chunks),
                "state": match live.map(|live| live.phase) {
                    None => "too large",
                    Some(LivePhase::Waiting) => "waiting",
                    Some(LivePhase::Running) => "running",
                    Some(LivePhase::Ready) => "ready",
                    Some(LivePhase::Failed(_)) => "failed",
                },
            })
        })
        .collect();
    let settings = state.given.clone();
    let encoding = state.encoding;
    drop(state);
    let model = models::result(session);
    let last_analysis = session.model_choice.status(None).analysis_ms;
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "model": model,
        "documents": documents,
        "engine": {
            "passes": stats.passes,
            "resumed": stats.resumed,
            "cancelled": stats.cancelled,
            "panics": stats.panics,
            "queued": stats.queued,
            "lastAnalysisMs": last_analysis,
        },
        "timings": timings,
        "positionEncoding": encoding.as_str(),
        "settings": settings,
    })
}
