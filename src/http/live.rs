//! `GET /ws`: one live document for each connection. The client sends text and edits, the server sends heat chunk by chunk.
//!
//! | module | holds |
//! | --- | --- |
//! | `messages` | the messages in both directions |
//! | `connection` | one client: its document, what is to be said next; `questions`: what it asks |
//! | `document` | the text, and how it is looked at |
//! | `heat` | an analysis as a message |
//! | `answers` | matrices, thumbnails, relations of one lexeme, a summary |
//! | `closing` | how a connection ends: its close codes |
//! | `writer` | the way out, at the client's pace |

mod answers;
mod closing;
mod connection;
mod document;
mod heat;
mod messages;
#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "ts"))]
mod typescript;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::rejection::WebSocketUpgradeRejection as Rejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;

use super::app::Shared;
use super::body::address;
use super::client::Client;
use super::error::{ApiError, ErrorBody};
use connection::Connection;

/// The WebSocket subprotocol. An incompatible version has another number.
pub(crate) const PROTOCOL: &str = "codegaze.1";

/// How long sending the Close frame may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A live document. docs/http.md describes the messages.
///
/// The subprotocol is `codegaze.1`. Browsers cannot send `Authorization` with a WebSocket; they offer the token as a second subprotocol: `bearer.` followed by the token in base64url.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "Live",
    responses(
        (status = 101, description = "The WebSocket is open. If all live connections are taken, the server closes it at once with code 1013"),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn connect(
    app: Shared,
    client: Option<Extension<Arc<Client>>>,
    upgrade: Result<WebSocketUpgrade, Rejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|rejection| match rejection {
        Rejection::InvalidConnectionHeader(_)
        | Rejection::InvalidUpgradeHeader(_)
        | Rejection::InvalidWebSocketVersionHeader(_) => {
            ApiError::UpgradeRequired(rejection.to_string())
        }
        _ => ApiError::Malformed(format!("this endpoint is a WebSocket: {rejection}")),
    })?;
    let ending = app.ending();
    if *ending.borrow() {
        return Err(ApiError::Ending);
    }
    if let Some(Extension(client)) = &client {
        client.upgrade();
    }
    let address = address(client.as_deref().map(|client| &**client));
    let Some(permit) = app.admission.admit_live(address) else {
        return Ok(upgrade.protocols([PROTOCOL]).on_upgrade(refuse));
    };
    // JSON can have more bytes than the text in it.
    let limit = app.limits.body_bytes.saturating_mul(2);
    let app = Arc::clone(&app);
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit);
    Ok(upgrade.on_upgrade(move |socket| async move {
        Connection::new(app, ending, address).run(socket).await;
        drop(permit);
    }))
}

/// Tells a client that all live connections are taken. A page cannot see the status of a handshake that fails, but it sees a close
/// code.
async fn refuse(mut socket: WebSocket) {
    let frame = CloseFrame {
        code: close_code::AGAIN,
        reason: "the server already has its limit of live connections; try again later".into(),
    };
    let close = socket.send(Message::Close(Some(frame)));
    // A client that does not read does not receive it.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, close).await;
}
