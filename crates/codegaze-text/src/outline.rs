//! The definitions of a source text: functions, classes and other types, without a grammar.
//!
//! The document's language selects a syntax (`syntax`); `tokens` cuts the text into tokens without comments; `braces` and
//! `indented` read these by their lines: a line at the margin that starts with the form of a definition, up to the matching
//! brace or to the end of the indentation. What has another form is left out. `nested` reads the bodies of definitions in the same
//! way. A text that is being typed loses at most the
//! definition at the cursor, not the ones after it. Every step is linear.

mod braces;
mod indented;
mod nested;
mod syntax;
mod tokens;

#[cfg(test)]
mod tests;

use super::ByteSpan;
use super::document::Document;

use syntax::Syntax;
use tokens::Tokens;

/// A function, a method, a class, a type or a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// From its first decorator, attribute or modifier to its end. Comments above are not part of it.
    pub span: ByteSpan,
    /// The name, within `span`. The name of a Rust `impl` is everything between `impl` and the body; the name of a
    /// default export without a name is its `default`.
    pub name: ByteSpan,
    /// The keyword of its kind, such as `class` or `fn`; `None` for a function that has no such word, as in C.
    pub keyword: Option<ByteSpan>,
}

/// The definitions of a document, ascending, disjoint. Definitions in a namespace count as top-level definitions. So do definitions in
/// a module, if the document contains only this module.
#[must_use]
pub fn outline(document: &Document) -> Vec<Definition> {
    read(document, false)
}

/// The definitions of a document and those inside of them, such as methods and nested functions, in the order in which they start:
/// an outer one precedes what is inside of it.
#[must_use]
pub fn nested_outline(document: &Document) -> Vec<Definition> {
    read(document, true)
}

fn read(document: &Document, is_nested: bool) -> Vec<Definition> {
    let syntax = Syntax::of(document);
    let tokens = Tokens::new(document.text(), syntax);
    let read: nested::Read = match syntax {
        Syntax::Python => |tokens, _, scope, _| indented::python(tokens, scope),
        Syntax::Ruby => |tokens, _, scope, _| indented::ruby(tokens, scope),
        _ => braces::read,
    };
    let mut found = read(&tokens, syntax, Scope::of(0, tokens.len()), false);
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
        let inner = read(&tokens, syntax, *inside, true);
        if inner.is_empty() {
            break;
        }
        found = inner;
    }
    if is_nested {
        found = nested::with_nested(&tokens, syntax, read, found);
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

/// The innermost definition that contains or ends at a byte offset; `definitions` as from [`outline`] or [`nested_outline`].
#[must_use]
pub fn definition_at(definitions: &[Definition], offset: usize) -> Option<&Definition> {
    let after = definitions.partition_point(|definition| definition.span.start <= offset);
    let mut before = definitions[..after].iter().rev();
    before.find(|definition| offset <= definition.span.end)
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
