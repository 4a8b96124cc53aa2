//! The options, limits and errors of all pictures.

use codegaze_text::named_enum;

use super::colormap::Colormap;
use super::theme::Theme;

/// The resolution of CSS and of most screens. At this resolution, one unit of a scene is one pixel.
pub const DEFAULT_DPI: u32 = 96;

/// The most pixels along one side of a picture.
pub const MAX_SIDE: u32 = 65_535;

/// The most pixels of a picture, which takes 192 MB while it is painted.
pub const MAX_PIXELS: u64 = 64_000_000;

/// Which axis labels are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LabelMode {
    /// Every k-th label, so that labels do not overlap.
    #[default]
    Auto,
    /// Every label. Without a size, the picture grows; with a size, the type shrinks.
    On,
    /// No labels.
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
    /// The media type.
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
    /// The width in pixels; `None` means the width that the content needs.
    pub size: Option<u32>,
    /// Pixels per inch: scales type and margins, and is written into the PNG.
    pub dpi: u32,
    /// The colors of a matrix.
    pub colormap: Colormap,
    /// How weights become colors.
    pub scale: Scale,
    /// Which labels are drawn on the axes.
    pub labels: LabelMode,
    /// The background.
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

/// Why a picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The resolution is out of range.
    #[error("a resolution of {dpi} dpi is out of range: give a value from 24 to 1200")]
    Dpi {
        /// Pixels per inch.
        dpi: u32,
    },
    /// The content does not fit the requested size.
    #[error(
        "a picture {size} pixels wide is too small for its content: give a size of at least {minimum}"
    )]
    TooSmall {
        /// The requested width, in pixels.
        size: u32,
        /// The smallest possible width, in pixels.
        minimum: u32,
    },
    /// The picture exceeds [`MAX_SIDE`] or [`MAX_PIXELS`].
    #[error(
        "a picture of {width} × {height} pixels is too large (at most {MAX_SIDE} on a side and {MAX_PIXELS} in all): \
         give a smaller size or resolution, or write HTML"
    )]
    TooLarge {
        /// The width, in pixels.
        width: u64,
        /// The height, in pixels.
        height: u64,
    },
    /// The document does not have this chunk.
    #[error("chunk {chunk} does not exist: the document has {n_chunks}, counted from 0")]
    NoChunk {
        /// The requested chunk.
        chunk: usize,
        /// The number of chunks in the document.
        n_chunks: usize,
    },
    /// The analysis does not contain the matrix of this chunk.
    #[error(
        "chunk {chunk} was analyzed without its attention matrix: analyze it with matrices kept"
    )]
    NoMatrix {
        /// The requested chunk.
        chunk: usize,
    },
    /// The analysis contradicts itself.
    #[error(
        "the attention matrix of chunk {chunk} does not fit its subwords ({reason}): this is a bug in codegaze, please report it"
    )]
    Matrix {
        /// The requested chunk.
        chunk: usize,
        /// The contradiction.
        reason: String,
    },
    /// PNG encoding failed.
    #[error("cannot encode the picture as PNG: {0}")]
    Png(#[from] png::EncodingError),
    /// The built-in font is damaged.
    #[error("cannot use the built-in font: {0}")]
    Font(String),
    /// The data of an HTML page cannot be encoded.
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

/// The size of a picture in whole pixels, checked against the limits.
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
