//! A client of a language server, over pipes in this process or over a child's stdio. It records all messages and checks that the server
//! responds to every request exactly once, and to nothing else. Otherwise, `Drop` fails the test.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than any response takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An error response.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
}

pub type Answer = Result<Value, RpcError>;

/// How the client responds to a request of the server.
pub enum Reply {
    Result(Value),
    Error(i64, &'static str),
    /// Only when the test calls [`Client::reply`].
    Later,
}

type Handler = Box<dyn FnMut(&Value) -> Reply + Send>;

/// A request or a notification of the server.
#[derive(Clone, Debug)]
pub struct Said {
    /// The id, if it is a request.
    pub id: Option<Value>,
    pub method: String,
    pub params: Value,
}

#[derive(Default)]
struct Record {
    /// Id as JSON text → response; `None` before it arrives.
    requests: BTreeMap<String, Option<Answer>>,
    /// In the order of the wire.
    answered: Vec<String>,
    /// Requests and notifications of the server.
    messages: Vec<Said>,
    /// Responses with the id `null`, to invalid messages.
    error_responses: Vec<RpcError>,
    /// Violations of the protocol by the server.
    violations: Vec<String>,
    is_over: bool,
    is_paused: bool,
}

#[derive(Default)]
struct Shared {
    record: Mutex<Record>,
    changed: Condvar,
    handlers: Mutex<HashMap<String, Handler>>,
}

impl Shared {
    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something; `None` after `timeout`.
    fn wait<T>(
        &self,
        timeout: Duration,
        mut look: impl FnMut(&mut Record) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + timeout;
        let mut record = self.record();
        loop {
            if let Some(found) = look(&mut record) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            let waited = self.changed.wait_timeout(record, left);
            record = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

type Input = Arc<Mutex<Option<Box<dyn Write + Send>>>>;

/// The server.
enum Server<E> {
    Thread(Option<JoinHandle<E>>),
    Child(Child),
}

/// `E` is the result of a server in this process.
pub struct Client<E = ()> {
    input: Input,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    server: Server<E>,
    next_id: i64,
}

impl<E: Send + 'static> Client<E> {
    /// Runs `serve` on a separate thread.
    pub fn of(serve: impl FnOnce(PipeReader, PipeWriter) -> E + Send + 'static) -> Self {
        let (server_in, to_server) = io::pipe().unwrap();
        let (from_server, server_out) = io::pipe().unwrap();
        let thread = thread::spawn(move || serve(server_in, server_out));
        Self::new(to_server, from_server, Server::Thread(Some(thread)))
    }

    /// Like [`Self::of`], on a runtime on which handlers can spawn tasks.
    pub fn of_async<F: Future<Output = E>>(
        serve: impl FnOnce(PipeReader, PipeWriter) -> F + Send + 'static,
    ) -> Self {
        Self::of(move |input, output| {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            let ended = runtime.block_on(serve(input, output));
            runtime.shutdown_background();
            ended
        })
    }

    fn new(
        to_server: impl Write + Send + 'static,
        from_server: impl Read + Send + 'static,
        server: Server<E>,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let input: Input = Arc::new(Mutex::new(Some(Box::new(to_server))));
        let (for_reader, answers) = (Arc::clone(&shared), Arc::clone(&input));
        let reader = thread::spawn(move || read(from_server, &for_reader, &answers));
        Self {
            input,
            shared,
            reader: Some(reader),
            server,
            next_id: 0,
        }
    }

    /// Sets how the client responds to requests of `method`. The default is `null`.
    pub fn on(&self, method: &str, handler: impl FnMut(&Value) -> Reply + Send + 'static) {
        let mut handlers = self.shared.handlers.lock().unwrap();
        handlers.insert(method.to_owned(), Box::new(handler));
    }

    /// Responds to a request with [`Reply::Later`].
    pub fn reply(&self, id: &Value, result: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    }

    /// Sends bytes without a frame.
    pub fn raw(&self, bytes: &[u8]) {
        let mut input = self.input.lock().unwrap();
        let input = input.as_mut().expect("the input is open");
        // The server may have ended.
        drop(input.write_all(bytes).and_then(|()| input.flush()));
    }

    pub fn send(&self, message: &Value) {
        self.raw(&framed(message));
    }

    pub fn notify(&self, method: &str, params: &Value) {
        self.send(&message(None, method, params));
    }

    /// Sends a request, and returns its id without waiting.
    pub fn ask(&mut self, method: &str, params: &Value) -> i64 {
        self.next_id += 1;
        let id = self.next_id;
        self.ask_as(&json!(id), method, params);
        id
    }

    pub fn ask_as(&self, id: &Value, method: &str, params: &Value) {
        self.expect_answer(id);
        self.send(&message(Some(id), method, params));
    }

    /// Expects a response to a request that was sent with [`Self::raw`].
    pub fn expect_answer(&self, id: &Value) {
        let mut record = self.shared.record();
        let twice = record.requests.insert(id.to_string(), None);
        assert!(twice.is_none(), "the test uses the id {id} twice");
    }

    pub fn answer(&self, id: impl Into<Value>) -> Answer {
        let id = id.into();
        self.answer_within(id.clone(), PATIENCE)
            .unwrap_or_else(|| panic!("request {id} is not answered"))
    }

    pub fn answer_within(&self, id: impl Into<Value>, timeout: Duration) -> Option<Answer> {
        let id = id.into().to_string();
        self.shared
            .wait(timeout, |record| record.requests.get(&id)?.clone())
    }

    /// Sends a request, waits, and expects a result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        let answer = self.answer(id);
        answer.unwrap_or_else(|error| panic!("{method} {params}: {error:?}"))
    }

    /// Sends a request, waits, and expects an error.
    pub fn call_err(&mut self, method: &str, params: &Value) -> RpcError {
        let id = self.ask(method, params);
        match self.answer(id) {
            Err(error) => error,
            Ok(result) => panic!("{method} {params} should fail, but gives {result}"),
        }
    }

    pub fn cancel(&self, id: i64) {
        self.notify("$/cancelRequest", &json!({ "id": id }));
    }

    /// Expects no response to `id` any more.
    pub fn abandon(&self, id: i64) {
        self.shared.record().requests.remove(&id.to_string());
    }

    /// The ids in the order of their responses.
    pub fn answered(&self) -> Vec<i64> {
        let record = self.shared.record();
        let ids = record.answered.iter();
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// The next response with the id `null`.
    pub fn refusal(&self) -> RpcError {
        let next = |record: &mut Record| {
            (!record.error_responses.is_empty()).then(|| record.error_responses.remove(0))
        };
        self.shared
            .wait(PATIENCE, next)
            .expect("a response with the id null")
    }

    /// All requests and notifications of `method` so far.
    pub fn said(&self, method: &str) -> Vec<Said> {
        let record = self.shared.record();
        let messages = record.messages.iter();
        messages
            .filter(|message| message.method == method)
            .cloned()
            .collect()
    }

    /// All requests and notifications of the server so far.
    pub fn all_said(&self) -> Vec<Said> {
        self.shared.record().messages.clone()
    }

    /// Waits until the server has sent `method` with parameters that `suits` accepts.
    pub fn hear(&self, method: &str, suits: impl Fn(&Value) -> bool) -> Said {
        self.hear_within(method, suits, PATIENCE)
            .unwrap_or_else(|| {
                let messages = self.said(method);
                panic!("the server did not send the expected {method}, but: {messages:#?}")
            })
    }

    pub fn hear_within(
        &self,
        method: &str,
        suits: impl Fn(&Value) -> bool,
        timeout: Duration,
    ) -> Option<Said> {
        self.shared.wait(timeout, |record| {
            let mut messages = record.messages.iter();
            let found = messages.find(|message| message.method == method && suits(&message.params));
            found.cloned()
        })
    }

    /// Stops reading, except the message that is being read.
    pub fn stop_reading(&self) {
        self.shared.record().is_paused = true;
    }

    pub fn read_again(&self) {
        self.shared.record().is_paused = false;
        self.shared.changed.notify_all();
    }

    /// Ends the server's input.
    pub fn close(&self) {
        drop(self.input.lock().unwrap().take());
    }

    /// Whether the server's output has ended.
    pub fn is_over_within(&self, timeout: Duration) -> bool {
        self.shared
            .wait(timeout, |record| record.is_over.then_some(()))
            .is_some()
    }

    /// `shutdown` and `exit`.
    pub fn leave(&mut self) {
        assert_eq!(self.call("shutdown", &Value::Null), Value::Null);
        self.notify("exit", &Value::Null);
    }

    /// The result of a server in this process; an `Err` is its panic.
    pub fn ended(&mut self) -> thread::Result<E> {
        let Server::Thread(thread) = &mut self.server else {
            panic!("the server is a child");
        };
        let thread = thread.take().expect("a server ends once");
        let end = Instant::now() + PATIENCE;
        while !thread.is_finished() {
            assert!(Instant::now() < end, "the server does not end");
            thread::sleep(Duration::from_millis(2));
        }
        thread.join()
    }

    /// Whether a server in this process has ended.
    pub fn has_ended(&self) -> bool {
        let Server::Thread(thread) = &self.server else {
            panic!("the server is a child");
        };
        thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Client<()> {
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input: ChildStdin = child.stdin.take().unwrap();
        let output = child.stdout.take().unwrap();
        Self::new(input, output, Server::Child(child))
    }

    pub fn child(&mut self) -> &mut Child {
        match &mut self.server {
            Server::Child(child) => child,
            Server::Thread(_) => panic!("the server is in this process"),
        }
    }

    /// The exit status of the child, if it exits in time.
    pub fn exits_within(&mut self, timeout: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + timeout;
        loop {
            if let Some(status) = self.child().try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > end {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl<E> Drop for Client<E> {
    fn drop(&mut self) {
        drop(
            self.input
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.shared.record().is_paused = false;
        self.shared.changed.notify_all();
        // The server must also respond to requests that are still running.
        let is_over = self
            .shared
            .wait(Duration::from_secs(10), |record| {
                record.is_over.then_some(())
            })
            .is_some();
        if let Server::Child(child) = &mut self.server {
            if !is_over {
                // The child may have exited.
                let _ = child.kill();
            }
            let _ = child.wait();
        }
        if is_over && let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        if thread::panicking() {
            return;
        }
        assert!(is_over, "the server outlives its client");
        let record = self.shared.record();
        let mut violations = record.violations.join("\n");
        for (id, answer) in &record.requests {
            if answer.is_none() {
                let _ = write!(violations, "\nrequest {id} was never answered");
            }
        }
        for error in &record.error_responses {
            let _ = write!(
                violations,
                "\nan unexpected response with the id null: {error:?}"
            );
        }
        drop(record);
        assert!(violations.is_empty(), "{violations}");
    }
}

pub fn message(id: Option<&Value>, method: &str, params: &Value) -> Value {
    let mut message = json!({ "jsonrpc": "2.0", "method": method });
    if let Some(id) = id {
        message["id"] = id.clone();
    }
    if !params.is_null() {
        message["params"] = params.clone();
    }
    message
}

pub fn framed(message: &Value) -> Vec<u8> {
    framed_text(&message.to_string())
}

pub fn framed_text(body: &str) -> Vec<u8> {
    framed_bytes(body.as_bytes())
}

pub fn framed_bytes(body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes.extend(body);
    bytes
}

/// Records messages until the server's output ends, and checks that all of them are well-formed.
fn read(from_server: impl Read, shared: &Shared, input: &Input) {
    let mut from_server = BufReader::new(from_server);
    loop {
        {
            let record = shared.record();
            let resumed = shared.changed.wait_while(record, |record| record.is_paused);
            drop(resumed);
        }
        match read_frame(&mut from_server) {
            Ok(Some(body)) => take(&body, shared, input),
            Ok(None) => break,
            Err(violation) => {
                shared.record().violations.push(violation);
                // The server must not wait for a reader.
                let _ = io::copy(&mut from_server, &mut io::sink());
                break;
            }
        }
    }
    shared.record().is_over = true;
    shared.changed.notify_all();
}

fn read_frame(from: &mut impl BufRead) -> Result<Option<Value>, String> {
    let mut length = None;
    loop {
        let mut line = String::new();
        let n = from
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        if n == 0 {
            return match length {
                None => Ok(None),
                Some(_) => Err("the output ends in a header".to_owned()),
            };
        }
        let Some(line) = line.strip_suffix("\r\n") else {
            return Err(format!("no header line: {line:?}"));
        };
        if line.is_empty() {
            break;
        }
        match line.split_once(": ") {
            Some(("Content-Length", value)) if length.is_none() => {
                length = Some(value.parse::<usize>().map_err(|_| line.to_owned())?);
            }
            _ => return Err(format!("no header that a server sends: {line:?}")),
        }
    }
    let mut body = vec![0; length.ok_or("no Content-Length")?];
    from.read_exact(&mut body)
        .map_err(|error| format!("a frame is cut short: {error}"))?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&body)))
}

fn take(body: &Value, shared: &Shared, input: &Input) {
    let id = body.get("id").cloned();
    if let Some(method) = body["method"].as_str() {
        let message = Said {
            id: id.clone(),
            method: method.to_owned(),
            params: body.get("params").cloned().unwrap_or_default(),
        };
        let params = message.params.clone();
        shared.record().messages.push(message);
        if let Some(id) = id {
            let mut handlers = shared.handlers.lock().unwrap();
            let reply = handlers
                .get_mut(method)
                .map_or(Reply::Result(Value::Null), |handler| handler(&params));
            drop(handlers);
            let answer = match reply {
                Reply::Result(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
                Reply::Error(code, message) => {
                    let error = json!({ "code": code, "message": message });
                    json!({ "jsonrpc": "2.0", "id": id, "error": error })
                }
                Reply::Later => Value::Null,
            };
            let mut input = input.lock().unwrap_or_else(PoisonError::into_inner);
            if let (Some(input), false) = (input.as_mut(), answer.is_null()) {
                // The server may have ended.
                let _ = input
                    .write_all(&framed(&answer))
                    .and_then(|()| input.flush());
            }
        }
    } else {
        let answer = match (body.get("result"), body.get("error")) {
            (Some(result), None) => Ok(result.clone()),
            (None, Some(error)) => Err(RpcError {
                code: error["code"].as_i64().unwrap_or_default(),
                message: error["message"].as_str().unwrap_or_default().to_owned(),
            }),
            _ => {
                shared
                    .record()
                    .violations
                    .push(format!("neither a result nor an error: {body}"));
                return;
            }
        };
        let mut record = shared.record();
        let record = &mut *record;
        let id = id.unwrap_or_default();
        match (record.requests.get_mut(&id.to_string()), answer) {
            (Some(slot @ None), answer) => {
                *slot = Some(answer);
                record.answered.push(id.to_string());
            }
            (Some(Some(_)), answer) => {
                record.violations.push(format!(
                    "request {id} is answered a second time: {answer:?}"
                ));
            }
            (None, Err(error)) if id.is_null() => record.error_responses.push(error),
            (None, answer) => record.violations.push(format!(
                "a response to the unknown request {id}: {answer:?}"
            )),
        }
    }
    shared.changed.notify_all();
}
