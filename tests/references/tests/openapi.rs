//! Checks the responses of the HTTP server against its OpenAPI document, with the validator `jsonschema`.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]

#[path = "../../support/http_server.rs"]
#[allow(
    dead_code,
    clippy::format_push_string,
    reason = "other tests use the rest; short texts"
)]
mod http_server;

use http_server::Server;
use serde_json::{Value, json};

const CODE: &str = "def add(first, second):\n    return first + second  # 😀\n";

/// Thirty of these are several chunks.
const FUNCTION: &str = "def scale(values, factor):\n    result = []\n    for value in values:\n        result.append(value * factor)\n    return result\n\n";

/// The schema of an endpoint's response with 200.
fn validator(document: &Value, path: &str, method: &str) -> jsonschema::Validator {
    let pointer = format!(
        "/paths/{}/{method}/responses/200/content/application~1json/schema",
        path.replace('/', "~1")
    );
    let schema = document
        .pointer(&pointer)
        .unwrap_or_else(|| panic!("{pointer}"));
    let mut root = schema.clone();
    root["components"] = document["components"].clone();
    jsonschema::draft202012::new(&root).unwrap()
}

#[test]
fn answers_are_what_the_document_says() {
    let server = Server::ready(|_| ());
    let document = server.get("/openapi.json").ok();
    let long = FUNCTION.repeat(30);
    for (path, requests) in [
        (
            "/analyze",
            [json!({ "code": CODE }), json!({ "code": long })],
        ),
        (
            "/analyze-with-attention",
            [json!({ "code": CODE }), json!({ "code": long })],
        ),
        (
            "/analyze-attention",
            [
                json!({ "code": CODE, "heads": [1, 2] }),
                json!({ "code": long }),
            ],
        ),
        (
            "/get-attention",
            [
                json!({ "code": CODE, "layers": "all", "head": "max" }),
                json!({ "code": long }),
            ],
        ),
        (
            "/explain",
            [
                json!({ "tokens": ["a"], "attention": [[1]] }),
                json!({ "tokens": ["a"], "attention": [[0]], "title": "t" }),
            ],
        ),
    ] {
        let validator = validator(&document, path, "post");
        for request in requests {
            let answer = server.post(path, &request).ok();
            if let Err(error) = validator.validate(&answer) {
                panic!("{path}: {error} at {}", error.instance_path());
            }
        }
        // The schema also rejects an invalid response.
        assert!(
            !validator.is_valid(&json!({ "error": "x", "error_type": "busy" })),
            "{path}"
        );
    }
    for path in ["/models", "/health", "/ready"] {
        let answer = server.get(path).ok();
        assert!(
            validator(&document, path, "get").is_valid(&answer),
            "{path}: {answer}"
        );
    }
}
