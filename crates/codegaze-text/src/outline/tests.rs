//! Definitions are drawn: before the `|` of each line stands the letter of the definition that it belongs to.

mod languages;
mod typing;

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::line_index::LineIndex;
use crate::testing::any_text;

fn definitions(text: &str) -> Vec<Definition> {
    outline(&Document::new(text, 0))
}

fn names(text: &str) -> Vec<&str> {
    definitions(text)
        .iter()
        .map(|definition| definition.name.of(text))
        .collect()
}

/// Checks the outline of a drawing: names, and spans from the first letter's line to the last's.
#[track_caller]
fn check(expected: &[&str], drawing: &str) {
    let mut text = String::new();
    let mut spans: Vec<(char, ByteSpan)> = Vec::new();
    for line in drawing.lines().filter(|line| !line.trim().is_empty()) {
        let (margin, code) = line.split_once('|').unwrap();
        let start = text.len() + code.len() - code.trim_start().len();
        let end = text.len() + code.trim_end().len();
        match (margin.trim().chars().next(), spans.last_mut()) {
            (Some(letter), Some((last, span))) if *last == letter => span.end = end,
            (Some(letter), _) => spans.push((letter, ByteSpan::new(start, end))),
            (None, _) => {}
        }
        text.push_str(code);
        text.push('\n');
    }
    let found = definitions(&text);
    let drawn = |span: ByteSpan| span.of(&text).to_owned();
    let found: Vec<(&str, String)> = found
        .iter()
        .map(|definition| (definition.name.of(&text), drawn(definition.span)))
        .collect();
    let expected: Vec<(&str, String)> = expected
        .iter()
        .copied()
        .zip(spans.iter().map(|&(_, span)| drawn(span)))
        .collect();
    assert_eq!(found, expected, "in\n{text}");
}

#[track_caller]
fn check_invariants(text: &str) {
    let mut at = 0;
    for definition in definitions(text) {
        let Definition {
            span,
            name,
            keyword,
            line,
        } = definition;
        assert!(at <= span.start, "{definition:?} begins before {at}");
        assert!(span.contains(name) && !name.is_empty(), "{definition:?}");
        assert!(keyword.is_none_or(|keyword| span.contains(keyword)));
        for span in [span, name].into_iter().chain(keyword) {
            assert_eq!(span.of(text).trim(), span.of(text));
        }
        assert_eq!(line, LineIndex::new(text).line_at(name.start));
        at = span.end;
    }
}

fn example(name: &str) -> String {
    std::fs::read_to_string(format!(
        "{}/../../examples/{name}",
        env!("CARGO_MANIFEST_DIR")
    ))
    .unwrap()
}

const EXAMPLES: [(&str, &[&str]); 10] = [
    ("LruCache.java", &["class LruCache"]),
    ("Router.php", &["class Router"]),
    ("debounce.js", &["function debounce"]),
    (
        "event_emitter.ts",
        &[
            "type Listener",
            "interface ListenOptions",
            "class Emitter",
            "interface EditorEvents",
        ],
    ),
    ("fibonacci.py", &["def fibonacci", "def remembered"]),
    ("matrix.cpp", &["class Matrix", "main"]),
    (
        "ring_buffer.c",
        &[
            "struct ring",
            "ring_init",
            "ring_write",
            "ring_read",
            "ring_free",
        ],
    ),
    (
        "tokenizer.rs",
        &[
            "enum Token",
            "struct UnexpectedChar",
            "impl fmt::Display for UnexpectedChar",
            "impl std::error::Error for UnexpectedChar",
            "struct Tokens",
            "impl Tokens<'a>",
            "impl Iterator for Tokens<'a>",
        ],
    ),
    ("word_count.rb", &["class WordCount"]),
    (
        "workers.go",
        &["type result", "func hash", "func hashAll", "func main"],
    ),
];

#[test]
fn examples() {
    for (file, expected) in EXAMPLES {
        let text = example(file);
        let found: Vec<String> = definitions(&text)
            .iter()
            .map(|definition| {
                let keyword = definition.keyword.map_or("", |keyword| keyword.of(&text));
                format!("{keyword} {}", definition.name.of(&text))
                    .trim()
                    .to_owned()
            })
            .collect();
        assert_eq!(found, expected, "{file}");
        check_invariants(&text);
    }
}

#[test]
fn a_definition_is_found_by_a_place_in_it() {
    let text = "a = 1\ndef f():\n    pass\n\nclass B: pass\n";
    let definitions = definitions(text);
    let at = |needle: &str| {
        definition_at(&definitions, text.find(needle).unwrap()).map(|found| found.name.of(text))
    };
    assert_eq!(at("a ="), None);
    assert_eq!(at("def"), Some("f"));
    assert_eq!(at("pass"), Some("f"));
    assert_eq!(at("\n\nclass"), Some("f"), "at its end");
    assert_eq!(at("class"), Some("B"));
    assert_eq!(definition_at(&definitions, text.len()), None);
    assert_eq!(definition_at(&[], 0), None);
}

#[test]
fn the_line_is_that_of_the_name() {
    let text = "@cache\n@other\ndef f():\n    pass\n";
    let found = definitions(text)[0];
    assert_eq!((found.line, found.span.start), (2, 0));
    assert_eq!(found.keyword.unwrap().of(text), "def");
}

proptest! {
    #[test]
    fn any_text_gives_definitions_in_order(text in any_text()) {
        check_invariants(&text);
    }

    #[test]
    fn any_code_gives_definitions_in_order(text in any_code()) {
        check_invariants(&text);
    }
}

/// Pieces of all the languages, well and badly put together.
fn any_code() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "\n",
        "\n",
        "\n",
        " ",
        "  ",
        "\t",
        "{",
        "}",
        "{\n",
        "}\n",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        ";",
        ":",
        "::",
        ",",
        "=",
        "=>",
        "->",
        "@a",
        "#[a]",
        "#",
        "*",
        "&",
        "~",
        "/",
        "//",
        "/*",
        "*/",
        "\"",
        "'",
        "`",
        "${",
        "\"\"\"",
        "class ",
        "struct ",
        "enum ",
        "interface ",
        "trait ",
        "impl ",
        "fn ",
        "func ",
        "function ",
        "def ",
        "end\n",
        "module ",
        "namespace ",
        "mod ",
        "type ",
        "typedef ",
        "template ",
        "operator",
        "extern \"C\" ",
        "macro_rules!",
        "export default ",
        "const ",
        "async ",
        "pub ",
        "static ",
        "int ",
        "void ",
        "main",
        "A",
        "é",
        "😀",
        "<?php\n",
        "?>",
        "<<~A\n",
        "<<<A\n",
        "A\n",
        "=begin\n",
        "=end\n",
        "__END__\n",
        "%w[",
        "?a",
        "#if\n",
        "#else\n",
        "#endif\n",
        "R\"x(",
        ")x\"",
        "r#\"",
        "\"#",
        "import os\n",
        "package a\n",
        "use a::b;\n",
        "require 'a'\n",
        "#include <a>\n",
    ];
    let piece = proptest::sample::select(PIECES);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

#[test]
fn time_is_linear_in_the_text() {
    const MEGABYTE: usize = 1 << 20;
    let repeat =
        |head: &str, piece: &str, len: usize| format!("{head}{}", piece.repeat(len / piece.len()));
    // One line of a megabyte.
    let lines = [
        ("", "function f(a){return a?{b:1}:`x${a}`}"),
        ("export ", "const f=(a)=>a+1,"),
        ("<?php ", "function f($a){return \"x\";}"),
        ("import os;", "def f(x): return x;"),
        ("", "int f(int a){return a;}"),
    ];
    let mut texts: Vec<String> = lines
        .iter()
        .map(|(head, piece)| repeat(head, piece, MEGABYTE))
        .collect();
    // Whatever is opened and never closed, in every syntax.
    let heads = [
        "#include <a>\n",
        "package a\n\nfunc main() {}\n",
        "export const a = 1;\n",
        "<?php\n",
        "import os\n",
        "require 'a'\n",
        "use a::b;\n",
    ];
    let pieces = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "({[",
        "<",
        "template <",
        "a<",
        "\"",
        "\\\"",
        "'",
        "`",
        "`${",
        "/*",
        "/",
        "\"\"\"",
        "<<~A ",
        "<<<A ",
        "<<~A\n",
        "%w[ ",
        "?",
        "R\"x(",
        "r#\"",
        "@a ",
        "#[",
        "class ",
        "fn a",
        "def a",
        "def a\n",
        "type (",
        "namespace a{",
        "module A\n",
        "operator",
        "a=",
        "#if\n{\n#else\n",
        "struct a\n",
        "int a(b)\n",
        "f(",
        "const a:",
        "impl ",
        "x=f(",
        "(\n",
        "{\n",
    ];
    for head in heads {
        texts.extend(pieces.iter().map(|piece| repeat(head, piece, MEGABYTE / 8)));
    }
    for text in texts {
        let document = Document::new(text.as_str(), 0);
        let start = Instant::now();
        let _ = outline(&document);
        // A quadratic step takes ten seconds and more; a loaded machine some tens of milliseconds.
        let took = start.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}: {:?}", &text[..40]);
    }
}
