//! The only place of the server where byte offsets become positions in a client's code units, and back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text::document::Document;
use crate::text::{ByteSpan, PositionEncoding, WideLineCol};

/// A zero-based line, and a column in the code units that the client chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Position {
    pub line: u32,
    pub character: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Range {
    pub start: Position,
    pub end: Position,
}

/// UTF-8 byte offsets in the text that was sent, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Span {
    pub start: usize,
    pub end: usize,
}

impl From<ByteSpan> for Span {
    fn from(span: ByteSpan) -> Self {
        Self {
            start: span.start,
            end: span.end,
        }
    }
}

/// How a client counts columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    /// As JavaScript does.
    #[default]
    #[serde(rename = "utf-16")]
    Utf16,
    #[serde(rename = "utf-32")]
    Utf32,
}

impl From<Encoding> for PositionEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Utf8 => Self::Utf8,
            Encoding::Utf16 => Self::Utf16,
            Encoding::Utf32 => Self::Utf32,
        }
    }
}

/// Positions in one version of a document.
#[derive(Clone, Copy)]
pub(crate) struct Positions<'a> {
    document: &'a Document,
    encoding: PositionEncoding,
}

impl<'a> Positions<'a> {
    pub fn new(document: &'a Document, encoding: Encoding) -> Self {
        Self {
            document,
            encoding: encoding.into(),
        }
    }

    /// Clamped to the line and the document.
    pub fn offset(self, position: Position) -> usize {
        let index = self.document.index();
        index.offset_at(self.document.text(), wide(position), self.encoding)
    }

    /// A range whose end comes first is read the other way round.
    pub fn span(self, range: Range) -> ByteSpan {
        let (a, b) = (self.offset(range.start), self.offset(range.end));
        ByteSpan::new(a.min(b), a.max(b))
    }

    pub fn range(self, span: ByteSpan) -> Range {
        let position = |offset| {
            let index = self.document.index();
            let at = index.position(self.document.text(), offset, self.encoding);
            Position {
                line: at.line,
                character: at.col,
            }
        };
        Range {
            start: position(span.start),
            end: position(span.end),
        }
    }
}

pub(crate) fn wide(position: Position) -> WideLineCol {
    WideLineCol {
        line: position.line,
        col: position.character,
    }
}
