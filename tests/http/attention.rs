//! `POST /analyze-with-attention`, `/analyze-attention`, `/explain`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codegaze::attribution::{Method, Sinks};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::http_server::Server;
use crate::{CODE, SERVER, assert_close, expected, functions, numbers};

/// Width and height of a picture that is whole.
fn png_size(picture: &Value) -> (u32, u32) {
    let png = STANDARD.decode(picture.as_str().unwrap()).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert!(
        pixels.iter().any(|&pixel| pixel != pixels[0]),
        "nothing is drawn"
    );
    let info = reader.info();
    (info.width, info.height)
}

#[test]
fn embedding_and_fused_matrix() {
    let found = SERVER
        .post("/analyze-with-attention", &json!({ "code": CODE }))
        .ok();
    let analysis = expected(CODE, Method::Received, "last", "mean", Sinks::Drop);
    let matrix = analysis.chunks[0].matrix.as_ref().unwrap();
    assert_close(&found["embedding"], &analysis.embedding.unwrap().mean);
    assert_close(&found["attention"], &matrix.weights);
    let tokens: Vec<&str> = found["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token.as_str().unwrap())
        .collect();
    assert_eq!(tokens.len(), matrix.n_tokens);
    assert_eq!((tokens[0], tokens[tokens.len() - 1]), ("<s>", "</s>"));
    assert!(
        tokens.contains(&"def") && tokens.contains(&" return"),
        "{tokens:?}"
    );
    let rows = found["attention"].as_array().unwrap();
    assert_eq!(rows.len(), tokens.len());
    for row in rows {
        assert_eq!(row.as_array().unwrap().len(), tokens.len());
        let sum: f64 = numbers(row).iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
    }
    assert_eq!(found["chunks"], json!([]));
}

#[test]
fn importance_by_text_and_by_token() {
    for (method, sinks) in [
        (Method::Received, Sinks::Drop),
        (Method::Received, Sinks::Keep),
        (Method::Cls, Sinks::Drop),
        (Method::Norm, Sinks::Drop),
        (Method::Rollout, Sinks::Keep),
    ] {
        let request = json!({
            "code": CODE, "method": method.as_str(), "sinks": sinks.as_str(),
            "layers": "0-2", "heads": [1, 3], "visualize": false,
        });
        let found = SERVER.post("/analyze-attention", &request).ok();
        let analysis = expected(CODE, method, "0-2", "1,3", sinks);
        let chunk = &analysis.chunks[0];
        assert_close(&found["attention"], &chunk.matrix.as_ref().unwrap().weights);
        assert_eq!(found["view"]["layers"], json!([0, 1, 2]));
        assert_eq!(found["view"]["heads"], json!([1, 3]));
        assert_eq!(found["error"], Value::Null);
        assert_eq!(found["visualization"], Value::Null);

        let by_token = found["token_importance"].as_array().unwrap();
        let scores: Value = by_token
            .iter()
            .map(|token| token["score"].clone())
            .collect();
        let expected: Vec<f32> = chunk
            .subwords
            .as_ref()
            .unwrap()
            .iter()
            .map(|subword| subword.score)
            .collect();
        assert_close(&scores, &expected);
        let sum: f64 = numbers(&scores).iter().sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");
        let mut sums = std::collections::BTreeMap::<&str, f64>::new();
        for token in by_token {
            let text = token["text"].as_str().unwrap();
            *sums.entry(text).or_default() += token["score"].as_f64().unwrap();
            match &token["span"] {
                Value::Null => {
                    assert!(["<s>", "</s>"].contains(&text));
                    assert_eq!(token["line"], Value::Null);
                }
                span => {
                    let at = |end: &str| usize::try_from(span[end].as_u64().unwrap()).unwrap();
                    assert_eq!(&CODE[at("start")..at("end")], text);
                    let line = CODE[..at("start")].matches('\n').count();
                    assert_eq!(token["line"], line);
                }
            }
        }
        let by_text = found["importance"].as_object().unwrap();
        assert_eq!(by_text.len(), sums.len());
        for (text, sum) in sums {
            assert!(
                (by_text[text].as_f64().unwrap() - sum).abs() < 1e-5,
                "{text}"
            );
        }
    }
}

#[test]
fn the_picture_is_a_picture() {
    let found = SERVER
        .post("/analyze-attention", &json!({ "code": CODE }))
        .ok();
    let (width, height) = png_size(&found["visualization"]);
    assert!(width > 100 && height > 100);
    let request = json!({ "code": CODE, "size": 900, "colormap": "magma" });
    let sized = SERVER.post("/analyze-attention", &request).ok();
    assert_eq!(png_size(&sized["visualization"]).0, 900);
    assert_ne!(sized["visualization"], found["visualization"]);
}

#[test]
fn every_chunk_of_a_long_text() {
    let text = functions(6);
    let found = SERVER
        .post(
            "/analyze-attention",
            &json!({ "code": text, "visualize": true }),
        )
        .ok();
    let analysis = expected(&text, Method::Received, "last", "mean", Sinks::Drop);
    let chunks = found["chunks"].as_array().unwrap();
    assert!(chunks.len() > 1);
    assert_eq!(chunks.len(), analysis.chunks.len());
    for (found, expected) in chunks.iter().zip(&analysis.chunks) {
        assert_close(
            &found["attention"],
            &expected.matrix.as_ref().unwrap().weights,
        );
        assert_eq!(found["chunk"]["span"]["start"], expected.span.start);
        png_size(&found["visualization"]);
    }
    for key in [
        "tokens",
        "attention",
        "importance",
        "token_importance",
        "visualization",
        "chunk",
    ] {
        assert_eq!(found[key], chunks[0][key], "{key}");
    }
    let one = json!({ "code": text, "chunk": 1, "visualize": false });
    let one = SERVER.post("/analyze-attention", &one).ok();
    assert_eq!(one["chunks"], json!([]));
    assert_eq!(one["attention"], chunks[1]["attention"]);
    let both = SERVER
        .post("/analyze-with-attention", &json!({ "code": text }))
        .ok();
    assert_eq!(both["chunks"][1]["attention"], chunks[1]["attention"]);
}

#[test]
fn a_long_text_has_pictures_only_on_request_and_scores_at_any_length() {
    let text = functions(6);
    let plain = SERVER
        .post("/analyze-attention", &json!({ "code": text }))
        .ok();
    for chunk in plain["chunks"].as_array().unwrap() {
        assert_eq!(chunk["visualization"], Value::Null);
        assert!(chunk["attention"].is_array());
    }
    let one = json!({ "code": text, "chunk": 1 });
    png_size(&SERVER.post("/analyze-attention", &one).ok()["visualization"]);

    let server = Server::ready(|options| options.limits.answer_cells = 4 * 256 * 256);
    let long = functions(20);
    let reply = server.post("/analyze-attention", &json!({ "code": long }));
    let message = reply.error(422, "unanalysable");
    assert!(message.contains("\"attention\": false"), "{message}");
    assert!(!message.contains("layers"), "{message}");
    let request = json!({ "code": long, "attention": false });
    let scores = server.post("/analyze-attention", &request).ok();
    let chunks = scores["chunks"].as_array().unwrap();
    assert_eq!(scores["chunk_count"], chunks.len());
    for chunk in chunks {
        assert_eq!(chunk["attention"], Value::Null);
        assert_eq!(chunk["visualization"], Value::Null);
        let tokens = chunk["tokens"].as_array().unwrap();
        let importance = chunk["token_importance"].as_array().unwrap();
        assert_eq!(importance.len(), tokens.len());
    }
    // The scores do not depend on what else is in the response.
    let short = SERVER
        .post("/analyze-attention", &json!({ "code": CODE }))
        .ok();
    let request = json!({ "code": CODE, "attention": false, "visualize": true });
    let drawn = SERVER.post("/analyze-attention", &request).ok();
    assert_eq!(drawn["attention"], Value::Null);
    for key in ["visualization", "token_importance", "importance"] {
        assert_eq!(drawn[key], short[key], "{key}");
    }
}

#[test]
fn fields_have_one_type_at_every_endpoint() {
    for code in [CODE.to_owned(), functions(6)] {
        for path in [
            "/analyze",
            "/analyze-with-attention",
            "/analyze-attention",
            "/get-attention",
        ] {
            let found = SERVER.post(path, &json!({ "code": code })).ok();
            assert!(found["chunks"].is_array(), "{path}");
            assert!(found["chunk_count"].is_u64(), "{path}");
            if path == "/analyze" {
                assert!(found["token_count"].is_u64());
                assert_eq!(found["tokens"], Value::Null);
            } else {
                assert!(found["tokens"].is_array(), "{path}");
            }
        }
    }
}

#[test]
fn aggregate_is_refused_where_it_changes_nothing() {
    for path in ["/analyze", "/analyze-with-attention", "/analyze-attention"] {
        let request = json!({ "code": CODE, "aggregate": "max" });
        let message = SERVER.post(path, &request).error(422, "unanalysable");
        assert!(message.contains("/analyze-source"), "{message}");
    }
    let document = SERVER.get("/openapi.json").ok();
    for (request, has) in [
        ("AnalyzeRequest", false),
        ("WithAttentionRequest", false),
        ("AttentionRequest", false),
        ("SourceRequest", true),
    ] {
        let properties = &document["components"]["schemas"][request]["properties"];
        assert_eq!(properties["aggregate"].is_object(), has, "{request}");
        assert!(properties["method"].is_object(), "{request}");
    }
}

#[test]
fn a_matrix_that_the_caller_brings() {
    let request = json!({
        "tokens": ["def", "add", "<s>"],
        "attention": [[0.5, 0.25, 0.25], [0, 1, 0], [1e-9, 0.5, 0.5]],
        "title": "mine", "size": 640, "colormap": "viridis",
    });
    let found = SERVER.post("/explain", &request).ok();
    assert_eq!(png_size(&found["visualization"]).0, 640);
    let plain = json!({ "tokens": ["a"], "attention": [[1]] });
    png_size(&SERVER.post("/explain", &plain).ok()["visualization"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_analyzed_or_refused(text in any::<String>(), repeat in 1usize..40) {
        let code = text.repeat(repeat);
        let reply = SERVER.post("/analyze-attention", &json!({ "code": code, "visualize": false }));
        if reply.status != 200 {
            prop_assert!(code.trim().is_empty(), "{:?}: {}", code, reply.text());
            reply.error(422, "unanalysable");
            return Ok(());
        }
        let found = reply.json();
        let n = found["tokens"].as_array().unwrap().len();
        prop_assert_eq!(found["attention"].as_array().unwrap().len(), n);
        prop_assert_eq!(found["token_importance"].as_array().unwrap().len(), n);
    }
}
