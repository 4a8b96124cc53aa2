//! Compresses large responses with brotli or gzip, as the client accepts it.

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
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body::{Body as _, Frame};

/// Smaller responses fit into few packets anyway.
const MIN_BYTES: u64 = 4 << 10;

/// Compressed bytes that are sent at once.
const FRAME: usize = 16 << 10;

/// The fastest level, because a matrix has megabytes.
const GZIP_LEVEL: u32 = 1;

/// As fast as gzip's level 1; a matrix is a quarter smaller.
const BROTLI_QUALITY: u32 = 4;

/// The binary logarithm of brotli's window: 256 KiB for each response that is being sent.
const BROTLI_WINDOW: u32 = 18;

pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let coding = Coding::accepted(request.headers());
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
    let Some(coding) = coding else {
        return response;
    };
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    response.map(|body| Body::new(Compressed::new(body, coding)))
}

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// From the better one to the worse.
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn is_named(self, name: &str) -> bool {
        name.eq_ignore_ascii_case(self.name())
            || self == Self::Gzip && name.eq_ignore_ascii_case("x-gzip")
    }

    /// The coding with the highest quality in `Accept-Encoding` (RFC 9110, section 12.5.3), if it is above 0.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best = None;
        for coding in Self::ALL {
            let quality = coding.quality(headers);
            if quality > best.map_or(0.0, |(_, quality)| quality) {
                best = Some((coding, quality));
            }
        }
        best.map(|(coding, _)| coding)
    }

    /// 0 if the client does not accept it.
    fn quality(self, headers: &HeaderMap) -> f32 {
        let lists = headers.get_all(ACCEPT_ENCODING).into_iter();
        let mut any = 0.0;
        for item in lists
            .filter_map(|list| list.to_str().ok())
            .flat_map(|list| list.split(','))
        {
            let mut parts = item.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse::<f32>().ok());
            let quality = quality.unwrap_or(1.0);
            if self.is_named(name) {
                return quality;
            }
            if name == "*" {
                any = quality;
            }
        }
        any
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| {
        kind.starts_with("text/") || kind.starts_with("application/json") || kind == "image/svg+xml"
    })
}

/// Writes compressed bytes to a buffer.
enum Encoder {
    Brotli(Box<CompressorWriter<Vec<u8>>>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Encoder {
    fn new(coding: Coding) -> Self {
        let full = Vec::with_capacity(FRAME);
        match coding {
            Coding::Brotli => Self::Brotli(Box::new(CompressorWriter::new(
                full,
                FRAME,
                BROTLI_QUALITY,
                BROTLI_WINDOW,
            ))),
            Coding::Gzip => {
                Self::Gzip(Box::new(GzEncoder::new(full, Compression::new(GZIP_LEVEL))))
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Brotli(writer) => writer.write_all(bytes),
            Self::Gzip(writer) => writer.write_all(bytes),
        }
    }

    fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Brotli(writer) => writer.get_mut(),
            Self::Gzip(writer) => writer.get_mut(),
        }
    }

    /// The last bytes.
    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli(writer) => Ok(writer.into_inner()),
            Self::Gzip(writer) => writer.finish(),
        }
    }
}

/// A body that is compressed while it is sent.
struct Compressed {
    body: Body,
    /// `None` after the last byte.
    encoder: Option<Encoder>,
}

impl Compressed {
    fn new(body: Body, coding: Coding) -> Self {
        Self {
            body,
            encoder: Some(Encoder::new(coding)),
        }
    }
}

impl http_body::Body for Compressed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Self { body, encoder } = &mut *self;
        let failed = |error: io::Error| Poll::Ready(Some(Err(axum::Error::new(error))));
        while let Some(writer) = encoder {
            match ready!(Pin::new(&mut *body).poll_frame(context)) {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue; // there are no trailers
                    };
                    if let Err(error) = writer.write(&data) {
                        return failed(error);
                    }
                    if writer.buffer().len() >= FRAME {
                        let full = std::mem::replace(writer.buffer(), Vec::with_capacity(FRAME));
                        return Poll::Ready(Some(Ok(Frame::data(full.into()))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => {
                    return match encoder.take().map(Encoder::finish) {
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
    fn the_coding_is_the_one_that_the_client_prefers() {
        let (br, gzip) = (Some(Coding::Brotli), Some(Coding::Gzip));
        for (list, coding) in [
            ("gzip", gzip),
            ("gzip, deflate, br", br),
            ("br, GZIP;q=0.5", br),
            ("br;q=0.5, gzip", gzip),
            ("BR;q=0, gzip;q=0.1", gzip),
            ("*", br),
            ("*;q=0.5, gzip", gzip),
            ("x-gzip", gzip),
            ("gzip;q=0", None),
            ("*, gzip;q=0", br),
            ("*, gzip;q=0, br;q=0", None),
            ("gzip; q=0.0, deflate", None),
            ("identity", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, list.parse().unwrap());
            assert_eq!(Coding::accepted(&headers), coding, "{list}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), None);
    }
}
