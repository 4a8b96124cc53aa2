//! How messages come and go: frames on blocking threads, handlers in wire order, an end that always comes.
//!
//! The library's own loop ends for good at the first malformed message, holds cancellations back behind four running requests,
//! stops reading when nobody reads what it writes, and goes on without its client. So its service is driven from here:
//!
//! | module | holds |
//! | --- | --- |
//! | `frame` | bytes ⇄ messages; what is no message is answered or skipped |
//! | `uris` | URIs that the library's parser refuses, there and back |
//! | `dispatch` | one message to its handler, in order, behind a panic fence |
//! | `outbox` | what waits to be written, bounded where something newer says the same |
//! | `parent` | whether the process that started us still lives |
//!
//! Every message is polled once as soon as it is read, in the order of the wire: a handler's part before its first await sees
//! the documents as they were then, and a cancellation takes effect at once. What is not done then goes on in a task of its own.

mod dispatch;
mod frame;
mod outbox;
mod parent;
mod uris;

use std::io::{BufReader, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tower_lsp::jsonrpc::{Request, Response};
use tower_lsp::{ClientSocket, LanguageServer, LspService};

use dispatch::{Dispatcher, Step};
use frame::{Incoming, read_frame};
use outbox::Outbox;

/// How long a message may be, and how long the end may take.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Longer messages are skipped, and answered with an error.
    pub max_body: usize,
    /// From the end of the input to ours, for handlers that are nearly done.
    pub grace: Duration,
    /// The process whose end is our end, besides the one that `initialize` names.
    pub client_process_id: Option<u32>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_body: 256 << 20,
            grace: Duration::from_secs(2),
            client_process_id: None,
        }
    }
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By `exit`.
    Exit { after_shutdown: bool },
    /// The input ended.
    Eof { after_shutdown: bool },
    /// Nobody takes our output any more.
    OutputClosed,
    /// The client's process is gone.
    Orphaned,
}

impl Ended {
    /// 0 only after `shutdown`, as the protocol has it.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        let (Self::Exit { after_shutdown } | Self::Eof { after_shutdown }) = self else {
            return 1;
        };
        u8::from(!after_shutdown)
    }
}

/// Serves one client until one of the two ends. Reads and writes on threads of its own: neither a slow handler nor a client
/// that does not read keeps messages from being read.
pub async fn serve<S: LanguageServer>(
    service: LspService<S>,
    socket: ClientSocket,
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    options: Options,
) -> Ended {
    let outbox = Arc::new(Outbox::default());
    let closed = outbox.write_to(output);
    let mut messages = read(input, options.max_body);
    let (ours, responses) = socket.split();
    let (answers, answered) = mpsc::unbounded_channel();
    let mut dispatcher = Dispatcher::new(service, responses, Arc::clone(&outbox), answers);
    let forwarded = tokio::spawn(forward(
        ours,
        answered,
        Arc::clone(&outbox),
        dispatcher.responses(),
    ));
    let (orphan, mut orphaned) = mpsc::channel(1);
    let mut watched = Vec::new();
    let mut watch = |pid: u32| {
        if !watched.contains(&pid) {
            watched.push(pid);
            tokio::spawn(parent::watch(pid, orphan.clone()));
        }
    };
    options.client_process_id.map(&mut watch);
    tokio::pin!(closed);
    let mut running = JoinSet::new();
    let ended = loop {
        let message = tokio::select! {
            biased;
            message = messages.recv() => message,
            _ = &mut closed => break Ended::OutputClosed,
            Some(()) = orphaned.recv() => break Ended::Orphaned,
        };
        let Some(message) = message else {
            break Ended::Eof {
                after_shutdown: dispatcher.is_shut_down(),
            };
        };
        if let Some(pid) = message.client_process_id() {
            watch(pid);
        }
        match dispatcher.take(message).await {
            Step::Done => {}
            Step::Running(task) => {
                running.spawn(task);
                // Tasks that are over need not be kept.
                while running.try_join_next().is_some() {}
            }
            Step::Exit => {
                break Ended::Exit {
                    after_shutdown: dispatcher.is_shut_down(),
                };
            }
        }
    };
    if let Ended::Eof { .. } = ended {
        let done = async { while running.join_next().await.is_some() {} };
        // A handler may wait for an answer that cannot come.
        drop(tokio::time::timeout(options.grace, done).await);
    }
    // Not awaited: a handler that blocks shall not hold up the end.
    running.abort_all();
    drop(running);
    drop(dispatcher);
    // Every answer that was given is in the outbox then.
    drop(tokio::time::timeout(options.grace / 2, forwarded).await);
    outbox.close(options.grace / 2).await;
    ended
}

/// Reads on a thread: nothing waits for what is in the channel, so that reading never stops.
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

/// Passes on what the server says: what it said of its own accord before it answered comes before the answer.
async fn forward(
    mut ours: impl Stream<Item = Request> + Unpin,
    mut answers: mpsc::UnboundedReceiver<Response>,
    outbox: Arc<Outbox>,
    unasked: mpsc::UnboundedSender<Response>,
) {
    let say = |request: &Request| {
        if let Some(id) = outbox.say(request) {
            // Nobody will answer what was never sent.
            drop(unasked.send(Response::from_ok(id, serde_json::Value::Null)));
        }
    };
    let mut is_open = true;
    loop {
        tokio::select! {
            biased;
            request = ours.next(), if is_open => match request {
                Some(request) => say(&request),
                None => is_open = false,
            },
            answer = answers.recv() => match answer {
                Some(answer) => outbox.answer(answer),
                None => return,
            },
        }
    }
}
