//! Some lines of an analyzed document as a separate document. They keep the heat that they have in the whole document.

use codegaze_core::analysis::{
    Analysis, AnalyzedChunk, ScoredLexeme, ScoredLine, SubwordScore, Unscored,
};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

use super::AnalyzedDocument;
use super::levels::{HeatLevel, Levels};

/// Owns the data that an [`AnalyzedDocument`] borrows.
#[derive(Clone, Debug)]
pub struct Excerpt<'a> {
    name: &'a str,
    source: Document,
    analysis: Analysis,
    levels: Levels,
}

impl<'a> Excerpt<'a> {
    /// The whole lines that `part` touches. Shares, lifts, ranks and levels stay those of the document. The excerpt omits the matrices
    /// of chunks that are not entirely inside.
    #[must_use]
    pub fn new(document: &AnalyzedDocument<'a>, part: ByteSpan) -> Self {
        let index = document.source.index();
        let first_line = index.line_at(part.start);
        let last_line = index.line_at(part.end.saturating_sub(1).max(part.start));
        let lines = ByteSpan::new(
            index.line_start(first_line),
            index.line_start(last_line.saturating_add(1)),
        );
        let whole = document.analysis;
        let moved = |span: ByteSpan| {
            let start = span.start.max(lines.start);
            let end = span.end.min(lines.end).max(start);
            ByteSpan::new(start - lines.start, end - lines.start)
        };
        let is_inside = |span: ByteSpan| span.overlap(lines) > 0;
        let first_chunk = whole
            .chunks
            .iter()
            .position(|chunk| is_inside(chunk.core))
            .unwrap_or(0);
        let (lexemes, lexeme_levels): (_, Vec<HeatLevel>) = document
            .lexemes()
            .filter(|(lexeme, _)| is_inside(lexeme.span))
            .map(|(lexeme, level)| {
                let lexeme = ScoredLexeme {
                    span: moved(lexeme.span),
                    chunk_idx: lexeme.chunk_idx - first_chunk,
                    ..*lexeme
                };
                (lexeme, level)
            })
            .unzip();
        let (scored_lines, line_levels): (_, Vec<HeatLevel>) = document
            .scored_lines()
            .filter(|(line, _)| (first_line..=last_line).contains(&(line.line as usize)))
            .map(|(line, level)| {
                let line = ScoredLine {
                    line: line.line - u32::try_from(first_line).unwrap_or(0),
                    ..*line
                };
                (line, level)
            })
            .unzip();
        let chunks = whole.chunks.iter().filter(|chunk| is_inside(chunk.core));
        let unscored = whole.unscored.iter();
        Self {
            name: document.name,
            source: Document::new(document.slice(lines), document.source.version())
                .with_language(document.source.language()),
            levels: Levels {
                lexemes: lexeme_levels.into(),
                lines: line_levels.into(),
            },
            analysis: Analysis {
                lexemes,
                lines: scored_lines,
                chunks: chunks.map(|chunk| cut(chunk, lines, &moved)).collect(),
                unscored: unscored
                    .filter(|unscored| is_inside(unscored.span))
                    .map(|unscored| Unscored {
                        span: moved(unscored.span),
                        reason: unscored.reason.clone(),
                    })
                    .collect(),
                ..whole.clone()
            },
        }
    }

    /// The excerpt as a document.
    #[must_use]
    pub fn document(&self) -> AnalyzedDocument<'_> {
        AnalyzedDocument::with_levels(self.name, &self.source, &self.analysis, self.levels.clone())
    }
}

fn cut(
    chunk: &AnalyzedChunk,
    lines: ByteSpan,
    moved: &dyn Fn(ByteSpan) -> ByteSpan,
) -> AnalyzedChunk {
    let is_whole = lines.contains(chunk.span);
    let subwords = chunk.subwords.as_ref().map(|subwords| {
        let inside = subwords
            .iter()
            .filter(|subword| is_whole || subword.span.is_some_and(|span| lines.contains(span)));
        inside
            .map(|subword| SubwordScore {
                span: subword.span.map(moved),
                ..*subword
            })
            .collect()
    });
    AnalyzedChunk {
        span: moved(chunk.span),
        core: moved(chunk.core),
        subwords,
        matrix: chunk.matrix.clone().filter(|_| is_whole),
        relations: None,
        ..*chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn lines_keep_the_heat_that_they_have_in_the_whole() {
        let analysis = samples::full(samples::PYTHON);
        let source = Document::new(samples::PYTHON, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let second = source.index().line_span(1);
        let middle = second.start + second.len() / 2;
        let excerpt = Excerpt::new(&document, ByteSpan::new(middle, middle));
        let part = excerpt.document();
        assert_eq!(part.text(), second.of(samples::PYTHON));
        let expected: Vec<_> = document
            .lexemes()
            .filter(|(lexeme, _)| second.contains(lexeme.span))
            .map(|(lexeme, level)| (lexeme.span.of(samples::PYTHON), lexeme.lift, level))
            .collect();
        assert!(!expected.is_empty());
        let got: Vec<_> = part
            .lexemes()
            .map(|(lexeme, level)| (lexeme.span.of(part.text()), lexeme.lift, level))
            .collect();
        assert_eq!(got, expected);
        assert_eq!(part.scored_lines().count(), 1);
        let whole = ByteSpan::new(0, samples::PYTHON.len());
        let all = Excerpt::new(&document, whole);
        assert_eq!(all.document().text(), samples::PYTHON);
        assert_eq!(all.document().analysis.lexemes, analysis.lexemes);
    }
}
