//! What tells about the server: the OpenAPI document, its page, models, metrics.

use serde_json::json;

use crate::{CODE, MODEL, SERVER};

#[test]
fn the_document_has_every_endpoint() {
    let document = SERVER.get("/openapi.json").ok();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let operations: Vec<String> = paths
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(move |method| format!("{method} {path}"))
        })
        .collect();
    let expected = [
        "post /analyze",
        "post /analyze-attention",
        "post /analyze-source",
        "post /analyze-with-attention",
        "post /explain",
        "post /get-attention",
        "get /health",
        "get /metrics",
        "get /models",
        "get /ready",
        "get /ws",
    ];
    let mut sorted = operations.clone();
    sorted.sort_by_key(|operation| operation.split_once(' ').unwrap().1.to_owned());
    assert_eq!(sorted, expected);
    // All that is referred to is there, and all has words.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
    for (path, item) in paths {
        for operation in item.as_object().unwrap().values() {
            assert!(operation["summary"].is_string(), "{path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{path} {status}");
            }
        }
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let reply = SERVER.get("/docs");
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(
        reply
            .header("content-security-policy")
            .unwrap()
            .contains("default-src 'none'")
    );
    let page = reply.text();
    for path in [
        "/analyze-with-attention",
        "/get-attention",
        "/explain",
        "/ws",
        "/metrics",
    ] {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
    for absent in [
        "<script", "http://", "https://", "<link", "<img", "@import", "url(",
    ] {
        assert!(!page.contains(absent), "{absent}");
    }
}

#[test]
fn the_page_comes_with_all_its_parts_and_nothing_else() {
    let page = SERVER.get("/");
    assert_eq!(page.status, 200);
    let html = String::from_utf8(page.body.clone()).unwrap();
    for (path, kind) in [
        ("/", "text/html"),
        ("/codegaze.js", "text/javascript"),
        ("/codegaze.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
    ] {
        let reply = SERVER.get(path);
        assert!(reply.header("content-type").unwrap().starts_with(kind));
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(path == "/" || html.contains(&path[1..]), "{path}");
        // What a browser has need not be sent again.
        let etag = reply.header("etag").unwrap();
        let again = SERVER.send("GET", path, &[("if-none-match", etag)], b"");
        assert_eq!((again.status, again.body.len()), (304, 0));
        let other = SERVER.send("GET", path, &[("if-none-match", "\"0\"")], b"");
        assert_eq!((other.status, &other.body), (200, &reply.body));
    }
    for outside in ["http://", "https://", "<style", " style="] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn models_and_what_requests_take() {
    let found = SERVER.get("/models").ok();
    let info = MODEL.info();
    let model = &found["models"][0];
    assert_eq!(model["name"], "codegaze-mini");
    assert_eq!(model["id"], *info.id);
    assert_eq!(model["layers"], info.n_layers);
    assert_eq!(model["heads"], info.n_heads);
    assert_eq!(model["hidden_size"], info.hidden_size);
    assert_eq!(model["max_tokens"], info.max_tokens);
    assert_eq!(model["source"], "embedded");
    for (kind, path) in [
        ("methods", "method"),
        ("sinks", "sinks"),
        ("aggregates", "aggregate"),
    ] {
        for name in found[kind].as_array().unwrap() {
            SERVER
                .post("/analyze-source", &json!({ "code": CODE, path: name }))
                .ok();
        }
    }
    for colormap in found["colormaps"].as_array().unwrap() {
        let request = json!({ "tokens": ["a"], "attention": [[1]], "colormap": colormap });
        SERVER.post("/explain", &request).ok();
    }
    assert_eq!(
        SERVER.get("/health").ok()["version"],
        env!("CARGO_PKG_VERSION")
    );
    let reply = SERVER.send("HEAD", "/health", &[], b"");
    assert_eq!(reply.status, 200);
}

#[test]
fn what_is_counted() {
    let server = crate::Server::ready(|_| ());
    let metrics = server.get("/metrics");
    assert!(
        metrics
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    for _ in 0..3 {
        server.post("/analyze", &json!({ "code": CODE })).ok();
    }
    server
        .post("/analyze", &json!({ "code": "" }))
        .error(422, "unanalysable");
    server.get("/a/path/of/a/client");
    let text = server.get("/metrics").text();
    let tokens = server.post("/analyze", &json!({ "code": CODE })).ok()["token_count"]
        .as_f64()
        .unwrap();
    for (name, value) in [
        (
            "codegaze_http_requests_total{path=\"/analyze\",status=\"200\"}",
            3.0,
        ),
        (
            "codegaze_http_requests_total{path=\"/analyze\",status=\"422\"}",
            1.0,
        ),
        (
            "codegaze_http_requests_total{path=\"other\",status=\"404\"}",
            1.0,
        ),
        (
            "codegaze_http_request_duration_seconds_count{path=\"/analyze\"}",
            4.0,
        ),
        (
            "codegaze_stage_duration_seconds_count{stage=\"forward\"}",
            1.0,
        ),
        (
            "codegaze_stage_duration_seconds_count{stage=\"queue\"}",
            3.0,
        ),
        ("codegaze_tokens_total{origin=\"model\"}", tokens),
        ("codegaze_tokens_total{origin=\"cache\"}", 2.0 * tokens),
        ("codegaze_cache_hits_total", 2.0),
        ("codegaze_cache_misses_total", 1.0),
        ("codegaze_engine_passes_total", 1.0),
        ("codegaze_queue_depth", 0.0),
        ("codegaze_live_connections", 0.0),
        (
            concat!(
                "codegaze_build_info{version=\"",
                env!("CARGO_PKG_VERSION"),
                "\"}"
            ),
            1.0,
        ),
    ] {
        let line = format!("\n{name} ");
        let (_, rest) = text
            .split_once(&line)
            .unwrap_or_else(|| panic!("{name} is not in\n{text}"));
        let found: f64 = rest.lines().next().unwrap().parse().unwrap();
        assert_eq!(found, value, "{name}");
    }
    assert!(!text.contains("/a/path/of/a/client"));
}
