//! Soft stagewise regression with dynamic range (SSR-Net eq. 2 to 7; the app's `net::soft_stagewise` tells them).

use burn::tensor::Tensor;

/// Bins of each stage (`3_3_3`).
pub(super) const BINS: usize = 3;

/// What one stage says of a batch of faces.
pub(super) struct StageOutput {
    /// Weights of the bins, `[batch, values, bins]`, not negative.
    pub(super) p: Tensor<3>,
    /// Shift of the bins, `[batch, values, bins]` or `[batch, values, 1]`.
    pub(super) eta: Tensor<3>,
    /// Scale of the bins' width, `[batch, values, 1]`.
    pub(super) delta: Tensor<3>,
}

/// Eq. 7 in Horner's form, as the app's graph writes it. Gives `[batch, values]`; `first_bin` is the index of the first
/// bin: 0 in SSR-Net, -1 in FSA-Net.
pub(super) fn soft_stagewise(stages: Vec<StageOutput>, first_bin: f32, range: f32) -> Tensor<2> {
    let mut finer: Option<Tensor<3>> = None;
    for StageOutput { p, eta, delta } in stages.into_iter().rev() {
        let bins: [f32; BINS] = std::array::from_fn(|i| first_bin + i as f32);
        let bins = Tensor::<1>::from_floats(bins, &p.device()).reshape([1, 1, BINS]);
        let mut sum = ((eta + bins) * p).sum_dim(2);
        if let Some(finer) = finer {
            sum = sum + finer;
        }
        finer = Some(sum / ((delta + 1.0) * BINS as f32));
    }
    // Every network has stages.
    #[expect(clippy::expect_used, reason = "the networks call it with three stages")]
    finer.expect("at least one stage").mul_scalar(range).squeeze_dim(2)
}
