//! Messages that wait to be written. A client that does not read cannot make the queue grow without end: a message that says
//! the newest about a topic replaces an older one that is not written yet. Responses are never replaced.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tower_lsp::jsonrpc::{Id, Request, Response};

use super::frame::frame;
use super::uris::Uris;
use crate::panics::{lock, wait};

/// Shared by all that send and by the thread that writes. The order of the calls is the order on the wire.
#[derive(Default)]
pub(super) struct Outbox {
    queue: Mutex<Queue>,
    changed: Condvar,
    output_closed: Notify,
    pub uris: Mutex<Uris>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Option<Topic>, Vec<u8>)>,
    is_writing: bool,
    is_closed: bool,
}

/// What a message is about, where only the newest message about it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Topic {
    method: &'static str,
    /// The document or the token.
    subject: String,
}

impl Topic {
    fn of(method: &'static str, params: &Value) -> Option<Self> {
        let subject = match method {
            "codegaze/status" => String::new(),
            "codegaze/heatmapChanged" => params.get("uri")?.to_string(),
            // Begin and end have to arrive.
            "$/progress" if params.get("value")?.get("kind")? == "report" => {
                params.get("token")?.to_string()
            }
            refresh if refresh.starts_with("workspace/") && refresh.ends_with("/refresh") => {
                String::new()
            }
            _ => return None,
        };
        Some(Self { method, subject })
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }

    pub fn uris(&self) -> MutexGuard<'_, Uris> {
        lock(&self.uris)
    }

    /// Writes on a thread of its own.
    pub fn write_to(self: &Arc<Self>, mut output: impl Write + Send + 'static) {
        let outbox = Arc::clone(self);
        std::thread::Builder::new()
            .name("codegaze-output".to_owned())
            .spawn(move || {
                while let Some(bytes) = outbox.next() {
                    let written = output.write_all(&bytes).and_then(|()| output.flush());
                    if let Err(error) = written {
                        tracing::warn!(%error, "the client's end of the output is closed");
                        outbox.lock().is_closed = true;
                        outbox.output_closed.notify_one();
                        return;
                    }
                }
            })
            .expect("the operating system gives a thread to a program that starts");
    }

    /// Resolves when the client has closed its end of the output.
    pub async fn output_closed(&self) {
        self.output_closed.notified().await;
    }

    /// Waits for something to write. `None` once the outbox is closed and empty.
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
            queue = wait(&self.changed, queue);
        }
    }

    /// `as_written`: URIs that the request has in the form that codegaze gives to other spellings of them.
    pub fn respond(&self, response: Response, as_written: &[String]) {
        let (id, body) = response.into_parts();
        let body = body.map(|mut result| {
            self.uris().restore(&mut result, as_written);
            result
        });
        let bytes = frame(&Response::from_parts(id, body));
        self.push(self.lock(), None, bytes);
    }

    /// Replaces an older notification about the same topic that is still to be written.
    pub fn notify(&self, method: &'static str, params: Value) {
        let topic = Topic::of(method, &params);
        let bytes = self.frame(method, None, params);
        let mut queue = self.lock();
        match queue.find(topic.as_ref()) {
            Some(older) => *older = bytes,
            None => self.push(queue, topic, bytes),
        }
    }

    /// `false`: the request is not sent, since an older one about the same topic is still to be written.
    pub fn request(&self, id: Id, method: &'static str, params: Value) -> bool {
        let topic = Topic::of(method, &params);
        let bytes = self.frame(method, Some(id), params);
        let mut queue = self.lock();
        let is_new = queue.find(topic.as_ref()).is_none();
        if is_new {
            self.push(queue, topic, bytes);
        }
        is_new
    }

    fn frame(&self, method: &'static str, id: Option<Id>, mut params: Value) -> Vec<u8> {
        let mut message = Request::build(method);
        if let Some(id) = id {
            message = message.id(id);
        }
        // Some clients refuse `null` where a message has no parameters.
        if !params.is_null() {
            self.uris().restore(&mut params, &[]);
            message = message.params(params);
        }
        frame(&message.finish())
    }

    fn push(&self, mut queue: MutexGuard<'_, Queue>, topic: Option<Topic>, bytes: Vec<u8>) {
        if !queue.is_closed {
            queue.waiting.push_back((topic, bytes));
            self.changed.notify_all();
        }
    }

    /// Takes no more messages, and waits until all are written, at most for `timeout`.
    pub async fn close(self: &Arc<Self>, timeout: Duration) {
        let outbox = Arc::clone(self);
        let drained = tokio::task::spawn_blocking(move || {
            let mut queue = outbox.lock();
            queue.is_closed = true;
            outbox.changed.notify_all();
            let is_busy = |queue: &mut Queue| !queue.waiting.is_empty() || queue.is_writing;
            // After the timeout the client does not get the rest.
            let _ = outbox.changed.wait_timeout_while(queue, timeout, is_busy);
        });
        // It cannot fail but by a panic, and the session ends either way.
        let _ = drained.await;
    }
}

impl Queue {
    fn find(&mut self, topic: Option<&Topic>) -> Option<&mut Vec<u8>> {
        let topic = topic?;
        let mut waiting = self.waiting.iter_mut();
        let same = waiting.find(|(other, _)| other.as_ref() == Some(topic));
        same.map(|(_, bytes)| bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(outbox: &Outbox) -> Vec<String> {
        let queue = outbox.lock();
        let bodies = queue.waiting.iter().map(|(_, bytes)| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            text.split_once("\r\n\r\n").unwrap().1.to_owned()
        });
        bodies.collect()
    }

    #[test]
    fn the_newest_of_a_topic_replaces_the_older_one() {
        let outbox = Outbox::default();
        for n in 0..3 {
            for uri in ["file:///a", "file:///b"] {
                let params = json!({ "uri": uri, "version": n });
                outbox.notify("codegaze/heatmapChanged", params);
            }
            let params = json!({ "token": 1, "value": { "kind": "report", "percentage": n } });
            outbox.notify("$/progress", params);
            let params = json!({ "type": 1, "message": n });
            outbox.notify("window/showMessage", params);
        }
        let end = json!({ "token": 1, "value": { "kind": "end" } });
        outbox.notify("$/progress", end);
        let written = written(&outbox);
        assert_eq!(written.len(), 2 + 1 + 3 + 1, "{written:#?}");
        assert!(written[0].contains("file:///a") && written[0].contains("\"version\":2"));
        assert!(written.last().unwrap().contains("end"));
    }

    #[test]
    fn a_refresh_is_not_sent_again_while_an_older_one_waits() {
        let outbox = Outbox::default();
        let refresh = |id| {
            outbox.request(
                Id::Number(id),
                "workspace/semanticTokens/refresh",
                Value::Null,
            )
        };
        assert!(refresh(1));
        assert!(!refresh(2));
        assert_eq!(written(&outbox).len(), 1);
    }

    #[test]
    fn responses_are_never_dropped() {
        let outbox = Outbox::default();
        for n in 0..1000 {
            outbox.respond(Response::from_ok(Id::Number(n), json!(null)), &[]);
        }
        assert_eq!(written(&outbox).len(), 1000);
    }
}
