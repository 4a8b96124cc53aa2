//! An RGB buffer that takes the items of a scene.

use unicode_width::UnicodeWidthChar;

use super::font::{ADVANCE, Font, Glyph};
use super::{Anchor, Raster, Rect, Text};
use crate::color::Rgb;
use crate::label::control_name;
use crate::picture::RenderError;

pub(super) struct Canvas {
    width: usize,
    height: usize,
    /// Row-major, three bytes for each pixel.
    pixels: Vec<u8>,
    font: Font,
}

/// The axes of a text in the picture: `along` its direction, and `across`, downwards from its baseline.
#[derive(Clone, Copy)]
struct Axes {
    x: f32,
    y: f32,
    turned: bool,
}

impl Axes {
    fn point(self, along: f32, across: f32) -> (f32, f32) {
        if self.turned {
            (self.x + across, self.y - along)
        } else {
            (self.x + along, self.y + across)
        }
    }

    fn moved(self, along: f32, across: f32) -> Self {
        let (x, y) = self.point(along, across);
        Self { x, y, ..self }
    }
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32, background: Rgb) -> Result<Self, RenderError> {
        let (width, height) = (width as usize, height as usize);
        let Rgb(r, g, b) = background;
        Ok(Self {
            width,
            height,
            pixels: [r, g, b].repeat(width * height),
            font: Font::new()?,
        })
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(super) fn rect(&mut self, rect: &Rect) {
        let (left, right) = pixel_range(rect.x, rect.width, self.width);
        let (top, bottom) = pixel_range(rect.y, rect.height, self.height);
        let Rgb(r, g, b) = rect.fill;
        for y in top..bottom {
            let row = &mut self.pixels[(y * self.width + left) * 3..(y * self.width + right) * 3];
            for pixel in row.chunks_exact_mut(3) {
                pixel.copy_from_slice(&[r, g, b]);
            }
        }
    }

    /// Paints each pixel with its cell's color, or with the mean of its cells if cells are smaller than pixels.
    pub(super) fn raster(&mut self, raster: &Raster) {
        let (cols, rows) = (raster.cols, raster.rows());
        let (left, right) = pixel_range(raster.x, raster.width, self.width);
        let (top, bottom) = pixel_range(raster.y, raster.height, self.height);
        if cols == 0 || rows == 0 || left >= right || top >= bottom {
            return;
        }
        let (width, height) = (right - left, bottom - top);
        let shrunk = width < cols || height < rows;
        let columns: Vec<(usize, usize)> = (0..width).map(|x| cells(x, width, cols)).collect();
        let mut line = vec![0u8; width * 3];
        let mut painted = None;
        for y in 0..height {
            let band = cells(y, height, rows);
            // Rows of pixels over the same row of cells are the same.
            if painted != Some(band) {
                for (pixel, &column) in line.chunks_exact_mut(3).zip(&columns) {
                    let Rgb(r, g, b) = if shrunk {
                        mean(raster, column, band)
                    } else {
                        raster.cells[band.0 * cols + column.0]
                    };
                    pixel.copy_from_slice(&[r, g, b]);
                }
                painted = Some(band);
            }
            let at = ((top + y) * self.width + left) * 3;
            self.pixels[at..at + width * 3].copy_from_slice(&line);
        }
    }

    pub(super) fn text(&mut self, text: &Text) {
        let length = super::svg::columns(&text.content) * ADVANCE * text.size;
        let start = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -length / 2.0,
            Anchor::End => -length,
        };
        let axes = Axes {
            x: text.x,
            y: text.y,
            turned: text.turned,
        };
        self.run(axes.moved(start, 0.0), text.size, text.fill, &text.content);
    }

    fn run(&mut self, axes: Axes, size: f32, fill: Rgb, content: &str) {
        let mut along = 0.0;
        let mut last_width = 0.0;
        for c in content.chars() {
            #[allow(clippy::cast_precision_loss)] // 0 … 2
            let width = c.width().unwrap_or(0) as f32 * ADVANCE * size;
            // A combining mark is drawn on the character before it.
            let at = if width == 0.0 {
                along - last_width
            } else {
                along
            };
            let (x, y) = axes.point(at, 0.0);
            let fraction = if axes.turned {
                1.0 - y.rem_euclid(1.0)
            } else {
                x.rem_euclid(1.0)
            };
            let fraction = if fraction >= 1.0 { 0.0 } else { fraction };
            #[allow(clippy::cast_possible_truncation)] // saturates, and blending clips
            let origin = if axes.turned {
                (x.round() as i32, y.ceil() as i32)
            } else {
                (x.floor() as i32, y.round() as i32)
            };
            if let Some(glyph) = self.font.glyph(c, size, fraction, axes.turned) {
                blend(
                    &mut self.pixels,
                    self.width,
                    self.height,
                    glyph,
                    origin,
                    fill,
                );
            } else if width > 0.0 {
                self.boxed(axes.moved(at, 0.0), width, size, fill, c);
            }
            if width > 0.0 {
                last_width = width;
            }
            along += width;
        }
    }

    /// Draws a character that the typeface does not have: its code point in a box as wide as the character.
    fn boxed(&mut self, axes: Axes, width: f32, size: f32, fill: Rgb, c: char) {
        let name = control_name(c).map_or_else(|| format!("{:04X}", u32::from(c)), str::to_owned);
        let split = if name.len() > 3 {
            name.len().div_ceil(2)
        } else {
            name.len()
        };
        let rows = [&name[..split], &name[split..]];
        let n_rows: f32 = if rows[1].is_empty() { 1.0 } else { 2.0 };

        let (top, bottom) = (-0.80 * size, 0.18 * size);
        let line = (size / 14.0).max(1.0);
        for (along, across, length, thick) in [
            (0.5, top, width - 1.0, line),
            (0.5, bottom - line, width - 1.0, line),
        ] {
            self.local_rect(axes, along, across, length, thick, fill);
        }
        for along in [0.5, width - 0.5 - line] {
            self.local_rect(axes, along, top, line, bottom - top, fill);
        }
        #[allow(clippy::cast_precision_loss)] // at most 3
        let digits = split as f32;
        let inner = (width - 2.0 * line - 1.0) / digits / ADVANCE;
        let small = inner
            .min((bottom - top - 2.0 * line) / n_rows * 1.15)
            .max(1.0);
        let step = (bottom - top) / n_rows;
        // Capitals are .72 of the type high.
        let mut across = top + f32::midpoint(step, small * 0.72);
        for row in rows.into_iter().filter(|row| !row.is_empty()) {
            #[allow(clippy::cast_precision_loss)]
            let length = row.len() as f32 * ADVANCE * small;
            // Digits and capitals are in the typeface: this does not recur further.
            self.run(axes.moved((width - length) / 2.0, across), small, fill, row);
            across += step;
        }
    }

    fn local_rect(
        &mut self,
        axes: Axes,
        along: f32,
        across: f32,
        length: f32,
        thick: f32,
        fill: Rgb,
    ) {
        let (x0, y0) = axes.point(along, across);
        let (x1, y1) = axes.point(along + length, across + thick);
        self.rect(&Rect {
            x: x0.min(x1),
            y: y0.min(y1),
            width: (x1 - x0).abs(),
            height: (y1 - y0).abs(),
            fill,
        });
    }
}

/// Pixels that `start .. start + length` covers, within `limit`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn pixel_range(start: f32, length: f32, limit: usize) -> (usize, usize) {
    let first = (start.round().max(0.0) as usize).min(limit);
    let end = ((start + length).round().max(0.0) as usize).min(limit);
    (first, end.max(first))
}

/// The cells under pixel `at` of `pixels`: a half-open range, never empty.
fn cells(at: usize, pixels: usize, cells: usize) -> (usize, usize) {
    let first = (at * cells / pixels).min(cells - 1);
    let end = ((at + 1) * cells / pixels).clamp(first + 1, cells);
    (first, end)
}

fn mean(raster: &Raster, (left, right): (usize, usize), (top, bottom): (usize, usize)) -> Rgb {
    let mut sums = [0usize; 3];
    for row in top..bottom {
        for &Rgb(r, g, b) in &raster.cells[row * raster.cols + left..row * raster.cols + right] {
            for (sum, channel) in sums.iter_mut().zip([r, g, b]) {
                *sum += usize::from(channel);
            }
        }
    }
    let n = (bottom - top) * (right - left);
    let [r, g, b] = sums.map(|sum| u8::try_from(sum / n).unwrap_or(u8::MAX));
    Rgb(r, g, b)
}

fn blend(
    pixels: &mut [u8],
    width: usize,
    height: usize,
    glyph: &Glyph,
    (x, y): (i32, i32),
    fill: Rgb,
) {
    if glyph.width == 0 {
        return;
    }
    let (left, top) = (
        i64::from(x) + i64::from(glyph.left),
        i64::from(y) + i64::from(glyph.top),
    );
    for (row, line) in (top..).zip(glyph.coverage.chunks_exact(glyph.width)) {
        let Some(row) = usize::try_from(row).ok().filter(|&row| row < height) else {
            continue;
        };
        for (column, &coverage) in (left..).zip(line) {
            let column = usize::try_from(column)
                .ok()
                .filter(|&column| column < width);
            let (Some(column), true) = (column, coverage > 0) else {
                continue;
            };
            let at = (row * width + column) * 3;
            let covered = u32::from(coverage);
            for (below, ink) in pixels[at..at + 3].iter_mut().zip([fill.0, fill.1, fill.2]) {
                let mixed = u32::from(*below) * (255 - covered) + u32::from(ink) * covered;
                *below = u8::try_from((mixed + 127) / 255).unwrap_or(u8::MAX);
            }
        }
    }
}
