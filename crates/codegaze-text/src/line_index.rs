//! Byte offset ⇄ (line, column) in UTF-8, UTF-16 and UTF-32 units.

use super::{ByteSpan, LineCol, PositionEncoding, WideLineCol};

/// Where the lines of a text start and end.
///
/// Only `\n`, `\r\n` and `\r` end a line, as in the Language Server Protocol; U+2028 and form feeds do not. A text that ends with a terminator has an empty last line. The empty text has one line.
///
/// Methods that take `text` need the text that the index was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineIndex {
    /// Never empty; their starts ascend from 0.
    lines: Vec<Line>,
    /// Length of the text in bytes.
    len: usize,
}

/// Everything but `start` is relative to the line, so that an edit elsewhere changes only `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    start: usize,
    terminator_len: u8,
    /// One bit for each byte, set where a character starts; `None` for ASCII lines.
    char_starts: Option<Box<[u64]>>,
}

impl LineIndex {
    /// Scans the whole text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut lines = Vec::new();
        scan_lines(text, ByteSpan::new(0, text.len()), true, &mut lines);
        Self {
            lines,
            len: text.len(),
        }
    }

    /// Number of lines, at least 1.
    #[must_use]
    pub fn n_lines(&self) -> usize {
        self.lines.len()
    }

    /// Byte offset at which the zero-based `line` starts; the text's length if there is no such line.
    #[must_use]
    pub fn line_start(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.len, |line| line.start)
    }

    /// The line with its terminator; empty at the text's end if there is no such line.
    #[must_use]
    pub fn line_span(&self, line: usize) -> ByteSpan {
        ByteSpan::new(
            self.line_start(line),
            self.line_start(line.saturating_add(1)),
        )
    }

    /// The line without its terminator; empty at the text's end if there is no such line.
    #[must_use]
    pub fn line_content_span(&self, line: usize) -> ByteSpan {
        let span = self.line_span(line);
        let terminator_len = self
            .lines
            .get(line)
            .map_or(0, |line| usize::from(line.terminator_len));
        ByteSpan::new(span.start, span.end - terminator_len)
    }

    /// The zero-based line that contains the byte `offset`. An offset past the text's end is on the last line.
    #[must_use]
    pub fn line_at(&self, offset: usize) -> usize {
        // The first line starts at 0, so at least one line satisfies the predicate.
        self.lines.partition_point(|line| line.start <= offset) - 1
    }

    /// The byte `offset`, limited to the text's end and moved back to a char boundary; out of a `\r\n` it moves before it.
    #[must_use]
    pub fn clamp(&self, offset: usize) -> usize {
        self.clamp_in(self.line_at(offset), offset)
    }

    /// Line and UTF-8 column of a byte offset, which is [clamped](Self::clamp) first.
    #[must_use]
    pub fn line_col(&self, offset: usize) -> LineCol {
        let line = self.line_at(offset);
        let col = self.clamp_in(line, offset) - self.lines[line].start;
        LineCol {
            line: saturate(line),
            col: saturate(col),
        }
    }

    /// The byte offset of a position. A column past the line's end means the end before its terminator, a line past the last the
    /// text's end, and a column inside a character the character's start.
    #[must_use]
    pub fn offset(&self, position: LineCol) -> usize {
        let line = position.line as usize;
        if line >= self.n_lines() {
            return self.len;
        }
        let offset = self.lines[line].start.saturating_add(position.col as usize);
        self.clamp_in(line, offset)
    }

    /// Line and column, in a client's code units, of a byte offset, which is [clamped](Self::clamp) first.
    #[must_use]
    pub fn position(&self, text: &str, offset: usize, encoding: PositionEncoding) -> WideLineCol {
        debug_assert_eq!(text.len(), self.len, "the index is of another text");
        let line = self.line_at(offset);
        let span = ByteSpan::new(self.lines[line].start, self.clamp_in(line, offset));
        let col = if self.lines[line].char_starts.is_none() {
            span.len()
        } else {
            let before = span.of(text);
            match encoding {
                PositionEncoding::Utf8 => before.len(),
                PositionEncoding::Utf16 => before.chars().map(char::len_utf16).sum(),
                PositionEncoding::Utf32 => before.chars().count(),
            }
        };
        WideLineCol {
            line: saturate(line),
            col: saturate(col),
        }
    }

    /// The byte offset of a client's position. Limits are as for [`offset`](Self::offset); a column between two surrogates is
    /// inside a character.
    #[must_use]
    pub fn offset_at(
        &self,
        text: &str,
        position: WideLineCol,
        encoding: PositionEncoding,
    ) -> usize {
        debug_assert_eq!(text.len(), self.len, "the index is of another text");
        let line = position.line as usize;
        let is_ascii = match self.lines.get(line) {
            None => return self.len,
            Some(line) => line.char_starts.is_none(),
        };
        let width = match encoding {
            PositionEncoding::Utf16 if !is_ascii => char::len_utf16,
            PositionEncoding::Utf32 if !is_ascii => |_: char| 1,
            _ => {
                return self.offset(LineCol {
                    line: position.line,
                    col: position.col,
                });
            }
        };
        let content = self.line_content_span(line);
        let mut units_left = position.col as usize;
        for (at, character) in content.of(text).char_indices() {
            let width = width(character);
            if width > units_left {
                return content.start + at;
            }
            units_left -= width;
        }
        content.end
    }

    /// Updates the index after an edit: `replaced` of the old text became `inserted_len` bytes, and the result is `text`.
    pub(crate) fn replace(&mut self, text: &str, replaced: ByteSpan, inserted_len: usize) {
        debug_assert_eq!(text.len(), self.len - replaced.len() + inserted_len);
        let mut first = self.line_at(replaced.start);
        // A `\n` that is inserted right after a `\r` joins the terminator of the line before.
        if first > 0 && self.lines[first].start == replaced.start {
            first -= 1;
        }
        let after = self.line_at(replaced.end) + 1;
        let shift = |offset: usize| offset - replaced.len() + inserted_len;
        // The terminator of the last line that was touched is after the edit, so it still ends that line.
        let rescan = ByteSpan::new(
            self.lines[first].start,
            shift(self.line_start(after).max(replaced.end)),
        );
        for line in &mut self.lines[after..] {
            line.start = shift(line.start);
        }
        let mut lines = Vec::new();
        scan_lines(text, rescan, after == self.n_lines(), &mut lines);
        self.lines.splice(first..after, lines);
        self.len = text.len();
    }

    fn clamp_in(&self, line: usize, offset: usize) -> usize {
        let content = self.line_content_span(line);
        if offset >= content.end {
            return content.end;
        }
        let Some(char_starts) = &self.lines[line].char_starts else {
            return offset;
        };
        let mut col = offset - content.start;
        while char_starts[col / 64] >> (col % 64) & 1 == 0 {
            col -= 1;
        }
        content.start + col
    }
}

/// Appends the lines of `span`, which ends with a terminator, or with the text's last line if `has_last`.
fn scan_lines(text: &str, span: ByteSpan, has_last: bool, lines: &mut Vec<Line>) {
    let bytes = &text.as_bytes()[..span.end];
    let mut start = span.start;
    while start < span.end {
        let content_len = bytes[start..]
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(span.end - start);
        let content_end = start + content_len;
        let terminator_len = match bytes[content_end..] {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => 0,
        };
        lines.push(Line {
            start,
            terminator_len,
            char_starts: char_starts(&bytes[start..content_end]),
        });
        start = content_end + usize::from(terminator_len);
        if terminator_len == 0 {
            return;
        }
    }
    if has_last {
        lines.push(Line {
            start,
            terminator_len: 0,
            char_starts: None,
        });
    }
}

fn char_starts(content: &[u8]) -> Option<Box<[u64]>> {
    if content.is_ascii() {
        return None;
    }
    let mut words = vec![0_u64; content.len().div_ceil(64)].into_boxed_slice();
    for (at, byte) in content.iter().enumerate() {
        let is_continuation = byte & 0b1100_0000 == 0b1000_0000;
        words[at / 64] |= u64::from(!is_continuation) << (at % 64);
    }
    Some(words)
}

/// No client's protocol has lines or columns past 2³².
fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{ENCODINGS, any_text};

    #[test]
    fn only_the_three_terminators_end_a_line() {
        let text = "a\nb\r\nc\rd\u{2028}e\u{c}f\u{85}g\n\r\n\r\r";
        let index = LineIndex::new(text);
        let lines: Vec<&str> = (0..index.n_lines())
            .map(|line| index.line_span(line).of(text))
            .collect();
        assert_eq!(
            lines,
            [
                "a\n",
                "b\r\n",
                "c\r",
                "d\u{2028}e\u{c}f\u{85}g\n",
                "\r\n",
                "\r",
                "\r",
                ""
            ]
        );
        let contents: Vec<&str> = (0..index.n_lines())
            .map(|line| index.line_content_span(line).of(text))
            .collect();
        assert_eq!(
            contents,
            ["a", "b", "c", "d\u{2028}e\u{c}f\u{85}g", "", "", "", ""]
        );
    }

    #[test]
    fn the_empty_text_has_one_empty_line() {
        let index = LineIndex::new("");
        assert_eq!(index.n_lines(), 1);
        assert_eq!(index.line_span(0), ByteSpan::new(0, 0));
        assert_eq!(index.line_col(7), LineCol::default());
    }

    #[test]
    fn positions_clamp() {
        // Bytes: x=0, 😀=1..5, é=5..7, \r=7, \n=8, y=9.
        let text = "x😀é\r\ny";
        let index = LineIndex::new(text);
        let table = [
            // (line, column in UTF-8, UTF-16, UTF-32 that gives the offset)
            ((0, [0, 0, 0]), 0),
            ((0, [1, 1, 1]), 1),
            ((0, [2, 2, 1]), 1), // inside the emoji, between its surrogates
            ((0, [5, 3, 2]), 5),
            ((0, [6, 3, 2]), 5), // inside é
            ((0, [7, 4, 3]), 7),
            ((0, [8, 5, 4]), 7), // between \r and \n
            ((0, [99, 99, 99]), 7),
            ((0, [u32::MAX; 3]), 7),
            ((1, [0, 0, 0]), 9),
            ((1, [5, 5, 5]), 10),
            ((2, [0, 0, 0]), 10),
            ((u32::MAX, [u32::MAX; 3]), 10),
        ];
        for ((line, cols), offset) in table {
            for (col, encoding) in cols.into_iter().zip(ENCODINGS) {
                let position = WideLineCol { line, col };
                assert_eq!(
                    index.offset_at(text, position, encoding),
                    offset,
                    "{position:?} {encoding:?}"
                );
            }
            let [col, ..] = cols;
            assert_eq!(index.offset(LineCol { line, col }), offset);
        }
        for (offset, (line, col)) in [(3, (0, 1)), (6, (0, 5)), (8, (0, 7)), (99, (1, 1))] {
            assert_eq!(index.line_col(offset), LineCol { line, col });
            let position = index.position(text, offset, PositionEncoding::Utf8);
            assert_eq!(position, WideLineCol { line, col });
        }
    }

    proptest! {
        #[test]
        fn offsets_survive_the_round_trip(text in any_text()) {
            let index = LineIndex::new(&text);
            for offset in 0..=text.len() + 2 {
                let clamped = index.clamp(offset);
                prop_assert!(text.is_char_boundary(clamped));
                let inside_crlf = text.get(..offset).is_some_and(|t| t.ends_with('\r'))
                    && text.get(offset..).is_some_and(|t| t.starts_with('\n'));
                if text.is_char_boundary(offset) && !inside_crlf {
                    prop_assert_eq!(clamped, offset);
                }
                prop_assert_eq!(index.offset(index.line_col(offset)), clamped);
                for encoding in ENCODINGS {
                    let position = index.position(&text, offset, encoding);
                    prop_assert_eq!(index.offset_at(&text, position, encoding), clamped);
                }
            }
        }

        #[test]
        fn lines_partition_the_text(text in any_text()) {
            let index = LineIndex::new(&text);
            let mut end = 0;
            for line in 0..index.n_lines() {
                let span = index.line_span(line);
                prop_assert_eq!(span.start, end);
                let terminator = &text[index.line_content_span(line).end..span.end];
                let is_last = line + 1 == index.n_lines();
                let allowed: &[&str] = if is_last { &[""] } else { &["\n", "\r\n", "\r"] };
                prop_assert!(allowed.contains(&terminator));
                prop_assert!(!index.line_content_span(line).of(&text).contains(['\n', '\r']));
                end = span.end;
            }
            prop_assert_eq!(end, text.len());
        }

        #[test]
        fn columns_agree_with_a_naive_count(text in any_text()) {
            let index = LineIndex::new(&text);
            for (offset, _) in text.char_indices() {
                if text[..offset].ends_with('\r') && text[offset..].starts_with('\n') {
                    continue;
                }
                let before = text[..offset].replace("\r\n", "\n").replace('\r', "\n");
                let line = u32::try_from(before.matches('\n').count()).unwrap();
                let tail = before.rsplit('\n').next().unwrap_or_default();
                let cols = [tail.len(), tail.encode_utf16().count(), tail.chars().count()];
                for (col, encoding) in cols.into_iter().zip(ENCODINGS) {
                    let col = u32::try_from(col).unwrap();
                    prop_assert_eq!(index.position(&text, offset, encoding), WideLineCol { line, col });
                }
            }
        }
    }
}
