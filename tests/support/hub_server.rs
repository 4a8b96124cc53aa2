//! A small Hugging Face hub on a local port, with its API, its redirects to a CDN on another port, and its errors. Tests can add faults.

#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// A fault in the next response with a file's content.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Sends this many bytes of the body, then closes the connection.
    CloseAfter(usize),
    /// Responds with this status instead.
    Status(u16),
    /// Ignores the requested range, and sends everything with 200.
    IgnoreRange,
    /// `IgnoreRange` and then `CloseAfter`.
    IgnoreRangeAndCloseAfter(usize),
    /// Flips the bits of every byte.
    Corrupt,
    /// Sends the page of a captive portal.
    OtherPage,
    /// Sends this many bytes in chunks without a length, and ends the body as if it were complete.
    ShortChunked(usize),
    /// Sends the headers, then nothing.
    Stall,
    /// Sends the body in pieces with a pause after each.
    Slow { piece: usize, pause: Duration },
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub range: Option<String>,
    pub authorization: Option<String>,
    /// Whether the client sent it to the CDN's port.
    pub is_cdn: bool,
}

/// The contents of the hub, and its faults.
#[derive(Debug, Default)]
pub struct State {
    /// Model id → branch or tag → commit.
    pub refs: HashMap<String, HashMap<String, String>>,
    /// Commit → file → content.
    pub commits: HashMap<String, HashMap<String, Vec<u8>>>,
    /// Large files, for which the hub redirects to the CDN.
    pub large: HashSet<String>,
    /// File → faults, one for each time its content is requested.
    pub faults: HashMap<String, VecDeque<Fault>>,
    /// The statuses of the next responses to requests for the list of files.
    pub listing_faults: VecDeque<u16>,
    /// Requests without this token receive 401.
    pub required_token: Option<String>,
    /// Old id → new id, redirected as after a model was renamed.
    pub renamed: HashMap<String, String>,
    /// Responds to HEAD with 405, like some file servers.
    pub get_only: bool,
    pub requests: Vec<Request>,
    cdn: String,
}

/// The server; ends when dropped.
pub struct HubServer {
    pub endpoint: String,
    pub state: Arc<Mutex<State>>,
    is_over: Arc<AtomicBool>,
    ports: Vec<(String, JoinHandle<()>)>,
}

impl HubServer {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let is_over = Arc::new(AtomicBool::new(false));
        let mut ports = Vec::new();
        for is_cdn in [false, true] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let (state, is_over) = (Arc::clone(&state), Arc::clone(&is_over));
            let thread = thread::spawn(move || {
                for stream in listener.incoming() {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    let (state, is_over) = (Arc::clone(&state), Arc::clone(&is_over));
                    // A client may close its connection.
                    thread::spawn(move || serve(&stream.unwrap(), is_cdn, &state, &is_over));
                }
            });
            ports.push((address, thread));
        }
        state.lock().unwrap().cdn = format!("http://{}", ports[1].0);
        Self {
            endpoint: format!("http://{}", ports[0].0),
            state,
            is_over,
            ports,
        }
    }

    /// Publishes a commit of a model under a branch or tag.
    pub fn publish(&self, id: &str, revision: &str, commit: &str, files: &[(&str, Vec<u8>)]) {
        let mut state = self.state.lock().unwrap();
        let refs = state.refs.entry(id.to_owned()).or_default();
        refs.insert(revision.to_owned(), commit.to_owned());
        let files = files.iter().cloned();
        let files = files.map(|(name, content)| (name.to_owned(), content));
        state.commits.insert(commit.to_owned(), files.collect());
    }

    pub fn fail(&self, file: &str, faults: &[Fault]) {
        let mut state = self.state.lock().unwrap();
        state
            .faults
            .insert(file.to_owned(), faults.iter().copied().collect());
    }

    /// The requests since the last call.
    pub fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().requests)
    }
}

impl Drop for HubServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        for (address, thread) in self.ports.drain(..) {
            let _ = TcpStream::connect(address);
            let _ = thread.join();
        }
    }
}

/// Reads one request, answers it and closes the connection.
fn serve(
    stream: &TcpStream,
    is_cdn: bool,
    state: &Mutex<State>,
    is_over: &AtomicBool,
) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let mut headers = HashMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let request = Request {
        method,
        target,
        range: headers.remove("range"),
        authorization: headers.remove("authorization"),
        is_cdn,
    };

    let (answer, fault) = {
        let mut state = state.lock().unwrap();
        state.requests.push(request.clone());
        answer(&request, &mut state)
    };
    let mut stream = stream;
    let mut head = format!("HTTP/1.1 {} X\r\nConnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let mut body = answer.body.as_slice();
    if let Some(Fault::ShortChunked(len)) = fault {
        let body = &body[..len];
        write!(
            stream,
            "{head}Transfer-Encoding: chunked\r\n\r\n{len:x}\r\n"
        )?;
        stream.write_all(body)?;
        return stream.write_all(b"\r\n0\r\n\r\n");
    }
    write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    match fault {
        Some(Fault::CloseAfter(len) | Fault::IgnoreRangeAndCloseAfter(len)) => {
            body = &body[..len.min(body.len())];
        }
        Some(Fault::Stall) => {
            while !is_over.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
            return Ok(());
        }
        Some(Fault::Slow { piece, pause }) => {
            for piece in body.chunks(piece) {
                stream.write_all(piece)?;
                thread::sleep(pause);
            }
            return Ok(());
        }
        _ => {}
    }
    stream.write_all(body)
}

#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn error(status: u16, code: &str) -> Self {
        Self {
            status,
            headers: vec![("X-Error-Code", code.to_owned())],
            body: b"an error".to_vec(),
        }
    }

    fn redirect(status: u16, location: String) -> Self {
        Self {
            status,
            headers: vec![("Location", location)],
            body: b"elsewhere".to_vec(),
        }
    }
}

fn answer(request: &Request, state: &mut State) -> (Answer, Option<Fault>) {
    let path = request.target.split('?').next().unwrap_or_default();
    if request.is_cdn {
        // /cdn/<commit>/<file>
        let mut parts = path.trim_start_matches("/cdn/").splitn(2, '/');
        let (commit, file) = (parts.next().unwrap(), parts.next().unwrap());
        return content(request, state, commit, file);
    }
    let expected = state.required_token.as_ref();
    let expected = expected.map(|token| format!("Bearer {token}"));
    if expected.is_some() && request.authorization != expected {
        return (Answer::error(401, "GatedRepo"), None);
    }
    for (old, new) in &state.renamed {
        if path.contains(old.as_str()) {
            return (Answer::redirect(307, path.replace(old.as_str(), new)), None);
        }
    }
    if let Some(rest) = path.strip_prefix("/api/models/") {
        if let Some(status) = state.listing_faults.pop_front() {
            return (Answer::error(status, ""), None);
        }
        let Some((id, revision)) = rest.split_once("/revision/") else {
            return (Answer::error(404, ""), None);
        };
        return (listing(state, id, &revision.replace("%2F", "/")), None);
    }
    let parts = path[1..].split_once("/resolve/");
    let Some((id, (revision, file))) =
        parts.and_then(|(id, rest)| Some((id, rest.split_once('/')?)))
    else {
        return (Answer::error(404, ""), None);
    };
    let Some(commit) = commit(state, id, revision) else {
        return (Answer::error(404, "RevisionNotFound"), None);
    };
    let Some(bytes) = state.commits[&commit].get(file) else {
        return (Answer::error(404, "EntryNotFound"), None);
    };
    if state.get_only && request.method == "HEAD" {
        return (Answer::error(405, ""), None);
    }
    if state.large.contains(file) {
        let mut redirect = Answer::redirect(
            302,
            format!("{}/cdn/{commit}/{file}?signature=s", state.cdn),
        );
        redirect.headers.extend([
            ("X-Repo-Commit", commit),
            ("X-Linked-Size", bytes.len().to_string()),
            ("X-Linked-ETag", format!("\"{}\"", sha256(bytes))),
        ]);
        return (redirect, None);
    }
    // The SHA-1 of a git object has forty digits. Here, any forty digits that depend on the content are sufficient.
    let etag = format!("\"{}\"", &sha256(bytes)[..40]);
    if request.method == "HEAD" {
        let answer = Answer {
            status: 200,
            headers: vec![("X-Repo-Commit", commit), ("ETag", etag)],
            body: bytes.clone(),
        };
        return (answer, None);
    }
    let (mut answer, fault) = content(request, state, &commit, file);
    answer
        .headers
        .extend([("X-Repo-Commit", commit), ("ETag", etag)]);
    (answer, fault)
}

fn commit(state: &State, id: &str, revision: &str) -> Option<String> {
    let refs = state.refs.get(id)?;
    let commit = refs.get(revision);
    let commit = commit.or_else(|| refs.values().find(|commit| *commit == revision));
    commit.cloned()
}

fn listing(state: &State, id: &str, revision: &str) -> Answer {
    if !state.refs.contains_key(id) {
        return Answer::error(404, "RepoNotFound");
    }
    let Some(commit) = commit(state, id, revision) else {
        return Answer::error(404, "RevisionNotFound");
    };
    let files = state.commits[&commit].keys();
    let siblings: Vec<_> = files
        .map(|name| serde_json::json!({ "rfilename": name }))
        .collect();
    let info = serde_json::json!({ "id": id, "sha": commit, "siblings": siblings });
    Answer {
        status: 200,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: info.to_string().into_bytes(),
    }
}

/// The bytes of a file, or the requested range of them.
fn content(
    request: &Request,
    state: &mut State,
    commit: &str,
    file: &str,
) -> (Answer, Option<Fault>) {
    let fault = state.faults.get_mut(file).and_then(VecDeque::pop_front);
    let mut bytes = state.commits[commit][file].clone();
    let mut range = request.range.clone();
    match fault {
        Some(Fault::Status(status)) => return (Answer::error(status, ""), None),
        Some(Fault::IgnoreRange | Fault::IgnoreRangeAndCloseAfter(_)) => range = None,
        Some(Fault::Corrupt) => bytes.iter_mut().for_each(|byte| *byte = !*byte),
        Some(Fault::OtherPage) => bytes = b"<html>Please log in to this network</html>".to_vec(),
        _ => {}
    }
    let Some(range) = range else {
        let answer = Answer {
            status: 200,
            headers: vec![("Accept-Ranges", "bytes".to_owned())],
            body: bytes,
        };
        return (answer, fault);
    };
    let start = range
        .strip_prefix("bytes=")
        .and_then(|range| range.strip_suffix('-'));
    let start: usize = start.unwrap().parse().unwrap();
    let total = bytes.len();
    let answer = if start < total {
        Answer {
            status: 206,
            headers: vec![(
                "Content-Range",
                format!("bytes {start}-{}/{total}", total - 1),
            )],
            body: bytes.split_off(start),
        }
    } else {
        Answer {
            status: 416,
            headers: vec![("Content-Range", format!("bytes */{total}"))],
            body: Vec::new(),
        }
    };
    (answer, fault)
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}
