//! Functions: those with a keyword, JavaScript's values, and C's.

use super::{MAX_HEADER, Reader, Scope, Statement, Syntax, is_in, one};

/// Words before a `(` that call something or control the flow, and types: functions do not have such names.
const NOT_NAMES: &str = "__attribute__ __declspec _Alignas alignas auto bool catch char decltype do double else explicit float for \
    foreach function if int lock long new noexcept requires return short sizeof static_assert switch throw unsigned using void \
    while";

/// Words that may follow a function's parameters on a line of their own.
const AFTER_PARAMETERS: &str =
    "__attribute__ const final noexcept override requires throws try volatile where";

impl Reader<'_> {
    /// `fn`, `func` or `function` at `keyword`.
    pub(super) fn function(&mut self, statement: Statement, keyword: usize) -> Option<usize> {
        let mut at = keyword + 1;
        if self.is(at, b'*') || self.is(at, b'&') {
            at += 1;
        } else if self.syntax == Syntax::Go && self.is(at, b'(') {
            // The receiver.
            at = self.tokens.after(at);
        }
        let name = if self.tokens.names(at - 1) && at < statement.end {
            at += 1;
            one(at - 1)
        } else {
            self.default_of(statement, keyword)?
        };
        // The bounds of a generic parameter may hold braces.
        let at = self.angles(at, statement.end).unwrap_or(at);
        let end = self.block_end(statement, self.body(statement, at)?);
        Some(self.push(statement, end, name, Some(keyword)))
    }

    /// JavaScript: `const f = () => {}`, `exports.f = function () {}`, `export default () => {}`.
    pub(super) fn assignment(&mut self, statement: Statement, at: usize) -> Option<usize> {
        let tokens = self.tokens;
        let default = self.default_of(statement, at);
        let (name, value) = if let Some(default) = default {
            (default, at)
        } else {
            let declares = matches!(self.word(at), "const" | "let" | "var");
            let mut name = at + usize::from(declares);
            while !declares && self.is(name + 1, b'.') && tokens.is_word(name + 2) {
                name += 2;
            }
            (one(name), self.assigned(statement, name, declares)?)
        };
        if value >= statement.end || !self.is_function(statement, value, 0) {
            return None;
        }
        let end = self.value_end(statement, value);
        let keyword = value + usize::from(self.word(value) == "async");
        let has_keyword = matches!(self.word(keyword), "function" | "class");
        // The value's own name, where it is assigned to `exports` or `default`.
        let own = keyword + 1 + usize::from(self.is(keyword + 1, b'*'));
        let has_own =
            has_keyword && tokens.is_word(own) && self.word(own) != "extends" && own < end;
        let is_export = default.is_some() || self.word(name.start) == "exports";
        let name = if is_export && has_own { one(own) } else { name };
        Some(self.push(statement, end, name, has_keyword.then_some(keyword)))
    }

    /// JavaScript, in a class: `f() {}`, `async f() {}`, `get f() {}`, `*f() {}`, `#f() {}`.
    pub(super) fn method(&mut self, statement: Statement, mut at: usize) -> Option<usize> {
        let tokens = self.tokens;
        if !self.has_methods {
            return None;
        }
        while matches!(self.word(at), "get" | "set" | "override" | "accessor")
            && (tokens.names(at) || self.is(at + 1, b'#'))
        {
            at += 1;
        }
        while self.is(at, b'*') || self.is(at, b'#') {
            at += 1;
        }
        if at >= statement.end || !tokens.is_word(at) {
            return None;
        }
        let open = self.angles(at + 1, statement.end).unwrap_or(at + 1);
        if !self.is(open, b'(') || tokens.partner(open).is_none() {
            return None;
        }
        let body = self.body(statement, tokens.after(open))?;
        let end = self.block_end(statement, body);
        Some(self.push(statement, end, one(at), None))
    }

    /// Where the value begins that is assigned to `name`.
    fn assigned(&self, statement: Statement, name: usize, declared: bool) -> Option<usize> {
        if !self.tokens.is_word(name) {
            return None;
        }
        let mut at = name + 1;
        for _ in 0..MAX_HEADER {
            if at >= statement.end {
                return None;
            }
            match self.tokens.mark(at) {
                _ if self.is_arrow(at) => at += 2,
                Some(b'=') => return (!self.is(at + 1, b'=')).then_some(at + 1),
                Some(b';') => return None,
                // Only a declaration has a type.
                _ if !declared || self.is_interrupted(statement, at) => return None,
                _ => at = self.tokens.after(at),
            }
        }
        None
    }

    /// Whether the value at `at` is a function or a class, or a call with one as its first argument.
    fn is_function(&self, statement: Statement, at: usize, depth: usize) -> bool {
        let tokens = self.tokens;
        let at = at + usize::from(self.word(at) == "async");
        if matches!(self.word(at), "function" | "class")
            || self.is_arrow(at + 1) && tokens.is_word(at)
        {
            return true;
        }
        let parameters = self.angles(at, statement.end).unwrap_or(at);
        if self.is(parameters, b'(') {
            let after = tokens.after(parameters);
            return self.is_arrow(after)
                || self.is(after, b':') && self.has_arrow(statement, after);
        }
        if !tokens.is_word(at) || depth >= 3 {
            return false;
        }
        let callee_end = self.path_end(at);
        let open = self.angles(callee_end, statement.end).unwrap_or(callee_end);
        self.is(open, b'(')
            && tokens.partner(open).is_some()
            && self.is_function(statement, open + 1, depth + 1)
    }

    /// Whether an arrow follows the type at `at`.
    fn has_arrow(&self, statement: Statement, mut at: usize) -> bool {
        for _ in 0..MAX_HEADER {
            if at >= statement.end {
                return false;
            }
            match self.tokens.mark(at) {
                _ if self.is_arrow(at) => return true,
                Some(b';' | b',' | b'=') => return false,
                _ if self.is_interrupted(statement, at) => return false,
                _ => at = self.tokens.after(at),
            }
        }
        false
    }

    /// C, C++: a name, parameters, a body.
    pub(super) fn c_function(&mut self, statement: Statement) -> Option<usize> {
        let tokens = self.tokens;
        let mut name: Option<Scope> = None;
        let mut has_initializers = false;
        let mut at = statement.first;
        for _ in 0..MAX_HEADER {
            if at >= statement.end || self.is_interrupted(statement, at) {
                return None;
            }
            let after = tokens.after(at);
            match tokens.mark(at) {
                None if self.word(at) == "operator" && name.is_none() => {
                    let operator = self.operator(at, statement.end);
                    name = Some(operator);
                    at = operator.end;
                }
                Some(b';' | b'}' | b')' | b']' | b'=') => return None,
                Some(b'(' | b'[') if tokens.partner(at).is_none() => return None,
                Some(b'(') => {
                    if name.is_none()
                        && at > statement.first
                        && tokens.is_word(at - 1)
                        && !is_in(NOT_NAMES, self.word(at - 1))
                    {
                        name = Some(one(at - 1));
                    }
                    if name.is_some() && self.ends_after_parameters(statement, after) {
                        return None;
                    }
                    at = after;
                }
                Some(b'{') => {
                    let name = name?;
                    let is_member = tokens.is_word(at - 1) || self.is(at - 1, b'>');
                    if has_initializers
                        && is_member
                        && (self.is(after, b',') || self.is(after, b'{'))
                    {
                        at = after;
                        continue;
                    }
                    let end = self.block_end(statement, at);
                    return Some(self.push(statement, end, name, None));
                }
                Some(b':') if self.is(at + 1, b':') => at += 2,
                Some(b':') => {
                    // Before a name: a label, an access specifier, or not C.
                    name?;
                    has_initializers = true;
                    at += 1;
                }
                Some(b'<') => at = self.angles(at, statement.end).unwrap_or(at + 1),
                _ => at = after,
            }
        }
        None
    }

    /// The name of an operator: `operator+`, `operator()`, `operator bool`.
    fn operator(&self, at: usize, limit: usize) -> Scope {
        let is_bracket = |at: usize| self.is(at, b'(') || self.is(at, b'{');
        let end = (at + 1..limit.min(at + MAX_HEADER)).find(|&end| is_bracket(end));
        let end = end.unwrap_or(at + 1);
        let is_call = end == at + 1 && self.tokens.partner(end) == Some(end + 1);
        Scope::of(at, end + 2 * usize::from(is_call))
    }

    /// Whether the line after a function's parameters begins something else: then they were a macro's, or the body is missing.
    fn ends_after_parameters(&self, statement: Statement, at: usize) -> bool {
        let indent = self.tokens.get(statement.start).indent;
        at < statement.end
            && self.tokens.is_word(at)
            && self.tokens.is_at_margin(at, indent)
            && !is_in(AFTER_PARAMETERS, self.word(at))
    }
}
