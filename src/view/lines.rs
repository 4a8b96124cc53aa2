//! Lines of a document and positions in them, as the views need them.

use crate::text::{ByteSpan, WideLineCol};

/// Where the lines of a text begin. A line ends with `\n` or `\r\n`.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Vec<usize>,
    len: usize,
}

impl Lines {
    pub(crate) fn new(text: &str) -> Self {
        let mut starts = vec![0];
        starts.extend(
            text.bytes()
                .enumerate()
                .filter(|&(_, byte)| byte == b'\n')
                .map(|(at, _)| at + 1),
        );
        Self {
            starts,
            len: text.len(),
        }
    }

    /// Lines as people count them: a final line break opens no further line, and an empty text has none.
    pub(crate) fn count(&self) -> usize {
        match self.starts.last() {
            Some(&last) if last == self.len => self.starts.len() - 1,
            _ => self.starts.len(),
        }
    }

    /// A zero-based line without its line break.
    pub(crate) fn content(&self, text: &str, line: usize) -> ByteSpan {
        let start = self.starts.get(line).copied().unwrap_or(self.len);
        let end = self.starts.get(line + 1).copied().unwrap_or(self.len);
        let content = text.get(start..end).unwrap_or_default();
        let content = content
            .strip_suffix('\n')
            .map_or(content, |rest| rest.strip_suffix('\r').unwrap_or(rest));
        ByteSpan::new(start, start + content.len())
    }

    /// The zero-based line that holds a byte.
    pub(crate) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= offset).max(1) - 1
    }

    /// Zero-based line and UTF-16 column.
    pub(crate) fn position_utf16(&self, text: &str, offset: usize) -> WideLineCol {
        let (line, before) = self.before(text, offset);
        WideLineCol {
            line: clamp(line),
            col: clamp(before.encode_utf16().count()),
        }
    }

    /// Line and column in characters, both from 1, for people.
    pub(crate) fn position_for_people(&self, text: &str, offset: usize) -> (usize, usize) {
        let (line, before) = self.before(text, offset);
        (line + 1, before.chars().count() + 1)
    }

    fn before<'t>(&self, text: &'t str, offset: usize) -> (usize, &'t str) {
        let line = self.line_of(offset);
        (
            line,
            text.get(self.starts[line]..offset).unwrap_or_default(),
        )
    }
}

fn clamp(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_positions() {
        let text = "a🙂b\r\n\n  x";
        let lines = Lines::new(text);
        assert_eq!(lines.count(), 3);
        assert_eq!(lines.content(text, 0).of(text), "a🙂b");
        assert_eq!(lines.content(text, 1).of(text), "");
        assert_eq!(lines.content(text, 2).of(text), "  x");
        assert_eq!(lines.content(text, 9).of(text), "");
        assert_eq!(
            lines.position_utf16(text, 5),
            WideLineCol { line: 0, col: 3 }
        );
        assert_eq!(lines.position_for_people(text, 5), (1, 3));
        assert_eq!(lines.position_for_people(text, text.len()), (3, 4));
        assert_eq!(Lines::new("").count(), 0);
        assert_eq!(Lines::new("a\n").count(), 1);
        assert_eq!(Lines::new("\n").count(), 1);
    }
}
