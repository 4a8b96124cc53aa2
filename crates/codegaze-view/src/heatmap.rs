//! The attention matrix of a chunk, query × key, as a picture.

mod layout;
mod rows;

use codegaze_core::analysis::Extras;
use codegaze_core::attribution::Sinks;
use codegaze_core::attribution::align::Alignment;
use codegaze_text::ByteSpan;
use codegaze_text::lexeme::{Lexeme, scan};
use codegaze_text::named_enum;

use super::AnalyzedDocument;
use super::label::{label, printable, subword_labels};
use super::picture::{RenderError, RenderOptions};
use super::summary::matrix_settings;

pub use rows::{MAX_ROWS, RowsError};

/// One row and one column: a subword or a lexeme.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatmapToken {
    /// The text of the source, with invisible characters made visible.
    pub label: String,
    /// The id in the model's vocabulary; `None` for lexemes.
    pub id: Option<u32>,
    /// Where it is in the document; `None` for special subwords.
    pub span: Option<ByteSpan>,
    /// Its score.
    pub score: f32,
}

/// A fused attention matrix, with the names of its rows and columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Heatmap {
    /// The title of the picture.
    pub title: String,
    /// The model and the view, for the line below the title.
    pub subtitle: String,
    /// How rows were computed, for the note under the picture.
    pub note: String,
    /// The rows, which are also the columns.
    pub tokens: Vec<HeatmapToken>,
    /// [query, key] with one row and one column for each of `tokens`, row-major, finite, ≥ 0.
    pub weights: Vec<f32>,
    /// The index of the chunk in the analysis.
    pub chunk: usize,
}

named_enum! {
    /// What a row and a column of a matrix stand for.
    #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(rename_all = "lowercase"))]
    #[derive(Default)]
    pub enum Unit as "unit" {
        Subword = "subword", "what the model reads";
        #[default]
        Lexeme = "lexeme", "a word or mark of the source";
    }
}

impl Heatmap {
    /// The parts of an analysis that a matrix needs besides the scores.
    pub const EXTRAS: Extras = Extras {
        subwords: true,
        matrix: true,
        relations: false,
        embedding: false,
    };

    /// The matrix of one chunk, by subword or by lexeme.
    ///
    /// # Errors
    /// If there is no such chunk, or it was analyzed without [`Self::EXTRAS`].
    pub fn new(
        document: &AnalyzedDocument<'_>,
        chunk: usize,
        unit: Unit,
    ) -> Result<Self, RenderError> {
        match unit {
            Unit::Subword => Self::from_chunk(document, chunk),
            Unit::Lexeme => Self::from_chunk_by_lexeme(document, chunk),
        }
    }

    /// The matrix of the first chunk; `None` for a chunk of whitespace, which the model does not read.
    ///
    /// # Errors
    /// If the analysis contradicts itself.
    pub fn of_first(
        document: &AnalyzedDocument<'_>,
        unit: Unit,
    ) -> Result<Option<Self>, RenderError> {
        let first = document.analysis.chunks.first();
        if first.is_none_or(|chunk| chunk.matrix.is_none()) {
            return Ok(None);
        }
        Self::new(document, 0, unit).map(Some)
    }

    /// The matrix of one chunk by subword. If the attribution drops sinks, both axes omit special subwords and rows are renormalized.
    ///
    /// # Errors
    /// If there is no such chunk, or it was analyzed without subwords and matrix.
    pub fn from_chunk(document: &AnalyzedDocument<'_>, chunk: usize) -> Result<Self, RenderError> {
        let analysis = document.analysis;
        let n_chunks = analysis.chunks.len();
        let analyzed = analysis
            .chunks
            .get(chunk)
            .ok_or(RenderError::NoChunk { chunk, n_chunks })?;
        let (Some(subwords), Some(matrix)) = (&analyzed.subwords, &analyzed.matrix) else {
            return Err(RenderError::NoMatrix { chunk });
        };
        let n = matrix.n_tokens;
        if subwords.len() != n || n.checked_mul(n) != Some(matrix.weights.len()) {
            return Err(RenderError::Matrix {
                chunk,
                reason: format!(
                    "{} subwords, {n} rows, {} weights",
                    subwords.len(),
                    matrix.weights.len()
                ),
            });
        }
        if matrix.weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return Err(RenderError::Matrix {
                chunk,
                reason: "a weight is negative or not a number".to_owned(),
            });
        }

        let drop = analysis.attribution.sinks == Sinks::Drop;
        let kept: Vec<usize> = (0..n)
            .filter(|&idx| !drop || subwords[idx].span.is_some())
            .collect();
        let mut weights = Vec::with_capacity(kept.len() * kept.len());
        for &query in &kept {
            let row = &matrix.weights[query * n..(query + 1) * n];
            let sum: f32 = kept.iter().map(|&key| row[key]).sum();
            let scale = if drop && sum > 0.0 { 1.0 / sum } else { 1.0 };
            weights.extend(kept.iter().map(|&key| row[key] * scale));
        }

        let spans: Vec<Option<ByteSpan>> = subwords.iter().map(|subword| subword.span).collect();
        let labels = subword_labels(document.text(), &spans);
        let tokens = kept
            .iter()
            .map(|&idx| HeatmapToken {
                label: labels[idx].clone(),
                id: Some(subwords[idx].id),
                span: subwords[idx].span,
                score: subwords[idx].score,
            })
            .collect();
        Ok(Self {
            title: format!("Attention in {}", printable(document.name)),
            subtitle: match n_chunks {
                1 => matrix_settings(document),
                _ => format!(
                    "{} · chunk {chunk} of 0–{}",
                    matrix_settings(document),
                    n_chunks - 1
                ),
            },
            note: match analysis.attribution.sinks {
                Sinks::Drop => "special subwords dropped, rows sum to 1".to_owned(),
                Sinks::Keep => "special subwords kept, rows sum to 1".to_owned(),
            },
            tokens,
            weights,
            chunk,
        })
    }

    /// The matrix of one chunk by lexeme. Attention to a lexeme is the sum over its subwords, and attention from a lexeme the mean
    /// (Clark et al. 2019, §4.1). Special subwords and whitespace belong to no lexeme; rows are renormalized without them.
    ///
    /// # Errors
    /// If there is no such chunk, or it was analyzed without subwords and matrix.
    pub fn from_chunk_by_lexeme(
        document: &AnalyzedDocument<'_>,
        chunk: usize,
    ) -> Result<Self, RenderError> {
        let by_subword = Self::from_chunk(document, chunk)?;
        let analyzed = &document.analysis.chunks[chunk];
        let start = analyzed.span.start;
        let lexemes: Vec<Lexeme> = scan(document.slice(analyzed.span))
            .into_iter()
            .map(|lexeme| Lexeme {
                span: lexeme.span.shifted(start),
                ..lexeme
            })
            .collect();
        let spans: Vec<_> = by_subword.tokens.iter().map(|token| token.span).collect();
        let scores: Vec<_> = by_subword.tokens.iter().map(|token| token.score).collect();
        let alignment = Alignment::new(&spans, &lexemes);
        let (mass, _) = alignment.sum(&scores);
        let tokens = lexemes
            .iter()
            .zip(mass)
            .map(|(lexeme, score)| HeatmapToken {
                label: label(document.slice(lexeme.span)),
                id: None,
                span: Some(lexeme.span),
                score,
            })
            .collect();
        Ok(Self {
            note: "subwords merged into lexemes, rows sum to 1".to_owned(),
            tokens,
            weights: alignment.merge_matrix(&by_subword.weights),
            ..by_subword
        })
    }

    /// Keeps the rows and columns of `part`, and names its lines in the title. Weights stay parts of whole rows. Does nothing if the
    /// matrix has no lexeme there.
    pub fn crop(&mut self, document: &AnalyzedDocument<'_>, part: ByteSpan) {
        let is_inside = |token: &HeatmapToken| token.span.is_some_and(|span| part.contains(span));
        let Some(first) = self.tokens.iter().position(is_inside) else {
            return;
        };
        let n = self.n();
        let inside = self.tokens[first..]
            .iter()
            .take_while(|token| is_inside(token));
        let end = first + inside.count();
        let rows = self.weights.chunks_exact(n).take(end).skip(first);
        self.weights = rows.flat_map(|row| row[first..end].to_vec()).collect();
        self.tokens.truncate(end);
        self.tokens.drain(..first);
        let spans = || self.tokens.iter().filter_map(|token| token.span);
        if let (Some(start), Some(end)) = (spans().next(), spans().next_back()) {
            let first = document.line_number(start.start);
            let last = document.line_number(end.end.saturating_sub(1));
            self.title = if first == last {
                format!("{}, line {first}", self.title)
            } else {
                format!("{}, lines {first}–{last}", self.title)
            };
        }
    }

    /// Number of subwords along each axis.
    #[must_use]
    pub fn n(&self) -> usize {
        self.tokens.len()
    }

    /// The keys that the query with this index attends to, with their weights: heaviest first, at most `limit`. Of equal weights, the
    /// earlier key comes first.
    #[must_use]
    pub fn attends_to(&self, query: usize, limit: usize) -> Vec<(usize, f32)> {
        let n = self.n();
        heaviest(self.weights.iter().skip(query * n).take(n), limit)
    }

    /// The queries that attend to the key with this index, in the same order.
    #[must_use]
    pub fn attended_by(&self, key: usize, limit: usize) -> Vec<(usize, f32)> {
        let n = self.n();
        heaviest(self.weights.iter().skip(key).step_by(n.max(1)), limit)
    }

    /// The greatest weight, where the color scale ends.
    #[must_use]
    pub fn max(&self) -> f32 {
        self.weights.iter().copied().fold(0.0, f32::max)
    }
}

fn heaviest<'a>(weights: impl Iterator<Item = &'a f32>, limit: usize) -> Vec<(usize, f32)> {
    let mut heaviest: Vec<(usize, f32)> = weights.copied().enumerate().collect();
    heaviest.retain(|&(_, weight)| weight > 0.0);
    heaviest.sort_by(|a, b| b.1.total_cmp(&a.1));
    heaviest.truncate(limit);
    heaviest
}

/// The matrix as PNG.
///
/// # Errors
/// If the picture would be too large or too small.
pub fn render_png(heatmap: &Heatmap, options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    layout::scene(heatmap, options)?.to_png(options.dpi)
}

/// The matrix as SVG.
///
/// # Errors
/// If the picture would be too large or too small.
pub fn render_svg(heatmap: &Heatmap, options: &RenderOptions) -> Result<String, RenderError> {
    layout::scene(heatmap, options)?.to_svg()
}

#[cfg(test)]
mod tests;
