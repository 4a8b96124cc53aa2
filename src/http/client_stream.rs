//! A client's connection as hyper reads and writes it. hyper itself has no timeout for writes, closes before a client can read the
//! last response, answers what it cannot parse with an empty body, and takes a client that only ended its sending side for gone.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep, sleep};

use super::client::Client;
use super::error::ApiError;

/// How long the server reads on after its last byte.
const LINGER: Duration = Duration::from_secs(2);

/// Connections that may linger at the same time; others are closed at once.
static LINGERING: Semaphore = Semaphore::const_new(64);

pub(crate) struct ClientStream {
    /// `None` only while it is dropped.
    stream: Option<TcpStream>,
    client: Arc<Client>,
    /// How long a write may have to wait.
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
    /// The last write had to wait.
    is_waiting: bool,
    has_written: bool,
    /// The client has sent its last byte.
    is_read: bool,
    /// What is written instead of hyper's response, and how much of it is written.
    instead: Option<(Vec<u8>, usize)>,
}

impl ClientStream {
    pub fn new(stream: TcpStream, client: Arc<Client>, limit: Duration) -> Self {
        Self {
            stream: Some(stream),
            client,
            limit,
            sleep: Box::pin(sleep(limit)),
            is_waiting: false,
            has_written: false,
            is_read: false,
            instead: None,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut();
        stream
            .map(Pin::new)
            .ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The result of a write, or an error if writes have had to wait for too long.
    fn check<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.is_waiting = false;
            self.has_written = true;
            self.client.on_sent();
            return written;
        }
        if !self.is_waiting {
            self.is_waiting = true;
            self.sleep.as_mut().reset(Instant::now() + self.limit);
        }
        if self.sleep.as_mut().poll(context).is_ready() {
            let error = io::Error::new(io::ErrorKind::TimedOut, "the client does not read");
            return Poll::Ready(Err(error));
        }
        Poll::Pending
    }

    /// Writes `instead`, if hyper wants to write `bytes`.
    fn poll_instead(
        &mut self,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_none() && self.client.is_between_requests() {
            self.instead = parse_error(bytes).map(|error| (response(&error), 0));
        }
        let (text, mut at) = self.instead.take()?;
        while at < text.len() {
            let written = match self.stream() {
                Ok(stream) => stream.poll_write(context, &text[at..]),
                Err(error) => Poll::Ready(Err(error)),
            };
            match self.check(context, written) {
                Poll::Ready(Ok(n_bytes)) => at += n_bytes,
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => {
                    self.instead = Some((text, at));
                    return Some(Poll::Pending);
                }
            }
        }
        Some(Poll::Ready(Ok(bytes.len())))
    }
}

/// The error that hyper's response to a request that it cannot parse means. It has no body; every response of a handler to a
/// client's error has one.
fn parse_error(response: &[u8]) -> Option<ApiError> {
    let head = std::str::from_utf8(response).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?;
    if !head.ends_with("\r\n\r\n") || !head.contains("content-length: 0\r\n") {
        return None;
    }
    match status.parse::<StatusCode>().ok()? {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Some(ApiError::HeadTooLarge),
        StatusCode::URI_TOO_LONG => Some(ApiError::UriTooLong),
        status if status.is_client_error() => Some(ApiError::Malformed(
            "the request is not valid HTTP/1.1".to_owned(),
        )),
        _ => None,
    }
}

/// The last response of a connection, as it is sent.
fn response(error: &ApiError) -> Vec<u8> {
    let body = serde_json::to_vec(&error.body()).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         x-content-type-options: nosniff\r\nconnection: close\r\n\r\n",
        error.status(),
        body.len()
    );
    [head.into_bytes(), body].concat()
}

/// Another handle of the same connection.
fn duplicate(stream: &TcpStream) -> io::Result<std::net::TcpStream> {
    #[cfg(unix)]
    let owned = std::os::fd::AsFd::as_fd(stream).try_clone_to_owned()?;
    #[cfg(windows)]
    let owned = std::os::windows::io::AsSocket::as_socket(stream).try_clone_to_owned()?;
    Ok(owned.into())
}

/// Ends a connection so that the client can read the last response or Close frame. If a socket is closed while sent bytes are
/// unread, the system resets the connection, and the client loses what it has not read yet.
async fn linger(mut stream: TcpStream) {
    let Ok(_permit) = LINGERING.try_acquire() else {
        return;
    };
    let end = async {
        stream.shutdown().await?;
        let mut discarded = vec![0; 16 << 10];
        while stream.read(&mut discarded).await? > 0 {}
        io::Result::Ok(())
    };
    // A client that is gone, or that sends for longer, loses nothing that it could read.
    let _ = tokio::time::timeout(LINGER, end).await;
}

impl Drop for ClientStream {
    fn drop(&mut self) {
        if self.is_read || !self.has_written {
            return;
        }
        if let (Some(stream), Ok(runtime)) = (self.stream.take(), Handle::try_current()) {
            runtime.spawn(linger(stream));
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Err(error) = ready!(self.stream()?.poll_read(context, buffer)) {
            self.is_read = true;
            return Poll::Ready(Err(error));
        }
        let n_bytes = buffer.filled().len() - before;
        self.client.on_received(n_bytes);
        if n_bytes == 0 && buffer.remaining() > 0 {
            self.is_read = true;
            let Self { stream, client, .. } = &*self;
            let duplicate = || match stream {
                Some(stream) => duplicate(stream),
                None => Err(io::ErrorKind::NotConnected.into()),
            };
            // hyper would drop the response. Nothing else will be read, so nothing has to wake it.
            if client.on_half_closed(duplicate) {
                return Poll::Pending;
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(written) = self.poll_instead(context, bytes) {
            return written;
        }
        let written = self.stream()?.poll_write(context, bytes);
        self.check(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = parts.iter().find(|part| !part.is_empty());
        let first = first.map_or(&[][..], |part| part);
        if let Some(written) = self.poll_instead(context, first) {
            return written;
        }
        let written = self.stream()?.poll_write_vectored(context, parts);
        self.check(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }
}
