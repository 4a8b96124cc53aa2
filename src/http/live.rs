//! `GET /ws`: one live document a connection. Text and edits in, heat chunk by chunk out.
//!
//! | module | holds |
//! | --- | --- |
//! | `messages` | what is said in both directions |
//! | `connection` | one client: its document, what is to be said next; `questions`: what it asks |
//! | `document` | the text, and how it is looked at |
//! | `heat` | an analysis as a message |
//! | `answers` | matrices, thumbnails, relations of one lexeme, a summary |
//! | `writer` | the way out, at the client's pace |

mod answers;
mod connection;
mod document;
mod heat;
mod messages;
mod writer;

use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;

use super::app::Shared;
use super::error::{ApiError, ErrorBody};
use connection::Connection;

/// What is spoken; a change that breaks clients changes its number.
pub(crate) const PROTOCOL: &str = "codegaze.1";

/// A live document: see docs/http.md for what is said.
///
/// Subprotocol `codegaze.1`. A browser, which sends no `Authorization` with it, offers the token as a second subprotocol, `bearer.` and the token in base64url.
#[utoipa::path(
    get,
    path = "/ws",
    tag = "Live",
    responses(
        (status = 101, description = "The WebSocket is open"),
        (status = "4XX", description = "The request is not right; `error_type` says how", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer now; `error_type` says why", body = ErrorBody),
    )
)]
pub(crate) async fn connect(
    app: Shared,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let upgrade = upgrade
        .map_err(|rejection| ApiError::Malformed(format!("this is a WebSocket: {rejection}")))?;
    let ending = app.ending();
    if *ending.borrow() {
        return Err(ApiError::Ending);
    }
    let leave = app.admission.admit_live()?;
    // JSON has more bytes than the text in it.
    let limit = app.limits.body_bytes.saturating_mul(2);
    let app = std::sync::Arc::clone(&app);
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit);
    Ok(upgrade.on_upgrade(move |socket| async move {
        Connection::new(app, ending).run(socket).await;
        drop(leave);
    }))
}
