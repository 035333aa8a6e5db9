//! The fusion block by itself.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::*;
use crate::nets::tests::{Numbers, gradients};

#[test]
fn the_fusion_block_of_each_stage_has_right_gradients() {
    let device = Device::flex().autodiff();
    let (relu_channels, tanh_channels) = (5.into(), 4.into());
    let config = SsrNetConfig {
        tasks: vec![Task::Age],
        relu_channels,
        tanh_channels,
        fusion_channels: 3,
        mix: 4,
        feature: 5,
        residuals: 0,
        age_scale: false,
    };
    // Rows and columns of the map that each stage's heads see.
    for (stage, side) in [4, 14, 31].into_iter().enumerate() {
        let block = FusionBlock::init(&config, stage, &device).map(&mut Numbers(11));
        let mut numbers = Numbers(12 + stage as u64);
        let inputs = vec![numbers.tensor([2, 5, side, side], &device), numbers.tensor([2, 4, side, side], &device)];
        let forward = |block: &FusionBlock, maps: &[Tensor<4>]| {
            let StageOutput { p, eta, delta } = block.forward(maps[0].clone(), maps[1].clone());
            Tensor::cat(vec![p, eta, delta], 2)
        };
        gradients::check(&block, inputs, forward, &format!("fusion block {}", stage + 1));
    }
}

#[test]
fn channels_are_one_number_or_four() {
    let read = |channels: &str| {
        let text = format!("tasks = ['age']\nrelu_channels = {channels}");
        toml::from_str::<SsrNetConfig>(&text).map(|config| config.relu_channels.0)
    };
    assert_eq!(read("20").unwrap(), [20; 4]);
    assert_eq!(read("[16, 32, 64, 128]").unwrap(), [16, 32, 64, 128]);
    assert!(read("[16, 32, 64]").is_err());
    let growing = SsrNetConfig { tanh_channels: StreamChannels([8, 8, 16, 32]), ..SsrNetConfig::published(vec![]) };
    let text = toml::to_string(&growing).unwrap();
    assert!(text.contains("relu_channels = 32") && text.contains("tanh_channels = [8, 8, 16, 32]"), "{text}");
    assert_eq!(toml::from_str::<SsrNetConfig>(&text).unwrap(), growing);
}
