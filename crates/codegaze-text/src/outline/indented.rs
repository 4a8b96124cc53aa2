//! Languages whose definitions end where the indentation does: Python, and Ruby with an `end` there.

use super::tokens::Tokens;
use super::{Found, Scope};

/// The indentation of a scope's own lines.
fn base(tokens: &Tokens<'_>, scope: Scope) -> usize {
    (scope.start..scope.end)
        .map(|at| tokens.get(at))
        .find(|token| token.first)
        .map_or(0, |token| token.indent)
}

/// Whether a line of the scope itself begins at `at`.
fn begins(tokens: &Tokens<'_>, at: usize, base: usize) -> bool {
    let token = tokens.get(at);
    token.first && token.indent <= base && !is_closing(tokens, at)
}

fn is_closing(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.mark(at), Some(b')' | b']' | b'}'))
}

/// The next line of the scope after `at`.
fn next_line(tokens: &Tokens<'_>, mut at: usize, end: usize, base: usize) -> usize {
    at = tokens.after(at);
    while at < end && !begins(tokens, at, base) {
        at = tokens.after(at);
    }
    at.min(end)
}

pub(super) fn python(tokens: &Tokens<'_>, scope: Scope) -> Vec<Found> {
    let base = base(tokens, scope);
    let mut found = Vec::new();
    let mut at = scope.start;
    while at < scope.end {
        let start = at;
        // Decorators.
        while at < scope.end && tokens.is(at, b'@') {
            at = next_line(tokens, at, scope.end, base);
        }
        if at >= scope.end {
            break;
        }
        let keyword = at + usize::from(tokens.word(at) == "async");
        let name = keyword + 1;
        let next = next_line(tokens, at, scope.end, base);
        if matches!(tokens.word(keyword), "def" | "class") && tokens.names(keyword) && name < next {
            found.push(Found {
                all: Scope::of(start, next),
                name: Scope::of(name, name + 1),
                keyword: Some(keyword),
                module: None,
            });
        }
        at = next;
    }
    found
}

pub(super) fn ruby(tokens: &Tokens<'_>, scope: Scope) -> Vec<Found> {
    let base = base(tokens, scope);
    let mut found = Vec::new();
    let mut at = scope.start;
    while at < scope.end {
        let start = at;
        // `private def f`
        let is_marked = tokens.is_word(at)
            && at + 1 < scope.end
            && tokens.word(at + 1) == "def"
            && !tokens.get(at + 1).first;
        let keyword = at + usize::from(is_marked);
        let name = match tokens.word(keyword) {
            "def" => method_name(tokens, keyword, scope.end),
            "class" | "module" => class_name(tokens, keyword, scope.end),
            _ => None,
        };
        let Some(name) = name else {
            at = next_line(tokens, at, scope.end, base);
            continue;
        };
        let line_end = line_end(tokens, start, scope.end);
        let end = definition_end(tokens, keyword, line_end, scope.end, base);
        let closed = end > line_end && tokens.word(end - 1) == "end";
        let is_module = tokens.word(keyword) == "module";
        let inside = Scope::of(line_end.min(end), end - usize::from(closed));
        found.push(Found {
            all: Scope::of(start, end),
            name,
            keyword: Some(keyword),
            module: (is_module && inside.start < inside.end).then_some(inside),
        });
        at = end;
        if at < scope.end && !begins(tokens, at, base) {
            at = next_line(tokens, at, scope.end, base);
        }
    }
    found
}

/// The first token of the next line.
fn line_end(tokens: &Tokens<'_>, at: usize, end: usize) -> usize {
    (at + 1..end)
        .find(|&at| tokens.get(at).first)
        .unwrap_or(end)
}

/// `f`, `self.f`, `f?`, `f=`, `<<`, `[]=`: all up to a space, a parenthesis or a semicolon.
fn method_name(tokens: &Tokens<'_>, keyword: usize, end: usize) -> Option<Scope> {
    let first = keyword + 1;
    let mut last = first;
    while last < end && !matches!(tokens.mark(last), Some(b'(' | b';')) && !tokens.get(last).first {
        last += 1;
        if !tokens.adjoin(last - 1) {
            break;
        }
    }
    (last > first).then(|| Scope::of(first, last))
}

/// `A`, `A::B`, or the `self` of `class << self`.
fn class_name(tokens: &Tokens<'_>, keyword: usize, end: usize) -> Option<Scope> {
    let mut first = keyword + 1;
    while tokens.is(first, b'<') || tokens.is(first, b':') {
        first += 1;
    }
    if !tokens.is_word(first) || first >= end || tokens.get(first).first {
        return None;
    }
    let mut last = first + 1;
    while tokens.is_pair(last, [b':', b':']) && tokens.is_word(last + 2) && last + 2 < end {
        last += 3;
    }
    Some(Scope::of(first, last))
}

fn definition_end(
    tokens: &Tokens<'_>,
    keyword: usize,
    line_end: usize,
    end: usize,
    base: usize,
) -> usize {
    // `def f; 1 end`
    if tokens.word(line_end - 1) == "end" {
        return line_end;
    }
    if tokens.word(keyword) == "def" && is_endless(tokens, keyword, line_end) {
        return next_line(tokens, line_end - 1, end, base);
    }
    let mut at = line_end;
    while at < end {
        if begins(tokens, at, base) {
            match tokens.word(at) {
                "end" => return at + 1,
                "rescue" | "ensure" | "else" => {}
                // Something else: the end is not there yet.
                _ => return at,
            }
        }
        at += 1;
    }
    end
}

/// `def f(x) = x + 1`
fn is_endless(tokens: &Tokens<'_>, keyword: usize, line_end: usize) -> bool {
    let mut at = keyword + 1;
    while at < line_end {
        let spaced = !tokens.adjoin(at - 1);
        if tokens.is(at, b'=') && spaced && !tokens.is(at + 1, b'=') {
            return true;
        }
        at = tokens.after(at);
    }
    false
}
