//! The parts of FSA-Net by themselves.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::aggregation::{Aggregation, squash};
use super::structure::StructureMapping;
use super::*;
use crate::nets::separable::SeparableBlock;
use crate::nets::tests::{Numbers, assert_close, gradients, numbers};

fn maps(device: &Device) -> Vec<Tensor<4>> {
    let mut numbers = Numbers(21);
    (0..3).map(|_| numbers.tensor([2, 64, 8, 8], device)).collect()
}

#[test]
fn structure_mapping_has_right_gradients_with_both_scorings() {
    let device = Device::flex().autodiff();
    for learnt in [true, false] {
        let mapping = StructureMapping::init(learnt, &device).map(&mut Numbers(22));
        let what = format!("structure mapping, learnt scoring {learnt}");
        gradients::check(&mapping, maps(&device), |mapping, maps| mapping.forward(maps), &what);
    }
}

#[test]
fn each_representative_feature_is_a_mean_of_the_places() {
    // The rows of S are positive and sum to 1: of equal places comes the same place.
    let device = Device::flex();
    let mapping = StructureMapping::init(true, &device).map(&mut Numbers(22));
    let place = Numbers(23).tensor([2, 64, 1, 1], &device);
    let maps = vec![place.clone().expand([2, 64, 8, 8]); 3];
    let expected = place.reshape([2, 1, 64]).expand([2, 21, 64]);
    assert_close(&numbers(mapping.forward(&maps)), &numbers(expected), 1e-5, "features");
}

#[test]
fn aggregations_have_right_gradients() {
    let device = Device::flex().autodiff();
    for kind in [FsaNetAggregation::Capsules, FsaNetAggregation::Metric] {
        let aggregation = Aggregation::init(kind, 6, &device).map(&mut Numbers(24));
        let inputs = vec![Numbers(25).tensor([1, 2, 6, 64], &device)];
        let forward =
            |aggregation: &Aggregation, inputs: &[Tensor<4>]| aggregation.forward(inputs[0].clone().squeeze_dim(0));
        gradients::check(&aggregation, inputs, forward, &format!("{kind:?}"));
    }
}

#[test]
fn squashing_keeps_the_direction_and_has_right_gradients() {
    let device = Device::flex().autodiff();
    let inputs = vec![Numbers(26).tensor([1, 2, 3, 16], &device)];
    gradients::check(&Vec::<Param<Tensor<1>>>::new(), inputs, |_, inputs| squash(inputs[0].clone()), "squash");
    // Length 5 becomes 25/26, length 0 stays.
    let vectors = Tensor::<4>::from_floats([[[[3.0, 4.0], [0.0, 0.0]]]], &device);
    assert_close(&numbers(squash(vectors)), &[0.6 * 25.0 / 26.0, 0.8 * 25.0 / 26.0, 0.0, 0.0], 1e-6, "squash");
}

#[test]
fn capsules_weigh_votes_by_their_agreement() {
    // Of six features, five vote alike for stage 1 and one against them: the routing leaves less of the one.
    let device = Device::flex();
    let Aggregation::Capsules(mut capsules) = Aggregation::init(FsaNetAggregation::Capsules, 6, &device) else {
        unreachable!()
    };
    capsules.weights = Param::from_tensor(Tensor::zeros([6, 64, 48], &device).slice_fill([0..6, 0..1, 0..1], 2.0));
    let features = |against: f32| {
        let signs = Tensor::<3>::from_floats([[[1.0], [1.0], [1.0], [1.0], [1.0], [against]]], &device);
        signs * Tensor::ones([1, 6, 64], &device)
    };
    let length = |against: f32| numbers(Aggregation::Capsules(capsules.clone()).forward(features(against)))[0];
    // Uniform weights would leave (5 - 1) / 3 x 2 = 8/3 of the sum, whose squashed length is 0.877.
    let uniform = (8.0_f32 / 3.0).powi(2) / (1.0 + (8.0_f32 / 3.0).powi(2));
    assert!(length(-1.0) > uniform + 0.03, "{} of {uniform}", length(-1.0));
    assert!(length(1.0) > length(-1.0));
}

#[test]
fn a_separable_block_has_right_gradients() {
    let device = Device::flex().autodiff();
    let block = SeparableBlock::init(3, 5, &device).map(&mut Numbers(27));
    let inputs = vec![Numbers(28).tensor([2, 3, 6, 6], &device)];
    gradients::check(&block, inputs, |block, inputs| block.forward(inputs[0].clone()), "separable block");
}
