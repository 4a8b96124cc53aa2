//! The program with model files that ask for much memory, or that never end: it ends with one line, and stays small.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![cfg(target_os = "linux")]

#[path = "support/hostile_models.rs"]
mod hostile;
#[path = "support/lsp_client.rs"]
mod lsp_client;

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hostile::hostile_models;
use lsp_client::Client;
use serde_json::json;

/// Only a process that hangs takes longer, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Run {
    succeeded: bool,
    output: String,
    errors: String,
    peak_bytes: u64,
    time: Duration,
}

/// Runs the program and reads its peak memory until it ends.
fn run(command: &mut Command) -> Run {
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let output = read_all(child.stdout.take().unwrap());
    let errors = read_all(child.stderr.take().unwrap());
    let mut peak_bytes = 0;
    let status = loop {
        peak_bytes = peak_bytes.max(peak(&child));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(status.code().is_some(), "{command:?} ended by {status}");
    Run {
        succeeded: status.success(),
        output: output.join().unwrap(),
        errors: errors.join().unwrap(),
        peak_bytes,
        time: start.elapsed(),
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

/// The most memory that the process ever had; 0 once it has ended.
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) << 10
}

#[test]
fn no_model_makes_the_program_large_or_hangs_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut source = String::new();
    for at in 0..80 {
        let _ = writeln!(source, "value_{at} = first[{at}] + second * {at}");
    }
    let file = dir.path().join("long.py");
    fs::write(&file, source).unwrap();
    let models = dir.path().join("models");
    fs::create_dir(&models).unwrap();

    let mut faults = Vec::new();
    for model in hostile_models(&models) {
        let limit = 4 * model.n_bytes + (200 << 20);
        for arguments in [["models", "info"], ["analyze", "--model"]] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_codegaze"));
            command.args(arguments).arg(&model.path);
            if arguments[0] == "analyze" {
                command.arg(&file);
            }
            let run = run(&mut command);
            println!(
                "{:30} {:8} {:5} MB of {:5} MB, {:5} ms, file {:3} MB: {}",
                model.name,
                arguments[0],
                run.peak_bytes >> 20,
                limit >> 20,
                run.time.as_millis(),
                model.n_bytes >> 20,
                run.errors.chars().take(200).collect::<String>().trim_end(),
            );
            if run.succeeded != model.loads {
                faults.push(format!("{} {arguments:?}: {}", model.name, run.errors));
            }
            if !model.loads && (run.errors.lines().count() != 1 || run.errors.len() > 2000) {
                faults.push(format!(
                    "{} {arguments:?}: no short line: {}",
                    model.name,
                    run.errors.len()
                ));
            }
            if model.name.starts_with("window_")
                && arguments[0] == "models"
                && !run.output.contains("window limited to")
            {
                faults.push(format!("{}: {}", model.name, run.output));
            }
            if run.peak_bytes > limit {
                faults.push(format!(
                    "{} {arguments:?}: {} MB",
                    model.name,
                    run.peak_bytes >> 20
                ));
            }
        }
        fs::remove_dir_all(&model.path).unwrap();
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Sets one model after the other in one server. After each, the server responds with heat, and says what is wrong in one short line.
#[test]
fn no_model_ends_the_language_server() {
    const URI: &str = "untitled:one";
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_codegaze"));
    let mut client = Client::spawn(command.args(["lsp", "--stdio"]).stderr(Stdio::null()));
    let options = json!({ "model": "embedded" });
    client.call(
        "initialize",
        &json!({ "capabilities": {}, "initializationOptions": options }),
    );
    client.notify("initialized", &json!({}));
    let text = "def area(width, height):\n    return width * height\n";
    let item = json!({ "uri": URI, "languageId": "python", "version": 1, "text": text });
    client.notify("textDocument/didOpen", &json!({ "textDocument": item }));
    for model in hostile_models(dir.path()) {
        let argument = json!({ "model": model.path });
        let params = json!({ "command": "codegaze.server.setModel", "arguments": [argument] });
        client.call("workspace/executeCommand", &params);
        let start = Instant::now();
        let state = loop {
            let now = client.call("codegaze/model", &json!({}));
            if now["state"] != "loading" {
                break now;
            }
            assert!(start.elapsed() < PATIENCE, "{}: {now}", model.name);
            std::thread::sleep(Duration::from_millis(5));
        };
        if model.loads {
            assert_eq!(state["state"], "ready", "{}: {state}", model.name);
            assert_eq!(state["id"], json!(model.path), "{}", model.name);
        } else {
            assert_eq!(state["state"], "error", "{}: {state}", model.name);
            let message = state["message"].as_str().unwrap();
            assert!(
                message.lines().count() == 1 && message.len() < 2000,
                "{}: {message}",
                model.name
            );
        }
        let params = json!({ "textDocument": { "uri": URI } });
        let heat = client.call("codegaze/heatmap", &params);
        assert_eq!(heat["complete"], true, "{}: {heat}", model.name);
        // A model whose weights are all the same has no heat.
        let n_numbers = heat["data"].as_array().unwrap().len();
        let is_embedded = heat["view"]["model"] == "codegaze-mini";
        assert!(!is_embedded || n_numbers > 20, "{}: {heat}", model.name);
        fs::remove_dir_all(&model.path).unwrap();
    }
    client.leave();
    let status = client.exits_within(PATIENCE).unwrap();
    assert!(status.success(), "{status}");
}
