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
    /// No message, and nobody to answer.
    Nothing,
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
            // A header that cannot be read leaves the one before in force.
            length = content_length(line)
                .and_then(|value| value.parse().ok())
                .or(length);
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

/// The value of a `Content-Length` header. It may stand behind other text: the rest of a body that was longer than announced, or
/// junk without an end of line.
fn content_length(line: &str) -> Option<&str> {
    const NAME: &str = "content-length";
    let (before, value) = line.rsplit_once(':')?;
    let before = before.trim_end();
    let name = before.get(before.len().checked_sub(NAME.len())?..)?;
    name.eq_ignore_ascii_case(NAME).then(|| value.trim())
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
        response(&value)
    } else {
        invalid("neither a method nor a result nor an error")
    }
}

/// An answer to a request of ours. One that is malformed is never answered itself: it stands for an error, so that nobody waits
/// for it.
fn response(value: &Value) -> Incoming {
    let Some(id) = value
        .get("id")
        .and_then(|id| serde_json::from_value::<Id>(id.clone()).ok())
    else {
        tracing::warn!("skipped an answer without an id");
        return Incoming::Nothing;
    };
    let Some(error) = value.get("error").filter(|error| !error.is_null()) else {
        let result = value.get("result").cloned().unwrap_or_default();
        return Incoming::Response(Response::from_ok(id, result));
    };
    let code = error.get("code").and_then(Value::as_i64);
    let message = error.get("message").and_then(Value::as_str);
    let error = Error {
        code: code.map_or(ErrorCode::InternalError, ErrorCode::from),
        message: message
            .unwrap_or("the client names no reason")
            .to_owned()
            .into(),
        data: error.get("data").cloned(),
    };
    Incoming::Response(Response::from_error(id, error))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The methods that are read, whatever stands between the frames.
    fn methods(input: &str) -> Vec<String> {
        let mut input = input.as_bytes();
        let mut methods = Vec::new();
        while let Some(incoming) = read_frame(&mut input, 1000) {
            methods.push(match incoming {
                Incoming::Request(request) => request.method().to_owned(),
                Incoming::Response(_) => "answer".to_owned(),
                Incoming::Bad(_) => "bad".to_owned(),
                Incoming::Nothing => "nothing".to_owned(),
            });
        }
        methods
    }

    fn framed(method: &str) -> String {
        let bytes = frame(&json!({ "jsonrpc": "2.0", "id": 1, "method": method }));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn the_next_frame_is_found_behind_any_junk() {
        let (a, b) = (framed("a"), framed("b"));
        let lower = b.replace("Content-Length", "content-length");
        for junk in [
            "",
            "junk",
            "junk\r\n",
            "\r\n\r\n",
            "Content-Type: x\r\n",
            "Content-Length: x\r\n",
            "}}}",
            "é: \n",
        ] {
            assert_eq!(methods(&format!("{a}{junk}{b}")), ["a", "b"], "{junk:?}");
            assert_eq!(
                methods(&format!("{a}{junk}{lower}")),
                ["a", "b"],
                "{junk:?}"
            );
        }
    }

    #[test]
    fn what_is_too_long_is_skipped() {
        let long = format!("Content-Length: 2000\r\n\r\n{}", "x".repeat(2000));
        assert_eq!(methods(&format!("{long}{}", framed("a"))), ["bad", "a"]);
    }

    #[test]
    fn malformed_answers_are_answers() {
        for (body, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"error":7}"#, "answer"),
            (
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","more":1}}"#,
                "answer",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"result":null,"error":null}"#,
                "answer",
            ),
            (r#"{"jsonrpc":"2.0","id":{},"result":1}"#, "nothing"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "bad"),
        ] {
            let input = format!("Content-Length: {}\r\n\r\n{body}", body.len());
            assert_eq!(methods(&input), [expected], "{body}");
        }
    }
}
