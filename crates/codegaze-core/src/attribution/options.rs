//! What a user selects, and its check against a model.

use codegaze_model::ModelInfo;

use super::{Aggregate, AttributionConfig, HeadChoice, LayerChoice, Method, SelectError, Sinks};

/// Method, layers, heads, sinks, aggregate, not yet checked against a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributionOptions {
    /// How attention becomes scores.
    pub method: Method,
    /// Which layers; `None` means the method's default.
    pub layers: Option<LayerChoice>,
    /// Which heads, and how they become one matrix.
    pub heads: HeadChoice,
    /// What happens to attention on special subwords.
    pub sinks: Sinks,
    /// How a lexeme's subwords become one score.
    pub aggregate: Aggregate,
}

impl AttributionOptions {
    /// Checks layers and heads against a model.
    ///
    /// # Errors
    /// If the model does not have them.
    pub fn resolve(&self, info: &ModelInfo) -> Result<AttributionConfig, SelectError> {
        let default = self.method.definition().default_layers();
        let layers = self.layers.as_ref().unwrap_or(&default);
        Ok(AttributionConfig {
            method: self.method,
            layers: layers.resolve(info.n_layers)?,
            heads: self.heads.resolve(info.n_heads)?,
            sinks: self.sinks,
            aggregate: self.aggregate,
        })
    }

    /// Like [`Self::resolve`], but layers or heads that the model does not have are replaced by the defaults. Also returns an error
    /// for each of them.
    ///
    /// # Panics
    /// Never: the default layers and heads fit every model.
    #[must_use]
    pub fn resolve_or_default(&self, info: &ModelInfo) -> (AttributionConfig, Vec<SelectError>) {
        let mut fitting = self.clone();
        let mut errors = Vec::new();
        if let Some(Err(error)) = self.layers.as_ref().map(|l| l.resolve(info.n_layers)) {
            errors.push(error);
            fitting.layers = None;
        }
        if let Err(error) = self.heads.resolve(info.n_heads) {
            errors.push(error);
            fitting.heads = HeadChoice::default();
        }
        let config = fitting.resolve(info).expect("the defaults fit every model");
        (config, errors)
    }
}
