//! Classifiers: of texts by `<s>`, of pairs of texts by both, of subwords by each.

use codegaze_model::task::{Activation, Logits};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;
use codegaze_text::lexeme::scan;
use codegaze_text::line_index::LineIndex;
use codegaze_text::outline::{definition_at, outline};

use super::source::SourceText;
use super::{
    Asker, LabelScore, LabeledLexeme, PredictionError, UnitKind, UnitPrediction, WindowPrediction,
};
use crate::analysis::chunk::{ChunkConfig, plan};

/// The units of a document, each as a span and the name of its definition.
fn unit_spans(
    asker: &Asker<'_>,
    document: &Document,
) -> Result<Vec<(ByteSpan, Option<ByteSpan>)>, PredictionError> {
    let file = (ByteSpan::new(0, document.text().len()), None);
    if asker.options.by == UnitKind::File {
        return Ok(vec![file]);
    }
    let definitions = outline(document);
    if definitions.is_empty() {
        return Ok(vec![file]);
    }
    match asker.options.at {
        None => Ok(definitions
            .iter()
            .map(|definition| (definition.span, Some(definition.name)))
            .collect()),
        Some(offset) => definition_at(&definitions, offset)
            .map(|definition| vec![(definition.span, Some(definition.name))])
            .ok_or(PredictionError::NothingThere {
                what: "no definition",
                where_: " of a definition, or predict by file",
            }),
    }
}

pub(super) fn units(
    asker: &Asker<'_>,
    document: &Document,
    on_step: &mut dyn FnMut(usize, usize),
) -> Result<Vec<UnitPrediction>, PredictionError> {
    let spans = unit_spans(asker, document)?;
    let parts: Vec<_> = spans
        .into_iter()
        .map(|(span, name)| {
            let source = asker.read(document, span);
            let windows = windows(asker, &source);
            (span, name, source, windows)
        })
        .collect();
    let total = parts.iter().map(|(.., windows)| windows.len()).sum();
    let mut done = 0;
    let mut units = Vec::new();
    for (span, name, source, windows) in parts {
        let mut answers = Vec::with_capacity(windows.len());
        for window in windows {
            let hidden = first_state(asker, window.of(&source.text))?;
            let logits = asker.head.logits(asker.model, &hidden, &[0])?;
            answers.push(WindowPrediction {
                span: source.in_document(window),
                labels: labels(&logits, 0, asker.head.layout().activation),
            });
            done += 1;
            on_step(done, total);
        }
        units.push(unit(span, name, answers));
    }
    Ok(units)
}

pub(super) fn pair(
    asker: &Asker<'_>,
    documents: [&Document; 2],
    on_step: &mut dyn FnMut(usize, usize),
) -> Result<UnitPrediction, PredictionError> {
    let whole = |document: &Document| ByteSpan::new(0, document.text().len());
    let sources = documents.map(|document| asker.read(document, whole(document)));
    let both = [0, 1].map(|i| windows(asker, &sources[i]));
    let total = both[0].len() + both[1].len();
    let mut done = 0;
    let mut states = [Vec::new(), Vec::new()];
    for i in 0..2 {
        for window in &both[i] {
            states[i].push(first_state(asker, window.of(&sources[i].text))?);
            done += 1;
            on_step(done, total);
        }
    }
    let mut answers = Vec::new();
    for (window, first) in both[0].iter().zip(&states[0]) {
        for second in &states[1] {
            let logits =
                asker
                    .head
                    .logits(asker.model, &[first.as_slice(), second].concat(), &[0])?;
            answers.push(WindowPrediction {
                span: sources[0].in_document(*window),
                labels: labels(&logits, 0, asker.head.layout().activation),
            });
        }
    }
    Ok(unit(whole(documents[0]), None, answers))
}

pub(super) fn lexemes(
    asker: &Asker<'_>,
    document: &Document,
    on_step: &mut dyn FnMut(usize, usize),
) -> Result<Vec<LabeledLexeme>, PredictionError> {
    let source = asker.read(document, ByteSpan::new(0, document.text().len()));
    let windows = windows(asker, &source);
    let mut found = Vec::new();
    for (i, window) in windows.iter().enumerate() {
        let text = window.of(&source.text);
        let encoding = asker.model.tokenizer().encode(text);
        let hidden = asker.last_hidden_state(&encoding.ids)?;
        // Each lexeme's first subword, as transformers' pipelines do.
        let mut wanted = Vec::new();
        let mut positions = Vec::new();
        for lexeme in scan(text) {
            let covers =
                |span: &Option<ByteSpan>| span.is_some_and(|span| span.overlap(lexeme.span) > 0);
            let span = source.in_document(lexeme.span.shifted(window.start));
            let is_asked = asker
                .options
                .at
                .is_none_or(|at| (span.start..=span.end).contains(&at));
            if is_asked && let Some(position) = encoding.spans.iter().position(covers) {
                wanted.push((span, lexeme.kind));
                positions.push(position);
            }
        }
        let logits = asker.head.logits(asker.model, &hidden, &positions)?;
        for (i, (span, kind)) in wanted.into_iter().enumerate() {
            found.push(LabeledLexeme {
                span,
                kind,
                labels: labels(&logits, i, asker.head.layout().activation),
            });
        }
        on_step(i + 1, windows.len());
    }
    if found.is_empty() {
        return Err(PredictionError::NothingThere {
            what: "whitespace",
            where_: "",
        });
    }
    Ok(found)
}

/// The windows in which a model reads a text: as long as fit, cut where the code's structure is weakest.
fn windows(asker: &Asker<'_>, source: &SourceText) -> Vec<ByteSpan> {
    let max_subwords = asker.model.info().max_code_subwords();
    let config = ChunkConfig {
        max_subwords,
        min_subwords: max_subwords,
        context_subwords: 0,
    };
    let mut count = |text: &str| asker.model.tokenizer().count(text);
    plan(
        &source.text,
        &LineIndex::new(&source.text),
        &mut count,
        &config,
    )
    .iter()
    .map(|chunk| chunk.span)
    .filter(|span| !span.of(&source.text).trim().is_empty())
    .collect()
}

/// The hidden state of `<s>`, \[hidden\].
fn first_state(asker: &Asker<'_>, text: &str) -> Result<Vec<f32>, PredictionError> {
    let ids = asker.model.tokenizer().encode(text).ids;
    let mut hidden = asker.last_hidden_state(&ids)?;
    hidden.truncate(asker.model.info().hidden_size);
    Ok(hidden)
}

/// The labels of the position at `index`.
fn labels(logits: &Logits, index: usize, activation: Activation) -> Vec<LabelScore> {
    let logs = logits.log_probabilities(index);
    let values = &logits.values[index * logits.n_classes..(index + 1) * logits.n_classes];
    let best = (0..logs.len()).max_by(|a, b| logs[*a].total_cmp(&logs[*b]));
    logs.iter()
        .zip(values)
        .enumerate()
        .map(|(i, (log, logit))| LabelScore {
            probability: (activation != Activation::Identity).then(|| log.exp()),
            logit: f64::from(*logit),
            predicted: match activation {
                Activation::Softmax => Some(i) == best,
                Activation::Sigmoid => *logit >= 0.0,
                Activation::Identity => false,
            },
        })
        .collect()
}

fn unit(span: ByteSpan, name: Option<ByteSpan>, windows: Vec<WindowPrediction>) -> UnitPrediction {
    let strength = |window: &WindowPrediction| {
        let of = |label: &LabelScore| label.probability.unwrap_or(label.logit);
        if window.labels.len() <= 2 {
            window.labels.last().map_or(f64::NEG_INFINITY, of)
        } else {
            window
                .labels
                .iter()
                .map(of)
                .fold(f64::NEG_INFINITY, f64::max)
        }
    };
    // Of equal windows, the first.
    let decisive = (0..windows.len())
        .rev()
        .max_by(|a, b| strength(&windows[*a]).total_cmp(&strength(&windows[*b])))
        .unwrap_or(0);
    UnitPrediction {
        span,
        name,
        windows,
        decisive,
    }
}
