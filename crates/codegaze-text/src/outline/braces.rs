//! Languages whose definitions have braces.
//!
//! A scope is read statement by statement. A statement starts on a line of its own, not indented by more than its scope, or
//! after a `;` or a `}`. It is a definition if it has one of the forms below; anything else is skipped. Groups in brackets are
//! skipped as one token. If braces do not match, as while a text is being typed, a definition ends with its
//! indentation.

mod functions;

use super::syntax::Syntax;
use super::tokens::Tokens;
use super::{Found, MAX_DEPTH, Scope};

/// Tokens and groups of a definition before its body. The limit keeps the time linear.
const MAX_HEADER: usize = 256;

/// The definitions in a scope, ascending, disjoint. `is_type`: the scope is the body of a type.
pub(super) fn read(tokens: &Tokens<'_>, syntax: Syntax, scope: Scope, is_type: bool) -> Vec<Found> {
    let mut reader = Reader {
        tokens,
        syntax,
        has_methods: is_type && syntax == Syntax::JavaScript,
        depth: 0,
        found: Vec::new(),
    };
    reader.scope(scope);
    reader.found
}

struct Reader<'a> {
    tokens: &'a Tokens<'a>,
    syntax: Syntax,
    /// Whether functions in the scope need no keyword, as in JavaScript's classes.
    has_methods: bool,
    /// Namespaces around the scope.
    depth: usize,
    found: Vec<Found>,
}

#[derive(Clone, Copy)]
struct Statement {
    /// Where it starts, decorators and attributes included.
    start: usize,
    /// The first token after those.
    first: usize,
    /// Where its scope ends.
    end: usize,
}

/// Words that can come before the keyword of a definition.
const MODIFIERS: &str = "abstract async auto crate declare default export extern final inline internal open partial private \
    protected pub public readonly sealed static strictfp unsafe virtual";

/// Words that start a statement at the beginning of a line, so that an unfinished statement before it ends there.
const STARTS: &str = "abstract async class const enum export extern final import inline interface namespace package private \
    protected pub public readonly static struct template typedef union unsafe using";

/// More such words, which are valid names of functions in C.
const STARTS_OUTSIDE_C: &str = "fn func function impl let macro_rules mod trait type use var";

/// Words between a type's name and its body.
const CLAUSES: &str = "abstract extends final implements permits requires sealed where with";

/// Whether `word` is one of `words`, a list with spaces.
fn is_in(words: &str, word: &str) -> bool {
    words.split_ascii_whitespace().any(|other| other == word)
}

fn one(at: usize) -> Scope {
    Scope::of(at, at + 1)
}

impl<'a> Reader<'a> {
    fn scope(&mut self, scope: Scope) {
        let indent = self.tokens.indent_of(scope);
        let mut at = scope.start;
        while at < scope.end {
            let first = self.attributes(at, scope.end);
            let statement = Statement {
                start: at,
                first,
                end: scope.end,
            };
            at = match self.statement(statement) {
                Some(end) => self.statement_from(end.max(at + 1), scope.end, indent),
                None => self.statement_from(self.tokens.after(at), scope.end, indent),
            };
        }
    }

    /// The first token from `at` on that starts a statement.
    fn statement_from(&self, mut at: usize, end: usize, indent: usize) -> usize {
        let tokens = self.tokens;
        while at < end {
            let starts = if tokens.get(at).first {
                tokens.is_at_margin(at, indent)
            } else {
                matches!(tokens.mark(at - 1), Some(b';' | b'}'))
            };
            if starts {
                return at;
            }
            at = tokens.after(at);
        }
        end
    }

    fn word(&self, at: usize) -> &'a str {
        self.tokens.word(at)
    }

    fn is(&self, at: usize, mark: u8) -> bool {
        self.tokens.is(at, mark)
    }

    /// Adds the definition of a statement, and returns where it ends; `None` if the statement defines nothing.
    fn statement(&mut self, statement: Statement) -> Option<usize> {
        use Syntax::{C, Go, JavaScript, Php, Rust};

        let Statement { first, end, .. } = statement;
        let tokens = self.tokens;
        let at = self.modifiers(first, end);
        if at >= end {
            return None;
        }
        let named = tokens.names(at);
        match (self.syntax, self.word(at)) {
            (Rust, "fn") | (Go, "func") | (JavaScript | Php, "function") => {
                self.function(statement, at)
            }
            (Rust, "impl") => self.implementation(statement, at),
            (Rust, "mod") if named => self.module(statement, at),
            (Rust, "macro_rules") if self.is(at + 1, b'!') => self.macro_rules(statement, at),
            (Rust | JavaScript, "type") if named => self.type_alias(statement, at),
            (Go, "type") => self.go_type(statement, at),
            (C, "typedef") => self.typedef(statement, at),

            (C | JavaScript | Php, "namespace") if named || self.is(at + 1, b'{') => {
                self.namespace(statement, at)
            }
            (JavaScript, "module") if named || tokens.is_str(at + 1) => {
                self.namespace(statement, at)
            }
            (JavaScript, "global") if self.is(at + 1, b'{') => self.namespace(statement, at),
            // `extern "C" {`
            (C, _) if self.is(at, b'{') && at > first && tokens.is_str(at - 1) => {
                self.namespace(statement, at - 1)
            }

            (JavaScript, "class") if self.is(at + 1, b'{') => self.class(statement, at),
            (C, "enum" | "class" | "struct" | "union") if self.is(at + 1, b'[') => {
                self.class(statement, at)
            }
            (Rust, "struct" | "enum" | "union" | "trait")
            | (C, "enum" | "record" | "module" | "interface" | "class" | "struct" | "union")
            | (JavaScript, "class" | "enum" | "interface")
            | (Php, "class" | "interface" | "trait" | "enum")
                if named =>
            {
                self.class(statement, at)
            }
            (C, _) if self.is(at, b'@') && self.word(at + 1) == "interface" => {
                self.class(statement, at + 1)
            }

            (JavaScript, _) => self
                .assignment(statement, at)
                .or_else(|| self.method(statement, at)),
            (C, _) => self.c_function(statement),
            _ => None,
        }
    }

    /// Past decorators, attributes and templates' parameters.
    fn attributes(&self, mut at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        let group = |at: usize| tokens.partner(at).map(|partner| partner + 1);
        while at < end {
            let after = match tokens.mark(at) {
                Some(b'@') if tokens.is_word(at + 1) && self.word(at + 1) != "interface" => {
                    let after = self.path_end(at + 1);
                    Some(after)
                        .filter(|_| !self.is(after, b'('))
                        .or(group(after))
                        .or(Some(after))
                }
                Some(b'#') if self.is(at + 1, b'[') => group(at + 1),
                Some(b'[') if self.syntax == Syntax::C => group(at),
                None if self.syntax == Syntax::C && self.word(at) == "template" => {
                    self.angles(at + 1, end)
                }
                _ => None,
            };
            match after {
                Some(after) => at = after.min(end),
                None => return at,
            }
        }
        at
    }

    /// Past words such as `pub(crate)`, `export default` and `extern "C"`.
    fn modifiers(&self, mut at: usize, end: usize) -> usize {
        while at < end {
            at = match self.word(at) {
                "pub" if self.is(at + 1, b'(') => self.tokens.after(at + 1),
                "extern" if self.tokens.is_str(at + 1) => at + 2,
                "const"
                    if matches!(
                        self.word(at + 1),
                        "fn" | "unsafe" | "async" | "extern" | "enum"
                    ) =>
                {
                    at + 1
                }
                word if is_in(MODIFIERS, word) => at + 1,
                _ => break,
            };
        }
        at.min(end)
    }

    /// Past the `<…>` at `at`.
    fn angles(&self, mut at: usize, end: usize) -> Option<usize> {
        if !self.is(at, b'<') {
            return None;
        }
        let mut depth = 0;
        for _ in 0..MAX_HEADER {
            if at >= end {
                return None;
            }
            match self.tokens.mark(at) {
                Some(b'<') => depth += 1,
                Some(b'>') if self.is_arrow(at - 1) => {}
                Some(b'>') if depth == 1 => return Some(at + 1),
                Some(b'>') => depth -= 1,
                Some(b';') => return None,
                Some(b'{') if self.syntax == Syntax::C => return None,
                _ => {}
            }
            at = self.tokens.after(at);
        }
        None
    }

    /// Past a path: `a::b`, `a.b`, `a\b`.
    fn path_end(&self, at: usize) -> usize {
        let mut end = at + 1;
        loop {
            let separator = match self.tokens.mark(end) {
                Some(b':') if self.tokens.is_pair(end, [b':', b':']) => 2,
                Some(b'.' | b'\\') => 1,
                _ => return end,
            };
            if !self.tokens.is_word(end + separator) {
                return end;
            }
            end += separator + 1;
        }
    }

    /// `=>` or `->`
    fn is_arrow(&self, at: usize) -> bool {
        self.tokens.is_pair(at, [b'=', b'>']) || self.tokens.is_pair(at, [b'-', b'>'])
    }

    /// Whether another statement starts at `at`, a later token of the scope, although this one is not finished.
    fn is_interrupted(&self, statement: Statement, at: usize) -> bool {
        let indent = self.tokens.get(statement.start).indent;
        if at <= statement.first || at >= statement.end || !self.tokens.is_at_margin(at, indent) {
            return false;
        }
        let before = self.word(at - 1);
        let awaits = self.is(at - 1, b'=')
            || is_in(MODIFIERS, before)
            || matches!(before, "const" | "typedef");
        let word = self.word(at);
        let starts =
            is_in(STARTS, word) || self.syntax != Syntax::C && is_in(STARTS_OUTSIDE_C, word);
        let ends_with_line = matches!(self.syntax, Syntax::Go | Syntax::JavaScript);
        starts && !awaits || self.is(at, b'#') || ends_with_line && !self.continues(at)
    }

    /// Whether the line that starts at `at` continues the one before, in Go and JavaScript.
    fn continues(&self, at: usize) -> bool {
        let tokens = self.tokens;
        let goes_on = match tokens.mark(at) {
            // A line of Go ends before an opening bracket.
            Some(b'{' | b'(' | b'[') => self.syntax != Syntax::Go,
            Some(mark) => !matches!(mark, b'@' | b'#' | b'!' | b'~'),
            None => matches!(
                self.word(at),
                "extends" | "implements" | "instanceof" | "in" | "of" | "as" | "satisfies"
            ),
        };
        let awaits = match tokens.mark(at - 1) {
            Some(b'>') => self.is_arrow(at - 2),
            Some(b')' | b']' | b'}' | b'(' | b'[' | b'{' | b';' | b'!') => false,
            // `i++`
            Some(mark @ (b'+' | b'-')) => !tokens.is_pair(at - 2, [mark, mark]),
            Some(_) => true,
            None => matches!(
                self.word(at - 1),
                "extends" | "implements" | "return" | "new"
            ),
        };
        goes_on || awaits
    }

    /// Whether the brace at `at` belongs to a type, as in `func f() struct{}`, `function f(): { a: number }`,
    /// `class A extends B<{ a: number }>`.
    fn is_type(&self, at: usize) -> bool {
        let (word, mark) = (self.word(at - 1), self.tokens.mark(at - 1));
        match self.syntax {
            Syntax::Go => matches!(word, "struct" | "interface"),
            Syntax::JavaScript => {
                word == "is" || matches!(mark, Some(b':' | b'|' | b'&' | b'<' | b',' | b'='))
            }
            Syntax::Rust => mark == Some(b'<'),
            _ => false,
        }
    }

    /// The `{` of the body, or the `;` in its place; `None` if neither follows.
    fn body_or_semicolon(&self, statement: Statement, mut at: usize) -> Option<usize> {
        for _ in 0..MAX_HEADER {
            if at >= statement.end || self.is_interrupted(statement, at) {
                return None;
            }
            match self.tokens.mark(at) {
                Some(b'{') if !self.is_type(at) => return Some(at),
                Some(b';') => return Some(at),
                Some(b'}' | b')' | b']') => return None,
                // Still being typed.
                Some(b'(' | b'[' | b'{') if self.tokens.partner(at).is_none() => return None,
                _ => at = self.tokens.after(at),
            }
        }
        None
    }

    fn body(&self, statement: Statement, at: usize) -> Option<usize> {
        let at = self.body_or_semicolon(statement, at)?;
        self.is(at, b'{').then_some(at)
    }

    /// Past the block that opens at `open`, the body of a statement.
    fn block_end(&self, statement: Statement, open: usize) -> usize {
        let tokens = self.tokens;
        let partner = tokens.partner(open).map(|partner| partner + 1);
        let limit = partner.unwrap_or(statement.end).min(statement.end);
        if tokens.balanced {
            return limit;
        }
        let indent = tokens.get(statement.start).indent;
        for at in open + 1..limit {
            if !tokens.is_at_margin(at, indent) {
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

    /// Past the value that begins at `at`, and the `;` after it.
    fn value_end(&self, statement: Statement, mut at: usize) -> usize {
        let first = at;
        while at < statement.end {
            match self.tokens.mark(at) {
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
                _ => at = self.tokens.after(at),
            }
        }
        at.min(statement.end)
    }

    fn push(
        &mut self,
        statement: Statement,
        end: usize,
        name: Scope,
        keyword: Option<usize>,
    ) -> usize {
        debug_assert!(name.start < name.end && name.end <= end);
        self.found.push(Found {
            all: Scope::of(statement.start, end),
            name,
            keyword,
            module: None,
        });
        end
    }

    /// The `default` of `export default`, where a name is missing.
    fn default_of(&self, statement: Statement, keyword: usize) -> Option<Scope> {
        (statement.first..keyword)
            .find(|&at| self.word(at) == "default")
            .map(one)
    }

    /// A class or another type with a body.
    fn class(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let tokens = self.tokens;
        let is_c = self.syntax == Syntax::C;
        let is_enum_class =
            self.word(keyword) == "enum" && matches!(self.word(keyword + 1), "class" | "struct");
        let mut at = self.c_attributes(keyword + 1 + usize::from(is_enum_class));
        // The last of several words: macros may stand before it.
        while is_c && tokens.is_word(at) && tokens.names(at) && !is_in(CLAUSES, self.word(at + 1)) {
            at = self.c_attributes(at + 1);
        }
        let is_named = tokens.is_word(at) && !is_in(CLAUSES, self.word(at)) && at < statement.end;
        let name = if is_named {
            Scope::of(at, self.path_end(at))
        } else {
            self.default_of(statement, keyword)?
        };
        let header = if is_named { name.end } else { at };
        let header = self.angles(header, statement.end).unwrap_or(header);
        let body = self.body_or_semicolon(statement, header)?;
        if self.is(body, b';') {
            let is_whole = self.syntax == Syntax::Rust;
            return is_whole.then(|| self.push(statement, body + 1, name, Some(keyword)));
        }
        // `struct a f(…) {`, `struct a x = {`
        let mut before_bases = (header..body).take_while(|&at| !self.is(at, b':'));
        if is_c
            && self.word(keyword) != "record"
            && before_bases.any(|at| matches!(tokens.mark(at), Some(b'(' | b'=' | b'*')))
        {
            return self.c_function(statement);
        }
        let mut end = self.block_end(statement, body);
        if is_c {
            end = self.declarator_end(statement, end);
        }
        Some(self.push(statement, end, name, Some(keyword)))
    }

    /// Past `[[…]]`, `alignas(…)` and the like.
    fn c_attributes(&self, mut at: usize) -> usize {
        loop {
            let is_call = matches!(
                self.word(at),
                "alignas" | "_Alignas" | "__attribute__" | "__declspec"
            ) && self.is(at + 1, b'(');
            at = if self.is(at, b'[') && self.is(at + 1, b'[') {
                self.tokens.after(at)
            } else if is_call {
                self.tokens.after(at + 1)
            } else {
                return at;
            };
        }
    }

    /// C: past what follows a type's body: `;`, or variables up to it on the same line.
    fn declarator_end(&self, statement: Statement, body_end: usize) -> usize {
        let mut end = body_end;
        while end < statement.end && !self.tokens.get(end).first {
            match self.tokens.mark(end) {
                Some(b';') => return end + 1,
                Some(b'{' | b'}' | b')' | b']') => return body_end,
                _ => end = self.tokens.after(end),
            }
        }
        body_end
    }

    /// Rust's `impl`. Its name is everything before its body.
    fn implementation(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let first = keyword + 1;
        let first = self.angles(first, statement.end).unwrap_or(first);
        let body = self.body(statement, first)?;
        let last = (first..body)
            .find(|&at| self.word(at) == "where")
            .unwrap_or(body);
        let name = if first < last {
            Scope::of(first, last)
        } else {
            one(keyword)
        };
        let end = self.block_end(statement, body);
        Some(self.push(statement, end, name, Some(keyword)))
    }

    /// Rust's `mod` with a body.
    fn module(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let open = keyword + 2;
        if !self.is(open, b'{') {
            return None;
        }
        let end = self.block_end(statement, open);
        self.push(statement, end, one(keyword + 1), Some(keyword));
        self.found.last_mut()?.module = Some(self.inside(open, end));
        Some(end)
    }

    /// What is between the braces.
    fn inside(&self, open: usize, end: usize) -> Scope {
        let closed = end > open + 1 && self.is(end - 1, b'}');
        Scope::of(open + 1, (end - usize::from(closed)).max(open + 1))
    }

    /// A namespace: the definitions in it, or itself if there are none.
    fn namespace(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let tokens = self.tokens;
        let name = if tokens.is_word(keyword + 1) {
            Scope::of(keyword + 1, self.path_end(keyword + 1))
        } else if tokens.is_str(keyword + 1) {
            one(keyword + 1)
        } else {
            one(keyword)
        };
        let open = name.end;
        // `namespace a;` is about the whole file, `namespace a = b;` is another name.
        if !self.is(open, b'{') {
            return None;
        }
        // The contents are often not indented, so a namespace without its closing brace continues.
        let end = tokens
            .partner(open)
            .map_or(statement.end, |partner| partner + 1);
        let end = end.min(statement.end);
        let n_found = self.found.len();
        if self.depth < MAX_DEPTH {
            self.depth += 1;
            self.scope(self.inside(open, end));
            self.depth -= 1;
        }
        // `extern "C"` has no name.
        if self.found.len() == n_found && !tokens.is_str(keyword) {
            self.push(statement, end, name, Some(keyword));
        }
        Some(end)
    }

    fn macro_rules(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let (name, open) = (keyword + 2, keyword + 3);
        if !self.tokens.is_word(name) {
            return None;
        }
        let mut end = match self.tokens.mark(open)? {
            b'{' => self.block_end(statement, open),
            b'(' | b'[' => self.tokens.after(open).min(statement.end),
            _ => return None,
        };
        end += usize::from(end < statement.end && self.is(end, b';'));
        Some(self.push(statement, end, one(name), Some(keyword)))
    }

    /// `type A = …`
    fn type_alias(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let name = keyword + 1;
        let at = self.angles(name + 1, statement.end).unwrap_or(name + 1);
        if at >= statement.end || !self.is(at, b'=') {
            return None;
        }
        let end = self.value_end(statement, at + 1);
        Some(self.push(statement, end, one(name), Some(keyword)))
    }

    /// Go's `type A …`, or several in parentheses.
    fn go_type(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let tokens = self.tokens;
        let open = keyword + 1;
        if tokens.is_word(open) {
            return self.go_type_entry(statement, open, Some(keyword));
        }
        if !self.is(open, b'(') {
            return None;
        }
        let close = tokens.partner(open)?.min(statement.end);
        let mut at = open + 1;
        while at < close {
            let entry = Statement {
                start: at,
                first: at,
                end: close,
            };
            let end = tokens
                .is_word(at)
                .then(|| self.go_type_entry(entry, at, None));
            at = end.flatten().unwrap_or(tokens.after(at));
        }
        Some((close + 1).min(statement.end))
    }

    fn go_type_entry(
        &mut self,
        entry: Statement,
        name: usize,
        keyword: Option<usize>,
    ) -> Option<usize> {
        let end = self.value_end(entry, name + 1);
        // A name without more is still being typed.
        (end > name + 1).then(|| self.push(entry, end, one(name), keyword))
    }

    /// C: a `typedef` with a body. Its name is the new one.
    fn typedef(&mut self, statement: Statement, typedef: usize) -> Option<usize> {
        let tokens = self.tokens;
        let keyword = typedef + 1;
        if !matches!(self.word(keyword), "struct" | "union" | "enum" | "class") {
            return None;
        }
        let tag = self.c_attributes(keyword + 1);
        let body_end = self.block_end(statement, self.body(statement, tag)?);
        let end = self.declarator_end(statement, body_end);
        let name = (body_end..end).find(|&at| tokens.is_word(at) && !self.is(at + 1, b'('));
        let name = name
            .or(tokens.is_word(tag).then_some(tag))
            .unwrap_or(keyword);
        Some(self.push(statement, end, one(name), Some(keyword)))
    }
}
