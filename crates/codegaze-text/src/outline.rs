//! The top-level definitions of a source text: functions, classes and other types, without a grammar.
//!
//! The document's language selects a syntax (`syntax`); `tokens` cuts the text into tokens without comments; `braces` and
//! `indented` read these by their lines: a line at the margin that starts with the form of a definition, up to the matching
//! brace or to the end of the indentation. What has another form is left out. A text that is being typed loses at most the
//! definition at the cursor, not the ones after it. Every step is linear.

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
    /// What it is called, within `span`. The name of a Rust `impl` is everything between `impl` and the body; a default export
    /// without a name is called by its `default`.
    pub name: ByteSpan,
    /// The word that tells its kind, such as `class` or `fn`; `None` for a function that has no such word, as in C.
    pub keyword: Option<ByteSpan>,
}

/// The definitions of a document, ascending, disjoint. What a namespace holds counts as top level; so does what a module holds
/// that is alone in the text.
#[must_use]
pub fn outline(document: &Document) -> Vec<Definition> {
    let syntax = Syntax::of(document);
    let tokens = Tokens::new(document.text(), syntax);
    let read: fn(&Tokens<'_>, Syntax, Scope) -> Vec<Found> = match syntax {
        Syntax::Python => |tokens, _, scope| indented::python(tokens, scope),
        Syntax::Ruby => |tokens, _, scope| indented::ruby(tokens, scope),
        _ => braces::read,
    };
    let mut found = read(&tokens, syntax, Scope::of(0, tokens.len()));
    // A module that holds the whole file is not a definition of interest; its contents are.
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
        .map(|found| Definition {
            span: span(found.all),
            name: span(found.name),
            keyword: found.keyword.map(|at| tokens.get(at).span),
        })
        .collect()
}

/// The definition that contains or ends at a byte offset; `definitions` as from [`outline`].
#[must_use]
pub fn definition_at(definitions: &[Definition], offset: usize) -> Option<&Definition> {
    let after = definitions.partition_point(|definition| definition.span.start <= offset);
    let definition = definitions.get(after.checked_sub(1)?)?;
    (offset <= definition.span.end).then_some(definition)
}

/// How many levels of namespaces and modules are read.
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
    /// The contents of a module.
    module: Option<Scope>,
}
