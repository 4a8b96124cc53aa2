//! The strongest partners of a lexeme, as spans to highlight.

use codegaze_core::analysis::relations::LexemeRelations;
use codegaze_text::ByteSpan;

/// The direction of attention between a lexeme and a highlighted partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The lexeme attends to the partner.
    AttendsTo,
    /// The partner attends to the lexeme.
    AttendedBy,
}

/// At most `limit` partners in each direction whose weight is `threshold` or more, ascending by span. A partner in both directions is
/// listed once, with the direction of the greater weight; if the weights are equal, as attended to.
#[must_use]
pub fn highlights(
    relations: &LexemeRelations,
    limit: usize,
    threshold: f32,
) -> Vec<(ByteSpan, Direction)> {
    let directions = [
        (&relations.attends_to, Direction::AttendsTo),
        (&relations.attended_by, Direction::AttendedBy),
    ];
    let mut found: Vec<_> = directions
        .into_iter()
        .flat_map(|(partners, direction)| {
            // Heaviest first.
            partners
                .iter()
                .take(limit)
                .take_while(|partner| partner.weight >= threshold)
                .map(move |partner| (partner.span, partner.weight, direction))
        })
        .collect();
    // The sort is stable, so the first direction stays first if weights are equal.
    found.sort_by(|(a, a_weight, _), (b, b_weight, _)| {
        a.cmp(b).then_with(|| b_weight.total_cmp(a_weight))
    });
    found.dedup_by_key(|(span, ..)| *span);
    found
        .into_iter()
        .map(|(span, _, direction)| (span, direction))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use codegaze_core::analysis::relations::Relation;

    fn partners(weights: &[(usize, f32)]) -> Vec<Relation> {
        weights
            .iter()
            .map(|&(at, weight)| Relation {
                span: ByteSpan::new(at, at + 1),
                weight,
            })
            .collect()
    }

    #[test]
    fn a_partner_in_both_directions_is_marked_once_by_the_heavier() {
        use Direction::{AttendedBy, AttendsTo};
        let relations = LexemeRelations {
            attends_to: partners(&[(9, 0.5), (3, 0.2), (7, 0.1), (1, 0.02)]),
            attended_by: partners(&[(3, 0.4), (5, 0.3), (9, 0.3), (7, 0.1)]),
            sink_share: 0.5,
        };
        let marked = |limit, threshold| -> Vec<(usize, Direction)> {
            highlights(&relations, limit, threshold)
                .into_iter()
                .map(|(span, direction)| (span.start, direction))
                .collect()
        };
        let all = [
            (1, AttendsTo),
            (3, AttendedBy),
            (5, AttendedBy),
            (7, AttendsTo),
            (9, AttendsTo),
        ];
        assert_eq!(marked(8, 0.0), all);
        assert_eq!(marked(8, 0.02), all, "the threshold is included");
        assert_eq!(marked(8, 0.03), all[1..]);
        assert_eq!(
            marked(2, 0.0),
            [(3, AttendedBy), (5, AttendedBy), (9, AttendsTo)]
        );
        assert_eq!(marked(0, 0.0), []);
        assert_eq!(marked(8, 0.6), []);
    }
}
