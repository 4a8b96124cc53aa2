//! A client of a language server, over pipes in this process or a child's stdio, that keeps books: every request is answered
//! exactly once, and nothing is answered that was not asked. `Drop` fails the test otherwise.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything takes on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An error that answered a request.
#[derive(Clone, Debug, PartialEq)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
}

pub type Answer = Result<Value, RpcError>;

/// What the client does with a request of the server's.
pub enum Reply {
    Result(Value),
    Error(i64, &'static str),
    /// Only when the test calls [`Client::reply`].
    Later,
}

type Handler = Box<dyn FnMut(&Value) -> Reply + Send>;

/// What a server said of its own accord.
#[derive(Clone, Debug)]
pub struct Said {
    /// Of a request.
    pub id: Option<Value>,
    pub method: String,
    pub params: Value,
}

#[derive(Default)]
struct Books {
    /// By id as JSON text; `None`: not answered yet.
    asked: BTreeMap<String, Option<Answer>>,
    /// In the order of the wire.
    answered: Vec<String>,
    said: Vec<Said>,
    /// Answers with the id `null`: to what was no message.
    refused: Vec<RpcError>,
    /// What a server must not do.
    faults: Vec<String>,
    is_over: bool,
    is_paused: bool,
}

#[derive(Default)]
struct Shared {
    books: Mutex<Books>,
    changed: Condvar,
    handlers: Mutex<HashMap<String, Handler>>,
}

impl Shared {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `look` finds something; `None` after `patience`.
    fn wait<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut(&mut Books) -> Option<T>,
    ) -> Option<T> {
        let end = Instant::now() + patience;
        let mut books = self.books();
        loop {
            if let Some(found) = look(&mut books) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            let waited = self.changed.wait_timeout(books, left);
            books = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

type Input = Arc<Mutex<Option<Box<dyn Write + Send>>>>;

/// What is on the other end.
enum Server<E> {
    Thread(Option<JoinHandle<E>>),
    Child(Child),
}

/// `E`: what a server in this process ends with.
pub struct Client<E = ()> {
    input: Input,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    server: Server<E>,
    next_id: i64,
}

impl<E: Send + 'static> Client<E> {
    /// `serve` runs on a thread of its own.
    pub fn of(serve: impl FnOnce(PipeReader, PipeWriter) -> E + Send + 'static) -> Self {
        let (server_in, to_server) = io::pipe().unwrap();
        let (from_server, server_out) = io::pipe().unwrap();
        let thread = thread::spawn(move || serve(server_in, server_out));
        Self::new(to_server, from_server, Server::Thread(Some(thread)))
    }

    /// Like [`Self::of`], on a runtime that handlers may spawn on.
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

    /// How requests called `method` are answered; without this, with `null`.
    pub fn on(&self, method: &str, handler: impl FnMut(&Value) -> Reply + Send + 'static) {
        let mut handlers = self.shared.handlers.lock().unwrap();
        handlers.insert(method.to_owned(), Box::new(handler));
    }

    /// Answers a request that was left for later.
    pub fn reply(&self, id: &Value, result: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    }

    /// Bytes as they are.
    pub fn raw(&self, bytes: &[u8]) {
        let mut input = self.input.lock().unwrap();
        let input = input.as_mut().expect("the input is open");
        // A server that has ended reads no more.
        drop(input.write_all(bytes).and_then(|()| input.flush()));
    }

    pub fn send(&self, message: &Value) {
        self.raw(&framed(message));
    }

    pub fn notify(&self, method: &str, params: &Value) {
        self.send(&message(None, method, params));
    }

    /// Asks without waiting.
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

    /// For a request that is sent raw.
    pub fn expect_answer(&self, id: &Value) {
        let mut books = self.shared.books();
        let twice = books.asked.insert(id.to_string(), None);
        assert!(twice.is_none(), "the test uses the id {id} twice");
    }

    pub fn answer(&self, id: impl Into<Value>) -> Answer {
        let id = id.into();
        self.answer_within(id.clone(), PATIENCE)
            .unwrap_or_else(|| panic!("request {id} is not answered"))
    }

    pub fn answer_within(&self, id: impl Into<Value>, patience: Duration) -> Option<Answer> {
        let id = id.into().to_string();
        self.shared
            .wait(patience, |books| books.asked.get(&id)?.clone())
    }

    /// Asks, waits, and expects a result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        let answer = self.answer(id);
        answer.unwrap_or_else(|error| panic!("{method} {params}: {error:?}"))
    }

    /// Asks, waits, and expects an error.
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

    /// No answer to `id` is expected any more.
    pub fn abandon(&self, id: i64) {
        self.shared.books().asked.remove(&id.to_string());
    }

    /// Ids in the order in which they were answered.
    pub fn answered(&self) -> Vec<i64> {
        let books = self.shared.books();
        let ids = books.answered.iter();
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// The next answer with the id `null`.
    pub fn refusal(&self) -> RpcError {
        let next = |books: &mut Books| (!books.refused.is_empty()).then(|| books.refused.remove(0));
        self.shared
            .wait(PATIENCE, next)
            .expect("an answer with the id null")
    }

    /// All requests and notifications called `method` until now.
    pub fn said(&self, method: &str) -> Vec<Said> {
        let books = self.shared.books();
        let said = books.said.iter().filter(|said| said.method == method);
        said.cloned().collect()
    }

    /// Everything that the server said of its own accord until now.
    pub fn all_said(&self) -> Vec<Said> {
        self.shared.books().said.clone()
    }

    /// Waits until the server has said `method` with parameters that suit.
    pub fn hear(&self, method: &str, suits: impl Fn(&Value) -> bool) -> Said {
        self.hear_within(method, suits, PATIENCE)
            .unwrap_or_else(|| {
                let said = self.said(method);
                panic!("the server does not say {method} as expected, but: {said:#?}")
            })
    }

    pub fn hear_within(
        &self,
        method: &str,
        suits: impl Fn(&Value) -> bool,
        patience: Duration,
    ) -> Option<Said> {
        self.shared.wait(patience, |books| {
            let mut said = books.said.iter();
            let found = said.find(|said| said.method == method && suits(&said.params));
            found.cloned()
        })
    }

    /// Reads no more than what is under way.
    pub fn stop_reading(&self) {
        self.shared.books().is_paused = true;
    }

    pub fn read_again(&self) {
        self.shared.books().is_paused = false;
        self.shared.changed.notify_all();
    }

    /// Ends the server's input.
    pub fn close(&self) {
        drop(self.input.lock().unwrap().take());
    }

    /// Whether the server's output has ended.
    pub fn is_over_within(&self, patience: Duration) -> bool {
        self.shared
            .wait(patience, |books| books.is_over.then_some(()))
            .is_some()
    }

    /// `shutdown` and `exit`.
    pub fn leave(&mut self) {
        assert_eq!(self.call("shutdown", &Value::Null), Value::Null);
        self.notify("exit", &Value::Null);
    }

    /// What a server in this process ended with; an `Err` is its panic.
    pub fn ended(&mut self) -> thread::Result<E> {
        let Server::Thread(thread) = &mut self.server else {
            panic!("the server is a child");
        };
        let thread = thread.take().expect("asked once");
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

    /// How the child exits, if it does so in time.
    pub fn exits_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
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
        self.shared.books().is_paused = false;
        self.shared.changed.notify_all();
        // What was asked shall be answered even now: a server has its grace.
        let is_over = self
            .shared
            .wait(Duration::from_secs(10), |books| books.is_over.then_some(()))
            .is_some();
        if let Server::Child(child) = &mut self.server {
            if !is_over {
                drop(child.kill());
            }
            drop(child.wait());
        }
        if is_over && let Some(reader) = self.reader.take() {
            drop(reader.join());
        }
        if thread::panicking() {
            return;
        }
        assert!(is_over, "the server outlives its client");
        let books = self.shared.books();
        let mut faults = books.faults.join("\n");
        for (id, answer) in &books.asked {
            if answer.is_none() {
                let _ = write!(faults, "\nrequest {id} was never answered");
            }
        }
        for refused in &books.refused {
            let _ = write!(faults, "\nan answer to nobody: {refused:?}");
        }
        drop(books);
        assert!(faults.is_empty(), "{faults}");
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

/// Keeps the books until the server's output ends. Nothing but well-formed frames may come.
fn read(from_server: impl Read, shared: &Shared, input: &Input) {
    let mut from_server = BufReader::new(from_server);
    loop {
        {
            let books = shared.books();
            let resumed = shared.changed.wait_while(books, |books| books.is_paused);
            drop(resumed);
        }
        match read_frame(&mut from_server) {
            Ok(Some(body)) => take(&body, shared, input),
            Ok(None) => break,
            Err(fault) => {
                shared.books().faults.push(fault);
                // The server shall not wait for a reader.
                drop(io::copy(&mut from_server, &mut io::sink()));
                break;
            }
        }
    }
    shared.books().is_over = true;
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
        let said = Said {
            id: id.clone(),
            method: method.to_owned(),
            params: body.get("params").cloned().unwrap_or_default(),
        };
        let params = said.params.clone();
        shared.books().said.push(said);
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
                drop(
                    input
                        .write_all(&framed(&answer))
                        .and_then(|()| input.flush()),
                );
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
                shared.books().faults.push(format!("no answer: {body}"));
                return;
            }
        };
        let mut books = shared.books();
        let books = &mut *books;
        let id = id.unwrap_or_default();
        match (books.asked.get_mut(&id.to_string()), answer) {
            (Some(slot @ None), answer) => {
                *slot = Some(answer);
                books.answered.push(id.to_string());
            }
            (Some(Some(_)), answer) => {
                books.faults.push(format!(
                    "request {id} is answered a second time: {answer:?}"
                ));
            }
            (None, Err(error)) if id.is_null() => books.refused.push(error),
            (None, answer) => books
                .faults
                .push(format!("nobody asked {id}, answered with {answer:?}")),
        }
    }
    shared.changed.notify_all();
}
