//! What a request costs the engine.

use std::fmt::Write as _;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, HOST};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower_service::Service;

use super::super::app::App;
use super::super::options::ServerOptions;
use super::super::router::router;
use crate::engine::EngineStats;
use crate::model::source::HubOptions;

/// Functions that no other call with another `name` returns.
fn functions(name: &str) -> String {
    let mut text = String::new();
    for at in 0..8 {
        let _ = writeln!(text, "def {name}_{at}(first, second):");
        for line in 0..12 {
            let _ = writeln!(text, "    value_{line} = first[{at}] + second * {line}");
        }
        text.push_str("    return value_0\n\n\n");
    }
    text
}

async fn post(router: &mut Router, path: &str, body: &Value) -> Value {
    let request = Request::post(path)
        .header(HOST, "localhost")
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = router.call(request).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_request_cuts_its_text_once_and_tokenizes_each_chunk_once() {
    let options = ServerOptions {
        hub: HubOptions {
            offline: true,
            ..HubOptions::from_env()
        },
        ..ServerOptions::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let app = App::new(&options);
        app.models.load(&options).unwrap();
        let mut router = router(app.clone(), &options, false);
        let names = [
            ("/analyze", "embed"),
            ("/analyze-with-attention", "both"),
            ("/analyze-attention", "heat"),
            ("/get-attention", "raw"),
        ];
        for (path, name) in names {
            let mut cost = async |body: Value| {
                let before = app.engine.stats();
                let answer = post(&mut router, path, &body).await;
                let after = app.engine.stats();
                let cost = EngineStats {
                    plans: after.plans - before.plans,
                    counted: after.counted - before.counted,
                    passes: after.passes - before.passes,
                    ..EngineStats::default()
                };
                (answer, cost)
            };
            let code = functions(name);
            let (answer, first) = cost(json!({ "code": code })).await;
            let n_chunks = answer["chunk_count"].as_u64().unwrap();
            assert!(n_chunks > 1);
            assert_eq!((first.plans, first.passes), (1, n_chunks), "{path}");
            // The lines, the chunks, and the few candidates for chunks that were too long.
            let n_lines = code.lines().count() as u64;
            assert!(first.counted <= n_lines + 2 * n_chunks, "{path}");

            let (_, again) = cost(json!({ "code": code, "chunk": 1 })).await;
            assert_eq!((again.plans, again.counted), (1, 0), "{path}");
            assert!(again.passes <= 1, "{path}");
        }
    });
}
