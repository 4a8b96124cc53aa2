//! `POST /get-attention`: the weights of any layers and heads, as the model has them.

use std::time::Instant;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::app::Shared;
use super::super::body::{Admitted, encode};
use super::super::error::{ApiError, ErrorBody};
use super::ask::{Target, TargetFields, request_schema};
use super::chunks::{ChunkInfo, cells};
use super::stages::{Stages, latency_ms};
use crate::analysis::raw::{RawChoice, RawHeads};
use crate::attribution::{AttributionOptions, HeadFusion};
use crate::engine::{Planned, RawChunk};
use crate::model::ModelInfo;
use crate::off_thread::off_thread;
use crate::view::label::subword_texts;
use crate::view::matrix::Nested;
use crate::view::options::{Field, HeadsAnswer, IndexChoice, ViewOptions};

/// Which layers and heads. `layer` and `head` remove their axis from the response; `layers` and `heads` keep it.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct RawFields {
    /// One layer: a number from 0, or `last`; by default the last layer.
    #[schema(value_type = Option<IndexChoice>)]
    layer: Option<Field<IndexChoice>>,
    /// `all`, a number from 0, a range `0-5`, or a list.
    #[schema(value_type = Option<IndexChoice>)]
    layers: Option<Field<IndexChoice>>,
    /// One head: a number from 0, or `mean` or `max` of all; by default their mean.
    #[schema(value_type = Option<IndexChoice>)]
    head: Option<Field<IndexChoice>>,
    /// `all`, a number from 0, a range `0-7`, or a list: each head separately. `mean` or `max`: all heads fused.
    #[schema(value_type = Option<IndexChoice>)]
    heads: Option<Field<IndexChoice>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRequest {
    #[serde(flatten)]
    target: TargetFields,
    #[serde(flatten)]
    choice: RawFields,
}

request_schema!(
    RawRequest,
    "A text whose raw attention weights to return. `layer` and `head` remove their axis from the response; `layers` and `heads` keep it.",
    TargetFields,
    RawFields
);

/// Raw attention of a text. Fields that describe one chunk describe the first chunk that was read.
#[derive(Serialize, ToSchema)]
pub(crate) struct RawAnswer<'a> {
    #[serde(flatten)]
    pub first: RawOf<'a>,
    /// The model's id.
    pub model: &'a str,
    pub revision: Option<&'a str>,
    /// The layers along the axis `layer`, or the only layer if the axis is absent.
    pub layers: &'a [usize],
    /// The heads along the axis `head`, or the only head if the axis is absent; `mean` or `max` for all heads fused.
    pub heads: HeadsAnswer<'a>,
    /// The axes of `attention`, outermost first.
    pub axes: Vec<Axis>,
    pub latency_ms: f64,
    /// The number of chunks in the whole text.
    pub chunk_count: usize,
    /// Every chunk that was read, if there is more than one; otherwise empty, because the fields above describe the only one.
    pub chunks: Vec<RawOf<'a>>,
}

/// A chunk's raw attention.
#[derive(Serialize, ToSchema)]
pub(crate) struct RawOf<'a> {
    /// The source text of each subword; `<s>` and `</s>` for special subwords.
    pub tokens: Vec<&'a str>,
    /// Nested lists, one level for each of `axes`, including special subwords. Each innermost list sums to 1, unless heads were fused by `max`.
    #[schema(value_type = Vec<serde_json::Value>)]
    pub attention: Nested<'a>,
    pub chunk: ChunkInfo,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Axis {
    Layer,
    Head,
    Query,
    Key,
}

/// What is requested, checked against the model.
struct Chosen {
    choice: RawChoice,
    axes: Vec<Axis>,
}

impl RawFields {
    fn choose(self, info: &ModelInfo) -> Result<Chosen, ApiError> {
        let both = |one: &str| {
            ApiError::unanalysable(format!(
                "both {one} and {one}s are given; give only one of them"
            ))
        };
        if self.layer.is_some() && self.layers.is_some() {
            return Err(both("layer"));
        }
        if self.head.is_some() && self.heads.is_some() {
            return Err(both("head"));
        }
        let one_layer = self.layers.is_none();
        let one_head = self.heads.is_none();
        let all_heads = matches!(
            &self.heads,
            Some(Field::Valid(IndexChoice::Text(text))) if text == "all"
        );
        let options = ViewOptions {
            layers: self.layers.or(self.layer).map(Some),
            heads: self.heads.or(self.head).filter(|_| !all_heads),
            ..ViewOptions::default()
        };
        let view = options
            .apply(&AttributionOptions::default())?
            .resolve(info)?;
        let heads = match view.heads {
            _ if all_heads => RawHeads::Each((0..info.n_heads).collect()),
            HeadFusion::Heads(heads) => RawHeads::Each(heads),
            HeadFusion::All(fusion) => RawHeads::Fused(fusion),
        };
        let n_heads = match &heads {
            RawHeads::Each(heads) => heads.len(),
            RawHeads::Fused(_) => 1,
        };
        let single = |name: &str, n: usize| {
            ApiError::unanalysable(format!("{name} is one, not {n}; give several as {name}s"))
        };
        if one_layer && view.layers.len() != 1 {
            return Err(single("layer", view.layers.len()));
        }
        if one_head && n_heads != 1 {
            return Err(single("head", n_heads));
        }
        let mut axes = Vec::with_capacity(4);
        if !one_layer {
            axes.push(Axis::Layer);
        }
        if !one_head {
            axes.push(Axis::Head);
        }
        axes.extend([Axis::Query, Axis::Key]);
        Ok(Chosen {
            choice: RawChoice {
                layers: view.layers,
                heads,
                hidden_states: false,
            },
            axes,
        })
    }
}

/// The raw attention weights of any layers and heads.
#[utoipa::path(
    post,
    path = "/get-attention",
    tag = "REST",
    request_body = RawRequest,
    responses(
        (status = 200, description = "The weights", body = RawAnswer),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn get_attention(
    app: Shared,
    Admitted { body, mut permit }: Admitted<RawRequest>,
) -> Result<Response, ApiError> {
    let target = Target::new(&app, body.target)?;
    let model = std::sync::Arc::clone(&target.model);
    let Chosen { choice, axes } = body.choice.choose(model.info())?;
    let deadline = permit.deadline;
    let mut stages = Stages::default();
    let work = async {
        let planned = app.engine.plan(target.model, target.document);
        let planned = planned.done().await?;
        let n_maps = choice.layers.len() * choice.heads.len();
        let cells = cells(&planned, target.scope)?.saturating_mul(n_maps);
        let instead = "request one chunk, or fewer layers and heads";
        app.admission.reserve(&mut permit, cells, instead).await?;
        let asked = Instant::now();
        let read = app.engine.raw(&planned, target.scope, choice);
        let read = read.done().await?;
        for chunk in &read {
            app.metrics.tokens(chunk.raw.n_tokens, false);
        }
        stages.add("forward", asked.elapsed());
        let latency_ms = latency_ms(&permit);
        off_thread(move || {
            let start = Instant::now();
            let json = render(&planned, &read, &axes, latency_ms)?;
            Ok((json, start.elapsed()))
        })
        .await
    };
    let (json, rendering) = deadline.within(work).await?;
    stages.add("render", rendering);
    Ok(stages.respond(&app, json, permit))
}

/// `read` is not empty.
fn render(
    planned: &Planned,
    read: &[RawChunk],
    axes: &[Axis],
    latency_ms: f64,
) -> Result<Vec<u8>, ApiError> {
    let Planned {
        model, document, ..
    } = planned;
    let info = model.info();
    let raw = &read[0].raw;
    let of_chunk = |chunk: &'_ RawChunk| {
        let shape: Vec<usize> = [Axis::Layer, Axis::Head, Axis::Query, Axis::Key]
            .iter()
            .zip(chunk.raw.attentions_shape())
            .filter(|(axis, _)| axes.contains(axis))
            .map(|(_, size)| size)
            .collect();
        (shape, ChunkInfo::of_raw(document.index(), chunk))
    };
    let part = |chunk| {
        let (shape, info): (Vec<usize>, ChunkInfo) = of_chunk(chunk);
        raw_of(document.text(), chunk, &shape, info)
    };
    encode(&RawAnswer {
        first: part(&read[0]),
        model: &info.id,
        revision: info.revision.as_deref(),
        layers: &raw.layers,
        heads: match &raw.heads {
            RawHeads::Each(heads) => HeadsAnswer::Each(heads.into()),
            RawHeads::Fused(fusion) => HeadsAnswer::Fused(*fusion),
        },
        latency_ms,
        chunk_count: planned.chunks().len(),
        chunks: if read.len() > 1 {
            read.iter().map(part).collect()
        } else {
            Vec::new()
        },
        axes: axes.to_vec(),
    })
}

fn raw_of<'a>(text: &'a str, chunk: &'a RawChunk, shape: &[usize], info: ChunkInfo) -> RawOf<'a> {
    RawOf {
        tokens: subword_texts(text, &chunk.raw.spans),
        attention: Nested::new(&chunk.raw.attentions, shape),
        chunk: info,
    }
}
