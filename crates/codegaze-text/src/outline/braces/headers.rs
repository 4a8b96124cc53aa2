//! Types, modules and what else has a keyword and a name.

use super::{Found, MAX_DEPTH, Reader, Scope, Statement, Syntax};

/// Words between a type's name and its body.
const CLAUSES: &[&str] = &[
    "abstract",
    "extends",
    "final",
    "implements",
    "permits",
    "requires",
    "sealed",
    "where",
    "with",
];

impl Reader<'_> {
    /// A class or another type, its keyword at `keyword`.
    pub(super) fn class(&mut self, statement: Statement, keyword: usize) -> usize {
        let tokens = self.tokens;
        let is_c = self.syntax == Syntax::C;
        let mut at = keyword + 1;
        if self.word(keyword) == "enum" && matches!(self.word(at), "class" | "struct") {
            at += 1;
        }
        at = self.c_attributes(at);
        // The last of several words: macros may stand before it.
        while is_c
            && tokens.is_word(at)
            && tokens.is_word(at + 1)
            && !CLAUSES.contains(&self.word(at + 1))
            && !tokens.get(at + 1).first
        {
            at = self.c_attributes(at + 1);
        }
        let name = match self.default_of(statement, keyword) {
            Some(default) if !tokens.is_word(at) || CLAUSES.contains(&self.word(at)) => {
                Scope::of(default, default + 1)
            }
            _ if !tokens.is_word(at) || at >= statement.end => return self.skip(statement, at),
            _ => {
                let end = self.path_end(at);
                let name = Scope::of(at, end);
                at = end;
                name
            }
        };
        let mut has_bases = false;
        loop {
            if at >= statement.end {
                return statement.end;
            }
            match tokens.mark(at) {
                Some(b'{') if !self.is_argument(at) => break,
                Some(b';') if self.syntax == Syntax::Rust => {
                    self.push(statement, at + 1, name, Some(keyword));
                    return at + 1;
                }
                Some(b';' | b'}' | b')' | b']') => return at + 1,
                Some(b'(' | b'[' | b'{') if tokens.partner(at).is_none() => {
                    return self.abandon(statement, at);
                }
                // `struct a f(…)`, `struct a x = …`
                Some(b'(' | b'=' | b'*')
                    if is_c && !has_bases && self.word(keyword) != "record" =>
                {
                    return self.c_function(statement);
                }
                Some(b'<') => at = self.angles(at, statement.end).unwrap_or(at + 1),
                Some(b':') => {
                    has_bases = true;
                    at += 1;
                }
                _ if self.is_interrupted(statement, at) => return at,
                _ => at = tokens.after(at),
            }
        }
        let end = self.block_end(statement, at);
        let end = if is_c {
            self.declarator_end(statement, end)
        } else {
            end
        };
        self.push(statement, end, name, Some(keyword));
        end
    }

    /// Past `[[…]]`, `alignas(…)` and the like.
    fn c_attributes(&self, mut at: usize) -> usize {
        loop {
            let is_attribute = self.is(at, b'[') && self.is(at + 1, b'[');
            let is_call = matches!(
                self.word(at),
                "alignas" | "_Alignas" | "__attribute__" | "__declspec"
            ) && self.is(at + 1, b'(');
            at = match (is_attribute, is_call) {
                (true, _) => self.tokens.after(at),
                (_, true) => self.tokens.after(at + 1),
                _ => return at,
            };
        }
    }

    /// Past a path: `a::b`, `a.b`, `a\b`.
    fn path_end(&self, at: usize) -> usize {
        let tokens = self.tokens;
        let mut end = at + 1;
        loop {
            let separator = match tokens.mark(end) {
                Some(b':') if tokens.is_pair(end, [b':', b':']) => 2,
                Some(b'.' | b'\\') => 1,
                _ => return end,
            };
            if !tokens.is_word(end + separator) {
                return end;
            }
            end += separator + 1;
        }
    }

    /// Whether the brace at `at` is part of a type's argument: `<{ a: number }>`.
    fn is_argument(&self, at: usize) -> bool {
        let before = self.tokens.mark(at - 1);
        match self.syntax {
            Syntax::JavaScript => matches!(before, Some(b'<' | b',' | b'=' | b'&' | b'|')),
            Syntax::Rust => before == Some(b'<'),
            _ => false,
        }
    }

    /// C: past what follows a type's body: `;`, or variables up to it on the same line.
    fn declarator_end(&self, statement: Statement, at: usize) -> usize {
        let tokens = self.tokens;
        let mut end = at;
        while end < statement.end && !tokens.get(end).first {
            if self.is(end, b';') {
                return end + 1;
            }
            if matches!(tokens.mark(end), Some(b'{' | b'}' | b')' | b']')) {
                break;
            }
            end = tokens.after(end);
        }
        at
    }

    /// Rust's `impl`, called by all that stands before its body.
    pub(super) fn implementation(&mut self, statement: Statement, keyword: usize) -> usize {
        let tokens = self.tokens;
        let first = keyword + 1;
        let first = self.angles(first, statement.end).unwrap_or(first);
        let open = match self.find_body(statement, first) {
            Ok(open) => open,
            Err(next) => return next,
        };
        let mut last = first;
        while last < open && self.word(last) != "where" {
            last = tokens.after(last);
        }
        let last = last.min(open);
        let name = if first < last {
            Scope::of(first, last)
        } else {
            Scope::of(keyword, keyword + 1)
        };
        let end = self.block_end(statement, open);
        self.push(statement, end, name, Some(keyword));
        end
    }

    /// Rust's `mod`, if it has a body.
    pub(super) fn module(&mut self, statement: Statement, keyword: usize) -> usize {
        let name = keyword + 1;
        if !self.is(name + 1, b'{') {
            return name + 1;
        }
        let end = self.block_end(statement, name + 1);
        self.found.push(Found {
            all: Scope::of(statement.start, end),
            name: Scope::of(name, name + 1),
            keyword: Some(keyword),
            module: Some(self.inside(name + 1, end)),
        });
        end
    }

    /// What is between the braces.
    fn inside(&self, open: usize, end: usize) -> Scope {
        let closed = end > open + 1 && self.is(end - 1, b'}');
        Scope::of(open + 1, (end - usize::from(closed)).max(open + 1))
    }

    /// A namespace: what it holds, and itself only if that is nothing.
    pub(super) fn namespace(&mut self, statement: Statement, keyword: usize) -> usize {
        let tokens = self.tokens;
        let name = if tokens.is_word(keyword + 1) {
            Scope::of(keyword + 1, self.path_end(keyword + 1))
        } else if tokens.is_str(keyword + 1) {
            Scope::of(keyword + 1, keyword + 2)
        } else {
            Scope::of(keyword, keyword + 1)
        };
        let open = name.end;
        // `namespace a;` is for the whole file, `namespace a = b;` another name.
        if !self.is(open, b'{') {
            return self.skip(statement, open);
        }
        // What is not indented in it does not end it: one that is not closed goes on.
        let end = match tokens.partner(open) {
            Some(partner) => (partner + 1).min(statement.end),
            None => statement.end,
        };
        let n_found = self.found.len();
        if statement.depth < MAX_DEPTH {
            let inside = self.inside(open, end);
            self.scope(inside, statement.depth + 1);
        }
        // `extern "C"` names nothing.
        if self.found.len() == n_found && !self.tokens.is_str(keyword) {
            self.push(statement, end, name, Some(keyword));
        }
        end
    }

    pub(super) fn macro_rules(&mut self, statement: Statement, keyword: usize) -> usize {
        let tokens = self.tokens;
        let (name, open) = (keyword + 2, keyword + 3);
        if !tokens.is_word(name) || open >= statement.end {
            return name;
        }
        let mut end = match tokens.mark(open) {
            Some(b'{') => self.block_end(statement, open),
            Some(b'(' | b'[') => tokens.after(open).min(statement.end),
            _ => return open,
        };
        if end < statement.end && self.is(end, b';') {
            end += 1;
        }
        self.push(statement, end, Scope::of(name, name + 1), Some(keyword));
        end
    }

    /// `type A = …`
    pub(super) fn type_alias(&mut self, statement: Statement, keyword: usize) -> usize {
        let name = keyword + 1;
        let at = self.angles(name + 1, statement.end).unwrap_or(name + 1);
        if at >= statement.end || !self.is(at, b'=') {
            return self.skip(statement, at);
        }
        let end = self.skip_value(statement, at + 1);
        self.push(statement, end, Scope::of(name, name + 1), Some(keyword));
        end
    }

    /// Go's `type A …`, or several in parentheses.
    pub(super) fn go_type(&mut self, statement: Statement, keyword: usize) -> usize {
        let tokens = self.tokens;
        let open = keyword + 1;
        if tokens.is_word(open) {
            return self.go_type_entry(statement, open, Some(keyword));
        }
        let (true, Some(close)) = (self.is(open, b'('), tokens.partner(open)) else {
            return open;
        };
        let close = close.min(statement.end);
        let mut at = open + 1;
        while at < close {
            at = if tokens.is_word(at) {
                let entry = Statement {
                    start: at,
                    first: at,
                    end: close,
                    ..statement
                };
                self.go_type_entry(entry, at, None).max(at + 1)
            } else {
                tokens.after(at)
            };
        }
        (close + 1).min(statement.end)
    }

    fn go_type_entry(&mut self, entry: Statement, name: usize, keyword: Option<usize>) -> usize {
        let end = self.skip_value(entry, name + 1);
        // Not a name alone, while the rest is being typed.
        if end > name + 1 {
            self.push(entry, end, Scope::of(name, name + 1), keyword);
        }
        end
    }

    /// C: a `typedef` with a body, called by its new name.
    pub(super) fn typedef(&mut self, statement: Statement, typedef: usize) -> usize {
        let tokens = self.tokens;
        let keyword = typedef + 1;
        if !matches!(self.word(keyword), "struct" | "union" | "enum" | "class") {
            return self.skip(statement, keyword);
        }
        let tag = self.c_attributes(keyword + 1);
        let open = match self.find_body(statement, tag) {
            Ok(open) => open,
            Err(next) => return next,
        };
        let body_end = self.block_end(statement, open);
        let end = self.declarator_end(statement, body_end);
        let after = (body_end..end).find(|&at| tokens.is_word(at) && !self.is(at + 1, b'('));
        let name = after
            .or_else(|| tokens.is_word(tag).then_some(tag))
            .unwrap_or(keyword);
        self.push(statement, end, Scope::of(name, name + 1), Some(keyword));
        end
    }
}
