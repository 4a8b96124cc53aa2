//! A heatmap of a matrix that a user provides.

use super::{Heatmap, HeatmapToken};
use crate::label::{label, printable};

/// Why a matrix cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The matrix does not have one row for each token.
    #[error("there are {tokens} tokens and {rows} rows of attention; give one row for each token")]
    Height {
        /// The number of tokens.
        tokens: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A row does not have one weight for each token.
    #[error("row {row} has {cells} weights and there are {tokens} tokens; give one for each token")]
    Width {
        /// The index of the row.
        row: usize,
        /// The number of its weights.
        cells: usize,
        /// The number of tokens.
        tokens: usize,
    },
    /// A weight is negative or not finite.
    #[error("the weight of query {row}, key {column} is not a finite number of 0 or more")]
    Weight {
        /// The query.
        row: usize,
        /// The key.
        column: usize,
    },
    /// There are no tokens.
    #[error("there are no tokens; give at least one token")]
    Empty,
    /// There are too many tokens.
    #[error(
        "{tokens} tokens are too many: a picture has at most {limit}; give a part of the matrix"
    )]
    TooMany {
        /// The number of tokens.
        tokens: usize,
        /// [`MAX_ROWS`].
        limit: usize,
    },
}

/// The most rows: more than any model of this family reads at once.
pub const MAX_ROWS: usize = 4096;

impl Heatmap {
    /// A heatmap of `rows` \[query\]\[key\] over `tokens`. It checks that the matrix is square, finite and ≥ 0.
    ///
    /// # Errors
    /// If the matrix is not square, or if a weight is negative or not finite.
    pub fn from_rows(title: &str, tokens: &[String], rows: &[Vec<f32>]) -> Result<Self, RowsError> {
        let n = tokens.len();
        if n == 0 {
            return Err(RowsError::Empty);
        }
        if n > MAX_ROWS {
            return Err(RowsError::TooMany {
                tokens: n,
                limit: MAX_ROWS,
            });
        }
        if rows.len() != n {
            return Err(RowsError::Height {
                tokens: n,
                rows: rows.len(),
            });
        }
        let mut weights = Vec::with_capacity(n * n);
        for (row, cells) in rows.iter().enumerate() {
            if cells.len() != n {
                return Err(RowsError::Width {
                    row,
                    cells: cells.len(),
                    tokens: n,
                });
            }
            let is_bad = |weight: &f32| !weight.is_finite() || *weight < 0.0;
            if let Some(column) = cells.iter().position(is_bad) {
                return Err(RowsError::Weight { row, column });
            }
            // Changes -0 to 0.
            weights.extend(cells.iter().map(|weight| weight + 0.0));
        }
        let tokens = tokens
            .iter()
            .map(|token| HeatmapToken {
                label: label(token),
                id: None,
                span: None,
                score: 0.0,
            })
            .collect();
        Ok(Self {
            title: printable(title),
            subtitle: format!("{n} × {n}"),
            note: String::new(),
            tokens,
            weights,
            chunk: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(tokens: &[&str], rows: &[&[f32]]) -> Result<Heatmap, RowsError> {
        let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
        let rows: Vec<Vec<f32>> = rows.iter().map(|row| row.to_vec()).collect();
        Heatmap::from_rows("a title", &tokens, &rows)
    }

    #[test]
    fn a_square_of_weights_is_drawn() {
        let heatmap = draw(&["a b", "\u{202e}"], &[&[0.25, 0.75], &[1.0, -0.0]]).unwrap();
        assert_eq!(heatmap.tokens[0].label, "a·b");
        assert_eq!(heatmap.tokens[1].label, "‹U+202E›");
        assert_eq!(heatmap.weights, [0.25, 0.75, 1.0, 0.0]);
        assert!(
            super::super::render_png(&heatmap, &crate::picture::RenderOptions::default()).is_ok()
        );
    }

    #[test]
    #[expect(clippy::type_complexity, reason = "a table")]
    fn anything_else_is_named() {
        let nan = f32::NAN;
        let table: [(&[&str], &[&[f32]], RowsError); 6] = [
            (&[], &[], RowsError::Empty),
            (
                &["a", "b"],
                &[&[1.0, 0.0]],
                RowsError::Height { tokens: 2, rows: 1 },
            ),
            (
                &["a", "b"],
                &[&[1.0, 0.0], &[1.0]],
                RowsError::Width {
                    row: 1,
                    cells: 1,
                    tokens: 2,
                },
            ),
            (&["a"], &[&[nan]], RowsError::Weight { row: 0, column: 0 }),
            (&["a"], &[&[-0.5]], RowsError::Weight { row: 0, column: 0 }),
            (
                &["a", "b"],
                &[&[0.0, 0.0], &[0.0, f32::INFINITY]],
                RowsError::Weight { row: 1, column: 1 },
            ),
        ];
        for (tokens, rows, error) in table {
            assert_eq!(draw(tokens, rows).unwrap_err(), error);
        }
        let many = vec![""; MAX_ROWS + 1];
        assert!(matches!(draw(&many, &[]), Err(RowsError::TooMany { .. })));
    }
}
