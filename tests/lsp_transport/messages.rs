//! T04 and T09 … T13: what comes over the wire, and how a session ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use codegaze::lsp::Ended;
use serde_json::{Value, json};

use crate::A_WHILE;
use crate::lsp_client::{Client, Reply, framed, framed_bytes, framed_text};
use crate::subject::{bare, ours, without_progress};

const NOT_FOUND: i64 = -32601;

/// One malformed JSON body, one junk line, invalid UTF-8, a batch or a lower-case `content-length:` ends the server.
#[test]
fn t04_what_is_no_message_does_not_end_the_session() {
    let batch = json!([{ "jsonrpc": "2.0", "id": 1, "method": "test/echo" }]);
    // With the code that it is answered with, if it is answered.
    let malformed: [(&str, Vec<u8>, Option<i64>); 4] = [
        ("JSON cut short", framed_text("{\"jsonrpc\":"), Some(-32700)),
        (
            "invalid UTF-8",
            framed_bytes(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"),
            Some(-32700),
        ),
        ("a batch", framed(&batch), Some(-32600)),
        ("a junk line", b"what is this?\r\n".to_vec(), None),
    ];
    let (mut client, _) = ours();
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

    let malformed = malformed.iter().map(|(what, bytes, _)| (*what, bytes));
    for (what, bytes) in malformed.chain([("a lower-case header", &lower)]) {
        let (mut client, _) = bare();
        client.raw(bytes);
        let after = client.ask("test/echo", &json!({}));
        assert_eq!(
            client.answer_within(after, A_WHILE),
            None,
            "the library alone has ended by {what}"
        );
        client.give_up();
    }
}

/// `exit` without `shutdown`: code 0, the specification wants 1. The library's own loop does not say which of the two it was.
#[test]
fn t09_exit_without_shutdown_is_a_failure() {
    for after_shutdown in [false, true] {
        let (mut client, _) = ours();
        if after_shutdown {
            client.call("shutdown", &Value::Null);
        }
        client.notify("exit", &Value::Null);
        let ended = client.ended().unwrap();
        assert_eq!(ended, Ended::Exit { after_shutdown });
        assert_eq!(ended.exit_code(), u8::from(!after_shutdown));
    }
}

/// Stdin EOF while a handler awaits a client reply: the process never ends (orphan).
#[test]
fn t10_the_end_of_the_input_is_the_end_whatever_is_awaited() {
    fn ends<E: Send + 'static>(client: &mut Client<E>) -> bool {
        client.on("workspace/configuration", |_| Reply::Later);
        let ids = [
            client.ask("test/consult", &json!({})),
            client.ask("test/never", &json!({})),
        ];
        client.hear("workspace/configuration", |_| true);
        client.close();
        for id in ids {
            client.abandon(id);
        }
        client.is_over_within(Duration::from_secs(2))
    }
    let (mut client, inside) = ours();
    assert!(ends(&mut client));
    let ended = client.ended().unwrap();
    assert_eq!(
        ended,
        Ended::Eof {
            after_shutdown: false
        }
    );
    assert_eq!(ended.exit_code(), 1);
    assert_eq!(inside.dropped.load(Ordering::SeqCst), 1);

    let (mut client, _) = bare();
    assert!(!ends(&mut client), "the library alone never ends");
    client.give_up();
}

/// Request with unknown `$/…` method: no answer at all; the specification demands -32601.
#[test]
fn t11_an_unknown_dollar_request_is_refused() {
    let (mut client, _) = ours();
    assert_eq!(client.call_err("$/unknown", &json!({})).code, NOT_FOUND);
    client.notify("$/unknown", &json!({}));
    client.notify("unknown/notification", &json!({}));
    assert_eq!(
        client.call_err("unknown/request", &json!({})).code,
        NOT_FOUND
    );

    let (mut client, _) = bare();
    let id = client.ask("$/unknown", &json!({}));
    client.call("test/echo", &json!({}));
    assert_eq!(
        client.answer_within(id, A_WHILE),
        None,
        "the library alone says nothing"
    );
    client.abandon(id);
}

/// No handler slots for `window/workDoneProgress/cancel`, `$/setTrace`: it has to be registered by its name.
#[test]
fn t12_progress_can_be_cancelled_and_traces_be_set() {
    for (is_registered, (mut client, inside)) in [(true, ours()), (false, without_progress())] {
        client.notify("$/setTrace", &json!({ "value": "verbose" }));
        let params = json!({ "token": "t" });
        client.notify("window/workDoneProgress/cancel", &params);
        client.call("test/echo", &json!({}));
        let cancelled = inside.cancelled.lock().unwrap().clone();
        let expected: &[Value] = if is_registered { &[params] } else { &[] };
        assert_eq!(cancelled, expected);
    }
}

/// URIs with raw `{ } [ ] < >`, space or non-ASCII fail to parse: requests get -32602, didOpen is silently dropped.
#[test]
fn t13_uris_that_the_library_refuses_are_taken_and_echoed() {
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
    fn echoed<E: Send + 'static>(client: &mut Client<E>) -> Vec<Value> {
        for uri in URIS {
            let document = json!({ "uri": uri, "languageId": "x", "version": 1, "text": "" });
            client.notify("textDocument/didOpen", &json!({ "textDocument": document }));
        }
        let uris = client.call("test/uris", &json!({}));
        let uris = uris.as_array().unwrap().iter();
        uris.map(|uri| uri["uri"].clone()).collect()
    }
    let (mut client, _) = ours();
    assert_eq!(echoed(&mut client), URIS);
    // A request about one is taken as well: not its parameters are at fault.
    let position = json!({ "line": 0, "character": 0 });
    let about = json!({ "textDocument": { "uri": "file:///{x} y.rs" }, "position": position });
    assert_eq!(
        client.call_err("textDocument/hover", &about).code,
        NOT_FOUND
    );

    let (mut client, _) = bare();
    let echoed = echoed(&mut client);
    for dropped in [0, 1, 2, 3, 11] {
        assert!(
            !echoed.iter().any(|uri| uri == URIS[dropped]),
            "the library alone takes {}",
            URIS[dropped]
        );
    }
}
