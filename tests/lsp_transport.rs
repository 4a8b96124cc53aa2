//! The language server's transport. Rows T01–T13 are what the protocol library's own loop does when it is left to itself; each
//! test runs that scenario through our transport, and through the library's loop to see that it fails there.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "lsp_transport/concurrency.rs"]
mod concurrency;
#[path = "support/lsp_client.rs"]
mod lsp_client;
#[path = "lsp_transport/messages.rs"]
mod messages;
#[path = "lsp_transport/subject.rs"]
mod subject;
#[path = "lsp_transport/unread.rs"]
mod unread;

use std::time::{Duration, Instant};

/// Long enough for whatever comes at once, short enough to wait for what does not come.
const A_WHILE: Duration = Duration::from_millis(400);

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + lsp_client::PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
