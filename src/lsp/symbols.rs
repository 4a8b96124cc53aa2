//! What is said about whole definitions and lines: code lenses and inlay hints.

use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{CodeLens, InlayHint, InlayHintLabel, InlayHintTooltip, Position, Range};

use super::actions::show_heatmap;
use super::session::{Session, Snapshot};
use crate::text::outline::outline;
use crate::view::AnalyzedDocument;
use crate::view::definitions::{definition_heats, line_heats};
use crate::view::levels::HeatLevel;

pub(crate) async fn lenses(
    session: &Session,
    snapshot: &Snapshot,
) -> Result<Option<Vec<CodeLens>>> {
    let Some(seen) = session.analyzed(snapshot, None).await? else {
        return Ok(None);
    };
    let document = AnalyzedDocument::with_levels(
        snapshot.key(),
        &snapshot.document,
        &seen.finished.analysis,
        seen.levels,
    );
    let positions = snapshot.positions();
    let definitions = outline(&snapshot.document);
    let lenses = definition_heats(&document, &definitions)
        .into_iter()
        .map(|heat| {
            let name = positions.position(heat.definition.name.start);
            let title = heat.title();
            CodeLens {
                range: Range::new(Position::new(name.line, 0), name),
                command: Some(show_heatmap(snapshot, title, heat.definition.span)),
                data: None,
            }
        });
    Ok(Some(lenses.collect()))
}

pub(crate) async fn hints(
    session: &Session,
    snapshot: &Snapshot,
    range: Range,
) -> Result<Option<Vec<InlayHint>>> {
    let positions = snapshot.positions();
    let part = positions.span(range);
    let Some(seen) = session.analyzed(snapshot, Some(part)).await? else {
        return Ok(None);
    };
    let document = AnalyzedDocument::with_levels(
        snapshot.key(),
        &snapshot.document,
        &seen.finished.analysis,
        seen.levels,
    );
    let hints = line_heats(&document, HeatLevel::NONE)
        .into_iter()
        .filter(|heat| part.start <= heat.end && heat.end <= part.end)
        .map(|heat| InlayHint {
            position: positions.position(heat.end),
            label: InlayHintLabel::String(heat.label()),
            kind: None,
            text_edits: None,
            tooltip: Some(InlayHintTooltip::String(heat.tooltip())),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        });
    Ok(Some(hints.collect()))
}
