//! What all pictures share: options, limits, errors.

use codegaze_text::named_enum;

use super::colormap::Colormap;
use super::theme::Theme;

/// CSS's and most screens' resolution: at this, one scene unit is one pixel of text size 11.
pub const DEFAULT_DPI: u32 = 96;

/// Pixels along one side that no picture exceeds.
pub const MAX_SIDE: u32 = 65_535;

/// Pixels that no picture exceeds: 192 MB while it is painted.
pub const MAX_PIXELS: u64 = 64_000_000;

/// Which axis labels are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LabelMode {
    /// Every k-th, so that none overlap.
    #[default]
    Auto,
    /// Every one; without a size, the picture grows to hold them, with a size, their type shrinks.
    On,
    Off,
}

named_enum! {
    /// How weights become colors.
    #[derive(Default)]
    pub enum Scale as "scale" {
        #[default]
        Sqrt = "sqrt", "by the square root: attention is heavy-tailed, in proportion most of it is one dark color";
        Linear = "linear", "in proportion";
    }
}

named_enum! {
    /// What a picture shows.
    #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename_all = "lowercase"))]
    #[derive(Default)]
    pub enum PictureKind as "kind" {
        #[default]
        Matrix = "matrix", "the query × key matrix";
        Source = "source", "the source itself, shaded";
    }
}

named_enum! {
    /// A file format of pictures.
    pub enum PictureFormat as "format" {
        Png = "png", "pixels";
        Svg = "svg", "shapes and text";
        Html = "html", "a page to explore";
    }
}

impl PictureFormat {
    #[must_use]
    pub fn mime_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::Html => "text/html",
        }
    }
}

/// How a picture is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderOptions {
    /// Width in pixels; `None` takes what the content needs.
    pub size: Option<u32>,
    /// Pixels per inch: scales type and margins, and is written into the PNG.
    pub dpi: u32,
    pub colormap: Colormap,
    pub scale: Scale,
    pub labels: LabelMode,
    pub theme: Theme,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            size: None,
            dpi: DEFAULT_DPI,
            colormap: Colormap::default(),
            scale: Scale::default(),
            labels: LabelMode::default(),
            theme: Theme::default(),
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    #[error("a resolution of {dpi} dpi is out of range: give a value from 24 to 1200")]
    Dpi { dpi: u32 },
    #[error(
        "a picture {size} pixels wide is too small for its content: give a size of at least {minimum}"
    )]
    TooSmall { size: u32, minimum: u32 },
    #[error(
        "a picture of {width} × {height} pixels is too large (at most {MAX_SIDE} on a side and {MAX_PIXELS} in all): \
         give a smaller size or resolution, or write HTML"
    )]
    TooLarge { width: u64, height: u64 },
    #[error("chunk {chunk} does not exist: the document has {n_chunks}, counted from 0")]
    NoChunk { chunk: usize, n_chunks: usize },
    #[error(
        "chunk {chunk} was analyzed without its attention matrix: analyze it with matrices kept"
    )]
    NoMatrix { chunk: usize },
    #[error(
        "the attention matrix of chunk {chunk} does not fit its subwords ({reason}): this is a bug in codegaze, please report it"
    )]
    Matrix { chunk: usize, reason: String },
    #[error("cannot encode the picture as PNG: {0}")]
    Png(#[from] png::EncodingError),
    #[error("cannot use the built-in font: {0}")]
    Font(String),
    #[error("cannot encode the picture's data as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Pixels per scene unit.
///
/// # Errors
/// If the resolution is out of range.
#[allow(clippy::cast_precision_loss)] // at most 1200
pub(crate) fn unit(dpi: u32) -> Result<f32, RenderError> {
    if (24..=1200).contains(&dpi) {
        Ok(dpi as f32 / DEFAULT_DPI as f32)
    } else {
        Err(RenderError::Dpi { dpi })
    }
}

/// Whole pixels of a picture, checked against the limits.
///
/// # Errors
/// If it is too large.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // f32 to u64 saturates; then checked
pub(crate) fn dimensions(width: f32, height: f32) -> Result<(u32, u32), RenderError> {
    let (width, height) = (width.ceil().max(1.0) as u64, height.ceil().max(1.0) as u64);
    let side = |length: u64| u32::try_from(length).ok().filter(|&l| l <= MAX_SIDE);
    match (side(width), side(height)) {
        (Some(w), Some(h)) if width * height <= MAX_PIXELS => Ok((w, h)),
        _ => Err(RenderError::TooLarge { width, height }),
    }
}
