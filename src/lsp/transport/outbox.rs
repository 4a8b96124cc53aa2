//! What waits to be written. A client that does not read cannot make it grow without end: where something newer says the same,
//! the older is dropped; answers never are.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tower_lsp::jsonrpc::{Id, Request, Response};

use super::frame::frame;
use super::uris::Uris;

/// Shared by whoever has something to say and the thread that writes.
#[derive(Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    changed: Condvar,
    pub uris: Mutex<Uris>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Option<Topic>, Vec<u8>)>,
    is_writing: bool,
    is_closed: bool,
}

/// What a message is about, where only the newest about it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Topic {
    method: String,
    /// The document or the piece of work.
    of: String,
}

impl Topic {
    fn of(request: &Request) -> Option<Self> {
        let method = request.method();
        let params = request.params();
        let member = |key: &str| params.and_then(|params| params.get(key));
        let of = match method {
            "codegaze/status" => String::new(),
            "codegaze/heatmapChanged" => member("uri")?.to_string(),
            // A beginning and an end are each said once.
            "$/progress" if member("value")?.get("kind")? == "report" => {
                member("token")?.to_string()
            }
            refresh if refresh.starts_with("workspace/") && refresh.ends_with("/refresh") => {
                String::new()
            }
            _ => return None,
        };
        Some(Self {
            method: method.to_owned(),
            of,
        })
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uris(&self) -> MutexGuard<'_, Uris> {
        self.uris.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes on a thread. Resolves when nobody takes the output any more.
    pub fn write_to(
        self: &Arc<Self>,
        mut output: impl Write + Send + 'static,
    ) -> oneshot::Receiver<()> {
        let (closed, is_closed) = oneshot::channel();
        let outbox = Arc::clone(self);
        std::thread::Builder::new()
            .name("codegaze-output".to_owned())
            .spawn(move || {
                while let Some(bytes) = outbox.next() {
                    let written = output.write_all(&bytes).and_then(|()| output.flush());
                    if let Err(error) = written {
                        tracing::warn!(%error, "the client takes no output");
                        outbox.lock().is_closed = true;
                        // The session may be over already.
                        let _ = closed.send(());
                        return;
                    }
                }
                // Without this the receiver would resolve: nobody has hung up.
                std::mem::forget(closed);
            })
            .expect("the operating system gives a thread to a program that starts");
        is_closed
    }

    /// Waits for something to write; `None` once the outbox is closed and empty.
    fn next(&self) -> Option<Vec<u8>> {
        let mut queue = self.lock();
        queue.is_writing = false;
        self.changed.notify_all();
        loop {
            if let Some((_, bytes)) = queue.waiting.pop_front() {
                queue.is_writing = true;
                return Some(bytes);
            }
            if queue.is_closed {
                return None;
            }
            queue = self
                .changed
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub fn answer(&self, response: Response) {
        let (id, body) = response.into_parts();
        let body = body.map(|mut result| {
            self.uris().give_out(&mut result);
            result
        });
        self.push(None, frame(&Response::from_parts(id, body)));
    }

    /// A request or notification of the server's own. A request that is not sent, since an older one like it still waits, gives
    /// its id back.
    pub fn say(&self, request: &Request) -> Option<Id> {
        let topic = Topic::of(request);
        let (method, id, params) = request.clone().into_parts();
        let mut builder = Request::build(method);
        if let Some(id) = id.clone() {
            builder = builder.id(id);
        }
        // Some clients refuse `null` where a message has no parameters.
        if let Some(mut params) = params.filter(|params| !params.is_null()) {
            self.uris().give_out(&mut params);
            builder = builder.params(params);
        }
        let bytes = frame(&builder.finish());
        let mut queue = self.lock();
        if let Some(topic) = &topic {
            let mut waiting = queue.waiting.iter_mut();
            let same = waiting.find(|(other, _)| other.as_ref() == Some(topic));
            if let Some((_, older)) = same {
                if id.is_none() {
                    *older = bytes;
                }
                return id;
            }
        }
        drop(queue);
        self.push(topic, bytes);
        None
    }

    fn push(&self, topic: Option<Topic>, bytes: Vec<u8>) {
        let mut queue = self.lock();
        if !queue.is_closed {
            queue.waiting.push_back((topic, bytes));
            self.changed.notify_all();
        }
    }

    /// Takes no more; waits until all is written, or for as long as `patience`.
    pub async fn close(self: &Arc<Self>, patience: Duration) {
        let outbox = Arc::clone(self);
        let drained = tokio::task::spawn_blocking(move || {
            let mut queue = outbox.lock();
            queue.is_closed = true;
            outbox.changed.notify_all();
            let is_busy = |queue: &mut Queue| !queue.waiting.is_empty() || queue.is_writing;
            let waited = outbox.changed.wait_timeout_while(queue, patience, is_busy);
            drop(waited);
        });
        drop(drained.await);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn notification(method: &'static str, params: Value) -> Request {
        Request::build(method).params(params).finish()
    }

    fn written(outbox: &Outbox) -> Vec<String> {
        let queue = outbox.lock();
        let bodies = queue.waiting.iter().map(|(_, bytes)| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            text.split_once("\r\n\r\n").unwrap().1.to_owned()
        });
        bodies.collect()
    }

    #[test]
    fn the_newest_of_a_topic_takes_the_older_ones_place() {
        let outbox = Outbox::default();
        for n in 0..3 {
            for uri in ["file:///a", "file:///b"] {
                let params = json!({ "uri": uri, "version": n });
                assert_eq!(
                    outbox.say(&notification("codegaze/heatmapChanged", params)),
                    None
                );
            }
            let params = json!({ "token": 1, "value": { "kind": "report", "percentage": n } });
            outbox.say(&notification("$/progress", params));
            let params = json!({ "type": 1, "message": n });
            outbox.say(&notification("window/showMessage", params));
        }
        let end = json!({ "token": 1, "value": { "kind": "end" } });
        outbox.say(&notification("$/progress", end));
        let written = written(&outbox);
        assert_eq!(written.len(), 2 + 1 + 3 + 1, "{written:#?}");
        assert!(written[0].contains("file:///a") && written[0].contains("\"version\":2"));
        assert!(written.last().unwrap().contains("end"));
    }

    #[test]
    fn a_refresh_that_nobody_read_is_not_said_again() {
        let outbox = Outbox::default();
        let refresh = |id: i64| {
            Request::build("workspace/semanticTokens/refresh")
                .id(id)
                .finish()
        };
        assert_eq!(outbox.say(&refresh(1)), None);
        assert_eq!(outbox.say(&refresh(2)), Some(Id::Number(2)));
        assert_eq!(written(&outbox).len(), 1);
    }

    #[test]
    fn answers_are_never_dropped() {
        let outbox = Outbox::default();
        for n in 0..1000 {
            outbox.answer(Response::from_ok(Id::Number(n), json!(null)));
        }
        assert_eq!(written(&outbox).len(), 1000);
    }
}
