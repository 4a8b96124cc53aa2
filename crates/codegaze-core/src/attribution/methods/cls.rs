//! Attention of the `<s>` query: `c_j = Ā_0j`, the first row of the fused matrix.
//!
//! `<s>` takes the place of BERT's `[CLS]`: classifiers compute their answer from its hidden state.

use super::{AttributionMethod, RawScores, ReducedPass, received};
#[cfg(test)]
use crate::attribution::{AttributionConfig, Sinks, naive};

pub(super) struct Cls;

impl AttributionMethod for Cls {
    fn name(&self) -> &'static str {
        "cls"
    }

    fn title(&self) -> &'static str {
        "Attention from <s>"
    }

    fn about(&self) -> &'static str {
        "what a word receives from <s>, the start of the sequence"
    }

    fn formula(&self) -> &'static str {
        "`c_j = Ā_0j`: the `<s>` row"
    }

    fn finish(&self, pass: &ReducedPass<'_>) -> RawScores {
        received::mean_row(pass, &[0])
    }

    #[cfg(test)]
    fn naive(&self, pass: &naive::Pass, config: &AttributionConfig) -> (Vec<f64>, f64) {
        let rows = naive::mean(&naive::fused(pass, config));
        naive::mean_row(pass, &rows, &[0], config.sinks == Sinks::Drop)
    }
}
