use serde_json::{Value, json};

use super::*;
use crate::view::samples;

fn schema() -> jsonschema::Validator {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/analysis.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn everything() -> Value {
    let analysis = samples::full(samples::PYTHON);
    let document = AnalysedDocument::new("src/fib.py", samples::PYTHON, &analysis);
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
fn outputs_satisfy_the_schema() {
    let validator = schema();
    let full = everything();
    let errors: Vec<String> = validator
        .iter_errors(&full)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");

    for text in [samples::PYTHON, "", "\n\n", "🙂\u{feff}\0"] {
        let analysis = samples::analysis(text);
        let document = AnalysedDocument::new("-", text, &analysis);
        let value =
            serde_json::to_value(AnalysisJson::new(&document, &JsonOptions::default())).unwrap();
        assert!(validator.is_valid(&value), "{value:#}");
        for absent in ["tokens", "image"] {
            assert!(value.get(absent).is_none());
        }
        assert!(value["chunks"][0].get("attention").is_none());
        assert!(value["embedding"].is_null());
    }
    let failure = serde_json::to_value(FailureJson::new("a.bin", "a.bin is not UTF-8")).unwrap();
    assert!(validator.is_valid(&failure));
}

/// Removes each field in turn, adds one to each object, and puts nonsense into each value: the schema must notice.
#[test]
fn the_schema_catches_every_broken_field() {
    let validator = schema();
    let good = everything();
    let mut pointers = Vec::new();
    collect(&good, String::new(), &mut pointers);
    assert!(pointers.len() > 80, "{pointers:?}");
    for pointer in pointers {
        let mut extra = good.clone();
        if let Some(object) = extra.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            object.insert("surprise".to_owned(), json!(1));
            assert!(
                !validator.is_valid(&extra),
                "an extra field in {pointer:?} passes"
            );
        }
        let mut nonsense = good.clone();
        *nonsense.pointer_mut(&pointer).unwrap() = json!(-7.5);
        let free =
            pointer.starts_with("/embedding/cls/") || pointer.starts_with("/embedding/mean/");
        assert!(
            free || !validator.is_valid(&nonsense),
            "-7.5 at {pointer:?} passes"
        );

        let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
        let mut missing = good.clone();
        if let Some(object) = missing.pointer_mut(parent).and_then(Value::as_object_mut)
            && object.remove(key).is_some()
        {
            let optional = ["/tokens", "/image", "/chunks/0/attention"].contains(&pointer.as_str());
            assert_eq!(
                validator.is_valid(&missing),
                optional,
                "without {pointer:?}"
            );
        }
    }
}

/// Pointers to all values; of an array, its first element only.
fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                collect(value, format!("{pointer}/{key}"), pointers);
            }
        }
        Value::Array(array) => {
            if let Some(first) = array.first() {
                collect(first, format!("{pointer}/0"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}

#[test]
fn coordinates_are_bytes_and_utf16() {
    let text = "x = 🙂y\n日z";
    let analysis = samples::analysis(text);
    let document = AnalysedDocument::new("x.rs", text, &analysis);
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
fn tokens_carry_the_source_and_name_the_specials() {
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
    let document = AnalysedDocument::new("a", "abc", &analysis);
    let value =
        serde_json::to_value(AnalysisJson::new(&document, &JsonOptions::default())).unwrap();
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        value["document"]["sha256"],
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
