//! `codegaze serve`: runs the HTTP server.

use std::time::Duration;

use anyhow::Context;

use super::args::ServeArgs;
use super::error::{CliError, report_line};
use super::models::on_base;
use super::signals;
use super::tracking::Tracking;
use crate::http::options::TOKEN_VARIABLE;
use crate::http::{Bound, Limits, ServeError, ServerOptions};
use crate::model::ModelOptions;
use crate::model::source::{HubOptions, ModelSource};

pub(super) fn run(args: ServeArgs) -> Result<(), CliError> {
    let tracking = Tracking::start(&args.tracking, "serve", |text| {
        report_line(&format!("warning: {text}"));
    })?;
    let options = ServerOptions {
        observer: tracking.observer(),
        ..options(args)?
    };
    // Handlers only look up, wait and convert. Long work runs on the engine's thread or on a few other threads.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .context("the operating system refuses threads")
        .map_err(CliError::failed)?;
    let served = runtime.block_on(async {
        let bound = Bound::new(options).await?;
        // For people, and for programs that selected port 0.
        report_line(&format!("listening on http://{}", bound.address()));
        bound
            .serve(async {
                signals::received().await;
            })
            .await
    });
    if served.is_err() {
        tracking.fail();
    }
    // Abandon pictures that are still being drawn.
    runtime.shutdown_background();
    served.map_err(|error| match error {
        ServeError::Options(_) => CliError::usage(error),
        error => CliError::failed(error),
    })
}

fn options(args: ServeArgs) -> Result<ServerOptions, CliError> {
    let token = match std::env::var(TOKEN_VARIABLE) {
        Ok(token) if token.is_empty() => None,
        Ok(token) => Some(token),
        Err(std::env::VarError::NotPresent) => None,
        Err(error) => {
            return Err(CliError::usage(
                anyhow::Error::new(error).context(format!("{TOKEN_VARIABLE} cannot be read")),
            ));
        }
    };
    Ok(ServerOptions {
        host: args.host,
        port: args.port,
        allow_remote: args.allow_remote,
        token,
        allowed_hosts: args.allow_host,
        allowed_origins: args.allow_origin,
        models: match (args.model, args.base) {
            (models, None) if models.is_empty() => vec![ModelSource::default()],
            (models, None) => models,
            (models, Some(base)) => models
                .into_iter()
                .map(|model| match model {
                    path @ ModelSource::Directory(_) => on_base(path, Some(&base)),
                    other => Ok(other),
                })
                .collect::<Result<_, _>>()?,
        },
        device: args.device,
        precision: args.precision,
        reading: ModelOptions {
            mode: args.input.mode,
            window: args.input.window,
            ..ModelOptions::default()
        },
        hub: HubOptions::from_env(),
        limits: Limits {
            body_bytes: args.max_body,
            queue: args.queue,
            timeout: Duration::from_secs(args.timeout),
            live: args.live,
            cache_bytes: args.cache_mb << 20,
            ..Limits::default()
        },
        observer: None,
    })
}
