//! How a WebSocket opens and ends: the handshake and the close codes of RFC 6455.

use std::io::Write;
use std::time::Duration;

use serde_json::json;
use tungstenite::Message;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;

use crate::SERVER;
use crate::http_server::Server;
use crate::live::Client;

const FINAL_TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// A frame with a mask of zeros, as it is written.
fn frame(head: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![head];
    match payload.len() {
        length @ 0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..0x1_0000 => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// The Close frame that the server sends next, apart from its messages.
fn closed(client: &mut Client) -> Option<(u16, String)> {
    loop {
        match client.socket.read() {
            Ok(Message::Close(frame)) => {
                return frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
            }
            Ok(_) => {}
            Err(error) => panic!("the connection ends without a Close frame: {error}"),
        }
    }
}

#[test]
fn a_close_frame_is_answered_with_its_code() {
    for code in [1000, 1001, 4321] {
        let mut client = Client::new(&SERVER);
        client.say(&json!({ "type": "open", "version": 1, "text": "x = 1\n" }));
        let frame = CloseFrame {
            code: CloseCode::from(code),
            reason: "done".into(),
        };
        client.socket.close(Some(frame)).unwrap();
        assert_eq!(closed(&mut client), Some((code, "done".to_owned())));
    }
    let mut client = Client::new(&SERVER);
    client.socket.close(None).unwrap();
    assert_eq!(closed(&mut client), None);
}

#[test]
fn each_violation_of_the_protocol_has_its_close_code() {
    let reserved_bit = frame(FINAL_TEXT | 0x40, b"{}");
    let reserved_opcode = frame(0x83, b"{}");
    let stray_continuation = frame(0x80, b"{}");
    let long_ping = frame(0x89, &[0; 126]);
    let fragmented_ping = frame(0x09, b"x");
    let unmasked = vec![FINAL_TEXT, 2, b'{', b'}'];
    let forbidden_code = frame(CLOSE, &1005_u16.to_be_bytes());
    let bad_utf8 = frame(FINAL_TEXT, b"{\"type\": \"\xff\"}");
    let half_utf8 = frame(FINAL_TEXT, "{\"😀".as_bytes().split_last().unwrap().1);
    let binary = frame(0x82, b"{}");
    for (bytes, code) in [
        (reserved_bit, 1002),
        (reserved_opcode, 1002),
        (stray_continuation, 1002),
        (long_ping, 1002),
        (fragmented_ping, 1002),
        (unmasked, 1002),
        (forbidden_code, 1002),
        (bad_utf8, 1007),
        (half_utf8, 1007),
        (binary, 1003),
    ] {
        let mut client = Client::new(&SERVER);
        client.socket.get_mut().write_all(&bytes).unwrap();
        let (found, reason) = closed(&mut client).unwrap();
        assert_eq!(found, code, "{bytes:?}: {reason}");
        assert!(!reason.is_empty(), "{bytes:?}");
    }
}

#[test]
fn a_message_that_is_too_large_is_told_so_while_it_is_still_being_sent() {
    let server = Server::ready(|options| options.limits.body_bytes = 50_000);
    let large = vec![b' '; 3 << 20];
    let mut start = frame(0x01, &large[..60_000]);
    start.extend(frame(0x80, &large[..60_000]));
    for bytes in [frame(FINAL_TEXT, &large), start] {
        let mut client = Client::new(&server);
        client.socket.get_mut().write_all(&bytes).unwrap();
        let (code, reason) = closed(&mut client).unwrap();
        assert_eq!(code, 1009);
        assert!(reason.contains("--max-body"), "{reason}");
    }
    server.await_metric("codegaze_live_connections", |open| open == 0.0);
}

#[test]
fn a_client_beyond_the_live_limit_is_closed_with_try_again_later() {
    let server = Server::ready(|options| options.limits.live = 1);
    let first = Client::new(&server);
    let request = format!("ws://{}/ws", server.address);
    let (socket, response) = tungstenite::client(request, server.connect()).unwrap();
    assert_eq!(response.status(), 101);
    let (code, reason) = closed(&mut Client { socket }).unwrap();
    assert_eq!(code, 1013);
    assert!(reason.contains("limit of live connections"), "{reason}");
    drop(first);
    server.await_metric("codegaze_live_connections", |open| open == 0.0);
    let mut client = Client::new(&server);
    client.say(&json!({ "type": "open", "version": 1, "text": "x = 1\n" }));
    client.heat(1);
}

#[test]
fn a_handshake_of_another_version_is_told_the_right_one() {
    let key = ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), key];
    let version = |version| [&upgrade[..], &[("sec-websocket-version", version)]].concat();
    for headers in [vec![], upgrade.to_vec(), version("8"), version("14")] {
        let reply = SERVER.send("GET", "/ws", &headers, b"");
        let message = reply.error(426, "upgrade_required");
        assert!(message.contains("version 13"), "{message}");
        assert_eq!(reply.header("sec-websocket-version"), Some("13"));
        assert_eq!(reply.header("upgrade"), Some("websocket"));
    }
    let headers = [&upgrade[..2], &[("sec-websocket-version", "13")]].concat();
    SERVER
        .send("GET", "/ws", &headers, b"")
        .error(400, "malformed");
}

#[test]
fn after_a_refused_open_questions_are_told_that_no_document_is_open() {
    let mut client = Client::new(&SERVER);
    for refused in [
        json!({ "type": "open", "version": 1, "text": "x", "model": "gpt" }),
        json!({ "type": "open", "version": 1, "text": "x", "view": { "layers": 9 } }),
        json!({ "type": "open", "version": 1, "text": "x", "view": { "method": "magic" } }),
    ] {
        client.say(&json!({ "type": "open", "version": 1, "text": "y = 2\n" }));
        client.heat(1);
        client.say(&refused);
        assert_eq!(client.error()["error_type"], "unanalysable", "{refused}");
        for (id, question) in ["matrix", "thumbnails", "summary"].into_iter().enumerate() {
            client.say(&json!({ "type": question, "id": id }));
            let error = client.error();
            assert_eq!(error["id"], id, "{error}");
            assert_eq!(error["error_type"], "unanalysable", "{error}");
            let message = error["error"].as_str().unwrap();
            assert!(message.contains("no document is open"), "{message}");
        }
    }
}

#[test]
fn half_of_a_surrogate_pair_is_one_replacement_character_and_no_edit_is_lost() {
    let mut client = Client::new(&SERVER);
    let send = |client: &mut Client, json: &str| {
        client.socket.send(Message::text(json)).unwrap();
    };
    let expected = |client: &mut Client, text: &str, version| {
        client.say(&json!({ "type": "open", "version": version, "text": text }));
        client.heat(version)["data"].clone()
    };
    let opened = r#"{"type":"open","version":1,"text":"s = \"\ud83d\"\nvalue = 1\n"}"#;
    send(&mut client, opened);
    let heat = client.heat(1)["data"].clone();
    assert_eq!(
        heat,
        expected(&mut client, "s = \"\u{fffd}\"\nvalue = 1\n", 1)
    );

    client.say(&json!({ "type": "open", "version": 1, "text": "s = \"\"\nvalue = 1\n" }));
    client.heat(1);
    let at = |line: u32, character: u32| json!({ "line": line, "character": character });
    let range = json!({ "start": at(0, 5), "end": at(0, 5) });
    let edit = format!(
        r#"{{"type":"edit","version":2,"changes":[{{"range":{range},"text":"\ud83d\n\nabc"}}]}}"#
    );
    send(&mut client, &edit);
    let range = json!({ "start": at(3, 0), "end": at(3, 5) });
    let changes = json!([{ "range": range, "text": "renamed" }]);
    client.say(&json!({ "type": "edit", "version": 3, "changes": changes }));
    let heat = client.heat(3)["data"].clone();
    let text = "s = \"\u{fffd}\n\nabc\"\nrenamed = 1\n";
    assert_eq!(heat, expected(&mut client, text, 3));
}

#[test]
fn an_idle_connection_stays_open() {
    let server = Server::ready(|options| options.limits.stall = Duration::from_millis(200));
    let mut client = Client::new(&server);
    std::thread::sleep(Duration::from_millis(600));
    client.say(&json!({ "type": "open", "version": 1, "text": "x = 1\n" }));
    client.heat(1);
}
