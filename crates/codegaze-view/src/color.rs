//! sRGB colors, blending and contrast.

use std::fmt;

/// An opaque sRGB color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// From `0xRRGGBB`.
    #[must_use]
    pub const fn hex(value: u32) -> Self {
        let [_, r, g, b] = value.to_be_bytes();
        Self(r, g, b)
    }

    /// `self` over `below` with opacity `alpha`, blended in sRGB like in browsers and editors.
    #[must_use]
    pub fn over(self, below: Self, alpha: f32) -> Self {
        below.mix(self, alpha)
    }

    /// The mixture of two colors in sRGB: `self` for a `weight` of 0, `other` for 1.
    #[must_use]
    pub fn mix(self, other: Self, weight: f32) -> Self {
        let weight = weight.clamp(0.0, 1.0);
        let channel = |a: u8, b: u8| {
            let mixed = f32::from(a) + (f32::from(b) - f32::from(a)) * weight;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between two bytes
            let byte = mixed.round() as u8;
            byte
        };
        Self(
            channel(self.0, other.0),
            channel(self.1, other.1),
            channel(self.2, other.2),
        )
    }

    /// WCAG 2 relative luminance, 0 (black) … 1 (white).
    #[must_use]
    pub fn luminance(self) -> f32 {
        let linear = |c: u8| {
            let c = f32::from(c) / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// WCAG 2 contrast ratio, 1 … 21.
    #[must_use]
    pub fn contrast(self, other: Self) -> f32 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

/// `#rrggbb`.
impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_of_known_pairs() {
        assert!((Rgb::hex(0).contrast(Rgb::hex(0x00FF_FFFF)) - 21.0).abs() < 1e-3);
        // The lightest gray that passes AA on white.
        assert!((Rgb::hex(0x0076_7676).contrast(Rgb::hex(0x00FF_FFFF)) - 4.54).abs() < 0.01);
    }

    #[test]
    fn blending_ends_at_both_colors() {
        let (a, b) = (Rgb::hex(0x0000_72B2), Rgb::hex(0x001E_1E1E));
        assert_eq!(a.over(b, 0.0), b);
        assert_eq!(a.over(b, 1.0), a);
        assert_eq!(a.to_string(), "#0072b2");
    }
}
