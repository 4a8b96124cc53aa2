//! One chunk's matrix.

use serde::Serialize;

use codegaze_core::engine::Finished;

use super::{LiveView, Place, UNNAMED, definition_at};
use crate::AnalyzedDocument;
use crate::heatmap::{Heatmap, Unit};
use crate::matrix::pack_weights;
use crate::options::ViewAnswer;
use crate::picture::RenderError;
use crate::position::WireRange;

/// One row and one column of a matrix.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixToken {
    /// The text, with invisible characters made visible.
    pub label: String,
    /// Where it is; `null` for a special subword.
    pub range: Option<WireRange>,
    /// The score.
    pub score: f32,
}

/// A chunk's query × key matrix.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MatrixResult {
    /// The version of the document that was analyzed.
    pub version: i64,
    /// How attention became scores.
    pub view: ViewAnswer,
    /// The index of the chunk.
    pub chunk: usize,
    /// The number of chunks in the document.
    pub chunks: usize,
    /// The range of the chunk.
    pub range: WireRange,
    /// The innermost definition at the position of the question, such as a method.
    pub definition: Option<WireRange>,
    /// What a row and a column stand for.
    pub unit: Unit,
    /// The rows, which are also the columns.
    pub tokens: Vec<MatrixToken>,
    /// [query, key], row-major, as base64 of little-endian f32.
    pub weights: String,
    /// The greatest weight.
    pub max: f32,
    /// The share of attention that special subwords took.
    pub sink_share: f32,
}

impl LiveView {
    /// The matrix of the first chunk of `finished`, an analysis of this document with [`Heatmap::EXTRAS`]; `None` for a chunk
    /// without lexemes.
    ///
    /// # Errors
    /// If the analysis contradicts itself.
    pub fn matrix(
        &self,
        finished: &Finished,
        place: Place,
        unit: Unit,
    ) -> Result<Option<MatrixResult>, RenderError> {
        let Some(heatmap) = first_heatmap(finished, unit)? else {
            return Ok(None);
        };
        let positions = self.positions();
        let analysis = &finished.analysis;
        let definition = place
            .position
            .and_then(|position| definition_at(&self.document, positions.offset(position)));
        Ok(Some(MatrixResult {
            version: self.version,
            view: ViewAnswer::new(&analysis.model, &analysis.attribution),
            chunk: finished.first_chunk,
            chunks: finished.n_chunks,
            range: positions.range(analysis.chunks[0].core),
            definition: definition.map(|definition| positions.range(definition.span)),
            unit,
            max: heatmap.max(),
            weights: pack_weights(&heatmap.weights),
            tokens: heatmap
                .tokens
                .into_iter()
                .map(|token| MatrixToken {
                    label: token.label,
                    range: token.span.map(|span| positions.range(span)),
                    score: token.score,
                })
                .collect(),
            sink_share: analysis.sink_share,
        }))
    }
}

pub(super) fn first_heatmap(
    finished: &Finished,
    unit: Unit,
) -> Result<Option<Heatmap>, RenderError> {
    let document = AnalyzedDocument::new(UNNAMED, &finished.document, &finished.analysis);
    Heatmap::of_first(&document, unit)
}
