//! Positions and encodings in the protocol's types. `codegaze_view::position` converts them.

use tower_lsp::ls_types::{Position, PositionEncodingKind, Range};

use crate::text::ByteSpan;
use crate::text::document::Document;
use crate::view::position::{self, Encoding, WirePosition, WireRange};

/// The positions of one version of a document.
#[derive(Clone, Copy)]
pub(crate) struct Positions<'a>(position::Positions<'a>);

impl<'a> Positions<'a> {
    pub fn new(document: &'a Document, encoding: Encoding) -> Self {
        Self(position::Positions::new(document, encoding))
    }

    pub fn offset(self, position: Position) -> usize {
        self.0.offset(wire_position(position))
    }

    pub fn span(self, range: Range) -> ByteSpan {
        self.0.span(wire_range(range))
    }

    pub fn position(self, offset: usize) -> Position {
        position(self.0.position(offset))
    }

    pub fn range(self, span: ByteSpan) -> Range {
        range(self.0.range(span))
    }
}

pub(crate) fn wire_position(position: Position) -> WirePosition {
    WirePosition {
        line: position.line,
        character: position.character,
    }
}

pub(crate) fn wire_range(range: Range) -> WireRange {
    WireRange {
        start: wire_position(range.start),
        end: wire_position(range.end),
    }
}

pub(crate) fn position(position: WirePosition) -> Position {
    Position::new(position.line, position.character)
}

pub(crate) fn range(range: WireRange) -> Range {
    Range::new(position(range.start), position(range.end))
}

pub(crate) fn encoding_kind(encoding: Encoding) -> PositionEncodingKind {
    PositionEncodingKind::new(encoding.as_str())
}

/// The first of the client's encodings that codegaze supports; the protocol's default if there is none.
pub(crate) fn negotiate(
    offered: Option<&[PositionEncodingKind]>,
    wanted: Option<Encoding>,
) -> Encoding {
    let offered = offered.unwrap_or_default();
    let ours = |kind: &PositionEncodingKind| {
        Encoding::ALL
            .into_iter()
            .find(|&ours| encoding_kind(ours) == *kind)
    };
    let wanted = wanted.filter(|&wanted| {
        // A client without a list supports only the default.
        wanted == Encoding::Utf16 || offered.contains(&encoding_kind(wanted))
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
            (None, Some(Encoding::Utf8), "utf-16"),
            (Some(kinds(&["utf-8", "utf-16"])), None, "utf-8"),
            (Some(kinds(&["utf-32", "utf-8"])), None, "utf-32"),
            (Some(kinds(&["ebcdic", "utf-16"])), None, "utf-16"),
            (Some(kinds(&["ebcdic"])), None, "utf-16"),
            (
                Some(kinds(&["utf-16", "utf-8"])),
                Some(Encoding::Utf8),
                "utf-8",
            ),
            (Some(kinds(&["utf-16"])), Some(Encoding::Utf32), "utf-16"),
        ];
        for (offered, wanted, expected) in table {
            let chosen = negotiate(offered.as_deref(), wanted);
            assert_eq!(chosen.as_str(), expected, "{offered:?} {wanted:?}");
        }
    }
}
