//! Carries messages between the client and the handlers. The main loop of `tower-lsp-server` ends at the first malformed message,
//! runs four requests at a time and delays cancellations behind them, stops reading when the client does not read, and does not
//! notice that its client has ended. So this module drives the library's service itself:
//!
//! | module | holds |
//! | --- | --- |
//! | `frame` | reads and writes frames; malformed ones are answered or skipped |
//! | `lost` | changes of documents that cannot be read |
//! | `uris` | URIs that the library's parser refuses |
//! | `dispatch` | passes a message to its handler, in order, and catches panics |
//! | `client` | sends the server's own notifications and requests |
//! | `outbox` | the one queue of messages that wait to be written |
//! | `parent` | watches the client's process |
//!
//! Every handler is polled once as soon as its message is read, in the order of the wire. So a handler's part before its first
//! await sees the documents as they were when the client sent the message, and a cancellation takes effect at once. A handler
//! that is not done then continues in a task of its own.

mod client;
mod dispatch;
mod frame;
mod lost;
mod outbox;
mod parent;
mod uris;

use std::collections::HashSet;
use std::io::{BufReader, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tower_lsp::{LanguageServer, LspService};

pub use client::{Client, RequestError};
use dispatch::{Dispatcher, Step};
use frame::{Incoming, read_frame};
pub(crate) use lost::{CHANGE_LOST, ChangeLost};
use outbox::Outbox;

/// Limits of one connection.
#[derive(Clone, Copy, Debug)]
pub struct TransportOptions {
    /// Longer messages are skipped; the response to them is an error.
    pub max_body: usize,
    /// After the end of the input, handlers have this long to respond.
    pub grace: Duration,
    /// The server ends with this process, and with the one that `initialize` names.
    pub client_process_id: Option<u32>,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            max_body: 256 << 20,
            grace: Duration::from_secs(2),
            client_process_id: None,
        }
    }
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The client sent `exit`.
    Exit { after_shutdown: bool },
    /// The input ended.
    Eof { after_shutdown: bool },
    /// The client closed its end of the output.
    OutputClosed,
    /// The client's process has ended.
    Orphaned,
}

impl Ended {
    /// 0 after `shutdown`, otherwise 1, as the protocol demands.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        let (Self::Exit { after_shutdown } | Self::Eof { after_shutdown }) = self else {
            return 1;
        };
        u8::from(!after_shutdown)
    }
}

/// Serves one client until one of the two ends. `build` receives the handle with which handlers reach the client. Threads of
/// their own read and write, so that neither a slow handler nor a client that does not read delays the next message.
pub async fn serve<S: LanguageServer>(
    build: impl FnOnce(Client) -> LspService<S>,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    options: TransportOptions,
) -> Ended {
    let outbox = Arc::new(Outbox::default());
    outbox.write_to(output);
    let client = Client::new(Arc::clone(&outbox));
    let mut messages = read(input, options.max_body);
    let service = build(client.clone());
    let mut dispatcher = Dispatcher::new(service, client.clone(), Arc::clone(&outbox));
    let mut parents = Parents::default();
    parents.watch(options.client_process_id);
    let mut running = JoinSet::new();
    let ended = loop {
        let message = tokio::select! {
            biased;
            message = messages.recv() => message,
            () = outbox.output_closed() => break Ended::OutputClosed,
            () = parents.ended.notified() => break Ended::Orphaned,
        };
        let Some(message) = message else {
            break Ended::Eof {
                after_shutdown: dispatcher.is_shut_down(),
            };
        };
        parents.watch(message.client_process_id());
        match dispatcher.dispatch(message).await {
            Step::Done => {}
            Step::Running(task) => {
                running.spawn(task);
                // Drops the tasks that have ended.
                while running.try_join_next().is_some() {}
            }
            Step::Exit => {
                break Ended::Exit {
                    after_shutdown: dispatcher.is_shut_down(),
                };
            }
        }
    };
    // No more responses can arrive.
    client.disconnect();
    if let Ended::Eof { .. } = ended {
        let done = async { while running.join_next().await.is_some() {} };
        // Handlers that are not done by then do not respond.
        let _ = tokio::time::timeout(options.grace, done).await;
    }
    // Not awaited, since a handler that blocks its thread would delay the end.
    running.abort_all();
    outbox.close(options.grace / 2).await;
    ended
}

/// Reads on a thread of its own. The channel has no limit, so that reading never stops.
fn read(input: impl Read + Send + 'static, max_body: usize) -> mpsc::UnboundedReceiver<Incoming> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::Builder::new()
        .name("codegaze-input".to_owned())
        .spawn(move || {
            let mut input = BufReader::with_capacity(1 << 16, input);
            while let Some(incoming) = read_frame(&mut input, max_body) {
                if sender.send(incoming).is_err() {
                    return;
                }
            }
        })
        .expect("the operating system gives a thread to a program that starts");
    receiver
}

/// The processes with which the server ends.
#[derive(Default)]
struct Parents {
    watched: HashSet<u32>,
    ended: Arc<Notify>,
}

impl Parents {
    fn watch(&mut self, pid: Option<u32>) {
        let Some(pid) = pid.filter(|&pid| self.watched.insert(pid)) else {
            return;
        };
        let ended = Arc::clone(&self.ended);
        tokio::spawn(async move {
            parent::ended(pid).await;
            ended.notify_one();
        });
    }
}
