//! The document of a connection, and the model and view that its client selected.

use std::time::Duration;

use super::super::app::App;
use super::super::error::ApiError;
use crate::attribution::AttributionOptions;
use crate::engine::{LiveReceiver, ModelAndView, Submission};
use crate::text::ByteSpan;
use crate::text::document::{Document, Edit};
use crate::view::levels::LevelThresholds;
use crate::view::live::{Change, LiveView};
use crate::view::options::ViewOptions;
use crate::view::position::{Encoding, Positions, WireRange};

/// No delay while the user types: submitting a newer version cancels the analysis of the older one.
const AT_ONCE: Duration = Duration::ZERO;

pub(super) struct ClientDocument {
    pub document: Document,
    pub encoding: Encoding,
    /// The visible part.
    pub range: Option<WireRange>,
    /// As the client named it; the default for `None`.
    pub model: Option<String>,
    view: AttributionOptions,
    pub thresholds: LevelThresholds,
    /// What the last edit wrote, if it is known.
    edited: Option<ByteSpan>,
}

/// The document as it was when a question arrived.
#[derive(Clone)]
pub(super) struct QuestionSnapshot {
    pub view: LiveView,
    pub live: LiveReceiver,
}

/// How a client wants to see its document. Omitted values are the defaults, or stay as they are.
#[derive(Default)]
pub(super) struct Wanted {
    pub model: Option<String>,
    pub view: Option<ViewOptions>,
    pub level_quantiles: Option<Vec<f32>>,
}

impl Wanted {
    fn view(&self, base: &AttributionOptions) -> Result<AttributionOptions, ApiError> {
        match &self.view {
            Some(options) => Ok(options.apply(base)?),
            None => Ok(base.clone()),
        }
    }

    fn thresholds(&self, base: LevelThresholds) -> Result<LevelThresholds, ApiError> {
        let Some(quantiles) = &self.level_quantiles else {
            return Ok(base);
        };
        LevelThresholds::new(quantiles).map_err(|expected| {
            ApiError::Unanalysable(format!("levelQuantiles must be {expected}"))
        })
    }
}

impl ClientDocument {
    pub fn new(
        document: Document,
        encoding: Encoding,
        range: Option<WireRange>,
        wanted: Wanted,
    ) -> Result<Self, ApiError> {
        Ok(Self {
            document,
            encoding,
            range,
            view: wanted.view(&AttributionOptions::default())?,
            thresholds: wanted.thresholds(LevelThresholds::default())?,
            model: wanted.model,
            edited: None,
        })
    }

    /// Applies the client's changes to the text.
    pub fn edit(&mut self, version: i64, changes: Vec<Change>) -> Result<(), ApiError> {
        let edits: Vec<Edit> = changes.into_iter().map(Edit::from).collect();
        self.edited = self
            .document
            .apply_edits(&edits, self.encoding.into(), version)
            .map_err(|error| ApiError::Unanalysable(error.to_string()))?;
        Ok(())
    }

    /// Selects another model, view or other levels. If one of them is invalid, nothing changes.
    pub fn look_through(&mut self, app: &App, wanted: Wanted) -> Result<(), ApiError> {
        let view = wanted.view(&self.view)?;
        let thresholds = wanted.thresholds(self.thresholds)?;
        let model = wanted.model.or_else(|| self.model.clone());
        match app.models.get(model.as_deref()) {
            Ok(found) => {
                view.resolve(found.info())?;
            }
            // The view is checked once the model is loaded.
            Err(ApiError::Loading { .. }) => {}
            Err(error) => return Err(error),
        }
        (self.model, self.view, self.thresholds) = (model, view, thresholds);
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

    /// Sends the visible part to the engine.
    pub fn focus(&self, app: &App, key: &str) {
        if let Some(range) = self.range {
            let span = Positions::new(&self.document, self.encoding).span(range);
            app.engine.focus(key, span);
        }
    }

    pub fn snapshot(&self, app: &App, live: LiveReceiver) -> Result<QuestionSnapshot, ApiError> {
        let model = app.models.get(self.model.as_deref())?;
        let attribution = self.view.resolve(model.info())?;
        let view = LiveView {
            document: self.document.clone(),
            version: self.document.version(),
            encoding: self.encoding,
            model_and_view: ModelAndView::live(model, attribution),
            view: self.view.clone(),
            thresholds: self.thresholds,
        };
        Ok(QuestionSnapshot { view, live })
    }
}

impl QuestionSnapshot {
    /// The document's model and view, with what a question selects instead.
    pub fn select(
        &self,
        app: &App,
        model: Option<&str>,
        options: Option<&ViewOptions>,
    ) -> Result<ModelAndView, ApiError> {
        let model = model.map(|model| app.models.get(Some(model)));
        Ok(self.view.select(model.transpose()?, options)?)
    }
}
