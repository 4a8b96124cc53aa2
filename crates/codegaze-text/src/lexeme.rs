//! Lexemes: the units of source text that a person sees.

mod cluster;
mod mark;
mod scanner;

#[cfg(test)]
mod tests;

pub use cluster::is_whitespace;
pub use scanner::scan;

use super::ByteSpan;

/// The kind of a lexeme, as far as the scanner can know it without the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LexemeKind {
    /// A word: a name or a keyword, in code or in a comment.
    Identifier,
    /// A number literal.
    Number,
    /// A word, a number, an escape or a mark inside a string literal; the quotes are delimiters.
    StringPiece,
    /// An operator, or a mark of several characters such as `//`.
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

/// One unit of source text. It is never empty and contains no [whitespace](is_whitespace). The lexemes of a text ascend, do not
/// overlap, and cover every character that is not whitespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// Where it is in the text.
    pub span: ByteSpan,
    /// What it is.
    pub kind: LexemeKind,
}
