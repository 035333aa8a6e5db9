//! SSR-Net 3_3_3_64_1.0_1.0 (Yang et al., IJCAI 2018): one number from a face of 64 x 64, or several that share the
//! streams.
//!
//! Two streams of four 3x3 convolutions look at the face, one with relu and average pooling, one with tanh and max
//! pooling (section 3.3). Each of three fusion blocks (figure 1b) takes one scale of both: the deepest makes stage 1,
//! the shallowest stage 3. [`super::soft_stagewise`] makes a number of them. Each further number has three fusion blocks
//! of its own on the same streams.
//!
//! Each convolution of the streams and each fusion block may have any number of channels, and the mixes and the feature
//! any length: the tensors tell. Between the third and the fourth convolution, a stream may have residual blocks, which are
//! not in the paper: without them, the deepest map sees 38 of the 64 pixels of a side.

use super::graph::{GraphWriter, Value};
use super::layers::{FoldedConvolution, beside_each_other, dense, fold};
use super::pooled::{LongRows, Pooling};
use super::soft_stagewise::{BINS, StageGraph, soft_stagewise};
use super::{Affine, Convention, ConvolutionBlockWeights, ShapeError, Tensor};

/// Channels of each convolution of the published relu stream.
pub const RELU_CHANNELS: usize = 32;
/// Channels of each convolution of the published tanh stream.
pub const TANH_CHANNELS: usize = 16;
/// Channels of each published fusion block.
pub const FUSION_CHANNELS: usize = 10;
/// Numbers of each published mix.
pub const MIX: usize = BINS;
/// Numbers of the published feature.
pub const FEATURE: usize = 2 * BINS;
/// Rows and columns of the feature map that each stage sees, stage 1 first.
pub const STAGE_SIDES: [usize; 3] = [4, 3, 3];
/// Which of a stream's four feature maps each stage sees, stage 1 first: the end of the streams, what the second pooling
/// gives, what the first gives.
pub const STAGE_MAPS: [usize; 3] = [3, 1, 0];
/// How each stage's feature map is pooled down to that, stage 1 (not at all) first.
pub const STAGE_POOLS: [usize; 3] = [1, 4, 8];
/// The range V of the logarithm of an age's scale: not in the paper. A new network, whose numbers lie in the middle of
/// their ranges, begins with a scale of about 4 years.
pub const LOG_SCALE_RANGE: f32 = 3.0;

/// Behind how many of a stream's convolutions its residual blocks are: where maps have 6 x 6 places, which no stage looks at.
pub const RESIDUALS_BEHIND: usize = 3;

/// An SSR-Net as its file stores it.
#[derive(Clone, Debug, PartialEq)]
pub struct SsrNetWeights {
    /// Layout of the numbers.
    pub convention: Convention,
    /// What the network itself does to its input first.
    pub input_scaling: Option<InputScaling>,
    /// The stream with relu and average pooling.
    pub relu_stream: [ConvolutionBlockWeights; 4],
    /// The stream with tanh and max pooling.
    pub tanh_stream: [ConvolutionBlockWeights; 4],
    /// Residual blocks of the relu stream; none in the published networks.
    pub relu_residuals: Vec<ResidualBlockWeights>,
    /// Residual blocks of the tanh stream.
    pub tanh_residuals: Vec<ResidualBlockWeights>,
    /// What is made of the streams, in the order of the outputs: one in the published networks.
    pub regressions: Vec<RegressionWeights>,
    /// Whether the 1x1 convolutions of stage 1 have a relu like those of the other stages: the authors' net has it, the
    /// MXNet port has not.
    pub relu_in_stage_1: bool,
}

/// Adds to a map what a depthwise 3x3 convolution, relu and a 1x1 convolution make of it (the block of MobileNet, Howard et
/// al. 2017, as a residual, He et al., CVPR 2016).
#[derive(Clone, Debug, PartialEq)]
pub struct ResidualBlockWeights {
    /// The depthwise convolution, padded: in the kernel one input channel.
    pub depthwise: ConvolutionBlockWeights,
    /// The 1x1 convolution.
    pub pointwise: ConvolutionBlockWeights,
}

/// One number made of the streams.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionWeights {
    /// The fusion blocks, stage 1 first.
    pub stages: [FusionBlockWeights; 3],
    /// The range V of the number: 101 for years, 1 for the male score.
    pub range: f32,
    /// Index of the first bin: 0 for a number from 0 to V, -1 for one from -V to V, as FSA-Net counts them.
    pub first_bin: f32,
}

/// `(x - offset) * factor`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputScaling {
    /// Subtracted first.
    pub offset: f32,
    /// Multiplied by.
    pub factor: f32,
}

/// A fusion block with its prediction block (figure 1b of the paper).
#[derive(Clone, Debug, PartialEq)]
pub struct FusionBlockWeights {
    /// 1x1 convolution on the relu stream.
    pub relu_head: Affine,
    /// 1x1 convolution on the tanh stream.
    pub tanh_head: Affine,
    /// Fully connected layer on the relu stream's head, relu.
    pub relu_mix: Affine,
    /// Fully connected layer on the tanh stream's head, relu.
    pub tanh_mix: Affine,
    /// Fully connected layer on the product of the mixes, relu.
    pub feature: Affine,
    /// Fully connected layer from the product of the heads to Delta, tanh.
    pub delta: Affine,
    /// Fully connected layer from the feature to p, relu.
    pub p: Affine,
    /// Fully connected layer from the feature to eta, tanh.
    pub eta: Affine,
}

impl SsrNetWeights {
    /// Checks the shape of every layer.
    ///
    /// # Errors
    /// Names the first layer that does not fit.
    pub fn validate(&self) -> Result<(), ShapeError> {
        if self.regressions.is_empty() {
            return Err(ShapeError("the network has no output".to_owned()));
        }
        let streams = [("relu", &self.relu_stream), ("tanh", &self.tanh_stream)];
        for (name, stream) in streams {
            let mut inputs = 3;
            for (index, block) in stream.iter().enumerate() {
                let channels = width_of(&block.convolution);
                let norm = block.norm.as_ref().map_or(Ok(()), |norm| norm.expect_channels(channels));
                named(
                    || format!("convolution {} of the {name} stream", index + 1),
                    block.convolution.expect_convolution(self.convention.kernel, 3, inputs, channels).and(norm),
                )?;
                inputs = channels;
            }
        }
        let residuals = [&self.relu_residuals, &self.tanh_residuals];
        for ((name, stream), residuals) in streams.into_iter().zip(residuals) {
            let channels = width_of(&stream[RESIDUALS_BEHIND - 1].convolution);
            for (index, block) in residuals.iter().enumerate() {
                named(
                    || format!("residual block {} of the {name} stream", index + 1),
                    block.validate(self.convention, channels),
                )?;
            }
        }
        for (number, regression) in self.regressions.iter().enumerate() {
            for (index, stage) in regression.stages.iter().enumerate() {
                let widths = streams.map(|(_, stream)| width_of(&stream[STAGE_MAPS[index]].convolution));
                stage.validate(self.convention, index, widths).map_err(|ShapeError(cause)| {
                    // The published networks have one output: "of output 1" would only puzzle.
                    let output = if number == 0 { String::new() } else { format!(" of output {}", number + 1) };
                    ShapeError(format!("stage {}{output}: {cause}", index + 1))
                })?;
            }
        }
        Ok(())
    }

    /// The network as an ONNX file: `[1, 3, 64, 64] -> [1, values]`, a value for each regression.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn to_onnx(&self) -> Result<Vec<u8>, ShapeError> {
        self.validate()?;
        let mut graph = GraphWriter::new("SSR-Net");
        let input = self.scaled_input(&mut graph);
        let face = LongRows::of(&mut graph, &input, 0);
        let relu = (&self.relu_stream, self.relu_residuals.as_slice());
        let relu = self.stream(&mut graph, &face, relu, Pooling::AverageOfRelu)?;
        let tanh = (&self.tanh_stream, self.tanh_residuals.as_slice());
        let tanh = self.stream(&mut graph, &face, tanh, Pooling::MaxOfTanh)?;
        let alike = self.regressions.windows(2).all(|pair| pair[0].is_like(&pair[1]));
        // What is alike goes through the same operators: on so few numbers they cost more than the arithmetic.
        let together = if alike { self.regressions.len() } else { 1 };
        let values = self.regressions.chunks(together);
        let values = values.map(|regressions| self.values(&mut graph, regressions, &relu, &tanh));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let values = if let [values] = values.as_slice() { values.clone() } else { graph.concatenate(&values, 0) };
        let output = graph.reshape(&values, &[1, self.regressions.len() as i64]);
        Ok(graph.finish(&output, self.regressions.len()))
    }

    /// The values of regressions that are alike, `[values, 1]`.
    fn values(
        &self,
        graph: &mut GraphWriter,
        regressions: &[RegressionWeights],
        relu: &[Value],
        tanh: &[Value],
    ) -> Result<Value, ShapeError> {
        let mut stages = Vec::new();
        for (index, scale) in STAGE_MAPS.into_iter().enumerate() {
            let blocks: Vec<&FusionBlockWeights> =
                regressions.iter().map(|regression| &regression.stages[index]).collect();
            stages.push(self.fusion_blocks(graph, index, &blocks, &relu[scale], &tanh[scale])?);
        }
        let ranges = Tensor::from_fn(&[regressions.len(), 1], |value| regressions[value].range);
        let ranges = graph.constant(&ranges);
        let first_bins: Vec<f32> = regressions.iter().map(|regression| regression.first_bin).collect();
        Ok(soft_stagewise(graph, &stages, &first_bins, &ranges))
    }

    fn scaled_input(&self, graph: &mut GraphWriter) -> Value {
        let input = graph.input();
        let Some(scaling) = self.input_scaling else { return input };
        let (offset, factor) = (graph.scalar(scaling.offset), graph.scalar(scaling.factor));
        let centred = graph.subtract(&input, &offset);
        graph.multiply(&centred, &factor)
    }

    /// One stream: convolution, activation and, but for the last, pooling; residual blocks behind the third. Gives the four
    /// feature maps.
    fn stream(
        &self,
        graph: &mut GraphWriter,
        face: &LongRows,
        (blocks, residuals): (&[ConvolutionBlockWeights; 4], &[ResidualBlockWeights]),
        pooling: Pooling,
    ) -> Result<Vec<Value>, ShapeError> {
        let mut maps: Vec<Value> = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            let layer = fold(&block.convolution, block.norm.as_ref(), self.convention.kernel)?;
            let mut map = match maps.last() {
                None => pooling.of_convolution(graph, face, &layer)?,
                Some(map) => {
                    let x = graph.convolution(map, &layer, 0);
                    if index < 3 { pooling.apply(graph, &x) } else { pooling.activation(graph, &x) }
                }
            };
            if index + 1 == RESIDUALS_BEHIND {
                for residual in residuals {
                    map = residual.of(graph, &map, self.convention)?;
                }
            }
            maps.push(map);
        }
        Ok(maps)
    }

    /// The fusion blocks of stage `index` + 1 of regressions that are alike.
    fn fusion_blocks(
        &self,
        graph: &mut GraphWriter,
        index: usize,
        blocks: &[&FusionBlockWeights],
        relu: &Value,
        tanh: &Value,
    ) -> Result<StageGraph, ShapeError> {
        let (side, channels, count) = (STAGE_SIDES[index], blocks[0].channels(), blocks.len() as i64);
        let pool = STAGE_POOLS[index] as i64;
        let map = Some([side, side, channels]);
        let flat = [count, 1, (side * side * channels) as i64];
        let mut head = |x: &Value,
                        layer: fn(&FusionBlockWeights) -> &Affine,
                        pooling: fn(&mut GraphWriter, &Value, i64) -> Value| {
            let layers = blocks.iter().map(|block| fold(layer(block), None, self.convention.kernel));
            let layer = beside_each_other(&layers.collect::<Result<Vec<_>, _>>()?)?;
            let mut x = graph.convolution(x, &layer, 0);
            if index > 0 || self.relu_in_stage_1 {
                x = graph.relu(&x);
            }
            if pool > 1 {
                x = pooling(graph, &x, pool);
            }
            Ok::<_, ShapeError>(graph.reshape(&x, &flat))
        };
        let relu = head(relu, |block| &block.relu_head, GraphWriter::average_pool)?;
        let tanh = head(tanh, |block| &block.tanh_head, GraphWriter::max_pool)?;

        let each = |layer: fn(&FusionBlockWeights) -> &Affine, map: Option<[usize; 3]>| {
            blocks.iter().map(|block| dense(layer(block), self.convention, map)).collect::<Result<Vec<_>, _>>()
        };
        let relu_mix = graph.dense_each(&relu, &each(|block| &block.relu_mix, map)?)?;
        let tanh_mix = graph.dense_each(&tanh, &each(|block| &block.tanh_mix, map)?)?;
        let (relu_mix, tanh_mix) = (graph.relu(&relu_mix), graph.relu(&tanh_mix));
        let heads = graph.multiply(&relu, &tanh);
        let mixes = graph.multiply(&relu_mix, &tanh_mix);
        let delta = graph.dense_each(&heads, &each(|block| &block.delta, map)?)?;
        let delta = graph.tanh(&delta);
        let feature = graph.dense_each(&mixes, &each(|block| &block.feature, None)?)?;
        let feature = graph.relu(&feature);
        let p = graph.dense_each(&feature, &each(|block| &block.p, None)?)?;
        let p = graph.relu(&p);
        let eta = graph.dense_each(&feature, &each(|block| &block.eta, None)?)?;
        let eta = graph.tanh(&eta);
        let bins = [count, BINS as i64];
        Ok(StageGraph {
            p: graph.reshape(&p, &bins),
            eta: graph.reshape(&eta, &bins),
            delta: graph.reshape(&delta, &[count, 1]),
        })
    }
}

impl ResidualBlockWeights {
    fn of(&self, graph: &mut GraphWriter, map: &Value, convention: Convention) -> Result<Value, ShapeError> {
        let Self { depthwise, pointwise } = self;
        let depthwise = fold(&depthwise.convolution, depthwise.norm.as_ref(), convention.kernel)?;
        let groups = depthwise.kernel.shape().first().copied().unwrap_or(1);
        let x = graph.convolution(map, &FoldedConvolution { groups, ..depthwise }, 1);
        let x = graph.relu(&x);
        let x = graph.convolution(&x, &fold(&pointwise.convolution, pointwise.norm.as_ref(), convention.kernel)?, 0);
        Ok(graph.add(map, &x))
    }

    /// Checks the shape of both layers, on maps of these channels.
    fn validate(&self, convention: Convention, channels: usize) -> Result<(), ShapeError> {
        for (block, side, inputs) in [(&self.depthwise, 3, 1), (&self.pointwise, 1, channels)] {
            block.convolution.expect_convolution(convention.kernel, side, inputs, channels)?;
            block.norm.as_ref().map_or(Ok(()), |norm| norm.expect_channels(channels))?;
        }
        Ok(())
    }
}

impl RegressionWeights {
    /// Whether its layers have the shapes of the other's.
    fn is_like(&self, other: &Self) -> bool {
        self.stages.iter().zip(&other.stages).all(|(one, another)| one.shapes() == another.shapes())
    }
}

impl FusionBlockWeights {
    /// The shapes of its layers.
    fn shapes(&self) -> [&[usize]; 8] {
        let layers = [
            &self.relu_head,
            &self.tanh_head,
            &self.relu_mix,
            &self.tanh_mix,
            &self.feature,
            &self.delta,
            &self.p,
            &self.eta,
        ];
        layers.map(|layer| layer.kernel.shape())
    }

    /// Channels of its heads.
    fn channels(&self) -> usize {
        width_of(&self.relu_head)
    }

    /// Checks the shape of every layer of the block of stage `index` + 1, on maps of the relu stream and the tanh stream of
    /// these channels.
    fn validate(&self, convention: Convention, index: usize, [relu, tanh]: [usize; 2]) -> Result<(), ShapeError> {
        let Convention { kernel, dense, .. } = convention;
        let (side, channels) = (STAGE_SIDES[index], self.channels());
        let flat = side * side * channels;
        let (mix, feature) = (width_of(&self.relu_mix), width_of(&self.feature));
        let checks = [
            ("relu head", self.relu_head.expect_convolution(kernel, 1, relu, channels)),
            ("tanh head", self.tanh_head.expect_convolution(kernel, 1, tanh, channels)),
            ("relu mix", self.relu_mix.expect_dense(dense, flat, mix)),
            ("tanh mix", self.tanh_mix.expect_dense(dense, flat, mix)),
            ("feature", self.feature.expect_dense(dense, mix, feature)),
            ("delta", self.delta.expect_dense(dense, flat, 1)),
            ("p", self.p.expect_dense(dense, feature, BINS)),
            ("eta", self.eta.expect_dense(dense, feature, BINS)),
        ];
        checks.into_iter().try_for_each(|(layer, check)| named(|| layer.to_owned(), check))
    }
}

/// Output channels of a layer. At least 1: a layer without any fits no network.
fn width_of(layer: &Affine) -> usize {
    layer.bias.shape().first().copied().unwrap_or_default().max(1)
}

fn named(layer: impl FnOnce() -> String, check: Result<(), ShapeError>) -> Result<(), ShapeError> {
    check.map_err(|ShapeError(cause)| ShapeError(format!("{}: {cause}", layer())))
}
