//! T01 … T03 and T05 … T08: what waits for what.

use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::lsp_client::{Client, Reply};
use crate::subject::{Inside, bare, ours};
use crate::{A_WHILE, wait_until};

const CANCELLED: i64 = -32800;
const INTERNAL: i64 = -32603;

/// Four slow handlers: `$/cancelRequest` is answered only when they finish, and a fifth request waits behind them.
#[test]
fn t01_cancellations_and_others_do_not_wait_behind_four_slow_handlers() {
    /// How many slow handlers were answered before the cancelled one and the fifth.
    fn waited_for<E: Send + 'static>(client: &mut Client<E>) -> [usize; 2] {
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
        let first = client.answer(slow[0]);
        assert!(first.is_ok() || first.is_err_and(|error| error.code == CANCELLED));
        let order = client.answered()[before..].to_vec();
        [slow[0], fifth].map(|id| {
            let earlier = order.iter().take_while(|&&other| other != id);
            earlier.filter(|id| slow[1..].contains(id)).count()
        })
    }
    let (mut client, _) = ours();
    assert_eq!(waited_for(&mut client), [0, 0]);
    let (mut client, _) = bare();
    let [_, fifth] = waited_for(&mut client);
    assert!(fifth > 0, "the library alone lets it wait");
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
    let (mut client, _) = bare();
    assert!(!is_alive(&mut client), "the library alone hangs");
    client.give_up();
}

/// The client does not read stdout: the server stops reading stdin after ~80 KB, and both sides hang.
#[test]
fn t03_messages_are_read_from_a_client_that_does_not_read() {
    const N: usize = 3000;
    fn taken_unread<E: Send + 'static>(client: Client<E>, inside: &Inside) -> usize {
        let begun = || inside.begun.load(Ordering::SeqCst);
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
        while begun() < N && since.elapsed() < 5 * A_WHILE {
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
    assert_eq!(taken_unread(client, &inside), N);
    let (client, inside) = bare();
    assert!(taken_unread(client, &inside) < N, "the library alone hangs");
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

    let (mut client, _) = bare();
    let id = client.ask("test/panic", &json!({}));
    assert!(client.ended().is_err(), "the library alone ends by it");
    assert_eq!(client.answer_within(id, Duration::ZERO), None);
    client.abandon(id);
}

/// A CPU-bound handler blocks everything (all handlers run inside one task).
#[test]
fn t06_a_busy_handler_keeps_nobody_waiting() {
    fn is_quick_one_first<E: Send + 'static>(client: &mut Client<E>) -> bool {
        let before = client.answered().len();
        let busy = client.ask("test/block", &json!({ "ms": 500 }));
        let quick = client.ask("test/sleep", &json!({ "ms": 1 }));
        for id in [busy, quick] {
            client.answer(id).unwrap();
        }
        client.answered()[before..] == [quick, busy]
    }
    let (mut client, _) = ours();
    assert!(is_quick_one_first(&mut client));
    let (mut client, _) = bare();
    assert!(
        !is_quick_one_first(&mut client),
        "the library alone lets it wait"
    );
}

/// Cancel drops the future, but a job on another thread runs on to its end. Here: every future is dropped at once, and with it
/// what tells its job. That the model stops then is a test of the server.
#[test]
fn t07_a_cancelled_handler_is_dropped_at_once() {
    const N: usize = 64;
    /// Of so many handlers that never end, how many were dropped for a cancellation.
    fn dropped<E: Send + 'static>(client: &mut Client<E>, inside: &Inside) -> usize {
        let never: Vec<i64> = (0..N)
            .map(|_| client.ask("test/never", &json!({})))
            .collect();
        let all_run = || inside.begun.load(Ordering::SeqCst) == N;
        let end = Instant::now() + 5 * A_WHILE;
        while !all_run() && Instant::now() < end {
            thread::sleep(Duration::from_millis(2));
        }
        for &id in &never {
            client.cancel(id);
        }
        for &id in &never {
            match client.answer_within(id, 2 * A_WHILE) {
                Some(answer) => assert_eq!(answer.unwrap_err().code, CANCELLED),
                None => break, // and so no other
            }
        }
        thread::sleep(A_WHILE);
        inside.dropped.load(Ordering::SeqCst)
    }
    let (mut client, inside) = ours();
    assert_eq!(dropped(&mut client, &inside), N);
    let (mut client, inside) = bare();
    assert!(
        dropped(&mut client, &inside) < N,
        "the library alone does not read the cancellations"
    );
    client.give_up();
}

/// `await` before the mutation in `did_change` (even `log_message`) reorders edits: 90 of 300 out of order. Handlers have to
/// change state first; the transport's part is that this happens in wire order, and before any later message.
#[test]
fn t08_edits_are_taken_in_wire_order_and_requests_see_those_before_them() {
    const N: i32 = 300;
    let edit = |client: &mut Client<_>, method: &str, version: i32| {
        let document = json!({ "uri": "file:///a.rs", "version": version });
        let edit = json!({ "textDocument": document, "contentChanges": [{ "text": "a" }] });
        client.notify(method, &edit);
    };
    let (mut client, _) = ours();
    // More than the library would run at once.
    let slow: Vec<i64> = (0..8)
        .map(|_| client.ask("test/sleep", &json!({ "ms": 100 })))
        .collect();
    let asked: Vec<(i32, i64)> = (1..=N)
        .map(|version| {
            edit(&mut client, "textDocument/didChange", version);
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
    wait_until("a log message for each edit", || {
        client.said("window/logMessage").len() == usize::try_from(N).unwrap()
    });

    // Where the handler awaits first, a request does not see the edits before it.
    let (mut client, _) = ours();
    for version in 1..=N {
        edit(&mut client, "test/changeLate", version);
    }
    let seen = client.call("test/versions", &json!({}));
    let seen = seen.as_array().unwrap();
    assert!(
        seen.len() < usize::try_from(N).unwrap() || !seen.is_sorted_by_key(Value::as_i64),
        "the order is the handler's own doing"
    );
}
