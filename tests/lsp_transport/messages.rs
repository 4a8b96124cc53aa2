//! Messages of clients, and the end of a session.

use std::sync::atomic::Ordering;
use std::time::Duration;

use codegaze::lsp::Ended;
use serde_json::{Value, json};

use crate::lsp_client::{Reply, framed, framed_bytes, framed_text};
use crate::subject::start;

const NOT_FOUND: i64 = -32601;

#[test]
fn malformed_messages_do_not_end_the_session() {
    let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "test/echo" }]);
    // With the code of the response, if there is one.
    let malformed: [(&str, Vec<u8>, Option<i64>); 4] = [
        ("JSON cut short", framed_text("{\"jsonrpc\":"), Some(-32700)),
        (
            "invalid UTF-8",
            framed_bytes(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"),
            Some(-32700),
        ),
        ("a batch", framed(&batch), Some(-32600)),
        ("an invalid line", b"what is this?\r\n".to_vec(), None),
    ];
    let (mut client, _) = start();
    for (what, bytes, code) in &malformed {
        client.raw(bytes);
        if let Some(code) = code {
            assert_eq!(client.refusal().code, *code, "{what}");
        }
        assert_eq!(
            client.call("test/echo", &json!({ "after": what }))["after"],
            *what
        );
    }
    client.expect_answer(&json!("lower"));
    let body = json!({ "jsonrpc": "2.0", "id": "lower", "method": "test/echo", "params": [1] });
    let body = body.to_string();
    let lower = format!("content-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    client.raw(&lower);
    assert_eq!(client.answer("lower"), Ok(json!([1])));
}

#[test]
fn exit_without_shutdown_is_a_failure() {
    for after_shutdown in [false, true] {
        let (mut client, _) = start();
        if after_shutdown {
            client.call("shutdown", &Value::Null);
        }
        client.notify("exit", &Value::Null);
        let ended = client.ended().unwrap();
        assert_eq!(ended, Ended::Exit { after_shutdown });
        assert_eq!(ended.exit_code(), u8::from(!after_shutdown));
    }
}

#[test]
fn the_end_of_the_input_ends_the_session_even_if_handlers_wait() {
    let (mut client, inside) = start();
    client.on("workspace/configuration", |_| Reply::Later);
    let consult = client.ask("test/consult", &json!({}));
    let never = client.ask("test/never", &json!({}));
    client.hear("workspace/configuration", |_| true);
    client.close();
    // The response that this handler waits for can no longer arrive.
    assert!(client.answer(consult).is_err());
    client.abandon(never);
    assert!(client.is_over_within(Duration::from_secs(2)));
    let ended = client.ended().unwrap();
    assert_eq!(
        ended,
        Ended::Eof {
            after_shutdown: false
        }
    );
    assert_eq!(ended.exit_code(), 1);
    assert_eq!(inside.dropped.load(Ordering::SeqCst), 1);
}

/// The protocol lets a server ignore unknown notifications of the form `$/…`, but not requests.
#[test]
fn an_unknown_dollar_request_is_an_error() {
    let (mut client, _) = start();
    assert_eq!(client.call_err("$/unknown", &json!({})).code, NOT_FOUND);
    client.notify("$/unknown", &json!({}));
    client.notify("unknown/notification", &json!({}));
    assert_eq!(
        client.call_err("unknown/request", &json!({})).code,
        NOT_FOUND
    );
}

#[test]
fn progress_can_be_cancelled_and_traces_can_be_set() {
    let (mut client, inside) = start();
    client.notify("$/setTrace", &json!({ "value": "verbose" }));
    let params = json!({ "token": "t" });
    client.notify("window/workDoneProgress/cancel", &params);
    client.call("test/echo", &json!({}));
    assert_eq!(*inside.cancelled.lock().unwrap(), [params]);
}

/// The library does not parse URIs with raw `{ } [ ] < >`, spaces or letters beyond ASCII.
#[test]
fn uris_that_the_library_rejects_are_accepted_and_returned_unchanged() {
    const URIS: [&str; 12] = [
        "file:///a b.rs",
        "file:///{x}/[id]/<y>.tsx",
        "file:///naïve/日本語.py",
        "file:///100%/a.c",
        "file:///c%3A/Users/x.rs",
        "file:///C:/Users/x.rs",
        "untitled:Untitled-1",
        "vscode-notebook-cell:/a.ipynb#X12sZmlsZQ%3D%3D",
        "git:/a.rs?%7B%22path%22%3A%22a%22%7D",
        "zipfile:///a.zip::b.rs",
        "file://",
        "file:///a^b|c`d\"e\\f.rs",
    ];
    let (mut client, _) = start();
    for uri in URIS {
        let document = json!({ "uri": uri, "languageId": "x", "version": 1, "text": "" });
        client.notify("textDocument/didOpen", &json!({ "textDocument": document }));
    }
    let uris = client.call("test/uris", &json!({}));
    let uris = uris.as_array().unwrap().iter();
    let uris: Vec<Value> = uris.map(|uri| uri["uri"].clone()).collect();
    assert_eq!(uris, URIS);
    // The parameters of a request with such a URI are valid: only its method is unknown here.
    let position = json!({ "line": 0, "character": 0 });
    let about = json!({ "textDocument": { "uri": "file:///{x} y.rs" }, "position": position });
    assert_eq!(
        client.call_err("textDocument/hover", &about).code,
        NOT_FOUND
    );
}
