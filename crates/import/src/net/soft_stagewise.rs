//! Soft stagewise regression with dynamic range: how both papers turn the outputs of their stages into a number.
//!
//! A range `[0, V]` is divided into `s_1` bins, each of these into `s_2` finer ones, and so on. Stage `k` says by
//! weights `p_i^(k)` in which of its bins the value lies. SSR-Net, IJCAI 2018:
//!
//! - eq. 2, one stage (DEX): `y = sum_i p_i i (V / s)`
//! - eq. 3, K stages: `y = sum_k sum_i p_i^(k) i (V / prod_{j<=k} s_j)`
//! - eq. 4, eq. 5, the bins' width is scaled by the face: `s'_k = s_k (1 + Delta_k)`, `w'_k = V / prod_{j<=k} s'_j`
//! - eq. 6, the bins are shifted by the face: `i' = i + eta_i^(k)`
//! - eq. 7, all together: `y = sum_k sum_i p_i^(k) i' (V / prod_{j<=k} s'_j)`
//!
//! (Eq. 1 is the training loss, the mean absolute error.) `p` comes out of a relu and does not sum to 1; `eta` and
//! `Delta` come out of a tanh. FSA-Net, CVPR 2019, section 3.2, uses the same for three angles at once, with one `eta`
//! for all bins of an angle and bins counted from `-floor(s_k / 2)`, so that the range is `[-V, V]`.

use super::Tensor;
use super::graph::{GraphWriter, Value};

/// Bins of each stage in the published networks (`3_3_3`).
pub(super) const BINS: usize = 3;

/// What one stage of the network says, one row per regressed value.
pub(super) struct StageGraph {
    /// Weights of the bins, `[values, bins]`, not negative.
    pub(super) p: Value,
    /// Shift of the bins, `[values, bins]` or `[values, 1]`.
    pub(super) eta: Value,
    /// Scale of the bins' width, `[values, 1]`.
    pub(super) delta: Value,
}

/// Writes eq. 7 in Horner's form, `y = V (S_1 + (S_2 + S_3 / s'_3) / s'_2) / s'_1` with `S_k = sum_i p_i^(k) i'`: the
/// same value with three divisions instead of six. `first_bins` holds the index of the first bin for each value, or one
/// for all; `range` is one number or `[values, 1]`. Gives `[values, 1]`.
pub(super) fn soft_stagewise(
    graph: &mut GraphWriter,
    stages: &[StageGraph],
    first_bins: &[f32],
    range: &Value,
) -> Value {
    let bins = Tensor::from_fn(&[first_bins.len(), BINS], |i| first_bins[i / BINS] + (i % BINS) as f32);
    let bins = graph.constant(&bins);
    let (one, count) = (graph.scalar(1.0), graph.scalar(BINS as f32));
    let mut finer: Option<Value> = None;
    for stage in stages.iter().rev() {
        let shifted = graph.add(&bins, &stage.eta);
        let weighted = graph.multiply(&shifted, &stage.p);
        let mut sum = graph.sum(&weighted, 1);
        if let Some(finer) = &finer {
            sum = graph.add(&sum, finer);
        }
        let scale = graph.add(&stage.delta, &one);
        let width = graph.multiply(&scale, &count);
        finer = Some(graph.divide(&sum, &width));
    }
    match finer {
        Some(sum) => graph.multiply(&sum, range),
        None => range.clone(),
    }
}
