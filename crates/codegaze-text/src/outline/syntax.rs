//! The syntax of languages: comments, strings and forms of definitions.

use crate::document::Document;
use crate::language::Language;

/// Languages with the same comments, strings and forms of definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// C, C++, Java, C#, and unknown languages with braces.
    C,
    Go,
    /// JavaScript and TypeScript.
    JavaScript,
    Php,
    Python,
    Ruby,
    Rust,
}

impl Syntax {
    pub(super) fn of(document: &Document) -> Self {
        match document.language() {
            Some(Language::C | Language::Cpp | Language::CSharp | Language::Java) => Self::C,
            Some(Language::Go) => Self::Go,
            Some(Language::JavaScript | Language::TypeScript) => Self::JavaScript,
            Some(Language::Php) => Self::Php,
            Some(Language::Python) => Self::Python,
            Some(Language::Ruby) => Self::Ruby,
            Some(Language::Rust) => Self::Rust,
            None => Self::of_unknown(document.text()),
        }
    }

    /// The first line that only one syntax has decides; C without such a line.
    fn of_unknown(text: &str) -> Self {
        if text.contains("<?php") {
            return Self::Php;
        }
        text.lines().find_map(Self::of_line).unwrap_or(Self::C)
    }

    fn of_line(line: &str) -> Option<Self> {
        let line = line.trim();
        let first_word = line.split([' ', '(', '<', ':']).next().unwrap_or_default();
        let code = line.split(" #").next().unwrap_or_default().trim_end();
        let is_statement = line.ends_with([';', '{', ',', '(']);
        match first_word {
            "#include" | "namespace" | "template" | "typedef" | "public" | "using" => Some(Self::C),
            "package" | "import" if line.ends_with(';') && !line.contains(['\'', '"']) => {
                Some(Self::C)
            }
            "package" | "func" if line.contains(' ') => Some(Self::Go),
            "def" | "class" | "async" if code.ends_with(':') => Some(Self::Python),
            "from" if line.contains(" import ") => Some(Self::Python),
            "import" if line.contains([';', '\'', '"', '{']) => Some(Self::JavaScript),
            "import" if line.contains(' ') => Some(Self::Python),
            "def" | "module" | "require" | "require_relative" if !is_statement => Some(Self::Ruby),
            "fn" | "impl" | "pub" | "mod" | "use" | "#[derive" | "macro_rules!" => Some(Self::Rust),
            "function" | "const" | "let" | "var" | "export" | "interface" | "type" | "declare" => {
                Some(Self::JavaScript)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_tells_an_unknown_language() {
        use Syntax::{C, Go, JavaScript, Php, Python, Ruby, Rust};
        let table = [
            ("", C),
            ("int main() {\n}", C),
            ("public class A {\n}", C),
            ("package a.b;\nclass A {\n}", C),
            ("#include <stdio.h>\nstruct a {\n};", C),
            ("package main\n\nfunc main() {\n}", Go),
            ("function f() {\n}", JavaScript),
            ("const f = (x) => {\n};", JavaScript),
            ("import { a } from 'b'\nclass A {\n}", JavaScript),
            ("export interface A {\n}", JavaScript),
            ("<html>\n<?php\nfunction f() {}", Php),
            ("def f(x):\n    return x", Python),
            ("import os\n\nclass A:\n    pass", Python),
            ("class A:  # comment\n    pass", Python),
            ("def f(x)\n  x\nend", Ruby),
            ("class A < B\n  def x\n  end\nend", Ruby),
            ("fn f(x: u8) -> u8 {\n    x\n}", Rust),
            ("pub struct A;\nimpl A {}", Rust),
        ];
        for (text, syntax) in table {
            assert_eq!(Syntax::of(&Document::new(text, 0)), syntax, "{text:?}");
        }
    }

    #[test]
    fn a_known_language_is_not_guessed() {
        let document = Document::new("fn f() {}", 0).with_language(Some(Language::Ruby));
        assert_eq!(Syntax::of(&document), Syntax::Ruby);
    }
}
