//! Each way in which a request can be wrong: its status, its type, and words that help.

use serde_json::{Value, json};

use crate::{CODE, SERVER, functions};

const TEXT_ENDPOINTS: [&str; 4] = [
    "/analyze",
    "/analyze-with-attention",
    "/analyze-attention",
    "/get-attention",
];

/// A right request with one field changed.
fn with(changes: &Value) -> Value {
    let mut request = json!({ "code": CODE });
    for (key, value) in changes.as_object().unwrap() {
        request[key] = value.clone();
    }
    request
}

#[test]
fn what_is_malformed() {
    let json = [("content-type", "application/json")];
    for path in TEXT_ENDPOINTS {
        for (body, word) in [
            ("", "object"),
            ("{", "EOF"),
            ("null", "object"),
            (
                "[\"x\", null, null, null, null, null, null, null, null, null]",
                "object",
            ),
            ("\"code\"", "object"),
            ("{\"code\": 1}", "string"),
            ("{}", "code"),
            ("{\"code\": \"x\", \"code\": \"y\"}", "duplicate"),
            ("{\"code\": \"x\", \"color\": 1}", "color"),
            ("{\"code\": \"x\", \"model\": 3}", "string"),
            ("{\"code\": \"x\", \"chunk\": -1}", "-1"),
            ("{\"code\": \"x\", \"chunk\": 1.5}", "1.5"),
            ("{\"code\": \"\\ud800\"}", "hex escape"),
            ("[[[[[[", "object"),
        ] {
            let reply = SERVER.send("POST", path, &json, body.as_bytes());
            let message = reply.error(400, "malformed");
            assert!(message.contains(word), "{path} {body}: {message}");
        }
        let deep = "{\"code\":".repeat(50_000);
        SERVER
            .send("POST", path, &json, deep.as_bytes())
            .error(400, "malformed");
        SERVER
            .send("POST", path, &json, b"{\"code\": \"\xff\"}")
            .error(400, "malformed");
    }
    for body in [
        json!({ "tokens": ["a"] }),
        json!({ "tokens": "a", "attention": [[1]] }),
        json!({ "tokens": ["a"], "attention": [["1"]] }),
        json!({ "tokens": ["a"], "attention": [[null]] }),
        json!({ "tokens": ["a"], "attention": [[1e39]] }),
        json!({ "tokens": ["a"], "attention": [[1]], "size": -1 }),
        json!({ "tokens": ["a"], "attention": [[1]], "kind": "x" }),
    ] {
        SERVER.post("/explain", &body).error(400, "malformed");
    }
}

#[test]
fn what_cannot_be_analyzed() {
    for path in TEXT_ENDPOINTS {
        for (changes, word) in [
            (json!({ "code": "" }), "whitespace"),
            (json!({ "code": " \n\t\u{a0}\r\n" }), "whitespace"),
            (json!({ "model": "gpt" }), "codegaze-mini"),
            (json!({ "model": "" }), "codegaze-mini"),
            (json!({ "model": "../../etc/passwd" }), "codegaze-mini"),
            (json!({ "chunk": 1 }), "chunk 1 does not exist"),
            (json!({ "language": "x".repeat(65) }), "language"),
            (json!({ "layers": 6 }), "layer 6 is out of range"),
            (json!({ "layers": "first" }), "layers must be last, all"),
            (json!({ "layers": [] }), "layers must be last, all"),
            (json!({ "layers": [-1] }), "layers must be last, all"),
            (json!({ "layers": 1e300 }), "layers must be last, all"),
            (json!({ "layers": {} }), "layers must be last, all"),
            (json!({ "layers": "5-2" }), "layers must be last, all"),
            (json!({ "layers": "0-99999999999" }), "out of range"),
            (json!({ "heads": 8 }), "head 8 is out of range"),
            (json!({ "heads": "none" }), "heads must be mean, max"),
        ] {
            let message = SERVER
                .post(path, &with(&changes))
                .error(422, "unanalysable");
            assert!(message.contains(word), "{path} {changes}: {message}");
        }
    }
    for (path, changes, word) in [
        (
            "/analyze",
            json!({ "method": "magic" }),
            "method must be one of received, cls",
        ),
        (
            "/analyze",
            json!({ "sinks": true }),
            "sinks must be one of drop, keep",
        ),
        (
            "/analyze-source",
            json!({ "aggregate": "median" }),
            "aggregate must be one of sum, mean, max, first, corrected",
        ),
        (
            "/analyze-attention",
            json!({ "colormap": "jet" }),
            "cividis",
        ),
        ("/analyze-attention", json!({ "size": 3 }), "at least"),
        (
            "/analyze-attention",
            json!({ "size": 4_000_000_000_u32 }),
            "too large",
        ),
        (
            "/get-attention",
            json!({ "layer": 1, "layers": [1] }),
            "both layer and layers",
        ),
        (
            "/get-attention",
            json!({ "head": 1, "heads": "all" }),
            "both head and heads",
        ),
        (
            "/get-attention",
            json!({ "layer": "all" }),
            "layer is one, not 6",
        ),
        ("/get-attention", json!({ "head": [1, 2] }), "heads"),
        ("/get-attention", json!({ "layer": -1 }), "layer"),
    ] {
        let message = SERVER
            .post(path, &with(&changes))
            .error(422, "unanalysable");
        assert!(message.contains(word), "{path} {changes}: {message}");
    }
    for (body, word) in [
        (json!({ "tokens": [], "attention": [] }), "no tokens"),
        (
            json!({ "tokens": ["a", "b"], "attention": [[1, 0]] }),
            "1 rows",
        ),
        (
            json!({ "tokens": ["a", "b"], "attention": [[1, 0], [1]] }),
            "row 1 has 1",
        ),
        (
            json!({ "tokens": ["a"], "attention": [[-1]] }),
            "query 0, key 0",
        ),
        (
            json!({ "tokens": ["a"], "attention": [[1]], "size": 1 }),
            "at least",
        ),
        (
            json!({ "tokens": ["a"], "attention": [[1]], "colormap": "" }),
            "cividis",
        ),
        (
            json!({ "tokens": ["a"], "attention": [[1]], "title": "x".repeat(1001) }),
            "title",
        ),
    ] {
        let message = SERVER.post("/explain", &body).error(422, "unanalysable");
        assert!(message.contains(word), "{body}: {message}");
    }
}

#[test]
fn what_is_not_there() {
    for path in [
        "/nothing",
        "/analyze/",
        "/models/1",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "//",
        "/docs/x",
    ] {
        SERVER.get(path).error(404, "not_found");
    }
    for (method, path) in [
        ("GET", "/analyze"),
        ("PUT", "/analyze"),
        ("DELETE", "/models"),
        ("POST", "/health"),
        ("POST", "/docs"),
        ("PATCH", "/ws"),
        ("TRACE", "/"),
    ] {
        let reply = SERVER.send(method, path, &[], b"");
        reply.error(405, "method_not_allowed");
        assert!(reply.header("allow").is_some(), "{method} {path}");
    }
}

#[test]
fn what_is_no_json() {
    let body = json!({ "code": CODE }).to_string();
    for media_type in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application",
    ] {
        let headers = [("content-type", media_type)];
        let reply = SERVER.send("POST", "/analyze", &headers, body.as_bytes());
        reply.error(415, "unsupported_media_type");
    }
    SERVER
        .send("POST", "/analyze", &[], body.as_bytes())
        .error(415, "unsupported_media_type");
    for media_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let headers = [("content-type", media_type)];
        SERVER
            .send("POST", "/analyze", &headers, body.as_bytes())
            .ok();
    }
}

#[test]
fn what_is_too_large() {
    let server = crate::Server::ready(|options| {
        options.limits.body_bytes = 10_000;
        options.limits.answer_cells = 200 * 200;
    });
    let json = ("content-type", "application/json");
    let body = json!({ "code": "x = 1\n".repeat(2_000) }).to_string();
    let reply = server.send("POST", "/analyze", &[json], body.as_bytes());
    assert!(reply.error(413, "too_large").contains("10000"));
    // Without a length it is seen while it comes.
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let headers = [json, ("transfer-encoding", "chunked")];
    server
        .send("POST", "/analyze", &headers, chunked.as_bytes())
        .error(413, "too_large");
    let small = json!({ "code": CODE }).to_string();
    let chunked = format!("{:x}\r\n{small}\r\n0\r\n\r\n", small.len());
    server
        .send("POST", "/analyze", &headers, chunked.as_bytes())
        .ok();

    // An answer, too, has a limit: it says what to ask for instead.
    let long = functions(8);
    server.post("/analyze", &json!({ "code": long })).ok();
    let message = server
        .post("/analyze-with-attention", &json!({ "code": long }))
        .error(422, "unanalysable");
    assert!(message.contains("one chunk"), "{message}");
    let all = json!({ "code": CODE, "layers": "all", "heads": "all" });
    server.post("/get-attention", &all).ok();
    let all = json!({ "code": long, "chunk": 0, "layers": "all", "heads": "all" });
    server
        .post("/get-attention", &all)
        .error(422, "unanalysable");

    let head = format!("x-long: {}\r\n", "x".repeat(64 << 10));
    let reply = server.send("GET", "/health", &[("x", head.trim_end())], b"");
    assert_eq!(reply.status, 431);
}
