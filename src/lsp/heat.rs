//! Heat on the wire: semantic tokens, packed heatmaps, colour swatches.

use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{Color, ColorInformation, Range, SemanticToken, SemanticTokens};

use super::custom::{HeatmapParams, HeatmapResult};
use super::proto::encoding_name;
use super::session::{Seen, Session, Snapshot};
use crate::analysis::ScoredLexeme;
use crate::text::ByteSpan;
use crate::view::levels::HeatLevel;

/// Swatches are for what stands out: an editor without semantic tokens draws one before each word.
const SWATCH_LEVEL: HeatLevel = HeatLevel::SHOWN[3];

/// One lexeme's place and heat in a client's units.
struct Placed {
    delta_line: u32,
    delta_start: u32,
    length: u32,
    level: HeatLevel,
    lift: f32,
}

/// Lexemes of at least `min` that touch `part`, each relative to the one before. No lexeme runs over a line's end: it holds no
/// whitespace.
fn place(seen: &Seen, snapshot: &Snapshot, part: Option<ByteSpan>, min: HeatLevel) -> Vec<Placed> {
    let positions = snapshot.positions();
    let (mut line, mut start) = (0, 0);
    in_part(seen, part)
        .filter(|&(_, level)| level >= min)
        .map(|(lexeme, level)| {
            let range = positions.range(lexeme.span);
            let at = range.start;
            let delta_line = at.line - line;
            let delta_start = if delta_line == 0 {
                at.character - start
            } else {
                at.character
            };
            (line, start) = (at.line, at.character);
            Placed {
                delta_line,
                delta_start,
                length: range.end.character - at.character,
                level,
                lift: lexeme.lift,
            }
        })
        .collect()
}

/// The lexemes that touch `part`, shown ones only, with their levels.
fn in_part(
    seen: &Seen,
    part: Option<ByteSpan>,
) -> impl Iterator<Item = (&ScoredLexeme, HeatLevel)> {
    let lexemes = &seen.finished.analysis.lexemes;
    let part = part.unwrap_or(ByteSpan::new(0, usize::MAX));
    let first = lexemes.partition_point(|lexeme| lexeme.span.end <= part.start);
    lexemes[first..]
        .iter()
        .zip(seen.levels[first..].iter().copied())
        .take_while(move |(lexeme, _)| lexeme.span.start < part.end)
        .filter(|&(_, level)| level > HeatLevel::NONE)
}

pub(crate) async fn tokens(
    session: &Session,
    snapshot: &Snapshot,
    range: Option<Range>,
) -> Result<Option<SemanticTokens>> {
    let part = range.map(|range| snapshot.positions().span(range));
    let Some(seen) = session.analysed(snapshot, part).await? else {
        return Ok(None);
    };
    if !seen.finished.complete {
        // Levels are quantiles of the whole document: they will be asked for again once it is there.
        session.notifier.was_early();
    }
    let placed = place(&seen, snapshot, part, snapshot.settings.min_level);
    let data = placed
        .into_iter()
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
    let Some(seen) = session.analysed(snapshot, part).await? else {
        return Ok(None);
    };
    let positions = snapshot.positions();
    let placed = place(&seen, snapshot, part, HeatLevel::SHOWN[0]);
    let data = placed
        .into_iter()
        .flat_map(|placed| {
            [
                placed.delta_line,
                placed.delta_start,
                placed.length,
                u32::from(placed.level.get()),
                thousandths(placed.lift),
            ]
        })
        .collect();
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
        data,
    }))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates; lifts are positive"
)]
fn thousandths(lift: f32) -> u32 {
    (lift * 1e3).round() as u32
}

pub(crate) async fn colors(
    session: &Session,
    snapshot: &Snapshot,
) -> Result<Vec<ColorInformation>> {
    let Some(seen) = session.analysed(snapshot, None).await? else {
        return Ok(Vec::new());
    };
    let positions = snapshot.positions();
    let hot = in_part(&seen, None).filter(|&(_, level)| level >= SWATCH_LEVEL);
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
