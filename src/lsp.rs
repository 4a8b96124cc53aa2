//! The language server: attention live in every editor.
//!
//! | module | holds |
//! | --- | --- |
//! | `server` | the handlers |
//! | `session` | one client's state, and how an answer waits for its analysis |
//! | `documents`, `settings`, `config`, `project`, `client_caps`, `capabilities` | what the client has and can |
//! | `models` | which model serves |
//! | `heat`, `explain`, `symbols`, `actions`, `matrix`, `commands`, `custom` | the features |
//! | `notify`, `progress` | what the server says of its own accord |
//! | `proto` | the only converter of positions |
//! | [`transport`] | frames, order, the end |
//!
//! `docs/protocol.md` has the custom requests, the commands and the settings.

mod actions;
mod capabilities;
mod client_caps;
mod commands;
mod config;
mod custom;
mod documents;
mod explain;
mod features;
mod heat;
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
    pub transport: transport::Options,
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
    let (service, socket) = server::service(options.observer);
    transport::serve(service, socket, input, output, options.transport).await
}
