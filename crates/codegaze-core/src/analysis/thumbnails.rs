//! The map of every layer and head of one window, scaled down to a table of thumbnails.

use std::ops::ControlFlow;

use super::Pass;
use codegaze_model::roberta::{AttentionSink, ForwardError, ForwardPlan, LayerAttention};

/// Maps of a window's code subwords, scaled down. Special subwords are omitted, and rows are renormalized.
#[derive(Clone, Debug, PartialEq)]
pub struct Thumbnails {
    /// The index of the window's chunk in its document.
    pub chunk_idx: usize,
    /// The number of layers.
    pub n_layers: usize,
    /// The number of heads in each layer.
    pub n_heads: usize,
    /// The number of rows, and of columns, of each map; 0 if the window has no code subwords.
    pub size: usize,
    /// The mean weight of the subwords that a cell covers, [layer, head, query, key].
    pub cells: Vec<f32>,
}

/// Computes all maps of a window, with `size` cells on each side, or one for each code subword if there are fewer.
///
/// # Errors
/// If the pass is cancelled, or if the device fails.
pub fn thumbnails(
    mut pass: Pass<'_>,
    chunk_idx: usize,
    size: usize,
) -> Result<Thumbnails, ForwardError> {
    let spans = &pass.encoding.spans;
    let code: Vec<usize> = (0..spans.len()).filter(|&at| spans[at].is_some()).collect();
    let info = pass.model.info();
    let size = size.min(code.len());
    let mut sink = PoolSink {
        code,
        size,
        cells: Vec::with_capacity(info.n_layers * info.n_heads * size * size),
    };
    if size > 0 {
        let plan = ForwardPlan {
            layers: (0..info.n_layers).collect(),
            ..ForwardPlan::default()
        };
        pass.forward(&plan, &mut sink)?;
    }
    Ok(Thumbnails {
        chunk_idx,
        n_layers: info.n_layers,
        n_heads: info.n_heads,
        size,
        cells: sink.cells,
    })
}

struct PoolSink {
    /// The code subwords, ascending.
    code: Vec<usize>,
    size: usize,
    cells: Vec<f32>,
}

impl AttentionSink for PoolSink {
    fn attention(&mut self, attention: LayerAttention<'_>) -> ControlFlow<()> {
        let n = attention.n_tokens;
        for head in 0..attention.n_heads {
            let weights = attention.head(head);
            let mut kept = Vec::with_capacity(self.code.len() * self.code.len());
            for &query in &self.code {
                let row = &weights[query * n..(query + 1) * n];
                let sum: f32 = self.code.iter().map(|&key| row[key]).sum();
                let scale = if sum > 0.0 { 1.0 / sum } else { 0.0 };
                kept.extend(self.code.iter().map(|&key| row[key] * scale));
            }
            self.cells.extend(pool(&kept, self.code.len(), self.size));
        }
        ControlFlow::Continue(())
    }
}

/// The means of `weights` [query, key], n × n, over `size` × `size` equal cells. A subword that lies across an edge counts in both
/// cells, in proportion to the part that it covers. Rows are pooled first, then columns.
#[expect(clippy::cast_precision_loss, reason = "at most a few thousand")]
fn pool(weights: &[f32], n: usize, size: usize) -> Vec<f32> {
    // Positions are in units of 1/size of a subword, so that edges are whole numbers.
    let parts = |cell: usize| {
        let (start, end) = (cell * n, (cell + 1) * n);
        (start / size..end.div_ceil(size)).map(move |at| {
            let covered = end.min((at + 1) * size) - start.max(at * size);
            (at, covered as f32 / n as f32)
        })
    };
    let mut rows = vec![0.0; size * n];
    for cell in 0..size {
        let pooled = &mut rows[cell * n..(cell + 1) * n];
        for (query, part) in parts(cell) {
            for (sum, weight) in pooled.iter_mut().zip(&weights[query * n..]) {
                *sum += part * weight;
            }
        }
    }
    let mut cells = Vec::with_capacity(size * size);
    for row in rows.chunks_exact(n) {
        cells.extend((0..size).map(|cell| {
            let covered = parts(cell).map(|(key, part)| part * row[key]);
            covered.sum::<f32>()
        }));
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_means_by_area() {
        let weights = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
        assert_eq!(pool(&weights, 3, 3), weights);
        assert_eq!(pool(&weights, 3, 1), [5.0]);
        // Each side is one subword and half of the middle one.
        let expected = [21.0, 33.0, 57.0, 69.0].map(|sum: f32| sum / 9.0);
        for (cell, expected) in pool(&weights, 3, 2).into_iter().zip(expected) {
            assert!((cell - expected).abs() < 1e-5, "{cell} is not {expected}");
        }
    }
}
