//! A client that does not read: responses wait for it, other messages do not pile up.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::subject::start;
use crate::wait_until;

#[test]
fn notifications_that_were_not_read_are_replaced_by_newer_ones() {
    const TIMES: usize = 20_000;
    // The pipe holds 64 KiB of messages of about 80 bytes, and the thread one that it was about to write.
    const KEPT: usize = 1500;
    let (mut client, inside) = start();
    client.stop_reading();
    let talk = client.ask("test/talk", &json!({ "times": TIMES }));
    let echo = client.ask("test/echo", &json!({ "still": "there" }));
    wait_until("all messages are sent", || {
        inside.talked.load(Ordering::SeqCst) == 1
    });
    client.read_again();
    client.answer(talk).unwrap();
    assert_eq!(client.answer(echo).unwrap()["still"], "there");
    let messages = client.said("codegaze/status");
    let last = messages.last().map(|message| message.params["n"].clone());
    assert_eq!(last, Some(json!(TIMES - 1)), "the newest message arrives");
    assert!(
        messages.len() < KEPT,
        "{} of {TIMES} were kept",
        messages.len()
    );
    let refreshes = client.said("workspace/semanticTokens/refresh");
    assert!(
        refreshes.len() < KEPT,
        "{} refreshes were kept",
        refreshes.len()
    );
}
