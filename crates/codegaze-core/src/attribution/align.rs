//! Which subword lies on which lexeme.
//!
//! Merging subwords into lexemes (Clark et al. 2019, §4.1): attention **to** a lexeme is the sum over its subwords, attention
//! **from** a lexeme is the mean over its subwords, so that rows still sum to 1.

use super::aggregate::{self, Aggregate};
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::Lexeme;

/// The part of a subword's score that a lexeme gets.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Overlap {
    subword: usize,
    lexeme: usize,
    /// The part of the subword, 0 … 1; the fractions of a subword sum to 1.
    fraction: f32,
}

/// The mapping from the subwords of a text to its lexemes.
#[derive(Clone, Debug)]
pub struct Alignment {
    overlaps: Vec<Overlap>,
    /// Subwords that lie on whitespace alone.
    whitespace: Vec<usize>,
    n_lexemes: usize,
    n_subwords: usize,
}

impl Alignment {
    /// `spans` \[token\], `None` for special subwords; `lexemes` ascending and disjoint.
    ///
    /// If a subword covers several lexemes, such as `):`, each gets a fraction in proportion to the bytes that the subword covers of
    /// it. Whitespace at the subword's edges does not count. A subword of whitespace alone belongs to no lexeme.
    #[must_use]
    pub fn new(spans: &[Option<ByteSpan>], lexemes: &[Lexeme]) -> Self {
        let mut alignment = Self {
            overlaps: Vec::with_capacity(spans.len()),
            whitespace: Vec::new(),
            n_lexemes: lexemes.len(),
            n_subwords: spans.len(),
        };
        for (subword, span) in spans.iter().enumerate() {
            let Some(span) = span else { continue };
            let first = lexemes.partition_point(|lexeme| lexeme.span.end <= span.start);
            // An empty subword belongs to the lexeme at its place.
            let end = span.end.max(span.start + 1);
            let covered = ByteSpan::new(span.start, end);
            let touched = lexemes[first..]
                .iter()
                .take_while(|lexeme| lexeme.span.start < end)
                .count();
            let bytes_in = |i: usize| lexemes[i].span.overlap(covered);
            let total: usize = (first..first + touched).map(bytes_in).sum();
            if total == 0 {
                alignment.whitespace.push(subword);
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "bytes of one subword")]
            alignment
                .overlaps
                .extend((first..first + touched).map(|lexeme| Overlap {
                    subword,
                    lexeme,
                    fraction: bytes_in(lexeme) as f32 / total as f32,
                }));
        }
        alignment
    }

    /// Aggregates the scores of each lexeme's subwords: `scores` \[token\] → \[lexeme\].
    #[must_use]
    pub fn aggregate(&self, scores: &[f32], how: Aggregate) -> Vec<f32> {
        match how {
            Aggregate::Sum => self.sums(scores),
            Aggregate::Mean => self.average(scores),
            Aggregate::Max => {
                let mut greatest = vec![0.0_f32; self.n_lexemes];
                for overlap in &self.overlaps {
                    let greatest = &mut greatest[overlap.lexeme];
                    *greatest = greatest.max(overlap.fraction * scores[overlap.subword]);
                }
                greatest
            }
            Aggregate::First => {
                let mut first = vec![0.0; self.n_lexemes];
                // Overlaps ascend, so the last one written is the first of the lexeme.
                for overlap in self.overlaps.iter().rev() {
                    first[overlap.lexeme] = overlap.fraction * scores[overlap.subword];
                }
                first
            }
            Aggregate::Corrected => aggregate::corrected(&self.sums(scores), &self.counts()),
        }
    }

    /// The number of each lexeme's subwords, \[lexeme\]; a subword that covers several lexemes counts in part for each.
    #[must_use]
    pub fn counts(&self) -> Vec<f32> {
        let mut counts = vec![0.0; self.n_lexemes];
        for overlap in &self.overlaps {
            counts[overlap.lexeme] += overlap.fraction;
        }
        counts
    }

    fn sums(&self, scores: &[f32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.n_lexemes];
        for overlap in &self.overlaps {
            sums[overlap.lexeme] += overlap.fraction * scores[overlap.subword];
        }
        sums
    }

    /// Sum of `scores` \[token\] over each lexeme's subwords, \[lexeme\], and over whitespace subwords.
    #[must_use]
    pub fn sum(&self, scores: &[f32]) -> (Vec<f32>, f32) {
        let mass = self.sums(scores);
        let whitespace: f32 = self.whitespace.iter().map(|&i| scores[i]).sum();
        // An empty sum of floats is −0.
        (mass, whitespace + 0.0)
    }

    /// Mean of `values` \[token\] over each lexeme's subwords, \[lexeme\].
    #[must_use]
    pub fn average(&self, values: &[f32]) -> Vec<f32> {
        let mut means = self.sums(values);
        for (mean, count) in means.iter_mut().zip(self.counts()) {
            if count > 0.0 {
                *mean /= count;
            }
        }
        means
    }

    /// Merges a matrix of subwords [query, key] into a matrix of lexemes [query, key]: the sum over a lexeme's keys and the mean over
    /// its queries (Clark et al. 2019, §4.1). Attention on special subwords and on whitespace is dropped, and rows are renormalized to a
    /// sum of 1.
    #[must_use]
    pub fn merge_matrix(&self, weights: &[f32]) -> Vec<f32> {
        let (n, m) = (self.n_subwords, self.n_lexemes);
        // Keys first: [subword query, lexeme key].
        let by_key: Vec<Vec<f32>> = weights
            .chunks_exact(n.max(1))
            .map(|row| self.sums(row))
            .collect();
        let mut merged = vec![0.0; m * m];
        for overlap in &self.overlaps {
            let row = &mut merged[overlap.lexeme * m..(overlap.lexeme + 1) * m];
            for (cell, value) in row.iter_mut().zip(&by_key[overlap.subword]) {
                *cell += overlap.fraction * value;
            }
        }
        for row in merged.chunks_exact_mut(m.max(1)) {
            super::normalize(row);
        }
        merged
    }
}
