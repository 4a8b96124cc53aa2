//! Models from the hub on the command line, against a local server with the hub's API.

#![cfg(feature = "hub")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::hub_server::HubServer;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// From the hub's API to a shaded file: a CodeBERT-layout repository with real weights.
#[test]
fn a_model_from_the_hub() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch_legacy");
    let hub = HubServer::start();
    let names = [
        "config.json",
        "vocab.json",
        "merges.txt",
        "pytorch_model.bin",
    ];
    let files = names.map(|name| (name, fs::read(fixture.join(name)).unwrap()));
    hub.publish("acme/codebert-tiny", "main", COMMIT, &files);
    hub.state.lock().unwrap().large = ["pytorch_model.bin".to_owned()].into();
    let home = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], endpoint: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_codegaze"))
            .args(arguments)
            .env("HF_HOME", home.path())
            .env("HF_ENDPOINT", endpoint)
            .env_remove("HF_HUB_OFFLINE")
            .env_remove("HF_HUB_CACHE")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            stderr,
        )
    };
    let model = "acme/codebert-tiny";
    let (code, path, stderr) = run(&["models", "download", model], &hub.endpoint);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(path.trim().ends_with(COMMIT), "{path}");
    drop(hub);
    // Everything else comes from the cache, because the hub no longer runs.
    let nobody = "http://127.0.0.1:9";
    assert_eq!(run(&["models", "path", model], nobody).1, path);
    let (_, list, _) = run(&["models", "list"], nobody);
    assert!(
        list.lines()
            .any(|line| line.starts_with(model) && line.contains("complete")),
        "{list}"
    );
    let (code, analysis, stderr) = run(
        &[
            "analyze",
            "examples/fibonacci.py",
            "--format",
            "json",
            "--model",
            model,
        ],
        nobody,
    );
    assert_eq!(code, Some(0), "{stderr}");
    let analysis: serde_json::Value = serde_json::from_str(&analysis).unwrap();
    assert_eq!(analysis["model"]["id"], model);
    assert_eq!(analysis["model"]["revision"], COMMIT);
    let (code, _, stderr) = run(
        &["analyze", "examples/fibonacci.py", "--model", "acme/other"],
        nobody,
    );
    assert_eq!(code, Some(1));
    assert_eq!(stderr.trim_end().lines().count(), 1, "{stderr}");
}
