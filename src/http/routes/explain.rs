//! `POST /explain`: a picture of a matrix that the request contains.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::app::Shared;
use super::super::body::{Admitted, encode};
use super::super::error::{ApiError, ErrorBody};
use super::stages::{Stages, latency_ms};
use crate::off_thread::off_thread;
use crate::text::named::UnknownName;
use crate::view::colormap::Colormap;
use crate::view::heatmap::{Heatmap, render_png};
use crate::view::picture::RenderOptions;

/// A matrix to draw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainRequest {
    /// The labels of the rows and columns.
    #[schema(min_items = 1, max_items = 4096, example = json!(["def", "add"]))]
    pub tokens: Vec<String>,
    /// [query][key], with one row and one column for each token. Weights are finite and not negative.
    #[schema(example = json!([[0.25, 0.75], [0.5, 0.5]]))]
    pub attention: Vec<Vec<f32>>,
    /// The title above the picture; by default `Attention`.
    #[schema(max_length = 1000)]
    pub title: Option<String>,
    /// Width in pixels; by default as wide as the content needs.
    #[schema(minimum = 1, maximum = 65535)]
    pub size: Option<u32>,
    /// One of the `colormaps` of `GET /models`.
    pub colormap: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplainAnswer {
    /// A PNG, as base64.
    #[schema(content_encoding = "base64", content_media_type = "image/png")]
    pub visualization: String,
    pub latency_ms: f64,
}

/// How pictures are drawn.
pub(crate) struct Picture(pub RenderOptions);

/// Longer titles are rejected.
const MAX_TITLE: usize = 1000;

impl Picture {
    pub fn new(size: Option<u32>, colormap: Option<&str>) -> Result<Self, ApiError> {
        let colormap = colormap.map(str::parse).transpose();
        let colormap: Option<Colormap> =
            colormap.map_err(|error: UnknownName| ApiError::unanalysable(error.to_string()))?;
        Ok(Self(RenderOptions {
            size,
            colormap: colormap.unwrap_or_default(),
            ..RenderOptions::default()
        }))
    }
}

/// A picture of any square matrix.
#[utoipa::path(
    post,
    path = "/explain",
    tag = "REST",
    request_body = ExplainRequest,
    responses(
        (status = 200, description = "The picture", body = ExplainAnswer),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn explain(
    app: Shared,
    Admitted { body, mut permit }: Admitted<ExplainRequest>,
) -> Result<Response, ApiError> {
    let picture = Picture::new(body.size, body.colormap.as_deref())?;
    if body
        .title
        .as_ref()
        .is_some_and(|title| title.len() > MAX_TITLE)
    {
        return Err(ApiError::unanalysable(format!(
            "the title is longer than {MAX_TITLE} bytes; shorten it"
        )));
    }
    let deadline = permit.deadline;
    let mut stages = Stages::default();
    let work = async {
        let cells = body.attention.iter().map(Vec::len).sum();
        app.admission
            .reserve(&mut permit, cells, "send a smaller matrix")
            .await?;
        off_thread(move || {
            let title = body.title.as_deref().unwrap_or("Attention");
            let heatmap = Heatmap::from_rows(title, &body.tokens, &body.attention)?;
            let start = std::time::Instant::now();
            let png = render_png(&heatmap, &picture.0)?;
            Ok((STANDARD.encode(png), start.elapsed()))
        })
        .await
    };
    let (visualization, drawing) = deadline.within(work).await?;
    stages.add("draw", drawing);
    let json = encode(&ExplainAnswer {
        visualization,
        latency_ms: latency_ms(&permit),
    })?;
    Ok(stages.respond(&app, json, permit))
}
