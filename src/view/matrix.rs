//! Attention matrices as compact data for a panel.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Numbers as base64 of little-endian f32.
#[must_use]
pub fn pack_weights(weights: &[f32]) -> String {
    let bytes: Vec<u8> = weights
        .iter()
        .flat_map(|weight| weight.to_le_bytes())
        .collect();
    pack_bytes(&bytes)
}

/// Bytes as base64.
#[must_use]
pub fn pack_bytes(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Cells as bytes, for a picture: each by its square root, 255 being the greatest.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 … 255"
)]
pub fn shades(cells: &[f32]) -> Vec<u8> {
    let max = cells.iter().copied().fold(0.0, f32::max);
    let shade = |&cell: &f32| {
        if max > 0.0 {
            ((cell / max).sqrt() * 255.0).round() as u8
        } else {
            0
        }
    };
    cells.iter().map(shade).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_little_endian() {
        assert_eq!(pack_weights(&[]), "");
        // 00 00 80 3f, 00 00 00 bf
        assert_eq!(pack_weights(&[1.0, -0.5]), "AACAPwAAAL8=");
    }

    #[test]
    fn the_greatest_is_white_and_nothing_is_black() {
        assert_eq!(shades(&[1.0, 0.0, 0.25, 0.01]), [255, 0, 128, 26]);
        assert_eq!(shades(&[0.0; 4]), [0; 4]);
        assert_eq!(shades(&[]), [0; 0]);
    }
}
