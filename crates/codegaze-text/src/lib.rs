//! Source text, without a model: documents, positions, lexemes and top-level definitions.
//!
//! | module | contents |
//! | --- | --- |
//! | this one | the units: [`ByteSpan`], [`LineCol`], [`WideLineCol`], [`PositionEncoding`] |
//! | [`line_index`] | byte offset ⇄ line and column, in UTF-8, UTF-16 and UTF-32 |
//! | [`document`] | a text with its line index, language and version; edits to it; which bytes are text |
//! | [`language`] | languages, by the ids that clients send and by files' names |
//! | [`lexeme`] | the units that a person sees: identifiers, numbers, pieces of strings, operators, delimiters |
//! | [`outline`] | the top-level definitions: functions, classes and other types |
//! | [`named`] | enums whose values have names in commands, settings and JSON |
//!
//! All offsets and lengths are UTF-8 bytes unless a type or a name states another unit. Lines and columns count from 0. Every
//! function takes any text, and its time is linear in the text.

#![warn(missing_docs)]

pub mod document;
pub mod language;
pub mod lexeme;
pub mod line_index;
pub mod named;
pub mod outline;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::ops::Range;

/// A half-open range of UTF-8 byte offsets, always on char boundaries of the text that it belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSpan {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl ByteSpan {
    /// The bytes from `start` up to, but not including, `end`. `start` must not exceed `end`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end, "span {start}..{end} is reversed");
        Self { start, end }
    }

    /// The length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.end - self.start
    }

    /// Whether it has no bytes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The same bytes as a range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// The text under the span. Panics if the span does not lie on char boundaries of `text`, which is a bug of the caller.
    #[must_use]
    pub fn of(self, text: &str) -> &str {
        &text[self.range()]
    }

    /// Whether all bytes of `other` are in this span.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// Number of bytes that both spans cover.
    #[must_use]
    pub fn overlap(self, other: Self) -> usize {
        self.end
            .min(other.end)
            .saturating_sub(self.start.max(other.start))
    }

    /// The same span in a text that starts `by` bytes earlier.
    #[must_use]
    pub fn shifted(self, by: usize) -> Self {
        Self {
            start: self.start + by,
            end: self.end + by,
        }
    }
}

/// A position in a text, with its column in UTF-8 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineCol {
    /// From 0.
    pub line: u32,
    /// In UTF-8 bytes, from 0.
    pub col: u32,
}

/// A position in a text, with its column in a client's code units (see [`PositionEncoding`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WideLineCol {
    /// From 0.
    pub line: u32,
    /// In the client's code units, from 0.
    pub col: u32,
}

/// The code unit in which a client counts columns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PositionEncoding {
    /// Bytes.
    Utf8,
    /// 16-bit units, of which a character outside of the Basic Multilingual Plane has two; the Language Server Protocol's default.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}
