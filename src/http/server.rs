//! Connections: bound, accepted, limited, and ended in order.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, lookup_host};
use tokio::sync::Semaphore;

use super::app::App;
use super::options::{Options, OptionsError};
use super::router::router;
use super::stall::Stall;
use crate::model::LoadError;

/// Bytes of a request's line and headers.
const MAX_HEAD: usize = 32 << 10;
const MAX_HEADERS: usize = 64;

/// How long requests that are under way may still take when the server is told to end.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How long to wait before the next connection when there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(200);

/// Why the server does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    #[error(transparent)]
    Options(#[from] OptionsError),
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

/// A server that has its address and does not answer yet.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
    options: Options,
    is_remote: bool,
}

impl Bound {
    /// Takes the address.
    ///
    /// # Errors
    /// When the options are unsafe, or the address is not to be had.
    pub async fn new(options: Options) -> Result<Self, ServeError> {
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
                .ok_or_else(|| OptionsError::Remote {
                    host: options.host.clone(),
                })?;
        Ok(Self {
            listener,
            address,
            options,
            is_remote,
        })
    }

    /// With the port that was found, for port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `ended`, then lets what is under way come to its end. Models are loaded meanwhile.
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
        let connections = Arc::new(Semaphore::new(options.limits.connections));
        let stall = options.limits.stall;
        let app = App::new(&options);
        let service = TowerToHyperService::new(router(Arc::clone(&app), &options, is_remote));
        let loaded = load(Arc::clone(&app), options);
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(stall)
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS);
        let accept = async {
            loop {
                // It is never closed.
                let permit = Arc::clone(&connections).acquire_owned().await;
                let stream = match listener.accept().await {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                };
                drop(stream.set_nodelay(true));
                let io = TokioIo::new(Stall::new(stream, stall));
                let connection = http.serve_connection(io, service.clone()).with_upgrades();
                let mut ending = app.ending();
                tokio::spawn(async move {
                    let mut connection = pin!(connection);
                    let ended = tokio::select! {
                        ended = connection.as_mut() => ended,
                        _ = ending.changed() => {
                            // The answer under way is the last.
                            connection.as_mut().graceful_shutdown();
                            connection.await
                        }
                    };
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended early");
                    }
                    drop((permit, ending));
                });
            }
        };
        let load_failed = async {
            match loaded.await {
                Ok(Ok(())) => std::future::pending().await,
                Ok(Err(error)) => ServeError::Load(error),
                Err(_) => ServeError::Loader,
            }
        };
        let failed = tokio::select! {
            () = accept => None,
            () = ended => None,
            error = load_failed => Some(error),
        };
        drop(listener);
        app.end();
        if tokio::time::timeout(LAST_ANSWERS, app.all_ended())
            .await
            .is_err()
        {
            tracing::warn!("requests were still running and are dropped");
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Loads the models on a thread of its own.
fn load(app: Arc<App>, options: Options) -> tokio::sync::oneshot::Receiver<Result<(), LoadError>> {
    let (done, loaded) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("codegaze-model".to_owned());
    let spawned = thread.spawn(move || {
        // Nobody listens any more when the server has ended meanwhile.
        drop(done.send(app.models.load(&options)));
    });
    if let Err(error) = spawned {
        // The sender is gone with the thread, which the receiver tells.
        tracing::error!(%error, "cannot start the thread that loads the models");
    }
    loaded
}
