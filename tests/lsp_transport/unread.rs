//! What a client that does not read costs: answers wait for it, news does not pile up.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::subject::ours;
use crate::wait_until;

#[test]
fn news_that_nobody_read_is_replaced_by_newer_news() {
    const TIMES: usize = 20_000;
    // What the pipe itself may hold: 64 KiB of messages of 80 bytes or so, and what a thread was about to write.
    const KEPT: usize = 1500;
    let (mut client, inside) = ours();
    client.stop_reading();
    let talk = client.ask("test/talk", &json!({ "times": TIMES }));
    let echo = client.ask("test/echo", &json!({ "still": "there" }));
    wait_until("all is said", || inside.talked.load(Ordering::SeqCst) == 1);
    client.read_again();
    client.answer(talk).unwrap();
    assert_eq!(client.answer(echo).unwrap()["still"], "there");
    let said = client.said("codegaze/status");
    let last = said.last().map(|said| said.params["n"].clone());
    assert_eq!(last, Some(json!(TIMES - 1)), "the newest is said");
    assert!(said.len() < KEPT, "{} of {TIMES} were kept", said.len());
    let refreshes = client.said("workspace/semanticTokens/refresh");
    assert!(
        refreshes.len() < KEPT,
        "{} refreshes were kept",
        refreshes.len()
    );
}
