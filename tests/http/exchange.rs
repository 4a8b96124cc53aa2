//! HTTP itself: compression, conditional requests, encodings, origins.

use std::io::Read;

use serde_json::{Value, json};

use crate::http_server::Reply;
use crate::{CODE, SERVER, functions};

const JSON: (&str, &str) = ("content-type", "application/json");

fn decoded(reply: &Reply) -> Vec<u8> {
    let mut body = Vec::new();
    match reply.header("content-encoding") {
        Some("gzip") => flate2::read::GzDecoder::new(&*reply.body).read_to_end(&mut body),
        Some("br") => brotli::Decompressor::new(&*reply.body, 4096).read_to_end(&mut body),
        coding => panic!("{coding:?}"),
    }
    .unwrap();
    body
}

#[test]
fn large_responses_are_compressed_for_clients_that_accept_it() {
    let gzip = ("accept-encoding", "gzip, deflate");
    let brotli = ("accept-encoding", "gzip, deflate, br, zstd");
    for path in [
        "/",
        "/codegaze.js",
        "/codegaze.css",
        "/openapi.json",
        "/docs",
    ] {
        let plain = SERVER.get(path);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let replies = [gzip, brotli].map(|accept| SERVER.send("GET", path, &[accept], b""));
        if plain.body.len() < 4096 {
            assert!(replies.iter().all(|reply| reply.body == plain.body));
            continue;
        }
        for reply in [&plain].into_iter().chain(&replies) {
            let mut vary = reply.headers("vary");
            assert!(vary.any(|value| value == "accept-encoding"), "{path}");
        }
        for (reply, coding) in replies.iter().zip(["gzip", "br"]) {
            assert_eq!(reply.header("content-encoding"), Some(coding), "{path}");
            assert_eq!(decoded(reply), plain.body, "{path}");
            assert!(reply.body.len() * 2 < plain.body.len(), "{path}");
        }
        assert!(replies[1].body.len() < replies[0].body.len(), "{path}");
    }
    let body = json!({ "code": functions(6), "visualize": false }).to_string();
    let plain = SERVER.send("POST", "/analyze-attention", &[JSON], body.as_bytes());
    for accept in [gzip, brotli] {
        let headers = [JSON, accept];
        let reply = SERVER.send("POST", "/analyze-attention", &headers, body.as_bytes());
        let found: Value = serde_json::from_slice(&decoded(&reply)).unwrap();
        assert_eq!(found["chunks"], plain.ok()["chunks"]);
        assert!(reply.body.len() * 3 < plain.body.len() * 2);
    }
    SERVER.await_metric("codegaze_queue_depth", |depth| depth == 0.0);
    // Small ones are not, nor those for others.
    let small = SERVER.send("GET", "/health", &[gzip], b"");
    assert_eq!(small.header("content-encoding"), None);
    let refused = ("accept-encoding", "gzip;q=0, *;q=0");
    let reply = SERVER.send("GET", "/codegaze.js", &[refused], b"");
    assert_eq!(reply.header("content-encoding"), None);
    let head = SERVER.send("HEAD", "/codegaze.js", &[gzip], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn a_known_etag_is_recognized_in_every_form() {
    for path in ["/", "/codegaze.js", "/docs", "/openapi.json"] {
        let whole = SERVER.get(path);
        let etag = whole.header("etag").unwrap();
        let strong = etag.strip_prefix("W/").unwrap();
        for known in [
            etag,
            strong,
            "*",
            &format!("\"other\", {strong}"),
            &format!("W/\"x,y\" ,{etag}, \"z\""),
        ] {
            let reply = SERVER.send("GET", path, &[("if-none-match", known)], b"");
            assert_eq!((reply.status, reply.body.len()), (304, 0), "{known}");
            assert_eq!(reply.header("etag"), Some(etag));
        }
        for other in ["\"0\"", "W/\"0\"", strong.trim_matches('"')] {
            let reply = SERVER.send("GET", path, &[("if-none-match", other)], b"");
            assert_eq!((reply.status, &reply.body), (200, &whole.body), "{other}");
        }
    }
}

#[test]
fn an_encoded_body_is_refused_as_such() {
    let body = json!({ "code": CODE }).to_string();
    for encoding in ["gzip", "br", "gzip, identity"] {
        let headers = [JSON, ("content-encoding", encoding)];
        for path in ["/analyze", "/analyze-source", "/explain"] {
            let reply = SERVER.send("POST", path, &headers, body.as_bytes());
            let message = reply.error(415, "unsupported_media_type");
            assert!(message.contains("Content-Encoding"), "{message}");
            assert!(message.contains(encoding), "{message}");
            assert_eq!(reply.header("accept-encoding"), Some("identity"));
        }
    }
    let headers = [JSON, ("content-encoding", "identity")];
    SERVER
        .send("POST", "/analyze", &headers, body.as_bytes())
        .ok();
}

#[test]
fn a_page_without_an_origin_is_not_told_to_allow_all_of_them() {
    let reply = SERVER.send("GET", "/health", &[("origin", "null")], b"");
    let message = reply.error(403, "forbidden_origin");
    assert!(!message.contains("null"), "{message}");
    assert!(message.contains("--allow-origin"), "{message}");
    let reply = SERVER.send("GET", "/health", &[("origin", "https://a.example")], b"");
    let message = reply.error(403, "forbidden_origin");
    assert!(message.contains("--allow-origin https://a.example"));
}
