//! Definitions and lines: code lenses and inlay hints.

use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{CodeLens, InlayHint, InlayHintLabel, InlayHintTooltip, Position, Range};

use super::actions::show_heatmap;
use super::proto::position;
use super::session::{Session, Snapshot};
use crate::off_thread::off_thread;
use crate::text::outline::nested_outline;
use crate::view::definitions::{definition_heats, line_heats};
use crate::view::levels::HeatLevel;

pub(crate) async fn lenses(
    session: &Session,
    snapshot: &Snapshot,
) -> Result<Option<Vec<CodeLens>>> {
    let Some(live) = session.analyzed(snapshot, None).await? else {
        return Ok(None);
    };
    let snapshot = snapshot.clone();
    let lenses = move || {
        let positions = snapshot.positions();
        let lenses = definition_heats(&live.document(), &nested_outline(&snapshot.document))
            .into_iter()
            .filter_map(|heat| {
                let name = positions.position(heat.definition.name.start);
                let title = heat.lens_title()?;
                Some(CodeLens {
                    range: Range::new(Position::new(name.line, 0), name),
                    command: Some(show_heatmap(&snapshot, title, heat.definition.span)),
                    data: None,
                })
            });
        Ok(Some(lenses.collect()))
    };
    off_thread(lenses).await
}

pub(crate) async fn hints(
    session: &Session,
    snapshot: &Snapshot,
    range: Range,
) -> Result<Option<Vec<InlayHint>>> {
    let part = snapshot.positions().span(range);
    let Some(live) = session.analyzed(snapshot, Some(part)).await? else {
        return Ok(None);
    };
    let hints = move || {
        let positions = live.positions();
        let hints = line_heats(&live.document(), HeatLevel::NONE)
            .into_iter()
            .filter(|heat| part.start <= heat.end && heat.end <= part.end)
            .map(|heat| InlayHint {
                position: position(positions.position(heat.end)),
                label: InlayHintLabel::String(heat.label()),
                kind: None,
                text_edits: None,
                tooltip: Some(InlayHintTooltip::String(heat.tooltip())),
                padding_left: Some(true),
                padding_right: None,
                data: None,
            });
        Ok(Some(hints.collect()))
    };
    off_thread(hints).await
}
