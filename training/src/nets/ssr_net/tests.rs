//! The fusion block by itself.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::*;
use crate::nets::tests::{Numbers, gradients};

#[test]
fn the_fusion_block_of_each_stage_has_right_gradients() {
    let device = Device::flex().autodiff();
    let config = SsrNetConfig { tasks: vec![Task::Age], relu_channels: 5, tanh_channels: 4, fusion_channels: 3 };
    // Rows and columns of the map that each stage's heads see.
    for (stage, side) in [4, 14, 31].into_iter().enumerate() {
        let block = FusionBlock::init(&config, stage, &device).map(&mut Numbers(11));
        let mut numbers = Numbers(12 + stage as u64);
        let inputs = vec![numbers.tensor([2, 5, side, side], &device), numbers.tensor([2, 4, side, side], &device)];
        let forward = |block: &FusionBlock, maps: &[Tensor<4>]| {
            let Stage { p, eta, delta } = block.forward(maps[0].clone(), maps[1].clone());
            Tensor::cat(vec![p, eta, delta], 2)
        };
        gradients::check(&block, inputs, forward, &format!("fusion block {}", stage + 1));
    }
}
