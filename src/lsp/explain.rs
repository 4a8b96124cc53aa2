//! One lexeme: its numbers in a hover, its partners as highlights. Both are read from one chunk and take no time to make, so they
//! are made on the thread of the request.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use tower_lsp::ls_types::{
    DocumentHighlight, DocumentHighlightKind, Hover, HoverContents, MarkupContent, MarkupKind,
    Position, Range,
};

use super::commands::client_command;
use super::proto::range as lsp_range;
use super::session::{Lookup, Session, Snapshot};
use crate::text::ByteSpan;
use crate::view::highlight::Direction;
use crate::view::hover::{CardLength, PendingCard};
use crate::view::levels::HeatLevel;
use crate::view::live::hover::Hovered;

/// After more time than this, the pointer is probably elsewhere.
const DEADLINE: Duration = Duration::from_millis(300);

/// The hover of an editor, which the user may not have asked for: short, and only for lexemes of the level that is set.
pub(crate) async fn hover(
    session: &Session,
    snapshot: &Snapshot,
    position: Position,
) -> Option<Hover> {
    let settings = &snapshot.settings;
    let length = if settings.hover_details {
        CardLength::Full
    } else {
        CardLength::Short
    };
    card(session, snapshot, position, length, settings.hover_level).await
}

/// All that is known of a lexeme, for a user who asked for it.
pub(crate) async fn explain(
    session: &Session,
    snapshot: &Snapshot,
    position: Position,
) -> Option<Hover> {
    card(
        session,
        snapshot,
        position,
        CardLength::Full,
        HeatLevel::NONE,
    )
    .await
}

async fn card(
    session: &Session,
    snapshot: &Snapshot,
    position: Position,
    length: CardLength,
    min_level: HeatLevel,
) -> Option<Hover> {
    let offset = snapshot.positions().offset(position);
    let place = ByteSpan::new(offset, offset);
    let deadline = DEADLINE.min(snapshot.settings.deadline);
    let live = match session.look_up(snapshot, Some(place), deadline).await {
        Lookup::Found(live) => live,
        Lookup::Outdated => return None,
        Lookup::Loading => {
            let model = session.model_choice.requested();
            let card = PendingCard::Loading { model: &model };
            return Some(pending(snapshot, &card));
        }
        Lookup::Pending => return Some(pending(snapshot, &PendingCard::Analyzing)),
        Lookup::Absent => {
            let limit = snapshot.settings.max_file_bytes >> 10;
            let reason = format!("the document is larger than {limit} KB (maxFileKb)");
            let card = PendingCard::NotScored { reason: &reason };
            return Some(pending(snapshot, &card));
        }
        Lookup::Failed(error) => {
            let reason = error.to_string();
            let card = PendingCard::NotScored { reason: &reason };
            return Some(pending(snapshot, &card));
        }
    };
    let (card, range) = match live.hover(offset)? {
        Hovered::Lexeme { card, range } => (card, lsp_range(range)),
        Hovered::Unscored(card) => return Some(pending(snapshot, &card)),
    };
    if card.level() < min_level {
        return None;
    }
    let mut text = if snapshot.caps.hover_markdown {
        card.markdown(length) + &links(snapshot, range, length)
    } else {
        card.plain(length)
    };
    if length == CardLength::Full && !live.finished.complete {
        text.push_str(
            "\n\nThe rest of the document is still being analyzed: rank and level are of the part that is done.",
        );
    }
    Some(answer(snapshot, text, Some(range)))
}

/// Links to commands that the client runs, by its settings. Other clients cannot follow such links.
fn links(snapshot: &Snapshot, range: Range, length: CardLength) -> String {
    let arguments = json!([{ "uri": snapshot.uri, "range": range }]).to_string();
    let known: &[(&str, &str, &str)] = match length {
        CardLength::Short => &[(client_command::EXPLAIN, "more", &arguments)],
        CardLength::Full => &[
            (client_command::SHOW_HEATMAP, "Show the heatmap", &arguments),
            (
                client_command::SELECT_VIEW,
                "Choose method, layer, head",
                "",
            ),
        ],
    };
    let links: Vec<String> = known
        .iter()
        .filter(|(command, ..)| snapshot.settings.runs(command))
        .map(|(command, title, arguments)| {
            if arguments.is_empty() {
                format!("[{title}](command:{command})")
            } else {
                format!(
                    "[{title}](command:{command}?{})",
                    percent_encoded(arguments)
                )
            }
        })
        .collect();
    // In the short card, the link is one line more of its paragraph.
    let separator = match length {
        CardLength::Short => "  \n",
        CardLength::Full => "\n\n",
    };
    if links.is_empty() {
        String::new()
    } else {
        format!("{separator}{}", links.join(" · "))
    }
}

/// Everything except letters and digits, which is more than `encodeURIComponent` encodes.
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
    let offset = snapshot.positions().offset(position);
    let place = ByteSpan::new(offset, offset);
    let deadline = DEADLINE.min(snapshot.settings.deadline);
    let Lookup::Found(live) = session.look_up(snapshot, Some(place), deadline).await else {
        return None;
    };
    let settings = &snapshot.settings;
    let found = live.highlights(
        offset,
        settings.highlight_limit,
        settings.highlight_threshold,
    )?;
    let found = found
        .into_iter()
        .map(|(range, direction)| DocumentHighlight {
            range: lsp_range(range),
            kind: Some(match direction {
                Direction::AttendsTo => DocumentHighlightKind::READ,
                Direction::AttendedBy => DocumentHighlightKind::WRITE,
            }),
        })
        .collect();
    Some(found)
}
