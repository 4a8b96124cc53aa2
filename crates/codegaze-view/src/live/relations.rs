//! One lexeme's row and column of its chunk's matrix.

use serde::Serialize;

use codegaze_core::engine::Finished;

use super::matrix::first_heatmap;
use super::{LexemeHeat, LiveAnalysis};
use crate::heatmap::Unit;
use crate::options::ViewAnswer;
use crate::picture::RenderError;
use crate::position::WireRange;

/// The most lexemes in each direction, if the request gives no limit.
const DEFAULT_LIMIT: usize = 50;

/// A lexeme that another one attends to, or that attends to it.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelatedLexeme {
    /// Where the lexeme is.
    pub range: WireRange,
    /// The text of the lexeme.
    pub text: String,
    /// A part of the attending lexeme's row, 0 … 1.
    pub weight: f32,
}

/// What a lexeme attends to, and what attends to it.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelationsResult {
    /// The version of the document that was analyzed.
    pub version: i64,
    /// How attention became scores.
    pub view: ViewAnswer,
    /// The index of the chunk.
    pub chunk: usize,
    /// The lexeme that was requested.
    pub lexeme: LexemeHeat,
    /// The lexemes that it attends to, heaviest first.
    pub attends_to: Vec<RelatedLexeme>,
    /// The lexemes that attend to it, heaviest first.
    pub attended_by: Vec<RelatedLexeme>,
}

impl LiveAnalysis {
    /// The relations of the lexeme with this index. `chunk` is an analysis of the lexeme's chunk with
    /// [`Heatmap::EXTRAS`](crate::heatmap::Heatmap::EXTRAS). Returns `None` if the lexeme is not in the matrix of the chunk.
    ///
    /// # Errors
    /// If the chunk's analysis contradicts itself.
    pub fn relations(
        &self,
        lexeme_idx: usize,
        chunk: &Finished,
        limit: Option<usize>,
    ) -> Result<Option<RelationsResult>, RenderError> {
        let lexeme = self.finished.analysis.lexemes[lexeme_idx];
        let Some(matrix) = first_heatmap(chunk, Unit::Lexeme)? else {
            return Ok(None);
        };
        let mut tokens = matrix.tokens.iter();
        let Some(at) = tokens.position(|token| token.span == Some(lexeme.span)) else {
            return Ok(None);
        };
        let text = self.finished.document.text();
        let positions = self.positions();
        let related = |heaviest: Vec<(usize, f32)>| -> Vec<RelatedLexeme> {
            let related = heaviest.into_iter().filter_map(|(other, weight)| {
                let span = matrix.tokens[other].span?;
                Some(RelatedLexeme {
                    range: positions.range(span),
                    text: span.of(text).to_owned(),
                    weight,
                })
            });
            related.collect()
        };
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        Ok(Some(RelationsResult {
            version: self.version,
            view: self.view(),
            chunk: chunk.first_chunk,
            lexeme: self.lexeme_heat(&lexeme, self.levels.lexemes[lexeme_idx]),
            attends_to: related(matrix.attends_to(at, limit)),
            attended_by: related(matrix.attended_by(at, limit)),
        }))
    }
}
