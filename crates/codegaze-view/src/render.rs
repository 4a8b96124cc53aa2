//! Matrices and sources as files, in every format.

use super::heatmap::Heatmap;
use super::picture::{PictureFormat, RenderError, RenderOptions};
use super::{AnalyzedDocument, heatmap, page, source_picture};

/// The matrix as the bytes of a file.
///
/// # Errors
/// If it is too large or too small, or cannot be encoded.
pub fn render_matrix(
    format: PictureFormat,
    document: &AnalyzedDocument<'_>,
    matrix: &Heatmap,
    options: &RenderOptions,
) -> Result<Vec<u8>, RenderError> {
    match format {
        PictureFormat::Png => heatmap::render_png(matrix, options),
        PictureFormat::Svg => heatmap::render_svg(matrix, options).map(String::into_bytes),
        PictureFormat::Html => {
            page::render(document, Some(matrix), options).map(String::into_bytes)
        }
    }
}

/// The shaded source as the bytes of a file.
///
/// # Errors
/// If it is too large or too small, or cannot be encoded.
pub fn render_source(
    format: PictureFormat,
    document: &AnalyzedDocument<'_>,
    options: &RenderOptions,
) -> Result<Vec<u8>, RenderError> {
    match format {
        PictureFormat::Png => source_picture::render_png(document, options),
        PictureFormat::Svg => source_picture::render_svg(document, options).map(String::into_bytes),
        PictureFormat::Html => page::render(document, None, options).map(String::into_bytes),
    }
}
