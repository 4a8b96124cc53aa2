//! Which family of languages a text is of.

use crate::language::Language;
use crate::line_index::LineIndex;

/// Languages with like comments, strings and definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// C, C++, Java, C#; and what is like none of the others.
    C,
    Go,
    /// JavaScript and TypeScript.
    JavaScript,
    Php,
    Python,
    Ruby,
    Rust,
}

const N_SYNTAXES: usize = 7;
const SYNTAXES: [Syntax; N_SYNTAXES] = [
    Syntax::C,
    Syntax::Go,
    Syntax::JavaScript,
    Syntax::Php,
    Syntax::Python,
    Syntax::Ruby,
    Syntax::Rust,
];

/// Lines that are looked at, and characters of each.
const MAX_LINES: usize = 500;
const MAX_LINE_LEN: usize = 200;

impl Syntax {
    pub(super) fn of(language: Language) -> Self {
        match language {
            Language::C | Language::Cpp | Language::CSharp | Language::Java => Self::C,
            Language::Go => Self::Go,
            Language::JavaScript | Language::TypeScript => Self::JavaScript,
            Language::Php => Self::Php,
            Language::Python => Self::Python,
            Language::Ruby => Self::Ruby,
            Language::Rust => Self::Rust,
        }
    }

    /// Every line says what it looks like; the most votes win, C among equals.
    pub(super) fn guess(text: &str, index: &LineIndex) -> Self {
        let mut votes = [0_u32; N_SYNTAXES];
        let lines = (0..index.n_lines())
            .map(|line| index.line_content_span(line).of(text).trim())
            .filter(|line| !line.is_empty())
            .take(MAX_LINES);
        for line in lines {
            let cut = line.char_indices().nth(MAX_LINE_LEN);
            let line = cut.map_or(line, |(at, _)| &line[..at]);
            if line.starts_with("<?php") || line.starts_with("<?=") {
                return Self::Php;
            }
            vote(line, &mut |syntax, n| votes[syntax as usize] += n);
        }
        let most = votes.iter().max().copied().unwrap_or(0);
        SYNTAXES
            .into_iter()
            .find(|&syntax| votes[syntax as usize] == most)
            .unwrap_or(Self::C)
    }
}

/// `line` is trimmed and not empty.
#[expect(clippy::too_many_lines, reason = "one table")]
#[expect(clippy::match_same_arms, reason = "sorted by language")]
fn vote(line: &str, add: &mut dyn FnMut(Syntax, u32)) {
    use Syntax::{C, Go, JavaScript, Python, Ruby, Rust};

    let word_len = line
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(line.len());
    let (word, rest) = line.split_at(word_len);
    let has = |needle: &str| line.contains(needle);
    let starts = |needles: &[&str]| needles.iter().any(|needle| line.starts_with(needle));
    let ends = |needles: &[char]| line.ends_with(needles);
    let quoted = has("'") || has("\"");
    let spaced = rest.starts_with(' ');

    if word.is_empty() {
        match line {
            _ if starts(&["//!", "#![", "#["]) => add(Rust, 3),
            _ if starts(&["#include"]) => add(C, 5),
            _ if starts(&["#define", "#if", "#endif", "#pragma", "#undef", "#else"]) => add(C, 3),
            _ if starts(&["# frozen_string_literal", "#!/usr/bin/env ruby"]) => add(Ruby, 5),
            _ if starts(&["#!"]) && has("python") => add(Python, 5),
            _ if starts(&["#!"]) && has("node") => add(JavaScript, 5),
            _ if starts(&["\"\"\"", "'''"]) => add(Python, 3),
            _ if starts(&["'use strict'", "\"use strict\""]) => add(JavaScript, 5),
            _ if starts(&["@Override"]) => add(C, 4),
            _ => {}
        }
        return;
    }
    let without_comment = line.split(" #").next().unwrap_or(line).trim_end();
    if without_comment.ends_with(':') {
        match word {
            "def" | "class" | "elif" | "except" | "async" => add(Python, 4),
            "if" | "else" | "for" | "while" | "try" | "finally" | "with" => add(Python, 2),
            _ => {}
        }
    }
    match word {
        "def" if !ends(&[':', '{', '(', ',', '=']) => add(Ruby, 3),
        "def" if ends(&['(', ',']) => add(Python, 1),
        "end" if rest.is_empty() || rest.starts_with([' ', '.', ')', ',']) => add(Ruby, 3),
        "elsif" | "unless" | "require_relative" | "attr_reader" | "attr_accessor"
        | "attr_writer" => add(Ruby, 3),
        "require" if spaced && quoted => add(Ruby, 3),
        "module" if spaced && !ends(&['{', ';']) && !quoted => add(Ruby, 2),
        "class" if !ends(&['{', ':', ';', ',', '>']) => add(Ruby, 1),
        "puts" if spaced => add(Ruby, 1),

        "from" if spaced && has(" import ") && !ends(&[';']) => add(Python, 4),
        "import" if starts(&["import ("]) => add(Go, 4),
        "import" if has(" from ") && quoted => add(JavaScript, 4),
        "import" if quoted => {
            add(JavaScript, 1);
            add(Go, 1);
        }
        "import" if ends(&[';']) => add(C, 3),
        "import" if spaced && !has("{") => add(Python, 2),

        "fn" | "impl" | "crate" if spaced || rest.starts_with('<') => add(Rust, 3),
        "macro_rules" => add(Rust, 5),
        "pub" => add(Rust, 3),
        "use" if has("::") => add(Rust, 3),
        "mod" | "trait" if spaced && ends(&[';', '{']) => add(Rust, 2),
        "let" if starts(&["let mut "]) => add(Rust, 3),
        "unsafe" | "async" | "const" if has(" fn ") || starts(&["const fn"]) => add(Rust, 3),
        "match" if ends(&['{']) => add(Rust, 1),

        "package" if ends(&[';']) => add(C, 5),
        "package" if spaced => add(Go, 5),
        "func" if spaced => add(Go, 3),
        "type" if has(" struct") || has(" interface") => add(Go, 4),
        "defer" | "go" if spaced && ends(&[')', '{']) => add(Go, 2),
        "if" if starts(&["if err != nil"]) => add(Go, 3),

        "function" => add(JavaScript, 3),
        "async" if has("function") => add(JavaScript, 3),
        "export" | "declare" if spaced => add(JavaScript, 4),
        "module" if starts(&["module.exports"]) => add(JavaScript, 5),
        "exports" | "console" if rest.starts_with('.') => add(JavaScript, 3),
        "const" | "let" | "var" => {
            let name = rest.trim_start();
            let after = name.trim_start_matches(|c: char| c.is_alphanumeric() || "_$".contains(c));
            if name.starts_with(['{', '[']) || after.starts_with(" = ") {
                add(JavaScript, if word == "const" { 2 } else { 1 });
            } else if after.starts_with(':') && has(" = ") {
                add(JavaScript, 1);
                add(Rust, 1);
            }
        }
        "interface" => {
            add(JavaScript, 1);
            add(C, 1);
        }
        "type" if has(" = ") => {
            add(JavaScript, 2);
            add(Rust, 1);
        }
        "class" if has(" extends ") && ends(&['{']) => {
            add(JavaScript, 1);
            add(C, 1);
        }

        "namespace" | "template" | "typedef" => add(C, 3),
        "using" if ends(&[';']) => add(C, 3),
        "public" | "protected" if has(" class ") || has(" interface ") || has(" enum ") => {
            add(C, 4);
        }
        "public" | "private" | "protected" | "static" => add(C, 1),
        "int" | "void" | "char" | "bool" | "double" | "float" | "long" | "unsigned" | "size_t"
            if spaced =>
        {
            add(C, 2);
        }
        "struct" if spaced && !has("(") => {
            add(C, 1);
            add(Rust, 1);
        }
        _ => {}
    }
    if has(" := ") {
        add(Go, 2);
    }
    if has("&self") || has("&mut ") || has("println!(") {
        add(Rust, 3);
    }
    if has(" === ") || has(" !== ") || has("=> {") || has("require(") {
        add(JavaScript, 1);
    }
    if has("function(") || has("function (") {
        add(JavaScript, 2);
    }
    if has(" do |") {
        add(Ruby, 3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str) -> Syntax {
        Syntax::guess(text, &LineIndex::new(text))
    }

    #[test]
    fn a_few_lines_tell_the_language() {
        use Syntax::{C, Go, JavaScript, Php, Python, Ruby, Rust};
        let table = [
            ("", C),
            ("int main() {\n}", C),
            ("public class A {\n}", C),
            ("#include <stdio.h>\nstruct a {\n};", C),
            ("package main\n\nfunc main() {\n}", Go),
            ("type A struct {\n\tx int\n}", Go),
            ("function f() {\n}", JavaScript),
            ("const f = (x) => {\n};", JavaScript),
            ("import { a } from 'b'\nclass A {\n}", JavaScript),
            ("export interface A {\n}", JavaScript),
            ("<html>\n<?php\nfunction f() {}", Php),
            ("def f(x):\n    return x", Python),
            ("import os\n\nclass A:\n    pass", Python),
            ("class A:  # of all\n    pass", Python),
            ("def f(x)\n  x\nend", Ruby),
            ("class A < B\n  def x\n  end\nend", Ruby),
            ("fn f(x: u8) -> u8 {\n    x\n}", Rust),
            ("pub struct A;\nimpl A {}", Rust),
        ];
        for (text, syntax) in table {
            assert_eq!(guess(text), syntax, "{text:?}");
        }
    }
}
