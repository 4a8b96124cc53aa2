//! What the server advertises: at `initialize`, and to clients that take registrations later.

use serde_json::json;
use tower_lsp::ls_types::{
    ExecuteCommandOptions, OneOf, Registration, ServerCapabilities, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, WorkDoneProgressOptions,
    WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use super::commands::CommandName;
use super::features::{Feature, FeatureSet};
use super::proto::encoding_kind;
use crate::view::position::Encoding;

/// `is_negotiated`: the client sent a list of encodings.
pub(crate) fn server_capabilities(
    features: FeatureSet,
    encoding: Encoding,
    is_negotiated: bool,
) -> ServerCapabilities {
    let mut capabilities = ServerCapabilities {
        position_encoding: is_negotiated.then(|| encoding_kind(encoding)),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                ..TextDocumentSyncOptions::default()
            },
        )),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: CommandName::ALL
                .iter()
                .map(|command| command.as_str().to_owned())
                .collect(),
            work_done_progress_options: WorkDoneProgressOptions {
                work_done_progress: Some(true),
            },
        }),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        experimental: Some(json!({
            "codegaze": { "heatmap": 1, "explain": 1, "relations": 1, "matrix": 1, "thumbnails": 1, "model": 1 },
        })),
        ..ServerCapabilities::default()
    };
    for feature in features.iter() {
        feature.advertise(&mut capabilities);
    }
    capabilities
}

/// Registrations for features that are on in `now` and that the client does not know of yet, as far as it takes them; and
/// whether there is one that it does not take.
pub(crate) fn registrations(
    advertised: FeatureSet,
    now: FeatureSet,
    registrable: FeatureSet,
) -> (Vec<Registration>, bool) {
    let new = now.difference(advertised);
    let taken = new.intersection(registrable).iter();
    let is_refused = !new.difference(registrable).is_empty();
    (taken.map(Feature::registration).collect(), is_refused)
}
