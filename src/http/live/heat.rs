//! An analysis as a message.

use std::sync::Arc;

use super::super::position::{Encoding, Positions, Range};
use super::super::routes::stages::milliseconds;
use super::messages::{Heat, Progress};
use crate::engine::Finished;
use crate::view::levels::{HeatLevel, LevelThresholds, Levels};
use crate::view::options::ViewAnswer;
use crate::view::packed::{pack, place, shown_in};

/// What is to be told of an analysis, once the client has read what was told before.
pub(super) struct HeatJob {
    pub finished: Arc<Finished>,
    pub encoding: Encoding,
    /// All of it, for `None`.
    pub range: Option<Range>,
}

impl HeatJob {
    /// Takes a while for long documents.
    pub fn build(&self) -> Heat {
        let Finished {
            document,
            analysis,
            cached,
            n_chunks,
            ..
        } = &*self.finished;
        let positions = Positions::new(document, self.encoding);
        let part = self.range.map(|range| positions.span(range));
        // Levels are quantiles of the whole, also of a part.
        let levels = Levels::new(analysis, &LevelThresholds::default());
        let shown = shown_in(&analysis.lexemes, &levels.lexemes, part);
        Heat {
            r#type: "heat",
            version: document.version(),
            view: ViewAnswer::new(&analysis.model, &analysis.attribution),
            levels: HeatLevel::SHOWN.len(),
            encoding: self.encoding,
            complete: self.finished.complete,
            chunks: Progress {
                done: cached.len(),
                all: *n_chunks,
                cached: cached.iter().filter(|&&cached| cached).count(),
            },
            unscored: analysis
                .unscored
                .iter()
                .map(|unscored| positions.range(unscored.span))
                .collect(),
            data: pack(place(document, self.encoding.into(), shown)),
            sink_share: analysis.sink_share,
            analysis_ms: milliseconds(analysis.timing.total),
        }
    }
}
