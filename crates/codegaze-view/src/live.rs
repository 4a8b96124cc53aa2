//! A live document as editors and the page show it. The results are the types that both servers send.
//!
//! | module | result |
//! | --- | --- |
//! | [`heat`] | the heat of a document or a part of it |
//! | [`matrix`] | one chunk's matrix |
//! | [`thumbnails`] | small maps of all layers and heads of a chunk |
//! | [`relations`] | what one lexeme attends to, and what attends to it |
//! | [`summary`] | the shares of lines, definitions and chunks |
//! | [`hover`] | the card of the lexeme under the pointer, and its partners |
//!
//! These functions never wait. Many of them read a whole document, so servers call them on threads that serve no requests.

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

/// The name of documents whose name is not shown.
const UNNAMED: &str = "text";

/// One version of a live document, with the model, the view and the position encoding of its client.
#[derive(Clone)]
pub struct LiveView {
    /// The version.
    pub document: Document,
    /// The version number of the client. [`Document::version`] can differ.
    pub version: i64,
    /// The code unit of the client's columns.
    pub encoding: Encoding,
    /// The model and view with which the document is analyzed.
    pub model_and_view: ModelAndView,
    /// The view that the client selected. A request can replace a part of it.
    pub view: AttributionOptions,
    /// Where the heat levels begin.
    pub thresholds: LevelThresholds,
}

/// An analysis of a live document, ready to be shown.
#[derive(Clone)]
pub struct LiveAnalysis {
    /// The analysis and its text.
    pub finished: Arc<Finished>,
    /// The heat levels of the analysis.
    pub levels: Levels,
    /// The version number of the client.
    pub version: i64,
    /// The code unit of the client's columns.
    pub encoding: Encoding,
}

/// Selects a chunk by its number or by a position in it; without either, the first chunk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// A position in the chunk.
    pub position: Option<WirePosition>,
    /// The index of the chunk. It has priority over `position`.
    pub chunk: Option<usize>,
}

/// A change of the text, as in the Language Server Protocol.
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// If omitted, `text` replaces the whole document.
    pub range: Option<WireRange>,
    /// The new text.
    pub text: String,
}

/// A lexeme with its numbers.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LexemeHeat {
    /// Where the lexeme is.
    pub range: WireRange,
    /// The text of the lexeme.
    pub text: String,
    /// 0 … 5.
    pub level: u8,
    /// The part of the chunk's attention, 0 … 1.
    pub share: f32,
    /// 1 is the average lexeme.
    pub lift: f32,
    /// The position in the order of lift in the document, from 1.
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
    /// The positions of this version, in the client's code units.
    #[must_use]
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.document, self.encoding)
    }

    /// The chunk that a request is about.
    #[must_use]
    pub fn scope(&self, place: Place) -> Scope {
        match (place.chunk, place.position) {
            (Some(chunk), _) => Scope::Chunk(chunk),
            (None, Some(position)) => Scope::ChunkAt(self.positions().offset(position)),
            (None, None) => Scope::Chunk(0),
        }
    }

    /// The document's model and view, except what a request selects instead.
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

    /// An analysis of this document, with heat levels. It sorts all lexemes and lines by lift.
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
    /// The positions of the analyzed text, in the client's code units.
    #[must_use]
    pub fn positions(&self) -> Positions<'_> {
        Positions::new(&self.finished.document, self.encoding)
    }

    /// The model and the view of the analysis.
    #[must_use]
    pub fn view(&self) -> ViewAnswer {
        let analysis = &self.finished.analysis;
        ViewAnswer::new(&analysis.model, &analysis.attribution)
    }

    /// The document with its analysis, for other views.
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
