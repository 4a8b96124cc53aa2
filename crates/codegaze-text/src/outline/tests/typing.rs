//! Texts that are being typed.

use super::*;

/// The names of the definitions that do not touch a line.
fn others(language: Option<Language>, text: &str, line: usize) -> Vec<String> {
    let touched = LineIndex::new(text).line_span(line);
    definitions(language, text)
        .iter()
        .filter(|definition| {
            definition.span.end < touched.start || touched.end < definition.span.start
        })
        .map(|definition| definition.name.of(text).to_owned())
        .collect()
}

/// Asserts that the edited text has all definitions but those at `line`.
#[track_caller]
fn check_others(file: &str, text: &str, line: usize, edited: &str) {
    let language = language_of(file);
    check_invariants(language, edited);
    let found = names(language, edited);
    for name in others(language, text, line) {
        assert!(
            found.contains(&name.as_str()),
            "{file}, line {}: lost {name}, found {found:?} in\n{edited}",
            line + 1
        );
    }
}

/// Applies `edit`, which returns `None` for lines that it leaves out, to every line of every example.
fn edit_every_line(edit: impl Fn(&str, ByteSpan) -> Option<String>) {
    for (file, _) in EXAMPLES {
        let text = example(file);
        let index = LineIndex::new(&text);
        for line in 0..index.n_lines() {
            let span = index.line_content_span(line);
            if let Some(edited) = edit(&text, span) {
                check_others(file, &text, line, &edited);
            }
        }
    }
}

#[test]
fn a_line_is_missing() {
    edit_every_line(|text, line| {
        // Without its first line, a PHP file is HTML.
        (!line.of(text).starts_with("<?php"))
            .then(|| format!("{}{}", &text[..line.start], &text[line.end..]))
    });
}

#[test]
fn a_bracket_or_a_quote_is_open() {
    for open in [
        "{",
        "(",
        "[",
        "\"",
        "'",
        " f(",
        " = {",
        " if (x) {",
        "}",
        ")",
    ] {
        edit_every_line(|text, line| {
            Some(format!("{}{open}{}", &text[..line.end], &text[line.end..]))
        });
    }
}

#[test]
fn the_text_ends_in_the_middle() {
    for (file, _) in EXAMPLES {
        let text = example(file);
        let language = language_of(file);
        let whole = definitions(language, &text);
        for cut in (0..text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            let cut = &text[..cut];
            check_invariants(language, cut);
            let found = names(language, cut);
            for definition in whole.iter().filter(|whole| whole.span.end <= cut.len()) {
                let name = definition.name.of(&text);
                assert!(found.contains(&name), "{file}: lost {name} in\n{cut}");
            }
        }
    }
}

#[test]
fn an_open_definition_does_not_swallow_the_next() {
    check(
        Language::Rust,
        &["a", "b"],
        "
        a|fn a() {
        a|    if x {
        a|    }
        b|fn b() {
        b|}
        ",
    );
    check(
        Language::Rust,
        &["b"],
        "
         |pub struct
         |
        b|pub fn b() {
        b|    let x = 1;
        b|}
        ",
    );
    check(
        Language::Go,
        &["a", "b"],
        "
        a|func a() {
        a|	for {
        a|		x(
        a|}
         |
        b|func b() {}
        ",
    );
    check(
        Language::Go,
        &["b"],
        "
         |func a(
         |
        b|func b() {}
        ",
    );
    check(
        Language::C,
        &["b", "c"],
        "
         |int a(int x,
         |
        b|int b(void)
        b|{
        b|    return 1;
        b|}
         |int d(int x)
        c|int c(void) { return 1; }
        ",
    );
}

#[test]
fn an_open_class_does_not_swallow_the_next() {
    check(
        Language::Java,
        &["A", "B"],
        "
        a|public class A {
        a|    void f() {
        a|    public:
        a|        g(1;
        a|}
         |
        b|public class B {
        b|}
        ",
    );
    check(
        Language::JavaScript,
        &["b"],
        "
         |export function a()
         |
        b|export function b() {
        b|  return 1;
        b|}
        ",
    );
    check(
        Language::JavaScript,
        &["a", "b"],
        "
        a|const a = () => {
        a|  if (x) {
        a|};
        b|export const b = () => 1;
        ",
    );
    check(
        Language::Python,
        &["f", "G"],
        "
         |import os
        f|def f(x
        f|    y = 1
         |
        g|class G
        g|    pass
        ",
    );
    check(
        Language::Ruby,
        &["A", "B"],
        "
        a|class A
        a|  def f
        a|    if x
        a|  end
         |
        b|class B < C
        b|  attr_reader :x
        b|end
        ",
    );
    check(
        Language::Php,
        &["f", "g"],
        "
         |<?php
        f|function f() {
        f|    $x = \"a
        f|}
        g|function g() {
        g|    return \"b\";
        g|}
        ",
    );
    check(
        Language::Rust,
        &["f", "g"],
        "
        f|fn f() {
        f|    let x = \"a
        f|}
        g|fn g() -> &'static str {
        g|    \"b\"
        g|}
        ",
    );
}
