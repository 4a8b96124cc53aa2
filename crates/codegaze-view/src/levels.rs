//! Heat levels: importance in six steps, for editors, terminals and pictures.

use std::sync::Arc;

use codegaze_core::analysis::Analysis;

/// A level of heat: 0 is not shown, and 5 is the hottest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeatLevel(u8);

impl HeatLevel {
    /// The level that is not shown.
    pub const NONE: Self = Self(0);
    /// The hottest level.
    pub const MAX: Self = Self(5);
    /// The levels that are shown, coldest first.
    pub const SHOWN: [Self; 5] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// The level with this number; `None` above 5.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if level <= Self::MAX.0 {
            Some(Self(level))
        } else {
            None
        }
    }

    /// 0 … 5.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The index in a table of the levels 1 … 5; `None` for level 0.
    #[must_use]
    pub fn shown_idx(self) -> Option<usize> {
        usize::from(self.0).checked_sub(1)
    }
}

/// Where the levels begin, as quantiles of `lift` over the document.
///
/// A lexeme's level is the number of quantile values that its lift *exceeds*. So equal lifts always get equal levels,
/// and a lift that most lexemes share is never hot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelThresholds {
    /// The quantiles where levels 1 … 5 begin, ascending, each in 0 … 1.
    pub quantiles: [f32; 5],
}

impl Default for LevelThresholds {
    fn default() -> Self {
        Self {
            quantiles: [0.50, 0.65, 0.78, 0.88, 0.95],
        }
    }
}

impl LevelThresholds {
    /// What [`Self::new`] accepts.
    pub const EXPECTED: &str = "a list of five ascending numbers from 0 to 1";

    /// # Errors
    /// [`Self::EXPECTED`], if the quantiles are not ascending numbers in 0 … 1.
    pub fn new(quantiles: &[f32]) -> Result<Self, &'static str> {
        let quantiles: [f32; 5] = quantiles.try_into().map_err(|_| Self::EXPECTED)?;
        let is_in_range = quantiles.iter().all(|q| (0.0..=1.0).contains(q));
        if is_in_range && quantiles.is_sorted() {
            Ok(Self { quantiles })
        } else {
            Err(Self::EXPECTED)
        }
    }
}

/// Lifts that are closer together than this count as equal, because attention is computed in f32.
const TIE: f32 = 1e-4;

impl LevelThresholds {
    /// One level for each lift. If all lifts are equal, as under uniform attention, all levels are 0.
    #[must_use]
    pub fn levels(&self, lifts: &[f32]) -> Vec<HeatLevel> {
        let mut sorted: Vec<f32> = lifts.iter().copied().filter(|l| l.is_finite()).collect();
        sorted.sort_by(f32::total_cmp);
        let (Some(&coldest), Some(&hottest)) = (sorted.first(), sorted.last()) else {
            return vec![HeatLevel::NONE; lifts.len()];
        };
        if hottest - coldest <= TIE {
            return vec![HeatLevel::NONE; lifts.len()];
        }
        let cuts = self.quantiles.map(|q| quantile(&sorted, q));
        lifts
            .iter()
            .map(|&lift| {
                let exceeded = cuts.iter().filter(|&&cut| lift > cut + TIE / 2.0).count();
                HeatLevel(u8::try_from(exceeded).unwrap_or(HeatLevel::MAX.0))
            })
            .collect()
    }
}

/// The levels of an analysis, by lift in the document. A clone shares them.
#[derive(Clone, Debug)]
pub struct Levels {
    /// One level for each lexeme of the analysis.
    pub lexemes: Arc<[HeatLevel]>,
    /// One level for each scored line of the analysis.
    pub lines: Arc<[HeatLevel]>,
}

impl Levels {
    /// Computes the levels. It sorts all lifts, which takes long for a long document, so keep the result.
    #[must_use]
    pub fn new(analysis: &Analysis, thresholds: &LevelThresholds) -> Self {
        let lexemes: Vec<f32> = analysis.lexemes.iter().map(|lexeme| lexeme.lift).collect();
        let lines: Vec<f32> = analysis.lines.iter().map(|line| line.lift).collect();
        Self {
            lexemes: thresholds.levels(&lexemes).into(),
            lines: thresholds.levels(&lines).into(),
        }
    }
}

/// Quantile with linear interpolation between order statistics (Hyndman & Fan 1996, type 7). `sorted` is not empty.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]
fn quantile(sorted: &[f32], q: f32) -> f32 {
    let place = f64::from(q.clamp(0.0, 1.0)) * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let weight = (place - place.floor()) as f32;
    sorted[below] + (sorted[above] - sorted[below]) * weight
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn levels(lifts: &[f32]) -> Vec<u8> {
        LevelThresholds::default()
            .levels(lifts)
            .into_iter()
            .map(HeatLevel::get)
            .collect()
    }

    #[test]
    fn a_hundred_lexemes_fill_the_levels_by_the_quantiles() {
        let lifts: Vec<f32> = (0..100u8).map(|i| f32::from(i) * 0.02).collect();
        let counts = levels(&lifts)
            .into_iter()
            .fold([0; 6], |mut counts, level| {
                counts[usize::from(level)] += 1;
                counts
            });
        assert_eq!(counts, [50, 15, 13, 10, 7, 5]);
    }

    #[test]
    fn few_and_uniform_lexemes() {
        assert!(levels(&[]).is_empty());
        assert_eq!(levels(&[1.0]), [0]);
        assert_eq!(levels(&[1.0, 1.000_05, 0.999_97]), [0, 0, 0]);
        assert_eq!(levels(&[0.5, 1.5]), [0, 5]);
        assert_eq!(levels(&[0.5, 1.0, 1.5]), [0, 0, 5]);
        assert_eq!(levels(&[f32::NAN, 0.5, 1.5]), [0, 0, 5]);
    }

    #[test]
    fn what_most_lexemes_share_is_not_hot() {
        let mut lifts = vec![0.9; 98];
        lifts.extend([3.0, 4.0]);
        let levels = levels(&lifts);
        assert!(levels[..98].iter().all(|&level| level == 0));
        assert_eq!(levels[98..], [5, 5]);
    }

    #[test]
    #[expect(clippy::float_cmp, reason = "numbers that are kept as given")]
    fn thresholds_are_five_ascending_numbers_from_0_to_1() {
        let thresholds = LevelThresholds::new(&[0.0, 0.5, 0.5, 0.9, 1.0]).unwrap();
        assert_eq!(thresholds.quantiles, [0.0, 0.5, 0.5, 0.9, 1.0]);
        for invalid in [
            &[0.1, 0.2, 0.3, 0.4][..],
            &[0.5, 0.4, 0.6, 0.7, 0.8],
            &[-0.1, 0.2, 0.3, 0.4, 0.5],
            &[0.1, 0.2, 0.3, 0.4, f32::NAN],
        ] {
            let error = LevelThresholds::new(invalid).unwrap_err();
            assert_eq!(error, LevelThresholds::EXPECTED);
        }
    }

    proptest! {
        #[test]
        fn levels_follow_lift_and_ties_agree(lifts in prop::collection::vec((0u8..40).prop_map(|l| f32::from(l) / 8.0), 0..80)) {
            let levels = levels(&lifts);
            for (a, la) in lifts.iter().zip(&levels) {
                for (b, lb) in lifts.iter().zip(&levels) {
                    prop_assert!(a > b || la <= lb);
                    prop_assert!(a < b || la >= lb);
                }
            }
        }
    }
}
