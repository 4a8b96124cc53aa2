//! Languages whose definitions have braces.
//!
//! A scope is read statement by statement. Each is either one of the forms of definition below or skipped; groups in brackets
//! are stepped over as one. Where a text's braces do not match, as while it is being typed, indentation says where a
//! definition ends.

mod functions;
mod headers;

use super::syntax::Syntax;
use super::tokens::Tokens;
use super::{Found, MAX_DEPTH, Scope};

/// The definitions in a scope, ascending, disjoint.
pub(super) fn read(tokens: &Tokens<'_>, syntax: Syntax, scope: Scope) -> Vec<Found> {
    let mut reader = Reader {
        tokens,
        syntax,
        found: Vec::new(),
    };
    reader.scope(scope, 0);
    reader.found
}

/// Words that may stand before the word that says what is defined.
const MODIFIERS: &[&str] = &[
    "abstract",
    "async",
    "auto",
    "crate",
    "declare",
    "default",
    "export",
    "extern",
    "final",
    "inline",
    "internal",
    "open",
    "partial",
    "private",
    "protected",
    "pub",
    "public",
    "readonly",
    "sealed",
    "static",
    "strictfp",
    "unsafe",
    "virtual",
];

struct Reader<'a> {
    tokens: &'a Tokens<'a>,
    syntax: Syntax,
    found: Vec<Found>,
}

/// A statement as far as it has been read.
#[derive(Clone, Copy)]
struct Statement {
    /// Decorators and attributes included.
    start: usize,
    /// The first token after those.
    first: usize,
    /// Where the scope ends.
    end: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn scope(&mut self, scope: Scope, depth: usize) {
        let mut at = scope.start;
        while at < scope.end {
            at = self.statement(at, scope.end, depth).max(at + 1);
        }
    }

    fn word(&self, at: usize) -> &'a str {
        self.tokens.word(at)
    }

    fn is(&self, at: usize, mark: u8) -> bool {
        self.tokens.is(at, mark)
    }

    /// Reads what starts at `at`, and returns where the next begins.
    fn statement(&mut self, at: usize, end: usize, depth: usize) -> usize {
        // Rust's `#![…]` belongs to the file.
        if self.is(at, b'#') && self.is(at + 1, b'!') {
            return self.tokens.after(at + 2);
        }
        let first = self.attributes(at, end);
        let statement = Statement {
            start: at,
            first,
            end,
            depth,
        };
        let mut at = self.modifiers(first, end);
        if at >= end {
            return end;
        }
        let tokens = self.tokens;
        let named = tokens.names(at);
        let word = self.word(at);
        match (self.syntax, word) {
            (Syntax::Rust, "const") if matches!(self.word(at + 1), "fn" | "unsafe" | "async") => {
                at = self.modifiers(at + 1, end);
                self.function(statement, at)
            }
            (Syntax::JavaScript, "const") if self.word(at + 1) == "enum" => {
                self.class(statement, at + 1)
            }
            (Syntax::Rust, "fn")
            | (Syntax::Go, "func")
            | (Syntax::JavaScript | Syntax::Php, "function") => self.function(statement, at),

            (Syntax::Rust, "impl") => self.implementation(statement, at),
            (Syntax::Rust, "mod") if named => self.module(statement, at),
            (Syntax::Rust, "macro_rules") if self.is(at + 1, b'!') => {
                self.macro_rules(statement, at)
            }
            (Syntax::Rust | Syntax::JavaScript, "type") if named => self.type_alias(statement, at),
            (Syntax::Go, "type") => self.go_type(statement, at),
            (Syntax::C, "typedef") => self.typedef(statement, at),

            (Syntax::C | Syntax::JavaScript | Syntax::Php, "namespace")
                if named || self.is(at + 1, b'{') =>
            {
                self.namespace(statement, at)
            }
            (Syntax::JavaScript, "module") if named || tokens.is_str(at + 1) => {
                self.namespace(statement, at)
            }
            (Syntax::JavaScript, "global") if self.is(at + 1, b'{') => {
                self.namespace(statement, at)
            }
            // `extern "C" {`
            (Syntax::C, _) if self.is(at, b'{') && at > first && tokens.is_str(at - 1) => {
                self.namespace(statement, at - 1)
            }

            (Syntax::Rust, "struct" | "enum" | "union" | "trait")
            | (
                Syntax::C,
                "enum" | "record" | "module" | "interface" | "class" | "struct" | "union",
            )
            | (Syntax::JavaScript, "enum" | "interface")
            | (Syntax::Php, "class" | "interface" | "trait" | "enum")
                if named || (self.syntax == Syntax::C && self.is(at + 1, b'[')) =>
            {
                self.class(statement, at)
            }
            (Syntax::JavaScript, "class") if named || self.is(at + 1, b'{') => {
                self.class(statement, at)
            }
            (Syntax::C, _) if self.is(at, b'@') && self.word(at + 1) == "interface" => {
                self.class(statement, at + 1)
            }

            (Syntax::JavaScript, _) => self.assignment(statement, at),
            (Syntax::C, _) => self.c_function(statement),
            _ => self.skip(statement, at),
        }
    }

    /// Past decorators, attributes and templates' parameters.
    fn attributes(&self, mut at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        while at < end {
            let after = match tokens.mark(at) {
                Some(b'@') if tokens.is_word(at + 1) && self.word(at + 1) != "interface" => {
                    let mut after = at + 2;
                    while self.is(after, b'.') && tokens.is_word(after + 1) {
                        after += 2;
                    }
                    if self.is(after, b'(') && tokens.partner(after).is_some() {
                        after = tokens.after(after);
                    }
                    after
                }
                Some(b'#') if self.is(at + 1, b'[') && tokens.partner(at + 1).is_some() => {
                    tokens.after(at + 1)
                }
                Some(b'[') if self.syntax == Syntax::C && tokens.partner(at).is_some() => {
                    tokens.after(at)
                }
                None if self.syntax == Syntax::C && self.word(at) == "template" => {
                    match self.angles(at + 1, end) {
                        Some(after) => after,
                        None => return at,
                    }
                }
                _ => return at,
            };
            at = after.min(end);
        }
        at
    }

    /// Past words such as `pub(crate)`, `export default` and `extern "C"`.
    fn modifiers(&self, mut at: usize, end: usize) -> usize {
        while at < end && MODIFIERS.contains(&self.word(at)) {
            at = match self.word(at) {
                "pub" if self.is(at + 1, b'(') => self.tokens.after(at + 1),
                "extern" if self.tokens.is_str(at + 1) => at + 2,
                _ => at + 1,
            };
        }
        at.min(end)
    }

    /// Past the `<…>` at `at`.
    fn angles(&self, at: usize, end: usize) -> Option<usize> {
        if !self.is(at, b'<') {
            return None;
        }
        let mut depth = 0;
        let mut at = at;
        while at < end {
            match self.tokens.mark(at)? {
                b'<' => depth += 1,
                b'>' if self.is_arrow(at - 1) => {}
                b'>' => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                b';' => return None,
                b'{' if self.syntax == Syntax::C => return None,
                _ => {}
            }
            at = self.skip_words(self.tokens.after(at), end);
        }
        None
    }

    /// To the next mark.
    fn skip_words(&self, mut at: usize, end: usize) -> usize {
        while at < end && self.tokens.mark(at).is_none() {
            at += 1;
        }
        at
    }

    /// `=>` or `->`
    fn is_arrow(&self, at: usize) -> bool {
        self.tokens.is_pair(at, [b'=', b'>']) || self.tokens.is_pair(at, [b'-', b'>'])
    }

    /// Whether a statement that is not finished ends before `at`, a later token of its scope.
    fn is_interrupted(&self, statement: Statement, at: usize) -> bool {
        if at <= statement.first || at >= statement.end {
            return false;
        }
        let token = self.tokens.get(at);
        if !token.first || token.indent > self.tokens.get(statement.start).indent {
            return false;
        }
        match self.syntax {
            // A line's end is enough there, unless something is awaited.
            Syntax::Go | Syntax::JavaScript => {
                let words = [
                    "class",
                    "const",
                    "export",
                    "func",
                    "function",
                    "import",
                    "interface",
                    "let",
                    "type",
                    "var",
                ];
                let awaited = self.is(at - 1, b'=') || MODIFIERS.contains(&self.word(at - 1));
                !awaited && words.contains(&self.word(at)) || !self.continues(at)
            }
            Syntax::Rust => {
                let words = [
                    "async",
                    "const",
                    "enum",
                    "extern",
                    "fn",
                    "impl",
                    "macro_rules",
                    "mod",
                    "pub",
                    "static",
                    "struct",
                    "trait",
                    "type",
                    "union",
                    "unsafe",
                    "use",
                ];
                self.is(at, b'#') || words.contains(&self.word(at))
            }
            Syntax::Php => {
                let words = [
                    "abstract",
                    "class",
                    "const",
                    "enum",
                    "final",
                    "function",
                    "interface",
                    "namespace",
                    "readonly",
                    "trait",
                    "use",
                ];
                self.is(at, b'#') || words.contains(&self.word(at))
            }
            _ => {
                let words = [
                    "class",
                    "enum",
                    "extern",
                    "import",
                    "inline",
                    "namespace",
                    "package",
                    "private",
                    "protected",
                    "public",
                    "static",
                    "struct",
                    "template",
                    "typedef",
                    "union",
                    "using",
                ];
                let before = self.word(at - 1);
                let awaited = MODIFIERS.contains(&before) || matches!(before, "const" | "typedef");
                !awaited && words.contains(&self.word(at))
            }
        }
    }

    /// Whether the line that `at` starts goes on with the one before.
    fn continues(&self, at: usize) -> bool {
        let tokens = self.tokens;
        let goes_on = match tokens.mark(at) {
            // A decorator, a private name, a string begin something.
            Some(mark) => !matches!(mark, b'@' | b'#' | b'!' | b'~'),
            None => matches!(
                self.word(at),
                "extends" | "implements" | "instanceof" | "in" | "of" | "as" | "satisfies"
            ),
        };
        let awaits = match tokens.mark(at - 1) {
            Some(b'>') => self.is_arrow(at - 2),
            // An opening one is here only if nothing closes it.
            Some(b')' | b']' | b'}' | b'(' | b'[' | b'{' | b';' | b'!') => false,
            Some(b'+' | b'-') => {
                !tokens.is_pair(at - 2, [b'+'; 2]) && !tokens.is_pair(at - 2, [b'-'; 2])
            }
            Some(_) => true,
            None => matches!(
                self.word(at - 1),
                "extends" | "implements" | "return" | "new"
            ),
        };
        // `{` and `(` never do in Go, whose lines end by themselves.
        let opens =
            self.syntax == Syntax::Go && matches!(tokens.mark(at), Some(b'{' | b'(' | b'['));
        (goes_on && !opens) || awaits
    }

    /// Past the block that opens at `open`, the body of a statement.
    fn block_end(&self, statement: Statement, open: usize) -> usize {
        let tokens = self.tokens;
        let partner = tokens.partner(open).map(|partner| partner + 1);
        match partner {
            Some(after) if tokens.balanced => return after.min(statement.end),
            _ => {}
        }
        let limit = partner.unwrap_or(statement.end).min(statement.end);
        let indent = tokens.get(statement.start).indent;
        for at in open + 1..limit {
            let token = tokens.get(at);
            if !token.first || token.indent > indent {
                continue;
            }
            match tokens.mark(at) {
                Some(b'}') => return at + 1,
                Some(b')' | b']' | b'{') => {}
                // `public:`, a label.
                None if self.is(at + 1, b':') && !self.is(at + 2, b':') => {}
                _ => return at,
            }
        }
        limit
    }

    /// Goes on after a statement that opens a bracket at `at` which nothing closes: on the next line that is not indented in
    /// it.
    fn abandon(&self, statement: Statement, at: usize) -> usize {
        let indent = self.tokens.get(statement.start).indent;
        (at + 1..statement.end)
            .find(|&at| {
                let token = self.tokens.get(at);
                token.first && token.indent <= indent
            })
            .unwrap_or(statement.end)
    }

    /// Goes on after the statement that `at` is in.
    fn skip(&self, statement: Statement, mut at: usize) -> usize {
        let tokens = self.tokens;
        while at < statement.end {
            match tokens.mark(at) {
                Some(b';' | b'}' | b')' | b']') => return at + 1,
                Some(b'{') => return self.block_end(statement, at),
                _ if self.is_interrupted(statement, at) => return at,
                _ => at = tokens.after(at),
            }
        }
        at
    }

    /// Past the value that begins at `at`, up to and with a `;`.
    fn skip_value(&self, statement: Statement, mut at: usize) -> usize {
        let tokens = self.tokens;
        let first = at;
        while at < statement.end {
            match tokens.mark(at) {
                Some(b';') => return at + 1,
                Some(b'}' | b')' | b']') => return at,
                Some(b'{') => {
                    let after = self.block_end(statement, at);
                    if !self.is(after - 1, b'}') {
                        return after;
                    }
                    at = after;
                }
                _ if at > first && self.is_interrupted(statement, at) => return at,
                _ => at = tokens.after(at),
            }
        }
        at.min(statement.end)
    }

    fn push(&mut self, statement: Statement, end: usize, name: Scope, keyword: Option<usize>) {
        debug_assert!(name.start < name.end && name.end <= end);
        self.found.push(Found {
            all: Scope::of(statement.start, end),
            name,
            keyword,
            module: None,
        });
    }
}
