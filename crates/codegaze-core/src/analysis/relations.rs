//! The lexemes that a lexeme attends to, and those that attend to it: only the strongest, so that an open document can keep them for
//! every lexeme.

use crate::attribution::align::Alignment;
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::Lexeme;

/// How many partners of a lexeme are kept in each direction.
pub const KEPT: usize = 8;

/// One partner of a lexeme.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Relation {
    /// The partner's span, relative to the same text as the lexeme's span.
    pub span: ByteSpan,
    /// A cell of the matrix of lexemes (see [`Alignment::merge_matrix`]): a part of the query's row, 0 … 1.
    pub weight: f32,
}

/// The strongest partners of one lexeme: heaviest first, at most [`KEPT`] in each direction. A lexeme can be its own partner.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LexemeRelations {
    /// The heaviest keys of the lexeme's row.
    pub attends_to: Vec<Relation>,
    /// The heaviest queries of the lexeme's column.
    pub attended_by: Vec<Relation>,
    /// The part of the lexeme's attention that goes to special subwords, 0 … 1.
    pub sink_share: f32,
}

impl LexemeRelations {
    /// The same in a text that starts `by` bytes earlier.
    #[must_use]
    pub fn shifted(&self, by: usize) -> Self {
        let shift = |relations: &[Relation]| {
            let shift = |relation: &Relation| Relation {
                span: relation.span.shifted(by),
                ..*relation
            };
            relations.iter().map(shift).collect()
        };
        Self {
            attends_to: shift(&self.attends_to),
            attended_by: shift(&self.attended_by),
            sink_share: self.sink_share,
        }
    }
}

/// The relations of the lexemes in one window's core, packed to a few hundred bytes for each lexeme.
#[derive(Clone, Debug, PartialEq)]
pub struct Relations {
    /// The spans of all lexemes of the window, including context.
    spans: Vec<ByteSpan>,
    /// For each lexeme of the core: the heaviest cells of its row, those of its column, and its share of sinks.
    strongest: Vec<(Strongest, Strongest, f32)>,
}

impl Relations {
    /// Finds the strongest cells. `weights` [query, key] is the window's fused matrix over all its subwords, whose rows sum to 1;
    /// `special` \[token\] marks the special subwords. The lexemes inside `core` get relations; all `lexemes` can be partners.
    #[must_use]
    pub fn new(
        weights: &[f32],
        special: &[bool],
        alignment: &Alignment,
        lexemes: &[Lexeme],
        core: ByteSpan,
    ) -> Self {
        let n = lexemes.len();
        let merged = alignment.merge_matrix(weights);
        let sunk: Vec<f32> = weights
            .chunks_exact(special.len().max(1))
            .map(|row| {
                let masked = row.iter().zip(special).filter(|&(_, &special)| special);
                masked.map(|(weight, _)| weight).sum()
            })
            .collect();
        let sunk = alignment.average(&sunk);
        let mut rows = vec![Strongest::default(); n];
        let mut columns = vec![Strongest::default(); n];
        for (query, row) in merged.chunks_exact(n.max(1)).enumerate() {
            for (key, &weight) in row.iter().enumerate() {
                rows[query].offer(key, weight);
                columns[key].offer(query, weight);
            }
        }
        let of_core = (0..n).filter(|&at| core.contains(lexemes[at].span));
        Self {
            spans: lexemes.iter().map(|lexeme| lexeme.span).collect(),
            strongest: of_core
                .map(|at| (rows[at], columns[at], sunk[at].clamp(0.0, 1.0)))
                .collect(),
        }
    }

    /// The relations of the core's lexeme with this index, with spans relative to the window's start.
    #[must_use]
    pub fn get(&self, lexeme_idx: usize) -> Option<LexemeRelations> {
        let (row, column, sink_share) = self.strongest.get(lexeme_idx)?;
        let place = |strongest: &Strongest| {
            let cells = strongest.cells.iter().take_while(|cell| cell.weight > 0.0);
            cells
                .map(|cell| Relation {
                    span: self.spans[cell.lexeme as usize],
                    weight: cell.weight,
                })
                .collect()
        };
        Some(LexemeRelations {
            attends_to: place(row),
            attended_by: place(column),
            sink_share: *sink_share,
        })
    }

    /// The size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&self.spans[..]) + size_of_val(&self.strongest[..])
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cell {
    lexeme: u32,
    weight: f32,
}

/// The heaviest cells so far, heaviest first. Of equal cells, the earlier ones are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Strongest {
    cells: [Cell; KEPT],
}

impl Strongest {
    fn offer(&mut self, lexeme: usize, weight: f32) {
        if weight <= self.cells[KEPT - 1].weight {
            return;
        }
        let place = self.cells.partition_point(|kept| kept.weight >= weight);
        self.cells[place..].rotate_right(1);
        self.cells[place] = Cell {
            lexeme: u32::try_from(lexeme).unwrap_or(u32::MAX),
            weight,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codegaze_text::lexeme::scan;

    #[test]
    fn the_strongest_come_first_and_sinks_are_counted_separately() {
        let lexemes = scan("a b c");
        let spans: Vec<Option<ByteSpan>> = [None]
            .into_iter()
            .chain(lexemes.iter().map(|lexeme| Some(lexeme.span)))
            .collect();
        let special = [true, false, false, false];
        #[rustfmt::skip]
        let weights = [
            1.0, 0.0, 0.0, 0.0,
            0.5, 0.0, 0.1, 0.4,
            0.0, 0.2, 0.2, 0.6,
            0.9, 0.1, 0.0, 0.0,
        ];
        let alignment = Alignment::new(&spans, &lexemes);
        let core = ByteSpan::new(2, 5);
        let relations = Relations::new(&weights, &special, &alignment, &lexemes, core);
        assert_eq!(relations.get(2), None, "there are two lexemes in the core");
        let core = ByteSpan::new(0, 5);
        let relations = Relations::new(&weights, &special, &alignment, &lexemes, core);
        let relations: Vec<_> = (0..3).map(|at| relations.get(at).unwrap()).collect();
        let names = |relations: &[Relation]| -> Vec<(&str, f32)> {
            relations
                .iter()
                .map(|relation| (relation.span.of("a b c"), relation.weight))
                .collect()
        };
        assert_eq!(names(&relations[0].attends_to), [("c", 0.8), ("b", 0.2)]);
        assert_eq!(names(&relations[0].attended_by), [("c", 1.0), ("b", 0.2)]);
        assert_eq!(names(&relations[2].attends_to), [("a", 1.0)]);
        let sinks: Vec<f32> = relations.iter().map(|of| of.sink_share).collect();
        assert_eq!(sinks, [0.5, 0.0, 0.9]);
    }

    #[test]
    fn no_more_than_the_strongest_are_kept() {
        let mut strongest = Strongest::default();
        for (at, weight) in [3.0, 9.0, 1.0, 7.0, 7.0, 2.0, 8.0, 4.0, 6.0, 5.0_f32]
            .into_iter()
            .enumerate()
        {
            strongest.offer(at, weight);
        }
        let kept: Vec<u32> = strongest.cells.iter().map(|cell| cell.lexeme).collect();
        assert_eq!(kept, [1, 6, 3, 4, 8, 9, 7, 0]);
    }
}
