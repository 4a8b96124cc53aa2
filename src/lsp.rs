//! The language server.
//!
//! | module | holds |
//! | --- | --- |
//! | `server` | the handlers |
//! | `features` | the features that a user can turn on and off |
//! | `session` | the state of one client, and how a request waits for its analysis |
//! | `updates` | what follows when a document, the model, the view or the levels change |
//! | `documents`, `keys`, `settings`, `config`, `project`, `client_caps`, `capabilities` | what the client has and can do |
//! | `models` | the model that was chosen, how it is loaded and downloaded |
//! | `heat`, `explain`, `symbols`, `actions`, `matrix`, `commands`, `custom` | what the handlers answer |
//! | `notify`, `progress` | messages, refreshes and progress |
//! | `proto`, `errors` | positions and errors in the protocol's types |
//! | [`transport`] | frames, order, the end of a connection |
//!
//! `docs/protocol.md` describes the custom requests, the commands and the settings.

mod actions;
mod capabilities;
mod client_caps;
mod commands;
mod config;
mod custom;
mod documents;
mod errors;
mod explain;
mod features;
mod heat;
mod keys;
mod levels;
mod logs;
mod matrix;
mod models;
mod notify;
mod progress;
mod project;
mod proto;
mod server;
mod session;
mod settings;
mod symbols;
pub mod transport;
#[cfg(all(test, feature = "ts"))]
mod typescript;
mod updates;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};

pub use logs::init_logs;
pub use transport::Ended;

use crate::engine::Observer;
use logs::set_log_level;

/// How the server is started.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// The client listens there on 127.0.0.1; without a port it is on stdin and stdout.
    pub port: Option<u16>,
    pub serve: ServeOptions,
}

/// How a client is served.
#[derive(Clone, Debug, Default)]
pub struct ServeOptions {
    pub transport: transport::TransportOptions,
    /// Sees every complete analysis.
    pub observer: Option<Observer>,
}

/// Serves one client to its end.
///
/// # Errors
/// When the client's port cannot be reached, or the operating system refuses threads.
pub fn run(options: &RunOptions) -> io::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()?;
    let serve_options = options.serve.clone();
    let ended = match options.port {
        None => runtime.block_on(serve(io::stdin(), io::stdout(), serve_options)),
        Some(port) => {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            let output = stream.try_clone()?;
            runtime.block_on(serve(stream, output, serve_options))
        }
    };
    // Abandons pictures that are still being drawn.
    runtime.shutdown_background();
    Ok(ended)
}

/// Serves one client on any pair of streams. Needs a runtime with time.
pub async fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    options: ServeOptions,
) -> Ended {
    let service = |client| server::service(client, options.observer);
    transport::serve(service, input, output, options.transport).await
}
