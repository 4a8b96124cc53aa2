//! The whole language server in this process, over pipes: what a response waits for, and which text the model reads.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![cfg(feature = "embedded")]

#[path = "support/lsp_client.rs"]
mod lsp_client;

#[path = "lsp_server/documents.rs"]
mod documents;
#[path = "lsp_server/editors.rs"]
mod editors;
#[path = "lsp_server/hovers.rs"]
mod hovers;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use codegaze::lsp::{Ended, ServeOptions, serve};
use lsp_client::{Client, PATIENCE};
use serde_json::{Value, json};

const URI: &str = "file:///work/{a} b.py";
const CONTENT_MODIFIED: i64 = -32801;
const CANCELLED: i64 = -32800;

/// Functions of about 120 subwords each.
fn functions(n: usize) -> String {
    (0..n).fold(String::new(), |mut text, i| {
        let _ = write!(text, "def scale_{i}(values, width):\n    total = {i}\n");
        for line in 0..6 {
            let _ = writeln!(text, "    total += values[{line}] * width - {i} // {line}1");
        }
        text + "    return total\n\n\n"
    })
}

struct Editor {
    client: Client<Ended>,
    version: i32,
}

impl Editor {
    /// Uses the embedded model, independent of the hub cache of this machine.
    fn start(options: Value) -> Self {
        let mut options = options;
        options["model"] = json!("embedded");
        let mut client =
            Client::of_async(|input, output| serve(input, output, ServeOptions::default()));
        let capabilities = json!({
            "general": { "positionEncodings": ["utf-8", "utf-16"] },
            "textDocument": { "hover": { "contentFormat": ["markdown"] } },
            "workspace": { "semanticTokens": { "refreshSupport": true } },
            "experimental": { "codegaze": { "status": true, "heatmapChanged": true } },
        });
        let params = json!({ "capabilities": capabilities, "initializationOptions": options });
        client.call("initialize", &params);
        client.notify("initialized", &json!({}));
        client.hear("codegaze/status", |status| status["state"] == "ready");
        Self { client, version: 0 }
    }

    fn open(&mut self, text: &str) {
        self.open_as("python", text);
    }

    fn open_as(&mut self, language: &str, text: &str) {
        self.version += 1;
        let item =
            json!({ "uri": URI, "languageId": language, "version": self.version, "text": text });
        self.client
            .notify("textDocument/didOpen", &json!({ "textDocument": item }));
    }

    /// Inserts `text` at the beginning of a line.
    fn insert(&mut self, line: usize, text: &str) {
        self.replace(&json!([[line, 0], [line, 0]]), text);
    }

    fn replace(&mut self, range: &Value, text: &str) {
        self.version += 1;
        let [start, end] = [0, 1].map(|i| json!({ "line": range[i][0], "character": range[i][1] }));
        let change = json!({ "range": { "start": start, "end": end }, "text": text });
        let document = json!({ "uri": URI, "version": self.version });
        let params = json!({ "textDocument": document, "contentChanges": [change] });
        self.client.notify("textDocument/didChange", &params);
    }

    fn ask(&mut self, method: &str) -> i64 {
        let params = json!({
            "textDocument": { "uri": URI },
            "position": { "line": 0, "character": 5 },
        });
        self.client.ask(method, &params)
    }

    fn heat(&mut self) -> Value {
        let id = self.ask("codegaze/heatmap");
        let heat = self.client.answer(id).unwrap();
        assert_eq!(
            (&heat["uri"], &heat["version"]),
            (&json!(URI), &json!(self.version))
        );
        heat
    }

    fn command(&mut self, command: &str, argument: &Value) -> Value {
        let params = json!({ "command": command, "arguments": [argument] });
        self.client.call("workspace/executeCommand", &params)
    }

    /// One of the engine's counters.
    fn count(&mut self, name: &str) -> u64 {
        let info = self.command("codegaze.server.info", &json!({}));
        info["engine"][name].as_u64().unwrap()
    }

    fn leave(mut self) {
        self.client.leave();
        assert_eq!(self.client.ended().unwrap().exit_code(), 0);
    }
}

#[test]
fn an_edit_runs_the_model_on_its_function_alone_and_undo_on_nothing() {
    let mut editor = Editor::start(json!({ "debounceMs": 0 }));
    editor.open(&functions(24));
    let before = editor.heat();
    let passes = editor.count("passes");
    assert!(passes >= 10, "{passes}");

    // The third function's third line.
    editor.replace(&json!([[25, 4], [25, 9]]), "sum");
    let edited = editor.heat();
    assert_ne!(before["data"], edited["data"]);
    assert_eq!(editor.count("passes"), passes + 1);

    editor.replace(&json!([[25, 4], [25, 7]]), "total");
    assert_eq!(editor.heat()["data"], before["data"]);
    assert_eq!(editor.count("passes"), passes + 1);
    editor.leave();
}

#[test]
fn a_slow_analysis_is_an_error_first_and_a_refresh_later() {
    let mut editor = Editor::start(json!({ "debounceMs": 0, "deadlineMs": 1 }));
    editor.open(&functions(60));
    // Like an editor, the client requests tokens again after each refresh.
    let refreshes = |editor: &Editor| editor.client.said("workspace/semanticTokens/refresh").len();
    let mut n_late = 0;
    let tokens = loop {
        let before = refreshes(&editor);
        let id = editor.ask("textDocument/semanticTokens/full");
        match editor.client.answer(id) {
            Ok(tokens) => break tokens,
            Err(error) => assert_eq!(error.code, CONTENT_MODIFIED),
        }
        n_late += 1;
        let end = Instant::now() + PATIENCE;
        while refreshes(&editor) == before {
            assert!(Instant::now() < end, "the server sends no refresh");
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    assert!(n_late > 0, "nothing was too late");
    assert!(tokens["data"].as_array().unwrap().len() > 500, "{tokens}");
    editor.leave();
}

#[test]
fn an_answer_is_never_of_another_version_than_its_request() {
    let mut editor = Editor::start(json!({ "debounceMs": 0 }));
    editor.open(&functions(30));
    let mut requests = Vec::new();
    for i in 0..12 {
        requests.push((editor.version, editor.ask("codegaze/heatmap")));
        editor.insert(i, "# another line\n");
    }
    requests.push((editor.version, editor.ask("codegaze/heatmap")));
    let n_requests = requests.len();
    for (i, (version, id)) in requests.into_iter().enumerate() {
        match editor.client.answer(id) {
            Ok(heat) => assert_eq!(heat["version"], version),
            Err(error) => {
                assert_eq!(error.code, CONTENT_MODIFIED);
                assert!(i + 1 < n_requests, "the latest is answered");
            }
        }
    }
    editor.leave();
}

/// Requests a picture of a long document in a view that is not cached, and cancels the request.
#[test]
fn a_cancelled_request_stops_the_model() {
    let mut editor = Editor::start(json!({ "debounceMs": 0, "cacheMb": 0, "deadlineMs": 60_000 }));
    editor.open(&functions(120));
    editor.heat();
    let before = editor.count("passes");
    let argument = json!({ "uri": URI, "format": "json", "view": { "method": "rollout" } });
    let params = json!({ "command": "codegaze.server.heatmap", "arguments": [argument] });
    let id = editor.client.ask("workspace/executeCommand", &params);
    while editor.count("passes") == before {
        assert_eq!(editor.client.answer_within(id, Duration::ZERO), None);
    }
    editor.client.cancel(id);
    assert_eq!(editor.client.answer(id).unwrap_err().code, CANCELLED);
    // Until no pass begins for a while: the request was cancelled in a pass or between two.
    let mut passes = editor.count("passes");
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = editor.count("passes");
        if now == passes {
            break;
        }
        passes = now;
    }
    // The first analysis made one pass for each chunk, and so would the request.
    assert!(
        passes - before < before,
        "the model runs on: {before}, {passes}"
    );
    editor.leave();
}

#[test]
fn an_invalid_view_is_an_error_and_changes_nothing() {
    let mut editor = Editor::start(json!({}));
    editor.open(&functions(2));
    let before = editor.heat();
    for bad in [
        json!({ "layers": 99 }),
        json!({ "heads": "x" }),
        json!({ "method": "gradient" }),
        json!({ "layers": [0, 77] }),
        json!({ "sinks": 1 }),
    ] {
        let params = json!({ "command": "codegaze.server.setView", "arguments": [bad] });
        let error = editor.client.call_err("workspace/executeCommand", &params);
        assert!(error.message.len() > 10, "{bad}: {}", error.message);
        assert_eq!(editor.heat(), before, "{bad}");
    }
    let view = editor.command(
        "codegaze.server.setView",
        &json!({ "layers": 0, "heads": [1] }),
    );
    assert_eq!(
        (&view["layers"], &view["heads"]),
        (&json!([0]), &json!([1]))
    );
    let after = editor.heat();
    assert_eq!(after["view"], view);
    assert_ne!(after["data"], before["data"]);
    editor.leave();
}

#[test]
fn the_language_id_selects_the_syntax_of_definitions() {
    let text = "def first(x):\n    return x\n\n\nfn second(x: u8) -> u8 {\n    x\n}\n";
    let mut editor = Editor::start(json!({}));
    for (language, lines) in [
        ("python", vec![0]),
        ("py", vec![0]),
        ("rust", vec![4]),
        ("go", vec![]),
    ] {
        editor.open_as(language, text);
        editor.heat();
        let mut found = Vec::new();
        for line in [0, 4] {
            let position = json!({ "line": line, "character": 4 });
            let params = json!({ "textDocument": { "uri": URI }, "position": position });
            let matrix = editor.client.call("codegaze/matrix", &params);
            found.extend(matrix["definition"]["start"]["line"].as_u64());
        }
        assert_eq!(found, lines, "{language}");
        let params = json!({ "textDocument": { "uri": URI } });
        editor.client.notify("textDocument/didClose", &params);
    }
    editor.leave();
}

/// The level in each inlay hint's tooltip, by line.
fn hinted_levels(settings: &Value) -> Vec<u64> {
    let mut options = json!({ "features": { "inlayHints": true } });
    for (key, value) in settings.as_object().unwrap() {
        options[key] = value.clone();
    }
    let mut editor = Editor::start(options);
    editor.open(&functions(3));
    editor.heat();
    let params = json!({
        "textDocument": { "uri": URI },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } },
    });
    let hints = editor.client.call("textDocument/inlayHint", &params);
    editor.leave();
    let levels = hints.as_array().unwrap().iter().map(|hint| {
        let tooltip = hint["tooltip"].as_str().unwrap();
        let (_, level) = tooltip.split_once("(level ").unwrap();
        level[..1].parse().unwrap()
    });
    levels.collect()
}

#[test]
fn level_quantiles_set_the_levels_of_inlay_hints() {
    let usual = hinted_levels(&json!({}));
    let low = hinted_levels(&json!({ "levelQuantiles": [0.0, 0.1, 0.2, 0.3, 0.4] }));
    assert_eq!(usual.len(), 27);
    assert_eq!(low.len(), usual.len());
    assert!(usual.iter().zip(&low).all(|(usual, low)| usual <= low));
    let hottest = |levels: &[u64]| levels.iter().filter(|&&level| level == 5).count();
    assert!(hottest(&usual) <= 3, "{usual:?}");
    assert!(hottest(&low) >= 13, "{low:?}");
}
