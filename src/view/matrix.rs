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

/// A matrix made small: [query, key], row-major, one byte a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Cells a side.
    pub size: usize,
    pub cells: Vec<u8>,
}

impl Thumbnail {
    /// At most `max_size` cells a side of an `n` × `n` matrix of weights ≥ 0, [query, key]. A cell is the mean of the weights
    /// that it covers, those at its border by the part that it covers; it is shown by its square root, 255 being the
    /// greatest cell.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 … 255"
    )]
    pub fn new(weights: &[f32], n: usize, max_size: usize) -> Self {
        debug_assert_eq!(weights.len(), n * n);
        let size = n.min(max_size);
        let parts = cover(n, size);
        let mut means = vec![0.0_f32; size * size];
        for query in &parts {
            let row = &weights[query.of * n..(query.of + 1) * n];
            let cells = &mut means[query.cell * size..(query.cell + 1) * size];
            for key in &parts {
                cells[key.cell] += query.fraction * key.fraction * row[key.of];
            }
        }
        let max = means.iter().copied().fold(0.0, f32::max);
        let byte = |mean: f32| {
            if max > 0.0 {
                ((mean / max).sqrt() * 255.0).round() as u8
            } else {
                0
            }
        };
        Self {
            size,
            cells: means.into_iter().map(byte).collect(),
        }
    }
}

/// What one row or column gives to one cell.
struct Part {
    of: usize,
    cell: usize,
    /// Of the cell; those of a cell sum to 1.
    fraction: f32,
}

/// `n` rows over `size` cells of equal height.
#[expect(clippy::cast_precision_loss, reason = "a few thousand rows")]
fn cover(n: usize, size: usize) -> Vec<Part> {
    let mut parts = Vec::with_capacity(n + size);
    // In units of which a row has `size` and a cell has `n`, all borders are whole numbers.
    for cell in 0..size {
        let (start, end) = (cell * n, (cell + 1) * n);
        for of in start / size..end.div_ceil(size) {
            let covered = end.min((of + 1) * size) - start.max(of * size);
            parts.push(Part {
                of,
                cell,
                fraction: covered as f32 / n as f32,
            });
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::view::samples;

    #[test]
    fn weights_are_little_endian() {
        assert_eq!(pack_weights(&[]), "");
        // 00 00 80 3f, 00 00 00 bf
        assert_eq!(pack_weights(&[1.0, -0.5]), "AACAPwAAAL8=");
        let weights = [0.1_f32, 1e-30, 0.75];
        let bytes = STANDARD.decode(pack_weights(&weights)).unwrap();
        let (numbers, rest) = bytes.as_chunks();
        let back: Vec<f32> = numbers.iter().copied().map(f32::from_le_bytes).collect();
        assert_eq!((back.as_slice(), rest), (&weights[..], &[][..]));
    }

    #[test]
    fn what_fits_is_not_pooled() {
        #[rustfmt::skip]
        let weights = [
            1.0, 0.0,
            0.25, 0.01,
        ];
        let expected = Thumbnail {
            size: 2,
            cells: vec![255, 0, 128, 26],
        };
        assert_eq!(Thumbnail::new(&weights, 2, 48), expected);
        assert_eq!(Thumbnail::new(&weights, 2, 2), expected);
    }

    #[test]
    fn cells_are_means_by_area() {
        // Three rows on two cells: the middle one is half of each.
        #[rustfmt::skip]
        let weights = [
            0.9, 0.0, 0.0,
            0.0, 0.0, 0.0,
            0.0, 0.0, 0.4,
        ];
        // Means: 0.9 · (2/3)², 0, 0, 0.4 · (2/3)².
        let small = Thumbnail::new(&weights, 3, 2);
        assert_eq!(small.cells, [255, 0, 0, 170]);
        // One cell is the mean of all, and the greatest.
        assert_eq!(Thumbnail::new(&weights, 3, 1).cells, [255]);
    }

    #[test]
    fn nothing_is_black() {
        assert_eq!(Thumbnail::new(&[], 0, 48).cells, [0; 0]);
        assert_eq!(Thumbnail::new(&[0.5], 1, 0).cells, [0; 0]);
        assert_eq!(Thumbnail::new(&[0.0; 9], 3, 2).cells, [0; 4]);
    }

    proptest! {
        #[test]
        fn every_weight_counts_once(n in 1_usize..40, size in 1_usize..40) {
            let size = size.min(n);
            let parts = cover(n, size);
            let mut rows = vec![0.0_f64; n];
            let mut cells = vec![0.0_f64; size];
            for part in &parts {
                prop_assert!(part.fraction > 0.0);
                rows[part.of] += f64::from(part.fraction);
                cells[part.cell] += f64::from(part.fraction);
            }
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let of_row = size as f64 / n as f64;
            prop_assert!(rows.iter().all(|row| (row - of_row).abs() < 1e-5));
            prop_assert!(cells.iter().all(|cell| (cell - 1.0).abs() < 1e-5));

            let matrix = samples::matrix(n);
            let small = Thumbnail::new(&matrix.weights, n, size);
            prop_assert_eq!(small.cells.len(), size * size);
            prop_assert_eq!(small.cells.iter().max(), Some(&255));
        }
    }
}
