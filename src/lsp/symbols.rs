//! What is said about whole definitions and lines: code lenses and inlay hints.

use tower_lsp::jsonrpc::Result;
use tower_lsp::ls_types::{CodeLens, InlayHint, InlayHintLabel, InlayHintTooltip, Position, Range};

use super::actions::show_heatmap;
use super::session::{Session, Snapshot};
use crate::text::outline::outline;
use crate::view::AnalysedDocument;
use crate::view::definitions::{definition_lenses, line_hints};

pub(crate) async fn lenses(
    session: &Session,
    snapshot: &Snapshot,
) -> Result<Option<Vec<CodeLens>>> {
    let Some(seen) = session.analysed(snapshot, None).await? else {
        return Ok(None);
    };
    let text = snapshot.document.text();
    let analysis = &seen.finished.analysis;
    let document = AnalysedDocument::with_levels(snapshot.key(), text, analysis, &seen.levels);
    let positions = snapshot.positions();
    let definitions = outline(text, snapshot.document.index());
    let lenses = definition_lenses(&document, &definitions);
    let lenses = lenses.into_iter().map(|lens| {
        let start = positions.position(lens.definition.name.start);
        CodeLens {
            range: Range::new(Position::new(start.line, 0), start),
            command: Some(show_heatmap(snapshot, lens.title, lens.definition.span)),
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
    let Some(seen) = session.analysed(snapshot, Some(part)).await? else {
        return Ok(None);
    };
    let text = snapshot.document.text();
    let index = snapshot.document.index();
    let analysis = &seen.finished.analysis;
    let document = AnalysedDocument::with_levels(snapshot.key(), text, analysis, &seen.levels);
    let hints = line_hints(&document).into_iter().filter_map(|hint| {
        let end = index.line_content_span(hint.line as usize).end;
        let is_asked = part.start <= end && end <= part.end;
        is_asked.then(|| InlayHint {
            position: positions.position(end),
            label: InlayHintLabel::String(hint.label),
            kind: None,
            text_edits: None,
            tooltip: Some(InlayHintTooltip::String(hint.tooltip)),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        })
    });
    Ok(Some(hints.collect()))
}
