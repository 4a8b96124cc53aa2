//! Perceptually uniform color maps for matrices.

mod tables;

use codegaze_text::named_enum;

use super::color::Rgb;

/// `0xRRGGBB` at 0, 1/51 … 1.
type Anchors = [u32; 52];

/// White to black; even steps of sRGB are close to even steps of lightness.
const GREYS: [u32; 2] = [0x00FF_FFFF, 0x0000_0000];

named_enum! {
    /// A map from 0 … 1 to colors of monotone lightness.
    #[derive(Default)]
    pub enum Colormap as "colormap" {
        #[default]
        Cividis = "cividis", "dark blue to yellow, nearly the same for every kind of color vision";
        Viridis = "viridis", "dark purple over green to yellow";
        Magma = "magma", "black over purple to pale yellow";
        Inferno = "inferno", "black over red to pale yellow";
        Plasma = "plasma", "blue over purple to yellow";
        Greys = "greys", "white to black, for print";
        Blues = "blues", "white to dark blue";
    }
}

impl Colormap {
    fn anchors(self) -> &'static [u32] {
        match self {
            Self::Cividis => &tables::CIVIDIS,
            Self::Viridis => &tables::VIRIDIS,
            Self::Magma => &tables::MAGMA,
            Self::Inferno => &tables::INFERNO,
            Self::Plasma => &tables::PLASMA,
            Self::Greys => &GREYS,
            Self::Blues => &tables::BLUES,
        }
    }

    /// The color of `value`, clamped to 0 … 1. NaN counts as 0.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )] // the tables are short and `place` is inside them
    pub fn rgb(self, value: f32) -> Rgb {
        let anchors = self.anchors();
        let value = if value.is_nan() {
            0.0
        } else {
            value.clamp(0.0, 1.0)
        };
        let place = value * (anchors.len() - 1) as f32;
        let below = place as usize;
        let above = (below + 1).min(anchors.len() - 1);
        Rgb::hex(anchors[below]).mix(Rgb::hex(anchors[above]), place - below as f32)
    }

    /// 256 samples, for painting many cells.
    #[must_use]
    pub fn lut(self) -> [Rgb; 256] {
        std::array::from_fn(|i| {
            #[allow(clippy::cast_precision_loss)] // 0 … 255
            let value = i as f32 / 255.0;
            self.rgb(value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lightness_changes_one_way_only() {
        for map in Colormap::ALL {
            let luminance = map.lut().map(Rgb::luminance);
            let rising = luminance[255] > luminance[0];
            for pair in luminance.windows(2) {
                let step = if rising {
                    pair[1] - pair[0]
                } else {
                    pair[0] - pair[1]
                };
                // Rounding to whole bytes can reverse a tiny step.
                assert!(step > -1e-3, "{map:?}: {pair:?}");
            }
            assert!(
                (luminance[255] - luminance[0]).abs() > 0.5,
                "{map:?} spans too little lightness"
            );
        }
    }

    #[test]
    fn the_ends_are_the_published_ones() {
        assert_eq!(Colormap::Viridis.rgb(0.0), Rgb(0x44, 0x01, 0x54));
        assert_eq!(Colormap::Viridis.rgb(1.0), Rgb(0xFD, 0xE7, 0x25));
        assert_eq!(Colormap::Cividis.rgb(1.0), Rgb(0xFE, 0xE8, 0x38));
        assert_eq!(Colormap::Greys.rgb(0.5), Rgb(0x80, 0x80, 0x80));
        assert_eq!(Colormap::Magma.rgb(f32::NAN), Colormap::Magma.rgb(-3.0));
        assert_eq!(Colormap::Magma.rgb(f32::INFINITY), Colormap::Magma.rgb(1.0));
    }
}
