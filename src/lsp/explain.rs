//! One lexeme: its numbers in a hover, its partners as highlights. Neither waits long.

use std::time::Duration;

use tower_lsp::ls_types::{
    DocumentHighlight, DocumentHighlightKind, Hover, HoverContents, MarkupContent, MarkupKind,
    Position, Range,
};

use super::session::{Look, Session, Snapshot};
use crate::text::ByteSpan;
use crate::view::AnalysedDocument;
use crate::view::highlight::{Direction, highlights};
use crate::view::hover::{HoverCard, Origin, PendingCard};

/// A pointer does not rest for longer.
const PATIENCE: Duration = Duration::from_millis(300);

pub(crate) async fn hover(
    session: &Session,
    snapshot: &Snapshot,
    position: Position,
) -> Option<Hover> {
    let offset = snapshot.positions().offset(position);
    let place = ByteSpan::new(offset, offset);
    let deadline = PATIENCE.min(snapshot.settings.deadline);
    let seen = match session.look(snapshot, Some(place), deadline).await {
        Look::Seen(seen) => seen,
        Look::Outdated => return None,
        Look::Loading => {
            let model = session.models.requested();
            let card = PendingCard::Loading { model: &model };
            return Some(pending(snapshot, &card));
        }
        Look::Pending => return Some(pending(snapshot, &PendingCard::Analysing)),
        Look::Absent => {
            let limit = snapshot.settings.max_file_bytes >> 10;
            let reason = format!("the document is larger than {limit} KB (maxFileKb)");
            let card = PendingCard::NotScored { reason: &reason };
            return Some(pending(snapshot, &card));
        }
        Look::Failed(error) => {
            let reason = error.to_string();
            let card = PendingCard::NotScored { reason: &reason };
            return Some(pending(snapshot, &card));
        }
    };
    let analysis = &seen.finished.analysis;
    let Some(lexeme_idx) = analysis.lexeme_at(offset) else {
        let card = PendingCard::unscored_at(analysis, offset);
        // Blank lines are no news.
        let card = card.filter(|_| !is_blank(snapshot, offset))?;
        return Some(pending(snapshot, &card));
    };
    let lexeme = analysis.lexemes[lexeme_idx];
    let document = AnalysedDocument::with_levels(
        snapshot.key(),
        seen.finished.document.text(),
        analysis,
        &seen.levels,
    );
    let origin = Origin {
        cached: seen.finished.cached.get(lexeme.chunk_idx) == Some(&true),
        analysis: analysis.timing.total,
    };
    let relations = analysis.relations(lexeme_idx);
    let card = HoverCard::new(&document, lexeme_idx, relations.as_ref(), origin)?;
    let details = snapshot.settings.hover_details;
    let text = if snapshot.caps.hover_markdown {
        card.markdown(details)
    } else {
        card.plain(details)
    };
    let range = snapshot.positions().range(lexeme.span);
    Some(answer(snapshot, text, Some(range)))
}

fn is_blank(snapshot: &Snapshot, offset: usize) -> bool {
    let index = snapshot.document.index();
    let line = index.line_content_span(index.line_at(offset));
    line.of(snapshot.document.text()).trim().is_empty()
}

fn pending(snapshot: &Snapshot, card: &PendingCard<'_>) -> Hover {
    let text = if snapshot.caps.hover_markdown {
        card.markdown()
    } else {
        card.plain()
    };
    answer(snapshot, text, None)
}

fn answer(snapshot: &Snapshot, value: String, range: Option<Range>) -> Hover {
    let kind = if snapshot.caps.hover_markdown {
        MarkupKind::Markdown
    } else {
        MarkupKind::PlainText
    };
    Hover {
        contents: HoverContents::Markup(MarkupContent { kind, value }),
        range,
    }
}

/// Read: what the lexeme under the cursor attends to; write: what attends to it.
pub(crate) async fn highlight(
    session: &Session,
    snapshot: &Snapshot,
    position: Position,
) -> Option<Vec<DocumentHighlight>> {
    let positions = snapshot.positions();
    let offset = positions.offset(position);
    let place = ByteSpan::new(offset, offset);
    let deadline = PATIENCE.min(snapshot.settings.deadline);
    let Look::Seen(seen) = session.look(snapshot, Some(place), deadline).await else {
        return None;
    };
    let analysis = &seen.finished.analysis;
    let relations = analysis.relations(analysis.lexeme_at(offset)?)?;
    let found = highlights(
        &relations,
        snapshot.settings.highlight_limit,
        snapshot.settings.highlight_threshold,
    );
    let found = found
        .into_iter()
        .map(|(span, direction)| DocumentHighlight {
            range: positions.range(span),
            kind: Some(match direction {
                Direction::AttendsTo => DocumentHighlightKind::READ,
                Direction::AttendedBy => DocumentHighlightKind::WRITE,
            }),
        })
        .collect();
    Some(found)
}
