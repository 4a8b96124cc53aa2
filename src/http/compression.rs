//! Compresses large responses with gzip, if the client accepts it.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, VARY,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body as _, Frame};

/// Smaller responses fit into few packets anyway.
const MIN_BYTES: u64 = 4 << 10;

/// Compressed bytes that are sent at once.
const FRAME: usize = 16 << 10;

/// The fastest level, because a matrix has megabytes.
const LEVEL: u32 = 1;

pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let is_accepted = accepts_gzip(request.headers());
    let mut response = next.run(request).await;
    let headers = response.headers();
    if !is_text(headers)
        || headers.contains_key(CONTENT_ENCODING)
        || response.body().size_hint().lower() < MIN_BYTES
    {
        return response;
    }
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept-encoding"));
    if !is_accepted {
        return response;
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    response.map(|body| Body::new(Gzip::new(body)))
}

/// Whether `Accept-Encoding` lists gzip with a quality above 0 (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(ACCEPT_ENCODING).into_iter();
    let mut any = false;
    for item in lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(','))
    {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
        let is_wanted = quality.unwrap_or(1.0) > 0.0;
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            return is_wanted;
        }
        any |= coding == "*" && is_wanted;
    }
    any
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.starts_with("text/") || kind.starts_with("application/json") || kind == "image/svg+xml"
    })
}

/// A body that is compressed while it is sent.
struct Gzip {
    body: Body,
    /// `None` after the last byte.
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl Gzip {
    fn new(body: Body) -> Self {
        let encoder = GzEncoder::new(Vec::with_capacity(FRAME), Compression::new(LEVEL));
        Self {
            body,
            encoder: Some(encoder),
        }
    }
}

impl http_body::Body for Gzip {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, encoder } = &mut *self;
        let failed = |error: io::Error| Poll::Ready(Some(Err(axum::Error::new(error))));
        while let Some(gzip) = encoder {
            match ready!(Pin::new(&mut *body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue; // there are no trailers
                    };
                    if let Err(error) = gzip.write_all(&data) {
                        return failed(error);
                    }
                    if gzip.get_ref().len() >= FRAME {
                        let full = Vec::with_capacity(FRAME);
                        let full = std::mem::replace(gzip.get_mut(), full);
                        return Poll::Ready(Some(Ok(Frame::data(full.into()))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    return match encoder.take().map(GzEncoder::finish) {
                        Some(Ok(rest)) => Poll::Ready(Some(Ok(Frame::data(rest.into())))),
                        Some(Err(error)) => failed(error),
                        None => Poll::Ready(None),
                    };
                }
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_if_the_client_accepts_it() {
        for (list, accepted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("x-gzip", true),
            ("gzip;q=0", false),
            ("*, gzip;q=0", false),
            ("gzip; q=0.0, deflate", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, list.parse().unwrap());
            assert_eq!(accepts_gzip(&headers), accepted, "{list}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
