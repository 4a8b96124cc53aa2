//! The models that serve: named at the start, loaded one after the other on a thread of their own.

use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

use super::error::ApiError;
use super::options::Options;
use crate::model::source::ModelSource;
use crate::model::{LoadError, Model};

pub(crate) struct Models {
    /// The first is the default.
    slots: Vec<Slot>,
    /// How many are loaded.
    loaded: watch::Sender<usize>,
}

pub(crate) struct Slot {
    /// As it was named at the start.
    pub name: String,
    pub source: ModelSource,
    model: OnceLock<Arc<Model>>,
}

impl Slot {
    pub fn model(&self) -> Option<&Arc<Model>> {
        self.model.get()
    }

    /// By the name given at the start, or by what the model calls itself.
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
    /// None of them loaded yet. One that is named twice is there once.
    pub fn new(sources: &[ModelSource]) -> Self {
        let mut slots: Vec<Slot> = Vec::new();
        for source in sources {
            if slots.iter().all(|slot| slot.source != *source) {
                slots.push(Slot {
                    name: source.to_string(),
                    source: source.clone(),
                    model: OnceLock::new(),
                });
            }
        }
        Self {
            slots,
            loaded: watch::Sender::default(),
        }
    }

    /// Loads them all; takes seconds, or minutes where one is fetched.
    ///
    /// # Errors
    /// Those of the first that does not load.
    pub fn load(&self, options: &Options) -> Result<(), LoadError> {
        for slot in &self.slots {
            let files = slot.source.resolve(&options.hub, &())?;
            let model = Model::load(&files, options.device, options.precision)?;
            tracing::info!(model = %slot.name, "loaded");
            drop(slot.model.set(Arc::new(model)));
            self.loaded.send_modify(|loaded| *loaded += 1);
        }
        Ok(())
    }

    pub fn all(&self) -> &[Slot] {
        &self.slots
    }

    /// The model that a request names, or the default.
    pub fn get(&self, wanted: Option<&str>) -> Result<Arc<Model>, ApiError> {
        let slot = match wanted {
            None => self.slots.first(),
            Some(wanted) => self.slots.iter().find(|slot| slot.is_called(wanted)),
        };
        let Some(slot) = slot else {
            let names: Vec<&str> = self.slots.iter().map(|slot| &*slot.name).collect();
            // A directory's model may call itself otherwise once it is loaded, which is soon.
            return Err(ApiError::unanalysable(format!(
                "unknown model {:?}; this server has {}",
                wanted.unwrap_or_default(),
                names.join(", ")
            )));
        };
        slot.model().cloned().ok_or_else(|| ApiError::Loading {
            model: slot.name.clone(),
        })
    }

    /// Changes whenever one more is loaded.
    pub fn watch(&self) -> watch::Receiver<usize> {
        self.loaded.subscribe()
    }
}
