//! The share of attention of each definition and each line of a document, in a few words.

use super::AnalyzedDocument;
use super::label::{label, truncate};
use super::levels::HeatLevel;
use super::summary::{percent, times};
use codegaze_text::ByteSpan;
use codegaze_text::outline::Definition;

/// Columns of a lexeme in a title.
const LEXEME_WIDTH: usize = 24;
/// A definition whose density differs from 1 by less than this is like the rest of its file. Windows have the same mean lift, so the
/// densities of most definitions differ little.
const NOTABLE_DIFFERENCE: f32 = 0.05;
/// The mean of fewer lexemes says little.
const MIN_LEXEMES: usize = 8;

/// A definition with its share of the attention.
#[derive(Clone, Debug, PartialEq)]
pub struct DefinitionHeat {
    /// The definition.
    pub definition: Definition,
    /// The sum of lift / number of lexemes in the document over its lexemes, as for lines
    /// ([`ScoredLine::share`](codegaze_core::analysis::ScoredLine::share)).
    pub share: f32,
    /// The mean lift of its lexemes, divided by the mean of the document: 1 is the average of the file, whatever the definition's
    /// length.
    pub density: f32,
    /// The number of its scored lexemes.
    pub n_lexemes: usize,
    /// Its most attended lexeme; `None` if it has no scored lexeme.
    pub top: Option<TopLexeme>,
}

/// The most attended lexeme of a definition.
#[derive(Clone, Debug, PartialEq)]
pub struct TopLexeme {
    /// Where the lexeme is in the document.
    pub span: ByteSpan,
    /// The lexeme as views show it: legible, and limited in length.
    pub label: String,
    /// The lift; 1 is the average lexeme.
    pub lift: f32,
}

impl DefinitionHeat {
    /// `12 % more attention per word than the file · most on node (3.1×)`; `None` if the definition is like the rest of its file, or
    /// too short to tell.
    #[must_use]
    pub fn lens_title(&self) -> Option<String> {
        let top = self.top.as_ref()?;
        let difference = self.density - 1.0;
        if self.n_lexemes < MIN_LEXEMES || difference.abs() < NOTABLE_DIFFERENCE {
            return None;
        }
        let direction = if difference > 0.0 { "more" } else { "less" };
        Some(format!(
            "{:.0} % {direction} attention per word than the file · most on {} ({})",
            100.0 * difference.abs(),
            top.label,
            times(top.lift)
        ))
    }

    /// `18 % of attention · most on node (3.1×)`.
    #[must_use]
    pub fn title(&self) -> String {
        let Some(top) = &self.top else {
            return "no attention scores".to_owned();
        };
        let percent = self.share * 100.0;
        let share = if percent > 0.0 && percent < 0.5 {
            "< 1 %".to_owned()
        } else {
            format!("{percent:.0} %")
        };
        format!(
            "{share} of attention · most on {} ({})",
            top.label,
            times(top.lift)
        )
    }
}

/// The heat of each definition, nested ones included.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "lexemes of one document")]
pub fn definition_heats(
    document: &AnalyzedDocument<'_>,
    definitions: &[Definition],
) -> Vec<DefinitionHeat> {
    let lexemes = &document.analysis.lexemes;
    let n_lexemes = (lexemes.len() as f32).max(1.0);
    let mean = lexemes.iter().map(|lexeme| lexeme.lift).sum::<f32>() / n_lexemes;
    definitions
        .iter()
        .map(|definition| {
            let span = definition.span;
            let first = lexemes.partition_point(|lexeme| lexeme.span.start < span.start);
            let end = lexemes.partition_point(|lexeme| lexeme.span.start < span.end);
            let own = &lexemes[first..end];
            let sum = own.iter().map(|lexeme| lexeme.lift).sum::<f32>() + 0.0;
            let density = sum / own.len() as f32 / mean;
            // Of equals the first; `max_by` would take the last.
            let top = own
                .iter()
                .reduce(|top, lexeme| if lexeme.lift > top.lift { lexeme } else { top });
            DefinitionHeat {
                definition: *definition,
                share: sum / n_lexemes,
                density: if density.is_finite() { density } else { 0.0 },
                n_lexemes: own.len(),
                top: top.map(|top| TopLexeme {
                    span: top.span,
                    label: truncate(&label(document.slice(top.span)), LEXEME_WIDTH),
                    lift: top.lift,
                }),
            }
        })
        .collect()
}

/// A line's share of the attention, to be shown at its end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LineHeat {
    /// From 0.
    pub line: usize,
    /// Byte offset of the line's end, before its line break.
    pub end: usize,
    /// The line's share of the document's attention; all lines sum to 1.
    pub share: f32,
    /// `share` × number of lines with lexemes; 1 is the average line.
    pub lift: f32,
    /// The heat level of the line.
    pub level: HeatLevel,
}

impl LineHeat {
    /// `4.2 %`
    #[must_use]
    pub fn label(&self) -> String {
        percent(self.share)
    }

    /// The label in words.
    #[must_use]
    pub fn tooltip(&self) -> String {
        format!(
            "Line {} gets {} of the attention in this document, {} the average line (level {} of {}).",
            self.line + 1,
            percent(self.share),
            times(self.lift),
            self.level.get(),
            HeatLevel::MAX.get()
        )
    }
}

/// The lines of at least this level, ascending.
#[must_use]
pub fn line_heats(document: &AnalyzedDocument<'_>, min_level: HeatLevel) -> Vec<LineHeat> {
    document
        .scored_lines()
        .filter(|&(_, level)| level >= min_level)
        .map(|(scored, level)| {
            let line = scored.line as usize;
            LineHeat {
                line,
                end: document.source.index().line_content_span(line).end,
                share: scored.share,
                lift: scored.lift,
                level,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use codegaze_text::document::Document;
    use codegaze_text::outline::outline;

    const TEXT: &str =
        "import os\n\ndef fib(n):\n    return n\r\n\nx = 1\nclass A:\n    y = fib(2) + fib(3)\n";

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "a few lexemes")]
    fn definitions_share_the_document_with_what_is_outside() {
        let analysis = samples::analysis(TEXT);
        let source = Document::new(TEXT, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let heats = definition_heats(&document, &outline(&source));
        let names: Vec<&str> = heats
            .iter()
            .map(|heat| heat.definition.name.of(TEXT))
            .collect();
        assert_eq!(names, ["fib", "A"]);
        // Lines 3–4 and 7–8 are the definitions'.
        for (heat, lines) in heats.iter().zip([2..=3, 6..=7]) {
            let of_lines: f32 = analysis
                .lines
                .iter()
                .filter(|line| lines.contains(&line.line))
                .map(|line| line.share)
                .sum();
            assert!((heat.share - of_lines).abs() < 1e-5, "{heat:?} {of_lines}");
            let top = heat.top.as_ref().unwrap();
            assert!(heat.definition.span.contains(top.span));
            let own: Vec<f32> = analysis
                .lexemes
                .iter()
                .filter(|lexeme| heat.definition.span.contains(lexeme.span))
                .map(|lexeme| lexeme.lift)
                .collect();
            assert_eq!(heat.n_lexemes, own.len());
            let all: f32 = analysis.lexemes.iter().map(|lexeme| lexeme.lift).sum();
            let [own_mean, mean] = [
                own.iter().sum::<f32>() / own.len() as f32,
                all / analysis.lexemes.len() as f32,
            ];
            assert!((heat.density - own_mean / mean).abs() < 1e-4, "{heat:?}");
            let greatest = analysis
                .lexemes
                .iter()
                .filter(|lexeme| heat.definition.span.contains(lexeme.span))
                .map(|lexeme| lexeme.lift)
                .fold(0.0, f32::max);
            assert!((top.lift - greatest).abs() < f32::EPSILON);
        }
    }

    #[test]
    fn titles() {
        let title = |share, top: Option<(&str, f32)>| {
            let text = "f";
            let span = ByteSpan::new(0, text.len());
            DefinitionHeat {
                definition: Definition {
                    span,
                    name: span,
                    keyword: None,
                },
                share,
                density: 1.0,
                n_lexemes: 9,
                top: top.map(|(label, lift)| TopLexeme {
                    span,
                    label: label.to_owned(),
                    lift,
                }),
            }
            .title()
        };
        assert_eq!(
            title(0.184, Some(("node", 3.12))),
            "18 % of attention · most on node (3.1×)"
        );
        assert_eq!(
            title(0.002, Some(("{", 0.04))),
            "< 1 % of attention · most on { (0.04×)"
        );
        assert_eq!(
            title(1.0, Some(("x", 12.3))),
            "100 % of attention · most on x (12×)"
        );
        assert_eq!(title(0.0, None), "no attention scores");
    }

    #[test]
    fn a_lens_compares_density_and_is_silent_where_there_is_nothing_to_say() {
        let lens = |density, n_lexemes, top: Option<&str>| {
            let span = ByteSpan::new(0, 1);
            DefinitionHeat {
                definition: Definition {
                    span,
                    name: span,
                    keyword: None,
                },
                share: 0.95,
                density,
                n_lexemes,
                top: top.map(|label| TopLexeme {
                    span,
                    label: label.to_owned(),
                    lift: 3.12,
                }),
            }
            .lens_title()
        };
        let title = lens(1.42, 40, Some("node"));
        let expected = "42 % more attention per word than the file · most on node (3.1×)";
        assert_eq!(title.as_deref(), Some(expected));
        let less = lens(0.88, 40, Some("node")).unwrap();
        assert!(less.starts_with("12 % less attention"), "{less}");
        assert_eq!(lens(1.04, 40, Some("node")), None);
        assert_eq!(lens(1.42, 3, Some("node")), None);
        assert_eq!(lens(1.42, 40, None), None);
    }

    #[test]
    fn a_definition_without_scores_has_no_top() {
        let mut analysis = samples::analysis(TEXT);
        analysis.lexemes.retain(|lexeme| lexeme.span.start < 11);
        let source = Document::new(TEXT, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let heats = definition_heats(&document, &outline(&source));
        assert_eq!(heats.len(), 2);
        assert!(
            heats
                .iter()
                .all(|heat| heat.top.is_none() && heat.share == 0.0)
        );
        analysis.lexemes.clear();
        let source = Document::new(TEXT, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let heats = definition_heats(&document, &outline(&source));
        assert!(heats.iter().all(|heat| heat.share == 0.0));
    }

    #[test]
    fn long_and_strange_lexemes_are_legible() {
        let text = format!("def {}\u{202e}(): pass", "x".repeat(90));
        let mut analysis = samples::analysis(&text);
        analysis.lexemes[1].lift = 99.0;
        let source = Document::new(text.as_str(), 0);
        let document = AnalyzedDocument::new("x.py", &source, &analysis);
        let heats = definition_heats(&document, &outline(&source));
        let label = &heats[0].top.as_ref().unwrap().label;
        assert_eq!(label, &format!("{}…", "x".repeat(23)));
    }

    #[test]
    fn lines_end_before_their_break() {
        let analysis = samples::analysis(TEXT);
        let source = Document::new(TEXT, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let all = line_heats(&document, HeatLevel::NONE);
        let lines: Vec<usize> = all.iter().map(|heat| heat.line).collect();
        assert_eq!(lines, [0, 2, 3, 5, 6, 7]);
        for heat in &all {
            assert!(TEXT[heat.end..].starts_with(['\r', '\n']), "{heat:?}");
        }
        let hot = line_heats(&document, HeatLevel::SHOWN[2]);
        assert!(!hot.is_empty() && hot.len() < all.len());
        let expected: Vec<&LineHeat> = all.iter().filter(|heat| heat.level.get() >= 3).collect();
        assert_eq!(hot.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn lines_in_words() {
        let heat = LineHeat {
            line: 11,
            end: 0,
            share: 0.042,
            lift: 2.13,
            level: HeatLevel::SHOWN[3],
        };
        assert_eq!(heat.label(), "4.2 %");
        assert_eq!(
            heat.tooltip(),
            "Line 12 gets 4.2 % of the attention in this document, 2.1× the average line (level 4 of 5)."
        );
    }
}
