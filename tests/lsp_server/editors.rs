//! What an editor relies on besides hovers: a device that cannot be used, a long document, exports.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Editor, URI, functions};

fn matrix(editor: &mut Editor, argument: &Value) -> String {
    let mut given = json!({ "uri": URI, "format": "svg" });
    for (key, value) in argument.as_object().unwrap() {
        given[key] = value.clone();
    }
    let result = editor.command("codegaze.server.heatmap", &given);
    result["data"].as_str().unwrap().to_owned()
}

#[test]
#[cfg(not(feature = "cuda"))]
fn a_device_that_cannot_be_used_is_reported_and_the_cpu_runs_the_model() {
    let mut editor = Editor::start(json!({ "device": "cuda" }));
    let shown = editor.client.hear("window/showMessage", |_| true);
    let message = shown.params["message"].as_str().unwrap();
    assert!(
        message.contains("cuda") && message.contains("CPU"),
        "{message}"
    );
    editor.open(&functions(1));
    assert!(
        editor.heat()["data"]
            .as_array()
            .is_some_and(|data| !data.is_empty())
    );
    let model = editor.client.call("codegaze/model", &json!({}));
    assert_eq!(
        (&model["device"], &model["state"]),
        (&json!("cpu"), &json!("ready"))
    );
    editor.leave();
}

#[test]
fn heat_of_a_long_line_grows_while_it_is_analyzed() {
    let mut editor = Editor::start(json!({ "debounceMs": 0, "deadlineMs": 60_000 }));
    // Minified: everything is on the one visible line.
    let functions: Vec<String> = (0..1200)
        .map(|i| format!("function f{i}(a,b){{return a*{i}+b}};"))
        .collect();
    let text = functions.concat();
    editor.open_as("javascript", &text);
    let visible = json!({
        "textDocument": { "uri": URI },
        "range": { "start": { "line": 0, "character": 0 }, "end": { "line": 1, "character": 0 } },
    });
    let start = Instant::now();
    let heat = editor.client.call("codegaze/heatmap", &visible);
    let elapsed = start.elapsed();
    assert_eq!(heat["complete"], false);
    assert!(!heat["data"].as_array().unwrap().is_empty());
    assert!(elapsed < Duration::from_secs(10), "{elapsed:?}");
    let changed = editor.client.hear("codegaze/heatmapChanged", |changed| {
        changed["complete"] == false
    });
    assert!(changed.params["percent"].as_u64().unwrap() < 100);
    editor.leave();
}

#[test]
fn an_exported_part_has_its_own_words_and_lines_alone() {
    let mut editor = Editor::start(json!({}));
    editor.open("def first(alpha):\n    return alpha\n\n\ndef second(gamma):\n    return gamma\n");
    editor.heat();
    let whole = matrix(&mut editor, &json!({}));
    assert!(whole.contains(">alpha<") && whole.contains(">gamma<"));
    let position = json!({ "line": 5, "character": 4 });
    let part = matrix(&mut editor, &json!({ "position": position }));
    assert!(
        !part.contains(">alpha<") && part.contains(">gamma<"),
        "{part}"
    );
    assert!(part.contains("{a} b.py, lines 5–6"), "{part}");
    assert!(!part.contains("file://"), "{part}");
    let name =
        json!({ "start": { "line": 0, "character": 4 }, "end": { "line": 0, "character": 9 } });
    let part = matrix(&mut editor, &json!({ "range": name, "chunk": 0 }));
    assert!(
        part.contains(">first<") && !part.contains(">second<"),
        "{part}"
    );
    editor.leave();
}
