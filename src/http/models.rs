//! The models of the server, which are named at the start and loaded one after the other.

use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::error::ApiError;
use super::options::ServerOptions;
use crate::model::source::ModelSource;
use crate::model::{LoadError, Model};

pub(crate) struct Models {
    /// The first is the default.
    models: Vec<NamedModel>,
    /// How many are loaded.
    loaded: watch::Sender<usize>,
}

pub(crate) struct NamedModel {
    /// As it was named at the start.
    pub name: String,
    pub source: ModelSource,
    model: OnceLock<Arc<Model>>,
}

impl NamedModel {
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.get()
    }

    /// By the name that was given at the start, or by its own id.
    fn is_called(&self, wanted: &str) -> bool {
        let has_id = |model: &Arc<Model>| {
            let info = model.info();
            info.id == wanted
                || info.revision.as_ref().is_some_and(|revision| {
                    wanted
                        .strip_prefix(&*info.id)
                        .and_then(|rest| rest.strip_prefix('@'))
                        == Some(revision.as_str())
                })
        };
        self.name == wanted
            || self.source == ModelSource::Embedded && wanted == "embedded"
            || self.model().is_some_and(has_id)
    }
}

impl Models {
    /// The models are not loaded yet. A model that is named twice occurs once.
    pub fn new(sources: &[ModelSource]) -> Self {
        let mut models: Vec<NamedModel> = Vec::new();
        for source in sources {
            if models.iter().all(|named| named.source != *source) {
                models.push(NamedModel {
                    name: source.to_string(),
                    source: source.clone(),
                    model: OnceLock::new(),
                });
            }
        }
        Self {
            models,
            loaded: watch::Sender::default(),
        }
    }

    /// Loads all models, which takes seconds, or minutes if one is downloaded.
    ///
    /// # Errors
    /// The error of the first model that does not load.
    pub fn load(&self, options: &ServerOptions) -> Result<(), LoadError> {
        for named in &self.models {
            let files = named.source.resolve(&options.hub, &())?;
            let model =
                Model::load_with(&files, options.device, options.precision, &options.reading)?;
            tracing::info!(model = %named.name, "loaded");
            // Each model is loaded once.
            let _ = named.model.set(Arc::new(model));
            self.loaded.send_modify(|loaded| *loaded += 1);
        }
        Ok(())
    }

    pub fn all(&self) -> &[NamedModel] {
        &self.models
    }

    /// The model that a request names, or the default.
    pub fn get(&self, wanted: Option<&str>) -> Result<Arc<Model>, ApiError> {
        let named = match wanted {
            None => self.models.first(),
            Some(wanted) => self.models.iter().find(|named| named.is_called(wanted)),
        };
        let Some(named) = named else {
            let names: Vec<&str> = self.models.iter().map(|named| &*named.name).collect();
            return Err(ApiError::unanalysable(format!(
                "unknown model {:?}; this server has {}",
                wanted.unwrap_or_default(),
                names.join(", ")
            )));
        };
        named.model().cloned().ok_or_else(|| ApiError::Loading {
            model: named.name.clone(),
        })
    }

    /// Changes whenever a model is loaded.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.loaded.subscribe()
    }
}
