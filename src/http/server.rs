//! Accepts connections, limits them, and ends them in order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::{TowerToHyperService, TowerToHyperServiceFuture};
use tokio::net::{TcpListener, TcpSocket, lookup_host};
use tokio::sync::watch;

use super::app::App;
use super::client::Client;
use super::client_stream::ClientStream;
use super::connections::Connections;
use super::options::{Limits, ServerOptions, ServerOptionsError};
use super::router::router;
use crate::model::LoadError;

/// Bytes of a request's first line and headers.
pub(crate) const MAX_HEAD: usize = 32 << 10;
pub(crate) const MAX_HEADERS: usize = 64;

/// How long open requests may still take after the server was told to end.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that wait to be accepted. If the queue is full, the system discards the next one, and the client tries again only
/// after a second. The system may lower the number.
const BACKLOG: u32 = 4096;

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
            let listener = listen(&addresses)?;
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
            () = accept(&listener, router, &app, limits) => None,
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

/// Listens on the first address that can be used.
fn listen(addresses: &[SocketAddr]) -> io::Result<TcpListener> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for &address in addresses {
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// As `TcpListener::bind`, whose queue holds 128 connections.
fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // A server that restarts can use its port at once. On Windows, the option would allow two servers on one port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts connections for as long as it is polled.
async fn accept(listener: &TcpListener, router: Router, app: &App, limits: Limits) {
    let connections = Connections::new(limits.connections, limits.pace);
    let router = TowerToHyperService::new(router);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        // `client` has the deadlines.
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS);
    loop {
        connections.room().await;
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Without it responses are only slower.
        let _ = stream.set_nodelay(true);
        let open = connections.add(address.ip());
        let client = Arc::clone(&open.client);
        let stream = ClientStream::new(stream, Arc::clone(&client), limits.stall);
        let service = ClientService {
            router: router.clone(),
            client,
        };
        let connection = http
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let ending = app.ending();
        tokio::spawn(async move {
            serve_connection(connection, &open.client, &limits, ending).await;
            drop(open);
        });
    }
}

/// The router, for the requests of one client.
struct ClientService {
    router: TowerToHyperService<Router>,
    client: Arc<Client>,
}

impl Service<Request<Incoming>> for ClientService {
    type Response = Response;
    type Error = Infallible;
    type Future = TowerToHyperServiceFuture<Router, Request<Incoming>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        self.client.begin(request.version());
        request.extensions_mut().insert(Arc::clone(&self.client));
        self.router.call(request)
    }
}

/// Serves one connection to its end. Once the server is ending or the client has sent its last byte, the end comes after the current
/// response.
async fn serve_connection(
    connection: UpgradeableConnection<TokioIo<ClientStream>, ClientService>,
    client: &Client,
    limits: &Limits,
    mut ending: watch::Receiver<bool>,
) {
    let mut connection = pin!(connection);
    let mut given_up = pin!(client.given_up(limits));
    let is_half_closed = tokio::select! {
        ended = connection.as_mut() => return report(ended),
        reason = given_up.as_mut() => return closed(client, reason),
        _ = ending.changed() => false,
        () = client.half_closed() => true,
    };
    connection.as_mut().graceful_shutdown();
    let gone = async {
        if !is_half_closed {
            client.half_closed().await;
        }
        client.gone().await;
    };
    tokio::select! {
        ended = connection => report(ended),
        reason = given_up => closed(client, reason),
        () = gone => closed(client, "the client is gone"),
    }
}

fn report(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn closed(client: &Client, reason: &str) {
    tracing::debug!(reason, address = %client.address, "closed a connection");
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
