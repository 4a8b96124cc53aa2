//! Byte offsets ⇄ lines and columns in a client's code units. All faces and files convert positions here and nowhere else.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use codegaze_text::document::Document;
use codegaze_text::{ByteSpan, PositionEncoding, WideLineCol};

/// A line, and a column in the client's code units, both from 0.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "Position"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WirePosition {
    /// The line, from 0.
    pub line: u32,
    /// The column in code units, from 0.
    pub character: u32,
}

/// From `start` up to, but not including, `end`.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "Range"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WireRange {
    /// The position of the first code unit.
    pub start: WirePosition,
    /// The position after the last code unit.
    pub end: WirePosition,
}

/// UTF-8 byte offsets in the text that was sent, half open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Span)]
pub struct WireSpan {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset after the last byte.
    pub end: usize,
}

/// The code unit in which a client counts columns.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum Encoding {
    /// Bytes.
    #[serde(rename = "utf-8")]
    Utf8,
    /// 16-bit units: those of JavaScript, and the default of the Language Server Protocol.
    #[default]
    #[serde(rename = "utf-16")]
    Utf16,
    /// Characters.
    #[serde(rename = "utf-32")]
    Utf32,
}

impl Encoding {
    /// All encodings.
    pub const ALL: [Self; 3] = [Self::Utf8, Self::Utf16, Self::Utf32];

    /// `utf-8`, `utf-16`, `utf-32`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf32 => "utf-32",
        }
    }
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

impl From<ByteSpan> for WireSpan {
    fn from(span: ByteSpan) -> Self {
        Self {
            start: span.start,
            end: span.end,
        }
    }
}

impl From<WirePosition> for WideLineCol {
    fn from(position: WirePosition) -> Self {
        Self {
            line: position.line,
            col: position.character,
        }
    }
}

/// The positions of one version of a document.
#[derive(Clone, Copy, Debug)]
pub struct Positions<'a> {
    document: &'a Document,
    encoding: Encoding,
}

impl<'a> Positions<'a> {
    /// The positions of `document` for a client that counts in `encoding`.
    #[must_use]
    pub fn new(document: &'a Document, encoding: Encoding) -> Self {
        Self { document, encoding }
    }

    /// The byte offset of a position, which is clamped to the line and to the document.
    #[must_use]
    pub fn offset(self, position: WirePosition) -> usize {
        let index = self.document.index();
        index.offset_at(self.document.text(), position.into(), self.encoding.into())
    }

    /// The bytes of a range. A range whose end comes before its start is reversed.
    #[must_use]
    pub fn span(self, range: WireRange) -> ByteSpan {
        let (a, b) = (self.offset(range.start), self.offset(range.end));
        ByteSpan::new(a.min(b), a.max(b))
    }

    /// The position of a byte offset.
    #[must_use]
    pub fn position(self, offset: usize) -> WirePosition {
        let index = self.document.index();
        let at = index.position(self.document.text(), offset, self.encoding.into());
        WirePosition {
            line: at.line,
            character: at.col,
        }
    }

    /// The range of a span.
    #[must_use]
    pub fn range(self, span: ByteSpan) -> WireRange {
        WireRange {
            start: self.position(span.start),
            end: self.position(span.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> WirePosition {
        WirePosition { line, character }
    }

    #[test]
    fn columns_count_the_units_of_the_encoding() {
        let document = Document::new("é😀x\r\n日y", 1);
        let x = "é😀".len();
        for (encoding, column) in [
            (Encoding::Utf8, 6),
            (Encoding::Utf16, 3),
            (Encoding::Utf32, 2),
        ] {
            let positions = Positions::new(&document, encoding);
            assert_eq!(positions.position(x), at(0, column));
            assert_eq!(positions.offset(at(0, column)), x);
        }
    }

    #[test]
    fn positions_outside_are_clamped_and_reversed_ranges_are_turned() {
        let document = Document::new("ab\r\ncd", 1);
        let positions = Positions::new(&document, Encoding::Utf16);
        assert_eq!(positions.offset(at(0, 99)), 2);
        assert_eq!(positions.offset(at(9, 0)), 6);
        let range = WireRange {
            start: at(1, 1),
            end: at(0, 1),
        };
        assert_eq!(positions.span(range), ByteSpan::new(1, 5));
        let turned = WireRange {
            start: at(0, 1),
            end: at(1, 1),
        };
        assert_eq!(positions.range(positions.span(range)), turned);
    }

    #[test]
    fn names_on_the_wire() {
        for encoding in Encoding::ALL {
            let json = serde_json::to_value(encoding).unwrap();
            assert_eq!(json, encoding.as_str());
            assert_eq!(serde_json::from_value::<Encoding>(json).unwrap(), encoding);
        }
        let range = WireRange {
            start: at(1, 2),
            end: at(3, 4),
        };
        let json = r#"{"start":{"line":1,"character":2},"end":{"line":3,"character":4}}"#;
        assert_eq!(serde_json::to_string(&range).unwrap(), json);
        assert_eq!(serde_json::from_str::<WireRange>(json).unwrap(), range);
    }
}
