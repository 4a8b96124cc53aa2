//! How attention is looked at, in a client's words: what it asks for, and what an answer was made with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use codegaze_core::attribution::{
    Aggregate, AttributionConfig, HeadChoice, HeadFusion, LayerChoice, Method, SelectError, Sinks,
};
use codegaze_model::ModelInfo;

/// Method, layers, heads, sinks, aggregate, not yet checked against a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub method: Method,
    /// `None`: the method's default.
    pub layers: Option<LayerChoice>,
    pub heads: HeadChoice,
    pub sinks: Sinks,
    pub aggregate: Aggregate,
}

/// `ViewOptions` of `docs/protocol.md`. A key left out is absent; `layers: null` is not.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ViewOptions {
    pub method: Option<Value>,
    #[serde(deserialize_with = "present")]
    pub layers: Option<Value>,
    pub heads: Option<Value>,
    pub sinks: Option<Value>,
    pub aggregate: Option<Value>,
}

/// `null` is a value here.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A view that does not suit the model, or is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    #[error("view.{key} is {expected}")]
    Value {
        key: &'static str,
        expected: &'static str,
    },
    #[error(transparent)]
    Select(#[from] SelectError),
}

impl View {
    /// # Errors
    /// What is accepted, if `value` is not.
    pub fn set_method(&mut self, value: &Value) -> Result<(), &'static str> {
        self.method =
            one_of(&Method::ALL, Method::as_str, value).ok_or("received, cls, rollout or norm")?;
        Ok(())
    }

    /// # Errors
    /// What is accepted, if `value` is not.
    pub fn set_layers(&mut self, value: &Value) -> Result<(), &'static str> {
        const EXPECTED: &str = "last, all, a number, a range or a list";
        self.layers = Some(choice(value).ok_or(EXPECTED)?);
        Ok(())
    }

    /// # Errors
    /// What is accepted, if `value` is not.
    pub fn set_heads(&mut self, value: &Value) -> Result<(), &'static str> {
        self.heads = choice(value).ok_or("mean, max, a number, a range or a list")?;
        Ok(())
    }

    /// # Errors
    /// What is accepted, if `value` is not.
    pub fn set_sinks(&mut self, value: &Value) -> Result<(), &'static str> {
        self.sinks = one_of(&Sinks::ALL, Sinks::as_str, value).ok_or("drop or keep")?;
        Ok(())
    }

    /// # Errors
    /// What is accepted, if `value` is not.
    pub fn set_aggregate(&mut self, value: &Value) -> Result<(), &'static str> {
        self.aggregate =
            one_of(&Aggregate::ALL, Aggregate::as_str, value).ok_or("sum, mean or max")?;
        Ok(())
    }

    /// This view with what `options` say. Another method brings its own default layers, unless layers are given too.
    ///
    /// # Errors
    /// When an option is none that its key takes.
    pub fn with(&self, options: &ViewOptions) -> Result<Self, ViewError> {
        type Set = fn(&mut View, &Value) -> Result<(), &'static str>;
        let mut view = self.clone();
        if options.method.is_some() && options.layers.is_none() {
            view.layers = None;
        }
        let keys: [(&'static str, &Option<Value>, Set); 5] = [
            ("method", &options.method, Self::set_method),
            ("layers", &options.layers, |view, value| {
                if value.is_null() {
                    view.layers = None;
                    return Ok(());
                }
                view.set_layers(value)
            }),
            ("heads", &options.heads, Self::set_heads),
            ("sinks", &options.sinks, Self::set_sinks),
            ("aggregate", &options.aggregate, Self::set_aggregate),
        ];
        for (key, value, set) in keys {
            if let Some(value) = value {
                set(&mut view, value).map_err(|expected| ViewError::Value { key, expected })?;
            }
        }
        Ok(view)
    }

    /// Like [`Self::resolve`], but layers or heads that the model does not have are left at their defaults, and said.
    ///
    /// # Panics
    /// Never: a method's own layers suit every model.
    #[must_use]
    pub fn resolve_or_default(&self, info: &ModelInfo) -> (AttributionConfig, Vec<SelectError>) {
        let mut view = self.clone();
        let mut faults = Vec::new();
        if let Some(Err(error)) = view.layers.as_ref().map(|l| l.resolve(info.n_layers)) {
            faults.push(error);
            view.layers = None;
        }
        let heads = view.heads.resolve(info.n_heads).unwrap_or_else(|error| {
            faults.push(error);
            HeadFusion::default()
        });
        let layers = view.layers.unwrap_or_else(|| view.method.default_layers());
        let resolved = AttributionConfig {
            method: view.method,
            layers: layers
                .resolve(info.n_layers)
                .expect("checked above, and a method's own suit every model"),
            heads,
            sinks: view.sinks,
            aggregate: view.aggregate,
        };
        (resolved, faults)
    }

    /// Checks layers and heads against a model.
    ///
    /// # Errors
    /// When the model does not have them.
    pub fn resolve(&self, info: &ModelInfo) -> Result<AttributionConfig, SelectError> {
        let resolved = AttributionConfig::resolve(
            self.method,
            self.layers.as_ref(),
            &self.heads,
            self.sinks,
            info.n_layers,
            info.n_heads,
        )?;
        Ok(AttributionConfig {
            aggregate: self.aggregate,
            ..resolved
        })
    }
}

fn one_of<T: Copy>(all: &[T], name: fn(T) -> &'static str, value: &Value) -> Option<T> {
    let text = value.as_str()?;
    all.iter().copied().find(|&one| name(one) == text)
}

/// A number or a list of numbers as the text that the command line takes.
fn choice<T: FromStr>(value: &Value) -> Option<T> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_u64()?.to_string(),
        Value::Array(numbers) => {
            let numbers: Option<Vec<String>> = numbers
                .iter()
                .map(|number| number.as_u64().map(|number| number.to_string()))
                .collect();
            numbers?.join(",")
        }
        _ => return None,
    };
    text.parse().ok()
}

/// What an answer was made with.
// `View` of `docs/protocol.md`.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = View)]
pub struct ViewAnswer {
    model: String,
    /// The commit of a hub model.
    revision: Option<String>,
    method: &'static str,
    layers: Vec<usize>,
    heads: HeadsAnswer,
    sinks: &'static str,
    aggregate: &'static str,
}

/// How heads became one, or which ones.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ViewHeads)]
#[serde(untagged)]
enum HeadsAnswer {
    #[schema(title = "fused")]
    Fused(String),
    #[schema(title = "each")]
    Each(Vec<usize>),
}

impl ViewAnswer {
    #[must_use]
    pub fn new(info: &ModelInfo, attribution: &AttributionConfig) -> Self {
        Self {
            model: info.id.clone(),
            revision: info.revision.clone(),
            method: attribution.method.as_str(),
            layers: attribution.layers.clone(),
            heads: match &attribution.heads {
                HeadFusion::Heads(heads) => HeadsAnswer::Each(heads.clone()),
                fused => HeadsAnswer::Fused(fused.to_string()),
            },
            sinks: attribution.sinks.as_str(),
            aggregate: attribution.aggregate.as_str(),
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

    fn with(view: &View, options: &Value) -> Result<View, ViewError> {
        view.with(&serde_json::from_value(options.clone()).unwrap())
    }

    #[test]
    fn options_change_what_they_name() {
        let view = with(&View::default(), &json!({ "layers": 2, "heads": [0, 3] })).unwrap();
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
    fn what_is_no_view_is_named() {
        for (options, message) in [
            (
                json!({ "method": "magic" }),
                "view.method is received, cls, rollout or norm",
            ),
            (
                json!({ "layers": -1 }),
                "view.layers is last, all, a number, a range or a list",
            ),
            (
                json!({ "heads": {} }),
                "view.heads is mean, max, a number, a range or a list",
            ),
        ] {
            let error = with(&View::default(), &options).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
