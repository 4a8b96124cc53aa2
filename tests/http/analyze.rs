//! `POST /analyze`.

use codegaze::attribution::{Method, Sinks};
use serde_json::{Value, json};

use crate::{CODE, MODEL, SERVER, assert_close, expected, functions};

#[test]
fn the_embedding_is_the_library_s() {
    let found = SERVER
        .post("/analyze", &json!({ "code": CODE, "language": "python" }))
        .ok();
    let analysis = expected(CODE, Method::Received, "last", "mean", Sinks::Drop);
    let embedding = analysis.embedding.unwrap();
    assert_close(&found["embedding"], &embedding.mean);
    assert_eq!(found["token_count"], analysis.chunks[0].n_tokens);
    assert!(found["latency_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(found["chunk_count"], 1);
    assert_eq!(found["view"]["model"], "codegaze-mini");
    assert_eq!(found["unscored"], json!([]));
    let chunk = &found["chunks"][0];
    assert_eq!(chunk["core"], json!({ "start": 0, "end": CODE.len() }));
    assert_eq!(chunk["lines"], json!({ "first": 0, "last": 1 }));

    let request = json!({ "code": CODE, "pooling": "cls", "model": "codegaze-mini" });
    let cls = SERVER.post("/analyze", &request).ok();
    assert_close(&cls["embedding"], &embedding.cls);
    let embedded = json!({ "code": CODE, "model": "embedded", "chunk": null, "layers": null });
    assert_eq!(
        SERVER.post("/analyze", &embedded).ok()["embedding"],
        found["embedding"]
    );
}

#[test]
fn nothing_of_a_long_text_is_left_out() {
    let text = functions(12);
    let found = SERVER.post("/analyze", &json!({ "code": text })).ok();
    let analysis = expected(&text, Method::Received, "last", "mean", Sinks::Drop);
    assert_close(&found["embedding"], &analysis.embedding.unwrap().mean);
    let chunks = found["chunks"].as_array().unwrap();
    assert!(chunks.len() > 3);
    assert_eq!(found["chunk_count"], chunks.len());
    let mut end = 0;
    for (at, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk["index"], at);
        assert_eq!(chunk["core"]["start"], end);
        end = chunk["core"]["end"].as_u64().unwrap();
    }
    assert_eq!(end, text.len() as u64);
    let tokens = chunks
        .iter()
        .map(|chunk| chunk["token_count"].as_u64().unwrap());
    assert_eq!(found["token_count"], tokens.sum::<u64>());

    let one = SERVER
        .post("/analyze", &json!({ "code": text, "chunk": 2 }))
        .ok();
    assert_eq!(one["chunks"].as_array().unwrap().len(), 1);
    assert_eq!(one["chunks"][0]["index"], 2);
    assert_eq!(one["chunk_count"], chunks.len());
    assert_ne!(one["embedding"], found["embedding"]);
}

#[test]
fn what_was_read_before_is_not_read_again() {
    let text = functions(2) + "# for this test alone\n";
    let request = json!({ "code": text });
    let is_cached = |found: &Value| -> Vec<bool> {
        let chunks = found["chunks"].as_array().unwrap().iter();
        chunks
            .map(|chunk| chunk["cached"].as_bool().unwrap())
            .collect()
    };
    let first = SERVER.post("/analyze", &request);
    assert!(is_cached(&first.ok()).contains(&false));
    let again = SERVER.post("/analyze", &request);
    assert!(!is_cached(&again.ok()).contains(&false));
    let stages = |reply: &crate::http_server::Reply| -> Vec<String> {
        let header = reply.header("server-timing").unwrap().to_owned();
        let stages = header.split(", ").map(|stage| {
            let (name, duration) = stage.split_once(";dur=").unwrap();
            let duration: f64 = duration.parse().unwrap();
            assert!((0.0..60_000.0).contains(&duration), "{stage}");
            name.to_owned()
        });
        stages.collect()
    };
    assert_eq!(
        stages(&first),
        [
            "queue",
            "chunk",
            "tokenize",
            "forward",
            "attribute",
            "render",
            "total"
        ]
    );
    assert_eq!(stages(&again), ["queue", "chunk", "render", "total"]);
}

#[test]
fn several_models_serve_at_once() {
    let tiny = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/safetensors");
    let server = crate::Server::ready(|options| {
        options.models = ["embedded", tiny, "embedded"]
            .map(|model| model.parse().unwrap())
            .into();
    });
    let models = server.get("/models").ok();
    let models = models["models"].as_array().unwrap();
    assert_eq!(models.len(), 2, "named twice, there once: {models:?}");
    assert_eq!(models[0]["default"], true);
    assert_eq!(models[0]["hidden_size"], MODEL.info().hidden_size);
    assert_eq!(models[1]["name"], tiny);
    assert_eq!(models[1]["source"], "directory");
    for (model, hidden_size) in [
        (Value::Null, &models[0]["hidden_size"]),
        ("codegaze-mini".into(), &models[0]["hidden_size"]),
        (tiny.into(), &models[1]["hidden_size"]),
    ] {
        let found = server
            .post("/analyze", &json!({ "code": CODE, "model": model }))
            .ok();
        let length = found["embedding"].as_array().unwrap().len();
        assert_eq!(hidden_size, length, "{model}");
    }
}
