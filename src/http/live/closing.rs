//! How a connection ends: the close codes of RFC 6455, section 7.4.1.

use std::any::Any;

use axum::extract::ws::close_code;
use tungstenite::Error;
use tungstenite::error::ProtocolError;

use crate::panics;

/// A close code and its reason.
pub(super) type Close = (u16, &'static str);

/// The Close frame that answers what cannot be read; `None` if the client is gone.
pub(super) fn close_after(error: axum::Error) -> Option<Close> {
    let error = error.into_inner().downcast::<Error>().ok()?;
    match *error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Utf8(_) => Some((close_code::INVALID, "send text messages in UTF-8")),
        Error::Capacity(_) => Some((
            close_code::SIZE,
            "the message is too large; send a smaller text, or start the server with a larger --max-body",
        )),
        _ => Some((close_code::PROTOCOL, "the frame violates RFC 6455")),
    }
}

/// The Close frame after a bug of the server.
pub(super) const BUG: Close = (
    close_code::ERROR,
    "internal error: this is a bug in codegaze, please report it",
);

/// [`BUG`], with a line in the log.
pub(super) fn after_panic(panic: &(dyn Any + Send)) -> Close {
    tracing::error!(
        message = panics::message(panic),
        "a WebSocket ended with a panic"
    );
    BUG
}

#[cfg(test)]
mod tests {
    use tungstenite::error::CapacityError;

    use super::*;

    #[test]
    fn each_fault_has_its_close_code() {
        let too_long = CapacityError::MessageTooLong {
            size: 2,
            max_size: 1,
        };
        for (error, code) in [
            (Error::Utf8("0xff".to_owned()), Some(1007)),
            (Error::Capacity(too_long), Some(1009)),
            (
                Error::Protocol(ProtocolError::UnmaskedFrameFromClient),
                Some(1002),
            ),
            (
                Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
                None,
            ),
            (Error::ConnectionClosed, None),
        ] {
            let text = error.to_string();
            let close = close_after(axum::Error::new(error));
            assert_eq!(close.map(|(code, _)| code), code, "{text}");
        }
        assert_eq!(after_panic(&"boom").0, 1011);
    }
}
