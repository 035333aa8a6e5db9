//! SSR-Net to and from the app's weight structure.

use burn::tensor::Device;
use facelens_import::net::ssr_net::{self, STAGE_SIDES};
use facelens_import::net::{self, Convention, ShapeError};

use super::{FusionBlock, Regression, ResidualBlock, SsrNet};
use crate::nets::WeightsError;
use crate::nets::convert::{Reader, block_weights, convolution_weights, dense_weights, exactly};
use crate::nets::layers::ConvolutionBlock;
use crate::nets::published::convolution_on_our_input;

/// What [`SsrNet::to_weights`] writes: channels first, as burn has them.
const WRITTEN: Convention = Convention::MXNET;

impl SsrNet {
    /// The network with stored weights; its widths and outputs are told from them. Where batch normalisation is folded
    /// (TensorFlow.js, a graph of ours), it has some that change nothing: `settle` them before a training.
    ///
    /// # Errors
    /// Where a layer does not fit, and where the weights are the MXNet port's, which scales its input itself and has no relu
    /// on the heads of stage 1.
    pub fn from_weights(weights: &ssr_net::SsrNetWeights, device: &Device) -> Result<Self, WeightsError> {
        weights.validate()?;
        if weights.input_scaling.is_some() || !weights.relu_in_stage_1 {
            return Err(WeightsError::Port);
        }
        let reader = Reader { convention: weights.convention, device };
        let stream = |blocks: &[net::ConvolutionBlockWeights]| -> Result<Vec<ConvolutionBlock>, WeightsError> {
            blocks.iter().map(|block| Ok(reader.block(block)?)).collect()
        };
        let residuals = |blocks: &[ssr_net::ResidualBlockWeights]| -> Result<Vec<ResidualBlock>, WeightsError> {
            let block =
                |ssr_net::ResidualBlockWeights { depthwise, pointwise }: &ssr_net::ResidualBlockWeights| -> Result<_, WeightsError> {
                    Ok(ResidualBlock {
                        depthwise: reader.depthwise_block(depthwise)?,
                        pointwise: reader.block(pointwise)?,
                    })
                };
            blocks.iter().map(block).collect()
        };
        let regression = |stored: &ssr_net::RegressionWeights| -> Result<Regression, WeightsError> {
            let stages = stored.stages.iter().enumerate();
            let stages = stages.map(|(index, block)| FusionBlock::from_weights(&reader, block, index));
            Ok(Regression {
                stages: stages.collect::<Result<_, _>>()?,
                range: stored.range,
                first_bin: stored.first_bin,
                kept: false,
            })
        };
        Ok(Self {
            relu_stream: stream(&weights.relu_stream)?,
            tanh_stream: stream(&weights.tanh_stream)?,
            relu_residuals: residuals(&weights.relu_residuals)?,
            tanh_residuals: residuals(&weights.tanh_residuals)?,
            regressions: weights.regressions.iter().map(regression).collect::<Result<_, _>>()?,
            kept_convolutions: 0,
        })
    }

    /// The network's weights and statistics in [`Convention::MXNET`]. [`SsrNet::from_weights`] makes the same bits of
    /// them.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_weights(&self) -> Result<ssr_net::SsrNetWeights, ShapeError> {
        let stream = |blocks: &[ConvolutionBlock]| exactly(blocks.iter().map(block_weights).collect(), "convolutions");
        let residuals = |blocks: &[ResidualBlock]| {
            let block = |ResidualBlock { depthwise, pointwise }: &ResidualBlock| ssr_net::ResidualBlockWeights {
                depthwise: block_weights(depthwise),
                pointwise: block_weights(pointwise),
            };
            blocks.iter().map(block).collect()
        };
        let regression = |regression: &Regression| {
            let stages = regression.stages.iter().map(FusionBlock::to_weights).collect();
            let (range, first_bin) = (regression.range, regression.first_bin);
            Ok(ssr_net::RegressionWeights { stages: exactly(stages, "stages")?, range, first_bin })
        };
        Ok(ssr_net::SsrNetWeights {
            convention: WRITTEN,
            input_scaling: None,
            relu_stream: stream(&self.relu_stream)?,
            tanh_stream: stream(&self.tanh_stream)?,
            relu_residuals: residuals(&self.relu_residuals),
            tanh_residuals: residuals(&self.tanh_residuals),
            regressions: self.regressions.iter().map(regression).collect::<Result<_, ShapeError>>()?,
            relu_in_stage_1: true,
        })
    }

    /// The same network for our input where this one takes BGR bytes.
    pub(in crate::nets) fn on_our_input(mut self) -> Self {
        for block in self.relu_stream.first_mut().into_iter().chain(self.tanh_stream.first_mut()) {
            convolution_on_our_input(&mut block.convolution);
        }
        self
    }
}

impl FusionBlock {
    fn from_weights(
        reader: &Reader<'_>,
        stored: &ssr_net::FusionBlockWeights,
        stage: usize,
    ) -> Result<Self, ShapeError> {
        let side = STAGE_SIDES[stage];
        let map = Some([side, side, stored.relu_head.bias.data().len()]);
        Ok(Self {
            relu_head: reader.convolution(&stored.relu_head)?,
            tanh_head: reader.convolution(&stored.tanh_head)?,
            relu_mix: reader.dense(&stored.relu_mix, map)?,
            tanh_mix: reader.dense(&stored.tanh_mix, map)?,
            feature: reader.dense(&stored.feature, None)?,
            delta: reader.dense(&stored.delta, map)?,
            p: reader.dense(&stored.p, None)?,
            eta: reader.dense(&stored.eta, None)?,
            pool: ssr_net::STAGE_POOLS[stage],
        })
    }

    fn to_weights(&self) -> ssr_net::FusionBlockWeights {
        let dense = |layer| dense_weights(layer, WRITTEN.dense);
        ssr_net::FusionBlockWeights {
            relu_head: convolution_weights(&self.relu_head),
            tanh_head: convolution_weights(&self.tanh_head),
            relu_mix: dense(&self.relu_mix),
            tanh_mix: dense(&self.tanh_mix),
            feature: dense(&self.feature),
            delta: dense(&self.delta),
            p: dense(&self.p),
            eta: dense(&self.eta),
        }
    }
}
