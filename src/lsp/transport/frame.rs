//! Reads and writes framed messages. After malformed input the next well-formed message is still found.

use std::io::{self, BufRead, Read, Write};

use serde::Serialize;
use serde_json::{Value, json};
use tower_lsp::jsonrpc::{Error, ErrorCode, Id, Request, Response};

use super::lost::ChangeLost;
use crate::json_input;

/// A longer line is not a header, and is skipped in pieces.
const MAX_HEADER: u64 = 64 << 10;

/// The content of one frame.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Request),
    Response(Response),
    /// Not a message. The response says so. If the message was a change of a document, that change is lost.
    Invalid(Response, Option<ChangeLost>),
    /// A response to an unknown request. It is skipped.
    Skipped,
}

impl Incoming {
    /// The client's process, if this is `initialize` and names it.
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

/// The next frame, or `None` at the end of the input. Invalid lines before it are skipped.
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
            // After a header that cannot be parsed the one before it still counts.
            length = content_length(line)
                .and_then(|value| value.parse().ok())
                .or(length);
            continue;
        }
        let Some(length) = length.take() else {
            continue; // an empty line between frames
        };
        if length > max_body as u64 {
            let mut start = Vec::new();
            let mut body = input.by_ref().take(length);
            body.by_ref()
                .take(MAX_HEADER)
                .read_to_end(&mut start)
                .ok()?;
            io::copy(&mut body, &mut io::sink()).ok()?;
            if body.limit() > 0 {
                return None;
            }
            let reason = format!("a message of {length} bytes is longer than {max_body}");
            let response = invalid_message(ErrorCode::InvalidRequest, reason, None);
            return Some(Incoming::Invalid(response, ChangeLost::of_raw(&start)));
        }
        let mut body = Vec::new();
        let n = input.by_ref().take(length).read_to_end(&mut body).ok()?;
        return (n as u64 == length).then(|| parse(&body));
    }
}

/// The value of a `Content-Length` header. Other text may precede it on its line: the rest of a body that was longer than its
/// header said, or an invalid line without an end.
fn content_length(line: &str) -> Option<&str> {
    const NAME: &str = "content-length";
    let (before, value) = line.rsplit_once(':')?;
    let before = before.trim_end();
    let name = before.get(before.len().checked_sub(NAME.len())?..)?;
    name.eq_ignore_ascii_case(NAME).then(|| value.trim())
}

fn parse(body: &[u8]) -> Incoming {
    let value: Value = match json_input::from_slice(body) {
        Ok(value) => value,
        Err(error) => {
            let reason = format!("not JSON in UTF-8: {error}");
            let response = invalid_message(ErrorCode::ParseError, reason, None);
            return Incoming::Invalid(response, ChangeLost::of_raw(body));
        }
    };
    let id = value.get("id").cloned();
    let invalid = |reason: &str| {
        let reason = reason.to_owned();
        let response = invalid_message(ErrorCode::InvalidRequest, reason, id.clone());
        Incoming::Invalid(response, ChangeLost::of_raw(body))
    };
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

/// A response to a request of the server. A malformed one becomes an error, so that the request does not wait for ever.
fn response(value: &Value) -> Incoming {
    let Some(id) = value
        .get("id")
        .and_then(|id| serde_json::from_value::<Id>(id.clone()).ok())
    else {
        tracing::warn!("skipped a response without an id");
        return Incoming::Skipped;
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

fn invalid_message(code: ErrorCode, reason: String, id: Option<Value>) -> Response {
    tracing::warn!(%reason, "skipped a message");
    let id = id.and_then(|id| serde_json::from_value(id).ok());
    let error = Error {
        code,
        message: reason.into(),
        data: None,
    };
    Response::from_error(id.unwrap_or(Id::Null), error)
}

/// A message with its header.
pub(super) fn frame(message: &impl Serialize) -> Vec<u8> {
    let body = serde_json::to_vec(message).unwrap_or_else(|error| {
        tracing::error!(%error, "a message that is not JSON");
        json!({ "jsonrpc": "2.0", "id": null })
            .to_string()
            .into_bytes()
    });
    let mut framed = Vec::with_capacity(body.len() + 32);
    // Writing to memory does not fail.
    let _ = write!(framed, "Content-Length: {}\r\n\r\n", body.len());
    framed.extend(body);
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The methods of the requests in `input`, and what became of other frames.
    fn methods(input: &str) -> Vec<String> {
        let mut input = input.as_bytes();
        let mut methods = Vec::new();
        while let Some(incoming) = read_frame(&mut input, 1000) {
            methods.push(match incoming {
                Incoming::Request(request) => request.method().to_owned(),
                Incoming::Response(_) => "response".to_owned(),
                Incoming::Invalid(..) => "invalid".to_owned(),
                Incoming::Skipped => "skipped".to_owned(),
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
    fn a_body_that_is_too_long_is_skipped() {
        let long = format!("Content-Length: 2000\r\n\r\n{}", "x".repeat(2000));
        assert_eq!(methods(&format!("{long}{}", framed("a"))), ["invalid", "a"]);
    }

    #[test]
    fn malformed_responses_are_responses() {
        for (body, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"error":7}"#, "response"),
            (
                r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"m","more":1}}"#,
                "response",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"result":null,"error":null}"#,
                "response",
            ),
            (r#"{"jsonrpc":"2.0","id":{},"result":1}"#, "skipped"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "invalid"),
        ] {
            let input = format!("Content-Length: {}\r\n\r\n{body}", body.len());
            assert_eq!(methods(&input), [expected], "{body}");
        }
    }
}
