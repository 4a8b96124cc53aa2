//! Heat on the wire: semantic tokens, packed heatmaps, color swatches.

use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{Color, ColorInformation, Range, SemanticToken, SemanticTokens};

use super::custom::{HeatmapParams, HeatmapResult};
use super::proto::encoding_name;
use super::session::{Seen, Session, Snapshot};
use crate::text::ByteSpan;
use crate::view::levels::HeatLevel;
use crate::view::packed::{PlacedHeat, pack, place, shown_in};

/// Swatches are for what stands out: an editor without semantic tokens draws one before each word.
const SWATCH_LEVEL: HeatLevel = HeatLevel::SHOWN[3];

/// Lexemes of at least `min` that touch `part`.
fn placed<'a>(
    seen: &'a Seen,
    snapshot: &'a Snapshot,
    part: Option<ByteSpan>,
    min: HeatLevel,
) -> impl Iterator<Item = PlacedHeat> + 'a {
    let shown = shown_in(&seen.finished.analysis.lexemes, &seen.levels.lexemes, part);
    let hot = shown.filter(move |&(_, level)| level >= min);
    place(&snapshot.document, snapshot.encoding, hot)
}

pub(crate) async fn tokens(
    session: &Session,
    snapshot: &Snapshot,
    range: Option<Range>,
) -> Result<Option<SemanticTokens>> {
    let part = range.map(|range| snapshot.positions().span(range));
    let Some(seen) = session.analyzed(snapshot, part).await? else {
        return Ok(None);
    };
    if !seen.finished.complete {
        // Levels are quantiles of the whole document: they will be asked for again once it is there.
        session.notifier.set_refresh_pending();
    }
    let data = placed(&seen, snapshot, part, snapshot.settings.min_level)
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
}

pub(crate) async fn heatmap(
    session: &Session,
    snapshot: &Snapshot,
    params: &HeatmapParams,
) -> Result<Option<HeatmapResult>> {
    let part = params.range.map(|range| snapshot.positions().span(range));
    let Some(seen) = session.analyzed(snapshot, part).await? else {
        return Ok(None);
    };
    let positions = snapshot.positions();
    let unscored = &seen.finished.analysis.unscored;
    Ok(Some(HeatmapResult {
        uri: snapshot.uri.clone(),
        version: snapshot.client_version,
        view: seen.view(),
        levels: HeatLevel::SHOWN.len(),
        encoding: encoding_name(snapshot.encoding),
        complete: seen.finished.complete,
        unscored: unscored
            .iter()
            .map(|unscored| positions.range(unscored.span))
            .collect(),
        data: pack(placed(&seen, snapshot, part, HeatLevel::SHOWN[0])),
    }))
}

pub(crate) async fn colors(
    session: &Session,
    snapshot: &Snapshot,
) -> Result<Vec<ColorInformation>> {
    let Some(seen) = session.analyzed(snapshot, None).await? else {
        return Ok(Vec::new());
    };
    let positions = snapshot.positions();
    let shown = shown_in(&seen.finished.analysis.lexemes, &seen.levels.lexemes, None);
    let hot = shown.filter(|&(_, level)| level >= SWATCH_LEVEL);
    Ok(hot
        .map(|(lexeme, level)| ColorInformation {
            range: positions.range(lexeme.span),
            color: swatch(level),
        })
        .collect())
}

/// Okabe & Ito's blue (2008), lighter for level 4: told apart by lightness, by every eye.
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
