//! `codegaze lsp`.

use std::process::ExitCode;

use anyhow::Context;

use super::args::LspArgs;
use super::fault::Fault;
use crate::lsp::{RunOptions, run};

pub(super) fn run_server(args: &LspArgs) -> Result<ExitCode, Fault> {
    let options = RunOptions {
        port: args.socket,
        client_process_id: args.client_process_id,
    };
    let ended = run(&options)
        .with_context(|| match args.socket {
            Some(port) => format!("no client listens on 127.0.0.1:{port}"),
            None => "the server does not start".to_owned(),
        })
        .map_err(Fault::failed)?;
    tracing::info!(?ended, "the session is over");
    Ok(ExitCode::from(ended.exit_code()))
}
