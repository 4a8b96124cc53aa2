//! Shaded source for a terminal, written line by line so that memory does not grow with the document.

mod style;
mod top;

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::label::{printable, stand_in};
use super::levels::{HeatLevel, LevelThresholds};
use super::summary::{summary, unscored};
use super::theme::Theme;
use super::{AnalyzedDocument, Granularity, ShadedLine};

use style::Style;
pub use top::write_top;

/// The colors that a terminal supports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColorMode {
    /// 24-bit colors.
    TrueColor,
    /// The 256 colors of xterm.
    Ansi256,
    /// No escape sequences: heat is a row of marks below each line.
    #[default]
    Plain,
}

/// How the source is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalOptions {
    /// The colors of the terminal.
    pub color: ColorMode,
    /// The background of the terminal. Shaded text has its own foreground color, so that it is legible even if this is wrong.
    pub theme: Theme,
    /// Whether lexemes or whole lines are shaded.
    pub granularity: Granularity,
    /// Columns from one tab stop to the next, counted from the start of the line; at least 1.
    pub tab_width: usize,
}

impl Default for TerminalOptions {
    fn default() -> Self {
        Self {
            color: ColorMode::default(),
            theme: Theme::Dark,
            granularity: Granularity::default(),
            tab_width: 4,
        }
    }
}

/// The marks of levels 0 … 5 in [`ColorMode::Plain`], each darker than the one before.
pub const MARKS: [char; 6] = [' ', '.', ':', '-', '=', '#'];

/// Eighths of a block, for the bar in the gutter.
const EIGHTHS: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// Writes the whole document: path, source, legend, summary.
///
/// # Errors
/// The errors of `w`.
pub fn write_document(
    w: &mut impl Write,
    document: &AnalyzedDocument<'_>,
    options: &TerminalOptions,
) -> io::Result<()> {
    let style = Style::new(options);
    writeln!(w, "{}", style.bold(&printable(document.name)))?;
    write_source(w, document, options)?;
    write_legend(w, options)?;
    write_summary(w, document, options)
}

/// Writes the shaded source: line number, a bar as long as the line's lift, the line.
///
/// # Errors
/// The errors of `w`.
pub fn write_source(
    w: &mut impl Write,
    document: &AnalyzedDocument<'_>,
    options: &TerminalOptions,
) -> io::Result<()> {
    let style = Style::new(options);
    let number_width = document.line_count().max(1).to_string().len().max(3);
    let max_lift = document
        .analysis
        .lines
        .iter()
        .map(|line| line.lift)
        .filter(|lift| lift.is_finite())
        .fold(0.0, f32::max);

    for line in document.shaded_lines() {
        let bar = bar(line.scored.map_or(0.0, |(lift, _)| lift), max_lift);
        let number = format!("{:>number_width$}", line.number + 1);
        write!(w, "{} {} ", style.dim(&number), style.bar(bar))?;
        let mut cells = Cells::new(options.tab_width);
        for (piece, level) in line_pieces(&line, options.granularity) {
            style.write_heat(w, level, |w| cells.write(w, piece))?;
        }
        writeln!(w)?;
        if options.color == ColorMode::Plain {
            write_marks(w, &line, options, number_width + 3)?;
        }
    }
    Ok(())
}

/// Writes what the shades or marks mean.
///
/// # Errors
/// The errors of `w`.
pub fn write_legend(w: &mut impl Write, options: &TerminalOptions) -> io::Result<()> {
    let style = Style::new(options);
    let quantiles = LevelThresholds::default().quantiles;
    let unit = match options.granularity {
        Granularity::Lexemes => "lexemes",
        Granularity::Lines => "lines",
    };
    write!(w, "attention above that of")?;
    for (level, quantile) in HeatLevel::SHOWN.into_iter().zip(quantiles) {
        let percent = format!("{:.0} %", quantile * 100.0);
        if options.color == ColorMode::Plain {
            write!(w, "  {} {percent}", MARKS[usize::from(level.get())])?;
        } else {
            write!(w, " ")?;
            style.write_heat(w, level, |w| write!(w, " {percent} "))?;
        }
    }
    writeln!(w, "  of the {unit}; bar: the line as a whole")
}

/// Writes one line about the analysis, and one for each part without scores.
///
/// # Errors
/// The errors of `w`.
pub fn write_summary(
    w: &mut impl Write,
    document: &AnalyzedDocument<'_>,
    options: &TerminalOptions,
) -> io::Result<()> {
    let style = Style::new(options);
    writeln!(w, "{}", style.dim(&summary(document)))?;
    for part in unscored(document) {
        writeln!(w, "{part}")?;
    }
    Ok(())
}

fn line_pieces<'a>(line: &ShadedLine<'a>, granularity: Granularity) -> Vec<(&'a str, HeatLevel)> {
    match granularity {
        Granularity::Lexemes => line.pieces(),
        Granularity::Lines => {
            let level = line.scored.map_or(HeatLevel::NONE, |(_, level)| level);
            // Indentation is not shaded, so that the shade begins at the code.
            let (indent, code) = line
                .text
                .split_at(line.text.len() - line.text.trim_start().len());
            vec![(indent, HeatLevel::NONE), (code, level)]
        }
    }
}

/// The row below a line: one mark for each column.
fn write_marks(
    w: &mut impl Write,
    line: &ShadedLine<'_>,
    options: &TerminalOptions,
    gutter: usize,
) -> io::Result<()> {
    let pieces = line_pieces(line, options.granularity);
    let Some(last) = pieces
        .iter()
        .rposition(|&(_, level)| level > HeatLevel::NONE)
    else {
        return Ok(());
    };
    write!(w, "{:gutter$}", "")?;
    let mut cells = Cells::new(options.tab_width);
    for &(piece, level) in &pieces[..=last] {
        let before = cells.column;
        cells.write(&mut io::sink(), piece)?;
        let mark = MARKS[usize::from(level.get())];
        for _ in before..cells.column {
            write!(w, "{mark}")?;
        }
    }
    writeln!(w)
}

/// An eighth-block for `lift` on a scale that ends at the greatest lift of the document.
fn bar(lift: f32, max_lift: f32) -> char {
    if !(lift > 0.0 && max_lift > 0.0) {
        return ' ';
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 … 8
    let eighths = (lift / max_lift * 8.0).ceil().clamp(1.0, 8.0) as usize;
    EIGHTHS[eighths]
}

/// Writes source text column by column: tabs expanded, controls made visible.
struct Cells {
    tab_width: usize,
    column: usize,
}

impl Cells {
    fn new(tab_width: usize) -> Self {
        Self {
            tab_width: tab_width.max(1),
            column: 0,
        }
    }

    fn write(&mut self, w: &mut impl Write, text: &str) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.find(|c| stand_in(c).is_some()) {
            let (safe, tail) = rest.split_at(at);
            self.put(w, safe)?;
            let mut chars = tail.chars();
            match chars.next() {
                Some('\t') => {
                    let width = self.tab_width - self.column % self.tab_width;
                    write!(w, "{:width$}", "")?;
                    self.column += width;
                }
                Some(c) => self.put(w, &stand_in(c).unwrap_or_default())?,
                None => {}
            }
            rest = chars.as_str();
        }
        self.put(w, rest)
    }

    fn put(&mut self, w: &mut impl Write, text: &str) -> io::Result<()> {
        self.column += text.width();
        w.write_all(text.as_bytes())
    }
}

#[cfg(test)]
mod tests;
