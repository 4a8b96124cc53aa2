use codegaze_text::document::Document;

use serde_json::{Value, json};

use super::*;
use crate::samples;

fn everything() -> Value {
    let analysis = samples::full(samples::PYTHON);
    let source = Document::new(samples::PYTHON, 0);
    let document = AnalyzedDocument::new("src/fib.py", &source, &analysis);
    let options = JsonOptions {
        tokens: true,
        attention: true,
        image: Some(Image {
            media_type: "image/png",
            data: b"\x89PNG",
        }),
    };
    let mut out = Vec::new();
    write_json(&mut out, &AnalysisJson::new(&document, &options)).unwrap();
    assert_eq!(out.split(|&byte| byte == b'\n').count(), 2);
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn coordinates_are_bytes_and_utf16() {
    let text = "x = 🙂y\n日z";
    let analysis = samples::analysis(text);
    let source = Document::new(text, 0);
    let document = AnalyzedDocument::new("x.rs", &source, &analysis);
    let value =
        serde_json::to_value(AnalysisJson::new(&document, &JsonOptions::default())).unwrap();
    let lexeme = |wanted: &str| {
        let all = value["lexemes"].as_array().unwrap();
        all.iter()
            .find(|lexeme| lexeme["text"] == wanted)
            .unwrap()
            .clone()
    };
    assert_eq!(lexeme("y")["span"], json!({"start": 8, "end": 9}));
    assert_eq!(
        lexeme("y")["range"],
        json!({"start": {"line": 0, "character": 6}, "end": {"line": 0, "character": 7}})
    );
    assert_eq!(
        lexeme("日z")["range"]["end"],
        json!({"line": 1, "character": 2})
    );
    assert_eq!(value["document"]["language"], "rust");
    assert_eq!(value["document"]["lines"], 2);
    assert_eq!(value["timing_ms"]["total"], 13.22);
}

#[test]
fn tokens_have_the_source_and_names_of_special_subwords() {
    let value = everything();
    let tokens = value["tokens"].as_array().unwrap();
    assert_eq!(tokens[0]["text"], "<s>");
    assert!(tokens[0]["span"].is_null());
    assert_eq!(tokens.last().unwrap()["text"], "</s>");
    let emoji: Vec<&Value> = tokens
        .iter()
        .filter(|token| token["text"] == "🙂")
        .collect();
    assert_eq!(emoji.len(), 3);
    let code: String = {
        let mut seen = None;
        let mut code = String::new();
        for token in tokens.iter().filter(|token| !token["span"].is_null()) {
            if seen.as_ref() != Some(&token["span"]) {
                code.push_str(token["text"].as_str().unwrap());
            }
            seen = Some(token["span"].clone());
        }
        code
    };
    assert_eq!(code, samples::PYTHON);
    let rows = value["chunks"][0]["attention"].as_array().unwrap();
    assert_eq!(rows.len(), tokens.len());
    assert!(
        rows.iter()
            .all(|row| row.as_array().unwrap().len() == tokens.len())
    );
}

#[test]
fn known_digest() {
    let analysis = samples::analysis("abc");
    let source = Document::new("abc", 0);
    let document = AnalyzedDocument::new("a", &source, &analysis);
    let value =
        serde_json::to_value(AnalysisJson::new(&document, &JsonOptions::default())).unwrap();
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        value["document"]["sha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
