//! The features that a user can turn on and off. One row of [`TABLE`] declares a feature: its setting, what the server
//! advertises for it, and what the client must support. Its handler is in `server.rs`.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tower_lsp::ls_types::request::{
    CodeLensRefresh, InlayHintRefreshRequest, SemanticTokensRefresh,
};
use tower_lsp::ls_types::{
    ClientCapabilities, CodeActionKind, CodeActionOptions, CodeActionProviderCapability,
    CodeLensOptions, ColorProviderCapability, HoverProviderCapability, InlayHintOptions,
    InlayHintServerCapabilities, OneOf, Registration, SemanticTokenType, SemanticTokensFullOptions,
    SemanticTokensLegend, SemanticTokensOptions, ServerCapabilities,
    TextDocumentClientCapabilities, WorkDoneProgressOptions, WorkspaceClientCapabilities,
};

use super::transport::{Client, RequestError};
use crate::view::levels::HeatLevel;

/// The kind of all code actions.
pub(crate) const ACTION_KIND: CodeActionKind = CodeActionKind::new("codegaze");

/// The semantic token type of a level; level 1 is the first in the legend.
pub(crate) fn token_type(level: HeatLevel) -> SemanticTokenType {
    SemanticTokenType::from(format!("attention{}", level.get()))
}

/// A feature that the user can turn on and off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    SemanticTokens,
    Hover,
    CodeLens,
    CodeActions,
    InlayHints,
    DocumentHighlight,
    DocumentColor,
}

/// What there is to know of one feature.
pub(crate) struct Row {
    pub feature: Feature,
    /// The setting, below `features.`.
    pub key: &'static str,
    /// Whether it is on unless the user sets it.
    pub default: bool,
    /// For the documentation of the setting.
    pub about: &'static str,
    /// The method that a dynamic registration names.
    method: &'static str,
    /// Sets the feature's provider, and nothing else.
    advertise: fn(&mut ServerCapabilities),
    /// The client's `dynamicRegistration` for it.
    registers: fn(&TextDocumentClientCapabilities) -> Option<bool>,
    /// For features that the client asks for again when the server tells it to.
    refresh: Option<Refresh>,
}

struct Refresh {
    is_supported: fn(&WorkspaceClientCapabilities) -> Option<bool>,
    request: fn(&Client) -> BoxFuture<'static, Result<(), RequestError>>,
}

/// In the order of the enum.
pub(crate) const TABLE: [Row; 7] = [
    Row {
        feature: Feature::SemanticTokens,
        key: "semanticTokens",
        default: true,
        about: "show heat as semantic tokens",
        method: "textDocument/semanticTokens",
        advertise: |server| server.semantic_tokens_provider = Some(semantic_tokens().into()),
        registers: |client| client.semantic_tokens.as_ref()?.dynamic_registration,
        refresh: Some(Refresh {
            is_supported: |client| client.semantic_tokens.as_ref()?.refresh_support,
            request: |client| client.request::<SemanticTokensRefresh>(()).boxed(),
        }),
    },
    Row {
        feature: Feature::Hover,
        key: "hover",
        default: true,
        about: "show numbers in the hover",
        method: "textDocument/hover",
        advertise: |server| server.hover_provider = Some(HoverProviderCapability::Simple(true)),
        registers: |client| client.hover.as_ref()?.dynamic_registration,
        refresh: None,
    },
    Row {
        feature: Feature::CodeLens,
        key: "codeLens",
        default: true,
        about: "show a line above each function, method and type that gets clearly more or less attention than the file",
        method: "textDocument/codeLens",
        advertise: |server| {
            server.code_lens_provider = Some(CodeLensOptions {
                resolve_provider: Some(false),
            });
        },
        registers: |client| client.code_lens.as_ref()?.dynamic_registration,
        refresh: Some(Refresh {
            is_supported: |client| client.code_lens.as_ref()?.refresh_support,
            request: |client| client.request::<CodeLensRefresh>(()).boxed(),
        }),
    },
    Row {
        feature: Feature::CodeActions,
        key: "codeActions",
        default: true,
        about: "offer to show or export a heatmap, and to switch the view",
        method: "textDocument/codeAction",
        advertise: |server| {
            server.code_action_provider =
                Some(CodeActionProviderCapability::Options(CodeActionOptions {
                    code_action_kinds: Some(vec![ACTION_KIND]),
                    resolve_provider: Some(false),
                    work_done_progress_options: WorkDoneProgressOptions::default(),
                }));
        },
        registers: |client| client.code_action.as_ref()?.dynamic_registration,
        refresh: None,
    },
    Row {
        feature: Feature::InlayHints,
        key: "inlayHints",
        default: false,
        about: "show each line's share at its end",
        method: "textDocument/inlayHint",
        advertise: |server| {
            let options = InlayHintOptions {
                resolve_provider: Some(false),
                work_done_progress_options: WorkDoneProgressOptions::default(),
            };
            server.inlay_hint_provider =
                Some(OneOf::Right(InlayHintServerCapabilities::Options(options)));
        },
        registers: |client| client.inlay_hint.as_ref()?.dynamic_registration,
        refresh: Some(Refresh {
            is_supported: |client| client.inlay_hint.as_ref()?.refresh_support,
            request: |client| client.request::<InlayHintRefreshRequest>(()).boxed(),
        }),
    },
    Row {
        feature: Feature::DocumentHighlight,
        key: "documentHighlight",
        default: false,
        about: "highlight what the lexeme under the cursor attends to; editors mix this with the language's own highlights",
        method: "textDocument/documentHighlight",
        advertise: |server| server.document_highlight_provider = Some(OneOf::Left(true)),
        registers: |client| client.document_highlight.as_ref()?.dynamic_registration,
        refresh: None,
    },
    Row {
        feature: Feature::DocumentColor,
        key: "documentColor",
        default: false,
        about: "show swatches on levels 4 and 5, for editors without semantic tokens, such as Helix",
        method: "textDocument/documentColor",
        advertise: |server| server.color_provider = Some(ColorProviderCapability::Simple(true)),
        registers: |client| client.color_provider.as_ref()?.dynamic_registration,
        refresh: None,
    },
];

fn semantic_tokens() -> SemanticTokensOptions {
    SemanticTokensOptions {
        legend: SemanticTokensLegend {
            token_types: HeatLevel::SHOWN.into_iter().map(token_type).collect(),
            token_modifiers: Vec::new(),
        },
        range: Some(true),
        // No deltas: one edit changes every level of its chunk, so a delta would be as long as the whole.
        full: Some(SemanticTokensFullOptions::Bool(true)),
        ..SemanticTokensOptions::default()
    }
}

impl Feature {
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.feature)
    }

    fn row(self) -> &'static Row {
        const { &TABLE }
            .get(self as usize)
            .expect("every feature has a row")
    }

    pub fn advertise(self, server: &mut ServerCapabilities) {
        (self.row().advertise)(server);
    }

    /// The options of a registration are those that `initialize` would have advertised.
    pub fn registration(self) -> Registration {
        let Row {
            method, advertise, ..
        } = self.row();
        let mut server = ServerCapabilities::default();
        advertise(&mut server);
        let mut options = json!({ "documentSelector": null });
        if let (Value::Object(providers), Some(options)) = (json!(server), options.as_object_mut())
        {
            let provider = providers
                .into_iter()
                .filter_map(|(_, provider)| match provider {
                    Value::Object(options) => Some(options),
                    _ => None,
                });
            options.extend(provider.flatten());
        }
        Registration {
            id: format!("codegaze:{method}"),
            method: (*method).to_owned(),
            register_options: Some(options),
        }
    }

    /// Asks the client to request the feature's results again.
    pub fn refresh(self, client: &Client) -> Option<BoxFuture<'static, Result<(), RequestError>>> {
        let refresh = self.row().refresh.as_ref()?;
        Some((refresh.request)(client))
    }
}

/// Some of the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FeatureSet(u8);

impl FeatureSet {
    pub const EMPTY: Self = Self(0);

    fn of(is_member: impl Fn(&Row) -> bool) -> Self {
        let members = TABLE.iter().filter(|row| is_member(row));
        members.fold(Self::EMPTY, |set, row| set.with(row.feature, true))
    }

    /// The features for which the client takes registrations after `initialize`.
    pub fn registrable(client: &ClientCapabilities) -> Self {
        let client = client.text_document.as_ref();
        Self::of(|row| client.and_then(row.registers) == Some(true))
    }

    /// The features whose results the client requests again when the server tells it to.
    pub fn refreshable(client: &ClientCapabilities) -> Self {
        let client = client.workspace.as_ref();
        Self::of(|row| {
            let refresh = row.refresh.as_ref();
            refresh.and_then(|refresh| (refresh.is_supported)(client?)) == Some(true)
        })
    }

    pub fn contains(self, feature: Feature) -> bool {
        self.0 & (1 << feature as u8) != 0
    }

    #[must_use]
    pub fn with(self, feature: Feature, is_member: bool) -> Self {
        let bit = 1 << feature as u8;
        Self(if is_member {
            self.0 | bit
        } else {
            self.0 & !bit
        })
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The features of this set that are not in `other`.
    #[must_use]
    pub fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }

    pub fn iter(self) -> impl Iterator<Item = Feature> {
        Feature::all().filter(move |&feature| self.contains(feature))
    }
}

impl Default for FeatureSet {
    fn default() -> Self {
        Self::of(|row| row.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_the_enum() {
        for (index, feature) in Feature::all().enumerate() {
            assert_eq!(feature as usize, index);
        }
    }

    #[test]
    fn a_feature_advertises_one_provider_and_registers_its_options() {
        for feature in Feature::all() {
            let mut server = ServerCapabilities::default();
            feature.advertise(&mut server);
            let providers = json!(server);
            let providers: Vec<&Value> = providers.as_object().unwrap().values().collect();
            let [provider] = providers[..] else {
                panic!("{feature:?}: {providers:?}");
            };
            let options = feature.registration().register_options.unwrap();
            assert_eq!(options["documentSelector"], Value::Null);
            for (key, value) in provider.as_object().into_iter().flatten() {
                assert_eq!(&options[key], value, "{feature:?}: {key}");
            }
        }
    }

    #[test]
    fn sets_have_what_was_put_in() {
        let hover = FeatureSet::EMPTY.with(Feature::Hover, true);
        assert!(hover.contains(Feature::Hover) && !hover.contains(Feature::CodeLens));
        let both = hover.union(FeatureSet::EMPTY.with(Feature::CodeLens, true));
        assert!(both.iter().eq([Feature::Hover, Feature::CodeLens]));
        assert!(both.difference(hover).iter().eq([Feature::CodeLens]));
        assert_eq!(both.intersection(hover), hover);
        assert!(both.with(Feature::Hover, false).difference(both).is_empty());
    }

    #[test]
    fn a_client_takes_what_its_capabilities_say() {
        let client: ClientCapabilities = serde_json::from_value(json!({
            "textDocument": {
                "hover": { "dynamicRegistration": true },
                "codeLens": { "dynamicRegistration": false },
                "colorProvider": { "dynamicRegistration": true },
            },
            "workspace": { "inlayHint": { "refreshSupport": true }, "codeLens": {} },
        }))
        .unwrap();
        let registrable = FeatureSet::registrable(&client);
        assert!(
            registrable
                .iter()
                .eq([Feature::Hover, Feature::DocumentColor])
        );
        let refreshable = FeatureSet::refreshable(&client);
        assert!(refreshable.iter().eq([Feature::InlayHints]));
    }
}
