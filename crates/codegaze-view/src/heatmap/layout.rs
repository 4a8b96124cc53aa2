//! The layout of the picture of a matrix.

use unicode_width::UnicodeWidthStr;

use super::Heatmap;
use crate::label::{control_name, truncate};
use crate::picture::{LabelMode, RenderError, RenderOptions, Scale, unit};
use crate::scene::{ADVANCE, Anchor, Font, Item, Raster, Scene, Text};

/// The most columns of a label. A longer label is cut.
const MAX_LABEL: usize = 18;
/// The range of the matrix' side if the user gives no size, in pixels.
const MIN_SIDE: f32 = 360.0;
const COMMON_SIDE: f32 = 1000.0;
const MAX_SIDE: f32 = 4096.0;
/// The smallest side of a matrix, in pixels.
const MIN_MATRIX: f32 = 48.0;
/// The smallest legible type, in pixels.
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
}

/// The positions of the parts, in pixels.
struct Plan {
    width: f32,
    height: f32,
    /// Corner and side of the matrix.
    left: f32,
    top: f32,
    side: f32,
    cell: f32,
    /// Baseline of the key axis' title.
    key_title: f32,
    title: String,
    subtitle: Vec<String>,
    note: String,
    labels: Labels,
    ticks: Vec<(f32, String)>,
}

struct Labels {
    texts: Vec<String>,
    /// Every how many rows a label is drawn.
    every: usize,
    size: f32,
    /// The width of the widest label.
    width: f32,
}

pub(super) fn scene(heatmap: &Heatmap, options: &RenderOptions) -> Result<Scene, RenderError> {
    let unit = unit(options.dpi)?;
    let m = Measures::new(unit);
    let plan = plan(heatmap, options, &m)?;
    let mut scene = Scene {
        width: plan.width,
        height: plan.height,
        background: options.theme.background(),
        description: format!("{}. {}", heatmap.title, heatmap.subtitle),
        items: Vec::new(),
    };
    draw_texts(&mut scene, &plan, &m, options);
    draw_labels(&mut scene, &plan, &m, options);
    draw_matrix(&mut scene, &plan, &m, heatmap, options);
    Ok(scene)
}

fn plan(heatmap: &Heatmap, options: &RenderOptions, m: &Measures) -> Result<Plan, RenderError> {
    #[allow(clippy::cast_precision_loss)] // subwords of one chunk
    let n_cells = heatmap.n().max(1) as f32;
    let texts = legible_labels(heatmap, options.labels);
    let label_columns = texts.iter().map(|text| text.width()).max().unwrap_or(0);
    let ticks = ticks(heatmap.max(), options.scale);
    let tick_columns = ticks.iter().map(|(_, text)| text.len()).max().unwrap_or(0);
    let right = m.gap * 3.0 + m.bar + m.gap + text_width(tick_columns, m.small) + m.pad;
    let left_of = |type_size| m.pad + m.small * 1.6 + text_width(label_columns, type_size) + m.gap;

    let (side, type_size) = match options.size {
        None => {
            let side = natural_side(n_cells, m, options.labels);
            (side, label_size(side / n_cells, m, options.labels))
        }
        #[allow(clippy::cast_precision_loss)] // dimensions are checked against 65,535
        Some(size) => {
            // Smaller labels leave room for larger cells, so the second result is at least as good as the first.
            let room = |label: f32| size as f32 - left_of(label) - right;
            let first = label_size(room(m.small) / n_cells, m, options.labels);
            let side = room(first);
            if side < MIN_MATRIX {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                // small and positive
                let minimum = (left_of(m.small) + right + MIN_MATRIX).ceil() as u32;
                return Err(RenderError::TooSmall { size, minimum });
            }
            // If the matrix stays almost as large, cells have whole pixels, so that all cells have the same size.
            let cell = side / n_cells;
            let side = if cell >= 8.0 {
                cell.floor() * n_cells
            } else {
                side.floor()
            };
            (side, first)
        }
    };
    let left = left_of(type_size).round();
    let cell = side / n_cells;
    #[allow(clippy::cast_precision_loss)]
    let width = options
        .size
        .map_or((left + side + right).ceil(), |size| size as f32);
    let inner = width - 2.0 * m.pad;
    let subtitle = wrap(&heatmap.subtitle, columns(inner, m.small));
    #[allow(clippy::cast_precision_loss)] // a few lines
    let head = m.large * 1.3 + m.small * 1.4 * subtitle.len() as f32;
    let top = (m.pad + head + m.gap * 2.0).round();
    let labels = Labels {
        texts,
        // Type of size s needs a line of 1.05 s to not touch its neighbors.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive and small
        every: (type_size * 1.05 / cell).ceil().max(1.0) as usize,
        size: type_size,
        width: text_width(label_columns, type_size),
    };
    let key_title = top + side + m.gap + labels.width + m.small * 1.3;
    let scale = match options.scale {
        Scale::Sqrt => "color by √weight",
        Scale::Linear => "color by weight",
    };
    Ok(Plan {
        width,
        height: (key_title + m.small * 1.8 + m.pad).ceil(),
        left,
        top,
        side,
        cell,
        key_title,
        title: truncate(&heatmap.title, columns(inner, m.large)),
        subtitle,
        note: truncate(
            &format!("{scale}; {}", heatmap.note),
            columns(inner, m.small),
        ),
        labels,
        ticks,
    })
}

/// Title, subtitle, axis titles, note.
fn draw_texts(scene: &mut Scene, plan: &Plan, m: &Measures, options: &RenderOptions) {
    let theme = options.theme;
    let mut text = |x, y, size, fill, anchor, turned, content: &str| {
        scene.items.push(Item::Text(Text {
            x,
            y,
            size,
            fill,
            anchor,
            turned,
            content: content.to_owned(),
        }));
    };
    let (ink, muted) = (theme.text(), theme.muted());
    let mut baseline = m.pad + m.large * 0.85;
    text(
        m.pad,
        baseline,
        m.large,
        ink,
        Anchor::Start,
        false,
        &plan.title,
    );
    baseline += m.large * 0.25;
    for line in &plan.subtitle {
        baseline += m.small * 1.4;
        text(m.pad, baseline, m.small, muted, Anchor::Start, false, line);
    }
    let middle = plan.side / 2.0;
    let x = m.pad + m.small * 0.8;
    text(
        x,
        plan.top + middle,
        m.small,
        ink,
        Anchor::Middle,
        true,
        "query (attends)",
    );
    let y = plan.key_title;
    text(
        plan.left + middle,
        y,
        m.small,
        ink,
        Anchor::Middle,
        false,
        "key (attended to)",
    );
    let y = plan.height - m.pad * 0.8;
    text(m.pad, y, m.small, muted, Anchor::Start, false, &plan.note);
}

/// Subwords along both axes, each in the middle of its row or column.
fn draw_labels(scene: &mut Scene, plan: &Plan, m: &Measures, options: &RenderOptions) {
    let labels = &plan.labels;
    for (idx, label) in labels.texts.iter().enumerate().step_by(labels.every) {
        #[allow(clippy::cast_precision_loss)]
        let middle = (idx as f32 + 0.5) * plan.cell + labels.size * 0.35;
        for (x, y, turned) in [
            (plan.left - m.gap, plan.top + middle, false),
            (plan.left + middle, plan.top + plan.side + m.gap, true),
        ] {
            scene.items.push(Item::Text(Text {
                x,
                y,
                size: labels.size,
                fill: options.theme.text(),
                anchor: Anchor::End,
                turned,
                content: label.clone(),
            }));
        }
    }
}

/// The cells, the color bar with its ticks, and frames around both.
fn draw_matrix(
    scene: &mut Scene,
    plan: &Plan,
    m: &Measures,
    heatmap: &Heatmap,
    options: &RenderOptions,
) {
    let theme = options.theme;
    let line = (m.tick / 4.0).round().max(1.0);
    let bar = (plan.left + plan.side + m.gap * 3.0).round();
    for (place, label) in &plan.ticks {
        let y = plan.top + plan.side * (1.0 - place);
        scene.rect(
            bar + m.bar,
            y - line / 2.0,
            m.tick + line,
            line,
            theme.rule(),
        );
        scene.items.push(Item::Text(Text {
            x: bar + m.bar + m.gap,
            y: y + m.small * 0.35,
            size: m.small,
            fill: theme.muted(),
            anchor: Anchor::Start,
            turned: false,
            content: label.clone(),
        }));
    }
    for (x, width) in [(plan.left, plan.side), (bar, m.bar)] {
        let (width, height) = (width + 2.0 * line, plan.side + 2.0 * line);
        scene.rect(x - line, plan.top - line, width, height, theme.rule());
    }
    let lut = options.colormap.lut();
    scene.items.push(Item::Raster(Raster {
        x: bar,
        y: plan.top,
        width: m.bar,
        height: plan.side,
        cols: 1,
        cells: lut.iter().rev().copied().collect(),
    }));
    let max = heatmap.max();
    let color = |&weight: &f32| {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 … 255
        let step = (place(weight, max, options.scale) * 255.0).round() as usize;
        lut[step.min(255)]
    };
    scene.items.push(Item::Raster(Raster {
        x: plan.left,
        y: plan.top,
        width: plan.side,
        height: plan.side,
        cols: heatmap.n(),
        cells: heatmap.weights.iter().map(color).collect(),
    }));
}

fn text_width(columns: usize, size: f32) -> f32 {
    #[allow(clippy::cast_precision_loss)] // short texts
    let columns = columns as f32;
    columns * ADVANCE * size
}

/// Characters of a type size that fit a width.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn columns(width: f32, size: f32) -> usize {
    (width / (ADVANCE * size)).max(0.0) as usize
}

/// The position of a weight on the color scale, 0 … 1.
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

/// Positions on the scale, and the weight at each.
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
    let common = COMMON_SIDE * m.small / 11.0;
    if mode == LabelMode::On || n_cells * line <= common {
        line.max((MIN_SIDE / n_cells).floor()) * n_cells
    } else {
        ((common / n_cells).floor().max(1.0) * n_cells).min(MAX_SIDE)
    }
}

/// Type size of labels beside cells of a size.
fn label_size(cell: f32, m: &Measures, mode: LabelMode) -> f32 {
    match mode {
        LabelMode::On => (cell / 1.1).clamp(MIN_TYPE.min(m.small), m.small),
        LabelMode::Auto | LabelMode::Off => m.small,
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
                .map(|c| match control_name(c) {
                    Some(name) => format!("‹{name}›"),
                    None if Font::has(c) => c.to_string(),
                    None => format!("U+{:04X}", u32::from(c)),
                })
                .collect();
            truncate(&legible, MAX_LABEL)
        })
        .collect()
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
