//! Predictions as JSON (`codegaze.prediction/1`, see `docs/PREDICTIONS.md`), and as tables for people and for spreadsheets.

use std::io::{self, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use codegaze_core::prediction::{
    Answers, Candidate, LabelScore, LabeledLexeme, MaskedLexeme, Prediction, UnitPrediction,
};
use codegaze_model::ModelInfo;
use codegaze_model::task::TaskKind;
use codegaze_text::document::Document;
use codegaze_text::{ByteSpan, PositionEncoding};

use super::csv::io_error;
use super::label::{label, printable, truncate};
use super::position::{Encoding, Positions, WireRange, WireSpan};

/// The value of `schema`. An incompatible change increments its number.
pub const SCHEMA: &str = "codegaze.prediction/1";

/// Columns of a text in a table for people.
const MAX_TEXT: usize = 40;
/// Labels or texts in a cell for people.
const SHOWN: usize = 5;

/// A prediction with its document and its model.
#[derive(Clone, Copy, Debug)]
pub struct Predicted<'a> {
    /// The document's path, or `-`.
    pub name: &'a str,
    /// The document.
    pub source: &'a Document,
    /// The model that answered.
    pub model: &'a ModelInfo,
    /// What it answered.
    pub prediction: &'a Prediction,
}

/// A prediction as JSON. It borrows all text.
#[derive(Debug, Serialize)]
pub struct PredictionJson<'a> {
    schema: &'static str,
    document: DocumentJson<'a>,
    model: ModelJson<'a>,
    task: TaskJson<'a>,
    normalize: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<Vec<UnitJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lexemes: Option<Vec<LexemeJson<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    masked: Option<Vec<MaskedJson<'a>>>,
}

#[derive(Debug, Serialize)]
struct DocumentJson<'a> {
    path: &'a str,
    bytes: usize,
    lines: usize,
}

#[derive(Debug, Serialize)]
struct ModelJson<'a> {
    id: &'a str,
    revision: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct TaskJson<'a> {
    kind: &'static str,
    module: &'a str,
    head_layout: &'static str,
    activation: &'static str,
    labels: &'a [String],
}

#[derive(Debug, Serialize)]
struct LabelJson<'a> {
    label: &'a str,
    probability: Option<f64>,
    logit: f64,
    predicted: bool,
}

#[derive(Debug, Serialize)]
struct UnitJson<'a> {
    span: WireSpan,
    range: WireRange,
    name: Option<&'a str>,
    labels: Vec<LabelJson<'a>>,
    windows: Vec<WindowJson<'a>>,
    /// The window whose answer is the unit's.
    decisive: usize,
}

#[derive(Debug, Serialize)]
struct WindowJson<'a> {
    span: WireSpan,
    range: WireRange,
    labels: Vec<LabelJson<'a>>,
}

#[derive(Debug, Serialize)]
struct LexemeJson<'a> {
    span: WireSpan,
    range: WireRange,
    text: &'a str,
    kind: &'static str,
    labels: Vec<LabelJson<'a>>,
}

#[derive(Debug, Serialize)]
struct MaskedJson<'a> {
    span: WireSpan,
    range: WireRange,
    text: &'a str,
    kind: &'static str,
    subwords: usize,
    probability: f64,
    surprise: f64,
    candidates: Vec<CandidateJson<'a>>,
}

/// A text at a masked place.
#[derive(Debug, Serialize)]
pub struct CandidateJson<'a> {
    text: &'a str,
    probability: f64,
}

/// The texts for each mask of a text, for `--mask`.
#[derive(Debug, Serialize)]
pub struct FilledJson<'a> {
    schema: &'static str,
    text: &'a str,
    masks: Vec<Vec<CandidateJson<'a>>>,
}

impl<'a> FilledJson<'a> {
    /// `masks` are those of `text`, in their order.
    #[must_use]
    pub fn new(text: &'a str, masks: &'a [Vec<Candidate>]) -> Self {
        Self {
            schema: SCHEMA,
            text,
            masks: masks.iter().map(|mask| candidates(mask)).collect(),
        }
    }
}

/// A document without a prediction.
#[derive(Debug, Serialize)]
pub struct FailureJson<'a> {
    schema: &'static str,
    document: FailedDocumentJson<'a>,
    error: &'a str,
}

#[derive(Debug, Serialize)]
struct FailedDocumentJson<'a> {
    path: &'a str,
}

impl<'a> FailureJson<'a> {
    /// `error` is what a person reads.
    #[must_use]
    pub fn new(path: &'a str, error: &'a str) -> Self {
        Self {
            schema: SCHEMA,
            document: FailedDocumentJson { path },
            error,
        }
    }
}

fn candidates(all: &[Candidate]) -> Vec<CandidateJson<'_>> {
    all.iter()
        .map(|candidate| CandidateJson {
            text: &candidate.text,
            probability: candidate.probability,
        })
        .collect()
}

impl<'a> PredictionJson<'a> {
    /// The whole prediction.
    #[must_use]
    pub fn new(predicted: &Predicted<'a>) -> Self {
        let Predicted {
            name,
            source,
            model,
            prediction,
        } = *predicted;
        let task = &prediction.task;
        let positions = Positions::new(source, Encoding::Utf16);
        let labels = |scores: &[LabelScore]| -> Vec<LabelJson<'a>> {
            scores
                .iter()
                .zip(&task.labels)
                .map(|(score, label)| LabelJson {
                    label,
                    probability: score.probability,
                    logit: score.logit,
                    predicted: score.predicted,
                })
                .collect()
        };
        let text = |span: ByteSpan| span.of(source.text());
        let unit = |unit: &'a UnitPrediction| UnitJson {
            span: unit.span.into(),
            range: positions.range(unit.span),
            name: unit.name.map(text),
            labels: labels(unit.labels()),
            windows: unit
                .windows
                .iter()
                .map(|window| WindowJson {
                    span: window.span.into(),
                    range: positions.range(window.span),
                    labels: labels(&window.labels),
                })
                .collect(),
            decisive: unit.decisive,
        };
        let labeled = |lexeme: &'a LabeledLexeme| LexemeJson {
            span: lexeme.span.into(),
            range: positions.range(lexeme.span),
            text: text(lexeme.span),
            kind: lexeme.kind.as_str(),
            labels: labels(&lexeme.labels),
        };
        let masked = |lexeme: &'a MaskedLexeme| MaskedJson {
            span: lexeme.span.into(),
            range: positions.range(lexeme.span),
            text: text(lexeme.span),
            kind: lexeme.kind.as_str(),
            subwords: lexeme.n_subwords,
            probability: lexeme.probability,
            surprise: lexeme.surprise,
            candidates: candidates(&lexeme.candidates),
        };
        let answers = &prediction.answers;
        Self {
            schema: SCHEMA,
            document: DocumentJson {
                path: name,
                bytes: source.text().len(),
                lines: source.index().n_lines(),
            },
            model: ModelJson {
                id: &model.id,
                revision: model.revision.as_deref(),
            },
            task: TaskJson {
                kind: task.kind.as_str(),
                module: &task.module,
                head_layout: task.layout.as_str(),
                activation: task.activation.as_str(),
                labels: &task.labels,
            },
            normalize: prediction.normalize.as_str(),
            units: match answers {
                Answers::Units(units) => Some(units.iter().map(unit).collect()),
                _ => None,
            },
            lexemes: match answers {
                Answers::Labels(lexemes) => Some(lexemes.iter().map(labeled).collect()),
                _ => None,
            },
            masked: match answers {
                Answers::Masked(lexemes) => Some(lexemes.iter().map(masked).collect()),
                _ => None,
            },
        }
    }
}

impl Predicted<'_> {
    /// Line and column from 1, the column in characters.
    fn place(&self, offset: usize) -> (u32, u32) {
        let index = self.source.index();
        let at = index.position(self.source.text(), offset, PositionEncoding::Utf32);
        (at.line + 1, at.col + 1)
    }

    fn text(&self, span: ByteSpan) -> &str {
        span.of(self.source.text())
    }
}

/// The header row of a table for spreadsheets.
#[must_use]
pub fn csv_columns(kind: TaskKind) -> &'static [&'static str] {
    match kind {
        TaskKind::Masked => &[
            "path",
            "start",
            "end",
            "line",
            "column",
            "text",
            "kind",
            "subwords",
            "probability",
            "surprise",
            "expected",
            "expected_probability",
        ],
        TaskKind::Token => &[
            "path",
            "start",
            "end",
            "line",
            "column",
            "text",
            "kind",
            "label",
            "probability",
            "logit",
            "predicted",
        ],
        TaskKind::Sequence | TaskKind::Pair => &[
            "path",
            "start",
            "end",
            "line",
            "unit",
            "windows",
            "label",
            "probability",
            "logit",
            "predicted",
        ],
    }
}

/// Writes the rows of a table for spreadsheets: one for each masked lexeme, or for each label of a unit or a lexeme. Text is exact, and
/// quoted as RFC 4180 requires.
///
/// # Errors
/// The errors of `w`.
pub fn write_csv(w: &mut impl Write, predicted: &Predicted<'_>, header: bool) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(w);
    if header {
        writer
            .write_record(csv_columns(predicted.prediction.task.kind))
            .map_err(io_error)?;
    }
    let place = |span: ByteSpan| -> Vec<String> {
        let (line, column) = predicted.place(span.start);
        let numbers = [
            span.start.to_string(),
            span.end.to_string(),
            line.to_string(),
            column.to_string(),
        ];
        [predicted.name.to_owned()]
            .into_iter()
            .chain(numbers)
            .collect()
    };
    let labels = |scores: &[LabelScore]| -> Vec<[String; 4]> {
        scores
            .iter()
            .zip(&predicted.prediction.task.labels)
            .map(|(score, label)| {
                let probability = score
                    .probability
                    .map_or_else(String::new, |p| p.to_string());
                [
                    label.clone(),
                    probability,
                    score.logit.to_string(),
                    score.predicted.to_string(),
                ]
            })
            .collect()
    };
    match &predicted.prediction.answers {
        Answers::Units(units) => {
            for unit in units {
                let mut start = place(unit.span);
                start[4] = unit
                    .name
                    .map_or_else(String::new, |name| predicted.text(name).to_owned());
                start.push(unit.windows.len().to_string());
                for label in labels(unit.labels()) {
                    writer
                        .write_record(start.iter().chain(&label))
                        .map_err(io_error)?;
                }
            }
        }
        Answers::Labels(lexemes) => {
            for lexeme in lexemes {
                let mut start = place(lexeme.span);
                start.extend([
                    predicted.text(lexeme.span).to_owned(),
                    lexeme.kind.as_str().to_owned(),
                ]);
                for label in labels(&lexeme.labels) {
                    writer
                        .write_record(start.iter().chain(&label))
                        .map_err(io_error)?;
                }
            }
        }
        Answers::Masked(lexemes) => {
            for lexeme in lexemes {
                let mut row = place(lexeme.span);
                let (text, probability) = lexeme
                    .candidates
                    .first()
                    .map_or_else(Default::default, |first| {
                        (first.text.clone(), first.probability.to_string())
                    });
                row.extend([
                    predicted.text(lexeme.span).to_owned(),
                    lexeme.kind.as_str().to_owned(),
                    lexeme.n_subwords.to_string(),
                    lexeme.probability.to_string(),
                    lexeme.surprise.to_string(),
                    text,
                    probability,
                ]);
                writer.write_record(&row).map_err(io_error)?;
            }
        }
    }
    writer.flush()
}

/// A table for people, and sentences that explain it.
struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

impl Table {
    fn new(predicted: &Predicted<'_>) -> Self {
        let prediction = predicted.prediction;
        let mut notes = Vec::new();
        if prediction.normalize.as_str() != "none" {
            notes.push(
                "The model read the text with each run of whitespace as one space (--normalize whitespace)."
                    .to_owned(),
            );
        }
        let place = |offset: usize| {
            let (line, column) = predicted.place(offset);
            format!("{line}:{column}")
        };
        let text = |span: ByteSpan| shown(predicted.text(span));
        let answer = |scores: &[LabelScore]| answer(scores, &prediction.task.labels);
        let (header, rows): (Vec<_>, Vec<Vec<String>>) = match &prediction.answers {
            Answers::Units(units) => {
                let windows = units
                    .iter()
                    .map(|unit| unit.windows.len())
                    .max()
                    .unwrap_or(0);
                if windows > 1 {
                    notes.push(
                        "What does not fit the model was read window by window; the answer is that of the strongest window."
                            .to_owned(),
                    );
                }
                let mut rows = Vec::new();
                for unit in units {
                    let name = unit.name.map_or_else(|| "(file)".to_owned(), text);
                    rows.push(vec![place(unit.span.start), name, answer(unit.labels())]);
                    for window in unit.windows.iter().filter(|_| unit.windows.len() > 1) {
                        let name = "  window".to_owned();
                        rows.push(vec![place(window.span.start), name, answer(&window.labels)]);
                    }
                }
                (vec!["place", "unit", "answer"], rows)
            }
            Answers::Labels(lexemes) => {
                let row = |lexeme: &LabeledLexeme| {
                    vec![
                        place(lexeme.span.start),
                        text(lexeme.span),
                        answer(&lexeme.labels),
                    ]
                };
                (
                    vec!["place", "text", "answer"],
                    lexemes.iter().map(row).collect(),
                )
            }
            Answers::Masked(lexemes) => {
                notes.push(
                    "Each text was hidden from the model, which then guessed it. Surprise is −log₂ of the probability of what stands there, in bits: how unusual it is to this model. It does not say that the code is wrong."
                        .to_owned(),
                );
                let row = |lexeme: &MaskedLexeme| {
                    vec![
                        place(lexeme.span.start),
                        text(lexeme.span),
                        format!("{:.1} bits", lexeme.surprise),
                        percent(lexeme.probability),
                        expected(&lexeme.candidates),
                    ]
                };
                (
                    vec!["place", "text", "surprise", "probability", "expected here"],
                    lexemes.iter().map(row).collect(),
                )
            }
        };
        Self {
            header,
            rows,
            notes,
        }
    }
}

/// A text of the source or of the vocabulary, safe to show.
fn shown(text: &str) -> String {
    truncate(&label(text), MAX_TEXT)
}

/// The predicted labels, then the most probable others.
fn answer(scores: &[LabelScore], labels: &[String]) -> String {
    let mut order: Vec<(&LabelScore, &String)> = scores.iter().zip(labels).collect();
    order.sort_by(|(a, _), (b, _)| b.logit.total_cmp(&a.logit));
    let mut parts: Vec<String> = order
        .iter()
        .take(SHOWN)
        .map(|(score, label)| {
            let label = truncate(&printable(label), MAX_TEXT);
            match score.probability {
                Some(probability) => format!("{label} {}", percent(probability)),
                None => format!("{label} {:.4}", score.logit),
            }
        })
        .collect();
    if order.len() > SHOWN {
        parts.push(format!("{} more", order.len() - SHOWN));
    }
    parts.join(", ")
}

/// Texts at a masked place, with their probabilities.
#[must_use]
pub fn expected(candidates: &[Candidate]) -> String {
    let one = |candidate: &Candidate| {
        let trimmed = candidate.text.trim();
        // Of whitespace alone, the whitespace is the answer.
        let text = if trimmed.is_empty() {
            &candidate.text
        } else {
            trimmed
        };
        format!("{} {}", shown(text), percent(candidate.probability))
    };
    candidates.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn percent(probability: f64) -> String {
    let percent = 100.0 * probability;
    if percent > 0.0 && percent < 0.1 {
        "<0.1 %".to_owned()
    } else {
        format!("{percent:.1} %")
    }
}

/// Writes a table for a terminal.
///
/// # Errors
/// The errors of `w`.
pub fn write_text(w: &mut impl Write, predicted: &Predicted<'_>) -> io::Result<()> {
    let table = Table::new(predicted);
    writeln!(w, "{}", printable(predicted.name))?;
    let widths: Vec<usize> = (0..table.header.len())
        .map(|column| {
            let cells = table.rows.iter().map(|row| row[column].width());
            cells
                .chain([table.header[column].width()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let header = table.header.iter().map(|cell| (*cell).to_owned()).collect();
    for row in [&header].into_iter().chain(&table.rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str("  ");
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
        }
        writeln!(w, "{}", line.trim_end())?;
    }
    for note in &table.notes {
        writeln!(w, "{note}")?;
    }
    Ok(())
}

/// Writes a section with a table.
///
/// # Errors
/// The errors of `w`.
pub fn write_markdown(w: &mut impl Write, predicted: &Predicted<'_>) -> io::Result<()> {
    let table = Table::new(predicted);
    let cell = |text: &str| {
        text.replace('\\', "\\\\")
            .replace('|', "\\|")
            .replace('<', "&lt;")
            .replace('`', "\\`")
    };
    writeln!(w, "## {}\n", cell(&printable(predicted.name)))?;
    writeln!(w, "| {} |", table.header.join(" | "))?;
    writeln!(w, "|{}", " --- |".repeat(table.header.len()))?;
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        writeln!(w, "| {} |", cells.join(" | "))?;
    }
    for note in &table.notes {
        writeln!(w, "\n{note}")?;
    }
    Ok(())
}
