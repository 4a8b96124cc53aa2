//! A scene as SVG.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use unicode_width::UnicodeWidthChar;

use super::font::ADVANCE;
use super::{Anchor, Item, Raster, Scene, Text, png};
use crate::color::Rgb;
use crate::picture::{RenderError, dimensions};

/// A raster with more cells is one embedded picture: 512 × 512 rectangles would take 20 MB.
const MAX_RECTS: usize = 64 * 64;

pub(super) fn write(scene: &Scene) -> Result<String, RenderError> {
    let (width, height) = dimensions(scene.width, scene.height)?;
    let mut out = String::new();
    let _ = write!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="'DejaVu Sans Mono', Menlo, Consolas, monospace" xml:space="preserve"><title>{}</title><rect width="{width}" height="{height}" fill="{}"/>"#,
        escape(&scene.description),
        scene.background
    );
    out.push('\n');
    for item in &scene.items {
        match item {
            Item::Rect(rect) => {
                let _ = writeln!(
                    out,
                    r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>"#,
                    short(rect.x),
                    short(rect.y),
                    short(rect.width),
                    short(rect.height),
                    rect.fill
                );
            }
            Item::Text(text) => write_text(&mut out, text),
            Item::Raster(raster) => write_raster(&mut out, raster)?,
        }
    }
    out.push_str("</svg>\n");
    Ok(out)
}

fn write_text(out: &mut String, text: &Text) {
    if text.content.is_empty() {
        return;
    }
    let anchor = match text.anchor {
        Anchor::Start => "",
        Anchor::Middle => r#" text-anchor="middle""#,
        Anchor::End => r#" text-anchor="end""#,
    };
    let turn = if text.turned {
        format!(
            r#" transform="rotate(-90 {} {})""#,
            short(text.x),
            short(text.y)
        )
    } else {
        String::new()
    };
    // With its length, the text fits the shading in any typeface of the viewer.
    let _ = writeln!(
        out,
        r#"<text x="{}" y="{}" font-size="{}" fill="{}" textLength="{}" lengthAdjust="spacingAndGlyphs"{anchor}{turn}>{}</text>"#,
        short(text.x),
        short(text.y),
        short(text.size),
        text.fill,
        short(columns(&text.content) * ADVANCE * text.size),
        escape(&text.content)
    );
}

fn write_raster(out: &mut String, raster: &Raster) -> Result<(), RenderError> {
    let (cols, rows) = (raster.cols, raster.rows());
    if cols == 0 || rows == 0 {
        return Ok(());
    }
    if raster.cells.len() > MAX_RECTS {
        let pixels: Vec<u8> = raster
            .cells
            .iter()
            .flat_map(|&Rgb(r, g, b)| [r, g, b])
            .collect();
        #[allow(clippy::cast_precision_loss)] // checked below
        let (width, height) = dimensions(cols as f32, rows as f32)?;
        let image = png::encode_rgb(&pixels, width, height, None)?;
        let _ = writeln!(
            out,
            r#"<image x="{}" y="{}" width="{}" height="{}" preserveAspectRatio="none" image-rendering="optimizeSpeed" style="image-rendering:pixelated" href="data:image/png;base64,{}"/>"#,
            short(raster.x),
            short(raster.y),
            short(raster.width),
            short(raster.height),
            STANDARD.encode(image)
        );
        return Ok(());
    }
    #[allow(clippy::cast_precision_loss)] // at most MAX_RECTS
    let (width, height) = (raster.width / cols as f32, raster.height / rows as f32);
    out.push_str("<g shape-rendering=\"crispEdges\">\n");
    for (row, cells) in raster.cells.chunks(cols).enumerate() {
        for (col, fill) in cells.iter().enumerate() {
            #[allow(clippy::cast_precision_loss)]
            let (x, y) = (
                raster.x + col as f32 * width,
                raster.y + row as f32 * height,
            );
            let _ = writeln!(
                out,
                r#"<rect x="{}" y="{}" width="{}" height="{}" fill="{fill}"/>"#,
                short(x),
                short(y),
                short(width),
                short(height)
            );
        }
    }
    out.push_str("</g>\n");
    Ok(())
}

/// Display width in characters of a monospaced typeface.
#[allow(clippy::cast_precision_loss)] // lines are cut long before
pub(super) fn columns(text: &str) -> f32 {
    text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() as f32
}

/// At most two decimals, no trailing zeros.
fn short(value: f32) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text for XML 1.0: markup escaped, characters that it forbids replaced.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
