//! `POST /analyze-with-attention` and `POST /analyze-attention`: the fused matrix of each chunk, and what is read off it.

use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::admission::Permit;
use super::super::app::{App, Shared};
use super::super::body::{Admitted, encode};
use super::super::error::{ApiError, ErrorBody, NOTHING};
use super::analyze::EmbeddingFields;
use super::ask::{Target, TargetFields, request_schema, resolve_subwords};
use super::chunks::{ChunkInfo, Shares, cells};
use super::explain::Picture;
use super::stages::{Stages, latency_ms};
use crate::analysis::{Extras, SubwordMatrix, SubwordScore};
use crate::attribution::AttributionConfig;
use crate::engine::{Finished, Planned, Scope};
use crate::off_thread::off_thread;
use crate::text::document::Document;
use crate::view::AnalyzedDocument;
use crate::view::heatmap::{Heatmap, render_png};
use crate::view::label::subword_texts;
use crate::view::matrix::Nested;
use crate::view::options::{ViewAnswer, ViewOptions};
use crate::view::position::WireSpan;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithAttentionRequest {
    #[serde(flatten)]
    target: TargetFields,
    #[serde(flatten)]
    view: ViewOptions,
    #[serde(flatten)]
    embedding: EmbeddingFields,
}

request_schema!(
    WithAttentionRequest,
    "A text whose embedding and attention to return.",
    TargetFields,
    ViewOptions,
    EmbeddingFields;
    without "aggregate"
);

/// What of the matrices is in the response, and how pictures of them are drawn.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct MatrixFields {
    /// Whether the response contains the matrices; by default true. Without matrices and pictures, a text can have any length.
    attention: Option<bool>,
    /// Width of the pictures in pixels; by default as wide as the content needs.
    #[schema(minimum = 1, maximum = 65535)]
    size: Option<u32>,
    /// One of the `colormaps` of `GET /models`.
    colormap: Option<String>,
    /// Whether to draw pictures; by default only if one chunk is read.
    visualize: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttentionRequest {
    #[serde(flatten)]
    target: TargetFields,
    #[serde(flatten)]
    view: ViewOptions,
    #[serde(flatten)]
    matrix: MatrixFields,
}

request_schema!(
    AttentionRequest,
    "A text whose attention to return.",
    TargetFields,
    ViewOptions,
    MatrixFields;
    without "aggregate"
);

/// Embedding and attention of a text. Fields that describe one chunk describe the first chunk that was read.
#[derive(Serialize, ToSchema)]
pub(crate) struct WithAttentionAnswer<'a> {
    pub embedding: Vec<f32>,
    #[serde(flatten)]
    pub first: MatrixOf<'a>,
    pub latency_ms: f64,
    pub view: ViewAnswer,
    /// The number of chunks in the whole text.
    pub chunk_count: usize,
    /// Every chunk that was read, if there is more than one; otherwise empty, because the fields above describe the only one.
    pub chunks: Vec<MatrixOf<'a>>,
}

/// A chunk's fused matrix.
#[derive(Serialize, ToSchema)]
pub(crate) struct MatrixOf<'a> {
    /// The source text of each subword; `<s>` and `</s>` for special subwords.
    pub tokens: Vec<&'a str>,
    /// [query][key], including special subwords; rows sum to 1.
    #[schema(value_type = Vec<Vec<f32>>)]
    pub attention: Nested<'a>,
    pub chunk: ChunkInfo,
}

/// Attention of a text, in four forms. Fields that describe one chunk describe the first chunk that was read.
#[derive(Serialize, ToSchema)]
pub(crate) struct AttentionAnswer<'a> {
    #[serde(flatten)]
    pub first: ReadingOf<'a>,
    /// Always null.
    #[schema(value_type = Option<String>)]
    pub error: (),
    pub latency_ms: f64,
    pub view: ViewAnswer,
    /// The number of chunks in the whole text.
    pub chunk_count: usize,
    /// Every chunk that was read, if there is more than one; otherwise empty, because the fields above describe the only one.
    pub chunks: Vec<ReadingOf<'a>>,
}

/// The score of each subword of a chunk, its fused matrix, and a picture of the matrix.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReadingOf<'a> {
    /// The source text of each subword; `<s>` and `</s>` for special subwords.
    pub tokens: Vec<&'a str>,
    /// [query][key], including special subwords; rows sum to 1. Null if the request does not want matrices.
    #[schema(value_type = Option<Vec<Vec<f32>>>)]
    pub attention: Option<Nested<'a>>,
    pub chunk: ChunkInfo,
    /// Scores by the text of the subwords; the scores of equal texts are summed.
    #[schema(value_type = std::collections::BTreeMap<String, f32>)]
    pub importance: ByText<'a>,
    /// The score of each subword.
    pub token_importance: Vec<TokenImportance<'a>>,
    /// A PNG of the matrix, as base64; null without one.
    #[schema(content_encoding = "base64", content_media_type = "image/png")]
    pub visualization: Option<String>,
    #[serde(flatten)]
    pub shares: Shares,
}

/// The score of one subword.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TokenImportance<'a> {
    pub text: &'a str,
    /// Null for special subwords.
    pub span: Option<WireSpan>,
    /// The line of its start, from 0; null for special subwords.
    pub line: Option<usize>,
    /// The scores of a chunk sum to 1.
    pub score: f32,
}

/// Scores by text, in the order in which texts appear.
pub(crate) struct ByText<'a>(Vec<(&'a str, f32)>);

impl<'a> ByText<'a> {
    fn new(tokens: &[TokenImportance<'a>]) -> Self {
        let mut places = std::collections::HashMap::new();
        let mut sums: Vec<(&str, f32)> = Vec::new();
        for token in tokens {
            let at = *places.entry(token.text).or_insert_with(|| {
                sums.push((token.text, 0.0));
                sums.len() - 1
            });
            sums[at].1 += token.score;
        }
        Self(sums)
    }
}

impl Serialize for ByText<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (text, score) in &self.0 {
            map.serialize_entry(text, score)?;
        }
        map.end()
    }
}

/// The embedding of a text, and the fused attention matrix of each chunk.
#[utoipa::path(
    post,
    path = "/analyze-with-attention",
    tag = "REST",
    request_body = WithAttentionRequest,
    responses(
        (status = 200, description = "Embedding and attention", body = WithAttentionAnswer),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn analyze_with_attention(
    app: Shared,
    Admitted { body, mut permit }: Admitted<WithAttentionRequest>,
) -> Result<Response, ApiError> {
    let target = Target::new(&app, body.target)?;
    let view = resolve_subwords(&body.view, target.model.info())?;
    let pooling = body.embedding.pooling.unwrap_or_default();
    let deadline = permit.deadline;
    let mut stages = Stages::default();
    let work = async {
        let plan = Plan::new(&app, target).await?;
        let instead = "request one chunk, or the embedding alone from POST /analyze";
        plan.reserve(&app, &mut permit, instead).await?;
        let extras = Extras {
            embedding: true,
            matrix: true,
            ..EXTRAS
        };
        let mut finished = plan.read(&app, view, extras, &mut stages).await?;
        let latency_ms = latency_ms(&permit);
        off_thread(move || {
            let start = Instant::now();
            let embedding = finished.analysis.embedding.take();
            let embedding = embedding.ok_or_else(|| ApiError::unanalysable(NOTHING))?;
            let (first, chunks) = first_and_all(|| matrices(&finished))?;
            let json = encode(&WithAttentionAnswer {
                embedding: pooling.of(embedding),
                first,
                latency_ms,
                view: ViewAnswer::new(&finished.analysis.model, &finished.analysis.attribution),
                chunk_count: finished.n_chunks,
                chunks,
            })?;
            Ok((json, start.elapsed()))
        })
        .await
    };
    let (json, rendering) = deadline.within(work).await?;
    stages.add("render", rendering);
    Ok(stages.respond(&app, json, permit))
}

/// The fused attention matrix of each chunk, the score of each subword, and a picture.
#[utoipa::path(
    post,
    path = "/analyze-attention",
    tag = "REST",
    request_body = AttentionRequest,
    responses(
        (status = 200, description = "Attention, importance, picture", body = AttentionAnswer),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn analyze_attention(
    app: Shared,
    Admitted { body, mut permit }: Admitted<AttentionRequest>,
) -> Result<Response, ApiError> {
    let MatrixFields {
        attention,
        size,
        colormap,
        visualize,
    } = body.matrix;
    let has_matrix = attention.unwrap_or(true);
    let picture = Picture::new(size, colormap.as_deref())?;
    let target = Target::new(&app, body.target)?;
    let view = resolve_subwords(&body.view, target.model.info())?;
    let deadline = permit.deadline;
    let mut stages = Stages::default();
    let work = async {
        let plan = Plan::new(&app, target).await?;
        let is_drawn = visualize.unwrap_or(plan.is_one_chunk()?);
        let picture = is_drawn.then_some(picture);
        let extras = Extras {
            matrix: has_matrix || is_drawn,
            ..EXTRAS
        };
        if extras.matrix {
            let instead = "request one chunk, or scores alone with `\"attention\": false` and without `visualize`";
            plan.reserve(&app, &mut permit, instead).await?;
        }
        let finished = plan.read(&app, view, extras, &mut stages).await?;
        let latency_ms = latency_ms(&permit);
        off_thread(move || {
            let start = Instant::now();
            let pictures = match picture {
                Some(picture) => draw(&finished, &picture)?,
                None => vec![None; finished.analysis.chunks.len()],
            };
            let drawing = start.elapsed();
            let (first, chunks) = first_and_all(|| readings(&finished, has_matrix, &pictures))?;
            let json = encode(&AttentionAnswer {
                first,
                error: (),
                latency_ms,
                view: ViewAnswer::new(&finished.analysis.model, &finished.analysis.attribution),
                chunk_count: finished.n_chunks,
                chunks,
            })?;
            Ok((json, drawing, start.elapsed().saturating_sub(drawing)))
        })
        .await
    };
    let (json, drawing, rendering) = deadline.within(work).await?;
    stages.add("draw", drawing);
    stages.add("render", rendering);
    Ok(stages.respond(&app, json, permit))
}

/// What both endpoints read of a chunk.
const EXTRAS: Extras = Extras {
    subwords: true,
    matrix: false,
    relations: false,
    embedding: false,
};

/// A request's text, cut into chunks.
struct Plan {
    planned: Arc<Planned>,
    scope: Scope,
    asked: Instant,
}

impl Plan {
    async fn new(app: &App, target: Target) -> Result<Self, ApiError> {
        let asked = Instant::now();
        let planned = app.engine.plan(target.model, target.document);
        Ok(Self {
            planned: planned.done().await?,
            scope: target.scope,
            asked,
        })
    }

    fn is_one_chunk(&self) -> Result<bool, ApiError> {
        Ok(self.planned.chunks_in(self.scope)?.len() == 1)
    }

    /// Waits until there is room for the matrices.
    async fn reserve(&self, app: &App, permit: &mut Permit, instead: &str) -> Result<(), ApiError> {
        let cells = cells(&self.planned, self.scope)?;
        app.admission.reserve(permit, cells, instead).await
    }

    async fn read(
        &self,
        app: &App,
        view: AttributionConfig,
        extras: Extras,
        stages: &mut Stages,
    ) -> Result<Finished, ApiError> {
        let pending = app.engine.analyze(&self.planned, self.scope, view, extras);
        let finished = pending.done().await?;
        stages.analysis(&finished, self.asked);
        app.metrics.read(&finished);
        Ok(finished)
    }
}

/// The first part, for the top of the response, and all parts if there is more than one.
fn first_and_all<T>(parts: impl Fn() -> Vec<T>) -> Result<(T, Vec<T>), ApiError> {
    let mut all = parts();
    let n = all.len();
    if n == 0 {
        return Err(ApiError::unanalysable(NOTHING));
    }
    let first = all.swap_remove(0);
    Ok((first, if n > 1 { parts() } else { Vec::new() }))
}

/// Of each chunk that was read, with its place in `finished` and its matrix, if that was requested.
fn read_chunks(
    finished: &Finished,
) -> impl Iterator<Item = (usize, &[SubwordScore], Option<&SubwordMatrix>)> {
    let chunks = finished.analysis.chunks.iter().enumerate();
    chunks.filter_map(|(at, chunk)| {
        let subwords = chunk.subwords.as_deref()?;
        // A chunk of whitespace has none.
        (!subwords.is_empty()).then_some((at, subwords, chunk.matrix.as_ref()))
    })
}

fn matrices(finished: &Finished) -> Vec<MatrixOf<'_>> {
    let infos = ChunkInfo::of(finished);
    read_chunks(finished)
        .filter_map(|(at, subwords, matrix)| {
            Some(MatrixOf {
                tokens: texts(finished, subwords),
                attention: nested(matrix?),
                chunk: infos[at].0.clone(),
            })
        })
        .collect()
}

fn texts<'a>(finished: &'a Finished, subwords: &[SubwordScore]) -> Vec<&'a str> {
    let spans: Vec<_> = subwords.iter().map(|subword| subword.span).collect();
    subword_texts(finished.document.text(), &spans)
}

fn nested(matrix: &SubwordMatrix) -> Nested<'_> {
    Nested::new(&matrix.weights, &[matrix.n_tokens, matrix.n_tokens])
}

fn readings<'a>(
    finished: &'a Finished,
    has_matrix: bool,
    pictures: &[Option<String>],
) -> Vec<ReadingOf<'a>> {
    let infos = ChunkInfo::of(finished);
    read_chunks(finished)
        .map(|(at, subwords, matrix)| {
            let (chunk, shares) = infos[at].clone();
            let tokens = texts(finished, subwords);
            let token_importance = token_importance(&finished.document, &tokens, subwords);
            ReadingOf {
                importance: ByText::new(&token_importance),
                token_importance,
                visualization: pictures[at].clone(),
                attention: matrix.filter(|_| has_matrix).map(nested),
                tokens,
                chunk,
                shares,
            }
        })
        .collect()
}

fn token_importance<'a>(
    document: &Document,
    texts: &[&'a str],
    subwords: &[SubwordScore],
) -> Vec<TokenImportance<'a>> {
    texts
        .iter()
        .zip(subwords)
        .map(|(&text, subword)| TokenImportance {
            text,
            span: subword.span.map(Into::into),
            line: subword
                .span
                .map(|span| document.index().line_at(span.start)),
            score: subword.score,
        })
        .collect()
}

/// A PNG of each chunk's matrix, as base64; `None` for chunks without a matrix.
fn draw(finished: &Finished, picture: &Picture) -> Result<Vec<Option<String>>, ApiError> {
    let document = AnalyzedDocument::new("text", &finished.document, &finished.analysis);
    let chunks = finished.analysis.chunks.iter().enumerate();
    chunks
        .map(|(at, chunk)| {
            if chunk.matrix.is_none() {
                return Ok(None);
            }
            let png = render_png(&Heatmap::from_chunk(&document, at)?, &picture.0)?;
            Ok(Some(STANDARD.encode(png)))
        })
        .collect()
}
