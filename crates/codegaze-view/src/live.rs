//! A live document as its client sees it: answers for editors and for the page, as the types that both servers send.
//!
//! | module | answers with |
//! | --- | --- |
//! | [`heat`] | the heat of a document or a part of it |
//! | [`matrix`] | one chunk's matrix |
//! | [`thumbnails`] | all maps of a chunk, in small |
//! | [`relations`] | what one lexeme attends to, and what attends to it |
//! | [`summary`] | what lines, definitions and chunks receive |
//! | [`hover`] | what is shown of the lexeme under the pointer |
//!
//! Nothing here waits. Many functions read a whole document: servers call them on threads that serve no requests.

pub mod heat;
pub mod hover;
pub mod matrix;
pub mod relations;
pub mod summary;
pub mod thumbnails;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use codegaze_core::analysis::ScoredLexeme;
use codegaze_core::attribution::AttributionOptions;
use codegaze_core::engine::{Finished, ModelAndView, Scope};
use codegaze_model::Model;
use codegaze_text::document::{Document, Edit};
use codegaze_text::outline::{self, Definition};

use super::AnalyzedDocument;
use super::levels::{HeatLevel, LevelThresholds, Levels};
use super::options::{ViewAnswer, ViewError, ViewOptions};
use super::position::{Encoding, Positions, WirePosition, WireRange};

/// The name of documents in pictures that are never shown.
const UNNAMED: &str = "text";

/// One version of a live document, with what its client sees it through.
#[derive(Clone)]
pub struct LiveView {
    pub document: Document,
    /// As the client counts. The document's own version may differ.
    pub version: i64,
    pub encoding: Encoding,
    /// What the document is analyzed with.
    pub model_and_view: ModelAndView,
    /// What the client selected: a question may replace a part of it.
    pub view: AttributionOptions,
    pub thresholds: LevelThresholds,
}

/// An analysis of a live document, ready to be shown.
#[derive(Clone)]
pub struct LiveAnalysis {
    pub finished: Arc<Finished>,
    /// Of this analysis.
    pub levels: Levels,
    /// As the client counts.
    pub version: i64,
    pub encoding: Encoding,
}

/// Selects a chunk by its number or by a position in it; without either, the first chunk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    pub position: Option<WirePosition>,
    pub chunk: Option<usize>,
}

/// A change of the text, as in the Language Server Protocol.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// If omitted, `text` replaces the whole document.
    pub range: Option<WireRange>,
    pub text: String,
}

/// A lexeme with its numbers.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LexemeHeat {
    pub range: WireRange,
    pub text: String,
    /// 0 … 5.
    pub level: u8,
    /// The part of the chunk's attention, 0 … 1.
    pub share: f32,
    /// 1 is the average lexeme.
    pub lift: f32,
    pub rank: usize,
}

impl From<Change> for Edit {
    fn from(change: Change) -> Self {
        Self {
            range: change
                .range
                .map(|range| (range.start.into(), range.end.into())),
            text: change.text,
        }
    }
}

impl LiveView {
    #[must_use]
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.document, self.encoding)
    }

    /// The chunk that a question is about.
    #[must_use]
    pub fn scope(&self, place: Place) -> Scope {
        match (place.chunk, place.position) {
            (Some(chunk), _) => Scope::Chunk(chunk),
            (None, Some(position)) => Scope::ChunkAt(self.positions().offset(position)),
            (None, None) => Scope::Chunk(0),
        }
    }

    /// The document's model and view, with what a question selects instead.
    ///
    /// # Errors
    /// If the model does not have the selected layers or heads, or if an option is invalid.
    pub fn select(
        &self,
        model: Option<Arc<Model>>,
        options: Option<&ViewOptions>,
    ) -> Result<ModelAndView, ViewError> {
        if model.is_none() && options.is_none() {
            return Ok(self.model_and_view.clone());
        }
        let model = model.unwrap_or_else(|| Arc::clone(&self.model_and_view.model));
        let view = match options {
            Some(options) => options.apply(&self.view)?,
            None => self.view.clone(),
        };
        let attribution = view.resolve(model.info())?;
        Ok(ModelAndView::live(model, attribution))
    }

    /// An analysis of this document. Sorts all lexemes and lines by their lifts.
    #[must_use]
    pub fn analysis(&self, finished: Arc<Finished>) -> LiveAnalysis {
        LiveAnalysis {
            levels: Levels::new(&finished.analysis, &self.thresholds),
            finished,
            version: self.version,
            encoding: self.encoding,
        }
    }
}

/// The innermost definition that holds a byte offset, such as a method. Reads the whole document.
#[must_use]
pub fn definition_at(document: &Document, offset: usize) -> Option<Definition> {
    outline::definition_at(&outline::nested_outline(document), offset).copied()
}

impl LiveAnalysis {
    #[must_use]
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.finished.document, self.encoding)
    }

    /// What the analysis was made with.
    #[must_use]
    pub fn view(&self) -> ViewAnswer {
        let analysis = &self.finished.analysis;
        ViewAnswer::new(&analysis.model, &analysis.attribution)
    }

    #[must_use]
    pub fn document(&self) -> AnalyzedDocument<'_> {
        AnalyzedDocument::with_levels(
            UNNAMED,
            &self.finished.document,
            &self.finished.analysis,
            self.levels.clone(),
        )
    }

    fn lexeme_heat(&self, lexeme: &ScoredLexeme, level: HeatLevel) -> LexemeHeat {
        LexemeHeat {
            range: self.positions().range(lexeme.span),
            text: lexeme.span.of(self.finished.document.text()).to_owned(),
            level: level.get(),
            share: lexeme.share,
            lift: lexeme.lift,
            rank: lexeme.rank,
        }
    }
}

#[cfg(test)]
mod tests;
