//! The HTTP server: REST, and a WebSocket for documents that change, with the engine and the views of the other faces.
//!
//! | module | holds |
//! | --- | --- |
//! | [`options`] | what the server is started with |
//! | `server` | accepts connections, and ends them |
//! | `connections`, `client`, `client_stream` | which connections are open, how slow each client is, its bytes |
//! | `router` | from a path to its handler |
//! | `app` | the state that handlers share |
//! | `guard` | checks `Host`, `Origin` and the token |
//! | `admission`, `places` | how many requests are admitted, for how long, and how many of one network |
//! | `body`, `unread` | JSON requests and responses; what is not read of a refused request |
//! | `error` | every way in which a request fails |
//! | `models` | the models of the server |
//! | `routes` | REST, one file for each endpoint |
//! | `live` | the WebSocket |
//! | `page` | the page at `/` |
//! | `content`, `compression` | responses that do not change, with their `ETag`; brotli and gzip |
//! | `metrics`, `openapi`, `docs` | metrics, and the description of the API |
//!
//! `docs/http.md` describes all requests and responses. This module computes nothing, and reads no file for a client.

mod admission;
mod app;
mod body;
mod client;
mod client_stream;
mod compression;
mod connections;
mod content;
mod docs;
mod error;
mod guard;
mod live;
mod metrics;
mod models;
mod openapi;
pub mod options;
mod page;
mod places;
mod router;
mod routes;
mod server;
mod unread;

pub use client::Pace;
pub use options::{Limits, ServerOptions, ServerOptionsError};
pub use server::{Bound, ServeError};
