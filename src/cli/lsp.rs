//! `codegaze lsp`.

use std::process::ExitCode;

use anyhow::Context;

use super::args::LspArgs;
use super::fault::Fault;
#[cfg(feature = "mlflow")]
use super::tracking::Tracking;
use crate::lsp::{RunOptions, run};

pub(super) fn run_server(args: &LspArgs) -> Result<ExitCode, Fault> {
    #[cfg(feature = "mlflow")]
    let tracking = Tracking::start(&args.tracking, "lsp", |text| tracing::warn!("{text}"))?;
    let options = RunOptions {
        port: args.socket,
        client_process_id: args.client_process_id,
        #[cfg(feature = "mlflow")]
        observer: tracking.observer(),
        #[cfg(not(feature = "mlflow"))]
        observer: None,
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
