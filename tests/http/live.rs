//! `GET /ws`.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use codegaze::attribution::{Method, Sinks};
use codegaze::text::document::Document;
use codegaze::view::levels::{LevelThresholds, Levels};
use codegaze::view::packed::{pack, place, shown_in};
use codegaze::view::position::{Encoding, Positions};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::HeaderValue;
use tungstenite::{Message, WebSocket};

use crate::http_server::Server;
use crate::{CODE, SERVER, expected, functions};

pub(crate) struct Client {
    pub socket: WebSocket<TcpStream>,
}

impl Client {
    pub fn new(server: &Server) -> Self {
        Self::with(server, &[]).unwrap_or_else(|status| panic!("refused with {status}"))
    }

    /// The status, if the server does not want to talk.
    pub fn with(server: &Server, headers: &[(&'static str, &str)]) -> Result<Self, u16> {
        let mut request = format!("ws://{}/ws", server.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .insert(*name, HeaderValue::from_str(value).unwrap());
        }
        match tungstenite::client(request, server.connect()) {
            Ok((socket, _)) => {
                let mut client = Self { socket };
                let hello = client.next();
                assert_eq!(hello["type"], "hello");
                assert_eq!(hello["protocol"], "codegaze.1");
                Ok(client)
            }
            Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => {
                Err(response.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub fn say(&mut self, message: &Value) {
        self.socket
            .send(Message::text(message.to_string()))
            .unwrap();
    }

    /// The next message that is no ping.
    pub fn next(&mut self) -> Value {
        loop {
            match self.socket.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message that is as it should be.
    pub fn until(&mut self, is_right: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let message = self.next();
            if is_right(&message) {
                return message;
            }
            assert!(start.elapsed() < Duration::from_secs(120), "{message}");
        }
    }

    pub fn heat(&mut self, version: i64) -> Value {
        self.until(|message| {
            assert_ne!(message["type"], "error", "{message}");
            message["type"] == "heat"
                && message["version"] == version
                && message["complete"] == true
        })
    }

    /// The answer to a question.
    pub fn ask(&mut self, question: &Value) -> Value {
        self.say(question);
        let answer = self.until(|message| message["id"] == question["id"]);
        assert_eq!(answer["type"], question["type"], "{answer}");
        answer["result"].clone()
    }

    pub fn error(&mut self) -> Value {
        self.until(|message| message["type"] == "error")
    }
}

/// What the library makes of a text, packed.
fn packed(text: &str, method: Method, encoding: Encoding) -> Vec<u32> {
    packed_at(text, method, encoding, &LevelThresholds::default())
}

fn packed_at(
    text: &str,
    method: Method,
    encoding: Encoding,
    thresholds: &LevelThresholds,
) -> Vec<u32> {
    let layers = if method == Method::Rollout {
        "all"
    } else {
        "last"
    };
    let analysis = expected(text, method, layers, "mean", Sinks::Drop);
    let levels = Levels::new(&analysis, thresholds);
    let document = Document::new(text, 0);
    pack(place(
        Positions::new(&document, encoding),
        shown_in(&analysis.lexemes, &levels.lexemes, None),
    ))
}

/// The same places and levels; lifts to a thousandth or two.
#[track_caller]
fn assert_heat(heat: &Value, expected: &[u32]) {
    let data: Vec<i64> = heat["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_i64().unwrap())
        .collect();
    assert_eq!(data.len(), expected.len());
    for (found, expected) in data.chunks(5).zip(expected.chunks(5)) {
        assert_eq!(found[..4], [0, 1, 2, 3].map(|at| i64::from(expected[at])));
        assert!(
            (found[4] - i64::from(expected[4])).abs() <= 2,
            "{found:?} {expected:?}"
        );
    }
}

#[test]
fn heat_follows_the_text() {
    let mut client = Client::new(&SERVER);
    client.say(&json!({ "type": "open", "version": 1, "text": CODE, "language": "python" }));
    let heat = client.heat(1);
    assert_heat(&heat, &packed(CODE, Method::Received, Encoding::Utf16));
    assert_eq!(heat["levels"], 5);
    assert_eq!(heat["encoding"], "utf-16");
    assert_eq!(heat["chunks"]["all"], 1);
    assert_eq!(heat["unscored"], json!([]));
    assert_eq!(heat["view"]["method"], "received");

    // Behind the emoji, in UTF-16.
    let at = |line: u32, character: u32| json!({ "line": line, "character": character });
    let changes = json!([
        { "range": { "start": at(1, 29), "end": at(1, 31) }, "text": "ok" },
        { "range": { "start": at(0, 0), "end": at(0, 0) }, "text": "import os\n" },
    ]);
    client.say(&json!({ "type": "edit", "version": 5, "changes": changes }));
    let text = format!("import os\n{}", CODE.replace('😀', "ok"));
    assert_heat(
        &client.heat(5),
        &packed(&text, Method::Received, Encoding::Utf16),
    );

    client.say(&json!({ "type": "edit", "version": 6, "changes": [{ "text": CODE }] }));
    client.heat(6);
    client.say(&json!({ "type": "view", "view": { "method": "rollout" } }));
    let heat = client
        .until(|message| message["view"]["method"] == "rollout" && message["complete"] == true);
    assert_heat(&heat, &packed(CODE, Method::Rollout, Encoding::Utf16));

    for (encoding, unit) in [("utf-8", Encoding::Utf8), ("utf-32", Encoding::Utf32)] {
        client.say(&json!({ "type": "open", "version": 1, "text": CODE, "encoding": encoding }));
        let heat = client.heat(1);
        assert_eq!(heat["encoding"], encoding);
        assert_eq!(
            heat["view"]["method"], "received",
            "a new text is looked at anew"
        );
        assert_heat(&heat, &packed(CODE, Method::Received, unit));
    }
}

#[test]
fn heat_comes_chunk_by_chunk_and_what_is_visible_first() {
    let server = Server::ready(|_| ());
    let mut client = Client::new(&server);
    let text = functions(30);
    let lines = text.lines().count();
    let visible = json!({
        "start": { "line": lines - 20, "character": 0 }, "end": { "line": lines, "character": 0 },
    });
    client.say(&json!({ "type": "open", "version": 1, "text": text, "range": visible }));
    let first = client.until(|message| message["type"] == "heat");
    assert_eq!(first["complete"], false);
    assert!(first["chunks"]["done"].as_u64() < first["chunks"]["all"].as_u64());
    let unscored = first["unscored"].as_array().unwrap();
    assert_eq!(
        unscored[0]["start"],
        json!({ "line": 0, "character": 0 }),
        "the beginning waits"
    );
    let data = first["data"].as_array().unwrap();
    assert!(!data.is_empty());
    assert!(
        data[0].as_u64().unwrap() >= lines as u64 - 21,
        "only what is visible is told"
    );
    let whole = client.heat(1);
    assert_eq!(whole["chunks"]["done"], whole["chunks"]["all"]);
    // Looked at elsewhere, nothing is read again.
    let passes = server.metric("codegaze_engine_passes_total");
    client.say(&json!({ "type": "look", "range": null }));
    let all = client.heat(1);
    assert!(all["data"].as_array().unwrap().len() > whole["data"].as_array().unwrap().len());
    assert_eq!(server.metric("codegaze_engine_passes_total"), passes);
}

#[test]
fn the_latest_wins_and_a_slow_reader_gets_the_newest() {
    let server = Server::ready(|_| ());
    let mut client = Client::new(&server);
    let text = functions(20);
    client.say(&json!({ "type": "open", "version": 1, "text": text }));
    client.heat(1);
    for version in 2..=200 {
        let changes = json!([{
            "range": { "start": { "line": 3, "character": 4 }, "end": { "line": 3, "character": 4 } },
            "text": "x",
        }]);
        client.say(&json!({ "type": "edit", "version": version, "changes": changes }));
        std::thread::sleep(Duration::from_millis(5));
    }
    // Nothing was read meanwhile.
    let mut seen = Vec::new();
    let last = client.until(|message| {
        assert_eq!(message["type"], "heat");
        message["version"] == 200 && message["complete"] == true
    });
    seen.push(last["version"].as_i64().unwrap());
    let edited = text.replacen(
        "    value_2 =",
        &format!("    {}value_2 =", "x".repeat(199)),
        1,
    );
    let expected = packed(&edited, Method::Received, Encoding::Utf16);
    let line = edited.lines().nth(3).unwrap();
    assert!(line.contains("xxx"), "{line}");
    assert_heat(&last, &expected);
}

#[test]
fn questions_about_the_document() {
    let mut client = Client::new(&SERVER);
    let text = functions(6);
    client.say(&json!({ "type": "open", "version": 3, "text": text }));
    client.heat(3);
    let position = json!({ "line": 1, "character": 5 });
    let analysis = expected(&text, Method::Received, "last", "mean", Sinks::Drop);

    let found = client.ask(&json!({ "type": "matrix", "id": 1, "position": position }));
    assert_eq!(found["version"], 3);
    assert_eq!(found["chunk"], 0);
    assert_eq!(found["chunks"], analysis.chunks.len());
    assert_eq!(found["unit"], "lexeme");
    assert_eq!(
        found["definition"]["start"],
        json!({ "line": 0, "character": 0 })
    );
    let tokens = found["tokens"].as_array().unwrap();
    assert_eq!(tokens[0]["label"], "def");
    let weights = STANDARD.decode(found["weights"].as_str().unwrap()).unwrap();
    assert_eq!(weights.len(), 4 * tokens.len() * tokens.len());
    let greatest = weights
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .fold(0.0, f32::max);
    assert!((f64::from(greatest) - found["max"].as_f64().unwrap()).abs() < 1e-6);

    let view = json!({ "layers": 2, "heads": 3 });
    let one = json!({ "type": "matrix", "id": 2, "chunk": 1, "view": view, "unit": "subword" });
    let one = client.ask(&one);
    assert_eq!(one["chunk"], 1);
    assert_eq!(one["view"]["layers"], json!([2]));
    assert_eq!(one["view"]["heads"], json!([3]));
    assert_eq!(one["unit"], "subword");
    assert_ne!(one["weights"], found["weights"]);

    let maps = client.ask(&json!({ "type": "thumbnails", "id": 3, "size": 8 }));
    assert_eq!(
        (&maps["layers"], &maps["heads"], &maps["size"]),
        (&json!(6), &json!(8), &json!(8))
    );
    let cells = STANDARD.decode(maps["cells"].as_str().unwrap()).unwrap();
    assert_eq!(cells.len(), 6 * 8 * 8 * 8);
    for map in cells.chunks_exact(64) {
        assert_eq!(map.iter().max(), Some(&255));
    }

    let lexeme = analysis.lexemes[analysis.lexeme_at(text.find("value_0").unwrap()).unwrap()];
    let detail = json!({ "type": "relations", "id": 4, "position": position, "limit": 3 });
    let detail = client.ask(&detail);
    assert_eq!(detail["lexeme"]["text"], lexeme.span.of(&text));
    assert_eq!(detail["lexeme"]["rank"], lexeme.rank);
    for direction in ["attends_to", "attendsTo", "attendedBy"] {
        let Some(ends) = detail[direction].as_array() else {
            assert_eq!(direction, "attends_to");
            continue;
        };
        assert_eq!(ends.len(), 3);
        let weights: Vec<f64> = ends
            .iter()
            .map(|end| end["weight"].as_f64().unwrap())
            .collect();
        assert!(
            weights.is_sorted_by(|a, b| a >= b) && weights[0] <= 1.0,
            "{weights:?}"
        );
    }

    let summary = client.ask(&json!({ "type": "summary", "id": 5 }));
    let definitions = summary["definitions"].as_array().unwrap();
    let names: Vec<&str> = definitions
        .iter()
        .map(|d| d["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[0], "function_0");
    assert_eq!(names.len(), 6);
    let shares = definitions
        .iter()
        .map(|d| d["share"].as_f64().unwrap())
        .sum::<f64>();
    assert!((shares - 1.0).abs() < 1e-3, "{shares}");
    let lines = summary["lines"].as_array().unwrap();
    assert_eq!(lines.len(), analysis.lines.len());
    assert_eq!(
        summary["chunks"].as_array().unwrap().len(),
        analysis.chunks.len()
    );
    let top = summary["top"].as_array().unwrap();
    assert_eq!((top.len(), &top[0]["rank"]), (20, &json!(1)));
    let all = client.ask(&json!({ "type": "summary", "id": 9, "top": 1_000_000 }));
    let all = all["top"].as_array().unwrap();
    assert_eq!(all.len(), analysis.lexemes.len());
    assert!(all.iter().any(|lexeme| lexeme["level"] == 0));
    let shares: f64 = all
        .iter()
        .filter_map(|lexeme| lexeme["share"].as_f64())
        .sum();
    let chunks = analysis.chunks.len();
    #[allow(clippy::cast_precision_loss, reason = "a few chunks")]
    let expected = chunks as f64;
    assert!(
        (shares - expected).abs() < 1e-3,
        "{shares} in {chunks} chunks"
    );

    // Where nothing is.
    let nowhere = json!({ "line": 14, "character": 0 });
    assert_eq!(text.lines().nth(14), Some(""));
    let nothing = json!({ "type": "relations", "id": 6, "position": nowhere });
    assert_eq!(client.ask(&nothing), Value::Null);
    client.say(&json!({ "type": "open", "version": 1, "text": "" }));
    assert_eq!(
        client.ask(&json!({ "type": "matrix", "id": 7 })),
        Value::Null
    );
    assert_eq!(
        client.ask(&json!({ "type": "thumbnails", "id": 8 })),
        Value::Null
    );
}

#[test]
fn levels_begin_where_the_client_wants_them_to() {
    let server = Server::ready(|_| ());
    let mut client = Client::new(&server);
    let quantiles = [0.0, 0.2, 0.4, 0.6, 0.8];
    let thresholds = LevelThresholds::new(&quantiles).unwrap();
    let expected = packed_at(CODE, Method::Received, Encoding::Utf16, &thresholds);
    let default = packed(CODE, Method::Received, Encoding::Utf16);
    assert!(expected.len() > default.len());
    client.say(&json!({ "type": "open", "version": 1, "text": CODE, "levelQuantiles": quantiles }));
    assert_heat(&client.heat(1), &expected);
    // It stays over edits and over other views.
    client.say(&json!({ "type": "edit", "version": 2, "changes": [{ "text": CODE }] }));
    assert_heat(&client.heat(2), &expected);
    let sum_of_levels = |client: &mut Client, id| -> u64 {
        let summary = client.ask(&json!({ "type": "summary", "id": id }));
        let top = summary["top"].as_array().unwrap();
        top.iter()
            .map(|lexeme| lexeme["level"].as_u64().unwrap())
            .sum()
    };
    let hot = sum_of_levels(&mut client, 1);
    client.say(&json!({ "type": "view", "levelQuantiles": LevelThresholds::default().quantiles }));
    let heat = client.until(|message| {
        message["type"] == "heat" && message["data"].as_array().unwrap().len() == default.len()
    });
    assert_heat(&heat, &default);
    assert!(sum_of_levels(&mut client, 2) < hot);
}

#[test]
fn a_newer_question_takes_an_older_one_s_place() {
    let server = Server::ready(|_| ());
    let mut client = Client::new(&server);
    client.say(&json!({ "type": "open", "version": 1, "text": functions(30) }));
    for id in 0..20 {
        client.say(&json!({ "type": "matrix", "id": id, "chunk": id % 8 }));
    }
    client.say(&json!({ "type": "matrix", "id": 99, "chunk": 1, "slot": "other" }));
    let mut fates = std::collections::BTreeMap::new();
    while fates.len() < 21 {
        let message = client.next();
        if let Some(id) = message["id"].as_u64() {
            assert!(
                fates.insert(id, message).is_none(),
                "{id} is answered twice"
            );
        }
    }
    for (id, message) in &fates {
        match (id, message["type"].as_str().unwrap()) {
            (19, kind) => assert_eq!((kind, &message["result"]["chunk"]), ("matrix", &json!(3))),
            (99, kind) => assert_eq!((kind, &message["result"]["chunk"]), ("matrix", &json!(1))),
            (_, "error") => assert_eq!(message["error_type"], "superseded"),
            (_, kind) => assert_eq!(kind, "matrix"),
        }
    }
    server.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
}

#[test]
fn what_is_said_wrongly() {
    let mut client = Client::new(&SERVER);
    let position = json!({ "line": 0, "character": 0 });
    for (message, error_type, word) in [
        (json!([]), "malformed", "object"),
        (json!({}), "malformed", "type"),
        (json!({ "type": "sing" }), "malformed", "sing"),
        (json!({ "type": "open", "version": 1 }), "malformed", "text"),
        (
            json!({ "type": "open", "version": 1, "text": "x", "color": 1 }),
            "malformed",
            "color",
        ),
        (
            json!({ "type": "open", "version": 1, "text": "x", "encoding": "ebcdic" }),
            "malformed",
            "ebcdic",
        ),
        (
            json!({ "type": "edit", "version": 2, "changes": [] }),
            "unanalysable",
            "no document",
        ),
        (
            json!({ "type": "look", "range": null }),
            "unanalysable",
            "no document",
        ),
        (json!({ "type": "view" }), "unanalysable", "no document"),
        (
            json!({ "type": "matrix", "id": 7 }),
            "unanalysable",
            "no document",
        ),
        (
            json!({ "type": "open", "version": 1, "text": "x", "model": "gpt" }),
            "unanalysable",
            "codegaze-mini",
        ),
        (
            json!({ "type": "open", "version": 1, "text": "x", "language": "x".repeat(65) }),
            "unanalysable",
            "language",
        ),
        (
            json!({ "type": "open", "version": 1, "text": "x", "view": { "layers": 9 } }),
            "unanalysable",
            "layer 9",
        ),
    ] {
        client.say(&message);
        let error = client.error();
        assert_eq!(error["error_type"], error_type, "{message}: {error}");
        assert!(
            error["error"].as_str().unwrap().contains(word),
            "{message}: {error}"
        );
        assert_eq!(error["id"], message["id"], "{message}: {error}");
    }
    client.say(&json!({ "type": "open", "version": 5, "text": CODE }));
    client.heat(5);
    for (message, word) in [
        (
            json!({ "type": "edit", "version": 5, "changes": [{ "text": "y" }] }),
            "versions must increase",
        ),
        (
            json!({ "type": "view", "levelQuantiles": [0.9, 0.8, 0.7, 0.6, 0.5] }),
            "levelQuantiles must be a list of five ascending numbers from 0 to 1",
        ),
        (
            json!({ "type": "view", "view": { "method": "magic" } }),
            "method must be one of received",
        ),
        (json!({ "type": "view", "model": "gpt" }), "codegaze-mini"),
        (
            json!({ "type": "matrix", "id": 1, "chunk": 9 }),
            "chunk 9 does not exist",
        ),
        (
            json!({ "type": "matrix", "id": 1, "view": { "heads": 99 } }),
            "head 99",
        ),
        (
            json!({ "type": "thumbnails", "id": 1, "model": "gpt" }),
            "codegaze-mini",
        ),
    ] {
        client.say(&message);
        let error = client.error();
        assert!(
            error["error"].as_str().unwrap().contains(word),
            "{message}: {error}"
        );
    }
    // None of it did any harm.
    client.say(&json!({ "type": "edit", "version": 6, "changes": [{ "text": CODE }] }));
    client.heat(6);
    assert_ne!(
        client.ask(&json!({ "type": "relations", "id": 2, "position": position })),
        Value::Null
    );
    client.say(&json!({ "type": "close" }));
    client.say(&json!({ "type": "summary", "id": 3 }));
    assert_eq!(client.error()["id"], 3);
}

#[test]
fn no_text_is_too_large_in_silence() {
    let server = Server::ready(|options| options.limits.body_bytes = 5_000);
    let mut client = Client::new(&server);
    client.say(&json!({ "type": "open", "version": 1, "text": "x = 1\n".repeat(1_000) }));
    assert_eq!(client.error()["error_type"], "too_large");
    client.say(&json!({ "type": "open", "version": 1, "text": "x = 1\n".repeat(500) }));
    client.heat(1);
    client.say(
        &json!({ "type": "edit", "version": 2, "changes": [{ "text": "y = 2\n".repeat(1_000) }] }),
    );
    assert_eq!(client.error()["error_type"], "too_large");
}

#[test]
fn who_may_talk() {
    let server = Server::ready(|options| {
        options.token = Some("a-token-that-nobody-guesses".to_owned());
        options.limits.live = 2;
    });
    let origin = format!("http://{}", server.address);
    let encoded = URL_SAFE_NO_PAD.encode("a-token-that-nobody-guesses");
    let offered = format!("codegaze.1, bearer.{encoded}");
    let bearer = [("authorization", "Bearer a-token-that-nobody-guesses")];
    let status = |headers: &[(&'static str, &str)]| Client::with(&server, headers).err();
    assert_eq!(status(&[]), Some(401));
    assert_eq!(
        status(&[("sec-websocket-protocol", "codegaze.1, bearer.eA")]),
        Some(401)
    );
    assert_eq!(
        status(&[bearer[0], ("origin", "https://evil.example")]),
        Some(403)
    );
    assert_eq!(status(&[bearer[0], ("host", "evil.example")]), Some(403));
    server.await_metric_with("codegaze_live_connections", &bearer, |open| open == 0.0);
    let first = Client::with(
        &server,
        &[("origin", &*origin), ("sec-websocket-protocol", &*offered)],
    );
    let second = Client::with(&server, &bearer);
    assert!(first.is_ok() && second.is_ok());
    drop((first, second));
    server.await_metric_with("codegaze_live_connections", &bearer, |open| open == 0.0);
    assert_eq!(status(&bearer), None);
}

#[test]
fn a_client_that_goes_is_forgotten_and_an_ending_server_says_so() {
    let mut server = Server::ready(|_| ());
    let mut client = Client::new(&server);
    client.say(&json!({ "type": "open", "version": 1, "text": functions(3_000) }));
    client.until(|message| message["type"] == "heat");
    drop(client);
    server.await_metric("codegaze_live_connections", |open| open == 0.0);
    let passes = server.metric("codegaze_engine_passes_total");
    std::thread::sleep(Duration::from_millis(300));
    assert!(server.metric("codegaze_engine_passes_total") <= passes + 1.0);

    let mut client = Client::new(&server);
    server.stop();
    // The server may have asked whether the client lives.
    let closed = loop {
        let message = client.socket.read().unwrap();
        if !message.is_ping() {
            break message;
        }
    };
    let Message::Close(Some(frame)) = closed else {
        panic!("{closed:?}");
    };
    assert_eq!(u16::from(frame.code), 1001);
    server.join().unwrap();
}

#[test]
fn who_only_talks_is_let_go() {
    let server = Server::ready(|_| ());
    let mut client = Client::new(&server);
    // Until the server does not listen any more.
    let start = Instant::now();
    while client
        .socket
        .send(Message::text("nonsense".repeat(100)))
        .is_ok()
    {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "it listens for ever"
        );
    }
    server.await_metric("codegaze_live_connections", |open| open == 0.0);
}
