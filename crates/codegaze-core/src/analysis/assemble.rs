//! From scored windows to the analysis of the document: moves spans to their places, ranks lexemes, and scores lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunk::Chunk;
use super::{
    Analysis, AnalysisConfig, AnalyzedChunk, Embedding, ScoredLexeme, ScoredLine, ScoredWindow,
    SubwordScore, Timing, Unscored,
};
use codegaze_model::ModelInfo;
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;

/// Joins the windows of a document to one analysis, and reports text that no window covers as unscored.
#[must_use]
pub fn assemble(
    document: &Document,
    model: &Arc<ModelInfo>,
    config: &AnalysisConfig,
    windows: &[(Chunk, Arc<ScoredWindow>)],
) -> Analysis {
    let mut lexemes = Vec::new();
    let mut chunks = Vec::new();
    let mut timing = Timing::default();
    for (chunk, window) in windows {
        timing.tokenize += window.tokenize;
        timing.forward += window.forward;
        timing.attribute += window.attribute;
        lexemes.extend(place_lexemes(chunk, window, chunks.len()));
        chunks.push(place_chunk(chunk, window));
    }
    rank(&mut lexemes);
    Analysis {
        version: document.version(),
        model: Arc::clone(model),
        attribution: config.attribution.clone(),
        lines: score_lines(document, &lexemes),
        unscored: unscored(document, windows),
        sink_share: mean_over_chunks(&chunks, |chunk| chunk.sink_share),
        whitespace_share: mean_over_chunks(&chunks, |chunk| chunk.whitespace_share),
        embedding: embedding(windows),
        lexemes,
        chunks,
        timing,
    }
}

#[expect(clippy::cast_precision_loss, reason = "lexemes of one window")]
fn place_lexemes<'a>(
    chunk: &'a Chunk,
    window: &'a ScoredWindow,
    chunk_idx: usize,
) -> impl Iterator<Item = ScoredLexeme> + 'a {
    let n = window.lexemes.len() as f32;
    window.lexemes.iter().map(move |lexeme| ScoredLexeme {
        span: lexeme.span.shifted(chunk.span.start),
        kind: lexeme.kind,
        chunk_idx,
        share: lexeme.share,
        lift: lexeme.share * n,
        rank: 0,
    })
}

fn place_chunk(chunk: &Chunk, window: &ScoredWindow) -> AnalyzedChunk {
    let shift = |subword: &SubwordScore| SubwordScore {
        span: subword.span.map(|span| span.shifted(chunk.span.start)),
        ..*subword
    };
    AnalyzedChunk {
        span: chunk.span,
        core: chunk.core,
        n_tokens: window.n_tokens,
        sink_share: window.sink_share,
        whitespace_share: window.whitespace_share,
        context_share: window.context_share,
        subwords: window
            .subwords
            .as_ref()
            .map(|subwords| subwords.iter().map(shift).collect()),
        matrix: window.matrix.clone(),
        relations: window.relations.clone(),
    }
}

/// Ranks by lift, from 1; equal lifts in document order.
fn rank(lexemes: &mut [ScoredLexeme]) {
    let mut order: Vec<usize> = (0..lexemes.len()).collect();
    order.sort_by(|&a, &b| lexemes[b].lift.total_cmp(&lexemes[a].lift));
    for (rank, i) in order.into_iter().enumerate() {
        lexemes[i].rank = rank + 1;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of one document")]
fn score_lines(document: &Document, lexemes: &[ScoredLexeme]) -> Vec<ScoredLine> {
    let n_lexemes = lexemes.len() as f32;
    let mut shares: BTreeMap<u32, f32> = BTreeMap::new();
    for lexeme in lexemes {
        let line = document.index().line_col(lexeme.span.start).line;
        *shares.entry(line).or_default() += lexeme.lift / n_lexemes;
    }
    let n_lines = shares.len() as f32;
    shares
        .into_iter()
        .map(|(line, share)| ScoredLine {
            line,
            share,
            lift: share * n_lines,
        })
        .collect()
}

/// The text that no window scored: gaps between cores, and windows without lexemes.
fn unscored(document: &Document, windows: &[(Chunk, Arc<ScoredWindow>)]) -> Vec<Unscored> {
    let mut unscored: Vec<Unscored> = Vec::new();
    let mut add = |span: ByteSpan, reason: &str| {
        if !span.is_empty() {
            unscored.push(Unscored {
                span,
                reason: reason.to_owned(),
            });
        }
    };
    let mut seen = 0;
    for (chunk, window) in windows {
        add(ByteSpan::new(seen, chunk.core.start), "not analyzed");
        if window.lexemes.is_empty() {
            add(chunk.core, "nothing but whitespace");
        }
        seen = chunk.core.end;
    }
    add(ByteSpan::new(seen, document.text().len()), "not analyzed");
    unscored
}

#[expect(clippy::cast_precision_loss, reason = "counts of one document")]
fn mean_over_chunks(chunks: &[AnalyzedChunk], value: impl Fn(&AnalyzedChunk) -> f32) -> f32 {
    let total: usize = chunks.iter().map(|chunk| chunk.n_tokens).sum();
    let sum: f32 = chunks
        .iter()
        .map(|chunk| value(chunk) * chunk.n_tokens as f32)
        .sum();
    // An empty sum of floats is −0, which would be shown with its sign.
    sum / total.max(1) as f32 + 0.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of one document")]
fn embedding(windows: &[(Chunk, Arc<ScoredWindow>)]) -> Option<Embedding> {
    let parts: Vec<_> = windows
        .iter()
        .filter_map(|(_, window)| window.embedding.as_ref())
        .collect();
    let n_subwords: usize = parts.iter().map(|part| part.n_subwords).sum();
    let hidden = parts.first()?.cls.len();
    let mut embedding = Embedding {
        cls: vec![0.0; hidden],
        mean: vec![0.0; hidden],
    };
    for part in parts {
        let weight = part.n_subwords as f32 / n_subwords.max(1) as f32;
        for (mean, x) in embedding.cls.iter_mut().zip(&part.cls) {
            *mean += weight * x;
        }
        for (mean, x) in embedding.mean.iter_mut().zip(&part.sum) {
            *mean += x / n_subwords.max(1) as f32;
        }
    }
    Some(embedding)
}
