//! The language server: attention live in every editor.
//!
//! | module | holds |
//! | --- | --- |
//! | `server` | the handlers |
//! | `session` | one client's state, and how an answer waits for its analysis |
//! | `documents`, `settings`, `config`, `client_caps`, `capabilities` | what the client has and can |
//! | `models` | which model serves |
//! | `heat`, `explain`, `symbols`, `actions`, `matrix`, `commands`, `custom` | the features |
//! | `notify`, `progress` | what the server says of its own accord |
//! | `proto` | the only converter of positions |
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
mod heat;
mod levels;
mod logs;
mod matrix;
mod models;
mod notify;
mod progress;
mod proto;
mod server;
mod session;
mod settings;
mod symbols;
mod view_options;

pub use logs::init_logs;
use logs::set_log_level;

pub fn run_plain() {
    use std::io::{Read, Write};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (service, socket) = server::service();
        let (srv_in, mut feed) = tokio::io::duplex(1 << 20);
        let (srv_out, mut drain) = tokio::io::duplex(1 << 20);
        let h = tokio::runtime::Handle::current();
        std::thread::spawn(move || {
            let mut i = std::io::stdin().lock();
            let mut b = vec![0; 1 << 16];
            while let Ok(n @ 1..) = i.read(&mut b) {
                let _ = h.block_on(feed.write_all(&b[..n]));
            }
            std::process::exit(0)
        });
        tokio::spawn(async move {
            let mut b = vec![0; 1 << 16];
            while let Ok(n @ 1..) = drain.read(&mut b).await {
                let mut o = std::io::stdout().lock();
                let _ = o.write_all(&b[..n]);
                let _ = o.flush();
            }
        });
        tower_lsp::Server::new(srv_in, srv_out, socket)
            .concurrency_level(1 << 16)
            .serve(service)
            .await;
    });
}
