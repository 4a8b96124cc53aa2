//! Which document a message is about, and that its text is the client's.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Editor;
use crate::lsp_client::framed_text;

const TEXT: &str = "s = \"\"\nvalue = 1\n";
const HEAT: &str = "codegaze/heatmap";

fn open_at(editor: &Editor, uri: &str) {
    let item = json!({ "uri": uri, "languageId": "python", "version": 1, "text": TEXT });
    let params = json!({ "textDocument": item });
    editor.client.notify("textDocument/didOpen", &params);
}

/// The result of a request about a place in the document at `uri`.
fn ask_at(editor: &mut Editor, method: &str, uri: &str, line: u32) -> Value {
    let position = json!({ "line": line, "character": 0 });
    let params = json!({ "textDocument": { "uri": uri }, "position": position });
    editor.client.call(method, &params)
}

/// The text of the lexeme at the start of a line.
fn lexeme_at(editor: &mut Editor, uri: &str, line: u32) -> Value {
    ask_at(editor, "codegaze/relations", uri, line)["lexeme"]["text"].clone()
}

fn notify_raw(editor: &Editor, method: &str, params: &str) {
    let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#);
    editor.client.raw(&framed_text(&body));
}

#[test]
fn half_a_surrogate_pair_is_one_character_of_the_text() {
    let mut editor = Editor::start(json!({ "debounceMs": 0, "positionEncoding": "utf-16" }));
    notify_raw(
        &editor,
        "textDocument/didOpen",
        r#"{"textDocument":{"uri":"file:///o.py","languageId":"python","version":1,"text":"s = \"\ud83d\"\nvalue = 1\n"}}"#,
    );
    assert_eq!(lexeme_at(&mut editor, "file:///o.py", 1), "value");

    let uri = "file:///c.py";
    open_at(&editor, uri);
    notify_raw(
        &editor,
        "textDocument/didChange",
        r#"{"textDocument":{"uri":"file:///c.py","version":2},"contentChanges":[{"range":{"start":{"line":0,"character":5},"end":{"line":0,"character":5}},"text":"\ud83d\n\nabc"}]}"#,
    );
    let range =
        json!({ "start": { "line": 3, "character": 0 }, "end": { "line": 3, "character": 5 } });
    let params = json!({
        "textDocument": { "uri": uri, "version": 3 },
        "contentChanges": [{ "range": range, "text": "renamed" }],
    });
    editor.client.notify("textDocument/didChange", &params);
    assert_eq!(lexeme_at(&mut editor, uri, 3), "renamed");
    assert_eq!(lexeme_at(&mut editor, uri, 2), "abc");
    assert_eq!(editor.client.said("window/showMessage").len(), 0);
    editor.leave();
}

/// Changes that the server cannot read, with the number of error responses that they cause.
fn lost_changes(uri: &str) -> [(String, usize); 2] {
    let document = format!(r#"{{"uri":"{uri}","version":2}}"#);
    [
        (
            format!(r#"{{"textDocument":{document},"contentChanges":[{{"text":"x"}}"#),
            1,
        ),
        (
            format!(r#"{{"textDocument":{document},"contentChanges":[{{"text":1}}]}}"#),
            0,
        ),
    ]
}

#[test]
fn after_a_lost_change_a_document_has_no_results_until_its_full_text_arrives() {
    for (change, n_refused) in lost_changes("file:///a.py") {
        let mut editor = Editor::start(json!({ "debounceMs": 0 }));
        for uri in ["file:///a.py", "file:///b.py"] {
            open_at(&editor, uri);
            assert!(ask_at(&mut editor, HEAT, uri, 0).is_object());
        }
        notify_raw(&editor, "textDocument/didChange", &change);
        for _ in 0..n_refused {
            editor.client.refusal();
        }
        let edit = json!({
            "range": { "start": { "line": 1, "character": 0 }, "end": { "line": 1, "character": 5 } },
            "text": "renamed",
        });
        let change = |version: i32, change: &Value| {
            json!({
                "textDocument": { "uri": "file:///a.py", "version": version },
                "contentChanges": [change],
            })
        };
        editor
            .client
            .notify("textDocument/didChange", &change(3, &edit));
        for method in [HEAT, "textDocument/hover", "textDocument/codeLens"] {
            assert_eq!(ask_at(&mut editor, method, "file:///a.py", 1), Value::Null);
        }
        assert!(ask_at(&mut editor, HEAT, "file:///b.py", 0).is_object());
        let shown = editor.client.hear("window/showMessage", |_| true);
        let message = shown.params["message"].as_str().unwrap();
        assert!(message.contains("a.py"), "{message}");

        let whole = json!({ "text": "whole = 2\n" });
        editor
            .client
            .notify("textDocument/didChange", &change(4, &whole));
        assert_eq!(lexeme_at(&mut editor, "file:///a.py", 0), "whole");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(editor.client.said("window/showMessage").len(), 1);
        editor.leave();
    }
}

#[test]
fn all_spellings_of_a_uri_are_one_document_and_answers_repeat_the_request() {
    let mut editor = Editor::start(json!({ "debounceMs": 0 }));
    for (opened, asked) in [
        ("file:///c%3A/x/a.py", "file:///c:/x/a.py"),
        ("file:///C:/x/b.py", "file:///c%3A/x/b.py"),
        ("file:///t/%28auth%29/l.py", "file:///t/(auth)/l.py"),
        ("file:///t/caf%C3%A9.py", "file:///t/caf%c3%a9.py"),
        ("file:///t/a b.py", "file:///t/a%20b.py"),
        ("file:///t/[id].py", "file:///t/%5Bid%5D.py"),
    ] {
        open_at(&editor, opened);
        for uri in [asked, opened] {
            assert_eq!(ask_at(&mut editor, HEAT, uri, 0)["uri"], uri);
        }
        let changed = editor.client.hear("codegaze/heatmapChanged", |changed| {
            changed["uri"] == opened
        });
        assert_eq!(changed.params["uri"], opened);
        let params = json!({ "textDocument": { "uri": asked } });
        editor.client.notify("textDocument/didClose", &params);
        assert_eq!(ask_at(&mut editor, HEAT, opened, 0), Value::Null);
    }
    editor.leave();
}
