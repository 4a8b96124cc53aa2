//! Functions: by their keyword, as JavaScript's values, and as C has them.

use super::{Reader, Scope, Statement, Syntax};

/// Words before a `(` that call or control, and types: no function has such a name.
const NO_NAMES: &[&str] = &[
    "__attribute__",
    "__declspec",
    "_Alignas",
    "alignas",
    "auto",
    "bool",
    "catch",
    "char",
    "decltype",
    "do",
    "double",
    "else",
    "explicit",
    "float",
    "for",
    "foreach",
    "function",
    "if",
    "int",
    "lock",
    "long",
    "new",
    "noexcept",
    "requires",
    "return",
    "short",
    "sizeof",
    "static_assert",
    "switch",
    "throw",
    "unsigned",
    "using",
    "void",
    "while",
];

/// Words that may follow a function's parameters on a line of their own.
const AFTER_PARAMETERS: &[&str] = &[
    "__attribute__",
    "const",
    "final",
    "noexcept",
    "override",
    "requires",
    "throws",
    "try",
    "volatile",
    "where",
];

impl Reader<'_> {
    /// `fn`, `func` or `function` at `keyword`.
    pub(super) fn function(&mut self, statement: Statement, keyword: usize) -> usize {
        let tokens = self.tokens;
        let mut name = keyword + 1;
        match self.syntax {
            Syntax::JavaScript if self.is(name, b'*') => name += 1,
            Syntax::Php if self.is(name, b'&') => name += 1,
            // The receiver.
            Syntax::Go if self.is(name, b'(') => name = tokens.after(name),
            _ => {}
        }
        if !tokens.names(name - 1) || name >= statement.end {
            return match self.default_of(statement, keyword) {
                Some(default) => self.with_body(statement, name, default, keyword),
                None => self.skip(statement, name),
            };
        }
        self.with_body(statement, name + 1, name, keyword)
    }

    /// The `default` of `export default`, where a name is missing.
    pub(super) fn default_of(&self, statement: Statement, keyword: usize) -> Option<usize> {
        (statement.first..keyword).find(|&at| self.word(at) == "default")
    }

    fn with_body(&mut self, statement: Statement, at: usize, name: usize, keyword: usize) -> usize {
        // In a generic parameter's bounds there may be braces.
        let at = self.angles(at, statement.end).unwrap_or(at);
        match self.find_body(statement, at) {
            Ok(open) => {
                let end = self.block_end(statement, open);
                self.push(statement, end, Scope::of(name, name + 1), Some(keyword));
                end
            }
            Err(next) => next,
        }
    }

    /// The body's brace, or where to go on if there is none.
    pub(super) fn find_body(&self, statement: Statement, mut at: usize) -> Result<usize, usize> {
        let tokens = self.tokens;
        while at < statement.end {
            match tokens.mark(at) {
                Some(b'{') if !self.is_type(at) => return Ok(at),
                Some(b';' | b'}' | b')' | b']') => return Err(at + 1),
                // Still being typed.
                Some(b'(' | b'[' | b'{') if tokens.partner(at).is_none() => {
                    return Err(self.abandon(statement, at));
                }
                _ if self.is_interrupted(statement, at) => return Err(at),
                _ => at = tokens.after(at),
            }
        }
        Err(at)
    }

    /// Whether the brace at `at` belongs to a type, as in `func f() struct{}`, `function f(): { a: number }`.
    fn is_type(&self, at: usize) -> bool {
        match self.syntax {
            Syntax::Go => matches!(self.word(at - 1), "struct" | "interface"),
            Syntax::JavaScript => {
                let marks = [b':', b'|', b'&', b'<', b',', b'='];
                self.word(at - 1) == "is"
                    || self
                        .tokens
                        .mark(at - 1)
                        .is_some_and(|mark| marks.contains(&mark))
            }
            Syntax::Rust => self.is(at - 1, b'<'),
            _ => false,
        }
    }

    /// JavaScript: `const f = () => {}`, `exports.f = function () {}`, `export default () => {}`.
    pub(super) fn assignment(&mut self, statement: Statement, at: usize) -> usize {
        let tokens = self.tokens;
        let default = self.default_of(statement, at);
        let (name, value) = if let Some(default) = default {
            (default, Some(at))
        } else {
            let declares = matches!(self.word(at), "const" | "let" | "var");
            let mut name = at + usize::from(declares);
            while !declares && self.is(name + 1, b'.') && tokens.is_word(name + 2) {
                name += 2;
            }
            (name, self.assigned(statement, name, declares))
        };
        let value = match value {
            Some(value) if value < statement.end && self.is_function(statement, value, 0) => value,
            Some(value) => return self.skip_value(statement, value),
            None => return self.skip(statement, at),
        };
        let end = self.skip_value(statement, value);
        // A class or function may have a name of its own where the target says less.
        let keyword = if self.word(value) == "async" {
            value + 1
        } else {
            value
        };
        let own = keyword + 1 + usize::from(self.is(keyword + 1, b'*'));
        let is_keyword = matches!(self.word(keyword), "function" | "class");
        let says_less = default.is_some() || self.word(name) == "exports";
        let is_own = tokens.is_word(own) && self.word(own) != "extends";
        let name = if is_keyword && says_less && is_own && own < end {
            own
        } else {
            name
        };
        self.push(
            statement,
            end,
            Scope::of(name, name + 1),
            is_keyword.then_some(keyword),
        );
        end
    }

    /// Where the value begins that is assigned to `name`.
    fn assigned(&self, statement: Statement, name: usize, declared: bool) -> Option<usize> {
        let tokens = self.tokens;
        if !tokens.is_word(name) {
            return None;
        }
        let mut at = name + 1;
        while at < statement.end {
            match tokens.mark(at) {
                _ if self.is_arrow(at) => at += 2,
                Some(b'=') => return (!self.is(at + 1, b'=')).then_some(at + 1),
                Some(b';') => return None,
                // A type stands only in a declaration.
                _ if !declared || self.is_interrupted(statement, at) => return None,
                _ => at = tokens.after(at),
            }
        }
        None
    }

    /// Whether the value at `at` is a function or a class, or a call that is given one first.
    fn is_function(&self, statement: Statement, at: usize, depth: usize) -> bool {
        let tokens = self.tokens;
        let at = if self.word(at) == "async" { at + 1 } else { at };
        if matches!(self.word(at), "function" | "class") {
            return true;
        }
        let parameters = self.angles(at, statement.end).unwrap_or(at);
        if self.is(parameters, b'(') {
            let after = tokens.after(parameters);
            return self.is_arrow(after)
                || self.is(after, b':') && self.has_arrow(statement, after);
        }
        if !tokens.is_word(at) {
            return false;
        }
        if self.is_arrow(at + 1) {
            return true;
        }
        let mut callee = at;
        while self.is(callee + 1, b'.') && tokens.is_word(callee + 2) {
            callee += 2;
        }
        let open = self.angles(callee + 1, statement.end).unwrap_or(callee + 1);
        let is_call = self.is(open, b'(') && tokens.partner(open).is_some();
        is_call && depth < 3 && self.is_function(statement, open + 1, depth + 1)
    }

    /// Whether an arrow follows the type at `at`.
    fn has_arrow(&self, statement: Statement, mut at: usize) -> bool {
        let tokens = self.tokens;
        while at < statement.end {
            match tokens.mark(at) {
                _ if self.is_arrow(at) => return true,
                Some(b';' | b',' | b'=') => return false,
                _ if self.is_interrupted(statement, at) => return false,
                _ => at = tokens.after(at),
            }
        }
        false
    }

    /// C and C++: a name, parameters, a body.
    pub(super) fn c_function(&mut self, statement: Statement) -> usize {
        let tokens = self.tokens;
        let mut name: Option<Scope> = None;
        let mut initializes = false;
        let mut is_value = false;
        let mut has_angles = true;
        let mut at = statement.first;
        while at < statement.end {
            if self.word(at) == "operator" && name.is_none() {
                let mut end = at + 1;
                while end < statement.end && !self.is(end, b'(') && !self.is(end, b'{') {
                    end += 1;
                }
                // `operator()`
                if end == at + 1 && tokens.partner(end) == Some(end + 1) {
                    end += 2;
                }
                name = Some(Scope::of(at, end));
                at = end;
                continue;
            }
            match tokens.mark(at) {
                Some(b';' | b'}' | b')' | b']') => return at + 1,
                Some(b'(' | b'[') if tokens.partner(at).is_none() => {
                    return self.abandon(statement, at);
                }
                Some(b'(') => {
                    let after = tokens.after(at);
                    let before = self.word(at.saturating_sub(1));
                    let is_name =
                        at > statement.first && !before.is_empty() && !NO_NAMES.contains(&before);
                    if name.is_none() && is_name {
                        name = Some(Scope::of(at - 1, at));
                    }
                    at = after;
                    if name.is_some() && self.ends_after_parameters(statement, at) {
                        return at;
                    }
                }
                Some(b'{') => {
                    let Some(name) = name.filter(|_| !is_value) else {
                        return self.block_end(statement, at);
                    };
                    let after = tokens.after(at);
                    let is_member = tokens.is_word(at - 1) || self.is(at - 1, b'>');
                    let more = self.is(after, b',') || self.is(after, b'{');
                    if initializes && is_member && more {
                        at = after;
                        continue;
                    }
                    let end = self.block_end(statement, at);
                    self.push(statement, end, name, None);
                    return end;
                }
                Some(b':') if self.is(at + 1, b':') => at += 2,
                // A label or an access specifier; members to initialize; or nothing of C.
                Some(b':')
                    if at + 1 < statement.end && tokens.get(at + 1).first && name.is_none() =>
                {
                    return at + 1;
                }
                Some(b':') => {
                    initializes = name.is_some();
                    is_value |= name.is_none();
                    at += 1;
                }
                Some(b'=') => {
                    is_value = true;
                    at += 1;
                }
                Some(b'<') if has_angles => {
                    let after = self.angles(at, statement.end);
                    has_angles = after.is_some();
                    at = after.unwrap_or(at + 1);
                }
                _ if self.is_interrupted(statement, at) => return at,
                _ => at = tokens.after(at),
            }
        }
        at
    }

    /// Whether the line after a function's parameters begins something else: then they were a macro's, or there is no body
    /// yet.
    fn ends_after_parameters(&self, statement: Statement, at: usize) -> bool {
        if at >= statement.end || !self.tokens.is_word(at) {
            return false;
        }
        let token = self.tokens.get(at);
        token.first
            && token.indent <= self.tokens.get(statement.start).indent
            && !AFTER_PARAMETERS.contains(&self.word(at))
    }
}
