//! Lines and positions as people and files count them.

use codegaze_text::line_index::LineIndex;
use codegaze_text::{ByteSpan, PositionEncoding, WideLineCol};

/// A line index with what the views ask of it.
#[derive(Clone, Debug)]
pub(crate) struct Lines(LineIndex);

impl Lines {
    pub(crate) fn new(text: &str) -> Self {
        Self(LineIndex::new(text))
    }

    /// Lines as people count them: a final line break opens no further line, and an empty text has none.
    pub(crate) fn count(&self) -> usize {
        let n = self.0.n_lines();
        n - usize::from(self.0.line_span(n - 1).is_empty())
    }

    /// A zero-based line without its line break.
    pub(crate) fn content(&self, line: usize) -> ByteSpan {
        self.0.line_content_span(line)
    }

    /// The zero-based line that holds a byte.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.0.line_at(offset)
    }

    /// Zero-based line and UTF-16 column.
    pub(crate) fn position_utf16(&self, text: &str, offset: usize) -> WideLineCol {
        self.0.position(text, offset, PositionEncoding::Utf16)
    }

    /// Line and column in characters, both from 1, for people.
    pub(crate) fn position_for_people(&self, text: &str, offset: usize) -> (u32, u32) {
        let at = self.0.position(text, offset, PositionEncoding::Utf32);
        (at.line.saturating_add(1), at.col.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_positions() {
        let text = "a🙂b\r\n\n  x";
        let lines = Lines::new(text);
        assert_eq!(lines.count(), 3);
        assert_eq!(lines.content(0).of(text), "a🙂b");
        assert_eq!(lines.content(9).of(text), "");
        assert_eq!(
            lines.position_utf16(text, 5),
            WideLineCol { line: 0, col: 3 }
        );
        assert_eq!(lines.position_for_people(text, 5), (1, 3));
        assert_eq!(lines.position_for_people(text, text.len()), (3, 4));
        for (text, n) in [("", 0), ("a", 1), ("a\n", 1), ("\n", 1), ("a\r\rb", 3)] {
            assert_eq!(Lines::new(text).count(), n, "{text:?}");
        }
    }
}
