//! The model, the view and the size of an analysis, in one line.

use codegaze_core::attribution::{Aggregate, AttributionConfig, Fusion, HeadFusion, Sinks};
use codegaze_model::ModelInfo;

use super::AnalyzedDocument;
use super::label::printable;

/// `codegaze-mini · received, corrected for length · layer 5 of 0–5 · mean of 8 heads`.
#[must_use]
pub fn settings(document: &AnalyzedDocument<'_>) -> String {
    settings_of(&document.analysis.model, &document.analysis.attribution)
}

/// The same for a matrix, which no aggregate changes.
#[must_use]
pub fn matrix_settings(document: &AnalyzedDocument<'_>) -> String {
    describe(&document.analysis.model, &document.analysis.attribution, "")
}

/// The same from a model and a view, without an analysis.
#[must_use]
pub fn settings_of(model: &ModelInfo, attribution: &AttributionConfig) -> String {
    let aggregate = match attribution.aggregate {
        Aggregate::Sum => ", sum of subwords",
        Aggregate::Mean => ", mean per subword",
        Aggregate::Max => ", greatest subword",
        Aggregate::First => ", first subword",
        Aggregate::Corrected => ", corrected for length",
    };
    describe(model, attribution, aggregate)
}

fn describe(model: &ModelInfo, attribution: &AttributionConfig, aggregate: &str) -> String {
    let mut name = printable(&model.id);
    if let Some(revision) = &model.revision {
        name.push('@');
        name.push_str(&printable(&revision.chars().take(12).collect::<String>()));
    }
    format!(
        "{name} · {}{aggregate} · {} · {}",
        attribution.method,
        layers(attribution, model.n_layers),
        heads(attribution, model.n_heads),
    )
}

/// [`settings`], the numbers of chunks and subwords, the shares outside of lexemes, and the time.
#[must_use]
pub fn summary(document: &AnalyzedDocument<'_>) -> String {
    let analysis = document.analysis;
    let subwords: usize = analysis.chunks.iter().map(|chunk| chunk.n_tokens).sum();
    let sinks = match analysis.attribution.sinks {
        Sinks::Drop => format!("sinks {}", percent(analysis.sink_share)),
        Sinks::Keep => format!("sinks {} (kept)", percent(analysis.sink_share)),
    };
    format!(
        "{} · {} · {} · {sinks} · whitespace {} · {} ms",
        settings(document),
        count(analysis.chunks.len(), "chunk"),
        count(subwords, "subword"),
        percent(analysis.whitespace_share),
        analysis.timing.total.as_millis(),
    )
}

/// One line for each part of the document without scores.
pub fn unscored<'d>(document: &'d AnalyzedDocument<'_>) -> impl Iterator<Item = String> + 'd {
    document.analysis.unscored.iter().map(|part| {
        let first = document.line_number(part.span.start);
        let last = document.line_number(part.span.end.saturating_sub(1).max(part.span.start));
        let lines = if first == last {
            format!("line {first}")
        } else {
            format!("lines {first}–{last}")
        };
        format!(
            "not scored: {lines} ({}): {}",
            count(part.span.len(), "byte"),
            printable(&part.reason)
        )
    })
}

/// `1 chunk`, `2 chunks`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// `12.5 %`.
pub(crate) fn percent(share: f32) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A lift: `3.2×`, with two places below a tenth and none from ten.
pub(crate) fn times(lift: f32) -> String {
    if lift < 0.095 {
        format!("{lift:.2}×")
    } else if lift < 9.95 {
        format!("{lift:.1}×")
    } else {
        format!("{lift:.0}×")
    }
}

fn layers(config: &AttributionConfig, n_layers: usize) -> String {
    match config.layers.as_slice() {
        all if all.len() == n_layers => format!("all {n_layers} layers"),
        [one] => format!("layer {one} of 0–{}", n_layers.saturating_sub(1)),
        some => format!(
            "layers {} of 0–{}",
            numbers(some),
            n_layers.saturating_sub(1)
        ),
    }
}

fn heads(config: &AttributionConfig, n_heads: usize) -> String {
    match &config.heads {
        HeadFusion::All(Fusion::Mean) => format!("mean of {n_heads} heads"),
        HeadFusion::All(Fusion::Max) => format!("maximum of {n_heads} heads"),
        HeadFusion::Heads(heads) if heads.len() == 1 => {
            format!("head {} of 0–{}", numbers(heads), n_heads.saturating_sub(1))
        }
        HeadFusion::Heads(heads) => format!(
            "heads {} of 0–{}",
            numbers(heads),
            n_heads.saturating_sub(1)
        ),
    }
}

fn numbers(numbers: &[usize]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use codegaze_text::document::Document;

    use super::*;
    use crate::samples;

    #[test]
    fn says_what_was_done() {
        let analysis = samples::full(samples::PYTHON);
        let source = Document::new(samples::PYTHON, 0);
        let document = AnalyzedDocument::new("fib.py", &source, &analysis);
        let n = analysis.chunks[0].n_tokens;
        assert_eq!(
            summary(&document),
            format!(
                "codegaze-mini · received, corrected for length · layer 5 of 0–5 · mean of 8 heads · 1 chunk · {n} subwords · sinks 25.0 % · whitespace 12.5 % · 13 ms"
            )
        );
        assert_eq!(
            unscored(&document).collect::<Vec<_>>(),
            ["not scored: line 5 (0 bytes): longer than the model's window"]
        );
    }

    #[test]
    fn lifts_have_two_digits_or_so() {
        let table = [
            (0.0, "0.00×"),
            (0.03, "0.03×"),
            (0.0951, "0.1×"),
            (1.0, "1.0×"),
            (3.24, "3.2×"),
            (9.96, "10×"),
            (123.4, "123×"),
        ];
        for (lift, text) in table {
            assert_eq!(times(lift), text);
        }
    }

    #[test]
    fn a_model_id_cannot_carry_escapes() {
        let mut analysis = samples::analysis("x = 1");
        let mut model = (*analysis.model).clone();
        model.id = "dir\u{1b}]0;x\u{7}".to_owned();
        analysis.model = model.into();
        let source = Document::new("x = 1", 0);
        let document = AnalyzedDocument::new("x.py", &source, &analysis);
        assert!(!summary(&document).contains('\u{1b}'));
    }
}
