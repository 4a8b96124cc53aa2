//! Tests draw definitions: the letter before the `|` of a line names the definition that the line belongs to.

mod languages;
mod nested;
mod typing;

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::language::Language;
use crate::line_index::LineIndex;
use crate::testing::any_text;

const LANGUAGES: [Option<Language>; 12] = [
    None,
    Some(Language::C),
    Some(Language::Cpp),
    Some(Language::CSharp),
    Some(Language::Go),
    Some(Language::Java),
    Some(Language::JavaScript),
    Some(Language::Php),
    Some(Language::Python),
    Some(Language::Ruby),
    Some(Language::Rust),
    Some(Language::TypeScript),
];

fn definitions(language: Option<Language>, text: &str) -> Vec<Definition> {
    outline(&Document::new(text, 0).with_language(language))
}

fn names(language: Option<Language>, text: &str) -> Vec<&str> {
    definitions(language, text)
        .iter()
        .map(|definition| definition.name.of(text))
        .collect()
}

/// Checks the outline of a drawing: names, and spans from the first letter's line to the last's.
#[track_caller]
fn check(language: Language, expected: &[&str], drawing: &str) {
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
    let found = definitions(Some(language), &text);
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
fn check_invariants(language: Option<Language>, text: &str) {
    let mut at = 0;
    for definition in definitions(language, text) {
        let Definition {
            span,
            name,
            keyword,
        } = definition;
        assert!(at <= span.start, "{definition:?} begins before {at}");
        assert!(span.contains(name) && !name.is_empty(), "{definition:?}");
        assert!(keyword.is_none_or(|keyword| span.contains(keyword)));
        for span in [span, name].into_iter().chain(keyword) {
            assert_eq!(span.of(text).trim(), span.of(text));
        }
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

fn language_of(file: &str) -> Option<Language> {
    Language::of_file(Path::new(file))
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
        assert!(language_of(file).is_some(), "{file}");
        // The fallback for unknown languages finds the same definitions in these files.
        for language in [language_of(file), None] {
            let found: Vec<String> = definitions(language, &text)
                .iter()
                .map(|definition| {
                    let keyword = definition.keyword.map_or("", |keyword| keyword.of(&text));
                    format!("{keyword} {}", definition.name.of(&text))
                        .trim()
                        .to_owned()
                })
                .collect();
            assert_eq!(found, expected, "{file} as {language:?}");
            check_invariants(language, &text);
        }
    }
}

#[test]
fn a_definition_is_found_by_a_place_in_it() {
    let text = "a = 1\ndef f():\n    pass\n\nclass B: pass\n";
    let definitions = definitions(Some(Language::Python), text);
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
fn a_definition_starts_with_its_first_decorator() {
    let text = "@cache\n@other\ndef f():\n    pass\n";
    let found = definitions(Some(Language::Python), text)[0];
    assert_eq!(found.span.start, 0);
    assert_eq!(found.name.of(text), "f");
    assert_eq!(found.keyword.unwrap().of(text), "def");
}

#[test]
fn a_name_stands_on_the_line_of_its_keyword() {
    for text in [
        "module\n<A",
        "class\n::A\nend\n",
        "class <\n< A",
        "class <\n<self",
    ] {
        assert_eq!(definitions(Some(Language::Ruby), text), [], "{text:?}");
    }
    let text = "\n\"module #if\n<${";
    for language in LANGUAGES {
        check_invariants(language, text);
    }
}

proptest! {
    #[test]
    fn any_text_gives_definitions_in_order(text in any_text()) {
        for language in LANGUAGES {
            check_invariants(language, &text);
        }
    }

    #[test]
    fn any_code_gives_definitions_in_order(text in any_code()) {
        for language in LANGUAGES {
            check_invariants(language, &text);
        }
    }
}

/// Pieces of all languages in random order.
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

/// Number of tokens and bytes that were read to find the definitions of a text.
fn work(language: Option<Language>, text: &str) -> usize {
    tokens::WORK.set(0);
    let _ = definitions(language, text);
    tokens::WORK.get()
}

#[test]
fn work_is_linear_in_the_text() {
    // Everything that can be opened and not closed, and definitions on one line.
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
        "a<\n",
        "\"",
        "\\\"",
        "'",
        "`",
        "`${",
        "`\n",
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
        "class A\n",
        "fn a",
        "fn a\n",
        "def a",
        "def a\n",
        "type (",
        "namespace a{",
        "module A\n",
        "operator",
        "operator\n",
        "a=",
        "a:\n",
        "#if\n{\n#else\n",
        "struct a\n",
        "int\n",
        "int a(b)\n",
        "f(",
        "const a:",
        "const a:\n",
        "impl ",
        "impl a\n",
        "x=f(",
        "(\n",
        "{\n",
        "function f(a){return a?{b:1}:`x${a}`}",
        "const f=(a)=>a+1,",
        "const f=(a)=>a+1\n",
        "function f($a){return \"x\";}",
        "def f(x): return x;",
        "int f(int a){return a;}",
        "class A{} x ",
        "namespace a{f(){}}",
    ];
    for language in LANGUAGES {
        for piece in pieces {
            let head = if language == Some(Language::Php) {
                "<?php\n"
            } else {
                ""
            };
            let text = |n: usize| format!("{head}{}", piece.repeat(n));
            let n = (1 << 12) / piece.len();
            let (once, twice) = (work(language, &text(n)), work(language, &text(2 * n)));
            // A quadratic step would take four times as much.
            assert!(
                twice <= 3 * once,
                "{language:?}: {piece:?} takes {once}, twice as much of it {twice}"
            );
        }
    }
}
