//! The language server's transport. Rows T01–T13 are what the protocol library does when it is left to itself; each test runs
//! the same scenario through our transport, and through the library's own loop where that fails quickly and surely.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "support/lsp_client.rs"]
#[allow(dead_code, reason = "a client for more than one test")]
mod lsp_client;

#[path = "lsp_transport/rows.rs"]
mod rows;
#[path = "lsp_transport/subject.rs"]
mod subject;
#[path = "lsp_transport/unread.rs"]
mod unread;
