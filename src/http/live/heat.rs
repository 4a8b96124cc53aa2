//! An analysis as a message.

use std::sync::Arc;

use super::messages::{Heat, Progress};
use crate::engine::Finished;
use crate::view::levels::{LevelThresholds, Levels};
use crate::view::live::LiveAnalysis;
use crate::view::milliseconds;
use crate::view::position::{Encoding, WireRange};

/// An analysis to send, once the client has read what was sent before.
pub(super) struct HeatJob {
    pub finished: Arc<Finished>,
    pub encoding: Encoding,
    pub thresholds: LevelThresholds,
    /// The whole document, for `None`.
    pub range: Option<WireRange>,
}

impl HeatJob {
    /// Takes a while for long documents.
    pub fn build(self) -> Heat {
        #[cfg(test)]
        assert!(!self.finished.document.text().contains(super::tests::PANIC));
        let live = LiveAnalysis {
            levels: Levels::new(&self.finished.analysis, &self.thresholds),
            version: self.finished.document.version(),
            finished: self.finished,
            encoding: self.encoding,
        };
        let part = self.range.map(|range| live.positions().span(range));
        let Finished {
            analysis,
            cached,
            n_chunks,
            ..
        } = &*live.finished;
        Heat {
            r#type: "heat",
            heatmap: live.heat(part),
            chunks: Progress {
                done: cached.len(),
                all: *n_chunks,
                cached: cached.iter().filter(|&&cached| cached).count(),
            },
            sink_share: analysis.sink_share,
            analysis_ms: milliseconds::exact(analysis.timing.total),
        }
    }
}
