//! Analyses built by hand, for tests.
#![allow(clippy::missing_panics_doc, reason = "a test fails where it stands")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // small numbers

use std::sync::Arc;
use std::time::Duration;

use codegaze_core::analysis::relations::Relations;
use codegaze_core::analysis::{
    Analysis, AnalyzedChunk, Embedding, ScoredLexeme, ScoredLine, SubwordMatrix, SubwordScore,
    Timing, Unscored,
};
use codegaze_core::attribution::align::Alignment;
use codegaze_core::attribution::{Aggregate, AttributionConfig, HeadFusion, Method, Sinks};
use codegaze_model::{Device, ModelInfo, Precision};
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::{LexemeKind, scan};
use codegaze_text::line_index::LineIndex;

/// A short Python file.
pub const PYTHON: &str =
    "def fib(n):\n\tif n < 2:  # café 🙂\n\t\treturn n\r\n\treturn fib(n - 1) + fib(n - 2)\n";

/// Deterministic numbers instead of attention: > 0 and heavy-tailed.
fn mass(seed: usize) -> f32 {
    let mixed = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let unit = mixed as f32 / (1u64 << 24) as f32;
    0.05 + unit.powi(6) * 4.0
}

/// One chunk over the whole text: a subword for each lexeme and each run of whitespace, three for a four-byte character.
#[expect(clippy::too_many_lines, reason = "one value, written out")]
pub fn analysis(text: &str) -> Analysis {
    let found = scan(text);
    let masses: Vec<f32> = (0..found.len()).map(mass).collect();
    let total: f32 = masses.iter().sum();
    let mut by_lift: Vec<usize> = (0..found.len()).collect();
    by_lift.sort_by(|&a, &b| masses[b].total_cmp(&masses[a]).then(a.cmp(&b)));
    let mut ranks = vec![0; found.len()];
    for (place, &idx) in by_lift.iter().enumerate() {
        ranks[idx] = place + 1;
    }
    let lexemes: Vec<ScoredLexeme> = found
        .iter()
        .enumerate()
        .map(|(idx, lexeme)| ScoredLexeme {
            span: lexeme.span,
            kind: lexeme.kind,
            chunk_idx: 0,
            share: masses[idx] / total,
            lift: masses[idx] / total * found.len() as f32,
            rank: ranks[idx],
        })
        .collect();

    let index = LineIndex::new(text);
    let mut lines: Vec<ScoredLine> = Vec::new();
    for lexeme in &lexemes {
        let line = index.line_col(lexeme.span.start).line;
        match lines.last_mut() {
            Some(last) if last.line == line => last.share += lexeme.share,
            _ => lines.push(ScoredLine {
                line,
                share: lexeme.share,
                lift: 0.0,
            }),
        }
    }
    let n_lines = lines.len() as f32;
    for line in &mut lines {
        line.lift = line.share * n_lines;
    }

    let mut spans = vec![None];
    let mut at = 0;
    for lexeme in &lexemes {
        if lexeme.span.start > at {
            spans.push(Some(ByteSpan::new(at, lexeme.span.start)));
        }
        let copies = if lexeme.span.len() == 4 && lexeme.kind == LexemeKind::Other {
            3
        } else {
            1
        };
        spans.extend(std::iter::repeat_n(Some(lexeme.span), copies));
        at = lexeme.span.end;
    }
    if at < text.len() {
        spans.push(Some(ByteSpan::new(at, text.len())));
    }
    spans.push(None);
    let subwords: Vec<SubwordScore> = spans
        .iter()
        .enumerate()
        .map(|(idx, &span)| SubwordScore {
            id: idx as u32,
            span,
            score: mass(idx),
        })
        .collect();
    let n_tokens = subwords.len();
    let whole = ByteSpan::new(0, text.len());
    Analysis {
        version: 1,
        model: Arc::new(ModelInfo {
            id: "codegaze-mini".to_owned(),
            revision: None,
            n_layers: 6,
            n_heads: 8,
            hidden_size: 256,
            max_tokens: 512,
            n_special: 2,
            device: Device::Cpu,
            precision: Precision::F32,
            fingerprint: 7,
            encoder_prefix: String::new(),
            notes: Vec::new(),
        }),
        attribution: AttributionConfig {
            layers: vec![5],
            method: Method::default(),
            heads: HeadFusion::default(),
            sinks: Sinks::default(),
            aggregate: Aggregate::default(),
        },
        lexemes,
        lines,
        chunks: vec![AnalyzedChunk {
            span: whole,
            core: whole,
            n_tokens,
            sink_share: 0.25,
            whitespace_share: 0.125,
            context_share: 0.0,
            subwords: Some(subwords),
            matrix: Some(matrix(n_tokens)),
            relations: None,
        }],
        unscored: Vec::new(),
        sink_share: 0.25,
        whitespace_share: 0.125,
        embedding: None,
        timing: Timing {
            chunk: Duration::from_micros(120),
            tokenize: Duration::from_micros(800),
            forward: Duration::from_millis(12),
            attribute: Duration::from_micros(300),
            total: Duration::from_micros(13_220),
        },
    }
}

/// Weights that look like attention: strong near the diagonal and in some columns, with sinks in the first and last column. Rows sum to 1.
pub fn matrix(n_tokens: usize) -> SubwordMatrix {
    let mut weights = Vec::with_capacity(n_tokens * n_tokens);
    for query in 0..n_tokens {
        let row: Vec<f32> = (0..n_tokens)
            .map(|key| {
                let near = (-(query.abs_diff(key) as f32) / 3.0).exp();
                let sink = if key == 0 || key + 1 == n_tokens {
                    2.0
                } else {
                    0.0
                };
                near + 0.3 * mass(key) * mass(query * 31 + key) + sink
            })
            .collect();
        let sum: f32 = row.iter().sum();
        weights.extend(row.iter().map(|w| w / sum));
    }
    SubwordMatrix { n_tokens, weights }
}

/// An analysis with the relations that follow from its matrix.
pub fn related(text: &str) -> Analysis {
    let mut analysis = analysis(text);
    let chunk = &mut analysis.chunks[0];
    let spans: Vec<Option<ByteSpan>> = chunk
        .subwords
        .iter()
        .flatten()
        .map(|subword| subword.span)
        .collect();
    let special: Vec<bool> = spans.iter().map(Option::is_none).collect();
    let lexemes = scan(text);
    let weights = &chunk
        .matrix
        .as_ref()
        .expect("a full analysis has its matrix")
        .weights;
    let alignment = Alignment::new(&spans, &lexemes);
    let relations = Relations::new(weights, &special, &alignment, &lexemes, chunk.core);
    chunk.relations = Some(relations.into());
    analysis
}

/// An analysis with all optional parts.
pub fn full(text: &str) -> Analysis {
    let mut analysis = analysis(text);
    analysis.embedding = Some(Embedding {
        cls: vec![0.5, -1.25],
        mean: vec![0.0, 3.0],
    });
    analysis.unscored = vec![Unscored {
        span: ByteSpan::new(text.len(), text.len()),
        reason: "longer than the model's window".to_owned(),
    }];
    analysis
}
