//! Tiles of one output matrix, written by several threads at once.

use std::marker::PhantomData;

use super::Matrix;

/// A matrix whose rectangular tiles are handed to different tasks.
///
/// Rust's slices cannot express "these columns of every row", so the rows of a tile are made from a pointer. The
/// exclusive borrow of the matrix is held for `'a`: nothing else can reach its memory meanwhile.
pub(super) struct Tiles<'a> {
    start: *mut f32,
    n_rows: usize,
    n_cols: usize,
    matrix: PhantomData<&'a mut [f32]>,
}

// SAFETY: the only access to the pointer is `row`, whose contract forbids two threads to hold overlapping pieces.
#[allow(unsafe_code)]
unsafe impl Sync for Tiles<'_> {}

impl<'a> Tiles<'a> {
    pub(super) fn new(matrix: &'a mut Matrix) -> Self {
        let (n_rows, n_cols) = (matrix.n_rows, matrix.n_cols);
        Self {
            start: matrix.values_mut().as_mut_ptr(),
            n_rows,
            n_cols,
            matrix: PhantomData,
        }
    }

    /// Columns `col .. col + n` of a row.
    ///
    /// # Safety
    /// No other live slice of this matrix may overlap the returned one.
    #[allow(unsafe_code, clippy::mut_from_ref)]
    pub(super) unsafe fn row(&self, row: usize, col: usize, n: usize) -> &mut [f32] {
        assert!(
            row < self.n_rows && col + n <= self.n_cols,
            "tile row {row}, columns {col}..{} lies outside of [{}, {}]",
            col + n,
            self.n_rows,
            self.n_cols
        );
        // SAFETY: in bounds by the assertion; unaliased by the caller's contract.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(row * self.n_cols + col), n) }
    }
}
