//! The document `codegaze.analysis/1`: see `docs/JSON.md` and `docs/analysis.schema.json`.

use std::io::{self, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use codegaze_core::attribution::{Aggregate, Method, Sinks};
use codegaze_text::ByteSpan;
use codegaze_text::language::{Language, file_language_id};

use super::AnalyzedDocument;
use super::label::subword_texts;
use super::levels::HeatLevel;
use super::matrix::Nested;
use super::milliseconds;
use super::options::HeadsAnswer;
use super::position::{Encoding, Positions, WireRange, WireSpan};

/// The value of `schema`. An incompatible change increments its number.
pub const SCHEMA: &str = "codegaze.analysis/1";

/// A picture inside the document.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    /// `image/png`, `image/svg+xml`, `text/html`.
    pub media_type: &'a str,
    /// The bytes of the file.
    pub data: &'a [u8],
}

/// Optional parts of the document. A part that the analysis does not contain is always omitted.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonOptions<'a> {
    /// Every subword.
    pub tokens: bool,
    /// The fused matrix of each chunk.
    pub attention: bool,
    /// A picture.
    pub image: Option<Image<'a>>,
}

/// An analyzed document as JSON. It borrows all text.
#[derive(Debug, Serialize)]
pub struct AnalysisJson<'a> {
    schema: &'static str,
    document: DocumentJson<'a>,
    model: ModelJson<'a>,
    view: ViewJson<'a>,
    lexemes: Vec<LexemeJson<'a>>,
    lines: Vec<LineJson>,
    chunks: Vec<ChunkJson<'a>>,
    unscored: Vec<UnscoredJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<Vec<TokenJson<'a>>>,
    embedding: Option<EmbeddingJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<ImageJson<'a>>,
    timing_ms: TimingJson,
    error: Option<&'a str>,
}

/// A document that could not be analyzed.
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

#[derive(Debug, Serialize)]
struct DocumentJson<'a> {
    path: &'a str,
    language: Option<&'static str>,
    sha256: String,
    bytes: usize,
    lines: usize,
}

#[derive(Debug, Serialize)]
struct ModelJson<'a> {
    id: &'a str,
    revision: Option<&'a str>,
    layers: usize,
    heads: usize,
    hidden_size: usize,
    max_tokens: usize,
    precision: &'static str,
}

#[derive(Debug, Serialize)]
struct ViewJson<'a> {
    method: Method,
    layers: &'a [usize],
    heads: HeadsAnswer<'a>,
    sinks: Sinks,
    /// Omitted if it is the sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    aggregate: Option<Aggregate>,
}

#[derive(Debug, Serialize)]
struct LexemeJson<'a> {
    span: WireSpan,
    range: WireRange,
    text: &'a str,
    kind: &'static str,
    share: f32,
    lift: f32,
    rank: usize,
    #[serde(serialize_with = "level")]
    level: HeatLevel,
}

#[derive(Debug, Serialize)]
struct LineJson {
    line: u32,
    share: f32,
    lift: f32,
}

#[derive(Debug, Serialize)]
struct ChunkJson<'a> {
    span: WireSpan,
    core: WireSpan,
    tokens: usize,
    sink_share: f32,
    whitespace_share: f32,
    context_share: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    attention: Option<Nested<'a>>,
}

#[derive(Debug, Serialize)]
struct UnscoredJson<'a> {
    span: WireSpan,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct TokenJson<'a> {
    text: &'a str,
    id: u32,
    span: Option<WireSpan>,
    score: f32,
    chunk: usize,
}

#[derive(Debug, Serialize)]
struct EmbeddingJson<'a> {
    cls: &'a [f32],
    mean: &'a [f32],
}

#[derive(Debug, Serialize)]
struct ImageJson<'a> {
    media_type: &'a str,
    encoding: &'static str,
    data: String,
}

#[derive(Debug, Serialize)]
struct TimingJson {
    chunk: f64,
    tokenize: f64,
    forward: f64,
    attribute: f64,
    total: f64,
}

impl<'a> AnalysisJson<'a> {
    /// The JSON of an analyzed document.
    #[must_use]
    pub fn new(document: &AnalyzedDocument<'a>, options: &JsonOptions<'a>) -> Self {
        let analysis = document.analysis;
        let model = &*analysis.model;
        let timing = analysis.timing;
        Self {
            schema: SCHEMA,
            document: DocumentJson {
                path: document.name,
                language: file_language_id(Path::new(document.name)),
                sha256: format!("{:x}", Sha256::digest(document.text().as_bytes())),
                bytes: document.text().len(),
                lines: document.line_count(),
            },
            model: ModelJson {
                id: &model.id,
                revision: model.revision.as_deref(),
                layers: model.n_layers,
                heads: model.n_heads,
                hidden_size: model.hidden_size,
                max_tokens: model.max_tokens,
                precision: model.precision.as_str(),
            },
            view: ViewJson {
                method: analysis.attribution.method,
                layers: &analysis.attribution.layers,
                heads: (&analysis.attribution.heads).into(),
                sinks: analysis.attribution.sinks,
                aggregate: Some(analysis.attribution.aggregate)
                    .filter(|aggregate| *aggregate != Aggregate::Sum),
            },
            lexemes: lexemes(document),
            lines: analysis
                .lines
                .iter()
                .map(|line| LineJson {
                    line: line.line,
                    share: line.share,
                    lift: line.lift,
                })
                .collect(),
            chunks: analysis
                .chunks
                .iter()
                .map(|chunk| ChunkJson {
                    span: chunk.span.into(),
                    core: chunk.core.into(),
                    tokens: chunk.n_tokens,
                    sink_share: chunk.sink_share,
                    whitespace_share: chunk.whitespace_share,
                    context_share: chunk.context_share,
                    attention: chunk
                        .matrix
                        .as_ref()
                        .filter(|_| options.attention)
                        .map(|matrix| {
                            Nested::new(&matrix.weights, &[matrix.n_tokens, matrix.n_tokens])
                        }),
                })
                .collect(),
            unscored: analysis
                .unscored
                .iter()
                .map(|part| UnscoredJson {
                    span: part.span.into(),
                    reason: &part.reason,
                })
                .collect(),
            tokens: options.tokens.then(|| tokens(document)),
            embedding: analysis.embedding.as_ref().map(|embedding| EmbeddingJson {
                cls: &embedding.cls,
                mean: &embedding.mean,
            }),
            image: options.image.map(|image| ImageJson {
                media_type: image.media_type,
                encoding: "base64",
                data: STANDARD.encode(image.data),
            }),
            timing_ms: TimingJson {
                chunk: milliseconds::rounded(timing.chunk),
                tokenize: milliseconds::rounded(timing.tokenize),
                forward: milliseconds::rounded(timing.forward),
                attribute: milliseconds::rounded(timing.attribute),
                total: milliseconds::rounded(timing.total),
            },
            error: None,
        }
    }

    /// With a language that is known otherwise than by the document's name.
    #[must_use]
    pub fn with_language(mut self, language: Language) -> Self {
        self.document.language = Some(language.id());
        self
    }
}

impl<'a> FailureJson<'a> {
    /// The JSON of a document at `path` that could not be analyzed because of `error`.
    #[must_use]
    pub fn new(path: &'a str, error: &'a str) -> Self {
        Self {
            schema: SCHEMA,
            document: FailedDocumentJson { path },
            error,
        }
    }
}

/// Writes one value on one line, as in JSON Lines.
///
/// # Errors
/// The errors of `w`.
pub fn write_json(w: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *w, value)?;
    w.write_all(b"\n")
}

fn lexemes<'a>(document: &AnalyzedDocument<'a>) -> Vec<LexemeJson<'a>> {
    let positions = Positions::new(document.source, Encoding::Utf16);
    document
        .lexemes()
        .map(|(lexeme, level)| LexemeJson {
            span: lexeme.span.into(),
            range: positions.range(lexeme.span),
            text: document.slice(lexeme.span),
            kind: lexeme.kind.as_str(),
            share: lexeme.share,
            lift: lexeme.lift,
            rank: lexeme.rank,
            level,
        })
        .collect()
}

fn tokens<'a>(document: &AnalyzedDocument<'a>) -> Vec<TokenJson<'a>> {
    let mut tokens = Vec::new();
    for (chunk, analyzed) in document.analysis.chunks.iter().enumerate() {
        let subwords = analyzed.subwords.as_deref().unwrap_or_default();
        let spans: Vec<Option<ByteSpan>> = subwords.iter().map(|subword| subword.span).collect();
        for (subword, text) in subwords.iter().zip(subword_texts(document.text(), &spans)) {
            tokens.push(TokenJson {
                text,
                id: subword.id,
                span: subword.span.map(WireSpan::from),
                score: subword.score,
                chunk,
            });
        }
    }
    tokens
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn level<S: Serializer>(level: &HeatLevel, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(level.get())
}

#[cfg(test)]
mod tests;
