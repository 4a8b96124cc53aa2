//! The source itself, shaded, as a picture.

use unicode_width::UnicodeWidthChar;

use super::label::{printable, stand_in, truncate};
use super::levels::{HeatLevel, LevelThresholds};
use super::picture::{RenderError, RenderOptions, unit};
use super::scene::{ADVANCE, Anchor, Item, Scene, Text};
use super::summary::{summary, unscored};
use super::{AnalysedDocument, page};

/// Columns of a line; what is longer is cut with `…`. HTML cuts nothing.
pub const MAX_COLUMNS: usize = 240;

const TAB_WIDTH: usize = 4;
/// Fewest columns that legend and title get.
const MIN_COLUMNS: usize = 72;
/// Line height and type, in scene units.
const LINE: f32 = 18.0;
const TYPE: f32 = 13.0;

/// # Errors
/// If the picture would be too large, or too small for its size.
pub fn render_png(
    document: &AnalysedDocument<'_>,
    options: &RenderOptions,
) -> Result<Vec<u8>, RenderError> {
    scene(document, options)?.to_png(options.dpi)
}

/// # Errors
/// If the picture would be too large, or too small for its size.
pub fn render_svg(
    document: &AnalysedDocument<'_>,
    options: &RenderOptions,
) -> Result<String, RenderError> {
    scene(document, options)?.to_svg()
}

/// One self-contained page with the shaded source.
///
/// # Errors
/// If the data cannot be encoded.
pub fn render_html(
    document: &AnalysedDocument<'_>,
    options: &RenderOptions,
) -> Result<String, RenderError> {
    page::render(document, None, options)
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

#[allow(clippy::cast_precision_loss)] // rows and columns of a picture
fn scene(document: &AnalysedDocument<'_>, options: &RenderOptions) -> Result<Scene, RenderError> {
    let lines: Vec<Vec<Run>> = document
        .shaded_lines()
        .map(|line| runs(&line.pieces()))
        .collect();
    let n_lines = lines.len();
    let digits = n_lines.max(1).to_string().len().max(3);
    let code_columns = lines
        .iter()
        .filter_map(|runs| runs.last())
        .map(|run| run.column + run.width)
        .max()
        .unwrap_or(0)
        .max(MIN_COLUMNS);

    let mut unit = unit(options.dpi)?;
    let margin = 20.0;
    let natural = 2.0 * margin + (digits + 2 + code_columns) as f32 * ADVANCE * TYPE;
    if let Some(size) = options.size {
        // The whole picture scales: columns cannot be squeezed.
        unit = size as f32 / natural;
        let smallest = 3.0 / TYPE;
        if unit < smallest {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and positive
            let minimum = (natural * smallest).ceil() as u32;
            return Err(RenderError::TooSmall { size, minimum });
        }
    }
    let (margin, line_height, size) = (margin * unit, LINE * unit, TYPE * unit);
    let advance = ADVANCE * size;
    let theme = options.theme;
    let columns = digits + 2 + code_columns;

    let mut head = vec![truncate(&printable(document.path), columns)];
    let mut notes = wrap_words(&summary(document), columns);
    for part in unscored(document) {
        notes.extend(wrap_words(&part, columns));
    }
    let head_height = line_height * 2.6;
    let body_height = n_lines as f32 * line_height;
    let foot_height = line_height * (notes.len() as f32 + 0.8);
    let width = options.size.map_or(natural * unit, |size| size as f32);
    let height = 2.0 * margin + head_height + body_height + foot_height;
    // Before thousands of items are made for nothing.
    super::picture::dimensions(width, height)?;

    let mut scene = Scene {
        width: width.ceil(),
        height: height.ceil(),
        background: theme.background(),
        description: format!("{}: {}", printable(document.path), summary(document)),
        items: Vec::new(),
    };
    let text = |x: f32, y: f32, fill, content: String| {
        Item::Text(Text {
            x,
            y,
            size,
            fill,
            anchor: Anchor::Start,
            turned: false,
            content,
        })
    };
    let baseline = |row: f32| row + line_height * 0.5 + size * 0.36;

    scene
        .items
        .push(text(margin, baseline(margin), theme.text(), head.remove(0)));
    legend(
        &mut scene,
        options,
        margin,
        margin + line_height * 1.2,
        line_height,
        size,
    );

    let code_x = margin + (digits + 2) as f32 * advance;
    let top = margin + head_height;
    for (row, runs) in lines.into_iter().enumerate() {
        let y = top + row as f32 * line_height;
        scene.items.push(text(
            margin,
            baseline(y),
            theme.muted(),
            format!("{:>digits$}", row + 1),
        ));
        for run in &runs {
            if run.level > HeatLevel::NONE {
                let x = code_x + run.column as f32 * advance;
                let width = run.width as f32 * advance;
                scene.rect(
                    x,
                    y + line_height * 0.06,
                    width,
                    line_height * 0.88,
                    theme.heat(run.level),
                );
            }
        }
        for run in runs {
            let content = run.text.trim_start_matches(' ');
            let indent = run.text.len() - content.len();
            if !content.trim_end().is_empty() {
                let x = code_x + (run.column + indent) as f32 * advance;
                scene.items.push(text(
                    x,
                    baseline(y),
                    theme.heat_text(run.level),
                    content.trim_end_matches(' ').to_owned(),
                ));
            }
        }
    }
    let foot = top + body_height + line_height * 0.8;
    for (row, note) in notes.into_iter().enumerate() {
        let y = foot + row as f32 * line_height;
        scene
            .items
            .push(text(margin, baseline(y), theme.muted(), note));
    }
    Ok(scene)
}

/// Five swatches with the quantiles at which they begin.
#[allow(clippy::cast_precision_loss)] // a few columns
fn legend(scene: &mut Scene, options: &RenderOptions, x: f32, y: f32, line_height: f32, size: f32) {
    let advance = ADVANCE * size;
    let baseline = y + line_height * 0.5 + size * 0.36;
    let theme = options.theme;
    let mut column = 0;
    let mut put = |scene: &mut Scene, content: &str, level: HeatLevel| {
        let at = x + column as f32 * advance;
        let columns = content.chars().count();
        if level > HeatLevel::NONE {
            scene.rect(
                at,
                y + line_height * 0.06,
                columns as f32 * advance,
                line_height * 0.88,
                theme.heat(level),
            );
        }
        scene.items.push(Item::Text(Text {
            x: at
                + if level > HeatLevel::NONE {
                    advance
                } else {
                    0.0
                },
            y: baseline,
            size,
            fill: if level > HeatLevel::NONE {
                theme.heat_text(level)
            } else {
                theme.muted()
            },
            anchor: Anchor::Start,
            turned: false,
            content: content.trim().to_owned(),
        }));
        column += columns + 1;
    };
    put(scene, "attention above that of", HeatLevel::NONE);
    for (level, quantile) in HeatLevel::SHOWN
        .into_iter()
        .zip(LevelThresholds::default().quantiles)
    {
        put(scene, &format!(" {:.0} % ", quantile * 100.0), level);
    }
    put(scene, "of the lexemes", HeatLevel::NONE);
}

/// A line's pieces on the grid: tabs expanded, invisible characters made visible, cut at [`MAX_COLUMNS`].
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
        // Neighbouring lexemes of one level keep a seam.
        let mut starts = true;
        for c in piece.chars() {
            let shown = match c {
                '\t' => " ".repeat(TAB_WIDTH - column % TAB_WIDTH),
                c => stand_in(c).unwrap_or_else(|| c.to_string()),
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
