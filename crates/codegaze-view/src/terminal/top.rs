//! The table of the most attended lexemes.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::TerminalOptions;
use super::style::Style;
use crate::label::{label, truncate};
use crate::{AnalyzedDocument, Granularity};

const LEXEME_WIDTH: usize = 32;
const LINE_WIDTH: usize = 60;
const BAR_WIDTH: usize = 24;

/// Writes the `n` lexemes (or lines) of best rank: rank, text, place, share of its chunk, lift, a bar as long as the lift.
///
/// # Errors
/// The errors of `w`.
pub fn write_top(
    w: &mut impl Write,
    document: &AnalyzedDocument<'_>,
    n: usize,
    options: &TerminalOptions,
) -> io::Result<()> {
    let style = Style::new(options);
    let (head, rows) = match options.granularity {
        Granularity::Lexemes => ("lexeme", lexeme_rows(document, n)),
        Granularity::Lines => ("line", line_rows(document, n)),
    };
    let max_lift = rows.iter().map(|row| row.bar).fold(0.0, f32::max);
    let width = |of: fn(&Row) -> &str, head: &str| {
        rows.iter()
            .map(|row| of(row).width())
            .fold(head.width(), usize::max)
    };
    let rank = width(|row| &row.rank, "rank");
    let text = width(|row| &row.text, head);
    let place = width(|row| &row.place, "line:col");
    let share = width(|row| &row.share, "share %");
    let lift = width(|row| &row.lift, "lift ×");

    writeln!(
        w,
        "{}",
        style.bold(&format!(
            "{:>rank$}  {:<text$}  {:>place$}  {:>share$}  {:>lift$}",
            "rank", head, "line:col", "share %", "lift ×"
        ))
    )?;
    for row in rows {
        write!(w, "{:>rank$}  ", row.rank)?;
        // Padded by display width: `{:<width$}` counts characters.
        style.write_heat(w, row.level, |w| write!(w, "{}", row.text))?;
        let pad = text - row.text.width();
        writeln!(
            w,
            "{:pad$}  {:>place$}  {:>share$}  {:>lift$}  {}",
            "",
            row.place,
            row.share,
            row.lift,
            bar(row.bar, max_lift)
        )?;
    }
    Ok(())
}

fn lexeme_rows(document: &AnalyzedDocument<'_>, n: usize) -> Vec<Row> {
    document
        .top(n)
        .into_iter()
        .map(|(lexeme, level)| {
            let (line, column) = document.place(lexeme.span.start);
            Row {
                rank: lexeme.rank.to_string(),
                text: truncate(&label(document.slice(lexeme.span)), LEXEME_WIDTH),
                place: format!("{line}:{column}"),
                share: format!("{:.2}", lexeme.share * 100.0),
                lift: format!("{:.2}", lexeme.lift),
                bar: lexeme.lift,
                level,
            }
        })
        .collect()
}

fn line_rows(document: &AnalyzedDocument<'_>, n: usize) -> Vec<Row> {
    let mut ranked: Vec<_> = document.scored_lines().collect();
    ranked.sort_by(|(a, _), (b, _)| b.lift.total_cmp(&a.lift));
    ranked.truncate(n);
    ranked
        .into_iter()
        .enumerate()
        .map(|(i, (line, level))| {
            let content = document
                .source
                .index()
                .line_content_span(line.line as usize);
            Row {
                rank: (i + 1).to_string(),
                text: truncate(&label(document.slice(content).trim()), LINE_WIDTH),
                place: (line.line + 1).to_string(),
                share: format!("{:.2}", line.share * 100.0),
                lift: format!("{:.2}", line.lift),
                bar: line.lift,
                level,
            }
        })
        .collect()
}

struct Row {
    rank: String,
    text: String,
    place: String,
    share: String,
    lift: String,
    bar: f32,
    level: crate::levels::HeatLevel,
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)] // 0 … BAR_WIDTH
fn bar(lift: f32, max_lift: f32) -> String {
    if !(lift > 0.0 && max_lift > 0.0) {
        return String::new();
    }
    let eighths = (lift / max_lift * (BAR_WIDTH * 8) as f32).round() as usize;
    let mut bar = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        bar.push(super::EIGHTHS[eighths % 8]);
    }
    bar
}
