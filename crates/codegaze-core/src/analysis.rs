//! One document in, one [`Analysis`] out: synchronous, and deterministic for a model and a configuration.
//!
//! | module | contents |
//! | --- | --- |
//! | [`chunk`] | the windows in which a model reads a document |
//! | `pass` | one window, tokenized, and the model that reads it |
//! | `window` | one window: text in, scores out |
//! | `assemble` | scored windows → the analysis of the document |
//! | `record` | the inputs of a pass's layers, from which other views are scored without a new pass |
//! | [`relations`] | each lexeme's strongest partners |
//! | [`thumbnails`] | small maps of all layers and heads of one window |
//! | [`raw`] | the raw tensors of one chunk |

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
    /// Where it is in the document.
    pub span: ByteSpan,
    /// What kind of lexeme it is.
    pub kind: LexemeKind,
    /// Index into [`Analysis::chunks`].
    pub chunk_idx: usize,
    /// Its part of the scores of its chunk's lexemes, 0 … 1; the shares of a chunk sum to 1.
    pub share: f32,
    /// `share` × number of lexemes in the chunk; 1 is the average lexeme.
    pub lift: f32,
    /// Its position in the order of lift in the document, from 1.
    pub rank: usize,
}

/// How much a model attends to one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredLine {
    /// From 0.
    pub line: u32,
    /// The sum of `lift` / number of lexemes in the document over the line's lexemes; all lines sum to 1. In a document of one
    /// chunk, this is the sum of their shares.
    pub share: f32,
    /// `share` × number of lines with lexemes; 1 is the average line.
    pub lift: f32,
}

/// One subword with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SubwordScore {
    /// The id in the model's vocabulary.
    pub id: u32,
    /// Where it is in the document; `None` for special subwords.
    pub span: Option<ByteSpan>,
    /// ≥ 0; a chunk's scores sum to 1. Special subwords have 0 if sinks are dropped.
    pub score: f32,
}

/// A fused attention matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct SubwordMatrix {
    /// The number of subwords, including special ones.
    pub n_tokens: usize,
    /// [query, key] with `n_tokens` rows and columns, row-major, rows sum to 1.
    pub weights: Vec<f32>,
}

/// One window of the document, analyzed.
#[derive(Clone, Debug, PartialEq)]
pub struct AnalyzedChunk {
    /// The text that the model read: the core and its context.
    pub span: ByteSpan,
    /// The text that was scored.
    pub core: ByteSpan,
    /// The number of subwords, including special ones; 0 for a chunk of whitespace, which the model does not read.
    pub n_tokens: usize,
    /// The share of attention on special subwords, 0 … 1.
    pub sink_share: f32,
    /// The share of the scores on whitespace subwords, 0 … 1.
    pub whitespace_share: f32,
    /// The share of the scores on the context around the core, 0 … 1.
    pub context_share: f32,
    /// Every subword; `None` unless [`Extras::subwords`] is set.
    pub subwords: Option<Vec<SubwordScore>>,
    /// The fused matrix over all of the chunk's subwords; `None` unless [`Extras::matrix`] is set.
    pub matrix: Option<SubwordMatrix>,
    /// The partners of each of the chunk's lexemes, in their order, with spans relative to the start of `span`; `None` unless
    /// [`Extras::relations`] is set. [`Analysis::relations`] returns spans in the document.
    pub relations: Option<Arc<Relations>>,
}

/// A part of the document without scores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscored {
    /// Where it is in the document.
    pub span: ByteSpan,
    /// Why it has no scores, as a phrase for the user.
    pub reason: String,
}

/// Vectors that represent the document, \[hidden\].
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// The mean of the chunks' last hidden states of `<s>`, weighted by their numbers of code subwords.
    pub cls: Vec<f32>,
    /// The mean of the last hidden states of all code subwords.
    pub mean: Vec<f32>,
}

/// Wall-clock time of each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Cutting the document into chunks.
    pub chunk: Duration,
    /// Tokenizing the chunks.
    pub tokenize: Duration,
    /// The encoder's passes, without attribution.
    pub forward: Duration,
    /// From attention to scores.
    pub attribute: Duration,
    /// From the beginning to the end.
    pub total: Duration,
}

/// The result for one version of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// The document's version.
    pub version: i64,
    /// The model that read the document.
    pub model: Arc<ModelInfo>,
    /// How attention became scores.
    pub attribution: AttributionConfig,
    /// All scored lexemes, ascending, disjoint.
    pub lexemes: Vec<ScoredLexeme>,
    /// All lines with lexemes, ascending.
    pub lines: Vec<ScoredLine>,
    /// All scored chunks, ascending.
    pub chunks: Vec<AnalyzedChunk>,
    /// The parts of the document without scores, ascending.
    pub unscored: Vec<Unscored>,
    /// The mean of the chunks' [`AnalyzedChunk::sink_share`], weighted by their numbers of subwords.
    pub sink_share: f32,
    /// The mean of the chunks' [`AnalyzedChunk::whitespace_share`], weighted by their numbers of subwords.
    pub whitespace_share: f32,
    /// Vectors of the document; `None` unless [`Extras::embedding`] is set.
    pub embedding: Option<Embedding>,
    /// How long the analysis took.
    pub timing: Timing,
}

impl Analysis {
    /// The index in [`Self::lexemes`] of the lexeme that contains a byte offset, or else ends there.
    #[must_use]
    pub fn lexeme_at(&self, offset: usize) -> Option<usize> {
        let after = self
            .lexemes
            .partition_point(|lexeme| lexeme.span.start <= offset);
        let at = after.checked_sub(1)?;
        (offset <= self.lexemes[at].span.end).then_some(at)
    }

    /// What the lexeme with this index in [`Self::lexemes`] attends to and is attended by, with spans in the document; `None` unless
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
    /// How attention becomes scores.
    pub attribution: AttributionConfig,
    /// How the document is cut into chunks.
    pub chunk: ChunkConfig,
    /// What the analysis contains besides lexemes and lines.
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
    /// The encoder failed, or the analysis was cancelled.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// Attention did not become scores.
    #[error(transparent)]
    Attribution(#[from] AttributionError),
}

/// Analyzes a whole document, chunk by chunk. It calls `on_chunk` with (chunks done, chunks in all) before every chunk and at the end.
///
/// # Errors
/// If `cancel` is set, if the model's numbers are not finite, or if the device fails.
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
