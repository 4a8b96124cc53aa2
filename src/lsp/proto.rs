//! The only place where byte offsets become positions in a client's code units, and back.

use tower_lsp::ls_types::{Position, PositionEncodingKind, Range};

use crate::text::document::Document;
use crate::text::{ByteSpan, PositionEncoding, WideLineCol};

/// Positions in one version of a document.
#[derive(Clone, Copy)]
pub(crate) struct Positions<'a> {
    document: &'a Document,
    encoding: PositionEncoding,
}

impl<'a> Positions<'a> {
    pub fn new(document: &'a Document, encoding: PositionEncoding) -> Self {
        Self { document, encoding }
    }

    /// Clamped to the line and the document.
    pub fn offset(&self, position: Position) -> usize {
        let index = self.document.index();
        index.offset_at(self.document.text(), wide(position), self.encoding)
    }

    /// A range whose end comes first is read the other way round.
    pub fn span(&self, range: Range) -> ByteSpan {
        let (a, b) = (self.offset(range.start), self.offset(range.end));
        ByteSpan::new(a.min(b), a.max(b))
    }

    pub fn position(&self, offset: usize) -> Position {
        let index = self.document.index();
        let at = index.position(self.document.text(), offset, self.encoding);
        Position::new(at.line, at.col)
    }

    pub fn range(&self, span: ByteSpan) -> Range {
        Range::new(self.position(span.start), self.position(span.end))
    }
}

pub(crate) fn wide(position: Position) -> WideLineCol {
    WideLineCol {
        line: position.line,
        col: position.character,
    }
}

/// `utf-8`, `utf-16`, `utf-32`.
pub(crate) fn encoding_name(encoding: PositionEncoding) -> &'static str {
    match encoding {
        PositionEncoding::Utf8 => "utf-8",
        PositionEncoding::Utf16 => "utf-16",
        PositionEncoding::Utf32 => "utf-32",
    }
}

pub(crate) fn encoding_kind(encoding: PositionEncoding) -> PositionEncodingKind {
    match encoding {
        PositionEncoding::Utf8 => PositionEncodingKind::UTF8,
        PositionEncoding::Utf16 => PositionEncodingKind::UTF16,
        PositionEncoding::Utf32 => PositionEncodingKind::UTF32,
    }
}

/// The first of the client's encodings that we have; without a list, or with none that is known, the protocol's default.
pub(crate) fn negotiate(
    offered: Option<&[PositionEncodingKind]>,
    wanted: Option<PositionEncoding>,
) -> PositionEncoding {
    const ALL: [PositionEncoding; 3] = [
        PositionEncoding::Utf8,
        PositionEncoding::Utf16,
        PositionEncoding::Utf32,
    ];
    let offered = offered.unwrap_or_default();
    let ours =
        |kind: &PositionEncodingKind| ALL.into_iter().find(|&ours| encoding_kind(ours) == *kind);
    let wanted = wanted.filter(|&wanted| {
        // Without a list a client knows nothing but the default.
        wanted == PositionEncoding::Utf16 || offered.contains(&encoding_kind(wanted))
    });
    wanted
        .or_else(|| offered.iter().find_map(ours))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_encoding_is_picked_that_was_not_offered() {
        let kinds = |names: &[&'static str]| -> Vec<PositionEncodingKind> {
            names
                .iter()
                .map(|&name| PositionEncodingKind::new(name))
                .collect()
        };
        let table = [
            (None, None, "utf-16"),
            (None, Some(PositionEncoding::Utf8), "utf-16"),
            (Some(kinds(&["utf-8", "utf-16"])), None, "utf-8"),
            (Some(kinds(&["utf-32", "utf-8"])), None, "utf-32"),
            (Some(kinds(&["ebcdic", "utf-16"])), None, "utf-16"),
            (Some(kinds(&["ebcdic"])), None, "utf-16"),
            (
                Some(kinds(&["utf-16", "utf-8"])),
                Some(PositionEncoding::Utf8),
                "utf-8",
            ),
            (
                Some(kinds(&["utf-16"])),
                Some(PositionEncoding::Utf32),
                "utf-16",
            ),
        ];
        for (offered, wanted, expected) in table {
            let chosen = negotiate(offered.as_deref(), wanted);
            assert_eq!(encoding_name(chosen), expected, "{offered:?} {wanted:?}");
        }
    }
}
