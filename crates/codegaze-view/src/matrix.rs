//! Attention matrices as compact data for a panel.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use codegaze_core::analysis::thumbnails::Thumbnails;

/// Numbers as base64 of little-endian f32.
#[must_use]
pub fn pack_weights(weights: &[f32]) -> String {
    let bytes: Vec<u8> = weights
        .iter()
        .flat_map(|weight| weight.to_le_bytes())
        .collect();
    STANDARD.encode(bytes)
}

/// The most cells on each side of a thumbnail.
#[must_use]
pub fn thumbnail_size(asked: Option<usize>) -> usize {
    asked.unwrap_or(48).clamp(1, 256)
}

/// The cells of all maps as bytes in base64, each map relative to its greatest weight; `None` for a chunk without subwords.
#[must_use]
pub fn pack_thumbnails(maps: &Thumbnails) -> Option<String> {
    if maps.size == 0 {
        return None;
    }
    let cells = maps.cells.chunks_exact(maps.size * maps.size);
    let bytes: Vec<u8> = cells.flat_map(shades).collect();
    Some(STANDARD.encode(bytes))
}

/// Cells as bytes: the square root of each weight, relative to the greatest, which is 255.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "0 … 255"
)]
fn shades(cells: &[f32]) -> Vec<u8> {
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

/// Serializes numbers in row-major order as nested lists, one level for each axis, without building the lists.
#[derive(Clone, Debug)]
pub struct Nested<'a> {
    values: &'a [f32],
    /// Not empty; its product is the number of values.
    shape: Vec<usize>,
}

impl<'a> Nested<'a> {
    /// `values` in row-major order, with the lengths of the axes in `shape`.
    #[must_use]
    pub fn new(values: &'a [f32], shape: &[usize]) -> Self {
        debug_assert!(!shape.is_empty());
        debug_assert_eq!(values.len(), shape.iter().product::<usize>());
        Self {
            values,
            shape: shape.to_vec(),
        }
    }
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Axis(self.values, &self.shape[1..]).serialize(serializer)
    }
}

/// The values of one axis, and the lengths of this axis and those inside it.
struct Axis<'a>(&'a [f32], &'a [usize]);

impl Serialize for Axis<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((_, inner)) = self.1.split_first() else {
            return serializer.collect_seq(self.0);
        };
        let size = self.1.iter().product::<usize>().max(1);
        serializer.collect_seq(self.0.chunks_exact(size).map(|values| Axis(values, inner)))
    }
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
    fn nested_lists_have_a_level_an_axis() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let json = |shape: &[usize]| serde_json::to_string(&Nested::new(&values, shape)).unwrap();
        assert_eq!(json(&[6]), "[1.0,2.0,3.0,4.0,5.0,6.0]");
        assert_eq!(json(&[3, 2]), "[[1.0,2.0],[3.0,4.0],[5.0,6.0]]");
        assert_eq!(json(&[1, 2, 3]), "[[[1.0,2.0,3.0],[4.0,5.0,6.0]]]");
        assert_eq!(
            serde_json::to_string(&Nested::new(&[], &[0, 0])).unwrap(),
            "[]"
        );
    }

    #[test]
    fn the_greatest_is_white_and_nothing_is_black() {
        assert_eq!(shades(&[1.0, 0.0, 0.25, 0.01]), [255, 0, 128, 26]);
        assert_eq!(shades(&[0.0; 4]), [0; 4]);
        assert_eq!(shades(&[]), [0; 0]);
    }
}
