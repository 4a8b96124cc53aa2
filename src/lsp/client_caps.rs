//! What the client can do, read once at `initialize`.

use serde_json::Value;
use tower_lsp::ls_types::{ClientCapabilities, MarkupKind};

use super::features::FeatureSet;

/// Only what decisions depend on.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a capability")]
pub(crate) struct ClientCaps {
    pub hover_markdown: bool,
    pub work_done_progress: bool,
    pub pulls_configuration: bool,
    pub registers_configuration: bool,
    pub show_document: bool,
    pub code_action_literals: bool,
    pub wants_status: bool,
    pub wants_heatmap_changed: bool,
    /// Features that can be registered after `initialize`.
    pub registrable: FeatureSet,
    /// Features whose results the client requests again when it is told to.
    pub refreshable: FeatureSet,
}

impl ClientCaps {
    pub fn new(capabilities: &ClientCapabilities) -> Self {
        let text = capabilities.text_document.as_ref();
        let workspace = capabilities.workspace.as_ref();
        let window = capabilities.window.as_ref();
        let yes = |flag: Option<bool>| flag == Some(true);
        let formats = text
            .and_then(|text| text.hover.as_ref())
            .and_then(|hover| hover.content_format.as_deref());
        Self {
            // The client's order is its preference.
            hover_markdown: formats.and_then(<[MarkupKind]>::first) == Some(&MarkupKind::Markdown),
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
            wants_status: experimental(capabilities, "status"),
            wants_heatmap_changed: experimental(capabilities, "heatmapChanged"),
            registrable: FeatureSet::registrable(capabilities),
            refreshable: FeatureSet::refreshable(capabilities),
        }
    }
}

impl Default for ClientCaps {
    fn default() -> Self {
        Self::new(&ClientCapabilities::default())
    }
}

/// A flag of `experimental.codegaze`.
fn experimental(capabilities: &ClientCapabilities, key: &str) -> bool {
    let ours = capabilities.experimental.as_ref();
    let flag = ours.and_then(|experimental| experimental.get("codegaze")?.get(key));
    flag.and_then(Value::as_bool) == Some(true)
}
