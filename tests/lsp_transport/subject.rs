//! A language server whose handlers are slow, panic, or never respond.

#![allow(clippy::unused_async, reason = "handlers")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codegaze::lsp::Ended;
use codegaze::lsp::transport::{self, Client as ToClient, TransportOptions};
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::notification::{LogMessage, Notification};
use tower_lsp::ls_types::request::{SemanticTokensRefresh, WorkspaceConfiguration};
use tower_lsp::ls_types::{
    ConfigurationItem, ConfigurationParams, DidChangeTextDocumentParams, DidOpenTextDocumentParams,
    InitializeParams, InitializeResult, LogMessageParams, MessageType,
};
use tower_lsp::{LanguageServer, LspService};

use crate::lsp_client::Client;

/// What the handlers did.
#[derive(Default)]
pub struct Inside {
    /// The requests and notifications whose handlers began.
    pub begun: AtomicUsize,
    /// Handlers of `test/never` that were dropped.
    pub dropped: AtomicUsize,
    /// Handlers of `test/talk` that have sent all.
    pub talked: AtomicUsize,
    /// Tokens of `window/workDoneProgress/cancel`.
    pub cancelled: Mutex<Vec<Value>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The versions in the order in which handlers read them.
    versions: Vec<i32>,
    uris: Vec<String>,
}

struct Subject {
    client: ToClient,
    inside: Arc<Inside>,
}

struct CountDrop(Arc<Inside>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

enum Status {}

impl Notification for Status {
    type Params = Value;
    const METHOD: &'static str = "codegaze/status";
}

impl Subject {
    fn begin(&self) {
        self.inside.begun.fetch_add(1, Ordering::SeqCst);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        let state = self.inside.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }

    async fn echo(&self, params: Value) -> Result<Value> {
        self.begin();
        Ok(params)
    }

    async fn sleep(&self, params: Value) -> Result<Value> {
        self.begin();
        let ms = params["ms"].as_u64().ok_or_else(Error::internal_error)?;
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Ok(params)
    }

    async fn never(&self, _: Value) -> Result<()> {
        self.begin();
        let _guard = CountDrop(Arc::clone(&self.inside));
        std::future::pending().await
    }

    /// Panics before or after its first await.
    async fn panic(&self, params: Value) -> Result<()> {
        self.begin();
        if params["late"] == true {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the test requested this panic");
    }

    /// Waits for the client.
    async fn consult(&self, _: Value) -> Result<Value> {
        self.begin();
        let items = vec![ConfigurationItem {
            scope_uri: None,
            section: None,
        }];
        let params = ConfigurationParams { items };
        let result = self.client.request::<WorkspaceConfiguration>(params).await;
        result
            .map(Value::Array)
            .map_err(|_| Error::internal_error())
    }

    /// Keeps a thread busy, after its first await.
    async fn block(&self, params: Value) -> Result<()> {
        self.begin();
        tokio::task::yield_now().await;
        let ms = params["ms"].as_u64().ok_or_else(Error::internal_error)?;
        std::thread::sleep(Duration::from_millis(ms));
        Ok(())
    }

    /// The versions before this request.
    async fn versions(&self, _: Value) -> Result<Value> {
        self.begin();
        let versions = self.state().versions.clone();
        tokio::task::yield_now().await;
        Ok(json!(versions))
    }

    async fn uris(&self, _: Value) -> Result<Value> {
        self.begin();
        let uris: Vec<Value> = self
            .state()
            .uris
            .iter()
            .map(|uri| json!({ "uri": uri }))
            .collect();
        Ok(json!(uris))
    }

    /// Sends the same messages many times.
    async fn talk(&self, params: Value) -> Result<()> {
        self.begin();
        for n in 0..params["times"].as_u64().unwrap_or_default() {
            self.client.notify::<Status>(json!({ "n": n }));
            tokio::spawn(self.client.request::<SemanticTokensRefresh>(()));
        }
        self.inside.talked.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn work_done_progress_cancel(&self, params: Value) {
        self.inside.cancelled.lock().unwrap().push(params);
    }
}

impl LanguageServer for Subject {
    async fn initialize(&self, _: InitializeParams) -> Result<InitializeResult> {
        Ok(InitializeResult::default())
    }

    async fn shutdown(&self) -> Result<()> {
        Ok(())
    }

    async fn did_open(&self, params: DidOpenTextDocumentParams) {
        self.begin();
        let uri = params.text_document.uri.as_str().to_owned();
        self.state().uris.push(uri);
    }

    /// Changes state before its first await.
    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.begin();
        self.state().versions.push(params.text_document.version);
        self.client.notify::<LogMessage>(LogMessageParams {
            typ: MessageType::LOG,
            message: format!("version {}", params.text_document.version),
        });
    }
}

fn service(client: ToClient, inside: Arc<Inside>) -> LspService<Subject> {
    let (service, _) = LspService::build(|_| Subject { client, inside })
        .custom_method("test/echo", Subject::echo)
        .custom_method("test/sleep", Subject::sleep)
        .custom_method("test/never", Subject::never)
        .custom_method("test/panic", Subject::panic)
        .custom_method("test/consult", Subject::consult)
        .custom_method("test/block", Subject::block)
        .custom_method("test/versions", Subject::versions)
        .custom_method("test/uris", Subject::uris)
        .custom_method("test/talk", Subject::talk)
        .custom_method(
            "window/workDoneProgress/cancel",
            Subject::work_done_progress_cancel,
        )
        .finish();
    service
}

/// How long handlers have at the end of a session.
const GRACE: Duration = Duration::from_millis(500);

/// An initialized client of the test's service.
pub fn start() -> (Client<Ended>, Arc<Inside>) {
    let options = TransportOptions {
        grace: GRACE,
        ..TransportOptions::default()
    };
    let inside = Arc::new(Inside::default());
    let shared = Arc::clone(&inside);
    let mut client = Client::of_async(move |input, output| {
        transport::serve(|client| service(client, shared), input, output, options)
    });
    client.call("initialize", &json!({ "capabilities": {} }));
    client.notify("initialized", &json!({}));
    (client, inside)
}
