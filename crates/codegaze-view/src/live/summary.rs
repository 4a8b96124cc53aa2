//! The shares of lines, definitions and chunks.

use serde::Serialize;

use codegaze_text::outline::outline;

use super::{LexemeHeat, LiveAnalysis};
use crate::definitions::{DefinitionHeat, definition_heats, line_heats};
use crate::levels::HeatLevel;
use crate::options::ViewAnswer;
use crate::position::WireRange;

/// The number of most attended lexemes in a summary, if the client does not specify it.
const DEFAULT_TOP: usize = 20;

/// The shares of all lines, definitions and chunks, and the most attended lexemes.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SummaryResult {
    /// The version of the document that was analyzed.
    pub version: i64,
    /// How attention became scores.
    pub view: ViewAnswer,
    /// The lines with lexemes, ascending.
    pub lines: Vec<LineSummary>,
    /// The top-level definitions, ascending.
    pub definitions: Vec<DefinitionSummary>,
    /// The chunks, ascending.
    pub chunks: Vec<ChunkSummary>,
    /// The most attended lexemes, best first.
    pub top: Vec<LexemeHeat>,
    /// The share of attention on special subwords.
    pub sink_share: f32,
    /// The share of scores on whitespace.
    pub whitespace_share: f32,
}

/// The share of one line.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineSummary {
    /// The line, from 0.
    pub line: usize,
    /// The part of the document's attention; all lines sum to 1.
    pub share: f32,
    /// 1 is the average line.
    pub lift: f32,
    /// The heat level, 0 … 5.
    pub level: u8,
}

/// The share of one top-level definition.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefinitionSummary {
    /// Where the definition is.
    pub range: WireRange,
    /// The name of the definition.
    pub name: String,
    /// The part of the document's attention.
    pub share: f32,
    /// The share and the most attended lexeme, in words.
    pub title: String,
    /// The most attended lexeme; `null` if nothing in the definition has scores.
    pub top: Option<TopSummary>,
}

/// The most attended lexeme of a definition.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TopSummary {
    /// Where the lexeme is.
    pub range: WireRange,
    /// The text of the lexeme, legible and limited in length.
    pub label: String,
    /// 1 is the average lexeme.
    pub lift: f32,
}

/// The size and shares of one chunk.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkSummary {
    /// The range that the chunk scores, without its context.
    pub range: WireRange,
    /// The number of subwords, including special ones.
    pub tokens: usize,
    /// The share of attention on special subwords.
    pub sink_share: f32,
    /// The share of scores on whitespace.
    pub whitespace_share: f32,
    /// Whether the scores came from the cache.
    pub cached: bool,
}

impl LiveAnalysis {
    /// The analysis must be complete. `top`: the number of most attended lexemes.
    #[must_use]
    pub fn summary(&self, top: Option<usize>) -> SummaryResult {
        let analysis = &self.finished.analysis;
        let document = self.document();
        let top = document.top(top.unwrap_or(DEFAULT_TOP));
        SummaryResult {
            version: self.version,
            view: self.view(),
            lines: line_heats(&document, HeatLevel::NONE)
                .into_iter()
                .map(|heat| LineSummary {
                    line: heat.line,
                    share: heat.share,
                    lift: heat.lift,
                    level: heat.level.get(),
                })
                .collect(),
            definitions: definition_heats(&document, &outline(&self.finished.document))
                .into_iter()
                .map(|heat| self.definition_summary(heat))
                .collect(),
            chunks: self.chunk_summaries(),
            top: top
                .into_iter()
                .map(|(lexeme, level)| self.lexeme_heat(lexeme, level))
                .collect(),
            sink_share: analysis.sink_share,
            whitespace_share: analysis.whitespace_share,
        }
    }

    fn definition_summary(&self, heat: DefinitionHeat) -> DefinitionSummary {
        let positions = self.positions();
        let name = heat.definition.name;
        DefinitionSummary {
            range: positions.range(heat.definition.span),
            name: name.of(self.finished.document.text()).to_owned(),
            share: heat.share,
            title: heat.title(),
            top: heat.top.map(|top| TopSummary {
                range: positions.range(top.span),
                label: top.label,
                lift: top.lift,
            }),
        }
    }

    fn chunk_summaries(&self) -> Vec<ChunkSummary> {
        let positions = self.positions();
        let chunks = self.finished.analysis.chunks.iter();
        chunks
            .zip(&self.finished.cached)
            .map(|(chunk, &cached)| ChunkSummary {
                range: positions.range(chunk.core),
                tokens: chunk.n_tokens,
                sink_share: chunk.sink_share,
                whitespace_share: chunk.whitespace_share,
                cached,
            })
            .collect()
    }
}
