//! What is defined inside of definitions: methods, nested classes and functions.

use super::syntax::Syntax;
use super::tokens::Tokens;
use super::{Found, MAX_DEPTH, Scope};

/// A function that reads the definitions of a scope. The last argument: whether the scope is a type's body.
pub(super) type Read = fn(&Tokens<'_>, Syntax, Scope, bool) -> Vec<Found>;

/// `found` and all definitions inside of them, in the order in which they start.
pub(super) fn with_nested(
    tokens: &Tokens<'_>,
    syntax: Syntax,
    read: Read,
    found: Vec<Found>,
) -> Vec<Found> {
    let mut all = Vec::new();
    // The next one is the last; 0 is the depth.
    let mut waiting: Vec<(usize, Found)> = found.into_iter().rev().map(|one| (0, one)).collect();
    while let Some((depth, one)) = waiting.pop() {
        all.push(one);
        if depth >= MAX_DEPTH {
            continue;
        }
        if let Some((inside, is_type)) = body(tokens, syntax, &one) {
            let inner = read(tokens, syntax, inside, is_type).into_iter().rev();
            waiting.extend(inner.map(|one| (depth + 1, one)));
        }
    }
    all
}

/// What is inside of a definition, and whether that is a type. `None` if there can be no definitions in it.
fn body(tokens: &Tokens<'_>, syntax: Syntax, found: &Found) -> Option<(Scope, bool)> {
    let word = found.keyword.map(|at| tokens.word(at));
    let end = found.all.end;
    let inside = match syntax {
        Syntax::Python => {
            let mut at = found.name.end;
            while at < end && !tokens.is(at, b':') {
                at = tokens.after(at);
            }
            Scope::of(at + 1, end)
        }
        Syntax::Ruby => {
            let is_closed = tokens.word(end - 1) == "end";
            let mut lines = found.name.end..end;
            let first = lines.find(|&at| tokens.get(at).first)?;
            Scope::of(first, end - usize::from(is_closed))
        }
        _ => {
            let close = (found.name.end..end)
                .rev()
                .find(|&at| tokens.is(at, b'}'))?;
            let mut first = tokens.partner(close)? + 1;
            // C++: `public:` is not indented as the members after it are.
            while is_access(tokens, first) {
                first += 2;
            }
            Scope::of(first, close)
        }
    };
    let is_type = match word {
        Some(
            "class" | "struct" | "enum" | "union" | "interface" | "record" | "namespace" | "trait"
            | "impl" | "mod" | "module",
        ) => true,
        // Bodies of functions in C's family, and types of Go, define nothing that the reader can tell from calls and blocks.
        _ if matches!(syntax, Syntax::C | Syntax::Go) => return None,
        _ => false,
    };
    (inside.start < inside.end && inside.start >= found.name.end).then_some((inside, is_type))
}

fn is_access(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.word(at), "public" | "protected" | "private") && tokens.is(at + 1, b':')
}
