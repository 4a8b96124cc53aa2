//! The HTTP server: REST, and a WebSocket for documents that change, with the engine and the views of the other faces.
//!
//! | module | holds |
//! | --- | --- |
//! | [`options`] | what the server is started with |
//! | `server`, `write_timeout` | connections: limits, timeouts, the end |
//! | `router` | from a path to its handler |
//! | `app` | the state that handlers share |
//! | `guard` | checks `Host`, `Origin` and the token |
//! | `admission` | how many requests are admitted, and for how long |
//! | `body` | JSON requests and responses |
//! | `error` | every way in which a request fails |
//! | `models` | the models of the server |
//! | `routes` | REST, one file for each endpoint |
//! | `live` | the WebSocket |
//! | `page` | the page at `/` |
//! | `content`, `compression` | responses that do not change, with their `ETag`; gzip |
//! | `metrics`, `openapi`, `docs` | metrics, and the description of the API |
//!
//! `docs/http.md` describes all requests and responses. This module computes nothing, and reads no file for a client.

mod admission;
mod app;
mod body;
mod compression;
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
mod router;
mod routes;
mod server;
mod write_timeout;

pub use options::{Limits, ServerOptions, ServerOptionsError};
pub use server::{Bound, ServeError};
