//! Hovers are short, and silent where the user wants that; `codegaze/explain` shows everything.

use serde_json::{Value, json};

use crate::{Editor, URI, functions};

fn at(editor: &mut Editor, method: &str, position: &Value) -> Value {
    let params = json!({ "textDocument": { "uri": URI }, "position": position });
    editor.client.call(method, &params)
}

fn text_of(hover: &Value) -> String {
    hover["contents"]["value"].as_str().unwrap().to_owned()
}

#[test]
fn a_hover_has_two_lines_and_one_link_and_explain_has_all_numbers() {
    let commands = [
        "codegaze.explain",
        "codegaze.showHeatmap",
        "codegaze.selectView",
    ];
    let mut editor = Editor::start(json!({ "clientCommands": commands }));
    editor.open(&functions(2));
    editor.heat();
    let place = json!({ "line": 0, "character": 5 });
    let hover = at(&mut editor, "textDocument/hover", &place);
    let short = text_of(&hover);
    let lines: Vec<&str> = short.lines().collect();
    assert_eq!(lines.len(), 3, "{short}");
    assert!(
        lines[0].contains("× the average attention · rank "),
        "{short}"
    );
    assert!(lines[1].starts_with("attends most to "), "{short}");
    assert!(
        lines[2].starts_with("[more](command:codegaze.explain?"),
        "{short}"
    );
    let explained = at(&mut editor, "codegaze/explain", &place);
    assert_eq!(explained["range"], hover["range"]);
    let full = text_of(&explained);
    for part in [
        "attended by",
        "sinks",
        "chunk",
        "codegaze-mini",
        "showHeatmap",
    ] {
        assert!(full.contains(part), "no {part} in {full}");
    }
    editor.leave();
}

#[test]
fn lexemes_below_the_level_of_the_settings_have_no_hover() {
    let mut editor = Editor::start(json!({ "hover": { "minLevel": 1 } }));
    editor.open(&functions(2));
    editor.heat();
    let (mut with, mut without) = (0, 0);
    for line in 0..8 {
        for character in 0..20 {
            let place = json!({ "line": line, "character": character });
            let relations = at(&mut editor, "codegaze/relations", &place);
            let hover = at(&mut editor, "textDocument/hover", &place);
            if relations["lexeme"]["level"].as_u64().unwrap_or(0) > 0 {
                assert!(hover.is_object(), "{relations}");
                with += 1;
            } else {
                assert_eq!(hover, Value::Null, "{relations}");
                without += 1;
            }
            if relations.is_object() {
                assert!(at(&mut editor, "codegaze/explain", &place).is_object());
            }
        }
    }
    assert!(with > 5 && without > 5, "{with} with, {without} without");
    editor.leave();
}
