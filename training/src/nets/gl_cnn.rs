//! GL-CNN in burn: age and gender from a gait energy image. [`facelens_import::net::gl_cnn`] tells what it is; here are its widths and
//! its first weights.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{leaky_relu, sigmoid, softplus, tanh};
use burn::tensor::{Device, Tensor, TensorData};
use facelens_import::net::gl_cnn::{
    AgeHead, FIRST_WINDOW, GLOBAL_WINDOW, GenderHead, GlCnnParts, JOINED_MAP, JOINED_WINDOW, LOCAL_WINDOW, QUESTIONS,
    SHARPEST, SLOPE,
};
use facelens_import::net::{Affine, Convention, DenseLayout, KernelLayout, ShapeError, gl_cnn as stored};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::WeightsError;
use super::convert::{Reader, convolution_weights, dense_weights, exactly, plain};
use super::layers::max_pool;

/// The most channels of a layer.
const LARGEST_WIDTH: usize = 4096;
/// The first distance of two thresholds: together with a sharpness of 1 an age is then known to 5 years (the scale of its
/// logistic distribution).
const FIRST_DISTANCE: f64 = 0.2;
/// How the weights are written.
const WRITTEN: Convention = Convention::MXNET;

/// How wide a GL-CNN is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GlCnnConfig {
    /// Channels of the two convolutions of the global network.
    pub global: [usize; 2],
    /// Channels of the two convolutions of each of the three local networks.
    pub local: [usize; 2],
    /// Channels of the convolution behind both.
    pub joined: usize,
    /// Numbers of the two hidden layers.
    pub hidden: [usize; 2],
    /// Questions of the age head, one a year.
    pub questions: usize,
    /// Share of a hidden layer's numbers that is left out in each step of a training, and never else.
    pub dropout: f64,
}

impl Default for GlCnnConfig {
    /// The published size, 7 million parameters.
    fn default() -> Self {
        Self { global: [32, 64], local: [32, 64], joined: 128, hidden: [1024; 2], questions: QUESTIONS, dropout: 0.5 }
    }
}

impl GlCnnConfig {
    /// A network of 0.1 million parameters, for a processor: drawn walkers teach no more than it can hold.
    pub fn slim() -> Self {
        Self { global: [12, 16], local: [6, 12], joined: 24, hidden: [64, 48], questions: QUESTIONS, dropout: 0.1 }
    }

    /// Whether there is such a network.
    ///
    /// # Errors
    /// Names the setting that no network has.
    pub fn check(&self) -> Result<(), String> {
        let groups: [(&str, &[usize]); 5] = [
            ("global", &self.global),
            ("local", &self.local),
            ("joined", &[self.joined]),
            ("hidden", &self.hidden),
            ("questions", &[self.questions]),
        ];
        for (name, widths) in groups {
            let most = if name == "questions" { 150 } else { LARGEST_WIDTH };
            if let Some(width) = widths.iter().find(|width| !(1..=most).contains(*width)) {
                return Err(format!("network.{name} is {width}; it must be from 1 to {most}"));
            }
        }
        if (0.0..1.0).contains(&self.dropout) {
            Ok(())
        } else {
            Err(format!("network.dropout is {}; it must be from 0 to below 1", self.dropout))
        }
    }

    /// A new network with random weights. burn draws each when it is first looked at: visit them all for a fixed order.
    pub fn init(&self, device: &Device) -> GlCnn {
        let local = || LocalNetwork {
            first: convolution(1, self.local[0], FIRST_WINDOW, device),
            second: convolution(self.local[0], self.local[1], LOCAL_WINDOW, device),
        };
        let flat = self.joined * JOINED_MAP[0] * JOINED_MAP[1];
        let steps = (FIRST_DISTANCE.exp() - 1.0).ln();
        let constant = |value, count: usize| Initializer::Constant { value }.init([count], device);
        GlCnn {
            global: vec![
                convolution(1, self.global[0], FIRST_WINDOW, device),
                convolution(self.global[0], self.global[1], GLOBAL_WINDOW, device),
            ],
            local: (0..3).map(|_| local()).collect(),
            joined: convolution(self.global[1] + self.local[1], self.joined, JOINED_WINDOW, device),
            hidden: vec![dense(flat, self.hidden[0], device), dense(self.hidden[0], self.hidden[1], device)],
            score: dense(self.hidden[1], 2, device),
            first_threshold: constant(-FIRST_DISTANCE * self.questions as f64 / 2.0, 1),
            steps: constant(steps, self.questions - 1),
            gender: dense(self.hidden[1], 1, device),
        }
    }
}

/// A convolution that keeps the size, with He's weights for the leaky relu behind it and a bias of zero.
fn convolution(inputs: usize, outputs: usize, window: [usize; 2], device: &Device) -> Conv2d {
    let limit = (6.0 / (window[0] * window[1] * inputs) as f64).sqrt();
    let [rows, columns] = window.map(|side| side / 2);
    let config = Conv2dConfig::new([inputs, outputs], window)
        .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
        .with_initializer(Initializer::Uniform { min: -limit, max: limit });
    let mut layer = config.init(device);
    layer.bias = Some(Initializer::Zeros.init([outputs], device));
    layer
}

/// A fully connected layer with He's weights and a bias of zero.
fn dense(inputs: usize, outputs: usize, device: &Device) -> Linear {
    let limit = (6.0 / inputs as f64).sqrt();
    let initial = Initializer::Uniform { min: -limit, max: limit };
    let mut layer = LinearConfig::new(inputs, outputs).with_initializer(initial).init(device);
    layer.bias = Some(Initializer::Zeros.init([outputs], device));
    layer
}

/// GL-CNN with three local networks and an ordered age head.
#[derive(Module, Debug)]
pub struct GlCnn {
    global: Vec<Conv2d>,
    local: Vec<LocalNetwork>,
    joined: Conv2d,
    hidden: Vec<Linear>,
    /// The score and what its sharpness comes from.
    score: Linear,
    first_threshold: Param<Tensor<1>>,
    /// What the distances of the thresholds come from, by softplus, so that they are in order whatever is learnt.
    steps: Param<Tensor<1>>,
    gender: Linear,
}

/// One of the three local networks.
#[derive(Module, Debug)]
struct LocalNetwork {
    first: Conv2d,
    second: Conv2d,
}

/// What a network gives before the sigmoids.
#[derive(Clone, Debug)]
pub struct Logits {
    /// Of the questions, `[batch, questions]`.
    pub age: Tensor<2>,
    /// Of the chance of a man, `[batch, 1]`.
    pub gender: Tensor<2>,
}

/// What the numbers of a hidden layer are multiplied by in a step of a training: 0 for the share `dropout`, and for the others so
/// much that the mean stays. Drawn by ourselves: burn's own layer draws from the device's generator, which a run that goes on
/// does not find as it was.
pub fn dropout(shape: [usize; 2], dropout: f64, rng: &mut impl Rng, device: &Device) -> Tensor<2> {
    let kept = (1.0 / (1.0 - dropout)) as f32;
    let factors: Vec<f32> =
        (0..shape[0] * shape[1]).map(|_| if rng.random_bool(dropout) { 0.0 } else { kept }).collect();
    Tensor::from_data(TensorData::new(factors, shape), device)
}

fn block(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    leaky_relu(max_pool(layer.forward(x), 2), SLOPE.into())
}

impl GlCnn {
    /// `[batch, 1, 64, 44]`, 0 to 1, to the logits. In a training `kept` (`[batch, hidden]` for each hidden layer, see [`dropout`])
    /// is what its numbers are multiplied by.
    pub fn logits(&self, geis: &Tensor<4>, kept: Option<[Tensor<2>; 2]>) -> Logits {
        let global = self.global.iter().fold(geis.clone(), |x, layer| block(layer, x));
        let parts = |x: &Tensor<4>, rows: [[usize; 2]; 3], layer: fn(&LocalNetwork) -> &Conv2d| {
            let parts = rows.into_iter().zip(&self.local);
            let parts = parts.map(|([from, to], network)| block(layer(network), x.clone().narrow(2, from, to - from)));
            Tensor::cat(parts.collect(), 2)
        };
        let local = parts(geis, GlCnnParts::Own.rows(), |network| &network.first);
        let local = parts(&local, GlCnnParts::SECOND_ROWS, |network| &network.second);
        let joined = block(&self.joined, Tensor::cat(vec![global, local], 1));
        let mut x: Tensor<2> = joined.flatten(1, 3);
        let mut kept = kept.into_iter().flatten();
        for layer in &self.hidden {
            x = leaky_relu(layer.forward(x), SLOPE.into());
            if let Some(kept) = kept.next() {
                x = x * kept;
            }
        }
        let both = self.score.forward(x.clone());
        let sharpness = (tanh(both.clone().narrow(1, 1, 1)) * SHARPEST).exp();
        let age = (both.narrow(1, 0, 1) - self.thresholds().unsqueeze_dim::<2>(0)) * sharpness;
        Logits { age, gender: self.gender.forward(x) }
    }

    /// `[batch, 1, 64, 44]`, 0 to 1, to the answers q_k and the chance of a man, `[batch, questions + 1]`.
    pub fn forward(&self, geis: &Tensor<4>) -> Tensor<2> {
        let Logits { age, gender } = self.logits(geis, None);
        sigmoid(Tensor::cat(vec![age, gender], 1))
    }

    /// The thresholds, in order.
    fn thresholds(&self) -> Tensor<1> {
        let first = self.first_threshold.val();
        let rest = first.clone() + softplus(self.steps.val(), 1.0).cumsum(0);
        Tensor::cat(vec![first, rest], 0)
    }

    /// The network's weights as the app has them.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_weights(&self) -> Result<stored::GlCnnWeights, ShapeError> {
        let convolutions =
            |layers: &[Conv2d]| exactly(layers.iter().map(convolution_weights).collect(), "convolutions");
        let full = |layer: &Linear| dense_weights(layer, WRITTEN.dense);
        Ok(stored::GlCnnWeights {
            parts: GlCnnParts::Own,
            global: convolutions(&self.global)?,
            local: self
                .local
                .iter()
                .map(|LocalNetwork { first, second }| [first, second].map(convolution_weights))
                .collect(),
            joined: convolution_weights(&self.joined),
            hidden: exactly(self.hidden.iter().map(full).collect(), "hidden layers")?,
            age: AgeHead::Ordered { score: full(&self.score), thresholds: plain(self.thresholds()) },
            gender: GenderHead::Chance(full(&self.gender)),
        })
    }

    /// The network with stored weights; its widths are told from them.
    ///
    /// # Errors
    /// Where a layer does not fit, and where the weights are of the layout that circulates, whose local networks share theirs.
    pub fn from_weights(weights: &stored::GlCnnWeights, device: &Device) -> Result<Self, WeightsError> {
        weights.validate()?;
        let (AgeHead::Ordered { score, thresholds }, GenderHead::Chance(gender), GlCnnParts::Own) =
            (&weights.age, &weights.gender, weights.parts)
        else {
            let cause = "it is a GL-CNN with shared local weights; one with its own and an ordered age head is trained";
            return Err(ShapeError(cause.to_owned()).into());
        };
        let reader = Reader { convention: WRITTEN, device };
        let full = |layer: &Affine| reader.dense(layer, None);
        let window = |layer: &Affine| -> Result<Conv2d, ShapeError> {
            let [outputs, inputs, rows, columns] = *layer.kernel.shape() else {
                return Err(ShapeError(format!("{:?} is not a kernel of a convolution", layer.kernel.shape())));
            };
            let mut made = convolution(inputs, outputs, [rows, columns], device);
            made.weight = reader.parameter(&layer.kernel);
            made.bias = Some(reader.parameter(&layer.bias));
            Ok(made)
        };
        let local = weights.local.iter().map(|[first, second]| -> Result<LocalNetwork, ShapeError> {
            Ok(LocalNetwork { first: window(first)?, second: window(second)? })
        });
        // The inverse of softplus, in float64: distances of nothing become very small ones.
        let distances = thresholds.data().windows(2).map(|pair| f64::from(pair[1] - pair[0]).max(1e-6));
        let steps: Vec<f32> = distances.map(|distance| distance.exp_m1().ln() as f32).collect();
        let vector = |numbers: &[f32]| -> Param<Tensor<1>> {
            Param::from_tensor(Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len()]), device))
        };
        Ok(Self {
            global: weights.global.iter().map(window).collect::<Result<_, _>>()?,
            local: local.collect::<Result<_, _>>()?,
            joined: window(&weights.joined)?,
            hidden: weights.hidden.iter().map(full).collect::<Result<_, _>>()?,
            score: full(score)?,
            first_threshold: vector(&thresholds.data()[..1]),
            steps: vector(&steps),
            gender: full(gender)?,
        })
    }
}

// What the app builds graphs from is laid out as burn's convolutions are.
const _: () = assert!(matches!((WRITTEN.kernel, WRITTEN.dense), (KernelLayout::Oihw, DenseLayout::OutIn)));

#[cfg(test)]
mod tests {
    use std::path::Path;

    use facelens_core::model::Net;
    use facelens_import::net::gl_cnn::{COLUMNS, ROWS};

    use super::*;
    use crate::nets::tests::Numbers;
    use crate::train::weights::numbers;

    fn narrow() -> GlCnnConfig {
        GlCnnConfig { global: [3, 4], local: [2, 3], joined: 4, hidden: [8, 6], questions: 12, dropout: 0.5 }
    }

    fn geis(count: usize, device: &Device) -> Tensor<4> {
        Numbers(5).tensor([count, 1, ROWS, COLUMNS], device).abs()
    }

    #[test]
    fn the_published_size_is_the_papers_and_slim_is_small() {
        let device = Device::flex();
        // The layout that circulates has 6,983,142; two more local networks, two numbers of the head and 100 thresholds instead of
        // 100 rows of it, one number of the gender less.
        let more = 2 * (1_600 + 71_744) + (2 * 1025 + 100) - 100 * 1025 - 1025;
        assert_eq!(GlCnnConfig::default().init(&device).num_params() as i64, 6_983_142 + i64::from(more));
        let slim = GlCnnConfig::slim().init(&device);
        let bytes = slim.to_weights().unwrap().to_onnx().unwrap().len();
        assert!(bytes < 700_000, "{bytes}");
    }

    #[test]
    fn tract_gives_what_burn_gives_and_weights_come_back() {
        let device = Device::flex();
        let net = narrow().init(&device).map(&mut Numbers(3));
        let weights = net.to_weights().unwrap();
        let onnx = weights.to_onnx().unwrap();
        let graph = Net::with_input_shape(&onnx, &[1, 1, ROWS, COLUMNS], Path::new("made")).unwrap();
        let geis = geis(2, &device);
        let expected: Vec<f32> = net.forward(&geis).into_data().iter::<f32>().collect();
        for (index, expected) in expected.chunks(13).enumerate() {
            let gei: Vec<f32> = geis.clone().narrow(0, index, 1).into_data().iter::<f32>().collect();
            let found = graph.run(&gei).unwrap();
            assert_eq!(found.len(), 13);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-4, "{found} instead of {expected}");
            }
        }
        assert_ne!(expected[..13], expected[13..]);
        let again = GlCnn::from_weights(&weights, &device).unwrap();
        for (before, after) in numbers(&net).iter().zip(numbers(&again)) {
            assert!((before - after).abs() < 1e-4, "{before} became {after}");
        }
    }

    #[test]
    fn answers_fall_and_gradients_reach_every_tensor() {
        use burn::module::ModuleVisitor;
        use burn::optim::GradientsParams;
        let device = Device::flex().autodiff();
        let net = narrow().init(&device).map(&mut Numbers(9));
        let answers: Vec<f32> = net.forward(&geis(3, &device)).into_data().iter::<f32>().collect();
        for row in answers.chunks(13) {
            assert!(row[..12].windows(2).all(|pair| pair[0] >= pair[1]), "{row:?}");
        }
        let gradients = net.forward(&geis(3, &device)).square().sum().backward();
        let gradients = GradientsParams::from_grads(gradients, &net);
        struct Check<'a>(&'a GradientsParams, usize);
        impl ModuleVisitor for Check<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                let gradient = self.0.get::<D>(param.id).expect("each tensor has a gradient");
                let sum = gradient.abs().sum().into_scalar::<f32>();
                assert!(sum.is_finite() && sum > 0.0, "tensor {}: {sum}", self.1);
                self.1 += 1;
            }
        }
        let mut check = Check(&gradients, 0);
        net.visit(&mut check);
        // Nine convolutions, two hidden layers and two heads, each with a bias, and two tensors of thresholds.
        assert_eq!(check.1, 9 * 2 + 4 * 2 + 2);
    }

    #[test]
    fn widths_that_no_network_has_are_named() {
        let problem = |change: &dyn Fn(&mut GlCnnConfig)| {
            let mut config = GlCnnConfig::slim();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert!(problem(&|config| config.local[1] = 0).contains("network.local is 0"));
        assert!(problem(&|config| config.questions = 151).contains("network.questions is 151"));
        assert!(problem(&|config| config.dropout = 1.0).contains("network.dropout is 1"));
        assert!(GlCnnConfig::default().check().is_ok());
    }
}
