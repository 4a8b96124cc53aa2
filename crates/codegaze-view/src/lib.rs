//! An analysis as plain data and pictures, for terminals, files and editors. This crate never runs a model.
//!
//! For all views:
//!
//! | module | contents |
//! | --- | --- |
//! | this one | [`AnalyzedDocument`]: a document with its analysis and heat levels, from which views are made |
//! | [`levels`] | heat levels 0 … 5 |
//! | [`label`] | subwords and source text, safe and legible in one line |
//! | [`options`] | a view as a client requests it, and as a result reports it |
//! | [`position`] | byte offsets ⇄ lines and columns in UTF-8, UTF-16 or UTF-32; the only place that converts them |
//! | [`prediction`] | what a task head answers, as JSON and as tables |
//! | [`excerpt`] | some lines of an analyzed document as a document |
//! | [`theme`], [`color`], [`colormap`] | colors |
//!
//! For editors and the page:
//!
//! | module | contents |
//! | --- | --- |
//! | [`live`] | `LiveView`: a live document as both servers show it; one file for each result |
//! | [`packed`] | heat as a list of integers |
//! | [`hover`] | one lexeme's numbers in words |
//! | [`highlight`] | the lexemes that a lexeme attends to, and those that attend to it |
//! | [`definitions`] | the share of each definition and each line |
//! | [`matrix`] | matrices and thumbnails as compact data |
//! | [`milliseconds`] | times in results |
//!
//! For terminals and files:
//!
//! | module | contents |
//! | --- | --- |
//! | [`terminal`] | shaded source, tables and summaries |
//! | [`json`], [`csv`], [`markdown`] | an analysis as a file |
//! | [`tensors`] | raw tensors as a file |
//! | [`summary`] | an analysis in one line |
//! | [`heatmap`], [`source_picture`] | the attention matrix, and the shaded source, as pictures |
//! | [`picture`], [`render`] | options, limits and errors of pictures; a picture in any format |
//! | [`page`] | a picture as one HTML file |
//! | [`scene`] | rectangles and text, written as PNG or SVG |

#![warn(missing_docs)]

pub mod color;
pub mod colormap;
pub mod csv;
pub mod definitions;
pub mod excerpt;
pub mod heatmap;
pub mod highlight;
pub mod hover;
pub mod json;
pub mod label;
pub mod levels;
pub mod live;
pub mod markdown;
pub mod matrix;
pub mod milliseconds;
pub mod options;
pub mod packed;
pub mod page;
pub mod picture;
pub mod position;
pub mod prediction;
pub mod render;
pub mod scene;
pub mod source_picture;
pub mod summary;
pub mod tensors;
pub mod terminal;
pub mod theme;

#[cfg(any(test, feature = "testing"))]
pub mod samples;

use codegaze_core::analysis::{Analysis, ScoredLexeme, ScoredLine};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

use self::levels::{HeatLevel, LevelThresholds, Levels};
use self::position::{Encoding, Positions};

/// What is shaded or listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Granularity {
    /// Each lexeme.
    #[default]
    Lexemes,
    /// Each line as a whole.
    Lines,
}

/// A document with its analysis, ready to be shown.
#[derive(Clone, Debug)]
pub struct AnalyzedDocument<'a> {
    /// The name that views show, such as the path that the user gave.
    pub name: &'a str,
    /// The text.
    pub source: &'a Document,
    /// The analysis of exactly this `source`.
    pub analysis: &'a Analysis,
    levels: Levels,
    /// Lists omit lexemes of a worse rank. The levels of the others stay the same.
    max_rank: usize,
}

impl<'a> AnalyzedDocument<'a> {
    /// A document with levels at the default thresholds.
    #[must_use]
    pub fn new(name: &'a str, source: &'a Document, analysis: &'a Analysis) -> Self {
        let levels = Levels::new(analysis, &LevelThresholds::default());
        Self::with_levels(name, source, analysis, levels)
    }

    /// A document with levels that were computed before, from the same analysis.
    #[must_use]
    pub fn with_levels(
        name: &'a str,
        source: &'a Document,
        analysis: &'a Analysis,
        levels: Levels,
    ) -> Self {
        Self {
            name,
            source,
            analysis,
            levels,
            max_rank: usize::MAX,
        }
    }

    /// Keeps only the `n` lexemes of best rank in lists; all of them for `None`.
    #[must_use]
    pub fn keep_top(self, n: Option<usize>) -> Self {
        Self {
            max_rank: n.unwrap_or(usize::MAX),
            ..self
        }
    }

    /// Lexemes with their levels, ascending.
    pub fn lexemes(&self) -> impl Iterator<Item = (&'a ScoredLexeme, HeatLevel)> {
        let max_rank = self.max_rank;
        self.analysis
            .lexemes
            .iter()
            .zip(self.levels.lexemes.iter().copied())
            .filter(move |(lexeme, _)| lexeme.rank <= max_rank)
    }

    /// Scored lines with their levels, ascending.
    pub fn scored_lines(&self) -> impl Iterator<Item = (&'a ScoredLine, HeatLevel)> {
        self.analysis
            .lines
            .iter()
            .zip(self.levels.lines.iter().copied())
    }

    /// The `n` lexemes of best rank, best first.
    #[must_use]
    pub fn top(&self, n: usize) -> Vec<(&'a ScoredLexeme, HeatLevel)> {
        let mut ranked: Vec<_> = self.lexemes().collect();
        ranked.sort_by_key(|(lexeme, _)| lexeme.rank);
        ranked.truncate(n);
        ranked
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.source.text()
    }

    /// The number of lines as people count them: a final line break does not start another line, and an empty text has 0 lines.
    #[must_use]
    pub fn line_count(&self) -> usize {
        let index = self.source.index();
        let n = index.n_lines();
        n - usize::from(index.line_span(n - 1).is_empty())
    }

    /// The line and column of a byte offset, both from 1, the column in characters, without a byte order mark.
    fn place(&self, offset: usize) -> (u32, u32) {
        let at = Positions::new(self.source, Encoding::Utf32).position(offset);
        let has_mark = at.line == 0 && offset > 0 && self.text().starts_with('\u{feff}');
        let character = at.character - u32::from(has_mark);
        (at.line.saturating_add(1), character.saturating_add(1))
    }

    /// The number of the line that holds a byte offset, from 1.
    fn line_number(&self, offset: usize) -> usize {
        self.source.index().line_at(offset) + 1
    }

    /// The text under a span; empty if the span does not fit the text.
    fn slice(&self, span: ByteSpan) -> &'a str {
        self.text().get(span.range()).unwrap_or_default()
    }

    /// Each line without its line break, with the spans of a level above 0. The iterator holds one line at a time, so that memory does
    /// not grow with the document.
    fn shaded_lines(&self) -> ShadedLines<'_, 'a> {
        ShadedLines {
            document: self,
            line: 0,
            lexeme: 0,
            scored_line: 0,
        }
    }
}

/// One line of source with its heat.
#[derive(Clone, Debug)]
struct ShadedLine<'a> {
    /// From 0.
    number: usize,
    /// Without the line break.
    text: &'a str,
    /// Byte offset of `text` in the document.
    start: usize,
    /// Spans in the document inside this line with a level above 0, ascending, disjoint.
    heat: Vec<(ByteSpan, HeatLevel)>,
    /// Lift and level of the line as a whole; `None` if it has no lexemes.
    scored: Option<(f32, HeatLevel)>,
}

struct ShadedLines<'d, 'a> {
    document: &'d AnalyzedDocument<'a>,
    line: usize,
    /// First lexeme that does not end before the next line.
    lexeme: usize,
    scored_line: usize,
}

impl<'a> Iterator for ShadedLines<'_, 'a> {
    type Item = ShadedLine<'a>;

    fn next(&mut self) -> Option<ShadedLine<'a>> {
        let document = self.document;
        if self.line >= document.line_count() {
            return None;
        }
        let number = self.line;
        self.line += 1;
        let content = document.source.index().line_content_span(number);

        let lexemes = &document.analysis.lexemes;
        while lexemes
            .get(self.lexeme)
            .is_some_and(|lexeme| lexeme.span.end <= content.start)
        {
            self.lexeme += 1;
        }
        let heat = lexemes[self.lexeme..]
            .iter()
            .zip(&document.levels.lexemes[self.lexeme..])
            .take_while(|(lexeme, _)| lexeme.span.start < content.end)
            .filter(|&(_, &level)| level > HeatLevel::NONE)
            .map(|(lexeme, &level)| {
                // A lexeme can span several lines.
                let start = lexeme.span.start.max(content.start);
                let end = lexeme.span.end.min(content.end);
                (ByteSpan::new(start, end.max(start)), level)
            })
            .filter(|(span, _)| !span.is_empty() && document.text().get(span.range()).is_some())
            .collect();

        let scored_lines = &document.analysis.lines;
        while scored_lines
            .get(self.scored_line)
            .is_some_and(|line| (line.line as usize) < number)
        {
            self.scored_line += 1;
        }
        let scored = scored_lines
            .get(self.scored_line)
            .filter(|line| line.line as usize == number)
            .map(|line| (line.lift, document.levels.lines[self.scored_line]));

        Some(ShadedLine {
            number,
            text: document.slice(content),
            start: content.start,
            heat,
            scored,
        })
    }
}

impl<'a> ShadedLine<'a> {
    /// The line, cut into pieces of one level each, in order. Gaps have level 0.
    fn pieces(&self) -> Vec<(&'a str, HeatLevel)> {
        let mut pieces = Vec::with_capacity(2 * self.heat.len() + 1);
        let mut at = 0;
        for &(span, level) in &self.heat {
            let (start, end) = (span.start - self.start, span.end - self.start);
            if start > at {
                pieces.push((&self.text[at..start], HeatLevel::NONE));
            }
            pieces.push((&self.text[start..end], level));
            at = end;
        }
        if at < self.text.len() {
            pieces.push((&self.text[at..], HeatLevel::NONE));
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_counted_as_people_do() {
        let text = "a🙂b\r\n\n  x";
        let analysis = samples::analysis(text);
        let source = Document::new(text, 0);
        let document = AnalyzedDocument::new("x", &source, &analysis);
        assert_eq!(document.place(5), (1, 3));
        assert_eq!(document.place(text.len()), (3, 4));
        assert_eq!(document.line_number(text.len()), 3);
        for (text, n) in [
            ("", 0),
            ("a", 1),
            ("a\n", 1),
            ("\n", 1),
            ("a\r\rb", 3),
            (text, 3),
        ] {
            let source = Document::new(text, 0);
            let document = AnalyzedDocument::new("x", &source, &analysis);
            assert_eq!(document.line_count(), n, "{text:?}");
        }
    }
}
