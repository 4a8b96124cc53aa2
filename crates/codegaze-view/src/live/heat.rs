//! The packed heat of a document or of a part of it.

use serde::Serialize;

use codegaze_core::analysis::ScoredLexeme;
use codegaze_text::ByteSpan;

use super::LiveAnalysis;
use crate::levels::HeatLevel;
use crate::options::ViewAnswer;
use crate::packed::{PlacedHeat, pack, place, shown_in};
use crate::position::{Encoding, WireRange};

/// Heat, packed like semantic tokens.
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[derive(Clone, Debug, Serialize)]
pub struct HeatmapResult {
    /// The version of the document that was analyzed.
    pub version: i64,
    /// How attention became scores.
    pub view: ViewAnswer,
    /// The number of levels.
    pub levels: usize,
    /// The code unit of columns and lengths.
    pub encoding: Encoding,
    /// `false`: the analysis is still running, and more heat will follow.
    pub complete: bool,
    /// Parts of the document that have no scores.
    pub unscored: Vec<WireRange>,
    /// Five integers for each lexeme, as in docs/protocol.md.
    pub data: Vec<u32>,
}

impl LiveAnalysis {
    /// The heat of the lexemes that touch `part`, or of all lexemes. Levels are quantiles of the whole document in both cases.
    #[must_use]
    pub fn heat(&self, part: Option<ByteSpan>) -> HeatmapResult {
        let positions = self.positions();
        HeatmapResult {
            version: self.version,
            view: self.view(),
            levels: HeatLevel::SHOWN.len(),
            encoding: self.encoding,
            complete: self.finished.complete,
            unscored: self
                .finished
                .analysis
                .unscored
                .iter()
                .map(|unscored| positions.range(unscored.span))
                .collect(),
            data: pack(self.placed(part, HeatLevel::SHOWN[0])),
        }
    }

    /// Lexemes of at least level `min` that touch `part`, each relative to the one before.
    pub fn placed(
        &self,
        part: Option<ByteSpan>,
        min: HeatLevel,
    ) -> impl Iterator<Item = PlacedHeat> {
        place(self.positions(), self.shown(part, min))
    }

    /// Lexemes of at least level `min` that touch `part`, ascending.
    pub fn shown(
        &self,
        part: Option<ByteSpan>,
        min: HeatLevel,
    ) -> impl Iterator<Item = (&ScoredLexeme, HeatLevel)> {
        shown_in(&self.finished.analysis.lexemes, &self.levels.lexemes, part)
            .filter(move |&(_, level)| level >= min)
    }
}
