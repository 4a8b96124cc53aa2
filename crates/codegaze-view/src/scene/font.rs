//! The built-in typeface, `DejaVu` Sans Mono, with which pictures are the same on every machine.

use std::collections::HashMap;
use std::sync::OnceLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, MetadataProvider};
use tiny_skia::{FillRule, Mask, PathBuilder, Transform};

use crate::picture::RenderError;

static DEJAVU_SANS_MONO: &[u8] = include_bytes!("../../assets/fonts/DejaVuSansMono.ttf");

/// Width of every character, in type sizes: 1233 of 2048 units.
pub(crate) const ADVANCE: f32 = 1233.0 / 2048.0;

/// The number of positions of a glyph within a pixel, along the text's direction.
const SUBPIXELS: f32 = 4.0;

/// Coverage of a glyph's pixels around its origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Glyph {
    /// The offset of the first pixel from the pixel of the origin.
    pub(crate) left: i32,
    pub(crate) top: i32,
    pub(crate) width: usize,
    /// Row-major, 0 … 255.
    pub(crate) coverage: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    c: char,
    size_bits: u32,
    subpixel: u8,
    turned: bool,
}

/// Draws each glyph once for each size and position within the pixel.
pub(crate) struct Font {
    font: FontRef<'static>,
    glyphs: HashMap<Key, Glyph>,
}

impl Font {
    /// # Errors
    /// If the built-in file is broken.
    pub(crate) fn new() -> Result<Self, RenderError> {
        let font =
            FontRef::new(DEJAVU_SANS_MONO).map_err(|error| RenderError::Font(error.to_string()))?;
        Ok(Self {
            font,
            glyphs: HashMap::new(),
        })
    }

    /// Whether the typeface can show a character.
    pub(crate) fn has(c: char) -> bool {
        static FONT: OnceLock<Option<FontRef<'static>>> = OnceLock::new();
        FONT.get_or_init(|| FontRef::new(DEJAVU_SANS_MONO).ok())
            .as_ref()
            .is_some_and(|font| font.charmap().map(c).is_some())
    }

    /// The glyph of `c` at a type size in pixels, with its origin `fraction` (0 … 1) of a pixel along the text. `None` if the typeface
    /// does not have it.
    pub(crate) fn glyph(
        &mut self,
        c: char,
        size: f32,
        fraction: f32,
        turned: bool,
    ) -> Option<&Glyph> {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 … 3
        let subpixel = (fraction * SUBPIXELS).clamp(0.0, SUBPIXELS - 1.0) as u8;
        let key = Key {
            c,
            size_bits: size.to_bits(),
            subpixel,
            turned,
        };
        if !self.glyphs.contains_key(&key) {
            let glyph = self.rasterize(key, size)?;
            self.glyphs.insert(key, glyph);
        }
        self.glyphs.get(&key)
    }

    fn rasterize(&self, key: Key, size: f32) -> Option<Glyph> {
        // ⏎ is hollow in this typeface and not legible at small sizes; ↵ is the same sign in one stroke.
        let c = if key.c == '⏎' { '↵' } else { key.c };
        let id = self.font.charmap().map(c)?;
        let outline = self.font.outline_glyphs().get(id)?;
        let mut pen = Pen(PathBuilder::new());
        let settings = DrawSettings::unhinted(Size::new(size), LocationRef::default());
        outline.draw(settings, &mut pen).ok()?;
        let along = f32::from(key.subpixel) / SUBPIXELS;
        let transform = if key.turned {
            // (right, down) becomes (up, right).
            Transform::from_row(0.0, -1.0, 1.0, 0.0, 0.0, -along)
        } else {
            Transform::from_translate(along, 0.0)
        };
        // A blank, such as the space, has no path.
        let Some(path) = pen.0.finish().and_then(|path| path.transform(transform)) else {
            return Some(Glyph::default());
        };
        let bounds = path.bounds().round_out()?;
        let mut mask = Mask::new(bounds.width(), bounds.height())?;
        #[allow(clippy::cast_precision_loss)] // a glyph is a few hundred pixels
        let to_origin = Transform::from_translate(-bounds.left() as f32, -bounds.top() as f32);
        mask.fill_path(&path, FillRule::Winding, true, to_origin);
        Some(Glyph {
            left: bounds.left(),
            top: bounds.top(),
            width: bounds.width() as usize,
            coverage: mask.data().to_vec(),
        })
    }
}

/// Font outlines point up, pictures down.
struct Pen(PathBuilder);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, -y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, -y);
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.quad_to(cx, -cy, x, -y);
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.0.cubic_to(cx0, -cy0, cx1, -cy1, x, -y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
