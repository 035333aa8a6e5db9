//! The two streams of separable convolutions and their fusion at three scales.

use burn::tensor::Tensor;
use burn::tensor::activation::{relu, tanh};
use facelens_import::net::fsa_net::FUSED_BLOCKS;

use crate::nets::layers::{average_pool, max_pool};
use crate::nets::separable::{Heads, SeparableBlock, stream};

/// Rows and columns of a fused map.
const MAP_SIDE: usize = 8;

/// The three fused maps `U_k`, `[batch, 64 features, 8, 8]`, stage 1 (the deepest) first.
pub(super) fn fused_maps(
    relu_stream: &[SeparableBlock],
    tanh_stream: &[SeparableBlock],
    fusions: &[Heads],
    faces: Tensor<4>,
) -> Vec<Tensor<4>> {
    let relu_maps = stream(relu_stream, faces.clone(), relu, average_pool);
    let tanh_maps = stream(tanh_stream, faces, tanh, max_pool);
    let scales = FUSED_BLOCKS.into_iter().zip(fusions);
    scales
        .map(|(scale, fusion)| {
            let (relu_head, tanh_head) = fusion.forward(relu_maps[scale].clone(), tanh_maps[scale].clone());
            let fused = relu_head * tanh_head;
            // The shallow scale has 16 x 16 places.
            if fused.dims()[2] > MAP_SIDE { average_pool(fused, 2) } else { fused }
        })
        .collect()
}
