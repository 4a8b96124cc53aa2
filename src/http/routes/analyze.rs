//! `POST /analyze`: the embedding of a text.

use std::time::Instant;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::app::Shared;
use super::super::body::{Admitted, encode};
use super::super::error::{ApiError, ErrorBody, NOTHING};
use super::ask::{Target, TargetFields, request_schema, resolve_subwords};
use super::chunks::{ChunkInfo, Shares, UnscoredPart};
use super::stages::{Stages, latency_ms};
use crate::analysis::{Embedding, Extras};
use crate::view::options::{ViewAnswer, ViewOptions};

/// Which vector represents the text.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Pooling {
    /// The mean over all code subwords.
    #[default]
    Mean,
    /// The vector of `<s>`. If the text has several chunks: the mean of their vectors, weighted by subwords.
    Cls,
}

impl Pooling {
    pub fn of(self, embedding: Embedding) -> Vec<f32> {
        match self {
            Self::Mean => embedding.mean,
            Self::Cls => embedding.cls,
        }
    }
}

/// How an embedding is made.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct EmbeddingFields {
    /// Which vector represents the text; by default `mean`.
    pub pooling: Option<Pooling>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnalyzeRequest {
    #[serde(flatten)]
    target: TargetFields,
    #[serde(flatten)]
    view: ViewOptions,
    #[serde(flatten)]
    embedding: EmbeddingFields,
}

request_schema!(
    AnalyzeRequest,
    "A text to embed.",
    TargetFields,
    ViewOptions,
    EmbeddingFields;
    without "aggregate"
);

/// The embedding of a text, and how the model read it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnalyzeAnswer {
    /// A vector of the model's hidden size.
    pub embedding: Vec<f32>,
    /// The number of subwords that the model read, including special ones.
    pub token_count: usize,
    /// The time from the admission of the request to the response.
    pub latency_ms: f64,
    pub view: ViewAnswer,
    /// The number of chunks in the whole text.
    pub chunk_count: usize,
    /// The chunks that were read, in ascending order.
    pub chunks: Vec<ChunkAnswer>,
    pub unscored: Vec<UnscoredPart>,
}

/// One chunk that was read.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AnalyzedChunk)]
pub(crate) struct ChunkAnswer {
    #[serde(flatten)]
    pub chunk: ChunkInfo,
    #[serde(flatten)]
    pub shares: Shares,
    /// Whether the result came from the cache.
    pub cached: bool,
}

/// The embedding of a text of any length.
#[utoipa::path(
    post,
    path = "/analyze",
    tag = "REST",
    request_body = AnalyzeRequest,
    responses(
        (status = 200, description = "The embedding", body = AnalyzeAnswer),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn analyze(
    app: Shared,
    Admitted { body, permit, .. }: Admitted<AnalyzeRequest>,
) -> Result<Response, ApiError> {
    let target = Target::new(&app, body.target)?;
    let view = resolve_subwords(&body.view, target.model.info())?;
    let extras = Extras {
        embedding: true,
        ..Extras::default()
    };
    let asked = Instant::now();
    let work = async {
        let planned = app.engine.plan(target.model, target.document);
        let planned = planned.done().await?;
        let pending = app.engine.analyze(&planned, target.scope, view, extras);
        Ok(pending.done().await?)
    };
    let mut finished = permit.deadline.within(work).await?;
    let mut stages = Stages::default();
    stages.analysis(&finished, asked);
    app.metrics.read(&finished);
    let embedding = finished.analysis.embedding.take();
    let embedding = embedding.ok_or_else(|| ApiError::unanalysable(NOTHING))?;
    let chunks = ChunkInfo::of(&finished);
    let found = AnalyzeAnswer {
        embedding: body.embedding.pooling.unwrap_or_default().of(embedding),
        token_count: chunks.iter().map(|(chunk, _)| chunk.token_count).sum(),
        latency_ms: latency_ms(&permit),
        view: ViewAnswer::new(&finished.analysis.model, &finished.analysis.attribution),
        chunk_count: finished.n_chunks,
        chunks: chunks
            .into_iter()
            .zip(&finished.cached)
            .map(|((chunk, shares), &cached)| ChunkAnswer {
                chunk,
                shares,
                cached,
            })
            .collect(),
        unscored: finished.analysis.unscored.iter().map(Into::into).collect(),
    };
    let json = stages.measure("render", || encode(&found))?;
    Ok(stages.respond(&app, json, permit))
}
