//! Masked language models: what is expected in the place of a lexeme.
//!
//! All subwords of the lexeme are masked at once, in the ids: positions stay, and text is never changed. With the probabilities `p_i` that
//! the model then gives to the subwords that stand there, the lexeme's probability is `∏ p_i` and its surprise `−Σ log₂ p_i` bits.

use std::sync::atomic::AtomicBool;

use codegaze_model::Model;
use codegaze_model::task::{Logits, TaskKind};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;
use codegaze_text::lexeme::{Lexeme, scan};
use codegaze_text::line_index::LineIndex;

use super::{Asker, Candidate, MaskedLexeme, PredictionError, PredictionOptions};
use crate::analysis::chunk::{Chunk, ChunkConfig, plan};

/// What stands for a mask in a text to fill.
const MASK: &str = "<mask>";

/// One lexeme of a window, and the subwords that lie on it.
struct Place {
    lexeme: Lexeme,
    subwords: Vec<usize>,
}

pub(super) fn lexemes(
    asker: &Asker<'_>,
    document: &Document,
    on_step: &mut dyn FnMut(usize, usize),
) -> Result<Vec<MaskedLexeme>, PredictionError> {
    let mask = asker
        .model
        .tokenizer()
        .mask_id()
        .ok_or(PredictionError::NoMask)?;
    let source = asker.read(document, ByteSpan::new(0, document.text().len()));
    let mut count = |text: &str| asker.model.tokenizer().count(text);
    let config = ChunkConfig::new(asker.model.info().max_code_subwords());
    let chunks = plan(
        &source.text,
        &LineIndex::new(&source.text),
        &mut count,
        &config,
    );
    let is_asked = |chunk: &Chunk, lexeme: &Lexeme| {
        let span = source.in_document(lexeme.span.shifted(chunk.span.start));
        asker
            .options
            .at
            .is_none_or(|at| (span.start..span.end).contains(&at))
    };
    let mut parts = Vec::new();
    for chunk in &chunks {
        let text = chunk.span.of(&source.text);
        let encoding = asker.model.tokenizer().encode(text);
        let core = chunk.core_in_span();
        let places: Vec<Place> = scan(text)
            .into_iter()
            .filter(|lexeme| core.contains(lexeme.span) && is_asked(chunk, lexeme))
            .map(|lexeme| Place {
                lexeme,
                subwords: subwords_on(&encoding.spans, lexeme.span),
            })
            .filter(|place| !place.subwords.is_empty())
            .collect();
        parts.push((chunk, encoding.ids, places));
    }
    let total: usize = parts.iter().map(|(.., places)| places.len()).sum();
    if total == 0 {
        return Err(PredictionError::NothingThere {
            what: "whitespace",
            where_: "",
        });
    }
    let mut found: Vec<MaskedLexeme> = Vec::with_capacity(total);
    for (chunk, ids, places) in parts {
        let mut last: Option<Vec<usize>> = None;
        for place in places {
            let span = source.in_document(place.lexeme.span.shifted(chunk.span.start));
            // Signs that share their subwords, such as `):`, have one answer.
            let answer = match found.last() {
                Some(answer) if last.as_ref() == Some(&place.subwords) => answer.clone(),
                _ => answer(asker, &ids, mask, &place.subwords)?,
            };
            found.push(MaskedLexeme {
                span,
                kind: place.lexeme.kind,
                ..answer
            });
            last = Some(place.subwords);
            on_step(found.len(), total);
        }
    }
    Ok(found)
}

/// The subwords that cover a part of a lexeme, ascending.
fn subwords_on(spans: &[Option<ByteSpan>], lexeme: ByteSpan) -> Vec<usize> {
    let lies_on = |span: &Option<ByteSpan>| span.is_some_and(|span| span.overlap(lexeme) > 0);
    (0..spans.len()).filter(|&i| lies_on(&spans[i])).collect()
}

/// The answer for some subwords of a window; its span and kind are to be filled in.
fn answer(
    asker: &Asker<'_>,
    ids: &[u32],
    mask: u32,
    subwords: &[usize],
) -> Result<MaskedLexeme, PredictionError> {
    let mut masked = ids.to_vec();
    for &subword in subwords {
        masked[subword] = mask;
    }
    let hidden = asker.last_hidden_state(&masked)?;
    let logits = asker.head.logits(asker.model, &hidden, subwords)?;
    let logs: Vec<Vec<f64>> = (0..subwords.len())
        .map(|i| logits.log_probabilities(i))
        .collect();
    let truth: f64 = subwords
        .iter()
        .zip(&logs)
        .map(|(&subword, logs)| logs[ids[subword] as usize])
        .sum();
    Ok(MaskedLexeme {
        span: ByteSpan::new(0, 0),
        kind: codegaze_text::lexeme::LexemeKind::Other,
        n_subwords: subwords.len(),
        probability: truth.exp(),
        // An exact 0 rather than −0.
        surprise: (-truth / std::f64::consts::LN_2).max(0.0),
        candidates: candidates(asker.model, &logs, asker.options.top),
    })
}

/// The `top` most probable texts: of independent subwords, each of them is among the `top` most probable of its place.
pub(super) fn candidates(model: &Model, logs: &[Vec<f64>], top: usize) -> Vec<Candidate> {
    let descending =
        |a: &(f64, Vec<u32>), b: &(f64, Vec<u32>)| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1));
    let top = top.min(super::MAX_TOP);
    let mut best = vec![(0.0, Vec::new())];
    for logs in logs {
        let mut longer = Vec::new();
        let mut here: Vec<(f64, Vec<u32>)> = (0u32..)
            .zip(logs)
            .map(|(id, log)| (*log, vec![id]))
            .collect();
        if top < here.len() && top > 0 {
            here.select_nth_unstable_by(top - 1, descending);
        }
        here.truncate(top);
        for (log, ids) in &best {
            for (more, id) in &here {
                longer.push((log + more, [ids.as_slice(), id].concat()));
            }
        }
        longer.sort_by(descending);
        longer.truncate(top);
        best = longer;
    }
    best.into_iter()
        .map(|(log, ids)| Candidate {
            text: model.tokenizer().decode(&ids),
            probability: log.exp(),
        })
        .collect()
}

/// The most probable subwords for each `<mask>` of a text, as transformers' fill-mask pipeline gives them. Whether a mask
/// takes the whitespace before it is the tokenizer's choice.
///
/// # Errors
/// When the model has no masked language model, when the text has no mask or does not fit the model, or when it is cancelled.
pub fn fill_masks(
    model: &Model,
    text: &str,
    options: &PredictionOptions,
    cancel: &AtomicBool,
) -> Result<Vec<Vec<Candidate>>, PredictionError> {
    let asker = Asker::new(model, options, cancel)?;
    let layout = asker.head.layout();
    if layout.kind != TaskKind::Masked {
        return Err(PredictionError::OtherTask {
            needs: "masks need a masked language model",
            task: Box::new(layout.clone()),
            next: "use a model with an lm_head, such as the embedded one",
        });
    }
    let tokenizer = model.tokenizer();
    let mask = tokenizer.mask_id().ok_or(PredictionError::NoMask)?;
    let parts: Vec<&str> = text.split(MASK).collect();
    if parts.len() < 2 {
        return Err(PredictionError::NoMaskInText);
    }
    let mut ids = Vec::new();
    let mut positions = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let is_last = i + 1 == parts.len();
        let part = if is_last || !tokenizer.mask_strips_left() {
            part
        } else {
            part.trim_end()
        };
        let encoding = tokenizer.encode(part);
        let subwords = encoding.ids.iter().zip(&encoding.spans);
        let is_text = |(_, span): &(&u32, &Option<ByteSpan>)| span.is_some();
        if i == 0 {
            ids.extend(
                subwords
                    .clone()
                    .take_while(|pair| !is_text(pair))
                    .map(|(id, _)| *id)
                    .take(1),
            );
        }
        ids.extend(subwords.filter(is_text).map(|(id, _)| *id));
        if !is_last {
            positions.push(ids.len());
            ids.push(mask);
        }
    }
    ids.extend(tokenizer.eos_id());
    let hidden = asker.last_hidden_state(&ids)?;
    let logits: Logits = asker.head.logits(model, &hidden, &positions)?;
    Ok((0..positions.len())
        .map(|i| candidates(model, &[logits.log_probabilities(i)], options.top))
        .collect())
}
