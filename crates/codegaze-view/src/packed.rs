//! Heat as a compact list of integers, each lexeme relative to the one before.

use codegaze_core::analysis::ScoredLexeme;
use codegaze_text::ByteSpan;

use super::levels::HeatLevel;
use super::position::Positions;

/// One lexeme's position and heat. A lexeme contains no whitespace, so it is always on one line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlacedHeat {
    /// The number of lines since the lexeme before.
    pub delta_line: u32,
    /// The number of code units since the start of the lexeme before, or since the start of the line if that lexeme is on another line.
    pub delta_start: u32,
    /// The length in code units.
    pub length: u32,
    /// The level.
    pub level: HeatLevel,
    /// The lift; 1 is the average lexeme.
    pub lift: f32,
}

/// The lexemes of a level above 0 that touch `part` (all, for `None`), with their levels. `levels` has one level for each lexeme.
pub fn shown_in<'a>(
    lexemes: &'a [ScoredLexeme],
    levels: &'a [HeatLevel],
    part: Option<ByteSpan>,
) -> impl Iterator<Item = (&'a ScoredLexeme, HeatLevel)> {
    let part = part.unwrap_or(ByteSpan::new(0, usize::MAX));
    let first = lexemes.partition_point(|lexeme| lexeme.span.end <= part.start);
    lexemes[first..]
        .iter()
        .zip(levels[first..].iter().copied())
        .take_while(move |(lexeme, _)| lexeme.span.start < part.end)
        .filter(|&(_, level)| level > HeatLevel::NONE)
}

/// Converts ascending lexemes to positions, each relative to the one before, in a client's code units.
pub fn place<'a>(
    positions: Positions<'a>,
    lexemes: impl Iterator<Item = (&'a ScoredLexeme, HeatLevel)> + 'a,
) -> impl Iterator<Item = PlacedHeat> + 'a {
    let (mut line, mut start) = (0, 0);
    lexemes.map(move |(lexeme, level)| {
        let at = positions.position(lexeme.span.start);
        let delta_line = at.line - line;
        let delta_start = if delta_line == 0 {
            at.character - start
        } else {
            at.character
        };
        (line, start) = (at.line, at.character);
        PlacedHeat {
            delta_line,
            delta_start,
            length: positions.position(lexeme.span.end).character - at.character,
            level,
            lift: lexeme.lift,
        }
    })
}

/// Five integers for each lexeme: the three of its position, its level, and its lift in thousandths.
#[must_use]
pub fn pack(placed: impl Iterator<Item = PlacedHeat>) -> Vec<u32> {
    placed
        .flat_map(|heat| {
            [
                heat.delta_line,
                heat.delta_start,
                heat.length,
                u32::from(heat.level.get()),
                thousandths(heat.lift),
            ]
        })
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float saturates; lifts are positive"
)]
fn thousandths(lift: f32) -> u32 {
    (lift * 1e3).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::{LevelThresholds, Levels};
    use crate::position::Encoding;
    use crate::samples;
    use codegaze_text::document::Document;

    #[test]
    fn unpacked_it_is_where_the_lexemes_are() {
        let text = "a = '😀' + b\r\n\r\n  cd = a\n";
        let document = Document::new(text, 1);
        let analysis = samples::analysis(text);
        let levels = Levels::new(&analysis, &LevelThresholds::default()).lexemes;
        for encoding in Encoding::ALL {
            let positions = Positions::new(&document, encoding);
            let shown = shown_in(&analysis.lexemes, &levels, None);
            let packed = pack(place(positions, shown));
            let (mut line, mut start) = (0, 0);
            let mut expected = shown_in(&analysis.lexemes, &levels, None);
            for heat in packed.chunks_exact(5) {
                let (lexeme, level) = expected.next().unwrap();
                start = if heat[0] == 0 {
                    start + heat[1]
                } else {
                    heat[1]
                };
                line += heat[0];
                let range = positions.range(lexeme.span);
                assert_eq!((line, start), (range.start.line, range.start.character));
                assert_eq!(start + heat[2], range.end.character);
                assert_eq!(heat[3], u32::from(level.get()));
                assert_eq!(heat[4], thousandths(lexeme.lift));
            }
            assert!(expected.next().is_none());
        }
    }

    #[test]
    fn a_part_has_what_touches_it() {
        let text = "first = second\nthird = fourth\n";
        let analysis = samples::analysis(text);
        let levels = vec![HeatLevel::MAX; analysis.lexemes.len()];
        let names = |part| -> Vec<&str> {
            shown_in(&analysis.lexemes, &levels, part)
                .map(|(lexeme, _)| lexeme.span.of(text))
                .collect()
        };
        assert_eq!(names(None).len(), 6);
        assert_eq!(names(Some(ByteSpan::new(9, 16))), ["second", "third"]);
        assert_eq!(names(Some(ByteSpan::new(5, 6))), [""; 0]);
        let hidden = vec![HeatLevel::NONE; levels.len()];
        assert_eq!(shown_in(&analysis.lexemes, &hidden, None).count(), 0);
    }
}
