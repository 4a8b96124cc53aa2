//! Heat for editors: semantic tokens, packed heatmaps, color swatches.

use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{Color, ColorInformation, Range, SemanticToken, SemanticTokens};

use super::custom::{HeatmapParams, OfDocument};
use super::proto::range;
use super::session::{Session, Snapshot};
use crate::off_thread::off_thread;
use crate::view::levels::HeatLevel;
use crate::view::live::heat::HeatmapResult;

/// Swatches are for what stands out: an editor without semantic tokens draws one before each word.
const SWATCH_LEVEL: HeatLevel = HeatLevel::SHOWN[3];

pub(crate) async fn tokens(
    session: &Session,
    snapshot: &Snapshot,
    range: Option<Range>,
) -> Result<Option<SemanticTokens>> {
    let part = range.map(|range| snapshot.positions().span(range));
    let Some(live) = session.analyzed(snapshot, part).await? else {
        return Ok(None);
    };
    if !live.finished.complete {
        // Levels are quantiles of the whole document: the client requests them again when it is complete.
        session.refresh_when_ready(snapshot.key());
    }
    let min_level = snapshot.settings.min_level;
    let tokens = move || {
        let data = live
            .placed(part, min_level)
            .map(|placed| SemanticToken {
                delta_line: placed.delta_line,
                delta_start: placed.delta_start,
                length: placed.length,
                token_type: u32::from(placed.level.get() - 1),
                token_modifiers_bitset: 0,
            })
            .collect();
        Ok(Some(SemanticTokens {
            result_id: None,
            data,
        }))
    };
    off_thread(tokens).await
}

pub(crate) async fn heatmap(
    session: &Session,
    snapshot: &Snapshot,
    params: &HeatmapParams,
) -> Result<Option<OfDocument<HeatmapResult>>> {
    let part = params.range.map(|range| snapshot.positions().span(range));
    // A user waits for the visible part, and sees it grow.
    let live = match part {
        Some(part) => session.analyzed_so_far(snapshot, part).await?,
        None => session.analyzed(snapshot, None).await?,
    };
    let Some(live) = live else {
        return Ok(None);
    };
    let uri = snapshot.uri.clone();
    let heatmap = move || {
        let result = live.heat(part);
        Ok(Some(OfDocument { uri, result }))
    };
    off_thread(heatmap).await
}

pub(crate) async fn colors(
    session: &Session,
    snapshot: &Snapshot,
) -> Result<Vec<ColorInformation>> {
    let Some(live) = session.analyzed(snapshot, None).await? else {
        return Ok(Vec::new());
    };
    let colors = move || {
        let positions = live.positions();
        let hot = live.shown(None, SWATCH_LEVEL);
        Ok(hot
            .map(|(lexeme, level)| ColorInformation {
                range: range(positions.range(lexeme.span)),
                color: swatch(level),
            })
            .collect())
    };
    off_thread(colors).await
}

/// Okabe & Ito's blue (2008), lighter for level 4: they differ in lightness, which every eye sees.
fn swatch(level: HeatLevel) -> Color {
    let (red, green, blue) = if level == HeatLevel::MAX {
        (0.0, 0.447, 0.698)
    } else {
        (0.478, 0.714, 0.843)
    };
    Color {
        red,
        green,
        blue,
        alpha: 1.0,
    }
}
