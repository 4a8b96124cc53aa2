//! Structure-aware windows over a document.
//!
//! A document that fits the model is one chunk. A longer one is cut by its content, so that a chunk's text, by which its
//! result is cached, stays the same when lines change elsewhere: *blocks* start at unindented lines that follow a blank
//! one, and a chunk takes blocks until it has [`min_subwords`](ChunkConfig::min_subwords). Where the next cut falls
//! depends on the text since the last one and on the block after; a block that has the minimum alone always ends its
//! chunk, and among smaller ones cuts prefer lines chosen by their hash (as in content-defined chunking), so that cuts
//! fall where they fell before soon after an edit.
//!
//! A block that does not fit alone is split further, at the weakest places inside it; its parts are read with some lines
//! of context.

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
    /// What the model reads: the core and, in over-long blocks, context on both sides.
    pub span: ByteSpan,
    /// What is scored. The cores of a document's chunks partition it.
    pub core: ByteSpan,
    /// Code subwords of the span.
    pub n_subwords: usize,
}

impl Chunk {
    /// The core, counted from the start of the span.
    #[must_use]
    pub fn core_in_span(&self) -> ByteSpan {
        let start = self.core.start - self.span.start;
        ByteSpan::new(start, start + self.core.len())
    }
}

/// How large chunks are, in code subwords: those of the text, without `<s>` and `</s>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkConfig {
    /// What fits the model: its `max_tokens` without the special subwords.
    pub max_subwords: usize,
    /// A chunk gets no more blocks once it has as many as this.
    pub min_subwords: usize,
    /// Of the context on each side of a part of an over-long block, at most.
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

/// Cuts a document into chunks: ascending, with cores that partition it. The empty document has none; a blank one has
/// chunks without lexemes.
///
/// `count` gives the number of code subwords of a text, tokenized alone. No chunk's span has more than
/// `max_subwords`, whatever `count` says, but for a single character (or `\r\n`) that has more by itself. It is called
/// on every line and about once on every chunk, so that a `count` that remembers texts makes planning after an edit
/// cheap; altogether it reads the document a few times.
pub fn plan(
    text: &str,
    index: &LineIndex,
    count: &mut dyn FnMut(&str) -> usize,
    config: &ChunkConfig,
) -> Vec<Chunk> {
    // Joined lines have fewer subwords than the lines apart, since newlines merge with the whitespace around them; but
    // not fewer than this part, in anything that is worth counting twice.
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

/// Bounds in which blocks are put together, in subwords.
#[derive(Clone, Copy)]
struct Bounds {
    /// A group gets no more blocks once it has as many as this.
    floor: usize,
    /// A group has no more than this, unless one block does.
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

    /// Puts neighboring blocks together. Blocks start at `starts` and the last ends at `end`.
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
        // A short end is better read with what comes before it.
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

    /// What the lines have, counted one by one.
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
