//! What a client that does not read costs: answers wait for it, news does not pile up.

use serde_json::json;

use crate::subject::ours;

#[test]
fn news_that_nobody_read_is_replaced_by_newer_news() {
    const TIMES: usize = 2000;
    let (mut client, _) = ours();
    client.stop_reading();
    let talk = client.ask("test/talk", &json!({ "times": TIMES }));
    let echo = client.ask("test/echo", &json!({ "still": "there" }));
    // The pipe holds some of the first; what matters is that the rest is one.
    std::thread::sleep(std::time::Duration::from_secs(2));
    client.read_again();
    client.answer(talk).unwrap();
    assert_eq!(client.answer(echo).unwrap()["still"], "there");
    let said = client.said("codegaze/status");
    let last = said.last().map(|said| said.params["n"].clone());
    assert_eq!(last, Some(json!(TIMES - 1)), "the newest is said");
    assert!(said.len() < TIMES, "{} of {TIMES} were kept", said.len());
    let refreshes = client.said("workspace/semanticTokens/refresh");
    assert!(
        refreshes.len() < TIMES,
        "{} refreshes were kept",
        refreshes.len()
    );
}
