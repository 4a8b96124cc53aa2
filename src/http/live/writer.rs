//! The way out, at the client's pace: nothing is made before the client has read what was made last.

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use tokio::sync::mpsc;

use super::super::admission::Ticket;
use super::super::body::encode;
use super::heat::HeatJob;
use crate::off_thread::off_thread;

pub(super) enum Outgoing {
    /// JSON, with the leave that it was made under.
    Text(String, Option<Ticket>),
    Heat(HeatJob),
    Ping,
    Close {
        code: u16,
        reason: &'static str,
    },
}

/// Sends what comes, one after the other, until there is nothing more or nobody to send it to.
pub(super) async fn write(
    mut socket: SplitSink<WebSocket, Message>,
    mut outgoing: mpsc::Receiver<Outgoing>,
) {
    while let Some(next) = outgoing.recv().await {
        let (message, _ticket) = match next {
            Outgoing::Text(text, ticket) => (Message::Text(text.into()), ticket),
            Outgoing::Heat(job) => match off_thread(move || encode(&job.build())).await {
                Ok(json) => match String::from_utf8(json) {
                    Ok(text) => (Message::Text(text.into()), None),
                    Err(_) => continue, // JSON is UTF-8
                },
                Err(error) => {
                    tracing::error!(%error, "no heat");
                    continue;
                }
            },
            Outgoing::Ping => (Message::Ping(axum::body::Bytes::new()), None),
            Outgoing::Close { code, reason } => {
                let frame = CloseFrame {
                    code,
                    reason: reason.into(),
                };
                (Message::Close(Some(frame)), None)
            }
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
