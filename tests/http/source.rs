//! `POST /analyze-source`.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::http_server::Server;
use crate::{CODE, SERVER, functions};

/// What `codegaze analyze --format json` writes about a file of this name, without its times.
fn command_line(name: &str, text: &str, arguments: &[&str]) -> Value {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(name), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_codegaze"))
        .current_dir(&directory)
        .args(["analyze", "--format", "json", name])
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    without_times(serde_json::from_slice(&output.stdout).unwrap())
}

fn without_times(mut document: Value) -> Value {
    let times = document["timing_ms"].take();
    assert!(times["total"].is_number(), "{times}");
    document
}

#[test]
fn the_document_is_that_of_the_command_line() {
    let long = functions(8);
    for (text, request, arguments) in [
        (CODE, json!({}), vec![]),
        (&long, json!({}), vec![]),
        (
            &long,
            json!({ "method": "rollout", "aggregate": "max", "sinks": "keep" }),
            vec![
                "--method",
                "rollout",
                "--aggregate",
                "max",
                "--sinks",
                "keep",
            ],
        ),
        (
            CODE,
            json!({ "tokens": true, "attention": true, "embedding": true, "top": 3 }),
            vec!["--tokens", "--attention", "--embedding", "--top", "3"],
        ),
        (
            CODE,
            json!({ "layers": "0-2", "heads": [1, 3], "method": "norm" }),
            vec!["--layers", "0-2", "--heads", "1,3", "--method", "norm"],
        ),
    ] {
        let mut request = request;
        request["code"] = text.into();
        request["path"] = "add.py".into();
        let reply = SERVER.post("/analyze-source", &request);
        let found = without_times(reply.ok());
        assert_eq!(found["schema"], "codegaze.analysis/1");
        assert_eq!(found["document"]["language"], "python");
        assert_eq!(found, command_line("add.py", text, &arguments), "{request}");
        let timing = reply.header("server-timing").unwrap();
        assert!(timing.contains("total;dur="), "{timing}");
    }
}

#[test]
fn the_language_is_that_of_the_request_or_of_the_path() {
    for (request, path, language) in [
        (json!({}), "-", Value::Null),
        (json!({ "language": "py" }), "-", json!("python")),
        (json!({ "path": "a/b.rs" }), "a/b.rs", json!("rust")),
        (
            json!({ "path": "b.rs", "language": "Go" }),
            "b.rs",
            json!("go"),
        ),
        (json!({ "path": "/etc/passwd" }), "/etc/passwd", Value::Null),
    ] {
        let mut request = request;
        request["code"] = CODE.into();
        let found = SERVER.post("/analyze-source", &request).ok();
        assert_eq!(found["document"]["path"], path);
        assert_eq!(found["document"]["language"], language, "{request}");
        assert_eq!(found["document"]["bytes"], CODE.len());
    }
}

#[test]
fn scores_of_a_long_file_are_one_request() {
    let server = Server::ready(|options| options.limits.answer_cells = 512 * 512);
    let code = functions(30);
    let found = server
        .post("/analyze-source", &json!({ "code": code }))
        .ok();
    assert!(found["chunks"].as_array().unwrap().len() > 5);
    assert_eq!(found["unscored"], json!([]));
    let matrices = json!({ "code": code, "attention": true });
    let message = server
        .post("/analyze-source", &matrices)
        .error(422, "unanalysable");
    assert!(message.contains("omit `attention`"), "{message}");
    for (changes, word) in [
        (json!({ "code": "  \n" }), "whitespace"),
        (json!({ "model": "gpt" }), "codegaze-mini"),
        (json!({ "layers": 9 }), "layer 9"),
        (json!({ "language": "x".repeat(65) }), "language"),
    ] {
        let mut request = json!({ "code": CODE });
        for (key, value) in changes.as_object().unwrap() {
            request[key] = value.clone();
        }
        let message = server
            .post("/analyze-source", &request)
            .error(422, "unanalysable");
        assert!(message.contains(word), "{message}");
    }
    for wrong in [
        json!({ "code": CODE, "chunk": 1 }),
        json!({ "code": CODE, "top": 0 }),
    ] {
        server
            .post("/analyze-source", &wrong)
            .error(400, "malformed");
    }
}
