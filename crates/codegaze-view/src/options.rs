//! A view on the wire: as a client requests it, and as a result reports it.

use std::borrow::Cow;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use codegaze_core::attribution::{
    Aggregate, AttributionConfig, AttributionOptions, Fusion, HeadChoice, HeadFusion, LayerChoice,
    Method, SelectError, Sinks,
};
use codegaze_model::ModelInfo;
use codegaze_text::named::Named;

/// The options of a view to change. An omitted option keeps its value. `docs/protocol.md` describes them.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewOptions {
    /// How attention becomes scores; `received` by default.
    #[cfg_attr(feature = "ts", ts(optional, type = "MethodName"))]
    #[schema(value_type = Option<Method>)]
    pub method: Option<Field<Method>>,
    /// Which layers: `last`, `all`, a number from 0, a range `0-5`, or a list; the method's own by default.
    // `null` is a value: the method's default.
    #[cfg_attr(feature = "ts", ts(optional, type = "IndexChoice | null"))]
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<IndexChoice>)]
    pub layers: Option<Option<Field<IndexChoice>>>,
    /// Which heads, and how they become one: `mean`, `max`, a number from 0, a range `0-5`, or a list; `mean` by default.
    #[cfg_attr(feature = "ts", ts(optional, type = "IndexChoice"))]
    #[schema(value_type = Option<IndexChoice>)]
    pub heads: Option<Field<IndexChoice>>,
    /// What happens to attention on special subwords; `drop` by default.
    #[cfg_attr(feature = "ts", ts(optional, type = "Sinks"))]
    #[schema(value_type = Option<Sinks>)]
    pub sinks: Option<Field<Sinks>>,
    /// How a lexeme's subwords become one score; `corrected` by default.
    #[cfg_attr(feature = "ts", ts(optional, type = "Aggregate"))]
    #[schema(value_type = Option<Aggregate>)]
    pub aggregate: Option<Field<Aggregate>>,
}

/// Makes `null` differ from an omitted key.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The value of one option. An invalid value does not make the whole object invalid, so that the error can name the option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field<T> {
    /// A valid value.
    Valid(T),
    /// Any other value.
    Invalid,
}

impl<T: DeserializeOwned> Field<T> {
    /// Parses the value.
    #[must_use]
    pub fn new(value: Value) -> Self {
        T::deserialize(value).map_or(Self::Invalid, Self::Valid)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::new)
    }
}

impl<T: Named> Field<T> {
    /// The named value.
    ///
    /// # Errors
    /// The accepted values, if the value is invalid.
    pub fn named(&self) -> Result<T, &'static str> {
        match self {
            Self::Valid(value) => Ok(*value),
            Self::Invalid => Err(T::expected()),
        }
    }
}

/// A word, a number from 0, a range such as `0-5`, or a list.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum IndexChoice {
    /// A word, a range or a list, as on the command line.
    #[schema(title = "text", example = "0-5")]
    Text(String),
    /// One index.
    #[schema(title = "number")]
    Number(u64),
    /// Several indices.
    #[schema(title = "list")]
    List(Vec<u64>),
}

impl fmt::Display for IndexChoice {
    /// Writes the choice as the command line takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::List(numbers) => {
                let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                f.write_str(&numbers.join(","))
            }
        }
    }
}

impl Field<IndexChoice> {
    /// The selected layers.
    ///
    /// # Errors
    /// The accepted values, if the value is invalid.
    pub fn layers(&self) -> Result<LayerChoice, &'static str> {
        self.parse().ok_or("last, all, a number, a range or a list")
    }

    /// The selected heads.
    ///
    /// # Errors
    /// The accepted values, if the value is invalid.
    pub fn heads(&self) -> Result<HeadChoice, &'static str> {
        self.parse().ok_or("mean, max, a number, a range or a list")
    }

    fn parse<T: std::str::FromStr>(&self) -> Option<T> {
        match self {
            Self::Valid(choice) => choice.to_string().parse().ok(),
            Self::Invalid => None,
        }
    }
}

/// Options that are invalid, or that do not fit the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// A value is invalid.
    #[error("view.{key} must be {expected}")]
    Value {
        /// The option.
        key: &'static str,
        /// The accepted values.
        expected: &'static str,
    },
    /// The model does not have the selected layers or heads.
    #[error(transparent)]
    Select(#[from] SelectError),
}

impl ViewOptions {
    /// `base` with these options. Another method resets the layers to its own default, unless these options select layers.
    ///
    /// # Errors
    /// If a value is invalid.
    pub fn apply(&self, base: &AttributionOptions) -> Result<AttributionOptions, ViewError> {
        let invalid = |key| move |expected| ViewError::Value { key, expected };
        let mut options = base.clone();
        if let Some(method) = &self.method {
            options.method = method.named().map_err(invalid("method"))?;
            options.layers = None;
        }
        if let Some(layers) = &self.layers {
            let layers = layers.as_ref().map(Field::layers).transpose();
            options.layers = layers.map_err(invalid("layers"))?;
        }
        if let Some(heads) = &self.heads {
            options.heads = heads.heads().map_err(invalid("heads"))?;
        }
        if let Some(sinks) = &self.sinks {
            options.sinks = sinks.named().map_err(invalid("sinks"))?;
        }
        if let Some(aggregate) = &self.aggregate {
            options.aggregate = aggregate.named().map_err(invalid("aggregate"))?;
        }
        Ok(options)
    }
}

/// The model and the view of a result.
// `View` of `docs/protocol.md`.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename = "View"))]
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = View)]
pub struct ViewAnswer {
    model: String,
    /// The commit of a hub model.
    revision: Option<String>,
    #[cfg_attr(feature = "ts", ts(type = "MethodName"))]
    method: Method,
    layers: Vec<usize>,
    #[cfg_attr(feature = "ts", ts(type = "Fusion | number[]"))]
    heads: HeadsAnswer<'static>,
    #[cfg_attr(feature = "ts", ts(type = "Sinks"))]
    sinks: Sinks,
    #[cfg_attr(feature = "ts", ts(type = "Aggregate"))]
    aggregate: Aggregate,
}

/// How all heads were fused, or which heads were selected.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ViewHeads)]
#[serde(untagged)]
pub enum HeadsAnswer<'a> {
    /// All heads, fused in this way.
    #[schema(title = "fused")]
    Fused(Fusion),
    /// These heads, from 0; their mean.
    #[schema(title = "each")]
    Each(Cow<'a, [usize]>),
}

impl<'a> From<&'a HeadFusion> for HeadsAnswer<'a> {
    fn from(heads: &'a HeadFusion) -> Self {
        match heads {
            HeadFusion::All(fusion) => Self::Fused(*fusion),
            HeadFusion::Heads(heads) => Self::Each(heads.into()),
        }
    }
}

impl ViewAnswer {
    /// Describes a model and a view.
    #[must_use]
    pub fn new(info: &ModelInfo, attribution: &AttributionConfig) -> Self {
        Self {
            model: info.id.clone(),
            revision: info.revision.clone(),
            method: attribution.method,
            layers: attribution.layers.clone(),
            heads: match &attribution.heads {
                HeadFusion::All(fusion) => HeadsAnswer::Fused(*fusion),
                HeadFusion::Heads(heads) => HeadsAnswer::Each(heads.clone().into()),
            },
            sinks: attribution.sinks,
            aggregate: attribution.aggregate,
        }
    }
}

impl fmt::Display for ViewAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers: Vec<String> = self.layers.iter().map(ToString::to_string).collect();
        write!(f, "{} · layers {}", self.method, layers.join(","))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(base: &AttributionOptions, options: &Value) -> Result<AttributionOptions, ViewError> {
        let options: ViewOptions = serde_json::from_value(options.clone()).unwrap();
        options.apply(base)
    }

    #[test]
    fn options_change_what_they_name() {
        let view = with(
            &AttributionOptions::default(),
            &json!({ "layers": 2, "heads": [0, 3] }),
        )
        .unwrap();
        assert_eq!(view.layers, Some("2".parse().unwrap()));
        assert_eq!(view.heads, "0,3".parse().unwrap());
        let same = with(&view, &json!({ "sinks": "keep" })).unwrap();
        assert_eq!(same.layers, view.layers);
        assert_eq!(same.sinks, Sinks::Keep);
        let reset = with(&view, &json!({ "layers": null })).unwrap();
        assert_eq!(reset.layers, None);
        let rollout = with(&view, &json!({ "method": "rollout" })).unwrap();
        assert_eq!(rollout.layers, None, "all layers, as rollout means it");
        let both = with(&view, &json!({ "method": "norm", "layers": "0-1" })).unwrap();
        assert_eq!(both.layers, Some("0-1".parse().unwrap()));
    }

    #[test]
    fn an_invalid_value_names_its_key() {
        let methods = format!("view.method must be one of {}", Method::accepted());
        for (options, message) in [
            (json!({ "method": "magic" }), methods.as_str()),
            (
                json!({ "sinks": true }),
                "view.sinks must be one of drop, keep",
            ),
            (
                json!({ "aggregate": "median" }),
                "view.aggregate must be one of sum, mean, max, first, corrected",
            ),
            (
                json!({ "layers": [] }),
                "view.layers must be last, all, a number, a range or a list",
            ),
            (
                json!({ "layers": -1 }),
                "view.layers must be last, all, a number, a range or a list",
            ),
            (
                json!({ "heads": {} }),
                "view.heads must be mean, max, a number, a range or a list",
            ),
        ] {
            let error = with(&AttributionOptions::default(), &options).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
