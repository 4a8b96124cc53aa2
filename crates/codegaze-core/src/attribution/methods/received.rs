//! Attention received: `r_j = mean_{i∉S} Ā_ij`, the column means of the fused matrix.
//!
//! If sinks are dropped, the columns of special subwords are dropped and each row is renormalized before the mean is taken. Row sums
//! would carry no information, because each is 1.

use super::{AttributionMethod, RawScores, ReducedPass};
use crate::attribution::Sinks;
#[cfg(test)]
use crate::attribution::{AttributionConfig, naive};

pub(super) struct Received;

impl AttributionMethod for Received {
    fn name(&self) -> &'static str {
        "received"
    }

    fn title(&self) -> &'static str {
        "Attention received"
    }

    fn about(&self) -> &'static str {
        "what a word receives from all others, on average"
    }

    fn formula(&self) -> &'static str {
        "`r_j = mean_{i ∉ S} Ā_ij`: the column mean. (Each row sums to 1, so row sums carry no information.)"
    }

    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores {
        mean_row(pass, &pass.queries())
    }

    #[cfg(test)]
    fn naive(&self, pass: &naive::Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
        let rows = naive::mean(&naive::fused(pass, config));
        let queries = pass.queries(config.sinks);
        naive::mean_row(pass, &rows, &queries, config.sinks == Sinks::Drop)
    }
}

/// The mean of the matrix's rows over `queries`, and the mean mass on special columns. Unless sinks are kept, special columns are
/// dropped and rows are renormalized first.
pub(super) fn mean_row(pass: &ReducedPass<'_>, queries: &[usize]) -> RawScores {
    let n = pass.special.len();
    let mut scores = vec![0.0; n];
    let mut sink_share = 0.0;
    #[expect(
        clippy::cast_precision_loss,
        reason = "at most a few thousand subwords"
    )]
    let weight = 1.0 / queries.len().max(1) as f32;
    for &query in queries {
        let row = &pass.mean[query * n..(query + 1) * n];
        let sunk = pass.special_mass(row);
        sink_share += weight * sunk;
        let kept = match pass.sinks {
            Sinks::Keep => 1.0,
            Sinks::Drop => row.iter().sum::<f32>() - sunk,
        };
        // A query that attends to special subwords alone cannot be renormalized.
        if kept > f32::EPSILON {
            for (score, value) in scores.iter_mut().zip(row) {
                *score += weight * value / kept;
            }
        }
    }
    RawScores { scores, sink_share }
}
