//! Lexemes: what a person sees as one thing.

mod cluster;
mod mark;
mod scanner;

#[cfg(test)]
mod tests;

pub use cluster::is_whitespace;
pub use scanner::scan;

use super::ByteSpan;

/// What a lexeme is, as far as that can be told without knowing the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LexemeKind {
    Identifier,
    Number,
    /// A word, a number, an escape or a mark inside a string literal, but not its quotes.
    StringPiece,
    Operator,
    /// A bracket, a quote, or one of `,` `;` `:` `.` `\\`.
    Delimiter,
    /// Anything else that is not whitespace: emoji, control characters, symbols.
    Other,
}

impl LexemeKind {
    /// The name in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifier => "identifier",
            Self::Number => "number",
            Self::StringPiece => "string",
            Self::Operator => "operator",
            Self::Delimiter => "delimiter",
            Self::Other => "other",
        }
    }
}

/// One source unit: never empty, never with [whitespace](is_whitespace) in it. The lexemes of a text are ascending,
/// disjoint, and cover every character that is not whitespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    pub span: ByteSpan,
    pub kind: LexemeKind,
}
