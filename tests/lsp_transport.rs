//! The language server's transport. Rows T01–T13 are what the protocol library's own loop does when it is left to itself; each
//! test runs that scenario through our transport.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "support/lsp_client.rs"]
mod lsp_client;

#[path = "lsp_transport/rows.rs"]
mod rows;
#[path = "lsp_transport/subject.rs"]
mod subject;
#[path = "lsp_transport/unread.rs"]
mod unread;
