//! One lexeme: its numbers in a hover, its partners as highlights. Neither waits long.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tower_lsp::ls_types::{
    DocumentHighlight, DocumentHighlightKind, Hover, HoverContents, MarkupContent, MarkupKind,
    Position, Range,
};

use super::commands::client_command;
use super::session::{Look, Session, Snapshot};
use crate::text::ByteSpan;
use crate::view::AnalyzedDocument;
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
            let model = session.model_choice.requested();
            let card = PendingCard::Loading { model: &model };
            return Some(pending(snapshot, &card));
        }
        Look::Pending => return Some(pending(snapshot, &PendingCard::Analyzing)),
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
    let document = AnalyzedDocument::with_levels(
        snapshot.key(),
        &seen.finished.document,
        analysis,
        seen.levels.clone(),
    );
    let origin = Origin {
        cached: seen.finished.cached.get(lexeme.chunk_idx) == Some(&true),
        analysis: analysis.timing.total,
    };
    let relations = analysis.relations(lexeme_idx);
    let card = HoverCard::new(&document, lexeme_idx, relations.as_ref(), origin)?;
    let details = snapshot.settings.hover_details;
    let range = snapshot.positions().range(lexeme.span);
    let mut text = if snapshot.caps.hover_markdown {
        card.markdown(details) + &links(snapshot, range)
    } else {
        card.plain(details)
    };
    if !seen.finished.complete {
        text.push_str(
            "\n\nThe rest of the document is still being analyzed: rank and level are of the part that is done.",
        );
    }
    Some(answer(snapshot, text, Some(range)))
}

/// Links to commands that the client said it runs; anywhere else they would lead nowhere.
fn links(snapshot: &Snapshot, range: Range) -> String {
    let arguments = json!([{ "uri": snapshot.uri, "range": range }]).to_string();
    let known = [
        (client_command::SHOW_HEATMAP, "Show the heatmap", arguments),
        (
            client_command::SELECT_VIEW,
            "Choose method, layer, head",
            String::new(),
        ),
    ];
    let links: Vec<String> = known
        .into_iter()
        .filter(|(command, ..)| snapshot.settings.runs(command))
        .map(|(command, title, arguments)| {
            if arguments.is_empty() {
                format!("[{title}](command:{command})")
            } else {
                format!(
                    "[{title}](command:{command}?{})",
                    percent_encoded(&arguments)
                )
            }
        })
        .collect();
    if links.is_empty() {
        String::new()
    } else {
        format!("\n\n{}", links.join(" · "))
    }
}

/// All but letters and digits, as `encodeURIComponent` does and more.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
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
