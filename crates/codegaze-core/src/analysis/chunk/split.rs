//! Splits blocks and lines that do not fit into a chunk.
//!
//! A block that is much too long, such as a class or a table, is cut by its content, like a document: first at the least indented lines
//! after a blank line, then at any of the least indented lines, and again inside a part that is still too long. A block that is slightly
//! too long, such as a function, is halved at the weakest place near its middle: after a blank line, or before the line with the
//! smallest indent. The context of a part consists of whole lines of the same block.
//!
//! A line that does not fit is cut before whitespace, otherwise between a word and another character, otherwise between characters.

use std::ops::Range;

use super::{Bounds, Chunk, Planner};
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::is_whitespace;

/// Blocks longer than this many parts are cut by content. Halving makes parts of more equal size, but an edit can move all cuts of the
/// block, because halving considers the whole block.
const MAX_HALVED_PARTS: usize = 3;

/// Deeper structure is halved. This limits the work on text in which every line is indented further than the one before.
const MAX_DEPTH: usize = 16;

/// Which lines start the parts of a block.
#[derive(Clone, Copy)]
struct PartStarts {
    min_indent: usize,
    after_blank: bool,
    depth: usize,
}

impl Planner<'_> {
    /// Splits a block that is too long.
    pub(super) fn split(&mut self, block: &Range<usize>) {
        let part_starts = PartStarts {
            min_indent: 0,
            after_blank: true,
            depth: 0,
        };
        self.split_by_content(block, block, part_starts);
    }

    /// The most subwords that a part has, so that its context fits.
    fn part_limit(&self) -> usize {
        (self.max_subwords - 2 * self.context_subwords).max(1)
    }

    fn split_by_content(
        &mut self,
        part: &Range<usize>,
        block: &Range<usize>,
        part_starts: PartStarts,
    ) {
        let limit = self.part_limit();
        let is_short = self.cost(part) <= limit.saturating_mul(MAX_HALVED_PARTS);
        let inner_indent = (part.start + 1..part.end)
            .filter(|&at| !self.lines[at].continues)
            .filter_map(|at| self.lines[at].indent)
            .filter(|&indent| indent >= part_starts.min_indent)
            .min();
        let Some(indent) = inner_indent.filter(|_| !is_short && part_starts.depth < MAX_DEPTH)
        else {
            return self.halve(part, block);
        };
        let starts_part = |at: usize| {
            let line = &self.lines[at];
            let before = &self.lines[at - 1];
            line.indent == Some(indent)
                && !line.continues
                && (before.is_blank() || !part_starts.after_blank && !before.introduces)
        };
        let mut starts = vec![part.start];
        starts.extend((part.start + 1..part.end).filter(|&at| starts_part(at)));
        let floor = if part_starts.after_blank {
            self.min_subwords
        } else {
            // Lines are weaker units than paragraphs, so parts are larger, with less context in total.
            self.min_subwords.max(limit / 2)
        };
        let bounds = Bounds {
            floor,
            limit,
            join_long: true,
        };
        let next = PartStarts {
            min_indent: indent + usize::from(!part_starts.after_blank),
            after_blank: !part_starts.after_blank,
            depth: part_starts.depth + 1,
        };
        for group in self.group(&starts, part.end, bounds) {
            if self.cost(&group) > limit {
                self.split_by_content(&group, block, next);
            } else if !self.emit(&group, block) {
                self.halve(&group, block);
            }
        }
    }

    /// Splits a part into two halves, and again each half that does not fit.
    fn halve(&mut self, part: &Range<usize>, block: &Range<usize>) {
        if part.len() == 1 {
            let line = self.lines[part.start];
            if line.cost > self.max_subwords || !self.emit(part, block) {
                self.split_line(line.span, line.cost);
            }
            return;
        }
        let middle = self.weakest_place(part);
        for half in [part.start..middle, middle..part.end] {
            if self.cost(&half) > self.part_limit() || !self.emit(&half, block) {
                self.halve(&half, block);
            }
        }
    }

    /// The line, not the first, before which to cut: in the middle half by cost, if a line starts there.
    fn weakest_place(&self, part: &Range<usize>) -> usize {
        // Each line adds 1 to its cost, so that lines without subwords have a middle too.
        let weight = |lines: &Range<usize>| self.cost(lines) + lines.len();
        let total = weight(part);
        let place = |at: usize| {
            let left = weight(&(part.start..at));
            let imbalance = left.abs_diff(total - left);
            let (line, before) = (&self.lines[at], &self.lines[at - 1]);
            let is_bad = line.continues || line.is_blank() || before.introduces;
            let is_even = imbalance <= total / 2;
            let weakness = (is_bad, !before.is_blank(), line.indent);
            (!is_even, is_even.then_some(weakness), imbalance)
        };
        (part.start + 1..part.end)
            .min_by_key(|&at| place(at))
            .unwrap_or(part.end)
    }

    /// The time is almost linear: the size of a piece is estimated from its neighbor and at most doubles, so that wrong estimates cost
    /// about as much as the pieces.
    fn split_line(&mut self, line: ByteSpan, cost: usize) {
        // An estimate that is right on average would fail half of the time, so it is reduced.
        let aim = (self.max_subwords - self.max_subwords / 10).max(1);
        let mut at = line.start;
        // The subwords and bytes of the text from which the next size is estimated.
        let mut seen = (cost, line.len());
        let mut max_len = line.len();
        while at < line.end {
            let rest = line.end - at;
            let rest_cost = rest.saturating_mul(seen.0) / seen.1;
            let n_pieces = rest_cost.div_ceil(aim).max(1);
            let mut len = rest.div_ceil(n_pieces).min(max_len);
            let (piece, n_subwords) = loop {
                let end = self.cut_in_line(at, len, line.end);
                let piece = ByteSpan::new(at, end);
                let n_subwords = (self.count)(piece.of(self.text));
                let is_unit = end == next_place(self.text, at);
                if n_subwords <= self.max_subwords || is_unit {
                    break (piece, n_subwords);
                }
                len = (piece.len().saturating_mul(aim) / n_subwords).min(piece.len() * 3 / 4);
            };
            self.chunks.push(Chunk {
                span: piece,
                core: piece,
                n_subwords,
            });
            seen = (n_subwords, piece.len());
            max_len = piece.len().saturating_mul(2);
            at = piece.end;
        }
    }

    /// Where to cut a line about `len` bytes after `start`: after at least one character, and if necessary in the second half
    /// of the bytes.
    fn cut_in_line(&self, start: usize, len: usize, line_end: usize) -> usize {
        if len >= line_end - start {
            return line_end;
        }
        let first = next_place(self.text, start);
        let mut last = start + len;
        while !is_place(self.text, last) {
            last -= 1;
        }
        if last <= first {
            return first;
        }
        let mut from = (start + len / 2).max(first);
        while !is_place(self.text, from) {
            from += 1;
        }
        let mut between_words = None;
        let window = &self.text[from..last];
        let mut after = self.text[last..].chars().next();
        // From the end, so that the piece is as long as possible.
        for (at, before) in window.char_indices().rev() {
            let place = from + at + before.len_utf8();
            if let Some(after) = after
                && is_place(self.text, place)
            {
                // A subword begins with the space before it, so the cut is before the space. A line's terminator alone is not a
                // piece.
                let is_terminator = matches!(after, '\r' | '\n');
                if is_whitespace(after) && !is_whitespace(before) && !is_terminator {
                    return place;
                }
                let is_in_word = is_wordy(before) && is_wordy(after);
                if !is_terminator && !is_in_word {
                    between_words.get_or_insert(place);
                }
            }
            after = Some(before);
        }
        between_words.unwrap_or(last)
    }
}

/// Letters, digits, and characters that can belong to a cluster.
fn is_wordy(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii()
}

/// Whether text may be cut at `at`: between two characters, but not between `\r` and `\n`.
fn is_place(text: &str, at: usize) -> bool {
    text.is_char_boundary(at) && !(text[..at].ends_with('\r') && text[at..].starts_with('\n'))
}

/// The first place after `at`, which is before the text's end.
fn next_place(text: &str, at: usize) -> usize {
    (at + 1..text.len())
        .find(|&place| is_place(text, place))
        .unwrap_or(text.len())
}
