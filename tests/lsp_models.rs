//! Which model the language server uses: the real program over pipes, and a local server with the hub's API.

#![allow(clippy::unwrap_used, reason = "a test fails where it stands")]
#![cfg(all(feature = "hub", feature = "embedded"))]

#[path = "support/hub_server.rs"]
mod hub_server;
#[path = "support/lsp_client.rs"]
mod lsp_client;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hub_server::{Fault, HubServer};
use lsp_client::{Client, PATIENCE, Reply, Said};
use serde_json::{Value, json};

const ID: &str = "acme/tiny";
const CODEBERT: &str = "microsoft/codebert-base";
const EMBEDDED: &str = "codegaze-mini";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const WEIGHTS: &str = "model.safetensors";
const URI: &str = "untitled:one";
const CANCELLED: i64 = -32800;
const FAILED: i64 = -32803;
/// With this pause, a download takes about a second, so that a test can see it and cancel it.
const SLOW: Fault = Fault::Slow {
    piece: 200_000,
    pause: Duration::from_millis(15),
};

fn mini() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/codegaze-mini/model")
}

/// A hub with the embedded model under another name, and an empty cache.
struct Fixture {
    hub: HubServer,
    cache: tempfile::TempDir,
}

impl Fixture {
    fn new(id: &str) -> Self {
        let names = ["config.json", "tokenizer.json", WEIGHTS];
        let files = names.map(|name| (name, fs::read(mini().join(name)).unwrap()));
        let hub = HubServer::start();
        hub.publish(id, "main", COMMIT, &files);
        hub.state.lock().unwrap().large.insert(WEIGHTS.to_owned());
        Self {
            hub,
            cache: tempfile::tempdir().unwrap(),
        }
    }

    /// The program with this hub and this cache.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codegaze"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().to_ascii_uppercase();
            if name.starts_with("HF_") || name.ends_with("_PROXY") {
                command.env_remove(name.to_ascii_lowercase());
                command.env_remove(name);
            }
        }
        command
            .env("HF_ENDPOINT", &self.hub.endpoint)
            .env("HF_HUB_CACHE", self.cache.path())
            .stderr(Stdio::null());
        command
    }

    /// A hub whose model is in the cache.
    fn filled(id: &str) -> Self {
        let fixture = Self::new(id);
        let downloaded = fixture
            .command()
            .args(["models", "download", id])
            .stdout(Stdio::null())
            .status();
        assert!(downloaded.unwrap().success());
        fixture.hub.take_requests();
        fixture
    }

    fn serve(&self, options: &Value) -> Editor {
        Editor::start(&mut self.command(), options, "Not now")
    }

    fn serve_offline(&self, options: &Value) -> Editor {
        let mut command = self.command();
        command.env("HF_HUB_OFFLINE", "1");
        Editor::start(&mut command, options, "Not now")
    }

    /// The requests for the content of the weights: the range of each.
    fn transfers(&self) -> Vec<Option<String>> {
        let requests = self.hub.take_requests().into_iter();
        let of_weights = requests.filter(|request| request.is_cdn && request.method == "GET");
        of_weights.map(|request| request.range).collect()
    }
}

/// A client with one document, like an editor.
struct Editor(Client);

impl Editor {
    /// `choice` is the response to the question whether the server may download the model.
    fn start(command: &mut Command, options: &Value, choice: &'static str) -> Self {
        let mut client = Client::spawn(command.args(["lsp", "--stdio"]));
        client.on("window/showMessageRequest", move |params| {
            let mut titles = params["actions"].as_array().unwrap().iter();
            let chosen = titles.find(|action| action["title"] == choice);
            Reply::Result(chosen.cloned().unwrap_or_default())
        });
        let capabilities = json!({
            "window": { "workDoneProgress": true },
            "workspace": { "semanticTokens": { "refreshSupport": true } },
            "experimental": { "codegaze": { "status": true } },
        });
        let params = json!({ "capabilities": capabilities, "initializationOptions": options });
        client.call("initialize", &params);
        client.notify("initialized", &json!({}));
        let text = "def area(width, height):\n    return width * height\n";
        let item = json!({ "uri": URI, "languageId": "python", "version": 1, "text": text });
        client.notify("textDocument/didOpen", &json!({ "textDocument": item }));
        Self(client)
    }

    fn is_served_by(&mut self, model: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let now = self.model();
            if now["state"] == "ready" && now["id"] == model {
                break;
            }
            assert!(Instant::now() < end, "{model} does not serve: {now}");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.heat_is_of(model)
    }

    /// Expects heat from `model`.
    fn heat_is_of(&mut self, model: &str) -> Value {
        let params = json!({ "textDocument": { "uri": URI } });
        let heat = self.0.call("codegaze/heatmap", &params);
        assert_eq!(heat["view"]["model"], model);
        assert!(heat["data"].as_array().unwrap().len() > 20, "{heat}");
        heat
    }

    fn model(&mut self) -> Value {
        self.0.call("codegaze/model", &json!({}))
    }

    fn ask_for(&mut self, command: &str, argument: &Value) -> i64 {
        let params = json!({ "command": command, "arguments": [argument] });
        self.0.ask("workspace/executeCommand", &params)
    }

    fn run(&mut self, command: &str, argument: &Value) -> Value {
        let id = self.ask_for(command, argument);
        self.0.answer(id).unwrap()
    }

    fn questions(&self) -> Vec<Said> {
        self.0.said("window/showMessageRequest")
    }

    /// Waits until the progress of the only token of the server ends, and returns all kinds of its messages.
    fn progress(&self) -> Vec<Value> {
        self.0
            .hear("$/progress", |params| params["value"]["kind"] == "end");
        let created = self.0.said("window/workDoneProgress/create");
        assert_eq!(created.len(), 1);
        let messages = self.0.said("$/progress").into_iter();
        let values = messages.map(|message| {
            assert_eq!(message.params["token"], created[0].params["token"]);
            message.params["value"].clone()
        });
        values.collect()
    }

    fn leave(mut self) {
        self.0.leave();
        let status = self.0.exits_within(PATIENCE).unwrap();
        assert!(status.success(), "{status}");
    }
}

fn assert_is_balanced(progress: &[Value]) {
    let kinds: Vec<_> = progress.iter().map(|value| &value["kind"]).collect();
    assert_eq!(kinds[0], "begin");
    assert_eq!(kinds[kinds.len() - 1], "end");
    assert!(
        kinds[1..kinds.len() - 1]
            .iter()
            .all(|&kind| kind == "report"),
        "{kinds:?}"
    );
}

#[test]
fn a_missing_model_is_downloaded_and_used_after_the_user_confirms() {
    let fixture = Fixture::new(ID);
    fixture.hub.fail(WEIGHTS, &[SLOW]);
    let mut editor = Editor::start(&mut fixture.command(), &json!({ "model": ID }), "Download");
    editor.0.hear("codegaze/status", |status| {
        status["state"] == "downloading" && status["model"] == EMBEDDED
    });
    editor.heat_is_of(EMBEDDED);
    let question = &editor.questions()[0].params;
    let text = question["message"].as_str().unwrap();
    assert!(text.contains(ID) && text.contains(EMBEDDED), "{text}");
    editor.is_served_by(ID);
    assert_eq!(editor.questions().len(), 1);

    let progress = editor.progress();
    assert_is_balanced(&progress);
    let percents: Vec<u64> = progress
        .iter()
        .filter_map(|value| value["percentage"].as_u64())
        .collect();
    assert!(percents.is_sorted() && percents.len() >= 3, "{percents:?}");
    assert!(
        percents.iter().all(|percent| *percent <= 100),
        "{percents:?}"
    );
    let statuses = editor.0.said("codegaze/status").into_iter();
    let mut states: Vec<_> = statuses
        .map(|status| status.params["state"].clone())
        .collect();
    states.dedup();
    assert!(
        states.ends_with(&[json!("downloading"), json!("loading"), json!("ready")]),
        "{states:?}"
    );
    editor.0.hear("workspace/semanticTokens/refresh", |_| true);

    let model = editor.model();
    let described =
        ["id", "source", "revision", "requested", "embedded"].map(|key| model[key].clone());
    assert_eq!(
        described,
        [
            json!(ID),
            json!("hub"),
            json!(COMMIT),
            json!(ID),
            json!(false)
        ]
    );
    let params =
        json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 5 } });
    let hover = editor.0.call("codegaze/explain", &params);
    assert!(hover.to_string().contains(ID), "{hover}");
    editor.leave();

    // The next session uses it at once.
    fixture.hub.take_requests();
    let mut editor = fixture.serve_offline(&json!({ "model": ID }));
    editor.is_served_by(ID);
    assert_eq!(editor.questions().len(), 0);
    editor.leave();
    assert_eq!(fixture.hub.take_requests().len(), 0);
}

#[test]
fn a_model_that_the_user_declines_is_not_downloaded_and_not_proposed_again() {
    let fixture = Fixture::new(ID);
    let mut editor = fixture.serve(&json!({ "model": ID }));
    editor.0.hear("codegaze/status", |status| {
        status["state"] == "ready" && status["message"].to_string().contains(ID)
    });
    editor.0.hear("window/showMessageRequest", |_| true);
    editor.heat_is_of(EMBEDDED);
    for model in ["embedded", ID] {
        editor.run("codegaze.server.setModel", &json!({ "model": model }));
        editor.heat_is_of(EMBEDDED);
    }
    editor.0.hear("codegaze/status", |status| {
        status["state"] == "ready" && status["message"].to_string().contains(ID)
    });
    assert_eq!(editor.model()["requested"], ID);
    assert_eq!(editor.questions().len(), 1);
    editor.leave();
    assert_eq!(fixture.hub.take_requests().len(), 0);
}

#[test]
fn a_client_that_never_responds_is_served_by_the_embedded_model() {
    let fixture = Fixture::new(ID);
    let mut editor = fixture.serve(&json!({ "model": ID }));
    editor.0.on("window/showMessageRequest", |_| Reply::Later);
    editor.is_served_by(EMBEDDED);
    editor.leave();
}

/// Editors write the choice into their settings, and send the settings while the question is open.
#[test]
fn an_answer_counts_if_the_same_settings_arrive_meanwhile() {
    let fixture = Fixture::new(ID);
    let mut editor = fixture.serve(&json!({}));
    editor.is_served_by(EMBEDDED);
    editor.0.on("window/showMessageRequest", |_| Reply::Later);
    editor.run("codegaze.server.setModel", &json!({ "model": ID }));
    let question = editor.0.hear("window/showMessageRequest", |_| true);
    let settings = json!({ "settings": { "codegaze": { "model": ID } } });
    editor
        .0
        .notify("workspace/didChangeConfiguration", &settings);
    assert_eq!(editor.model()["requested"], ID);
    let id = question.id.unwrap();
    editor.0.reply(&id, &json!({ "title": "Download" }));
    editor.is_served_by(ID);
    assert_eq!(editor.questions().len(), 1);
    editor.leave();
}

#[test]
fn offline_is_an_error_and_the_embedded_model_stays() {
    let fixture = Fixture::new(ID);
    let mut editor = fixture.serve_offline(&json!({ "model": ID }));
    let message = editor
        .0
        .hear("window/showMessage", |params| params["type"] == 1);
    let text = message.params["message"].as_str().unwrap();
    for part in [ID, "HF_HUB_OFFLINE", EMBEDDED] {
        assert!(text.contains(part), "{text}");
    }
    editor.heat_is_of(EMBEDDED);
    assert_eq!(editor.model()["state"], "error");
    assert_eq!(editor.questions().len(), 0);
    // The command does not work either.
    let id = editor.ask_for("codegaze.server.downloadModel", &json!({ "model": ID }));
    let error = editor.0.answer(id).unwrap_err();
    assert_eq!(error.code, FAILED);
    assert!(
        error.message.contains("HF_HUB_OFFLINE"),
        "{}",
        error.message
    );
    editor.heat_is_of(EMBEDDED);
    editor.leave();
    assert_eq!(fixture.hub.take_requests().len(), 0);
}

/// Editors cancel the progress or the request.
#[test]
fn a_download_can_be_cancelled_and_continues_where_it_stopped() {
    for by_progress in [true, false] {
        let fixture = Fixture::new(ID);
        fixture.hub.fail(WEIGHTS, &[SLOW]);
        let mut editor = fixture.serve(&json!({ "model": "embedded" }));
        editor.is_served_by(EMBEDDED);
        let id = editor.ask_for("codegaze.server.downloadModel", &json!({ "model": ID }));
        editor.0.hear("codegaze/status", |status| {
            status["percent"]
                .as_u64()
                .is_some_and(|percent| percent > 0)
        });
        editor.heat_is_of(EMBEDDED);
        if by_progress {
            let created = editor.0.said("window/workDoneProgress/create");
            let token = json!({ "token": created[0].params["token"] });
            editor.0.notify("window/workDoneProgress/cancel", &token);
            let error = editor.0.answer(id).unwrap_err();
            assert_eq!(error.code, FAILED);
            assert!(error.message.contains("cancelled"), "{}", error.message);
        } else {
            editor.0.cancel(id);
            assert_eq!(editor.0.answer(id).unwrap_err().code, CANCELLED);
        }
        assert_is_balanced(&editor.progress());
        editor.0.hear("codegaze/status", |status| {
            status["state"] == "ready" && status["message"].to_string().contains("cancelled")
        });
        assert_eq!(fixture.transfers(), [None]);
        assert_eq!(editor.0.said("window/showMessage").len(), 0);
        editor.heat_is_of(EMBEDDED);

        editor.run("codegaze.server.downloadModel", &json!({ "model": ID }));
        editor.is_served_by(ID);
        let transfers = fixture.transfers();
        assert_eq!(transfers.len(), 1);
        assert_ne!(transfers[0].as_deref(), Some("bytes=0-"));
        assert!(transfers[0].is_some(), "it began anew");
        editor.leave();
    }
}

#[test]
fn a_failed_download_is_reported_and_the_current_model_stays() {
    for (fault, cause) in [
        (Fault::Status(404), "404"),
        (Fault::Corrupt, "SHA-256"),
        (Fault::OtherPage, ""),
    ] {
        let fixture = Fixture::new(ID);
        fixture.hub.fail(WEIGHTS, &[fault; 8]);
        let mut editor = fixture.serve(&json!({}));
        editor.is_served_by(EMBEDDED);
        let id = editor.ask_for("codegaze.server.downloadModel", &json!({ "model": ID }));
        let error = editor.0.answer(id).unwrap_err();
        assert_eq!(error.code, FAILED, "{fault:?}");
        assert!(error.message.contains(cause), "{fault:?}: {error:?}");
        let message = editor
            .0
            .hear("window/showMessage", |params| params["type"] == 1);
        assert!(message.params["message"].to_string().contains(EMBEDDED));
        assert_eq!(editor.model()["state"], "error");
        editor.heat_is_of(EMBEDDED);
        editor.leave();
    }
}

#[test]
fn auto_is_codebert_if_the_cache_has_it() {
    for is_offline in [false, true] {
        let fixture = Fixture::filled(CODEBERT);
        let mut editor = if is_offline {
            fixture.serve_offline(&json!({}))
        } else {
            fixture.serve(&json!({}))
        };
        editor.is_served_by(CODEBERT);
        let model = editor.model();
        assert_eq!(
            (&model["requested"], &model["source"]),
            (&json!("auto"), &json!("hub"))
        );
        editor.leave();
        assert_eq!(
            fixture.hub.take_requests().len(),
            0,
            "auto never asks the hub"
        );
    }
}

#[test]
fn auto_is_the_embedded_model_if_the_cache_has_no_codebert() {
    let fixture = Fixture::new(CODEBERT);
    let mut editor = fixture.serve(&json!({ "model": "auto" }));
    editor.is_served_by(EMBEDDED);
    let model = editor.model();
    assert_eq!(
        (&model["requested"], &model["source"], &model["embedded"]),
        (&json!("auto"), &json!("embedded"), &json!(true))
    );
    assert_eq!(editor.questions().len(), 0);
    // The command without a name downloads CodeBERT, without a question.
    let model = editor.run("codegaze.server.downloadModel", &json!({}));
    assert_eq!(model["id"], CODEBERT);
    editor.heat_is_of(CODEBERT);
    assert_eq!(editor.questions().len(), 0);
    editor.leave();
}

#[test]
fn a_directory_is_used_and_an_unknown_name_is_an_error() {
    let fixture = Fixture::new(ID);
    let mut editor = fixture.serve(&json!({}));
    editor.is_served_by(EMBEDDED);
    let empty = tempfile::tempdir().unwrap();
    let empty = empty.path().to_str().unwrap();
    for bad in [empty, "/no/such/directory", "no slash", "a//b"] {
        let before = editor.0.said("window/showMessage").len();
        editor.run("codegaze.server.setModel", &json!({ "model": bad }));
        editor.0.hear("codegaze/status", |status| {
            status["state"] == "error" && status["message"].to_string().contains(bad)
        });
        editor.heat_is_of(EMBEDDED);
        assert_eq!(editor.0.said("window/showMessage").len(), before + 1);
    }
    let directory = mini();
    let directory = directory.to_str().unwrap();
    editor.run("codegaze.server.setModel", &json!({ "model": directory }));
    // The same weights return the same heat.
    let of_directory = editor.is_served_by(directory);
    assert_eq!(editor.model()["source"], "directory");
    editor.run("codegaze.server.setModel", &json!({ "model": "embedded" }));
    let of_embedded = editor.is_served_by(EMBEDDED);
    assert_eq!(of_directory["data"], of_embedded["data"]);
    editor.leave();
}

/// After several choices in a row, the server uses the last one, even if the others take longer.
#[test]
fn the_last_choice_wins() {
    let fixture = Fixture::filled(ID);
    let mut editor = fixture.serve(&json!({}));
    editor.is_served_by(EMBEDDED);
    let directory = mini();
    let directory = directory.to_str().unwrap();
    for model in [ID, directory, "embedded", directory, "auto", ID] {
        editor.run("codegaze.server.setModel", &json!({ "model": model }));
    }
    editor.is_served_by(ID);
    // Older loads that end later change nothing.
    std::thread::sleep(Duration::from_millis(500));
    editor.heat_is_of(ID);
    assert_eq!(editor.model()["id"], ID);
    editor.leave();
}
