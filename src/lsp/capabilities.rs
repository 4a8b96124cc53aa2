//! What the server offers: at `initialize`, and to clients that register features later.

use serde_json::{Value, json};
use tower_lsp::ls_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CodeLensOptions,
    ColorProviderCapability, ExecuteCommandOptions, HoverProviderCapability, InlayHintOptions,
    InlayHintServerCapabilities, OneOf, Registration, SemanticTokenType, SemanticTokensFullOptions,
    SemanticTokensLegend, SemanticTokensOptions, SemanticTokensServerCapabilities,
    ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use super::client_caps::Registers;
use super::commands::CommandName;
use super::proto::encoding_kind;
use super::settings::Features;
use crate::text::PositionEncoding;
use crate::view::levels::HeatLevel;

/// The kind of all code actions.
pub(crate) const ACTION_KIND: CodeActionKind = CodeActionKind::new("codegaze");

/// The semantic token type of a level; 1 is the first in the legend.
pub(crate) fn token_type(level: HeatLevel) -> SemanticTokenType {
    SemanticTokenType::from(format!("attention{}", level.get()))
}

/// `is_negotiated`: the client sent a list of encodings.
pub(crate) fn server_capabilities(
    features: Features,
    encoding: PositionEncoding,
    is_negotiated: bool,
) -> ServerCapabilities {
    ServerCapabilities {
        position_encoding: is_negotiated.then(|| encoding_kind(encoding)),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                ..TextDocumentSyncOptions::default()
            },
        )),
        semantic_tokens_provider: features
            .semantic_tokens
            .then(|| SemanticTokensServerCapabilities::from(semantic_tokens())),
        hover_provider: features
            .hover
            .then_some(HoverProviderCapability::Simple(true)),
        code_lens_provider: features.code_lens.then_some(CodeLensOptions {
            resolve_provider: Some(false),
        }),
        code_action_provider: features
            .code_actions
            .then(|| CodeActionProviderCapability::Options(code_actions())),
        inlay_hint_provider: features.inlay_hints.then(|| {
            OneOf::Right(InlayHintServerCapabilities::Options(InlayHintOptions {
                resolve_provider: Some(false),
                work_done_progress_options: WorkDoneProgressOptions::default(),
            }))
        }),
        document_highlight_provider: features.document_highlight.then_some(OneOf::Left(true)),
        color_provider: features
            .document_color
            .then_some(ColorProviderCapability::Simple(true)),
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
            "codegaze": { "heatmap": 1, "relations": 1, "matrix": 1, "thumbnails": 1, "model": 1 },
        })),
        ..ServerCapabilities::default()
    }
}

fn semantic_tokens() -> SemanticTokensOptions {
    SemanticTokensOptions {
        legend: SemanticTokensLegend {
            token_types: HeatLevel::SHOWN.into_iter().map(token_type).collect(),
            token_modifiers: Vec::new(),
        },
        range: Some(true),
        // No deltas: one edit moves every level of its chunk, and every client falls back to the whole.
        full: Some(SemanticTokensFullOptions::Bool(true)),
        ..SemanticTokensOptions::default()
    }
}

fn code_actions() -> CodeActionOptions {
    CodeActionOptions {
        code_action_kinds: Some(vec![ACTION_KIND]),
        resolve_provider: Some(false),
        work_done_progress_options: WorkDoneProgressOptions::default(),
    }
}

/// Registrations for features that `now` has and `offered` had not, as far as the client takes them; and whether one of them
/// it does not take.
pub(crate) fn registrations(
    offered: Features,
    now: Features,
    client: Registers,
) -> (Vec<Registration>, bool) {
    let everything = json!({ "documentSelector": null });
    let with = |options: Value| {
        let mut merged = everything.clone();
        if let (Some(merged), Value::Object(options)) = (merged.as_object_mut(), options) {
            merged.extend(options);
        }
        merged
    };
    let table = [
        (
            now.semantic_tokens && !offered.semantic_tokens,
            client.semantic_tokens,
            "textDocument/semanticTokens",
            with(json!(semantic_tokens())),
        ),
        (
            now.hover && !offered.hover,
            client.hover,
            "textDocument/hover",
            everything.clone(),
        ),
        (
            now.code_lens && !offered.code_lens,
            client.code_lens,
            "textDocument/codeLens",
            with(json!({ "resolveProvider": false })),
        ),
        (
            now.code_actions && !offered.code_actions,
            client.code_actions,
            "textDocument/codeAction",
            with(json!(code_actions())),
        ),
        (
            now.inlay_hints && !offered.inlay_hints,
            client.inlay_hints,
            "textDocument/inlayHint",
            with(json!({ "resolveProvider": false })),
        ),
        (
            now.document_highlight && !offered.document_highlight,
            client.document_highlight,
            "textDocument/documentHighlight",
            everything.clone(),
        ),
        (
            now.document_color && !offered.document_color,
            client.document_color,
            "textDocument/documentColor",
            everything.clone(),
        ),
    ];
    let mut is_refused = false;
    let mut taken = Vec::new();
    for (is_new, is_taken, method, options) in table {
        if !is_new {
            continue;
        }
        if !is_taken {
            is_refused = true;
            continue;
        }
        taken.push(Registration {
            id: format!("codegaze:{method}"),
            method: method.to_owned(),
            register_options: Some(options),
        });
    }
    (taken, is_refused)
}
