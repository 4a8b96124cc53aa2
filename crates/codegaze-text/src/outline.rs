//! The top-level definitions of a source text: functions, classes and other types, in any of the languages that the embedded
//! model knows, told without their grammars.
//!
//! The way: guess which family of languages the text is of (`syntax`), cut it into tokens without comments
//! (`tokens`), and read these by braces (`braces`) or by indentation (`indented`). What cannot be told is left out; a
//! text that is being typed loses the definition at the cursor at most, not the ones after it. Every step is linear.

mod braces;
mod indented;
mod syntax;
mod tokens;

#[cfg(test)]
mod tests;

use super::ByteSpan;
use super::document::Document;

use syntax::Syntax;
use tokens::Tokens;

/// A function, a class, a type or a module at the top level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// From its first decorator, attribute or modifier to its end. Comments above are not part of it.
    pub span: ByteSpan,
    /// What it is called, within `span`. Of a Rust `impl` this is everything between `impl` and the body; a default
    /// export without a name is called by its `default`.
    pub name: ByteSpan,
    /// The word that says what it is, such as `class` or `fn`; C's functions have none.
    pub keyword: Option<ByteSpan>,
    /// Zero-based line of the name.
    pub line: usize,
}

/// The definitions of a text, ascending, disjoint. What namespaces hold is at the top level, too, and so is what a module
/// holds that is all there is in the text.
#[must_use]
pub fn outline(document: &Document) -> Vec<Definition> {
    let (text, index) = (document.text(), document.index());
    let syntax = match document.language() {
        Some(language) => Syntax::of(language),
        None => Syntax::guess(text, index),
    };
    let tokens = Tokens::new(text, syntax);
    let read: fn(&Tokens<'_>, Syntax, Scope) -> Vec<Found> = match syntax {
        Syntax::Python => |tokens, _, scope| indented::python(tokens, scope),
        Syntax::Ruby => |tokens, _, scope| indented::ruby(tokens, scope),
        _ => braces::read,
    };
    let mut found = read(&tokens, syntax, Scope::of(0, tokens.len()));
    // A module that holds the whole file is its frame.
    for _ in 0..MAX_DEPTH {
        let [
            Found {
                module: Some(inside),
                ..
            },
        ] = found.as_slice()
        else {
            break;
        };
        let inner = read(&tokens, syntax, *inside);
        if inner.is_empty() {
            break;
        }
        found = inner;
    }
    let span = |range: Scope| {
        ByteSpan::new(
            tokens.get(range.start).span.start,
            tokens.get(range.end - 1).span.end,
        )
    };
    found
        .into_iter()
        .map(|found| {
            let name = span(found.name);
            Definition {
                span: span(found.all),
                name,
                keyword: found.keyword.map(|at| tokens.get(at).span),
                line: index.line_at(name.start),
            }
        })
        .collect()
}

/// The definition that a byte offset is in, or at the end of; `definitions` as from [`outline`].
#[must_use]
pub fn definition_at(definitions: &[Definition], offset: usize) -> Option<&Definition> {
    let after = definitions.partition_point(|definition| definition.span.start <= offset);
    let definition = definitions.get(after.checked_sub(1)?)?;
    (offset <= definition.span.end).then_some(definition)
}

/// How deep namespaces and modules are looked into.
const MAX_DEPTH: usize = 8;

/// A half-open range of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Scope {
    start: usize,
    end: usize,
}

impl Scope {
    fn of(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

/// A [`Definition`] in tokens.
#[derive(Clone, Copy, Debug)]
struct Found {
    all: Scope,
    name: Scope,
    keyword: Option<usize>,
    /// What a module holds.
    module: Option<Scope>,
}
