//! What the client can do, read once at `initialize`.

use serde_json::Value;
use tower_lsp::ls_types::{ClientCapabilities, MarkupKind};

/// Only what decisions depend on.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability")]
pub(crate) struct ClientCaps {
    pub hover_markdown: bool,
    pub semantic_tokens_refresh: bool,
    pub code_lens_refresh: bool,
    pub inlay_hint_refresh: bool,
    pub work_done_progress: bool,
    pub pulls_configuration: bool,
    pub registers_configuration: bool,
    pub show_document: bool,
    pub code_action_literals: bool,
    pub wants_status: bool,
    pub wants_heatmap_changed: bool,
    pub registers: Registers,
}

/// Features that may be offered after `initialize`.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability")]
pub(crate) struct Registers {
    pub semantic_tokens: bool,
    pub hover: bool,
    pub code_lens: bool,
    pub code_actions: bool,
    pub inlay_hints: bool,
    pub document_highlight: bool,
    pub document_color: bool,
}

impl ClientCaps {
    pub fn new(capabilities: &ClientCapabilities) -> Self {
        let text = capabilities.text_document.as_ref();
        let workspace = capabilities.workspace.as_ref();
        let window = capabilities.window.as_ref();
        let yes = |flag: Option<bool>| flag == Some(true);
        let experimental = |key: &str| {
            let codegaze = capabilities
                .experimental
                .as_ref()
                .and_then(|experimental| experimental.get("codegaze"));
            yes(codegaze
                .and_then(|codegaze| codegaze.get(key))
                .and_then(Value::as_bool))
        };
        let formats = text
            .and_then(|text| text.hover.as_ref())
            .and_then(|hover| hover.content_format.as_deref());
        Self {
            // The client's order is its preference.
            hover_markdown: formats.and_then(<[MarkupKind]>::first) == Some(&MarkupKind::Markdown),
            semantic_tokens_refresh: yes(workspace
                .and_then(|w| w.semantic_tokens.as_ref())
                .and_then(|tokens| tokens.refresh_support)),
            code_lens_refresh: yes(workspace
                .and_then(|w| w.code_lens.as_ref())
                .and_then(|lens| lens.refresh_support)),
            inlay_hint_refresh: yes(workspace
                .and_then(|w| w.inlay_hint.as_ref())
                .and_then(|hint| hint.refresh_support)),
            work_done_progress: yes(window.and_then(|window| window.work_done_progress)),
            pulls_configuration: yes(workspace.and_then(|w| w.configuration)),
            registers_configuration: yes(workspace
                .and_then(|w| w.did_change_configuration.as_ref())
                .and_then(|change| change.dynamic_registration)),
            show_document: window
                .and_then(|window| window.show_document.as_ref())
                .is_some_and(|show| show.support),
            code_action_literals: text
                .and_then(|text| text.code_action.as_ref())
                .is_some_and(|action| action.code_action_literal_support.is_some()),
            wants_status: experimental("status"),
            wants_heatmap_changed: experimental("heatmapChanged"),
            registers: Registers {
                semantic_tokens: yes(text
                    .and_then(|t| t.semantic_tokens.as_ref())
                    .and_then(|tokens| tokens.dynamic_registration)),
                hover: yes(text
                    .and_then(|t| t.hover.as_ref())
                    .and_then(|hover| hover.dynamic_registration)),
                code_lens: yes(text
                    .and_then(|t| t.code_lens.as_ref())
                    .and_then(|lens| lens.dynamic_registration)),
                code_actions: yes(text
                    .and_then(|t| t.code_action.as_ref())
                    .and_then(|action| action.dynamic_registration)),
                inlay_hints: yes(text
                    .and_then(|t| t.inlay_hint.as_ref())
                    .and_then(|hint| hint.dynamic_registration)),
                document_highlight: yes(text
                    .and_then(|t| t.document_highlight.as_ref())
                    .and_then(|highlight| highlight.dynamic_registration)),
                document_color: yes(text
                    .and_then(|t| t.color_provider.as_ref())
                    .and_then(|color| color.dynamic_registration)),
            },
        }
    }
}
