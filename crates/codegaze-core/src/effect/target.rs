//! Targets: the numbers that effects explain.

/// A number that is computed from the last hidden state of a pass.
pub trait Target: Sync {
    /// The number, from `hidden` [token, hidden].
    fn value(&self, hidden: &[f32]) -> f64;

    /// Its gradient with respect to `hidden`, [token, hidden].
    fn gradient(&self, hidden: &[f32]) -> Vec<f32>;
}

/// The cosine between the mean vector of a text's words and the same mean of the text as it is: 1 for the text itself.
///
/// Every encoder has this target. Its gradient at the text itself is 0, because the cosine has its maximum there; methods that change the
/// text or go a path to it explain it.
#[derive(Clone, Debug)]
pub struct Similarity {
    /// Whether a subword is special, and so is not part of the mean, \[token\].
    special: Vec<bool>,
    /// The mean vector of the text as it is, \[hidden\].
    reference: Vec<f64>,
}

impl Similarity {
    /// `special` \[token\] marks the special subwords; `hidden` [token, hidden] is the last hidden state of the text as it is.
    #[must_use]
    pub fn new(special: &[bool], hidden: &[f32]) -> Self {
        Self {
            special: special.to_vec(),
            reference: mean(special, hidden),
        }
    }
}

impl Target for Similarity {
    fn value(&self, hidden: &[f32]) -> f64 {
        let mean = mean(&self.special, hidden);
        let lengths = norm(&mean) * norm(&self.reference);
        if lengths > 0.0 {
            dot(&mean, &self.reference) / lengths
        } else {
            0.0
        }
    }

    fn gradient(&self, hidden: &[f32]) -> Vec<f32> {
        let mean = mean(&self.special, hidden);
        let (length, lengths) = (norm(&mean), norm(&mean) * norm(&self.reference));
        let width = mean.len();
        let mut gradient = vec![0.0; hidden.len()];
        if lengths <= 0.0 {
            return gradient;
        }
        let cosine = dot(&mean, &self.reference) / lengths;
        let n = count(&self.special);
        for (row, &special) in gradient.chunks_exact_mut(width).zip(&self.special) {
            if special {
                continue;
            }
            for ((g, reference), mean) in row.iter_mut().zip(&self.reference).zip(&mean) {
                let slope = reference / lengths - cosine * mean / (length * length);
                #[expect(clippy::cast_possible_truncation, reason = "gradients are f32")]
                {
                    *g = (slope / n) as f32;
                }
            }
        }
        gradient
    }
}

/// The mean of the rows that are not special, \[hidden\].
fn mean(special: &[bool], hidden: &[f32]) -> Vec<f64> {
    let width = hidden.len() / special.len().max(1);
    let mut mean = vec![0.0; width];
    for (row, &special) in hidden.chunks_exact(width.max(1)).zip(special) {
        if !special {
            for (sum, x) in mean.iter_mut().zip(row) {
                *sum += f64::from(*x);
            }
        }
    }
    let n = count(special);
    for x in &mut mean {
        *x /= n;
    }
    mean
}

/// The number of subwords that are not special, at least 1.
#[expect(clippy::cast_precision_loss, reason = "subwords of one window")]
fn count(special: &[bool]) -> f64 {
    special.iter().filter(|special| !**special).count().max(1) as f64
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}
