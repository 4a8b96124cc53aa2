//! A picture as rectangles, text and rasters, which are written as PNG or SVG.

mod canvas;
mod font;
mod png;
mod svg;

use super::color::Rgb;
use super::picture::RenderError;

pub(crate) use font::{ADVANCE, Font};
pub(crate) use svg::escape as escape_xml;

/// A picture. Lengths are in pixels; x grows to the right, y grows downwards.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The width of the picture.
    pub width: f32,
    /// The height of the picture.
    pub height: f32,
    /// The color behind all items.
    pub background: Rgb,
    /// A description of the picture for people who cannot see it.
    pub description: String,
    /// The items, in the order in which they are painted.
    pub items: Vec<Item>,
}

/// One thing to paint.
#[derive(Clone, Debug)]
pub enum Item {
    /// A rectangle.
    Rect(Rect),
    /// A text.
    Text(Text),
    /// A grid of cells.
    Raster(Raster),
}

/// A filled rectangle.
#[derive(Clone, Copy, Debug)]
pub struct Rect {
    /// The left edge.
    pub x: f32,
    /// The upper edge.
    pub y: f32,
    /// The width.
    pub width: f32,
    /// The height.
    pub height: f32,
    /// The color.
    pub fill: Rgb,
}

/// Which part of a text is at its `x`, `y`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The start of the text.
    Start,
    /// The middle of the text.
    Middle,
    /// The end of the text.
    End,
}

/// One line of monospaced text.
#[derive(Clone, Debug)]
pub struct Text {
    /// The position of the anchor.
    pub x: f32,
    /// The position of the baseline.
    pub y: f32,
    /// The size of the type.
    pub size: f32,
    /// The color.
    pub fill: Rgb,
    /// Which part of the text is at `x`.
    pub anchor: Anchor,
    /// Whether the text is turned by a quarter to the left, so that it reads upwards.
    pub turned: bool,
    /// The characters.
    pub content: String,
}

/// A grid of cells of one color each.
#[derive(Clone, Debug)]
pub struct Raster {
    /// The left edge.
    pub x: f32,
    /// The upper edge.
    pub y: f32,
    /// The width of all cells.
    pub width: f32,
    /// The height of all cells.
    pub height: f32,
    /// The number of cells in a row.
    pub cols: usize,
    /// The colors of the cells, row-major.
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

    /// The picture as PNG, at `dpi` pixels per inch.
    ///
    /// # Errors
    /// If the picture is too large.
    pub fn to_png(&self, dpi: u32) -> Result<Vec<u8>, RenderError> {
        png::encode(self, dpi)
    }

    /// The picture as SVG.
    ///
    /// # Errors
    /// If the picture is too large.
    pub fn to_svg(&self) -> Result<String, RenderError> {
        svg::write(self)
    }
}

#[cfg(test)]
mod tests;
