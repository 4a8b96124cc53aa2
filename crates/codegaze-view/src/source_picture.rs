//! The shaded source as a picture.

use unicode_width::UnicodeWidthChar;

use super::AnalyzedDocument;
use super::color::Rgb;
use super::label::{control_name, printable, stand_in, truncate};
use super::levels::{HeatLevel, LevelThresholds};
use super::picture::{RenderError, RenderOptions, dimensions, unit};
use super::scene::{ADVANCE, Anchor, Item, Rect, Scene, Text};
use super::summary::{summary, unscored};
use super::theme::Theme;
use codegaze_core::attribution::Aggregate;

/// The most columns of a line. A longer line ends with `…`. HTML shows whole lines.
pub const MAX_COLUMNS: usize = 240;

const TAB_WIDTH: usize = 4;
/// The fewest columns for the legend and the title.
const MIN_COLUMNS: usize = 72;
/// Line height, type and margin at [`super::picture::DEFAULT_DPI`].
const LINE: f32 = 18.0;
const TYPE: f32 = 13.0;
const MARGIN: f32 = 20.0;
/// The smallest type, in pixels.
const MIN_TYPE: f32 = 3.0;

/// # Errors
/// If the picture would be too large, or too small for its size.
pub fn render_png(
    document: &AnalyzedDocument<'_>,
    options: &RenderOptions,
) -> Result<Vec<u8>, RenderError> {
    scene(document, options)?.to_png(options.dpi)
}

/// # Errors
/// If the picture would be too large, or too small for its size.
pub fn render_svg(
    document: &AnalyzedDocument<'_>,
    options: &RenderOptions,
) -> Result<String, RenderError> {
    scene(document, options)?.to_svg()
}

/// A run of characters of one display width and one level.
struct Run {
    column: usize,
    /// In columns.
    width: usize,
    text: String,
    level: HeatLevel,
    wide: bool,
}

/// Lengths, all in pixels.
#[derive(Clone, Copy)]
struct Measures {
    margin: f32,
    line: f32,
    size: f32,
    advance: f32,
}

impl Measures {
    fn text(self, x: f32, row_top: f32, fill: Rgb, content: String) -> Item {
        Item::Text(Text {
            x,
            // In the middle of its row.
            y: row_top + self.line * 0.5 + self.size * 0.36,
            size: self.size,
            fill,
            anchor: Anchor::Start,
            turned: false,
            content,
        })
    }

    fn shade(self, x: f32, row_top: f32, width: f32, fill: Rgb) -> Item {
        Item::Rect(Rect {
            x,
            y: row_top + self.line * 0.06,
            width,
            height: self.line * 0.88,
            fill,
        })
    }
}

#[allow(clippy::cast_precision_loss)] // rows and columns of a picture
fn scene(document: &AnalyzedDocument<'_>, options: &RenderOptions) -> Result<Scene, RenderError> {
    let lines: Vec<Vec<Run>> = document
        .shaded_lines()
        .map(|line| runs(&line.pieces()))
        .collect();
    let digits = lines.len().max(1).to_string().len().max(3);
    let code_columns = lines
        .iter()
        .filter_map(|runs| runs.last())
        .map(|run| run.column + run.width)
        .fold(MIN_COLUMNS, usize::max);
    let columns = digits + 2 + code_columns;
    let natural = 2.0 * MARGIN + columns as f32 * ADVANCE * TYPE;
    // Columns have a fixed width, so the whole picture scales.
    let unit = match options.size {
        None => unit(options.dpi)?,
        Some(size) => {
            unit(options.dpi)?;
            let unit = size as f32 / natural;
            let smallest = MIN_TYPE / TYPE;
            if unit < smallest {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let minimum = (natural * smallest).ceil() as u32; // small and positive
                return Err(RenderError::TooSmall { size, minimum });
            }
            unit
        }
    };
    let m = Measures {
        margin: MARGIN * unit,
        line: LINE * unit,
        size: TYPE * unit,
        advance: ADVANCE * TYPE * unit,
    };
    let theme = options.theme;
    let mut notes = wrap_words(&summary(document), columns);
    for part in unscored(document) {
        notes.extend(wrap_words(&part, columns));
    }
    let top = m.margin + m.line * 2.6;
    let foot = top + lines.len() as f32 * m.line + m.line * 0.8;
    let width = options.size.map_or(natural * unit, |size| size as f32);
    let height = foot + notes.len() as f32 * m.line + m.margin;
    // Check the size before the items are computed.
    dimensions(width, height)?;

    let path = printable(document.name);
    let mut scene = Scene {
        width: width.ceil(),
        height: height.ceil(),
        background: theme.background(),
        description: format!("{path}: {}", summary(document)),
        items: vec![m.text(m.margin, m.margin, theme.text(), truncate(&path, columns))],
    };
    let aggregate = document.analysis.attribution.aggregate;
    draw_legend(&mut scene, m, theme, aggregate);
    for (row, runs) in lines.into_iter().enumerate() {
        let y = top + row as f32 * m.line;
        let number = format!("{:>digits$}", row + 1);
        scene.items.push(m.text(m.margin, y, theme.muted(), number));
        let x = m.margin + (digits + 2) as f32 * m.advance;
        draw_line(&mut scene, m, theme, runs, (x, y));
    }
    for (row, note) in notes.into_iter().enumerate() {
        let y = foot + row as f32 * m.line;
        scene.items.push(m.text(m.margin, y, theme.muted(), note));
    }
    Ok(scene)
}

/// Paints all shades before all text, because a glyph can reach into its neighbor's cell.
#[allow(clippy::cast_precision_loss)] // columns of a line
fn draw_line(scene: &mut Scene, m: Measures, theme: Theme, runs: Vec<Run>, (x, y): (f32, f32)) {
    for run in runs.iter().filter(|run| run.level > HeatLevel::NONE) {
        let at = x + run.column as f32 * m.advance;
        let width = run.width as f32 * m.advance;
        scene
            .items
            .push(m.shade(at, y, width, theme.heat(run.level)));
    }
    for run in runs {
        let content = run.text.trim_start_matches(' ');
        let indent = run.text.len() - content.len();
        let content = content.trim_end_matches(' ');
        if !content.is_empty() {
            let at = x + (run.column + indent) as f32 * m.advance;
            let fill = theme.heat_text(run.level);
            scene.items.push(m.text(at, y, fill, content.to_owned()));
        }
    }
}

/// Five swatches with the quantiles at which they begin.
#[allow(clippy::cast_precision_loss)] // a few columns
fn draw_legend(scene: &mut Scene, m: Measures, theme: Theme, aggregate: Aggregate) {
    let y = m.margin + m.line * 1.2;
    let mut x = m.margin;
    let mut put = |content: &str, level: HeatLevel| {
        let width = content.chars().count() as f32 * m.advance;
        let fill = if level > HeatLevel::NONE {
            scene.items.push(m.shade(x, y, width, theme.heat(level)));
            theme.heat_text(level)
        } else {
            theme.muted()
        };
        let indent = content.len() - content.trim_start().len();
        let at = x + indent as f32 * m.advance;
        scene
            .items
            .push(m.text(at, y, fill, content.trim().to_owned()));
        x += width + m.advance;
    };
    let corrected = match aggregate {
        Aggregate::Corrected => ", corrected for length,",
        _ => "",
    };
    put(
        &format!("attention{corrected} above that of"),
        HeatLevel::NONE,
    );
    let quantiles = LevelThresholds::default().quantiles;
    for (level, quantile) in HeatLevel::SHOWN.into_iter().zip(quantiles) {
        put(&format!(" {:.0} % ", quantile * 100.0), level);
    }
    put("of the lexemes", HeatLevel::NONE);
}

/// The pieces of a line on the grid, with expanded tabs and visible replacements of invisible characters, cut at [`MAX_COLUMNS`].
fn runs(pieces: &[(&str, HeatLevel)]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut column = 0;
    // Combining marks belong to the run before them.
    let mut push = |column: &mut usize, c: char, level: HeatLevel, starts: bool| -> bool {
        let width = c.width().unwrap_or(0);
        if *column + width > MAX_COLUMNS - 1 {
            runs.push(Run {
                column: *column,
                width: 1,
                text: "…".to_owned(),
                level: HeatLevel::NONE,
                wide: false,
            });
            return false;
        }
        let wide = width > 1;
        match runs.last_mut() {
            Some(run) if !starts && run.level == level && (run.wide == wide || width == 0) => {
                run.text.push(c);
                run.width += width;
            }
            _ => runs.push(Run {
                column: *column,
                width,
                text: c.to_string(),
                level,
                wide,
            }),
        }
        *column += width;
        true
    };
    for &(piece, level) in pieces {
        // A gap separates neighboring lexemes of one level.
        let mut starts = true;
        for c in piece.chars() {
            let shown = match c {
                '\t' => " ".repeat(TAB_WIDTH - column % TAB_WIDTH),
                // The typeface lacks the pictures of most controls.
                c => stand_in(c).map_or_else(|| c.to_string(), |shown| named(&shown)),
            };
            for c in shown.chars() {
                if !push(&mut column, c, level, starts) {
                    return runs;
                }
                starts = false;
            }
        }
    }
    runs
}

/// A stand-in with the name of a control in place of its picture.
fn named(shown: &str) -> String {
    let name = |c| control_name(c).map_or_else(|| String::from(c), |name| format!("‹{name}›"));
    shown.chars().map(name).collect()
}

fn wrap_words(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(truncate(word, columns)),
        }
    }
    lines
}

#[cfg(test)]
mod tests;
