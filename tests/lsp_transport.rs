//! The language server's transport, with handlers that are slow, panic or never respond.

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

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + lsp_client::PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
