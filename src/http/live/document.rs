//! The text of a connection, and how it is looked at.

use std::sync::Arc;
use std::time::Duration;

use super::super::app::App;
use super::super::error::ApiError;
use super::super::position::{Encoding, Position, Positions, Range, wide};
use super::messages::Change;
use crate::attribution::AttributionOptions;
use crate::engine::{LiveReceiver, ModelAndView, Scope, Submission};
use crate::model::Model;
use crate::text::ByteSpan;
use crate::text::document::{Document, Edit};
use crate::view::options::ViewOptions;

/// No delay while the user types: submitting a newer version cancels the analysis of the older one.
const AT_ONCE: Duration = Duration::ZERO;

pub(super) struct OpenDocument {
    pub document: Document,
    pub encoding: Encoding,
    /// What is visible.
    pub range: Option<Range>,
    /// As the client named it; the default for `None`.
    pub model: Option<String>,
    view: AttributionOptions,
    /// What the last edit wrote, if it is known.
    edited: Option<ByteSpan>,
}

/// The document as it was when a question came.
#[derive(Clone)]
pub(super) struct Snapshot {
    pub document: Document,
    pub encoding: Encoding,
    pub model_and_view: ModelAndView,
    pub live: LiveReceiver,
    view: AttributionOptions,
}

impl OpenDocument {
    pub fn new(
        document: Document,
        encoding: Encoding,
        range: Option<Range>,
        model: Option<String>,
        options: Option<&ViewOptions>,
    ) -> Result<Self, ApiError> {
        let view = match options {
            Some(options) => options.apply(&AttributionOptions::default())?,
            None => AttributionOptions::default(),
        };
        Ok(Self {
            document,
            encoding,
            range,
            model,
            view,
            edited: None,
        })
    }

    /// What a client says that it did to the text.
    pub fn edit(&mut self, version: i64, changes: Vec<Change>) -> Result<(), ApiError> {
        let edits: Vec<Edit> = changes
            .into_iter()
            .map(|change| Edit {
                range: change
                    .range
                    .map(|range| (wide(range.start), wide(range.end))),
                text: change.text,
            })
            .collect();
        self.edited = self
            .document
            .apply_edits(&edits, self.encoding.into(), version)
            .map_err(|error| ApiError::Unanalysable(error.to_string()))?;
        Ok(())
    }

    /// Another model or view, unless they are none. Nothing changes then.
    pub fn look_through(
        &mut self,
        app: &App,
        model: Option<String>,
        options: Option<&ViewOptions>,
    ) -> Result<(), ApiError> {
        let view = match options {
            Some(options) => options.apply(&self.view)?,
            None => self.view.clone(),
        };
        let model = model.or_else(|| self.model.clone());
        match app.models.get(model.as_deref()) {
            Ok(found) => drop(view.resolve(found.info())?),
            // It will be seen once it is there.
            Err(ApiError::Loading { .. }) => {}
            Err(error) => return Err(error),
        }
        (self.model, self.view) = (model, view);
        Ok(())
    }

    /// Hands the newest version to the engine.
    pub fn submit(&self, app: &App, key: &str) -> Result<LiveReceiver, ApiError> {
        let model = app.models.get(self.model.as_deref())?;
        let attribution = self.view.resolve(model.info())?;
        let submission = Submission {
            document: self.document.clone(),
            view: Some(ModelAndView::live(model, attribution)),
            edited: self.edited,
            delay: AT_ONCE,
        };
        app.engine.submit(key, submission);
        self.focus(app, key);
        app.engine
            .watch(key)
            .ok_or_else(|| ApiError::Internal("the engine lost a submitted document".to_owned()))
    }

    /// Tells the engine what is visible.
    pub fn focus(&self, app: &App, key: &str) {
        if let Some(range) = self.range {
            let span = Positions::new(&self.document, self.encoding).span(range);
            app.engine.focus(key, span);
        }
    }

    pub fn snapshot(&self, app: &App, live: LiveReceiver) -> Result<Snapshot, ApiError> {
        let model = app.models.get(self.model.as_deref())?;
        let attribution = self.view.resolve(model.info())?;
        Ok(Snapshot {
            document: self.document.clone(),
            encoding: self.encoding,
            model_and_view: ModelAndView::live(model, attribution),
            live,
            view: self.view.clone(),
        })
    }
}

impl Snapshot {
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.document, self.encoding)
    }

    /// The chunk that a question is about: by number, by place, or the first.
    pub fn scope(&self, chunk: Option<usize>, position: Option<Position>) -> Scope {
        match (chunk, position) {
            (Some(chunk), _) => Scope::Chunk(chunk),
            (None, Some(position)) => Scope::ChunkAt(self.positions().offset(position)),
            (None, None) => Scope::Chunk(0),
        }
    }

    /// The document's model and view, with what a question says instead.
    pub fn under(
        &self,
        app: &App,
        model: Option<&str>,
        options: Option<&ViewOptions>,
    ) -> Result<ModelAndView, ApiError> {
        if model.is_none() && options.is_none() {
            return Ok(self.model_and_view.clone());
        }
        let model: Arc<Model> = match model {
            Some(model) => app.models.get(Some(model))?,
            None => Arc::clone(&self.model_and_view.model),
        };
        let view = match options {
            Some(options) => options.apply(&self.view)?,
            None => self.view.clone(),
        };
        let attribution = view.resolve(model.info())?;
        Ok(ModelAndView::live(model, attribution))
    }
}
