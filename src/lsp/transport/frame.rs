//! Bytes ⇄ messages. Whatever a client writes, the next well-formed message is found.

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

/// A line that is longer is junk, and skipped in pieces.
const MAX_HEADER: u64 = 64 << 10;

/// What came in one frame.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Request),
    Response(Response),
    /// No message: what to answer.
    Bad(Response),
}

impl Incoming {
    /// The process that an `initialize` names.
    pub fn client_process_id(&self) -> Option<u32> {
        let Self::Request(request) = self else {
            return None;
        };
        let params = request
            .params()
            .filter(|_| request.method() == "initialize")?;
        let pid = params.get("processId")?.as_u64()?;
        u32::try_from(pid).ok()
    }
}

/// The next frame; `None` at the end of the input. Junk before it is skipped.
pub(super) fn read_frame(input: &mut impl BufRead, max_body: usize) -> Option<Incoming> {
    let mut length: Option<u64> = None;
    loop {
        let mut line = Vec::new();
        let n = input
            .by_ref()
            .take(MAX_HEADER)
            .read_until(b'\n', &mut line)
            .ok()?;
        if n == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if !line.is_empty() {
            if let Some((name, value)) = line.split_once(':')
                && name.trim().eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().ok();
            }
            continue;
        }
        let Some(length) = length.take() else {
            continue; // an empty line between frames
        };
        if length > max_body as u64 {
            let skipped = io::copy(&mut input.by_ref().take(length), &mut io::sink());
            skipped.ok().filter(|&skipped| skipped == length)?;
            let reason = format!("a message of {length} bytes is longer than {max_body}");
            return Some(bad(ErrorCode::InvalidRequest, reason, None));
        }
        let mut body = Vec::new();
        let n = input.by_ref().take(length).read_to_end(&mut body).ok()?;
        return (n as u64 == length).then(|| parse(&body));
    }
}

fn parse(body: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(error) => {
            let reason = format!("not JSON in UTF-8: {error}");
            return bad(ErrorCode::ParseError, reason, None);
        }
    };
    let id = value.get("id").cloned();
    let invalid = |reason: &str| bad(ErrorCode::InvalidRequest, reason.to_owned(), id.clone());
    let Some(object) = value.as_object() else {
        return invalid("a message is one JSON object; batches are not part of the protocol");
    };
    if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return invalid("\"jsonrpc\" is not \"2.0\"");
    }
    let (is_request, is_response) = (
        object.get("method").is_some_and(Value::is_string),
        object.contains_key("result") || object.contains_key("error"),
    );
    if is_request {
        serde_json::from_value(value).map_or_else(
            |error| invalid(&format!("not a request: {error}")),
            Incoming::Request,
        )
    } else if is_response {
        serde_json::from_value(value).map_or_else(
            |error| invalid(&format!("not a response: {error}")),
            Incoming::Response,
        )
    } else {
        invalid("neither a method nor a result nor an error")
    }
}

fn bad(code: ErrorCode, reason: String, id: Option<Value>) -> Incoming {
    tracing::warn!(%reason, "skipped a message");
    let id = id.and_then(|id| serde_json::from_value(id).ok());
    let error = Error {
        code,
        message: reason.into(),
        data: None,
    };
    Incoming::Bad(Response::from_error(id.unwrap_or(Id::Null), error))
}

/// A message with its header.
pub(super) fn frame(message: &impl Serialize) -> Vec<u8> {
    let body = serde_json::to_vec(message).unwrap_or_else(|error| {
        // Requests and responses are made of JSON values.
        tracing::error!(%error, "a message that is no JSON");
        json!({ "jsonrpc": "2.0", "id": null })
            .to_string()
            .into_bytes()
    });
    let mut framed = Vec::with_capacity(body.len() + 32);
    // Writing into memory does not fail.
    drop(write!(framed, "Content-Length: {}\r\n\r\n", body.len()));
    framed.extend(body);
    framed
}
