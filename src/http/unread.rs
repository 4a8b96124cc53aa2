//! Reads and discards what is left of a refused request's body before the response is sent. Many clients send the whole body before
//! they read; if the server answers earlier and closes the connection, they lose the response.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

use super::app::App;
use super::client::Client;
use super::options::Limits;
use crate::panics::lock;

/// Answers a request only after its body has arrived, if the request is refused. A body of more than twice `--max-body`, and one that
/// arrives too slowly, are not waited for.
pub(crate) async fn discard(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let limit = app.limits.body_bytes.saturating_mul(2) as u64;
    let headers = request.headers();
    // Such a client sends its body only if the request is accepted.
    let waits = headers.contains_key(EXPECT);
    let announced = headers.get(CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if waits || announced.is_some_and(|length| length > limit) || request.body().is_end_stream() {
        return next.run(request).await;
    }
    let client = request.extensions().get::<Arc<Client>>().cloned();
    let (parts, body) = request.into_parts();
    let body = Shared(Arc::new(Mutex::new(body)));
    let request = Request::from_parts(parts, Body::new(body.clone()));
    let response = next.run(request).await;
    let status = response.status();
    let is_refusal = status.is_client_error() || status.is_server_error();
    if is_refusal && status != StatusCode::REQUEST_TIMEOUT && !body.is_end_stream() {
        let rest = read(body, &app.limits, limit);
        match client {
            Some(client) => client.discarding_body(rest).await,
            None => rest.await,
        }
    }
    response
}

/// Reads `body` until it ends, exceeds `max_bytes`, falls behind the pace, or takes as long as a client may take to read a response.
async fn read(mut body: Shared, limits: &Limits, max_bytes: u64) {
    let since = Instant::now();
    let last = since + limits.stall;
    let mut n_bytes = 0;
    while n_bytes <= max_bytes {
        let deadline = limits.pace.deadline(since, n_bytes).min(last);
        let frame = timeout_at(deadline, body.frame()).await;
        let Ok(Some(Ok(frame))) = frame else {
            return;
        };
        n_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}

/// A body that can still be read after its first reader has dropped it.
#[derive(Clone)]
struct Shared(Arc<Mutex<Body>>);

impl http_body::Body for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *lock(&self.0)).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).size_hint()
    }
}
