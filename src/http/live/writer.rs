//! Sends messages at the pace of the client. Heat is encoded only when it can be sent, so that it is the newest.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;

use super::super::admission::Permit;
use super::super::body::encode;
use super::closing::{BUG, Close};
use super::heat::HeatJob;
use crate::off_thread::off_thread;

pub(super) enum Outgoing {
    /// JSON, with the permit of its request.
    Text(String, Option<Permit>),
    Heat(HeatJob),
    Ping,
    Close(Close),
}

fn close((code, reason): Close) -> Message {
    let reason = reason.into();
    Message::Close(Some(CloseFrame { code, reason }))
}

/// Sends messages until there are no more, or the client is disconnected.
pub(super) async fn write(
    mut socket: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<Outgoing>,
) {
    while let Some(next) = outgoing.recv().await {
        let (message, _ticket) = match next {
            Outgoing::Text(text, permit) => (Message::Text(text.into()), permit),
            Outgoing::Heat(job) => match off_thread(move || encode(&job.build())).await {
                Ok(json) => match String::from_utf8(json) {
                    Ok(text) => (Message::Text(text.into()), None),
                    Err(_) => continue, // JSON is UTF-8
                },
                Err(error) => {
                    tracing::error!(%error, "heat cannot be encoded");
                    (close(BUG), None)
                }
            },
            Outgoing::Ping => (Message::Ping(axum::body::Bytes::new()), None),
            Outgoing::Close(reason) => (close(reason), None),
        };
        let is_last = matches!(message, Message::Close(_));
        if socket.send(message).await.is_err() || is_last {
            break;
        }
    }
    // Sends the answer to the client's Close frame, or a Close frame if there was none. A client that is gone does not need it.
    let _ = socket.close().await;
}
