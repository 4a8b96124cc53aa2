//! The lexeme under the pointer: its card, and its strongest partners.

use codegaze_core::analysis::ScoredLexeme;

use super::LiveAnalysis;
use crate::highlight::{Direction, highlights};
use crate::hover::{HoverCard, Origin, PendingCard};
use crate::position::WireRange;

/// The content of a hover.
pub enum Hovered<'a> {
    /// A lexeme with numbers.
    Lexeme {
        /// The text.
        card: Box<HoverCard>,
        /// Where the lexeme is.
        range: WireRange,
    },
    /// This part of the text has no scores.
    Unscored(PendingCard<'a>),
}

impl LiveAnalysis {
    /// The hover at a byte offset; `None` between lexemes and on blank lines.
    #[must_use]
    pub fn hover(&self, offset: usize) -> Option<Hovered<'_>> {
        let analysis = &self.finished.analysis;
        let Some(lexeme_idx) = analysis.lexeme_at(offset) else {
            let card = PendingCard::unscored_at(analysis, offset)?;
            return (!self.is_blank_at(offset)).then_some(Hovered::Unscored(card));
        };
        let lexeme: ScoredLexeme = analysis.lexemes[lexeme_idx];
        let origin = Origin {
            cached: self.finished.cached.get(lexeme.chunk_idx) == Some(&true),
            analysis: analysis.timing.total,
        };
        let relations = analysis.relations(lexeme_idx);
        let card = HoverCard::new(&self.document(), lexeme_idx, relations.as_ref(), origin)?;
        Some(Hovered::Lexeme {
            card: Box::new(card),
            range: self.positions().range(lexeme.span),
        })
    }

    /// The partners of the lexeme at a byte offset: at most `limit` in each direction, with a weight of at least `threshold`. `None` if the
    /// analysis has no relations there.
    #[must_use]
    pub fn highlights(
        &self,
        offset: usize,
        limit: usize,
        threshold: f32,
    ) -> Option<Vec<(WireRange, Direction)>> {
        let analysis = &self.finished.analysis;
        let relations = analysis.relations(analysis.lexeme_at(offset)?)?;
        let positions = self.positions();
        let found = highlights(&relations, limit, threshold).into_iter();
        Some(
            found
                .map(|(span, direction)| (positions.range(span), direction))
                .collect(),
        )
    }

    fn is_blank_at(&self, offset: usize) -> bool {
        let document = &self.finished.document;
        let index = document.index();
        let line = index.line_content_span(index.line_at(offset));
        line.of(document.text()).trim().is_empty()
    }
}
