//! Structure-aware windows over a document.
//!
//! A document that fits the model is one chunk. [`plan`] cuts a longer one by its content, so that a chunk's text stays the same when
//! lines change elsewhere: the cache uses this text as a key. *Blocks* start at unindented lines that follow a blank line, and a chunk
//! takes blocks until it has [`min_subwords`](ChunkConfig::min_subwords). The next cut depends only on the text since the last cut
//! and on the next block. A block that has the minimum alone always ends its chunk. Among smaller blocks, cuts prefer lines chosen by
//! their hash, as in content-defined chunking, so that soon after an edit the cuts are the same as before it.
//!
//! A block that does not fit alone is split at the weakest places inside it, and the model reads its parts with some lines of
//! context.

mod line;
mod split;

#[cfg(test)]
mod tests;

use std::ops::Range;

use self::line::{Line, is_anchor, read_lines};
use codegaze_text::ByteSpan;
use codegaze_text::line_index::LineIndex;

/// A window of the document that the model reads in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The text that the model reads: the core and, in blocks that were split, context on both sides.
    pub span: ByteSpan,
    /// The text that is scored. The cores of a document's chunks partition it.
    pub core: ByteSpan,
    /// The number of code subwords in the span.
    pub n_subwords: usize,
}

impl Chunk {
    /// The core, relative to the start of the span.
    #[must_use]
    pub fn core_in_span(&self) -> ByteSpan {
        let start = self.core.start - self.span.start;
        ByteSpan::new(start, start + self.core.len())
    }
}

/// The sizes of chunks, in code subwords, which do not include `<s>` and `</s>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkConfig {
    /// The most that the model reads in one pass: its `max_tokens` without the special subwords.
    pub max_subwords: usize,
    /// A chunk with this many gets no further block.
    pub min_subwords: usize,
    /// The most that the context has on each side of a part of a split block.
    pub context_subwords: usize,
}

impl ChunkConfig {
    /// The default sizes for a model that reads `max_subwords` code subwords.
    #[must_use]
    pub fn new(max_subwords: usize) -> Self {
        Self {
            max_subwords,
            min_subwords: (max_subwords / 8).min(64),
            context_subwords: max_subwords / 8,
        }
    }
}

/// Cuts a document into chunks: ascending, with cores that partition it. An empty document has no chunks; a document of whitespace
/// has chunks without lexemes.
///
/// `count` returns the number of code subwords of a text that is tokenized alone. No chunk's span has more than `max_subwords`, except
/// a single character (or `\r\n`) that has more by itself. `plan` calls `count` for every line and about once for every chunk, and reads
/// the document a few times in total. Planning after an edit is fast if `count` remembers texts.
pub fn plan(
    text: &str,
    index: &LineIndex,
    count: &mut dyn FnMut(&str) -> usize,
    config: &ChunkConfig,
) -> Vec<Chunk> {
    // Joined lines have fewer subwords than separate lines, because newlines merge with the whitespace around them. A text whose lines
    // have more than this times the maximum does not fit, so it is not counted as a whole.
    const WORTH_COUNTING: usize = 4;
    if text.is_empty() {
        return Vec::new();
    }
    let max_subwords = config.max_subwords.max(1);
    let context_subwords = config.context_subwords.min(max_subwords / 4);
    let mut planner = Planner {
        text,
        lines: read_lines(text, index, count),
        count,
        max_subwords,
        min_subwords: config.min_subwords.clamp(1, max_subwords),
        context_subwords,
        chunks: Vec::new(),
    };
    let all = 0..planner.lines.len();
    let whole = planner.span(&all);
    if planner.cost(&all) <= max_subwords.saturating_mul(WORTH_COUNTING) {
        let n_subwords = (planner.count)(text);
        if n_subwords <= max_subwords {
            return vec![Chunk {
                span: whole,
                core: whole,
                n_subwords,
            }];
        }
    }
    planner.plan_blocks();
    planner.chunks
}

struct Planner<'a> {
    text: &'a str,
    lines: Vec<Line>,
    count: &'a mut dyn FnMut(&str) -> usize,
    max_subwords: usize,
    min_subwords: usize,
    context_subwords: usize,
    chunks: Vec<Chunk>,
}

/// When blocks are joined to a group, in subwords.
#[derive(Clone, Copy)]
struct Bounds {
    /// A group with this many gets no further block.
    floor: usize,
    /// The most that a group has, unless a single block has more.
    limit: usize,
    /// Whether a group below the floor joins a block above the limit, to be split with it.
    join_long: bool,
}

impl Planner<'_> {
    fn plan_blocks(&mut self) {
        let starts_block = |at: usize| {
            let line = &self.lines[at];
            line.indent == Some(0) && !line.continues && self.lines[at - 1].is_blank()
        };
        let mut starts = vec![0];
        starts.extend((1..self.lines.len()).filter(|&at| starts_block(at)));
        let bounds = Bounds {
            floor: self.min_subwords,
            limit: self.max_subwords,
            join_long: false,
        };
        for group in self.group(&starts, self.lines.len(), bounds) {
            if self.cost(&group) > self.max_subwords || !self.emit(&group, &group) {
                self.split(&group);
            }
        }
    }

    /// Joins neighboring blocks. Blocks start at `starts`, and the last one ends at `end`.
    fn group(&self, starts: &[usize], end: usize, bounds: Bounds) -> Vec<Range<usize>> {
        let Bounds {
            floor,
            limit,
            join_long,
        } = bounds;
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut last_block_cost = 0;
        for (at, &start) in starts.iter().enumerate() {
            let block = start..starts.get(at + 1).copied().unwrap_or(end);
            let block_cost = self.cost(&block);
            let joins = groups.last().is_some_and(|group| {
                let cost = self.cost(group);
                if cost + block_cost > limit {
                    return join_long && cost < floor && block_cost > limit;
                }
                let has_enough = last_block_cost >= floor || cost >= 2 * floor;
                cost < floor || !(has_enough || is_anchor(self.content(start)))
            });
            match groups.last_mut() {
                Some(group) if joins => group.end = block.end,
                _ => groups.push(block),
            }
            last_block_cost = block_cost;
        }
        // The model reads a short last group better together with the group before it.
        if let [.., before, last] = groups.as_mut_slice()
            && self.cost(last) < floor
            && self.cost(before) + self.cost(last) <= limit
        {
            before.end = last.end;
            groups.pop();
        }
        groups
    }

    /// Adds a chunk with `core`, and with context from `region` around it, unless the core does not fit.
    fn emit(&mut self, core: &Range<usize>, region: &Range<usize>) -> bool {
        let mut n_before = self.n_context_lines((region.start..core.start).rev());
        let mut n_after = self.n_context_lines(core.end..region.end);
        loop {
            let span = self.span(&(core.start - n_before..core.end + n_after));
            let n_subwords = (self.count)(span.of(self.text));
            if n_subwords <= self.max_subwords {
                self.chunks.push(Chunk {
                    span,
                    core: self.span(core),
                    n_subwords,
                });
                return true;
            }
            if n_before + n_after == 0 {
                return false;
            }
            n_before /= 2;
            n_after /= 2;
        }
    }

    fn n_context_lines(&self, lines: impl Iterator<Item = usize>) -> usize {
        let mut left = self.context_subwords;
        lines
            .map_while(|at| {
                left = left.checked_sub(self.lines[at].cost.max(1))?;
                Some(())
            })
            .count()
    }

    /// The sum of the subwords of single lines.
    fn cost(&self, lines: &Range<usize>) -> usize {
        let until = |at: usize| {
            self.lines.get(at).map_or_else(
                || self.lines.last().map_or(0, Line::cost_after),
                |line| line.cost_before,
            )
        };
        until(lines.end) - until(lines.start)
    }

    fn span(&self, lines: &Range<usize>) -> ByteSpan {
        ByteSpan::new(
            self.lines[lines.start].span.start,
            self.lines[lines.end - 1].span.end,
        )
    }

    fn content(&self, line: usize) -> &str {
        self.lines[line].span.of(self.text).trim_end()
    }
}
