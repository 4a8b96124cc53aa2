//! Accepts connections, limits them, and ends them in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, lookup_host};
use tokio::sync::{Semaphore, watch};

use super::app::App;
use super::options::{Limits, ServerOptions, ServerOptionsError};
use super::router::router;
use super::write_timeout::WriteTimeout;
use crate::model::LoadError;

/// Bytes of a request's first line and headers.
const MAX_HEAD: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// How long open requests may still take after the server was told to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for the next connection when there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    #[error(transparent)]
    Options(#[from] ServerOptionsError),
    #[error("cannot listen on {host}:{port}: {source}; choose another --host or --port")]
    Bind {
        host: String,
        port: u16,
        source: io::Error,
    },
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(
        "the thread that loads the models ended early: this is a bug in codegaze, please report it"
    )]
    Loader,
}

/// A server that is bound to its address and does not accept connections yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    options: ServerOptions,
    is_remote: bool,
}

impl Bound {
    /// Binds to the address.
    ///
    /// # Errors
    /// When the options are unsafe, or the address cannot be used.
    pub async fn new(options: ServerOptions) -> Result<Self, ServeError> {
        options.check()?;
        let (host, port) = (options.host.clone(), options.port);
        let bind = |source| ServeError::Bind { host, port, source };
        let bare = options.host.trim_start_matches('[').trim_end_matches(']');
        let bound = async {
            let addresses: Vec<SocketAddr> = lookup_host((bare, port)).await?.collect();
            let is_remote = addresses.iter().any(|address| !address.ip().is_loopback());
            if is_remote && !options.allow_remote {
                return Ok(None);
            }
            let listener = TcpListener::bind(&*addresses).await?;
            let address = listener.local_addr()?;
            Ok(Some((listener, address, is_remote)))
        };
        let (listener, address, is_remote) =
            bound
                .await
                .map_err(bind)?
                .ok_or_else(|| ServerOptionsError::Remote {
                    host: options.host.clone(),
                })?;
        Ok(Self {
            listener,
            address,
            options,
            is_remote,
        })
    }

    /// For port 0, this has the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `ended`, then finishes the open requests. Loads the models meanwhile.
    ///
    /// # Errors
    /// When a model does not load.
    pub async fn serve(self, ended: impl Future<Output = ()>) -> Result<(), ServeError> {
        let Self {
            listener,
            options,
            is_remote,
            ..
        } = self;
        let limits = options.limits;
        let app = App::new(&options);
        let router = router(Arc::clone(&app), &options, is_remote);
        let loaded = load(Arc::clone(&app), options);
        let load_failed = async {
            match loaded.await {
                Ok(Ok(())) => std::future::pending().await,
                Ok(Err(error)) => ServeError::Load(error),
                Err(_) => ServeError::Loader,
            }
        };
        let failed = tokio::select! {
            () = accept(&listener, router, &app, &limits) => None,
            () = ended => None,
            error = load_failed => Some(error),
        };
        drop(listener);
        app.end();
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, app.all_ended())
            .await
            .is_err()
        {
            tracing::warn!("requests were still running and are dropped");
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Accepts connections for as long as it is polled.
async fn accept(listener: &TcpListener, router: Router, app: &App, limits: &Limits) {
    let connections = Arc::new(Semaphore::new(limits.connections));
    let service = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.stall)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);
    loop {
        // The semaphore is never closed.
        let permit = Arc::clone(&connections).acquire_owned().await;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Without it responses are only slower.
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(WriteTimeout::new(stream, limits.stall));
        let connection = http.serve_connection(io, service.clone()).with_upgrades();
        let ending = app.ending();
        tokio::spawn(async move {
            serve_connection(connection, ending).await;
            drop(permit);
        });
    }
}

/// Serves one connection to its end, which comes after the current response once the server is ending.
async fn serve_connection(
    connection: UpgradeableConnection<TokioIo<WriteTimeout>, TowerToHyperService<Router>>,
    mut ending: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = ending.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Loads the models on a thread of its own.
fn load(
    app: Arc<App>,
    options: ServerOptions,
) -> tokio::sync::oneshot::Receiver<Result<(), LoadError>> {
    let (done, loaded) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("codegaze-model".to_owned());
    let spawned = thread.spawn(move || {
        // The server may have ended meanwhile.
        let _ = done.send(app.models.load(&options));
    });
    if let Err(error) = spawned {
        // The receiver notices that the sender was dropped.
        tracing::error!(%error, "cannot start the thread that loads the models");
    }
    loaded
}
