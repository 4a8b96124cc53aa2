//! The program as a user runs it: results, exit codes, and one line for everything that can go wrong.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![allow(
    clippy::too_many_lines,
    clippy::type_complexity,
    reason = "tables of cases"
)]
#![allow(clippy::format_push_string, reason = "short texts")]

#[path = "support/hub_server.rs"]
mod hub_server;

#[path = "cli/hub.rs"]
mod hub;
#[path = "cli/mlflow.rs"]
#[cfg(feature = "mlflow")]
mod mlflow;
#[path = "cli/predict.rs"]
mod predict;
#[path = "cli/serve.rs"]
mod serve;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program, with no colors, no network and an empty cache.
fn codegaze() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_codegaze"));
    command
        .current_dir(root())
        .env_clear()
        .env("HF_HOME", "/nonexistent/huggingface")
        .env("HF_HUB_OFFLINE", "1")
        .stdin(Stdio::null());
    for kept in ["PATH", "SystemRoot", "TEMP", "TMP"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    codegaze().args(arguments).output().unwrap()
}

#[track_caller]
fn succeed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(arguments)).unwrap()
}

fn file(directory: &TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures").join(name)
}

const FIBONACCI: &str = "examples/fibonacci.py";

#[test]
fn shades_a_file() {
    let plain = succeed(&["analyze", FIBONACCI]);
    let source = std::fs::read_to_string(root().join(FIBONACCI)).unwrap();
    for line in source.lines() {
        assert!(
            plain.contains(line.trim_end()),
            "{line:?} is not in\n{plain}"
        );
    }
    assert!(
        !plain.contains('\x1b'),
        "escape sequences without a terminal"
    );
    assert!(plain.contains("codegaze-mini"), "{plain}");
    assert!(plain.contains("sink"), "{plain}");

    let colored = codegaze()
        .args(["analyze", FIBONACCI, "--color", "always"])
        .env("COLORTERM", "truecolor")
        .output()
        .unwrap();
    let colored = String::from_utf8(colored.stdout).unwrap();
    assert!(
        colored.contains("\x1b[") && colored.contains("48;2;"),
        "{colored}"
    );
}

#[test]
fn json_contains_what_its_page_promises() {
    let analysis = json(&[
        "analyze",
        FIBONACCI,
        "--format",
        "json",
        "--tokens",
        "--attention",
        "--embedding",
        "--image",
        "base64",
    ]);
    let source = std::fs::read_to_string(root().join(FIBONACCI)).unwrap();
    assert_eq!(analysis["schema"], "codegaze.analysis/1");
    assert_eq!(analysis["error"], Value::Null);
    assert_eq!(analysis["document"]["language"], "python");
    assert_eq!(analysis["document"]["bytes"], source.len());
    assert_eq!(analysis["model"]["layers"], 6);
    assert_eq!(analysis["view"]["method"], "received");

    let lexemes = analysis["lexemes"].as_array().unwrap();
    let mut covered = vec![false; source.len()];
    let mut last_end = 0;
    for lexeme in lexemes {
        let start = usize::try_from(lexeme["span"]["start"].as_u64().unwrap()).unwrap();
        let end = usize::try_from(lexeme["span"]["end"].as_u64().unwrap()).unwrap();
        assert!(
            last_end <= start && start < end,
            "lexemes are ascending and disjoint"
        );
        last_end = end;
        assert_eq!(lexeme["text"], source[start..end]);
        covered[start..end].fill(true);
    }
    for (i, c) in source.char_indices() {
        assert_eq!(covered[i], !c.is_whitespace(), "byte {i}, {c:?}");
    }
    let shares: f64 = lexemes
        .iter()
        .map(|lexeme| lexeme["share"].as_f64().unwrap())
        .sum();
    assert!((shares - 1.0).abs() < 1e-3, "shares sum to {shares}");
    let mut ranks: Vec<_> = lexemes
        .iter()
        .map(|lexeme| lexeme["rank"].as_u64().unwrap())
        .collect();
    ranks.sort_unstable();
    assert!(ranks.into_iter().eq(1..=lexemes.len() as u64));

    assert_eq!(analysis["embedding"]["cls"].as_array().unwrap().len(), 256);
    let matrix = analysis["chunks"][0]["attention"].as_array().unwrap();
    assert_eq!(
        matrix.len() as u64,
        analysis["chunks"][0]["tokens"].as_u64().unwrap()
    );
    for row in matrix {
        let sum: f64 = row
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .sum();
        assert!((sum - 1.0).abs() < 1e-3, "a row sums to {sum}");
    }
    assert!(
        analysis["image"]["data"]
            .as_str()
            .unwrap()
            .starts_with("iVBORw0KGgo")
    );
}

#[test]
fn other_formats() {
    let csv = succeed(&["analyze", FIBONACCI, "--format", "csv"]);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let headers = reader.headers().unwrap().clone();
    assert!(headers.iter().any(|name| name == "lift"), "{headers:?}");
    assert!(reader.records().count() > 20);
    let csv = succeed(&["analyze", FIBONACCI, "--format", "csv", "--top", "3"]);
    assert_eq!(csv.lines().count(), 4);
    let markdown = succeed(&["analyze", FIBONACCI, "--format", "markdown"]);
    assert!(markdown.contains("| rank |") && markdown.contains("```python"));
    let top = succeed(&["analyze", FIBONACCI, "--top", "5"]);
    assert!(top.contains("rank") && top.contains('5'));
    let lines = succeed(&["analyze", FIBONACCI, "--lines"]);
    assert_ne!(lines, succeed(&["analyze", FIBONACCI]));
    let lines = succeed(&["analyze", FIBONACCI, "--lines", "--format", "csv"]);
    assert!(lines.starts_with("path,line,"), "{lines}");
}

#[test]
fn reads_standard_input() {
    let mut child = codegaze()
        .args(["analyze", "-", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(b"int main() { return 0; }\n")
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let analysis: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(analysis["document"]["path"], "-");
    assert_eq!(analysis["lexemes"][0]["text"], "int");
}

#[test]
fn walks_directories_and_respects_gitignore() {
    let directory = TempDir::new().unwrap();
    std::fs::create_dir(directory.path().join("sub")).unwrap();
    for (name, content) in [
        (".gitignore", "ignored.py\n"),
        ("ignored.py", "x = 1\n"),
        ("b.rs", "fn main() {}\n"),
        ("sub/a.go", "package main\n"),
        ("data.bin", "\0\0"),
    ] {
        file(&directory, name, content);
    }
    let output = succeed(&[
        "analyze",
        directory.path().to_str().unwrap(),
        "--format",
        "json",
    ]);
    let paths: Vec<String> = output
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["document"]["path"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let names: Vec<_> = paths
        .iter()
        .map(|path| Path::new(path).file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["b.rs", "a.go"]);
}

#[test]
fn a_long_file_is_scored_to_its_last_lexeme() {
    let directory = TempDir::new().unwrap();
    let mut source = String::new();
    for i in 0..200 {
        source += &format!(
            "def function_{i}(a, b):\n    c = a * {i} + b\n    return [c, 'text {i}']\n\n\n"
        );
    }
    let path = file(&directory, "long.py", &source);
    let analysis = json(&["analyze", &path, "--format", "json"]);
    assert_eq!(
        analysis["unscored"].as_array().unwrap().len(),
        0,
        "{}",
        analysis["unscored"]
    );
    let scored: usize = analysis["lexemes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lexeme| lexeme["text"].as_str().unwrap().len())
        .sum();
    assert_eq!(
        scored,
        source.chars().filter(|c| !c.is_whitespace()).count()
    );
    let chunks = analysis["chunks"].as_array().unwrap();
    assert!(chunks.len() > 10);
    let mut end = 0;
    for chunk in chunks {
        assert_eq!(chunk["core"]["start"], end, "cores partition the file");
        end = usize::try_from(chunk["core"]["end"].as_u64().unwrap()).unwrap();
    }
    assert_eq!(end, source.len());
}

#[test]
fn a_directory_has_its_scripts_and_cpp_by_the_capital_letter() {
    let directory = TempDir::new().unwrap();
    file(&directory, "tool", "#!/usr/bin/env python3\nx = 1\n");
    file(&directory, "notes", "x = 1\n");
    file(&directory, "b.C", "class A { };\n");
    let report = succeed(&[
        "analyze",
        directory.path().to_str().unwrap(),
        "--format",
        "markdown",
    ]);
    assert!(
        report.contains("/tool`") && !report.contains("/notes`"),
        "{report}"
    );
    assert!(report.contains("```cpp\nclass A"), "{report}");
}

#[test]
fn an_output_that_cannot_be_written_says_why() {
    let directory = TempDir::new().unwrap();
    let source = file(&directory, "a.json", "{\"a\": 1}\n");
    let out = directory.path().join("absent").join("a.png");
    let output = run(&["heatmap", FIBONACCI, "--out", out.to_str().unwrap()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("create the directory first"), "{stderr}");
    assert!(
        !stderr.contains(".codegaze-") && !stderr.contains("space"),
        "{stderr}"
    );
    expect_error(&(
        vec!["attention", &source, "--out", &source],
        2,
        "would overwrite the input",
    ));
    assert_eq!(std::fs::read_to_string(&source).unwrap(), "{\"a\": 1}\n");
}

#[test]
fn an_npz_says_which_layers_and_heads_it_has() {
    let directory = TempDir::new().unwrap();
    let out = directory.path().join("a.npz");
    let out = out.to_str().unwrap();
    succeed(&[
        "attention",
        FIBONACCI,
        "--out",
        out,
        "--layers",
        "1-3",
        "--heads",
        "2,7",
    ]);
    let archive = std::fs::read(out).unwrap();
    for (name, expected) in [("layers.npy", &[1, 2, 3][..]), ("heads.npy", &[2, 7])] {
        let find = |bytes: &[u8], wanted: &[u8]| {
            let mut windows = bytes.windows(wanted.len());
            windows.position(|window| window == wanted).unwrap()
        };
        // The entries are not compressed: after the name, a header of text that ends with its line, then the values.
        let array = &archive[find(&archive, name.as_bytes())..];
        let header = &array[find(array, b"{'descr': '<i8'")..];
        let values = &header[find(header, b"\n") + 1..];
        let (values, _) = values[..8 * expected.len()].as_chunks::<8>();
        let values: Vec<i64> = values
            .iter()
            .map(|bytes| i64::from_le_bytes(*bytes))
            .collect();
        assert_eq!(values, expected, "{name}");
    }
}

#[test]
fn a_byte_order_mark_is_not_a_column() {
    let directory = TempDir::new().unwrap();
    let marked = file(&directory, "a.py", "\u{feff}x = 1\ny = 2\n");
    let csv = succeed(&["analyze", &marked, "--format", "csv"]);
    assert!(csv.contains(",1,1,x,identifier,"), "{csv}");
    assert!(csv.contains(",2,1,y,identifier,"), "{csv}");
}

#[test]
fn the_default_aggregate_is_corrected_for_length() {
    let view = |arguments: &[&str]| -> Value {
        let default = ["analyze", FIBONACCI, "--format", "json"];
        json(&[&default, arguments].concat())["view"]["aggregate"].clone()
    };
    assert_eq!(view(&[]), "corrected");
    assert_eq!(
        view(&["--aggregate", "sum"]),
        Value::Null,
        "the sum is left out"
    );
    let text = succeed(&["analyze", FIBONACCI]);
    assert!(text.contains("received, corrected for length ·"), "{text}");
    let directory = TempDir::new().unwrap();
    for (kind, is_said) in [("source", true), ("matrix", false)] {
        let out = directory.path().join(format!("{kind}.svg"));
        succeed(&[
            "heatmap",
            FIBONACCI,
            "--kind",
            kind,
            "--out",
            out.to_str().unwrap(),
        ]);
        let picture = std::fs::read_to_string(out).unwrap();
        assert_eq!(picture.contains("corrected for length"), is_said, "{kind}");
    }
}

#[test]
fn every_method_layer_and_head_choice_runs() {
    for options in [
        &["--method", "cls"][..],
        &["--method", "rollout"],
        &["--method", "norm", "--layers", "all"],
        &["--method", "norm", "--heads", "max"],
        &["--layers", "0-2"],
        &["--aggregate", "sum"],
        &["--aggregate", "mean"],
        &["--aggregate", "first"],
        &["--aggregate", "max", "--method", "cls"],
        &["--layers", "0,5", "--heads", "3"],
        &["--heads", "max", "--sinks", "keep"],
        &["--device", "candle-cpu"],
    ] {
        let arguments = [&["analyze", FIBONACCI, "--format", "json"], options].concat();
        let analysis = json(&arguments);
        let shares: f64 = analysis["lexemes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x["share"].as_f64().unwrap())
            .sum();
        assert!((shares - 1.0).abs() < 1e-3, "{options:?}");
    }
}

#[test]
fn pictures_and_tensors() {
    let directory = TempDir::new().unwrap();
    let out = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    for (name, magic) in [
        ("a.png", &b"\x89PNG"[..]),
        ("a.svg", b"<"),
        ("a.html", b"<!"),
    ] {
        for kind in ["matrix", "source"] {
            let path = out(name);
            succeed(&["heatmap", FIBONACCI, "--out", &path, "--kind", kind]);
            let bytes = std::fs::read(&path).unwrap();
            assert!(bytes.starts_with(magic), "{name}, {kind}");
        }
    }
    succeed(&[
        "heatmap",
        FIBONACCI,
        "--out",
        &out("l.png"),
        "--unit",
        "lexeme",
        "--colormap",
        "cividis",
        "--labels",
        "none",
    ]);

    let path = out("x.safetensors");
    succeed(&[
        "attention",
        FIBONACCI,
        "--layers",
        "1,3",
        "--heads",
        "0-2",
        "--hidden-states",
        "--out",
        &path,
    ]);
    let bytes = std::fs::read(&path).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let attentions = tensors.tensor("attentions").unwrap();
    let [layers, heads, queries, keys] = attentions.shape().try_into().unwrap();
    assert_eq!((layers, heads, queries), (2, 3, keys));
    assert_eq!(tensors.tensor("input_ids").unwrap().shape(), [keys]);
    assert_eq!(tensors.tensor("offsets").unwrap().shape(), [keys, 2]);
    assert_eq!(
        tensors.tensor("hidden_states").unwrap().shape(),
        [7, keys, 256]
    );

    let path = out("x.npz");
    succeed(&["attention", FIBONACCI, "--out", &path]);
    let mut archive = zip::ZipArchive::new(std::fs::File::open(&path).unwrap()).unwrap();
    let mut array = Vec::new();
    archive
        .by_name("attentions.npy")
        .unwrap()
        .read_to_end(&mut array)
        .unwrap();
    assert!(array.starts_with(b"\x93NUMPY\x01\x00"));
    let header = String::from_utf8_lossy(&array[10..128]).into_owned();
    assert!(
        header.contains(&format!("'shape': (6, 8, {keys}, {keys}, )")),
        "{header}"
    );

    let path = out("x.json");
    succeed(&["attention", FIBONACCI, "--out", &path, "--heads", "mean"]);
    let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(document["attentions"].as_array().unwrap().len(), 6);
    assert_eq!(document["attentions"][0].as_array().unwrap().len(), 1);
    assert_eq!(document["offsets"][0], serde_json::json!([0, 0]));
}

#[test]
fn models_completions_and_manual() {
    assert!(succeed(&["models", "list"]).contains("codegaze-mini"));
    let info: Value = serde_json::from_str(&succeed(&["models", "info", "--json"])).unwrap();
    assert_eq!(info["hidden_size"], 256);
    assert!(info["parameters"].as_u64().unwrap() > 6_000_000);
    let directory = fixture("torch_legacy");
    let path = directory.to_str().unwrap();
    assert_eq!(succeed(&["models", "path", path]).trim(), path);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(succeed(&["completions", shell]).contains("heatmap"));
    }
    let manual = succeed(&["man"]);
    assert!(manual.contains(".TH") && manual.contains("rollout"));
    assert!(succeed(&["--help"]).contains("Examples:"));
    assert!(succeed(&["analyze", "--help"]).contains("--sinks"));
}

/// Arguments, exit code, and a part of the line on stderr.
type Case<'a> = (Vec<&'a str>, i32, &'a str);

#[track_caller]
fn expect_error((arguments, code, message): &Case<'_>) {
    let output = run(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {stderr}");
    assert!(stderr.contains(message), "{arguments:?}: {stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    if *code == 1 {
        assert_eq!(
            stderr.trim_end().lines().count(),
            1,
            "{arguments:?}: {stderr}"
        );
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

/// The table of `docs/ERRORS.md`.
#[test]
fn bad_input_is_one_line() {
    let directory = TempDir::new().unwrap();
    let empty_directory = TempDir::new().unwrap();
    let empty_directory = empty_directory.path().to_str().unwrap();
    let latin1 = file(&directory, "latin1.py", b"# caf\xe9\n");
    let png = file(&directory, "picture.py", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let empty = file(&directory, "empty.py", "");
    let large = file(&directory, "large.py", vec![b'\n'; 50 << 20]);
    let out = directory.path().join("out.png");
    let out = out.to_str().unwrap();
    let cases: Vec<Case<'_>> = vec![
        (
            vec!["analyze", "no/such/file.py"],
            1,
            "no such file; check the path",
        ),
        (
            vec!["analyze", empty_directory],
            1,
            "no source files in this directory",
        ),
        (vec!["analyze", &latin1], 1, "not UTF-8"),
        (vec!["analyze", &png], 1, "PNG"),
        (
            vec!["analyze", &large],
            1,
            "larger than 16777216 bytes; raise --max-bytes",
        ),
        (
            vec!["heatmap", &empty, "--out", out],
            1,
            "the file is empty",
        ),
        (
            vec!["heatmap", FIBONACCI, "--out", "x.bmp"],
            2,
            ".png, .svg or .html",
        ),
        (
            vec!["heatmap", FIBONACCI, "--out", out, "--chunk", "9"],
            2,
            "chunk 9 is out of range",
        ),
        (
            vec!["heatmap", FIBONACCI, "--out", out, "--dpi", "9"],
            2,
            "dpi",
        ),
        (
            vec!["attention", FIBONACCI, "--out", "x.pt"],
            2,
            ".safetensors, .npz or .json",
        ),
        (
            vec!["analyze", FIBONACCI, "--layers", "6"],
            2,
            "layer 6 is out of range: the model has 6",
        ),
        (
            vec!["analyze", FIBONACCI, "--heads", "8"],
            2,
            "head 8 is out of range: the model has 8",
        ),
        (
            vec!["analyze", FIBONACCI, "--layers", "x"],
            2,
            "unknown layers \"x\"",
        ),
        (
            vec!["analyze", FIBONACCI, "--method", "magic"],
            2,
            "possible values: received",
        ),
        (
            vec!["analyze", FIBONACCI, "--tokens"],
            2,
            "--tokens works only with JSON",
        ),
        (vec!["analyze"], 2, "required"),
        (
            vec!["analyze", FIBONACCI, "--model", "nonsense"],
            2,
            "owner/name",
        ),
        (
            vec!["analyze", FIBONACCI, "--model", "./no/such/model"],
            1,
            "./no/such/model",
        ),
        (
            vec!["analyze", FIBONACCI, "--model", empty_directory],
            1,
            "config.json",
        ),
        (
            vec!["analyze", FIBONACCI, "--model", "microsoft/codebert-base"],
            1,
            "offline",
        ),
    ];
    for case in &cases {
        expect_error(case);
    }
    assert!(!Path::new(out).exists(), "a failed command leaves no file");

    let output = run(&["analyze", &empty]);
    assert!(output.status.success(), "an empty file is a file");
}

#[test]
#[cfg(not(feature = "cuda"))]
fn a_device_that_is_not_compiled_in_is_one_line() {
    let arguments = vec!["analyze", FIBONACCI, "--device", "cuda"];
    expect_error(&(arguments, 1, "build it with --features cuda"));
}

#[test]
fn damaged_models_are_one_line() {
    let cases: [(&str, &str, &dyn Fn(&Path), &str); 7] = [
        (
            "safetensors",
            "model.safetensors",
            &|path| truncate(path, 20_000),
            "truncated",
        ),
        (
            "safetensors",
            "model.safetensors",
            &|path| {
                std::fs::write(path, [&(1_u64 << 60).to_le_bytes()[..], b"{}"].concat()).unwrap();
            },
            "header",
        ),
        (
            "torch_zip",
            "pytorch_model.bin",
            &|path| {
                std::fs::copy(fixture("bad/os_system_zip_2.bin"), path).unwrap();
            },
            "system",
        ),
        (
            "torch_legacy",
            "pytorch_model.bin",
            &|path| {
                std::fs::copy(fixture("bad/os_system_legacy_2.bin"), path).unwrap();
            },
            "system",
        ),
        (
            "safetensors",
            "config.json",
            &|path| {
                replace(
                    path,
                    "\"intermediate_size\":",
                    "\"intermediate_size\": 7, \"was\":",
                );
            },
            "implies",
        ),
        (
            "safetensors",
            "config.json",
            &|path| replace(path, "\"roberta\"", "\"gpt2\""),
            "gpt2",
        ),
        (
            "torch_zip",
            "vocab.json",
            &|path| replace(path, "\"<s>\"", "\"<S>\""),
            "<s>",
        ),
    ];
    for (layout, name, damage, message) in cases {
        let directory = TempDir::new().unwrap();
        for entry in std::fs::read_dir(fixture(layout)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
        }
        damage(&directory.path().join(name));
        let model = directory.path().to_str().unwrap();
        expect_error(&(vec!["analyze", FIBONACCI, "--model", model], 1, message));
    }
}

#[test]
fn weights_that_are_not_numbers_are_one_line() {
    let directory = TempDir::new().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(
            fixture("safetensors").join(name),
            directory.path().join(name),
        )
        .unwrap();
    }
    let path = directory.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    for value in bytes[8 + header..].as_chunks_mut::<4>().0 {
        *value = f32::NAN.to_le_bytes();
    }
    std::fs::write(&path, bytes).unwrap();
    expect_error(&(
        vec![
            "analyze",
            FIBONACCI,
            "--model",
            directory.path().to_str().unwrap(),
        ],
        1,
        "NaN",
    ));
}

fn truncate(path: &Path, len: u64) {
    std::fs::OpenOptions::new()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(len)
        .unwrap();
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn one_bad_file_does_not_stop_the_others() {
    let directory = TempDir::new().unwrap();
    let bad = file(&directory, "bad.py", b"\xff");
    let output = run(&["analyze", &bad, FIBONACCI, "no/such.py", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr).lines().count(), 2);
    let documents: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents.len(), 3);
    assert!(
        documents[0]["error"].is_string()
            && documents[1]["error"].is_null()
            && documents[2]["error"].is_string()
    );
}

#[cfg(unix)]
mod unix {
    use super::*;

    /// Every `codegaze` line of the README's shell blocks, in a copy of what it needs.
    #[test]
    fn the_commands_of_the_readme_run() {
        let directory = TempDir::new().unwrap();
        std::fs::create_dir(directory.path().join("examples")).unwrap();
        for entry in std::fs::read_dir(root().join("examples")).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(
                entry.path(),
                directory.path().join("examples").join(entry.file_name()),
            )
            .unwrap();
        }
        let program = Path::new(env!("CARGO_BIN_EXE_codegaze")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
        let mut n_run = 0;
        for block in readme.split("```sh\n").skip(1) {
            let block = block.split("```").next().unwrap();
            for line in block.lines().filter(|line| line.contains("codegaze ")) {
                let output = codegaze_shell(line, directory.path(), &path);
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{line}: {stderr}");
                n_run += 1;
            }
        }
        assert!(n_run > 15, "the README has lost its commands");
        for name in [
            "all.jsonl",
            "matrix.png",
            "matrix.html",
            "lexemes.svg",
            "source.png",
            "attention.npz",
        ] {
            assert!(
                directory.path().join(name).metadata().unwrap().len() > 1_000,
                "{name}"
            );
        }
    }

    fn codegaze_shell(line: &str, directory: &Path, path: &str) -> Output {
        Command::new("sh")
            .args(["-c", line])
            .current_dir(directory)
            .env("PATH", path)
            .env("HF_HUB_OFFLINE", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// As a shell's `<(git show HEAD:a.py)` passes it.
    #[test]
    fn a_pipe_named_as_a_file_is_read_within_the_limit() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("fifo.py");
        let path = path.to_str().unwrap();
        let made = Command::new("mkfifo").arg(path).status().unwrap();
        assert!(made.success());
        let write = |text: &'static str| {
            let path = path.to_owned();
            // A reader that stops at its limit closes the pipe, which is an error here.
            std::thread::spawn(move || std::fs::write(path, text).is_ok())
        };
        let writer = write("x = 1\n");
        let csv = succeed(&["analyze", path, "--format", "csv"]);
        assert!(csv.contains(",x,identifier,"), "{csv}");
        assert!(writer.join().unwrap());
        let writer = write("x = 1234\n");
        let arguments = vec!["analyze", path, "--max-bytes", "8"];
        expect_error(&(arguments, 1, "larger than 8 bytes"));
        let _ = writer.join();
    }

    #[test]
    fn no_name_of_a_file_sends_escape_codes() {
        use std::os::unix::ffi::OsStrExt;
        let directory = TempDir::new().unwrap();
        let escape = "\u{1b}]0;title\u{7}\u{1b}[2J";
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (source, latin) = (
            path(&format!("a{escape}.py")),
            path(&format!("b{escape}.py")),
        );
        let (missing, empty) = (path(&format!("c{escape}.py")), path(&format!("d{escape}")));
        std::fs::write(&source, "x = 1\n").unwrap();
        std::fs::write(&latin, b"\xff").unwrap();
        std::fs::create_dir(&empty).unwrap();
        let not_unicode = directory
            .path()
            .join(std::ffi::OsStr::from_bytes(b"e\xff\x1b.py"));
        let out = path(&format!("e{escape}/a.png"));
        let cases: [Vec<&std::ffi::OsStr>; 6] = [
            vec!["analyze".as_ref(), source.as_ref()],
            vec!["analyze".as_ref(), latin.as_ref()],
            vec!["analyze".as_ref(), missing.as_ref()],
            vec!["analyze".as_ref(), empty.as_ref()],
            vec!["analyze".as_ref(), not_unicode.as_ref()],
            vec![
                "heatmap".as_ref(),
                source.as_ref(),
                "--out".as_ref(),
                out.as_ref(),
            ],
        ];
        for arguments in cases {
            let output = codegaze().args(&arguments).output().unwrap();
            let shown = [output.stdout, output.stderr].concat();
            assert!(
                !shown.contains(&0x1b) && !shown.contains(&0x07),
                "{arguments:?}"
            );
            assert!(
                String::from_utf8(shown).unwrap().contains("␛"),
                "{arguments:?}"
            );
        }
    }

    #[test]
    fn a_directory_without_permission_is_named_once() {
        use std::os::unix::fs::PermissionsExt;
        let directory = TempDir::new().unwrap();
        let locked = directory.path().join("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read_dir(&locked).is_ok() {
            // The superuser reads everything.
            return;
        }
        let output = run(&["analyze", locked.to_str().unwrap()]);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(stderr.matches("locked").count(), 1, "{stderr}");
        assert!(stderr.contains("permission denied"), "{stderr}");
    }

    #[test]
    fn an_output_that_is_a_link_writes_its_target() {
        let directory = TempDir::new().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::create_dir(path("results")).unwrap();
        for target in ["results/old.svg", "results/new.svg"] {
            std::os::unix::fs::symlink(target, path("link.svg")).unwrap();
            if target.contains("old") {
                std::fs::write(path(target), "old").unwrap();
            }
            let link = path("link.svg");
            succeed(&["heatmap", FIBONACCI, "--out", link.to_str().unwrap()]);
            assert!(link.is_symlink(), "{target}");
            let written = std::fs::read_to_string(path(target)).unwrap();
            assert!(written.starts_with("<svg"), "{target}");
            std::fs::remove_file(link).unwrap();
        }
    }

    #[test]
    fn an_unreadable_file_is_one_line() {
        use std::os::unix::fs::PermissionsExt;
        let directory = TempDir::new().unwrap();
        let path = file(&directory, "secret.py", "x = 1\n");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read(&path).is_ok() {
            // The superuser can read every file, but not a directory in place of a file.
            expect_error(&(
                vec![
                    "attention",
                    directory.path().to_str().unwrap(),
                    "--out",
                    "x.npz",
                ],
                1,
                "is a directory",
            ));
            return;
        }
        expect_error(&(vec!["analyze", &path], 1, "ermission denied"));
    }

    #[test]
    fn a_closed_pipe_is_success_in_every_format() {
        for format in ["text", "json", "csv", "markdown"] {
            let mut child = codegaze()
                .args(["analyze", "examples", "--format", format])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            drop(child.stdout.take());
            let output = child.wait_with_output().unwrap();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{format}: {stderr}");
            assert!(stderr.is_empty(), "{format}: {stderr}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_one_line() {
        let full = std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let output = codegaze()
            .args(["analyze", FIBONACCI])
            .stdout(full)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(
            stderr.contains("No space left") && stderr.lines().count() == 1,
            "{stderr}"
        );
        let directory = TempDir::new().unwrap();
        let link = directory.path().join("out.npz");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        expect_error(&(
            vec!["attention", FIBONACCI, "--out", link.to_str().unwrap()],
            1,
            "No space left",
        ));
    }
}
