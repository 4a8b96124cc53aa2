//! One document in, one [`Analysis`] out; synchronous and pure, given a model.

pub mod chunk;
pub mod raw;
pub mod relations;
pub mod thumbnails;

mod assemble;
mod pass;
mod record;
mod window;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::attribution::{AttributionConfig, AttributionError};
use codegaze_model::roberta::ForwardError;
use codegaze_model::{Model, ModelInfo};
use codegaze_text::ByteSpan;
use codegaze_text::document::Document;
use codegaze_text::lexeme::LexemeKind;

pub use assemble::assemble;
pub use pass::Pass;
pub use record::PassRecord;
pub use window::{ScoredWindow, WindowLexeme, score_window};

use chunk::{Chunk, ChunkConfig};
use relations::{LexemeRelations, Relations};

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
    /// Its lexemes' share of the document, where every lexeme weighs `lift` / number of lexemes; all lines sum to 1. In a
    /// document of one chunk this is the sum of their shares.
    pub share: f32,
    /// `share` × number of lines with lexemes: 1 is the average line.
    pub lift: f32,
}

/// One subword with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubwordScore {
    pub id: u32,
    /// In the document; `None` for special subwords.
    pub span: Option<ByteSpan>,
    /// ≥ 0; a chunk's scores sum to 1. Special subwords have 0 when sinks are dropped.
    pub score: f32,
}

/// A fused attention matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct SubwordMatrix {
    pub n_tokens: usize,
    /// [query, key], row-major, rows sum to 1.
    pub weights: Vec<f32>,
}

/// One window of the document, analyzed.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyzedChunk {
    /// What the model read.
    pub span: ByteSpan,
    /// What was scored.
    pub core: ByteSpan,
    /// Number of subwords, special ones included; 0 if there was nothing but whitespace and the model was not run.
    pub n_tokens: usize,
    /// Share of the mass that special subwords took, 0 … 1.
    pub sink_share: f32,
    /// Share of the scores that whitespace subwords of the core took, 0 … 1.
    pub whitespace_share: f32,
    /// Share of the scores that the context around the core took, 0 … 1.
    pub context_share: f32,
    /// Every subword, when requested.
    pub subwords: Option<Vec<SubwordScore>>,
    /// The fused matrix over all of the chunk's subwords, when requested.
    pub matrix: Option<SubwordMatrix>,
    /// Of each of the chunk's lexemes, in their order, when requested; spans count from `span`'s start. See [`Analysis::relations`].
    pub relations: Option<Arc<Relations>>,
}

/// A part of the document without scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscored {
    pub span: ByteSpan,
    pub reason: String,
}

/// Vectors that represent the document, \[hidden\].
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
    pub chunks: Vec<AnalyzedChunk>,
    pub unscored: Vec<Unscored>,
    /// Mean over the chunks, weighted by subwords.
    pub sink_share: f32,
    /// Mean over the chunks, weighted by subwords.
    pub whitespace_share: f32,
    pub embedding: Option<Embedding>,
    pub timing: Timing,
}

impl Analysis {
    /// The lexeme at a byte offset, or the one that ends there, as an index into [`Self::lexemes`].
    #[must_use]
    pub fn lexeme_at(&self, offset: usize) -> Option<usize> {
        let after = self
            .lexemes
            .partition_point(|lexeme| lexeme.span.start <= offset);
        let at = after.checked_sub(1)?;
        (offset <= self.lexemes[at].span.end).then_some(at)
    }

    /// What the lexeme with this index attends to and is attended by, spans in the document; `None` unless
    /// [`Extras::relations`] was set.
    #[must_use]
    pub fn relations(&self, lexeme_idx: usize) -> Option<LexemeRelations> {
        let chunk_idx = self.lexemes.get(lexeme_idx)?.chunk_idx;
        let chunk = &self.chunks[chunk_idx];
        let first = self
            .lexemes
            .partition_point(|lexeme| lexeme.chunk_idx < chunk_idx);
        let relations = chunk.relations.as_ref()?.get(lexeme_idx - first)?;
        Some(relations.shifted(chunk.span.start))
    }
}

/// What an analysis contains besides lexemes and lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a part of its own")]
pub struct Extras {
    /// [`AnalyzedChunk::subwords`]
    pub subwords: bool,
    /// [`AnalyzedChunk::matrix`]
    pub matrix: bool,
    /// [`AnalyzedChunk::relations`]
    pub relations: bool,
    /// [`Analysis::embedding`]
    pub embedding: bool,
}

/// What to compute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalysisConfig {
    pub attribution: AttributionConfig,
    /// How the document is cut.
    pub chunk: ChunkConfig,
    pub extras: Extras,
}

impl AnalysisConfig {
    /// Chunks as large as the model's window.
    #[must_use]
    pub fn new(model: &ModelInfo, attribution: AttributionConfig) -> Self {
        Self {
            attribution,
            chunk: ChunkConfig::new(model.max_code_subwords()),
            extras: Extras::default(),
        }
    }
}

/// Why a document could not be analyzed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    #[error(transparent)]
    Forward(#[from] ForwardError),
    #[error(transparent)]
    Attribution(#[from] AttributionError),
}

/// Analyzes a whole document, chunk by chunk. `on_chunk` is called with (chunks done, chunks in all) before every chunk and
/// at the end.
///
/// # Errors
/// When `cancel` is raised, when the model's numbers are not finite, or when the device fails.
#[tracing::instrument(skip_all, fields(bytes = document.text().len(), model = %model.info().id))]
pub fn analyze(
    model: &Model,
    document: &Document,
    config: &AnalysisConfig,
    cancel: &AtomicBool,
    on_chunk: &mut dyn FnMut(usize, usize),
) -> Result<Analysis, AnalysisError> {
    let start = Instant::now();
    let chunks = plan_chunks(model, document, &config.chunk);
    let chunking = start.elapsed();
    let mut windows = Vec::with_capacity(chunks.len());
    for (i, chunk) in chunks.iter().enumerate() {
        on_chunk(i, chunks.len());
        let text = chunk.span.of(document.text());
        let pass = Pass::new(model, text, cancel);
        let window = score_window(pass, chunk.core_in_span(), config)?;
        windows.push((*chunk, Arc::new(window)));
    }
    on_chunk(chunks.len(), chunks.len());
    let mut analysis = assemble(document, model.info(), config, &windows);
    analysis.timing.chunk = chunking;
    analysis.timing.total = start.elapsed();
    Ok(analysis)
}

/// The windows in which a model reads a document.
#[must_use]
pub fn plan_chunks(model: &Model, document: &Document, config: &ChunkConfig) -> Vec<Chunk> {
    let mut count = |text: &str| model.tokenizer().count(text);
    chunk::plan(document.text(), document.index(), &mut count, config)
}
