//! One message to its handler: in wire order, behind a panic fence, with exactly one answer a request.

use std::any::Any;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, Sink, SinkExt};
use tokio::sync::mpsc;
use tower_lsp::jsonrpc::{Error, Id, Request, Response};
use tower_lsp::{ExitedError, LanguageServer, LspService};
use tower_service::Service;

use super::frame::Incoming;
use super::outbox::Outbox;

/// What became of a message.
pub(super) enum Step {
    Done,
    /// Goes on in a task.
    Running(BoxFuture<'static, ()>),
    /// It was `exit`.
    Exit,
}

pub(super) struct Dispatcher<S> {
    service: LspService<S>,
    /// The client's, to the server's own requests.
    responses: mpsc::UnboundedSender<Response>,
    /// Ours, to the client's.
    answers: mpsc::UnboundedSender<Response>,
    outbox: Arc<Outbox>,
    is_shut_down: Arc<AtomicBool>,
}

type Handled = Result<Result<Option<Response>, ExitedError>, Box<dyn Any + Send>>;

impl<S: LanguageServer> Dispatcher<S> {
    pub fn new(
        service: LspService<S>,
        responses: impl Sink<Response, Error = ExitedError> + Send + 'static,
        outbox: Arc<Outbox>,
        answers: mpsc::UnboundedSender<Response>,
    ) -> Self {
        let (sender, mut given) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut responses = Box::pin(responses);
            while let Some(response) = given.recv().await {
                if responses.send(response).await.is_err() {
                    return; // after `exit`
                }
            }
        });
        Self {
            service,
            responses: sender,
            answers,
            outbox,
            is_shut_down: Arc::default(),
        }
    }

    /// Where answers to the server's own requests go.
    pub fn responses(&self) -> mpsc::UnboundedSender<Response> {
        self.responses.clone()
    }

    /// Fails only at the end, when nobody reads answers any more.
    fn answer(&self, response: Response) {
        drop(self.answers.send(response));
    }

    pub fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Relaxed)
    }

    pub async fn take(&mut self, incoming: Incoming) -> Step {
        let request = match incoming {
            Incoming::Request(request) => request,
            Incoming::Response(response) => {
                // Fails only after `exit`.
                drop(self.responses.send(response));
                return Step::Done;
            }
            Incoming::Nothing => return Step::Done,
            Incoming::Bad(response) => {
                self.answer(response);
                return Step::Done;
            }
        };
        let (method, id, params) = request.into_parts();
        if let Some(id) = id.as_ref().filter(|_| method.starts_with("$/")) {
            // The protocol lets notifications of this kind be ignored, requests not.
            let refused = Response::from_error(id.clone(), Error::method_not_found());
            self.answer(refused);
            return Step::Done;
        }
        let is_exit = method == "exit" && id.is_none();
        let mut request = Request::build(method.clone());
        // It has no parameters, and some clients send an empty object.
        let params = params.filter(|_| method != "shutdown");
        if let Some(mut params) = params {
            let mut uris = self
                .outbox
                .uris
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            uris.take_in(&mut params);
            request = request.params(params);
        }
        if let Some(id) = id.clone() {
            request = request.id(id);
        }
        if !self.is_ready().await {
            return Step::Exit;
        }
        let mut answer = Answer {
            answers: self.answers.clone(),
            is_shut_down: Arc::clone(&self.is_shut_down),
            method: method.into_owned(),
            id,
        };
        let called = self.service.call(request.finish());
        let mut handler = AssertUnwindSafe(called).catch_unwind().boxed();
        let first = handler
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        match first {
            Poll::Ready(handled) => {
                answer.give(handled);
                if is_exit { Step::Exit } else { Step::Done }
            }
            Poll::Pending => Step::Running(
                async move {
                    let handled = handler.await;
                    answer.give(handled);
                }
                .boxed(),
            ),
        }
    }

    /// Waits while `initialize` is being answered; `false` after `exit`.
    async fn is_ready(&mut self) -> bool {
        loop {
            let ready = poll_fn(|context| Poll::Ready(self.service.poll_ready(context))).await;
            match ready {
                Poll::Ready(ready) => return ready.is_ok(),
                // Nobody is told when this changes.
                Poll::Pending => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    }
}

/// A request's one answer.
struct Answer {
    answers: mpsc::UnboundedSender<Response>,
    is_shut_down: Arc<AtomicBool>,
    method: String,
    id: Option<Id>,
}

impl Answer {
    fn give(&mut self, handled: Handled) {
        let id = self.id.take();
        let response = match handled {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => id.map(|id| Response::from_error(id, Error::invalid_request())),
            Err(panic) => {
                let reason = reason(&*panic);
                tracing::error!(method = self.method, reason, "a handler panicked");
                let mut error = Error::internal_error();
                error.message = format!(
                    "{} failed inside ({reason}); this is a defect, please report it",
                    self.method
                )
                .into();
                id.map(|id| Response::from_error(id, error))
            }
        };
        let Some(response) = response else {
            return; // of a notification
        };
        if self.method == "shutdown" && response.is_ok() {
            self.is_shut_down.store(true, Ordering::Relaxed);
        }
        // Fails only at the end, when nobody reads answers any more.
        drop(self.answers.send(response));
    }
}

fn reason(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic")
}
