//! What requests about a text have in common: the text, the model, the view, the chunk.
//!
//! A request is a plain struct of such parts, each flattened into one JSON object. Unknown fields are errors, so that typos are
//! caught; [`request_schema`] describes the same object in OpenAPI.

use std::sync::Arc;

use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema, Type};

use super::super::app::App;
use super::super::error::{ApiError, NOTHING};
use crate::attribution::{AttributionConfig, AttributionOptions};
use crate::engine::Scope;
use crate::model::{Model, ModelInfo};
use crate::text::document::Document;
use crate::text::language::Language;
use crate::view::options::ViewOptions;

/// In bytes. A longer name of a language is an error.
const MAX_LANGUAGE: usize = 64;

/// The text, and what of it is read.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct TargetFields {
    /// Source code.
    #[schema(example = "def add(a, b):\n    return a + b\n")]
    pub code: String,
    /// The language of `code`: an id as in the Language Server Protocol or a common alias; any other name counts as unknown. It
    /// selects the syntax of definitions and does not change the scores.
    #[schema(max_length = 64, example = "python")]
    pub language: Option<String>,
    /// A model of `GET /models`, by its name or id; by default the first.
    pub model: Option<String>,
    /// The number of the only chunk to read, from 0; by default every chunk.
    pub chunk: Option<usize>,
}

/// The view of a request for scores of subwords, checked against the model. `aggregate` makes lexemes of subwords, so it would
/// change nothing.
pub(crate) fn resolve_subwords(
    options: &ViewOptions,
    model: &ModelInfo,
) -> Result<AttributionConfig, ApiError> {
    if options.aggregate.is_some() {
        return Err(ApiError::unanalysable(
            "aggregate changes nothing here, because this endpoint describes subwords; omit it, or request lexemes from POST /analyze-source",
        ));
    }
    resolve(options, model)
}

/// The view of a request, checked against the model.
pub(crate) fn resolve(
    options: &ViewOptions,
    model: &ModelInfo,
) -> Result<AttributionConfig, ApiError> {
    let options = options.apply(&AttributionOptions::default())?;
    Ok(options.resolve(model)?)
}

/// What is to be read.
pub(crate) struct Target {
    pub model: Arc<Model>,
    pub document: Document,
    pub scope: Scope,
}

impl Target {
    pub fn new(app: &App, fields: TargetFields) -> Result<Self, ApiError> {
        let language = language_of(fields.language.as_deref())?;
        let model = app.models.get(fields.model.as_deref())?;
        if fields.code.trim().is_empty() {
            return Err(ApiError::unanalysable(NOTHING));
        }
        Ok(Self {
            model,
            document: Document::new(fields.code, 0).with_language(language),
            scope: fields.chunk.map_or(Scope::Document, Scope::Chunk),
        })
    }
}

/// The language that a client names; `None` if it is unknown or not named.
pub(crate) fn language_of(name: Option<&str>) -> Result<Option<Language>, ApiError> {
    if name.is_some_and(|name| name.len() > MAX_LANGUAGE) {
        return Err(ApiError::unanalysable(format!(
            "language is longer than {MAX_LANGUAGE} bytes; omit it"
        )));
    }
    Ok(name.and_then(Language::from_id))
}

/// One object with the fields of all `parts` except those in `without`, and no other.
pub(crate) fn closed(
    about: &str,
    parts: impl IntoIterator<Item = RefOr<Schema>>,
    without: &[&str],
) -> RefOr<Schema> {
    let mut whole = Object::with_type(Type::Object);
    whole.description = Some(about.to_owned());
    whole.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    for part in parts {
        // The parts are structs, and a struct is an object.
        if let RefOr::T(Schema::Object(part)) = part {
            whole.properties.extend(part.properties);
            whole.required.extend(part.required);
        }
    }
    whole
        .properties
        .retain(|name, _| !without.contains(&name.as_str()));
    whole.into()
}

/// The OpenAPI schema of a request: its name, a sentence, the structs whose fields it has, and the fields that it refuses.
macro_rules! request_schema {
    ($request:ident, $about:literal, $($part:ty),+ $(; without $without:literal)?) => {
        impl utoipa::PartialSchema for $request {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let parts = [$(<$part as utoipa::PartialSchema>::schema()),+];
                $crate::http::routes::ask::closed($about, parts, &[$($without)?])
            }
        }

        impl utoipa::ToSchema for $request {
            fn schemas(
                all: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>,
            ) {
                $(<$part as utoipa::ToSchema>::schemas(all);)+
            }
        }
    };
}

pub(crate) use request_schema;

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Map, Value, json};

    use super::super::analyze::AnalyzeRequest;
    use super::super::attention::{AttentionRequest, WithAttentionRequest};
    use super::super::raw::RawRequest;
    use super::super::source::SourceRequest;
    use super::*;

    /// The schema and the reader of a request have the same fields.
    fn check<T: ToSchema + DeserializeOwned>(n_fields: usize) {
        let schema = serde_json::to_value(T::schema()).unwrap();
        assert_eq!(schema["additionalProperties"], json!(false));
        assert_eq!(schema["required"], json!(["code"]));
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(properties.len(), n_fields, "{properties:?}");
        let nulls = properties.keys().map(|key| (key.clone(), Value::Null));
        let mut request: Map<String, Value> = nulls.collect();
        request.insert("code".to_owned(), json!("x = 1"));
        assert!(T::deserialize(Value::Object(request.clone())).is_ok());
        request.insert("colour".to_owned(), json!("red"));
        let error = T::deserialize(Value::Object(request)).err();
        let error = error.expect("an unknown field is an error").to_string();
        assert!(error.contains("`colour`"), "{error}");
        // Every schema that this one refers to is part of the document.
        let mut named = Vec::new();
        T::schemas(&mut named);
        let text = schema.to_string();
        for reference in text.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(named.iter().any(|(known, _)| known == name), "{name}");
        }
    }

    #[test]
    fn requests_are_described_as_they_are_read() {
        check::<AnalyzeRequest>(9);
        check::<WithAttentionRequest>(9);
        check::<AttentionRequest>(12);
        check::<SourceRequest>(13);
        check::<RawRequest>(8);
    }
}
