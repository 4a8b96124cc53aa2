//! A scene as PNG.

use super::canvas::Canvas;
use super::{Item, Scene};
use crate::picture::{RenderError, dimensions};

pub(super) fn encode(scene: &Scene, dpi: u32) -> Result<Vec<u8>, RenderError> {
    let (width, height) = dimensions(scene.width, scene.height)?;
    let mut canvas = Canvas::new(width, height, scene.background)?;
    for item in &scene.items {
        match item {
            Item::Rect(rect) => canvas.rect(rect),
            Item::Text(text) => canvas.text(text),
            Item::Raster(raster) => canvas.raster(raster),
        }
    }
    encode_rgb(canvas.pixels(), width, height, Some(dpi))
}

/// `pixels` row-major, three bytes each.
pub(super) fn encode_rgb(
    pixels: &[u8],
    width: u32,
    height: u32,
    dpi: Option<u32>,
) -> Result<Vec<u8>, RenderError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    if let Some(dpi) = dpi {
        // An inch is 0.0254 m exactly.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 1200 dpi
        let per_metre = (f64::from(dpi) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: png::Unit::Meter,
        }));
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(out)
}
