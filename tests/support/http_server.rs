//! The HTTP server on a loopback port, and a client that can also send invalid requests.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use codegaze::http::{Bound, ServeError, ServerOptions};
use codegaze::model::source::HubOptions;
use serde_json::Value;
use tokio::sync::oneshot;

/// After this, a test that waits fails.
const TIMEOUT: Duration = Duration::from_secs(120);

/// The server; ends when dropped.
pub struct Server {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), ServeError>>>,
}

impl Server {
    /// Serves the embedded model on any free port, unless `change` changes this. No request leaves the machine.
    pub fn start(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let mut options = ServerOptions {
            port: 0,
            hub: HubOptions {
                offline: true,
                ..HubOptions::from_env()
            },
            ..ServerOptions::default()
        };
        change(&mut options);
        let (stop, stopped) = oneshot::channel::<()>();
        let (say, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let bound = Bound::new(options).await?;
                say.send(bound.address()).unwrap();
                bound.serve(async { drop(stopped.await) }).await
            })
        });
        Self {
            address: address.recv().expect("the server has an address"),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The same, after the models are loaded.
    pub fn ready(change: impl FnOnce(&mut ServerOptions)) -> Self {
        let server = Self::start(change);
        let start = Instant::now();
        while server.get("/ready").status != 200 {
            assert!(start.elapsed() < TIMEOUT, "the model does not load");
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        let json = [("content-type", "application/json")];
        self.send("POST", path, &json, body.to_string().as_bytes())
    }

    /// Sends a request. It adds `Host` and `Content-Length`, unless `headers` have them.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut stream = self.connect();
        let head = self.head(method, path, headers, body.len());
        stream.write_all(head.as_bytes()).unwrap();
        // The server can respond, and close the connection, before it has read everything.
        let sent = stream.write_all(body);
        Reply::read_to(method, &mut BufReader::new(stream))
            .unwrap_or_else(|error| panic!("{method} {path}: {error}, after {sent:?}"))
    }

    /// The head of a request, after which the connection is closed.
    pub fn head(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        length: usize,
    ) -> String {
        let has = |name: &str| {
            headers
                .iter()
                .any(|(has, _)| has.eq_ignore_ascii_case(name))
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !has("host") {
            head += &format!("host: {}\r\n", self.address);
        }
        if !has("content-length") && !has("transfer-encoding") {
            head += &format!("content-length: {length}\r\n");
        }
        if !has("connection") {
            head += "connection: close\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "\r\n"
    }

    /// Waits until the server ends, and returns its result.
    pub fn join(&mut self) -> Result<(), ServeError> {
        self.thread.take().unwrap().join().unwrap()
    }

    /// Ends the server.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended by itself.
            let _ = stop.send(());
        }
    }

    /// The value of the metric with exactly this name and these labels; 0 if it does not exist.
    pub fn metric(&self, name: &str) -> f64 {
        self.metric_with(name, &[])
    }

    fn metric_with(&self, name: &str, headers: &[(&str, &str)]) -> f64 {
        let text = self.send("GET", "/metrics", headers, b"").text();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until `is_right` accepts the value of a metric.
    pub fn await_metric(&self, name: &str, is_right: impl Fn(f64) -> bool) {
        self.await_metric_with(name, &[], is_right);
    }

    /// The same, with these request headers.
    pub fn await_metric_with(
        &self,
        name: &str,
        headers: &[(&str, &str)],
        is_right: impl Fn(f64) -> bool,
    ) {
        let start = Instant::now();
        loop {
            let value = self.metric_with(name, headers);
            if is_right(value) {
                return;
            }
            assert!(start.elapsed() < TIMEOUT, "{name} stays {value}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended
                    .expect("the server does not panic")
                    .expect("it ends well");
            }
        }
    }
}

/// A body of unknown length.
fn read_chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let length = u64::from_str_radix(line.trim_end(), 16).map_err(io::Error::other)?;
        stream.by_ref().take(length).read_to_end(&mut body)?;
        line.clear();
        stream.read_line(&mut line)?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn read(stream: &mut impl BufRead) -> io::Result<Self> {
        Self::read_to("GET", stream)
    }

    /// Reads the response to a request with this method. A response to `HEAD` has no body.
    fn read_to(method: &str, stream: &mut impl BufRead) -> io::Result<Self> {
        let early = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer ends early");
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).ok_or_else(early)?;
        let status = status.parse().map_err(io::Error::other)?;
        let mut headers = Vec::new();
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(early());
            }
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        // 102: the response is still to come.
        if status == 102 {
            return Self::read_to(method, stream);
        }
        let mut reply = Self {
            status,
            headers,
            body: Vec::new(),
        };
        let is_chunked = reply.header("transfer-encoding") == Some("chunked");
        if is_chunked && method != "HEAD" {
            reply.body = read_chunks(stream)?;
            return Ok(reply);
        }
        let length = reply.header("content-length").map(str::parse::<u64>);
        let length = length.transpose().map_err(io::Error::other)?;
        if let Some(length) = length.filter(|_| method != "HEAD") {
            stream.take(length).read_to_end(&mut reply.body)?;
            if (reply.body.len() as u64) < length {
                return Err(early());
            }
        }
        Ok(reply)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let headers = self.headers.iter();
        headers.filter_map(move |(has, value)| (has == name).then_some(value.as_str()))
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The JSON of a successful response.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The message of an error response. It also checks the form of the response.
    #[track_caller]
    pub fn error(&self, status: u16, error_type: &str) -> String {
        assert_eq!(
            self.status,
            status,
            "{}",
            String::from_utf8_lossy(&self.body)
        );
        let error = self.json();
        assert_eq!(error["error_type"], error_type, "{error}");
        assert_eq!(error.as_object().unwrap().len(), 2, "{error}");
        let message = error["error"].as_str().unwrap();
        assert!(
            !message.is_empty() && !message.contains('\n'),
            "{message:?}"
        );
        message.to_owned()
    }
}
