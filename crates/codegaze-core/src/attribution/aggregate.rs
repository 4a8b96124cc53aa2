//! From the scores of a lexeme's subwords to one score.
//!
//! A long name has many subwords, and each of them receives attention. The sum therefore follows the length of names more than
//! the attention to them, and the mean underrates long names: most of a name's attention goes to few of its subwords.
//! [`Aggregate::Corrected`] compares a lexeme with what others of as many subwords receive in the same window.

use codegaze_text::named_enum;

named_enum! {
    /// How a lexeme's subwords become one number. `docs/ATTRIBUTION.md` compares the rows of this table.
    #[derive(Default)]
    pub enum Aggregate as "aggregate" {
        /// All the attention that falls on the lexeme. A lexeme of many subwords has many chances to get some.
        Sum = "sum", "the sum over the subwords; long names score higher";
        /// Attention per subword: uniform attention gives every lexeme the same, however long it is.
        Mean = "mean", "the mean over the subwords; long names score lower";
        Max = "max", "the subword that gets most";
        First = "first", "the first subword";
        /// The sum, compared with those of lexemes of as many subwords in the same window.
        #[default]
        Corrected = "corrected", "corrected for length: the sum, compared with lexemes of as many subwords";
    }
}

/// How much the exponent is drawn to 1, where the sum grows in proportion to the number of subwords, as under uniform
/// attention: as much as this spread of the log numbers would draw it. A window of 100 lexemes has a spread of about 30.
const PRIOR: f64 = 1.0;

/// Scores that differ by less than this part count as equal in part, so that rounding does not move a rank.
const TIE: f64 = 0.01;

/// Classes by number of subwords: one (or a part of one), two, more.
fn class(count: f64) -> usize {
    match count {
        ..1.5 => 0,
        1.5..2.5 => 1,
        _ => 2,
    }
}

/// For each lexeme with `counts[i]` subwords and the score `sums[i]`, all of one window:
///
/// 1. `v = sum / count^b`, where `b` is the slope of the regression of log sum on log count, shrunk towards 1. `v` does not
///    grow with the number of subwords, but it spreads less: a mean over many subwords is seldom extreme.
/// 2. The lexeme's rank by `v` among those of its class, 0 … 1.
/// 3. The value that has this rank among the `v` of all lexemes. So each class has the same distribution of scores.
pub(super) fn corrected(sums: &[f32], counts: &[f32]) -> Vec<f32> {
    let lexemes: Vec<(f64, f64)> = sums
        .iter()
        .zip(counts)
        .map(|(&sum, &count)| (f64::from(sum), f64::from(count)))
        .collect();
    let exponent = exponent(&lexemes);
    let value = |&(sum, count): &(f64, f64)| {
        let scored = count > 0.0 && sum > 0.0;
        if scored {
            sum / count.powf(exponent)
        } else {
            0.0
        }
    };
    let values: Vec<f64> = lexemes.iter().map(value).collect();
    let mut classes: [Vec<f64>; 3] = Default::default();
    for ((_, count), value) in lexemes.iter().zip(&values) {
        classes[class(*count)].push(*value);
    }
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    lexemes
        .iter()
        .zip(&values)
        .map(|((_, count), &value)| {
            let score = quantile(&sorted, rank(value, &classes[class(*count)]));
            #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
            let score = score as f32;
            score
        })
        .collect()
}

/// The slope of log sum on log count over `lexemes` (sum, count), shrunk.
fn exponent(lexemes: &[(f64, f64)]) -> f64 {
    let points: Vec<(f64, f64)> = lexemes
        .iter()
        .filter(|&&(sum, count)| count > 0.0 && sum > 0.0)
        .map(|(sum, count)| (count.ln(), sum.ln()))
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "lexemes of one window")]
    let n = points.len().max(1) as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let (mut xx, mut xy) = (PRIOR, PRIOR);
    for (x, y) in points {
        xx += (x - mean_x).powi(2);
        xy += (x - mean_x) * (y - mean_y);
    }
    xy / xx
}

/// The share of `values` below `value`, itself among them; those that are as great count half.
fn rank(value: f64, values: &[f64]) -> f64 {
    let below = |&other: &f64| {
        let scale = TIE * value.max(other);
        if scale > 0.0 {
            (0.5 + (value - other) / (2.0 * scale)).clamp(0.0, 1.0)
        } else {
            0.5
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "lexemes of one window")]
    let n = values.len() as f64;
    values.iter().map(below).sum::<f64>() / n
}

/// The value of rank `rank` in `sorted`, between two of them in proportion.
fn quantile(sorted: &[f64], rank: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "lexemes of one window")]
    let n = sorted.len() as f64;
    let place = (rank * n - 0.5).clamp(0.0, n - 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index, not negative"
    )]
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "small counts"
)]
mod tests {
    use super::*;

    /// The definition without shared steps: scores of lexemes whose values differ by more than [`TIE`].
    fn naive(lexemes: &[(f64, f64)]) -> Vec<f64> {
        let n = lexemes.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| lexemes.iter().map(of).sum::<f64>() / n;
        let mean_x = mean(&|(_, count)| count.ln());
        let covariance = mean(&|(sum, count)| (count.ln() - mean_x) * sum.ln());
        let variance = mean(&|(_, count)| (count.ln() - mean_x).powi(2));
        let exponent = (n * covariance + PRIOR) / (n * variance + PRIOR);
        let values: Vec<f64> = lexemes
            .iter()
            .map(|(sum, count)| sum / count.powf(exponent))
            .collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let is_alike = |a: f64, b: f64| a.round().clamp(1.0, 3.0) == b.round().clamp(1.0, 3.0);
        (0..lexemes.len())
            .map(|at| {
                let alike = (0..lexemes.len()).filter(|&i| is_alike(lexemes[i].1, lexemes[at].1));
                let (mut below, mut n_alike) = (0.5, 0.0);
                for other in alike {
                    below += f64::from(values[other] < values[at]);
                    n_alike += 1.0;
                }
                let place = (below / n_alike * n - 0.5).clamp(0.0, n - 1.0);
                let (low, high) = (place.floor(), place.ceil());
                let part = place - low;
                sorted[low as usize] * (1.0 - part) + sorted[high as usize] * part
            })
            .collect()
    }

    #[test]
    fn corrected_scores_follow_their_definition() {
        let lexemes = [
            (1.0, 1.0),
            (2.0, 1.0),
            (0.4, 0.5),
            (4.0, 1.0),
            (9.0, 1.0),
            (3.0, 2.0),
            (5.0, 2.0),
            (6.0, 3.0),
            (11.0, 4.0),
            (8.0, 5.0),
        ];
        let (sums, counts): (Vec<f32>, Vec<f32>) = lexemes
            .iter()
            .map(|&(sum, count)| (sum as f32, count as f32))
            .unzip();
        let found = corrected(&sums, &counts);
        for (found, expected) in found.iter().zip(naive(&lexemes)) {
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found}");
        }
    }

    #[test]
    fn long_and_short_lexemes_have_the_same_distribution_of_scores() {
        // 200 short lexemes whose scores vary much, 40 long ones whose scores vary little.
        let short = (0..200).map(|i| (0.2 + f64::from(i) / 20.0, 1.0));
        let long = (0..40).map(|i| (14.0 + f64::from(i) / 20.0, 4.0));
        let (sums, counts): (Vec<f32>, Vec<f32>) = short
            .chain(long)
            .map(|(sum, count)| (sum as f32, count as f32))
            .unzip();
        let scores = corrected(&sums, &counts);
        let mut sorted = scores.clone();
        sorted.sort_by(f32::total_cmp);
        let cut = sorted[sorted.len() * 95 / 100];
        let top = |scores: &[f32]| {
            let n = scores.iter().filter(|&&score| score >= cut).count();
            n as f64 / scores.len() as f64
        };
        let (of_short, of_long) = (top(&scores[..200]), top(&scores[200..]));
        assert!((of_short - of_long).abs() < 0.02, "{of_short}, {of_long}");
    }

    #[test]
    fn a_rounding_error_moves_no_score() {
        let sums = [1.0, 1.0, 5.0, 3.0, 3.0, 3.0, 0.0];
        let counts = [1.0, 1.0, 1.0, 3.0, 3.0, 3.0, 1.0];
        let before = corrected(&sums, &counts);
        let mut moved = sums;
        moved[0] *= 1.0 + 1e-6;
        moved[3] *= 1.0 - 1e-6;
        for (before, after) in before.iter().zip(corrected(&moved, &counts)) {
            assert!((before - after).abs() < 1e-3, "{before} became {after}");
        }
        assert_eq!(corrected(&[], &[]), [] as [f32; 0]);
        assert_eq!(corrected(&[0.0, 0.0], &[0.0, 2.0]), [0.0, 0.0]);
    }
}
