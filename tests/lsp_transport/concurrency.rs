//! Messages that must not wait for others.

use std::sync::atomic::Ordering;
use std::thread;

use serde_json::{Value, json};

use crate::lsp_client::Reply;
use crate::subject::start;
use crate::wait_until;

const CANCELLED: i64 = -32800;
const INTERNAL: i64 = -32603;

#[test]
fn cancellations_and_other_requests_do_not_wait_for_slow_handlers() {
    let (mut client, _) = start();
    let before = client.answered().len();
    let slow: Vec<i64> = (0..4)
        .map(|_| client.ask("test/sleep", &json!({ "ms": 600 })))
        .collect();
    let fifth = client.ask("test/echo", &json!({}));
    client.cancel(slow[0]);
    for &id in &slow[1..] {
        client.answer(id).unwrap();
    }
    client.answer(fifth).unwrap();
    assert_eq!(client.answer(slow[0]).unwrap_err().code, CANCELLED);
    let order = client.answered()[before..].to_vec();
    for id in [slow[0], fifth] {
        let mut earlier = order.iter().take_while(|&&other| other != id);
        assert!(!earlier.any(|id| slow[1..].contains(id)), "{order:?}");
    }
}

/// More messages than the library's queue holds.
#[test]
fn responses_of_the_client_are_read_however_many_messages_wait() {
    let (mut client, _) = start();
    client.on("workspace/configuration", |_| Reply::Later);
    let waiting: Vec<i64> = (0..4)
        .map(|_| client.ask("test/consult", &json!({})))
        .collect();
    wait_until("four requests to the client", || {
        client.said("workspace/configuration").len() == 4
    });
    let queued: Vec<i64> = (0..150)
        .map(|n| client.ask("test/echo", &json!({ "n": n })))
        .collect();
    for question in client.said("workspace/configuration") {
        client.reply(&question.id.unwrap(), &json!(["an answer"]));
    }
    for id in waiting {
        assert_eq!(client.answer(id), Ok(json!(["an answer"])));
    }
    for (n, id) in queued.into_iter().enumerate() {
        assert_eq!(client.answer(id).unwrap()["n"], n);
    }
}

#[test]
fn messages_are_read_from_a_client_that_does_not_read() {
    const N: usize = 3000;
    let (mut client, inside) = start();
    client.stop_reading();
    let text = "x".repeat(200);
    let sender = thread::spawn(move || {
        let ids: Vec<i64> = (0..N)
            .map(|n| client.ask("test/echo", &json!({ "n": n, "text": text })))
            .collect();
        (client, ids)
    });
    wait_until("every message is read", || {
        inside.begun.load(Ordering::SeqCst) == N
    });
    let (client, ids) = sender.join().unwrap();
    client.read_again();
    for (n, id) in ids.into_iter().enumerate() {
        assert_eq!(client.answer(id).unwrap()["n"], n);
    }
}

/// Before and after the handler's first await.
#[test]
fn a_panic_in_a_handler_is_an_error_and_the_session_continues() {
    let (mut client, _) = start();
    for late in [false, true] {
        let error = client.call_err("test/panic", &json!({ "late": late }));
        assert_eq!(error.code, INTERNAL);
        assert!(error.message.contains("test/panic"), "{}", error.message);
        assert!(
            error.message.contains("requested this panic"),
            "{}",
            error.message
        );
    }
    assert_eq!(client.call("test/echo", &json!([1])), json!([1]));
}

#[test]
fn a_handler_that_blocks_its_thread_does_not_delay_others() {
    let (mut client, _) = start();
    let before = client.answered().len();
    let busy = client.ask("test/block", &json!({ "ms": 500 }));
    let quick = client.ask("test/sleep", &json!({ "ms": 1 }));
    for id in [busy, quick] {
        client.answer(id).unwrap();
    }
    assert_eq!(client.answered()[before..], [quick, busy]);
}

/// Dropping the future of a handler stops the work that it started. A test of the server checks that the model stops.
#[test]
fn a_cancelled_handler_is_dropped() {
    const N: usize = 64;
    let (mut client, inside) = start();
    let never: Vec<i64> = (0..N)
        .map(|_| client.ask("test/never", &json!({})))
        .collect();
    wait_until("all handlers run", || {
        inside.begun.load(Ordering::SeqCst) == N
    });
    for &id in &never {
        client.cancel(id);
    }
    for &id in &never {
        assert_eq!(client.answer(id).unwrap_err().code, CANCELLED);
    }
    wait_until("all handlers are dropped", || {
        inside.dropped.load(Ordering::SeqCst) == N
    });
}

/// Handlers change state before their first await; the transport polls them in the order of the wire.
#[test]
fn a_request_sees_the_edits_before_it_and_none_after_it() {
    const N: i32 = 300;
    let (mut client, _) = start();
    let slow: Vec<i64> = (0..8)
        .map(|_| client.ask("test/sleep", &json!({ "ms": 100 })))
        .collect();
    let requests: Vec<(i32, i64)> = (1..=N)
        .map(|version| {
            let document = json!({ "uri": "file:///a.rs", "version": version });
            let edit = json!({ "textDocument": document, "contentChanges": [{ "text": "a" }] });
            client.notify("textDocument/didChange", &edit);
            (version, client.ask("test/versions", &json!({})))
        })
        .collect();
    for (version, id) in requests {
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
    let logged = client.said("window/logMessage");
    let logged: Vec<&Value> = logged
        .iter()
        .map(|message| &message.params["message"])
        .collect();
    let expected: Vec<String> = (1..=N)
        .map(|version| format!("version {version}"))
        .collect();
    assert_eq!(logged, expected.iter().collect::<Vec<_>>());
}
