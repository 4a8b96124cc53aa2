//! T01 … T13.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use codegaze::lsp::Ended;
use serde_json::{Value, json};

use crate::lsp_client::{Client, PATIENCE, Reply, framed, framed_bytes, framed_text};
use crate::subject::ours;

/// Long enough for whatever comes at once, short enough to wait for what does not come.
const A_WHILE: Duration = Duration::from_millis(400);

const CANCELLED: i64 = -32800;
const NOT_FOUND: i64 = -32601;
const INTERNAL: i64 = -32603;

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Four slow handlers: `$/cancelRequest` is answered only when they finish, and a fifth request waits behind them.
#[test]
fn t01_cancellations_and_others_do_not_wait_behind_four_slow_handlers() {
    fn answered<E: Send + 'static>(client: &mut Client<E>) -> (Vec<i64>, i64, i64) {
        let slow: Vec<i64> = (0..4)
            .map(|_| client.ask("test/sleep", &json!({ "ms": 600 })))
            .collect();
        let fifth = client.ask("test/echo", &json!({}));
        client.cancel(slow[0]);
        for &id in &slow[1..] {
            client.answer(id).unwrap();
        }
        client.answer(fifth).unwrap();
        let first = client.answer(slow[0]);
        assert!(first.is_ok() || first.is_err_and(|error| error.code == CANCELLED));
        (client.answered(), slow[0], fifth)
    }
    let (mut client, _) = ours();
    let (order, cancelled, fifth) = answered(&mut client);
    let mut quick = order[1..3].to_vec();
    quick.sort_unstable();
    assert_eq!(quick, [cancelled, fifth], "{order:?}");
}

/// Four handlers awaiting a client reply + >104 queued messages: permanent deadlock (reader parked on the 100-slot queue,
/// replies unread).
#[test]
fn t02_replies_are_read_however_many_messages_wait() {
    fn is_alive<E: Send + 'static>(client: &mut Client<E>) -> bool {
        client.on("workspace/configuration", |_| Reply::Later);
        let waiting: Vec<i64> = (0..4)
            .map(|_| client.ask("test/consult", &json!({})))
            .collect();
        wait_until("four questions", || {
            client.said("workspace/configuration").len() == 4
        });
        let queued: Vec<i64> = (0..150)
            .map(|n| client.ask("test/echo", &json!({ "n": n })))
            .collect();
        for question in client.said("workspace/configuration") {
            client.reply(&question.id.unwrap(), &json!(["an answer"]));
        }
        let is_answered = |id: i64| matches!(client.answer_within(id, 5 * A_WHILE), Some(Ok(_)));
        waiting.iter().chain(&queued).all(|&id| is_answered(id))
    }
    let (mut client, _) = ours();
    assert!(is_alive(&mut client));
}

/// The client does not read stdout: the server stops reading stdin after ~80 KB, and both sides hang.
#[test]
fn t03_messages_are_read_from_a_client_that_does_not_read() {
    const N: usize = 3000;
    fn taken_unread<E: Send + 'static>(client: Client<E>, begun: &dyn Fn() -> usize) -> usize {
        client.stop_reading();
        let sender = thread::spawn(move || {
            let mut client = client;
            let text = "x".repeat(200);
            let ids: Vec<i64> = (0..N)
                .map(|n| client.ask("test/echo", &json!({ "n": n, "text": text })))
                .collect();
            (client, ids)
        });
        // Until nothing moves any more.
        let (mut before, mut since) = (0, Instant::now());
        while begun() < N && since.elapsed() < A_WHILE {
            if begun() > before {
                (before, since) = (begun(), Instant::now());
            }
            thread::sleep(Duration::from_millis(5));
        }
        let taken = begun();
        if taken < N {
            // Both hang: the sender holds the client.
            return taken;
        }
        let (client, ids) = sender.join().unwrap();
        client.read_again();
        for (n, id) in ids.into_iter().enumerate() {
            assert_eq!(client.answer(id).unwrap()["n"], n);
        }
        taken
    }
    let (client, inside) = ours();
    let begun = || inside.begun.load(Ordering::SeqCst);
    assert_eq!(taken_unread(client, &begun), N);
}

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
    client.raw(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    assert_eq!(client.answer("lower"), Ok(json!([1])));
}

/// A panic in a handler: no reply, the serve task dead, the process stays alive.
#[test]
fn t05_a_panic_is_an_answer() {
    let (mut client, _) = ours();
    for late in [false, true] {
        let error = client.call_err("test/panic", &json!({ "late": late }));
        assert_eq!(error.code, INTERNAL);
        assert!(error.message.contains("test/panic"), "{}", error.message);
        assert!(error.message.contains("asked for"), "{}", error.message);
    }
    assert_eq!(client.call("test/echo", &json!([1])), json!([1]));
}

/// A CPU-bound handler blocks everything (all handlers run inside one task).
#[test]
fn t06_a_busy_handler_keeps_nobody_waiting() {
    fn order<E: Send + 'static>(client: &mut Client<E>) -> Vec<i64> {
        let before = client.answered().len();
        let busy = client.ask("test/block", &json!({ "ms": 500 }));
        let quick = client.ask("test/sleep", &json!({ "ms": 1 }));
        for id in [busy, quick] {
            client.answer(id).unwrap();
        }
        let order = client.answered()[before..].to_vec();
        assert_eq!(order.len(), 2);
        vec![i64::from(order[0] == quick), i64::from(order[1] == busy)]
    }
    let (mut client, _) = ours();
    assert_eq!(order(&mut client), [1, 1], "the quick one first");
}

/// Cancel drops the future, but a job on another thread runs on to its end. Here: the future is dropped at once, with whatever
/// tells its job.
#[test]
fn t07_a_cancelled_handler_is_dropped_at_once() {
    let (mut client, inside) = ours();
    let never: Vec<i64> = (0..64)
        .map(|_| client.ask("test/never", &json!({})))
        .collect();
    wait_until("64 handlers run", || {
        inside.begun.load(Ordering::SeqCst) == 64
    });
    let start = Instant::now();
    for &id in &never {
        client.cancel(id);
    }
    for &id in &never {
        assert_eq!(client.answer(id).unwrap_err().code, CANCELLED);
    }
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    wait_until("64 handlers are dropped", || {
        inside.dropped.load(Ordering::SeqCst) == 64
    });
}

/// `await` before the mutation in `did_change` (even `log_message`) reorders edits: 90 of 300 out of order. Handlers here change
/// state first; the transport's part is that this happens in wire order, and before any later message.
#[test]
fn t08_edits_are_taken_in_wire_order_and_requests_see_those_before_them() {
    let (mut client, _) = ours();
    // More than the library would run at once.
    let slow: Vec<i64> = (0..8)
        .map(|_| client.ask("test/sleep", &json!({ "ms": 100 })))
        .collect();
    let asked: Vec<(i32, i64)> = (1..=300)
        .map(|version| {
            let document = json!({ "uri": "file:///a.rs", "version": version });
            let edit = json!({ "textDocument": document, "contentChanges": [{ "text": "a" }] });
            client.notify("textDocument/didChange", &edit);
            (version, client.ask("test/versions", &json!({})))
        })
        .collect();
    for (version, id) in asked {
        let expected: Vec<i32> = (1..=version).collect();
        assert_eq!(
            client.answer(id),
            Ok(json!(expected)),
            "at version {version}"
        );
    }
    for id in slow {
        client.answer(id).unwrap();
    }
    wait_until("300 log messages", || {
        client.said("window/logMessage").len() == 300
    });
}

/// `exit` without `shutdown`: code 0, the specification wants 1.
#[test]
fn t09_exit_without_shutdown_is_a_failure() {
    let (mut client, _) = ours();
    client.notify("exit", &Value::Null);
    let ended = client.ended().unwrap();
    assert_eq!(
        ended,
        Ended::Exit {
            after_shutdown: false
        }
    );
    assert_eq!(ended.exit_code(), 1);
    let (mut client, _) = ours();
    client.leave();
    let ended = client.ended().unwrap();
    assert_eq!(
        ended,
        Ended::Exit {
            after_shutdown: true
        }
    );
    assert_eq!(ended.exit_code(), 0);
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
}

/// No handler slots for `window/workDoneProgress/cancel`, `$/setTrace`.
#[test]
fn t12_progress_can_be_cancelled_and_traces_be_set() {
    let (mut client, inside) = ours();
    client.notify("$/setTrace", &json!({ "value": "verbose" }));
    let params = json!({ "token": "t" });
    client.notify("window/workDoneProgress/cancel", &params);
    client.call("test/echo", &json!({}));
    assert_eq!(*inside.cancelled.lock().unwrap(), [params]);
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
}
