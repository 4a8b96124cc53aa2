//! The HTTP server: REST, and heat live over a WebSocket, on the same engine, cache and views as everything else.
//!
//! | module | holds |
//! | --- | --- |
//! | [`options`] | what the server is started with |
//! | `server` | connections: limits, time-outs, the end |
//! | `app` | what all requests share; the routes |
//! | `guard` | who may ask: `Host`, `Origin`, the token |
//! | `admission` | how much is under way at once, and for how long |
//! | `body` | JSON in and out |
//! | `error` | every way in which a request fails |
//! | `models` | the models that serve |
//! | `routes` | REST, a file an endpoint |
//! | `live` | the WebSocket |
//! | `metrics`, `openapi`, `docs` | what tells about the server |
//!
//! `docs/http.md` has all shapes. Nothing is computed here, and no file of the machine is read for a client.

mod admission;
mod app;
mod body;
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
mod stall;

pub use options::{Limits, Options, OptionsError};
pub use server::{Bound, ServeError};
