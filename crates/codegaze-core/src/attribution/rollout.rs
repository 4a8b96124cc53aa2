//! Attention rollout: attention multiplied through the layers, the residual stream counted in.

/// `uᵀ Ã^L … Ã^1`, [key], with `Ã^l = ½ A^l + ½ I` and `u` uniform over `queries`: the column means of the rollout matrix
/// over these queries (Abnar & Zuidema 2020, <https://aclanthology.org/2020.acl-main.385>, §3 and eq. 1).
///
/// Walks a vector from the last layer down; the product of the matrices is never formed. `layers` are fused matrices
/// [query, key], ascending.
pub(super) fn walk(layers: &[Vec<f32>], queries: &[usize], n: usize) -> Vec<f32> {
    let mut mass = vec![0.0_f32; n];
    #[expect(
        clippy::cast_precision_loss,
        reason = "at most a few thousand subwords"
    )]
    let each = 1.0 / queries.len().max(1) as f32;
    for &query in queries {
        mass[query] = each;
    }
    for layer in layers.iter().rev() {
        let mut next: Vec<f32> = mass.iter().map(|m| 0.5 * m).collect();
        for (m, row) in mass.iter().zip(layer.chunks_exact(n)) {
            if *m == 0.0 {
                continue;
            }
            for (cell, weight) in next.iter_mut().zip(row) {
                *cell += 0.5 * m * weight;
            }
        }
        mass = next;
    }
    mass
}
