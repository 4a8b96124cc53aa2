//! Where everything in the picture of a matrix goes.

use unicode_width::UnicodeWidthStr;

use super::Heatmap;
use crate::view::label::truncate;
use crate::view::picture::{LabelMode, RenderError, RenderOptions, Scale, unit};
use crate::view::scene::{ADVANCE, Anchor, Font, Item, Raster, Scene, Text};

/// Columns of a label; what is longer is cut.
const MAX_LABEL: usize = 18;
/// Sides of the matrix that are chosen when no size is given, in scene units.
const MIN_SIDE: f32 = 360.0;
const MAX_SIDE: f32 = 4096.0;
/// The smallest matrix that is worth a picture, in pixels.
const MIN_MATRIX: f32 = 48.0;
/// The smallest type that can be read, in pixels.
const MIN_TYPE: f32 = 4.0;

/// Measures, all in pixels.
struct Measures {
    /// Type of labels and notes, and of the title.
    small: f32,
    large: f32,
    pad: f32,
    gap: f32,
    tick: f32,
    bar: f32,
}

impl Measures {
    fn new(unit: f32) -> Self {
        Self {
            small: 11.0 * unit,
            large: 15.0 * unit,
            pad: 18.0 * unit,
            gap: 6.0 * unit,
            tick: 4.0 * unit,
            bar: 14.0 * unit,
        }
    }

    fn text(&self, columns: usize) -> f32 {
        #[allow(clippy::cast_precision_loss)] // short texts
        let columns = columns as f32;
        columns * ADVANCE * self.small
    }
}

struct Labels {
    texts: Vec<String>,
    /// One in so many is drawn.
    every: usize,
    size: f32,
    width: f32,
}

pub(super) fn scene(heatmap: &Heatmap, options: &RenderOptions) -> Result<Scene, RenderError> {
    let unit = unit(options.dpi)?;
    let m = Measures::new(unit);
    let n = heatmap.n();
    #[allow(clippy::cast_precision_loss)] // subwords of one chunk
    let n_cells = n.max(1) as f32;
    let texts = legible_labels(heatmap, options.labels);
    let label_columns = texts.iter().map(|text| text.width()).max().unwrap_or(0);
    let label_width = m.text(label_columns);

    let ticks = ticks(heatmap.max(), options.scale);
    let tick_columns = ticks.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    let left = m.pad + m.small * 1.6 + label_width + m.gap;
    let right = m.gap * 3.0 + m.bar + m.gap + m.text(tick_columns) + m.pad;

    let side = match options.size {
        None => natural_side(n_cells, &m, options.labels),
        #[allow(clippy::cast_precision_loss)] // dimensions are checked against 65,535
        Some(size) => {
            let side = size as f32 - left - right;
            if side < MIN_MATRIX {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // small and positive
                let minimum = (left + right + MIN_MATRIX).ceil() as u32;
                return Err(RenderError::TooSmall { size, minimum });
            }
            // Whole pixels per cell where they cost little, so that all cells are alike.
            let cell = side / n_cells;
            if cell >= 8.0 {
                cell.floor() * n_cells
            } else {
                side.floor()
            }
        }
    };
    let width = options
        .size
        .map_or(left + side + right, |size| {
            #[allow(clippy::cast_precision_loss)]
            let size = size as f32;
            size
        })
        .ceil();
    let labels = labels(texts, side / n_cells, &m, options.labels, label_width);

    let columns = ((width - 2.0 * m.pad) / (ADVANCE * m.small)).max(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // ≥ 0
    let subtitle = wrap(&heatmap.subtitle, columns as usize);
    #[allow(clippy::cast_precision_loss)] // a few lines
    let top = (m.pad + m.large * 1.3 + m.small * 1.4 * subtitle.len() as f32 + m.gap * 2.0).round();
    let left = left.round();
    let below = m.gap + labels.width + m.small * 1.6;
    let height = (top + side + below + m.small * 1.5 + m.pad).ceil();

    let theme = options.theme;
    let mut scene = Scene {
        width,
        height,
        background: theme.background(),
        description: format!("{}. {}", heatmap.title, heatmap.subtitle),
        items: Vec::new(),
    };
    let title_columns = ((width - 2.0 * m.pad) / (ADVANCE * m.large)).max(0.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // ≥ 0
    let title = truncate(&heatmap.title, title_columns as usize);
    let mut text = |x, y, size, fill, anchor, turned, content: String| {
        scene.items.push(Item::Text(Text {
            x,
            y,
            size,
            fill,
            anchor,
            turned,
            content,
        }));
    };

    let mut baseline = m.pad + m.large * 0.85;
    text(
        m.pad,
        baseline,
        m.large,
        theme.text(),
        Anchor::Start,
        false,
        title,
    );
    baseline += m.large * 0.25;
    for line in subtitle {
        baseline += m.small * 1.4;
        text(
            m.pad,
            baseline,
            m.small,
            theme.muted(),
            Anchor::Start,
            false,
            line,
        );
    }

    // Axis titles.
    let (middle_x, middle_y) = (left + side / 2.0, top + side / 2.0);
    text(
        m.pad + m.small * 0.8,
        middle_y,
        m.small,
        theme.text(),
        Anchor::Middle,
        true,
        "query (attends)".to_owned(),
    );
    text(
        middle_x,
        top + side + below - m.small * 0.3,
        m.small,
        theme.text(),
        Anchor::Middle,
        false,
        "key (attended to)".to_owned(),
    );
    let scale = match options.scale {
        Scale::Sqrt => "colour by √weight",
        Scale::Linear => "colour by weight",
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // ≥ 0
    let note = truncate(&format!("{scale}; {}", heatmap.note), columns as usize);
    text(
        m.pad,
        height - m.pad * 0.8,
        m.small,
        theme.muted(),
        Anchor::Start,
        false,
        note,
    );

    // Labels stand in the middle of their row or column.
    let cell = side / n_cells;
    for (idx, label) in labels.texts.into_iter().enumerate().step_by(labels.every) {
        #[allow(clippy::cast_precision_loss)]
        let middle = (idx as f32 + 0.5) * cell + labels.size * 0.35;
        text(
            left - m.gap,
            top + middle,
            labels.size,
            theme.text(),
            Anchor::End,
            false,
            label.clone(),
        );
        text(
            left + middle,
            top + side + m.gap,
            labels.size,
            theme.text(),
            Anchor::End,
            true,
            label,
        );
    }

    // Colour bar.
    let bar_x = (left + side + m.gap * 3.0).round();
    for (place, label) in &ticks {
        let y = top + side * (1.0 - place);
        text(
            bar_x + m.bar + m.gap,
            y + m.small * 0.35,
            m.small,
            theme.muted(),
            Anchor::Start,
            false,
            label.clone(),
        );
    }
    for (place, _) in &ticks {
        let y = top + side * (1.0 - place);
        scene.rect(
            bar_x + m.bar,
            y - unit / 2.0,
            m.tick,
            unit.max(1.0),
            theme.rule(),
        );
    }
    let line = unit.round().max(1.0);
    for (x, width) in [(left, side), (bar_x, m.bar)] {
        scene.rect(
            x - line,
            top - line,
            width + 2.0 * line,
            side + 2.0 * line,
            theme.rule(),
        );
    }
    let lut = options.colormap.lut();
    scene.items.push(Item::Raster(Raster {
        x: bar_x,
        y: top,
        width: m.bar,
        height: side,
        cols: 1,
        cells: lut.iter().rev().copied().collect(),
    }));
    let max = heatmap.max();
    scene.items.push(Item::Raster(Raster {
        x: left,
        y: top,
        width: side,
        height: side,
        cols: n,
        cells: heatmap
            .weights
            .iter()
            .map(|&weight| {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 … 255
                let step = (place(weight, max, options.scale) * 255.0).round() as usize;
                lut[step.min(255)]
            })
            .collect(),
    }));
    Ok(scene)
}

/// Where a weight stands on the colour scale, 0 … 1.
fn place(weight: f32, max: f32, scale: Scale) -> f32 {
    if max <= 0.0 {
        return 0.0;
    }
    let linear = (weight / max).clamp(0.0, 1.0);
    match scale {
        Scale::Linear => linear,
        Scale::Sqrt => linear.sqrt(),
    }
}

/// Places on the scale and what weight stands there.
fn ticks(max: f32, scale: Scale) -> Vec<(f32, String)> {
    let decimals = if max >= 0.1 { 3 } else { 4 };
    [0.0, 0.25, 0.5, 0.75, 1.0]
        .into_iter()
        .map(|place: f32| {
            let weight = match scale {
                Scale::Linear => place,
                Scale::Sqrt => place * place,
            } * max;
            (place, format!("{weight:.decimals$}"))
        })
        .collect()
}

/// The side of a matrix with whole pixels per cell.
fn natural_side(n_cells: f32, m: &Measures, mode: LabelMode) -> f32 {
    let line = (m.small * 1.15).ceil();
    let wanted = match mode {
        // Small matrices show every label anyway.
        LabelMode::On => line,
        LabelMode::Auto | LabelMode::Off if n_cells * line <= 1000.0 * m.small / 11.0 => {
            line.max((MIN_SIDE / n_cells).floor().min(2.5 * line))
        }
        LabelMode::Auto | LabelMode::Off => (1000.0 * m.small / 11.0 / n_cells).floor().max(1.0),
    };
    let side = wanted.max(1.0) * n_cells;
    if mode == LabelMode::On {
        side
    } else {
        side.min(MAX_SIDE)
    }
}

fn labels(texts: Vec<String>, cell: f32, m: &Measures, mode: LabelMode, width: f32) -> Labels {
    let mut size = m.small;
    if mode == LabelMode::On {
        size = size.min(cell / 1.1).max(MIN_TYPE);
    }
    // Type of size s needs a line of 1.05 s to stay clear of its neighbours.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive and small
    let every = (size * 1.05 / cell).ceil().max(1.0) as usize;
    Labels {
        texts,
        every,
        size,
        width,
    }
}

/// Labels in the characters of the built-in typeface.
fn legible_labels(heatmap: &Heatmap, mode: LabelMode) -> Vec<String> {
    if mode == LabelMode::Off {
        return Vec::new();
    }
    heatmap
        .tokens
        .iter()
        .map(|token| {
            let legible: String = token
                .label
                .chars()
                .map(|c| {
                    if Font::has(c) || is_control_picture(c) {
                        c.to_string()
                    } else {
                        format!("U+{:04X}", u32::from(c))
                    }
                })
                .collect();
            truncate(&legible, MAX_LABEL)
        })
        .collect()
}

/// Drawn as their abbreviations.
fn is_control_picture(c: char) -> bool {
    ('\u{2400}'..='\u{2421}').contains(&c)
}

/// Lines of at most `columns` characters, broken between the parts that ` · ` joins.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split(" · ") {
        match lines.last_mut() {
            Some(line) if line.width() + 3 + part.width() <= columns => {
                line.push_str(" · ");
                line.push_str(part);
            }
            _ => lines.push(truncate(part, columns)),
        }
    }
    lines
}
