//! Checks the JSON of codegaze against its published schemas, with the validator `jsonschema`.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::Command;

use codegaze::text::document::Document;
use codegaze_view::json::{AnalysisJson, FailureJson, Image, JsonOptions, write_json};
use codegaze_view::{AnalyzedDocument, samples};
use serde_json::{Value, json};
use tempfile::TempDir;

fn schema() -> jsonschema::Validator {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/analysis.schema.json")).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

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
        let source = Document::new(text, 0);
        let document = AnalyzedDocument::new("-", &source, &analysis);
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

/// Removes each field, adds a field to each object, and replaces each value with an invalid one. The schema must reject every change.
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
            let optional = [
                "/tokens",
                "/image",
                "/chunks/0/attention",
                // Omitted for the sum.
                "/view/aggregate",
            ]
            .contains(&pointer.as_str());
            assert_eq!(
                validator.is_valid(&missing),
                optional,
                "without {pointer:?}"
            );
        }
    }
}

/// Pointers to all values, and in an array only to the first element.
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

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program, which is two directories above the executable of this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join(format!("codegaze{EXE_SUFFIX}"));
    assert!(
        program.exists(),
        "{} is missing; run cargo build first",
        program.display()
    );
    program
}

fn file(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_command_line_satisfies_the_schema() {
    let validator = schema();
    let directory = TempDir::new().unwrap();
    let odd = file(
        &directory,
        "odd.js",
        "let s = '🙂 e\u{301}\\n';\r\n\tx\0 = s\u{feff};\rlast",
    );
    let blank = file(&directory, "blank.py", " \n\t\n");
    let bad = file(&directory, "bad.py", b"\xff\xfe\x00");
    for method in ["received", "cls", "rollout", "norm"] {
        for extra in [
            &[][..],
            &[
                "--tokens",
                "--attention",
                "--embedding",
                "--image",
                "base64",
            ],
        ] {
            let arguments = [
                &[
                    "analyze",
                    &odd,
                    &blank,
                    "examples/fibonacci.py",
                    &bad,
                    "--format",
                    "json",
                    "--method",
                    method,
                ],
                extra,
            ]
            .concat();
            let output = Command::new(program())
                .args(&arguments)
                .current_dir(root())
                .output()
                .unwrap();
            let lines = String::from_utf8(output.stdout).unwrap();
            assert_eq!(lines.lines().count(), 4, "a document for every file");
            for line in lines.lines() {
                let document: Value = serde_json::from_str(line).unwrap();
                let errors: Vec<_> = validator
                    .iter_errors(&document)
                    .map(|e| e.to_string())
                    .collect();
                assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
            }
        }
    }
}

#[test]
fn predictions_of_every_task_head_satisfy_their_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../docs/prediction.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let directory = TempDir::new().unwrap();
    let blank = file(&directory, "blank.py", "\n");
    let heads = [
        "masked",
        "sequence",
        "multi_label",
        "regression",
        "token",
        "defect",
        "linevul",
        "clone",
    ];
    let fill = vec!["--mask".to_owned(), "a <mask>".to_owned()];
    let of_head = |head: &str| {
        let model = format!("tests/fixtures/task_heads/{head}");
        let code = "examples/fibonacci.py";
        let second = if head == "clone" { code } else { &blank };
        [code, second, "--model", &model]
            .map(str::to_owned)
            .to_vec()
    };
    for arguments in heads.iter().map(|head| of_head(head)).chain([fill]) {
        let output = Command::new(program())
            .args(["predict", "--format", "json"])
            .args(&arguments)
            .current_dir(root())
            .output()
            .unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        assert!(!lines.is_empty(), "{arguments:?}");
        for line in lines.lines() {
            let document: Value = serde_json::from_str(line).unwrap();
            let errors: Vec<_> = validator
                .iter_errors(&document)
                .map(|e| e.to_string())
                .collect();
            assert!(errors.is_empty(), "{arguments:?}: {errors:?}");
        }
    }
}
