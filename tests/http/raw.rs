//! `POST /get-attention`.

use std::sync::atomic::AtomicBool;

use codegaze::analysis::chunk::ChunkConfig;
use codegaze::analysis::raw::{RawChoice, RawHeads, raw_attention};
use codegaze::analysis::{Pass, plan_chunks};
use codegaze::attribution::Fusion;
use codegaze::text::document::Document;
use serde_json::{Value, json};

use crate::{CODE, MODEL, SERVER, assert_close, functions};

fn weights(text: &str, chunk: usize, layers: &[usize], heads: RawHeads) -> Vec<f32> {
    let document = Document::new(text, 0);
    let chunks = plan_chunks(
        &MODEL,
        &document,
        &ChunkConfig::new(MODEL.info().max_code_subwords()),
    );
    let choice = RawChoice {
        layers: layers.to_vec(),
        heads,
        hidden_states: false,
    };
    let cancel = AtomicBool::new(false);
    let chunk = &chunks[chunk];
    let pass = Pass::new(&MODEL, chunk.span.of(text), &cancel);
    raw_attention(pass, chunk, choice).unwrap().attentions
}

/// The lengths of nested lists, outermost first.
fn shape(mut value: &Value) -> Vec<usize> {
    let mut shape = Vec::new();
    while let Some(list) = value.as_array() {
        shape.push(list.len());
        value = &list[0];
    }
    shape
}

#[test]
fn one_takes_its_axis_away_and_several_leave_it() {
    let each = |heads: &[usize]| RawHeads::Each(heads.to_vec());
    let all: Vec<usize> = (0..8).collect();
    let table: [(Value, &[usize], RawHeads, Value, &[&str]); 9] = [
        (
            json!({}),
            &[5],
            RawHeads::Fused(Fusion::Mean),
            json!("mean"),
            &["query", "key"],
        ),
        (
            json!({ "layer": 3, "head": 7 }),
            &[3],
            each(&[7]),
            json!([7]),
            &["query", "key"],
        ),
        (
            json!({ "layer": "last", "head": "max" }),
            &[5],
            RawHeads::Fused(Fusion::Max),
            json!("max"),
            &["query", "key"],
        ),
        (
            json!({ "layers": [2], "head": 0 }),
            &[2],
            each(&[0]),
            json!([0]),
            &["layer", "query", "key"],
        ),
        (
            json!({ "layers": "0-2", "heads": "1,4" }),
            &[0, 1, 2],
            each(&[1, 4]),
            json!([1, 4]),
            &["layer", "head", "query", "key"],
        ),
        (
            json!({ "heads": "all" }),
            &[5],
            each(&all),
            json!(all),
            &["head", "query", "key"],
        ),
        (
            json!({ "layers": "all", "heads": [3] }),
            &[0, 1, 2, 3, 4, 5],
            each(&[3]),
            json!([3]),
            &["layer", "head", "query", "key"],
        ),
        (
            json!({ "layers": "last", "heads": "mean" }),
            &[5],
            RawHeads::Fused(Fusion::Mean),
            json!("mean"),
            &["layer", "head", "query", "key"],
        ),
        (
            json!({ "layer": null, "heads": null }),
            &[5],
            RawHeads::Fused(Fusion::Mean),
            json!("mean"),
            &["query", "key"],
        ),
    ];
    for (choice, layers, heads, said, axes) in table {
        let mut request = choice.clone();
        request["code"] = CODE.into();
        let found = SERVER.post("/get-attention", &request).ok();
        let expected = weights(CODE, 0, layers, heads);
        assert_close(&found["attention"], &expected);
        assert_eq!(found["layers"], json!(layers), "{choice}");
        assert_eq!(found["heads"], said, "{choice}");
        assert_eq!(found["axes"], json!(axes), "{choice}");
        assert_eq!(shape(&found["attention"]).len(), axes.len(), "{choice}");
        let n = found["tokens"].as_array().unwrap().len();
        assert!(shape(&found["attention"]).ends_with(&[n, n]), "{choice}");
        assert_eq!(found["chunks"], json!([]));
    }
}

#[test]
fn every_chunk_of_a_long_text() {
    let text = functions(12);
    let found = SERVER
        .post(
            "/get-attention",
            &json!({ "code": text, "layer": 1, "head": 2 }),
        )
        .ok();
    let chunks = found["chunks"].as_array().unwrap();
    assert!(chunks.len() > 1);
    assert_eq!(found["chunk_count"], chunks.len());
    for (at, chunk) in chunks.iter().enumerate() {
        let expected = weights(&text, at, &[1], RawHeads::Each(vec![2]));
        assert_close(&chunk["attention"], &expected);
        assert_eq!(chunk["chunk"]["index"], at);
    }
    assert_eq!(found["attention"], chunks[0]["attention"]);
    let one = json!({ "code": text, "layer": 1, "head": 2, "chunk": 1 });
    let one = SERVER.post("/get-attention", &one).ok();
    assert_eq!(one["attention"], chunks[1]["attention"]);
    assert_eq!(one["chunk"]["index"], 1);
    assert_eq!(one["chunks"], json!([]));
}
