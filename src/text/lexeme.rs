//! A language-agnostic scanner: what a person sees as one thing.

use super::ByteSpan;

/// What a lexeme is, as far as that can be told without knowing the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LexemeKind {
    Identifier,
    Number,
    /// A word or a mark inside a string literal.
    StringPiece,
    Operator,
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

/// One source unit. Lexemes of a text are ascending, disjoint, and cover every byte that is not whitespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    pub span: ByteSpan,
    pub kind: LexemeKind,
}
