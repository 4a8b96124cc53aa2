//! `codegaze lsp`: runs the language server.

use std::process::ExitCode;

use anyhow::Context;

use super::args::LspArgs;
use super::error::CliError;
use super::tracking::Tracking;
use crate::lsp::{RunOptions, ServeOptions, run, transport};

pub(super) fn run_server(args: &LspArgs) -> Result<ExitCode, CliError> {
    let tracking = Tracking::start(&args.tracking, "lsp", |text| tracing::warn!("{text}"))?;
    tracking.end_on_signals()?;
    let options = RunOptions {
        port: args.socket,
        serve: ServeOptions {
            transport: transport::TransportOptions {
                client_process_id: args.client_process_id,
                ..transport::TransportOptions::default()
            },
            observer: tracking.observer(),
        },
    };
    let ended = run(&options);
    if ended.as_ref().map_or(true, |ended| ended.exit_code() != 0) {
        tracking.fail();
    }
    let ended = ended
        .with_context(|| match args.socket {
            Some(port) => format!("no client listens on 127.0.0.1:{port}"),
            None => "the server cannot start".to_owned(),
        })
        .map_err(CliError::failed)?;
    tracing::info!(?ended, "the session ended");
    Ok(ExitCode::from(ended.exit_code()))
}
