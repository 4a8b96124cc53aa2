//! A language server whose handlers are slow, panic, or never answer.

#![allow(clippy::unused_async, reason = "handlers")]

use std::io::{PipeReader, PipeWriter, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use codegaze::lsp::Ended;
use codegaze::lsp::transport::{self, Options};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::runtime::Handle;
use tower_lsp::jsonrpc::{Error, Result};
use tower_lsp::ls_types::notification::Notification;
use tower_lsp::ls_types::{
    ConfigurationItem, DidChangeTextDocumentParams, DidOpenTextDocumentParams, InitializeParams,
    InitializeResult, MessageType,
};
use tower_lsp::{Client as ToClient, ClientSocket, LanguageServer, LspService, Server};

use crate::lsp_client::Client;

/// What happened inside, for the test to look at.
#[derive(Default)]
pub struct Inside {
    /// Requests and notifications whose handlers began.
    pub begun: AtomicUsize,
    /// Handlers of `test/never` that were dropped.
    pub dropped: AtomicUsize,
    /// Handlers of `test/talk` that have said all.
    pub talked: AtomicUsize,
    /// Tokens of `window/workDoneProgress/cancel`.
    pub cancelled: Mutex<Vec<Value>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Versions in the order in which they were taken.
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
        panic!("asked for");
    }

    /// Waits for the client.
    async fn consult(&self, _: Value) -> Result<Value> {
        self.begin();
        let item = ConfigurationItem {
            scope_uri: None,
            section: None,
        };
        let answer = self.client.configuration(vec![item]).await?;
        Ok(json!(answer))
    }

    /// Keeps a thread busy, after its first await.
    async fn block(&self, params: Value) -> Result<()> {
        self.begin();
        tokio::task::yield_now().await;
        let ms = params["ms"].as_u64().ok_or_else(Error::internal_error)?;
        std::thread::sleep(Duration::from_millis(ms));
        Ok(())
    }

    /// What edits did until this request was read.
    async fn versions(&self, _: Value) -> Result<Value> {
        self.begin();
        let versions = self.state().versions.clone();
        tokio::task::yield_now().await;
        Ok(json!(versions))
    }

    /// Awaits before it changes anything.
    async fn change_late(&self, params: DidChangeTextDocumentParams) {
        let message = format!("version {}", params.text_document.version);
        self.client.log_message(MessageType::LOG, message).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.state().versions.push(params.text_document.version);
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

    /// Says the same things many times over.
    async fn talk(&self, params: Value) -> Result<()> {
        self.begin();
        for n in 0..params["times"].as_u64().unwrap_or_default() {
            let status = json!({ "n": n });
            self.client.send_notification::<Status>(status).await;
            let client = self.client.clone();
            tokio::spawn(async move { client.semantic_tokens_refresh().await });
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

    /// Changes state before its first await, then talks.
    async fn did_change(&self, params: DidChangeTextDocumentParams) {
        self.begin();
        self.state().versions.push(params.text_document.version);
        let message = format!("version {}", params.text_document.version);
        self.client.log_message(MessageType::LOG, message).await;
    }
}

type Service = (LspService<Subject>, ClientSocket, Arc<Inside>);

fn service(with_progress: bool) -> Service {
    let inside = Arc::new(Inside::default());
    let shared = Arc::clone(&inside);
    let mut builder = LspService::build(|client| Subject {
        client,
        inside: shared,
    })
    .custom_method("test/echo", Subject::echo)
    .custom_method("test/sleep", Subject::sleep)
    .custom_method("test/never", Subject::never)
    .custom_method("test/panic", Subject::panic)
    .custom_method("test/consult", Subject::consult)
    .custom_method("test/block", Subject::block)
    .custom_method("test/versions", Subject::versions)
    .custom_method("test/changeLate", Subject::change_late)
    .custom_method("test/uris", Subject::uris)
    .custom_method("test/talk", Subject::talk);
    if with_progress {
        builder = builder.custom_method(
            "window/workDoneProgress/cancel",
            Subject::work_done_progress_cancel,
        );
    }
    let (service, socket) = builder.finish();
    (service, socket, inside)
}

/// Short enough to wait for, long enough for a handler that is nearly done.
const GRACE: Duration = Duration::from_millis(500);

/// Through our transport.
pub fn ours() -> (Client<Ended>, Arc<Inside>) {
    through_ours(true)
}

/// Through our transport, where nobody registered what cancels progress.
pub fn without_progress() -> (Client<Ended>, Arc<Inside>) {
    through_ours(false)
}

fn through_ours(with_progress: bool) -> (Client<Ended>, Arc<Inside>) {
    let options = Options {
        grace: GRACE,
        ..Options::default()
    };
    started(move |give| {
        Client::of_async(move |input, output| {
            let (service, socket, inside) = service(with_progress);
            give.send(inside).unwrap();
            transport::serve(service, socket, input, output, options)
        })
    })
}

/// Through the library's own loop, as its documentation starts it.
pub fn bare() -> (Client<()>, Arc<Inside>) {
    started(|give| {
        Client::of_async(|input, output| async move {
            let (service, socket, inside) = service(true);
            give.send(inside).unwrap();
            let (input, output) = bridge(input, output);
            Server::new(input, output, socket).serve(service).await;
        })
    })
}

fn started<E: Send + 'static>(
    start: impl FnOnce(mpsc::Sender<Arc<Inside>>) -> Client<E>,
) -> (Client<E>, Arc<Inside>) {
    let (give, inside) = mpsc::channel();
    let mut client = start(give);
    client.call("initialize", &json!({ "capabilities": {} }));
    client.notify("initialized", &json!({}));
    (client, inside.recv().unwrap())
}

/// Pipes as the library takes them: read and written on threads, as the runtime's own stdin and stdout are.
fn bridge(mut input: PipeReader, mut output: PipeWriter) -> (DuplexStream, DuplexStream) {
    const BUFFER: usize = 1 << 13;
    let runtime = Handle::current();
    let (mut to_server, server_in) = tokio::io::duplex(BUFFER);
    let (mut from_server, server_out) = tokio::io::duplex(BUFFER);
    let inwards = runtime.clone();
    thread::spawn(move || {
        let mut buffer = [0; BUFFER];
        while let Ok(n @ 1..) = input.read(&mut buffer) {
            if inwards.block_on(to_server.write_all(&buffer[..n])).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        let mut buffer = [0; BUFFER];
        while let Ok(n @ 1..) = runtime.block_on(from_server.read(&mut buffer)) {
            if output.write_all(&buffer[..n]).is_err() {
                return;
            }
        }
    });
    (server_in, server_out)
}
