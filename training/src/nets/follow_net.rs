//! The network that follows a face, in burn. [`facelens_import::net::follow`] tells what it is; here are its widths and its
//! first weights.

use burn::module::Module;
use burn::nn::conv::Conv2dConfig;
use burn::nn::{Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::detect::follow::{CROP_BOXES, OUTPUTS, SIDE};
use facelens_import::net::{DenseLayout, ShapeError, follow as stored};
use serde::{Deserialize, Serialize};

use super::convert::{block_weights, dense_weights};
use super::layers::{ConvolutionBlock, norm};

/// The most channels of a layer.
const LARGEST_WIDTH: usize = 512;

/// Where the landmarks of an upright face usually are, from the box's middle in sides of the box: what the network answers
/// before it has learnt anything.
const USUAL: [[f32; 2]; 6] = [[-0.2, -0.2], [0.2, -0.2], [0.0, 0.05], [0.0, 0.26], [-0.43, -0.1], [0.43, -0.1]];

/// How wide the network is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowNetConfig {
    /// Channels and stride of each 3x3 convolution.
    pub layers: Vec<[usize; 2]>,
    /// Numbers of the hidden layer.
    pub hidden: usize,
}

impl Default for FollowNetConfig {
    fn default() -> Self {
        Self { layers: vec![[16, 2], [24, 2], [24, 1], [32, 2], [32, 1], [48, 2]], hidden: 64 }
    }
}

impl FollowNetConfig {
    /// Whether there is such a network.
    ///
    /// # Errors
    /// Names the setting that no network has.
    pub fn check(&self) -> Result<(), String> {
        let width = |width: usize| (1..=LARGEST_WIDTH).contains(&width);
        if self.layers.is_empty()
            || self.layers.iter().any(|[channels, stride]| !width(*channels) || !(1..=4).contains(stride))
        {
            return Err(format!(
                "network.layers must be pairs of channels, from 1 to {LARGEST_WIDTH}, and a stride, from 1 to 4"
            ));
        }
        if !width(self.hidden) {
            return Err(format!("network.hidden is {}; it must be from 1 to {LARGEST_WIDTH}", self.hidden));
        }
        Ok(())
    }

    /// Multiply-adds of one crop, in millions.
    pub fn multiply_adds_millions(&self) -> f32 {
        let (mut side, mut channels, mut sum) = (SIDE, 3, 0);
        for [outputs, stride] in &self.layers {
            side = side.div_ceil(*stride);
            sum += side * side * outputs * channels * 9;
            channels = *outputs;
        }
        (sum + side * side * channels * self.hidden + self.hidden * OUTPUTS) as f32 / 1e6
    }

    /// A new network with random weights.
    pub fn init(&self, device: &Device) -> FollowNet {
        let (mut side, mut channels) = (SIDE, 3);
        let mut convolutions = Vec::with_capacity(self.layers.len());
        for [outputs, stride] in &self.layers {
            let limit = (6.0 / (9 * channels) as f64).sqrt();
            let mut convolution = Conv2dConfig::new([channels, *outputs], [3, 3])
                .with_stride([*stride; 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_initializer(Initializer::Uniform { min: -limit, max: limit })
                .init(device);
            convolution.bias = Some(Initializer::Zeros.init([*outputs], device));
            convolutions.push(ConvolutionBlock { convolution, norm: norm(*outputs, device) });
            side = side.div_ceil(*stride);
            channels = *outputs;
        }
        let flat = side * side * channels;
        let limit = (6.0 / flat as f64).sqrt();
        let mut hidden = LinearConfig::new(flat, self.hidden)
            .with_initializer(Initializer::Uniform { min: -limit, max: limit })
            .init(device);
        hidden.bias = Some(Initializer::Zeros.init([self.hidden], device));
        let small = 0.1 / (self.hidden as f64).sqrt();
        let mut answer = LinearConfig::new(self.hidden, OUTPUTS)
            .with_initializer(Initializer::Uniform { min: -small, max: small })
            .init(device);
        answer.bias = Some(Initializer::Zeros.init([OUTPUTS], device));
        FollowNet { convolutions, hidden, answer }
    }
}

/// The network that follows a face.
#[derive(Module, Debug)]
pub struct FollowNet {
    convolutions: Vec<ConvolutionBlock>,
    hidden: Linear,
    answer: Linear,
}

impl FollowNet {
    /// `[batch, 3, 64, 64] -> [batch, 13]`: what [`facelens_core::detect::follow::OUTPUTS`] says.
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let x = self.convolutions.iter().fold(crops, |x, block| relu(block.forward(x)));
        let x = relu(self.hidden.forward(x.flatten::<2>(1, 3)));
        self.answer.forward(x) + usual(&self.answer.weight.device())
    }

    /// The network's weights as the app has them.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_weights(&self) -> Result<stored::FollowNetWeights, ShapeError> {
        let layer = |block: &ConvolutionBlock| (block_weights(block), block.convolution.stride[0]);
        let mut answer = dense_weights(&self.answer, DenseLayout::OutIn);
        let start = usual_numbers();
        let bias: Vec<f32> = answer.bias.data().iter().zip(start).map(|(bias, start)| bias + start).collect();
        answer.bias = facelens_import::net::Tensor::new(&[OUTPUTS], bias)?;
        Ok(stored::FollowNetWeights {
            side: SIDE,
            convolutions: self.convolutions.iter().map(layer).collect(),
            hidden: dense_weights(&self.hidden, DenseLayout::OutIn),
            answer,
        })
    }
}

/// The answer before anything is learnt: a face as likely as none, its landmarks where they usually are.
fn usual_numbers() -> [f32; OUTPUTS] {
    std::array::from_fn(|index| match index.checked_sub(1) {
        Some(place) => USUAL[place / 2][place % 2] / CROP_BOXES,
        None => 0.0,
    })
}

fn usual(device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(usual_numbers().to_vec(), [1, OUTPUTS]), device)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use facelens_core::model::Net;

    use super::*;
    use crate::nets::tests::Numbers;
    use crate::nets::tests::gradients::check_within;

    #[test]
    fn the_usual_size_is_a_few_million_multiply_adds() {
        let config = FollowNetConfig::default();
        config.check().unwrap();
        assert!((3.0..6.0).contains(&config.multiply_adds_millions()), "{}", config.multiply_adds_millions());
        assert!(FollowNetConfig { layers: vec![[16, 0]], ..config.clone() }.check().is_err());
        assert!(FollowNetConfig { layers: Vec::new(), ..config.clone() }.check().is_err());
        assert!(FollowNetConfig { hidden: 0, ..config }.check().is_err());
    }

    #[test]
    fn a_new_network_answers_with_the_usual_face() {
        let device = Device::flex();
        let answer =
            FollowNetConfig::default().init(&device).valid().forward(Tensor::zeros([1, 3, SIDE, SIDE], &device));
        let numbers: Vec<f32> = answer.into_data().iter::<f32>().collect();
        for (number, usual) in numbers.iter().zip(usual_numbers()) {
            assert!((number - usual).abs() < 0.2, "{numbers:?}");
        }
    }

    #[test]
    fn gradients_are_those_of_finite_differences_whatever_the_strides() {
        let device = Device::flex().autodiff();
        for stride in [1, 2, 4] {
            let config = FollowNetConfig { layers: vec![[3, stride]], hidden: 5 };
            let net = config.init(&device).map(&mut Numbers(3));
            let crops = |side| vec![Numbers(8).tensor([3, 3, side, side], &device)];
            let block = |block: &ConvolutionBlock, inputs: &[Tensor<4>]| relu(block.forward(inputs[0].clone()));
            check_within(0.08, &net.convolutions[0], crops(16), block, &format!("stride {stride}"));
            // Behind all pixels of a large map a relu of the hidden layer is often near its kink.
            if stride == 2 {
                let whole = |net: &FollowNet, inputs: &[Tensor<4>]| net.forward(inputs[0].clone());
                check_within(0.08, &net, crops(SIDE), whole, "the whole network");
            }
        }
    }

    #[test]
    fn tract_gives_what_burn_gives() {
        let device = Device::flex();
        let config = FollowNetConfig { layers: vec![[4, 2], [6, 1], [5, 2]], hidden: 7 };
        let net = config.init(&device).map(&mut Numbers(3));
        let onnx = net.to_weights().unwrap().to_onnx().unwrap();
        let graph = Net::with_input_shape(&onnx, &[1, 3, SIDE, SIDE], Path::new("made")).unwrap();
        let crops: Tensor<4> = Numbers(5).tensor([2, 3, SIDE, SIDE], &device);
        let expected: Vec<f32> = net.forward(crops.clone()).into_data().iter::<f32>().collect();
        for (index, expected) in expected.chunks(OUTPUTS).enumerate() {
            let crop: Vec<f32> = crops.clone().narrow(0, index, 1).into_data().iter::<f32>().collect();
            for (got, expected) in graph.run(&crop).unwrap().iter().zip(expected) {
                assert!((got - expected).abs() < 1e-3 * expected.abs().max(1.0), "{got} instead of {expected}");
            }
        }
    }
}
