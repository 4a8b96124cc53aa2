//! A picture as rectangles, text and rasters: laid out once, written as PNG or SVG.

mod canvas;
mod font;
mod png;
mod svg;

use super::color::Rgb;
use super::picture::RenderError;

pub(crate) use font::{ADVANCE, Font};
pub(crate) use svg::escape as escape_xml;

/// Lengths are pixels, x to the right, y down.
#[derive(Clone, Debug)]
pub struct Scene {
    pub width: f32,
    pub height: f32,
    pub background: Rgb,
    /// What the picture shows, for readers that cannot see it.
    pub description: String,
    /// Painted in order.
    pub items: Vec<Item>,
}

/// One thing to paint.
#[derive(Clone, Debug)]
pub enum Item {
    Rect(Rect),
    Text(Text),
    Raster(Raster),
}

/// A filled rectangle.
#[derive(Clone, Copy, Debug)]
pub struct Rect {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    pub fill: Rgb,
}

/// Which part of a text stands at its `x`, `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// One line of monospaced text.
#[derive(Clone, Debug)]
pub struct Text {
    pub x: f32,
    /// The baseline.
    pub y: f32,
    /// Of the type, in pixels.
    pub size: f32,
    pub fill: Rgb,
    pub anchor: Anchor,
    /// Reads upwards: turned by a quarter to the left.
    pub turned: bool,
    pub content: String,
}

/// A grid of cells of one color each.
#[derive(Clone, Debug)]
pub struct Raster {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
    pub cols: usize,
    /// Row-major, `cols` a row.
    pub cells: Vec<Rgb>,
}

impl Raster {
    fn rows(&self) -> usize {
        self.cells.len() / self.cols.max(1)
    }
}

impl Scene {
    pub(crate) fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, fill: Rgb) {
        self.items.push(Item::Rect(Rect {
            x,
            y,
            width,
            height,
            fill,
        }));
    }

    /// # Errors
    /// If the picture is too large.
    pub fn to_png(&self, dpi: u32) -> Result<Vec<u8>, RenderError> {
        png::encode(self, dpi)
    }

    /// # Errors
    /// If the picture is too large.
    pub fn to_svg(&self) -> Result<String, RenderError> {
        svg::write(self)
    }
}

#[cfg(test)]
mod tests;
