//! `POST /analyze-source`: the document `codegaze.analysis/1` of a text, as `codegaze analyze --format json` writes it.

use std::num::NonZeroUsize;
use std::time::Instant;

use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};

use super::super::app::Shared;
use super::super::body::{Admitted, encode};
use super::super::error::{ApiError, ErrorBody};
use super::ask::{Target, TargetFields, language_of, request_schema, resolve};
use super::chunks::cells;
use super::stages::Stages;
use crate::analysis::Extras;
use crate::engine::Scope;
use crate::off_thread::off_thread;
use crate::view::AnalyzedDocument;
use crate::view::json::{AnalysisJson, JsonOptions, SCHEMA};
use crate::view::options::ViewOptions;

/// The name of a document without one, as the command line calls standard input.
const NO_PATH: &str = "-";

/// The text.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct SourceFields {
    /// Source code.
    #[schema(example = "def add(a, b):\n    return a + b\n")]
    code: String,
    /// The document's name in the response, by default `-`. The server reads no file.
    #[schema(example = "src/add.py")]
    path: Option<String>,
    /// The document's language in the response: an id as in the Language Server Protocol or a common alias; by default the language
    /// of files that are named like `path`. It does not change the scores.
    #[schema(max_length = 64, example = "python")]
    language: Option<String>,
    /// A model of `GET /models`, by its name or id; by default the first.
    model: Option<String>,
}

/// The optional parts of the response: the options of `codegaze analyze`.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct PartFields {
    /// Whether to list every subword; by default false.
    tokens: Option<bool>,
    /// Whether to add the fused matrix of each chunk; by default false.
    attention: Option<bool>,
    /// Whether to add the embedding; by default false.
    embedding: Option<bool>,
    /// The number of lexemes to list, those of best rank; by default all.
    #[schema(value_type = Option<usize>, minimum = 1)]
    top: Option<NonZeroUsize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceRequest {
    #[serde(flatten)]
    source: SourceFields,
    #[serde(flatten)]
    view: ViewOptions,
    #[serde(flatten)]
    parts: PartFields,
}

request_schema!(
    SourceRequest,
    "A text whose lexemes to score.",
    SourceFields,
    ViewOptions,
    PartFields
);

/// The document `codegaze.analysis/1`. `docs/analysis.schema.json` is its schema.
pub(crate) struct AnalysisDocument;

impl utoipa::PartialSchema for AnalysisDocument {
    fn schema() -> RefOr<Schema> {
        let array = || ObjectBuilder::new().schema_type(Type::Array);
        let object = || Object::with_type(Type::Object);
        let name = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some([SCHEMA]));
        ObjectBuilder::new()
            .description(Some(
                "The document `codegaze.analysis/1`, which `docs/JSON.md` describes and `docs/analysis.schema.json` specifies: the lexemes with share, lift, rank and level; the lines, the chunks and the unscored parts.",
            ))
            .property("schema", name)
            .property("document", object())
            .property("model", object())
            .property("view", object())
            .property("lexemes", array())
            .property("lines", array())
            .property("chunks", array())
            .property("unscored", array())
            .required("schema")
            .required("document")
            .required("model")
            .required("view")
            .required("lexemes")
            .required("lines")
            .required("chunks")
            .required("unscored")
            .into()
    }
}

impl ToSchema for AnalysisDocument {}

/// The scores of all lexemes and lines of a text of any length: the document `codegaze.analysis/1` of the command line.
#[utoipa::path(
    post,
    path = "/analyze-source",
    tag = "REST",
    request_body = SourceRequest,
    responses(
        (status = 200, description = "The analysis", body = AnalysisDocument),
        (status = "4XX", description = "The request is invalid or refused; `error_type` names the reason", body = ErrorBody),
        (status = "5XX", description = "The server cannot answer; `error_type` names the reason", body = ErrorBody),
    )
)]
pub(crate) async fn analyze_source(
    app: Shared,
    Admitted { body, mut permit }: Admitted<SourceRequest>,
) -> Result<Response, ApiError> {
    let SourceFields {
        code,
        path,
        language: named,
        model,
    } = body.source;
    let language = language_of(named.as_deref())?;
    let target = Target::new(
        &app,
        TargetFields {
            code,
            language: named,
            model,
            chunk: None,
        },
    )?;
    let view = resolve(&body.view, target.model.info())?;
    let options = JsonOptions {
        tokens: body.parts.tokens.unwrap_or(false),
        attention: body.parts.attention.unwrap_or(false),
        image: None,
    };
    let extras = Extras {
        subwords: options.tokens,
        matrix: options.attention,
        relations: false,
        embedding: body.parts.embedding.unwrap_or(false),
    };
    let deadline = permit.deadline;
    let mut stages = Stages::default();
    let work = async {
        let asked = Instant::now();
        let planned = app.engine.plan(target.model, target.document);
        let planned = planned.done().await?;
        if options.attention {
            let cells = cells(&planned, Scope::Document)?;
            let instead = "omit `attention`";
            app.admission.reserve(&mut permit, cells, instead).await?;
        }
        let pending = app.engine.analyze(&planned, Scope::Document, view, extras);
        let finished = pending.done().await?;
        stages.analysis(&finished, asked);
        app.metrics.read(&finished);
        off_thread(move || {
            let start = Instant::now();
            let name = path.as_deref().unwrap_or(NO_PATH);
            let document = AnalyzedDocument::new(name, &finished.document, &finished.analysis);
            let json = AnalysisJson::new(
                &document.keep_top(body.parts.top.map(NonZeroUsize::get)),
                &options,
            );
            let json = encode(&match language {
                Some(language) => json.with_language(language),
                None => json,
            })?;
            Ok((json, start.elapsed()))
        })
        .await
    };
    let (json, rendering) = deadline.within(work).await?;
    stages.add("render", rendering);
    Ok(stages.respond(&app, json, permit))
}
