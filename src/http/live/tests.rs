//! A bug in the work of a live connection, as a real client sees it.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;
use tungstenite::{Message, WebSocket};

use crate::http::{Bound, ServerOptions};
use crate::model::source::HubOptions;

/// A message with this text, and heat of a document that contains it, cause a panic.
pub(super) const PANIC: &str = "panic here, as if there were a bug";

/// Runs `work`, which gets the address of a server, and ends the server.
fn with_server(work: impl FnOnce(SocketAddr) + Send + 'static) {
    let options = ServerOptions {
        port: 0,
        hub: HubOptions {
            offline: true,
            ..HubOptions::from_env()
        },
        ..ServerOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let bound = Bound::new(options).await.unwrap();
        let address = bound.address();
        let (done, end) = oneshot::channel();
        let client = std::thread::spawn(move || {
            work(address);
            // The server is gone only if it failed, which the last line reports.
            let _ = done.send(());
        });
        // Also ends if the client panicked.
        let served = bound.serve(async { drop(end.await) }).await;
        client.join().unwrap();
        served.unwrap();
    });
}

fn connect(address: SocketAddr) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let (socket, _) = tungstenite::client(format!("ws://{address}/ws"), stream).unwrap();
    socket
}

fn open(text: &str) -> Message {
    Message::text(json!({ "type": "open", "version": 1, "text": text }).to_string())
}

/// The code with which the server closes the connection.
fn close_code(socket: &mut WebSocket<TcpStream>) -> u16 {
    loop {
        match socket.read().unwrap() {
            Message::Close(frame) => return frame.unwrap().code.into(),
            message => assert!(!message.to_string().contains("\"heat\""), "{message}"),
        }
    }
}

/// Waits for a document's heat.
fn heat(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        let message = socket.read().unwrap();
        if !message.is_text() {
            continue;
        }
        let message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        if message["type"] == "heat" {
            return message;
        }
    }
}

#[cfg(feature = "embedded")]
#[test]
fn a_panic_closes_its_connection_with_1011_and_no_other() {
    with_server(|address| {
        let mut other = connect(address);
        other.send(open("x = 1\n")).unwrap();
        heat(&mut other);
        for message in [Message::text(PANIC), open(&format!("# {PANIC}\n"))] {
            let mut socket = connect(address);
            socket.send(message).unwrap();
            assert_eq!(close_code(&mut socket), 1011);
        }
        other.send(open("y = 2\n")).unwrap();
        heat(&mut other);
        let mut new = connect(address);
        new.send(open("z = 3\n")).unwrap();
        assert_eq!(heat(&mut new)["version"], 1);
    });
}
