//! Languages in which definitions end with their indentation: Python, and Ruby, in which an `end` follows.

use super::tokens::Tokens;
use super::{Found, Scope};

/// Whether a line of the scope itself begins at `at`.
fn begins(tokens: &Tokens<'_>, at: usize, indent: usize) -> bool {
    tokens.is_at_margin(at, indent) && !matches!(tokens.mark(at), Some(b')' | b']' | b'}'))
}

/// The next line of the scope after `at`.
fn next_line(tokens: &Tokens<'_>, mut at: usize, end: usize, indent: usize) -> usize {
    at = tokens.after(at);
    while at < end && !begins(tokens, at, indent) {
        at = tokens.after(at);
    }
    at.min(end)
}

pub(super) fn python(tokens: &Tokens<'_>, scope: Scope) -> Vec<Found> {
    let indent = tokens.indent_of(scope);
    let mut found = Vec::new();
    let mut at = scope.start;
    while at < scope.end {
        let start = at;
        // Decorators.
        while at < scope.end && tokens.is(at, b'@') {
            at = next_line(tokens, at, scope.end, indent);
        }
        if at >= scope.end {
            break;
        }
        let keyword = at + usize::from(tokens.word(at) == "async");
        let name = keyword + 1;
        let next = next_line(tokens, at, scope.end, indent);
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
    let indent = tokens.indent_of(scope);
    let mut found = Vec::new();
    let mut at = scope.start;
    while at < scope.end {
        let start = at;
        // `private def f`
        let is_marked = tokens.is_word(at) && tokens.names(at) && tokens.word(at + 1) == "def";
        let keyword = at + usize::from(is_marked);
        let Some(name) = ruby_name(tokens, keyword, scope.end) else {
            at = next_line(tokens, at, scope.end, indent);
            continue;
        };
        let line_end = (start + 1..scope.end).find(|&at| tokens.get(at).first);
        let line_end = line_end.unwrap_or(scope.end);
        let end = ruby_end(tokens, keyword, line_end, scope.end, indent);
        let is_closed = end > line_end && tokens.word(end - 1) == "end";
        let inside = Scope::of(line_end.min(end), end - usize::from(is_closed));
        let is_module = tokens.word(keyword) == "module" && inside.start < inside.end;
        found.push(Found {
            all: Scope::of(start, end),
            name,
            keyword: Some(keyword),
            module: is_module.then_some(inside),
        });
        at = end;
        if at < scope.end && !begins(tokens, at, indent) {
            at = next_line(tokens, at, scope.end, indent);
        }
    }
    found
}

/// The name of what is defined at `keyword`, up to a space, a parenthesis or a semicolon: `f`, `self.f`, `f?`, `<<`, `A::B`, the
/// `A` of `::A`, or the `self` of `class << self`.
fn ruby_name(tokens: &Tokens<'_>, keyword: usize, end: usize) -> Option<Scope> {
    let is_class = match tokens.word(keyword) {
        "def" => false,
        "class" | "module" => true,
        _ => return None,
    };
    // The name stands on the keyword's line, so the marks before it do too.
    let mut first = keyword + 1;
    while is_class && matches!(tokens.mark(first), Some(b'<' | b':')) && !tokens.get(first).first {
        first += 1;
    }
    if is_class && !tokens.is_word(first) {
        return None;
    }
    let ends = |at: usize| {
        tokens.get(at).first
            || match tokens.mark(at) {
                Some(b'(' | b';') => true,
                Some(b'<') => is_class,
                _ => false,
            }
    };
    let mut last = first;
    while last < end && !ends(last) {
        last += 1;
        if !tokens.adjoin(last - 1) {
            break;
        }
    }
    (last > first).then(|| Scope::of(first, last))
}

fn ruby_end(
    tokens: &Tokens<'_>,
    keyword: usize,
    line_end: usize,
    end: usize,
    indent: usize,
) -> usize {
    // `def f; 1 end`
    if tokens.word(line_end - 1) == "end" {
        return line_end;
    }
    if tokens.word(keyword) == "def" && is_endless(tokens, keyword, line_end) {
        return next_line(tokens, line_end - 1, end, indent);
    }
    for at in line_end..end {
        if begins(tokens, at, indent) {
            match tokens.word(at) {
                "end" => return at + 1,
                "rescue" | "ensure" | "else" => {}
                // The `end` is not there yet.
                _ => return at,
            }
        }
    }
    end
}

/// `def f(x) = x + 1`
fn is_endless(tokens: &Tokens<'_>, keyword: usize, line_end: usize) -> bool {
    let mut at = keyword + 1;
    while at < line_end {
        if tokens.is(at, b'=') && !tokens.adjoin(at - 1) && !tokens.is(at + 1, b'=') {
            return true;
        }
        at = tokens.after(at);
    }
    false
}
