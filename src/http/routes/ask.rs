//! What the questions about a text have in common: the text, the model, the view, the part.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::app::App;
use super::super::error::{ApiError, NOTHING};
use crate::attribution::AttributionConfig;
use crate::engine::Scope;
use crate::model::Model;
use crate::text::document::Document;
use crate::text::language::Language;
use crate::view::options::{View, ViewOptions};

/// In bytes. A longer name of a language is an error.
const MAX_LANGUAGE: usize = 64;

/// `last`, `all`, a number from 0, a range `0-5`, or a list.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum LayersSchema {
    #[schema(title = "text", example = "last")]
    Text(String),
    #[schema(title = "number")]
    Number(u32),
    #[schema(title = "list")]
    List(Vec<u32>),
}

/// `mean`, `max`, a number from 0, a range `0-5`, or a list.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum HeadsSchema {
    #[schema(title = "text", example = "mean")]
    Text(String),
    #[schema(title = "number")]
    Number(u32),
    #[schema(title = "list")]
    List(Vec<u32>),
}

/// The names that `method` takes.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MethodName {
    Received,
    Cls,
    Rollout,
    Norm,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SinksName {
    Drop,
    Keep,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AggregateName {
    Sum,
    Mean,
    Max,
}

/// The fields that every question about a text has, and those of its own. A field that is not there is an error: a name
/// that is misspelt is never passed over.
macro_rules! question {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[derive(Debug, serde::Deserialize, utoipa::ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            /// Source code.
            #[schema(example = "def add(a, b):\n    return a + b\n")]
            pub code: String,
            /// The language of `code`: an id as in the Language Server Protocol or a common alias; any other name counts as
            /// unknown. It selects the syntax of definitions and does not change the scores.
            #[schema(max_length = 64, example = "python")]
            pub language: Option<String>,
            /// One of `GET /models`, by its name or id; the first, if none is named.
            pub model: Option<String>,
            /// Only the chunk with this number, from 0; every chunk, if none is given.
            pub chunk: Option<usize>,
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $name {
            /// The text, the model and the part.
            pub fn target(
                &mut self,
                app: &crate::http::app::App,
            ) -> Result<crate::http::routes::ask::Target, crate::http::error::ApiError> {
                crate::http::routes::ask::Target::new(
                    app,
                    std::mem::take(&mut self.code),
                    self.language.as_deref(),
                    self.model.as_deref(),
                    self.chunk,
                )
            }
        }
    };
}

/// [`question`], with the view in which attention is turned into scores.
macro_rules! scored_question {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* }) => {
        $crate::http::routes::ask::question! {
            $(#[$meta])*
            $name {
                /// How attention becomes scores; `received`, if none is given.
                #[schema(value_type = Option<crate::http::routes::ask::MethodName>)]
                method: Option<serde_json::Value>,
                /// Which layers; the method's own, if none are given.
                #[schema(value_type = Option<crate::http::routes::ask::LayersSchema>)]
                layers: Option<serde_json::Value>,
                /// Which heads, and how they become one; `mean`, if none are given.
                #[schema(value_type = Option<crate::http::routes::ask::HeadsSchema>)]
                heads: Option<serde_json::Value>,
                /// What happens to attention on special subwords; `drop`, if nothing is given.
                #[schema(value_type = Option<crate::http::routes::ask::SinksName>)]
                sinks: Option<serde_json::Value>,
                /// How a lexeme's subwords become one score; `sum`, if nothing is given.
                #[schema(value_type = Option<crate::http::routes::ask::AggregateName>)]
                aggregate: Option<serde_json::Value>,
                $($(#[$field_meta])* $field: $type,)*
            }
        }

        impl $name {
            /// The view, checked against the model.
            pub fn view(
                &mut self,
                model: &crate::model::ModelInfo,
            ) -> Result<crate::attribution::AttributionConfig, crate::http::error::ApiError> {
                crate::http::routes::ask::resolve(
                    model,
                    [
                        self.method.take(),
                        self.layers.take(),
                        self.heads.take(),
                        self.sinks.take(),
                        self.aggregate.take(),
                    ],
                )
            }
        }
    };
}

pub(crate) use {question, scored_question};

/// Method, layers, heads, sinks, aggregate as they were sent → checked against the model. `null` is as good as nothing.
pub(crate) fn resolve(
    model: &crate::model::ModelInfo,
    [method, layers, heads, sinks, aggregate]: [Option<Value>; 5],
) -> Result<AttributionConfig, ApiError> {
    let options = ViewOptions {
        method,
        layers,
        heads,
        sinks,
        aggregate,
    };
    Ok(View::default().with(&options)?.resolve(model)?)
}

/// What is to be looked at.
pub(crate) struct Target {
    pub model: Arc<Model>,
    pub document: Document,
    pub scope: Scope,
}

impl Target {
    pub fn new(
        app: &App,
        code: String,
        language: Option<&str>,
        model: Option<&str>,
        chunk: Option<usize>,
    ) -> Result<Self, ApiError> {
        if language.is_some_and(|language| language.len() > MAX_LANGUAGE) {
            return Err(ApiError::unanalysable(format!(
                "language is longer than {MAX_LANGUAGE} bytes; leave it out"
            )));
        }
        let model = app.models.get(model)?;
        if code.trim().is_empty() {
            return Err(ApiError::unanalysable(NOTHING));
        }
        Ok(Self {
            model,
            document: Document::new(code, 0).with_language(language.and_then(Language::from_id)),
            scope: chunk.map_or(Scope::Document, Scope::Chunk),
        })
    }
}
