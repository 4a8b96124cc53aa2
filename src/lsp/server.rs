//! The handlers. Each takes a snapshot of its document before its first await.

use std::sync::Arc;

use serde_json::Value;
use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{
    CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams, ColorInformation,
    ColorPresentation, ColorPresentationParams, DidChangeConfigurationParams,
    DidChangeTextDocumentParams, DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DocumentColorParams, DocumentHighlight, DocumentHighlightParams,
    ExecuteCommandParams, Hover, HoverParams, InitializeParams, InitializeResult,
    InitializedParams, InlayHint, InlayHintParams, SemanticTokensParams, SemanticTokensRangeParams,
    SemanticTokensRangeResult, SemanticTokensResult, ServerInfo, TextDocumentPositionParams, Uri,
    WorkDoneProgressCancelParams,
};
use tower_lsp::{LanguageServer, LspService};

use super::capabilities::server_capabilities;
use super::client_caps::ClientCaps;
use super::commands::Command;
use super::custom::{
    ExplainParams, HeatmapParams, MatrixParams, ModelResult, OfDocument, RelationsParams,
    ThumbnailsParams, method,
};
use super::features::Feature;
use super::proto::negotiate;
use super::session::{Session, Snapshot};
use super::transport::{self, ChangeLost, Client};
use super::{actions, config, explain, heat, matrix, models, project, symbols};
use crate::engine::Observer;
use crate::view::live::heat::HeatmapResult;
use crate::view::live::matrix::MatrixResult;
use crate::view::live::relations::RelationsResult;
use crate::view::live::thumbnails::ThumbnailsResult;

pub(crate) struct Server {
    session: Arc<Session>,
}

/// The service of one client. Needs a runtime.
pub(crate) fn service(client: Client, observer: Option<Observer>) -> LspService<Server> {
    let session = Session::new(client, observer);
    // The socket belongs to the library's client, which is not used.
    let (service, _) = LspService::build(|_| Server { session })
        .custom_method(method::HEATMAP, Server::heatmap)
        .custom_method(method::EXPLAIN, Server::explain)
        .custom_method(method::RELATIONS, Server::relations)
        .custom_method(method::MATRIX, Server::matrix)
        .custom_method(method::THUMBNAILS, Server::thumbnails)
        .custom_method(method::MODEL, Server::model)
        .custom_method(transport::CHANGE_LOST, Server::change_lost)
        .custom_method(
            "window/workDoneProgress/cancel",
            Server::work_done_progress_cancel,
        )
        .finish();
    service
}

impl Server {
    /// The document of a request, if it is open and `feature` is on.
    fn about(&self, uri: &Uri, feature: Feature) -> Option<Snapshot> {
        let snapshot = self.session.snapshot(uri)?;
        let is_on = snapshot.settings.features.contains(feature);
        is_on.then_some(snapshot)
    }

    async fn heatmap(&self, params: HeatmapParams) -> Result<Option<OfDocument<HeatmapResult>>> {
        let Some(snapshot) = self.session.snapshot(&params.text_document.uri) else {
            return Ok(None);
        };
        heat::heatmap(&self.session, &snapshot, &params).await
    }

    async fn explain(&self, params: ExplainParams) -> Result<Option<Hover>> {
        let Some(snapshot) = self.session.snapshot(&params.text_document.uri) else {
            return Ok(None);
        };
        Ok(explain::explain(&self.session, &snapshot, params.position).await)
    }

    async fn relations(&self, params: RelationsParams) -> Result<Option<RelationsResult>> {
        let Some(snapshot) = self.session.snapshot(&params.text_document.uri) else {
            return Ok(None);
        };
        matrix::relations(&self.session, &snapshot, &params).await
    }

    async fn matrix(&self, params: MatrixParams) -> Result<Option<OfDocument<MatrixResult>>> {
        let Some(snapshot) = self.session.snapshot(&params.text_document.uri) else {
            return Ok(None);
        };
        matrix::matrix(&self.session, &snapshot, &params).await
    }

    async fn thumbnails(&self, params: ThumbnailsParams) -> Result<Option<ThumbnailsResult>> {
        let Some(snapshot) = self.session.snapshot(&params.text_document.uri) else {
            return Ok(None);
        };
        matrix::thumbnails(&self.session, &snapshot, &params).await
    }

    #[expect(clippy::unused_async, reason = "a handler")]
    async fn model(&self, _: Value) -> Result<ModelResult> {
        Ok(models::result(&self.session))
    }

    /// The transport's notice that it could not read a change.
    #[expect(clippy::unused_async, reason = "a handler")]
    async fn change_lost(&self, params: ChangeLost) {
        self.session.set_outdated(params.uri.as_deref());
    }

    #[expect(clippy::unused_async, reason = "a handler")]
    async fn work_done_progress_cancel(&self, params: WorkDoneProgressCancelParams) {
        self.session.cancellations.cancel(&params.token);
    }
}

impl LanguageServer for Server {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        // Not under the lock, since it reads a file.
        let defaults = self.session.state().settings.clone();
        let (of_project, mut faults) = project::overlay(&defaults, &params);
        let given = params.initialization_options.unwrap_or_default();
        let offered = params
            .capabilities
            .general
            .as_ref()
            .and_then(|general| general.position_encodings.clone());
        let mut state = self.session.state();
        let (settings, of_client) = of_project.with(&given);
        faults.extend(of_client);
        let encoding = negotiate(offered.as_deref(), settings.position_encoding);
        state.caps = ClientCaps::new(&params.capabilities);
        state.encoding = encoding;
        state.advertised = settings.features;
        state.view = settings.view.clone();
        state.base = settings.clone();
        state.given = given;
        state.settings = settings.clone();
        drop(state);
        config::warn(&self.session, faults);
        self.session.engine.set_cache_bytes(settings.cache_bytes);
        super::set_log_level(settings.log_level);
        Ok(InitializeResult {
            capabilities: server_capabilities(settings.features, encoding, offered.is_some()),
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            offset_encoding: None,
        })
    }

    async fn initialized(&self, _: InitializedParams) {
        // In a task, since it awaits responses of the client.
        tokio::spawn(config::start(Arc::clone(&self.session)));
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        let mut state = self.session.state();
        let open = state.documents.open(params.text_document).clone();
        let settings = state.settings.clone();
        drop(state);
        // If it is open already, its analysis starts from the beginning.
        self.session.engine.close(&open.key);
        let at_once = std::time::Duration::ZERO;
        self.session.submit(&open, None, &settings, at_once);
    }

    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        let mut state = self.session.state();
        let encoding = state.encoding;
        let document = params.text_document;
        let changed = state.documents.change(
            &document.uri,
            document.version,
            params.content_changes,
            encoding,
        );
        let Some((open, edited)) = changed else {
            return;
        };
        let open = open.clone();
        let settings = state.settings.clone();
        drop(state);
        let delay = settings.debounce;
        self.session.submit(&open, edited, &settings, delay);
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let closed = self.session.state().documents.close(&uri);
        if let Some(key) = closed {
            self.session.engine.close(&key);
        }
    }

    async fn did_change_configuration(&self, params: DidChangeConfigurationParams) {
        config::changed(&self.session, &params.settings);
    }

    /// Settings belong to the session, so folders change nothing.
    async fn did_change_workspace_folders(&self, _: DidChangeWorkspaceFoldersParams) {}

    async fn semantic_tokens_full(
        &self,
        params: SemanticTokensParams,
    ) -> Result<Option<SemanticTokensResult>> {
        let uri = &params.text_document.uri;
        let Some(snapshot) = self.about(uri, Feature::SemanticTokens) else {
            return Ok(None);
        };
        let tokens = heat::tokens(&self.session, &snapshot, None).await?;
        Ok(tokens.map(SemanticTokensResult::Tokens))
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        let uri = &params.text_document.uri;
        let Some(snapshot) = self.about(uri, Feature::SemanticTokens) else {
            return Ok(None);
        };
        let tokens = heat::tokens(&self.session, &snapshot, Some(params.range)).await?;
        Ok(tokens.map(SemanticTokensRangeResult::Tokens))
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let TextDocumentPositionParams {
            text_document,
            position,
        } = params.text_document_position_params;
        let Some(snapshot) = self.about(&text_document.uri, Feature::Hover) else {
            return Ok(None);
        };
        Ok(explain::hover(&self.session, &snapshot, position).await)
    }

    async fn document_highlight(
        &self,
        params: DocumentHighlightParams,
    ) -> Result<Option<Vec<DocumentHighlight>>> {
        let TextDocumentPositionParams {
            text_document,
            position,
        } = params.text_document_position_params;
        let snapshot = self.about(&text_document.uri, Feature::DocumentHighlight);
        let Some(snapshot) = snapshot else {
            return Ok(None);
        };
        Ok(explain::highlight(&self.session, &snapshot, position).await)
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let uri = &params.text_document.uri;
        let Some(snapshot) = self.about(uri, Feature::CodeLens) else {
            return Ok(None);
        };
        symbols::lenses(&self.session, &snapshot).await
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let uri = &params.text_document.uri;
        let Some(snapshot) = self.about(uri, Feature::InlayHints) else {
            return Ok(None);
        };
        symbols::hints(&self.session, &snapshot, params.range).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let uri = &params.text_document.uri;
        let Some(snapshot) = self.about(uri, Feature::CodeActions) else {
            return Ok(None);
        };
        actions::actions(&self.session, &snapshot, &params).await
    }

    async fn document_color(&self, params: DocumentColorParams) -> Result<Vec<ColorInformation>> {
        let uri = &params.text_document.uri;
        let Some(snapshot) = self.about(uri, Feature::DocumentColor) else {
            return Ok(Vec::new());
        };
        heat::colors(&self.session, &snapshot).await
    }

    /// The color of a swatch shows the level of a lexeme, so there is no other way to write it.
    async fn color_presentation(
        &self,
        _: ColorPresentationParams,
    ) -> Result<Vec<ColorPresentation>> {
        Ok(Vec::new())
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<Value>> {
        let command = Command::read(&self.session, params)?;
        command.run(&self.session).await
    }
}
