//! One document in, one [`Analysis`] out; synchronous and pure, given a model.

pub mod chunk;

use std::sync::Arc;
use std::time::Duration;

use crate::attribution::AttributionConfig;
use crate::model::ModelInfo;
use crate::text::ByteSpan;
use crate::text::lexeme::LexemeKind;

/// How much a model attends to one lexeme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredLexeme {
    pub span: ByteSpan,
    pub kind: LexemeKind,
    /// Index into [`Analysis::chunks`].
    pub chunk_idx: usize,
    /// Share of the chunk's mass; the lexemes of a chunk sum to 1.
    pub share: f32,
    /// `share` × number of lexemes in the chunk: 1 is the average lexeme.
    pub lift: f32,
    /// Place by lift in the document, from 1.
    pub rank: usize,
}

/// How much a model attends to one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredLine {
    /// Zero-based.
    pub line: u32,
    /// Sum of its lexemes' shares.
    pub share: f32,
    /// `share` × number of lines with lexemes in the chunk: 1 is the average line.
    pub lift: f32,
}

/// One subword with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubwordScore {
    pub id: u32,
    /// In the document; `None` for special subwords.
    pub span: Option<ByteSpan>,
    /// ≥ 0, unnormalised over the chunk's subwords.
    pub score: f32,
}

/// A fused attention matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct SubwordMatrix {
    pub n_tokens: usize,
    /// [query, key], row-major, rows sum to 1.
    pub weights: Vec<f32>,
}

/// One window of the document, analysed.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalysedChunk {
    /// What the model read.
    pub span: ByteSpan,
    /// What was scored.
    pub core: ByteSpan,
    /// Number of subwords, special ones included.
    pub n_tokens: usize,
    /// Share of the mass that special subwords took, 0 … 1.
    pub sink_share: f32,
    /// Share of the remaining mass that whitespace subwords took, 0 … 1.
    pub whitespace_share: f32,
    /// Share of the remaining mass on the context around the core, 0 … 1.
    pub context_share: f32,
    /// Every subword, when asked for.
    pub subwords: Option<Vec<SubwordScore>>,
    /// The fused matrix over all of the chunk's subwords, when asked for.
    pub matrix: Option<SubwordMatrix>,
}

/// A part of the document without scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscored {
    pub span: ByteSpan,
    pub reason: String,
}

/// Vectors that stand for the document, [hidden].
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Mean of the chunks' `<s>` vectors, weighted by their code subwords.
    pub cls: Vec<f32>,
    /// Mean over all code subwords.
    pub mean: Vec<f32>,
}

/// Wall-clock time by stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    pub chunk: Duration,
    pub tokenize: Duration,
    pub forward: Duration,
    pub attribute: Duration,
    pub total: Duration,
}

/// The result for one version of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The document's version.
    pub version: i64,
    pub model: Arc<ModelInfo>,
    pub attribution: AttributionConfig,
    /// Ascending, disjoint.
    pub lexemes: Vec<ScoredLexeme>,
    /// Ascending; lines without lexemes are left out.
    pub lines: Vec<ScoredLine>,
    /// Ascending.
    pub chunks: Vec<AnalysedChunk>,
    pub unscored: Vec<Unscored>,
    /// Mean over the chunks, weighted by subwords.
    pub sink_share: f32,
    /// Mean over the chunks, weighted by subwords.
    pub whitespace_share: f32,
    pub embedding: Option<Embedding>,
    pub timing: Timing,
}
