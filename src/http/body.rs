//! JSON request bodies within limits, and JSON responses that hold their admission permit until they are sent.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use super::admission::{BodyRoom, Permit};
use super::app::App;
use super::client::Client;
use super::error::ApiError;
use crate::off_thread::off_thread;

/// Large enough to be fast, small enough that little is buffered for a client that does not read.
const FRAME: usize = 64 << 10;

/// Larger bodies are parsed on a thread that does not serve other requests.
const PARSED_INLINE: usize = 64 << 10;

/// An admitted request with its body.
pub(crate) struct Admitted<T> {
    pub body: T,
    pub permit: Permit,
}

impl<T: DeserializeOwned + Send + 'static> FromRequest<Arc<App>> for Admitted<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        check_media_type(request.headers())?;
        let limit = app.limits.body_bytes;
        let announced = request.headers().get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|length| length > limit as u64) {
            return Err(ApiError::TooLarge { limit });
        }
        let client = request.extensions().get::<Arc<Client>>().cloned();
        let read = read(request.into_body(), app);
        // The room is held until the body is parsed.
        let (bytes, _room) = match &client {
            Some(client) => client.reading_body(read).await.unwrap_or_else(|| {
                Err(ApiError::Malformed(
                    "the body ended early; send it again".to_owned(),
                ))
            })?,
            None => read.await?,
        };
        // After the body has arrived, so that a slow client takes no place from others.
        let permit = app.admission.admit(address(client.as_deref()))?;
        let body = if bytes.len() <= PARSED_INLINE {
            parse(&bytes)?
        } else {
            off_thread(move || parse(&bytes)).await?
        };
        Ok(Self { body, permit })
    }
}

/// Reads a body, which has to arrive fast enough.
async fn read(body: Body, app: &App) -> Result<(Vec<u8>, BodyRoom), ApiError> {
    let limit = app.limits.body_bytes;
    let pace = app.limits.pace;
    let mut body = Limited::new(body, limit);
    let mut room = app.admission.body_room();
    let mut bytes = Vec::new();
    let since = Instant::now();
    loop {
        let deadline = pace.deadline(since, bytes.len() as u64);
        let frame = timeout_at(deadline, body.frame()).await;
        let frame = frame.map_err(|_| ApiError::BodyTimeout { rate: pace.rate })?;
        let Some(frame) = frame else {
            return Ok((bytes, room));
        };
        let frame = frame.map_err(|error| {
            if error.is::<LengthLimitError>() {
                ApiError::TooLarge { limit }
            } else {
                ApiError::Malformed(format!("the body ended early ({error}); send it again"))
            }
        })?;
        if let Ok(data) = frame.into_data() {
            room.grow(bytes.len() + data.len())?;
            bytes.extend_from_slice(&data);
        }
    }
}

/// Requests that do not come over a connection, as in tests, have no address.
pub(crate) fn address(client: Option<&Client>) -> IpAddr {
    client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.address)
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    for encoding in headers.get_all(CONTENT_ENCODING) {
        if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
            return Err(ApiError::Encoded {
                found: format!("{encoding:?}"),
            });
        }
    }
    let given = headers.get(CONTENT_TYPE);
    let given = given.map_or("none", |value| {
        value.to_str().unwrap_or("an unreadable value")
    });
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::MediaType {
            found: given.to_owned(),
        })
    }
}

/// A request has to be an object. serde would accept a list of its fields, too.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if !is_object(bytes) {
        return Err(ApiError::Malformed(
            "the body is not a JSON object; /docs describes the request".to_owned(),
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        ApiError::Malformed(format!(
            "invalid request: {error}; /docs describes the request"
        ))
    })
}

/// Whether `json` is an object, if it is valid JSON.
pub(crate) fn is_object(json: &[u8]) -> bool {
    let first = json.iter().find(|byte| !byte.is_ascii_whitespace());
    first == Some(&b'{')
}

/// A response as JSON.
pub(crate) fn encode(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value)
        .map_err(|error| ApiError::Internal(format!("cannot encode the response as JSON: {error}")))
}

/// A response that holds its request's permit until it is sent.
pub(crate) fn respond(json: Vec<u8>, permit: Permit) -> Response {
    let body = PermitBody {
        rest: json.into(),
        permit: Some(permit),
    };
    let mut response = Response::new(Body::new(body));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

struct PermitBody {
    rest: Bytes,
    permit: Option<Permit>,
}

impl http_body::Body for PermitBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            self.permit = None;
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(FRAME);
        let frame = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}
