//! Passes each message to its handler, in the order of the wire. A panic in a handler becomes an error, and every request gets
//! exactly one response.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ExitedError, LanguageServer, LspService};
use tower_service::Service;

use super::client::Client;
use super::frame::Incoming;
use super::lost::ChangeLost;
use super::outbox::Outbox;
use crate::panics;

/// What remains to be done for a message.
pub(super) enum Step {
    Done,
    /// The handler goes on in a task.
    Running(BoxFuture<'static, ()>),
    /// The message was `exit`.
    Exit,
}

pub(super) struct Dispatcher<S> {
    service: LspService<S>,
    client: Client,
    outbox: Arc<Outbox>,
    is_shut_down: Arc<AtomicBool>,
}

/// The outer error is a panic.
type Handled = Result<Result<Option<Response>, ExitedError>, Box<dyn Any + Send>>;

impl<S: LanguageServer> Dispatcher<S> {
    pub fn new(service: LspService<S>, client: Client, outbox: Arc<Outbox>) -> Self {
        Self {
            service,
            client,
            outbox,
            is_shut_down: Arc::default(),
        }
    }

    pub fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Relaxed)
    }

    pub async fn dispatch(&mut self, incoming: Incoming) -> Step {
        match incoming {
            Incoming::Request(request) => return self.call(request).await,
            Incoming::Response(response) => self.client.resolve(response),
            Incoming::Invalid(response, lost) => {
                self.outbox.respond(response, &[]);
                self.pass_lost(lost).await;
            }
            Incoming::Skipped => {}
        }
        Step::Done
    }

    /// The handler of the notice is ready at its first poll, so the next message waits for nothing else.
    async fn pass_lost(&mut self, lost: Option<ChangeLost>) {
        let Some(lost) = lost else {
            return;
        };
        tracing::warn!(uri = lost.uri, "a change of a document is lost");
        if let Err(error) = self.service.call(lost.request()).await {
            tracing::error!(%error, "the notice of a lost change is lost");
        }
    }

    async fn call(&mut self, request: Request) -> Step {
        let (method, id, params) = request.into_parts();
        if let Some(id) = id.as_ref().filter(|_| method.starts_with("$/")) {
            // The protocol lets a server ignore such notifications, but not such requests.
            let refused = Response::from_error(id.clone(), Error::method_not_found());
            self.outbox.respond(refused, &[]);
            return Step::Done;
        }
        let is_exit = method == "exit" && id.is_none();
        let is_initialize = method == "initialize";
        let mut if_panicked = None;
        let mut as_written = Vec::new();
        let mut request = Request::build(method.clone());
        // `shutdown` has no parameters, but some clients send an empty object.
        if let Some(mut params) = params.filter(|_| method != "shutdown") {
            as_written = self.outbox.uris().normalize(&mut params);
            let invalid = ChangeLost::of_invalid(&method, &params);
            if invalid.is_some() {
                self.pass_lost(invalid).await;
            }
            if_panicked = ChangeLost::of_panicked(&method, &params);
            request = request.params(params);
        }
        if let Some(id) = id.clone() {
            request = request.id(id);
        }
        let responder = Responder {
            outbox: Arc::clone(&self.outbox),
            is_shut_down: Arc::clone(&self.is_shut_down),
            method: method.into_owned(),
            id,
            as_written,
        };
        // The service is ready for every message: none is read while it initializes, and none after `exit`.
        let called = self.service.call(request.finish());
        let mut handler = AssertUnwindSafe(called).catch_unwind().boxed();
        if is_initialize {
            responder.respond(handler.await);
            return Step::Done;
        }
        let first = handler
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        match first {
            Poll::Ready(handled) => {
                let is_panic = handled.is_err();
                responder.respond(handled);
                if is_panic {
                    self.pass_lost(if_panicked).await;
                }
                if is_exit { Step::Exit } else { Step::Done }
            }
            Poll::Pending => {
                Step::Running(handler.map(|handled| responder.respond(handled)).boxed())
            }
        }
    }
}

/// Sends a request's one response.
struct Responder {
    outbox: Arc<Outbox>,
    is_shut_down: Arc<AtomicBool>,
    method: String,
    /// `None` for a notification.
    id: Option<Id>,
    /// URIs of the request that the response repeats as they are.
    as_written: Vec<String>,
}

impl Responder {
    fn respond(self, handled: Handled) {
        let response = match handled {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => self
                .id
                .map(|id| Response::from_error(id, Error::invalid_request())),
            Err(panic) => {
                let message = panics::message(&*panic);
                tracing::error!(method = self.method, message, "a handler panicked");
                let mut error = Error::internal_error();
                error.message = format!(
                    "{} failed inside ({message}); this is a defect, please report it",
                    self.method
                )
                .into();
                self.id.map(|id| Response::from_error(id, error))
            }
        };
        let Some(response) = response else {
            return; // a notification
        };
        if self.method == "shutdown" && response.is_ok() {
            self.is_shut_down.store(true, Ordering::Relaxed);
        }
        self.outbox.respond(response, &self.as_written);
    }
}
