//! FSA-Net to and from the app's weight structure, which has Keras' layout.

use burn::module::Param;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::Device;
use facelens::net::fsa_net::{self, FEATURES, STAGES, VECTOR};
use facelens::net::{Affine, Convention, ShapeError};

use super::FsaNet;
use super::aggregation::{Aggregation, Capsules, Metric, StageHead};
use super::streams::{Fusion, SeparableBlock};
use super::structure::StructureMapping;
use crate::nets::convert::{Reader, convolution_weights, dense_weights, exactly, norm_weights, plain};
use crate::nets::published::separable_on_our_input;

impl FsaNet {
    /// The network with stored weights; its variant and widths are told from them.
    ///
    /// # Errors
    /// Names the layer that does not fit.
    pub fn from_weights(weights: &fsa_net::FsaNet, device: &Device) -> Result<Self, ShapeError> {
        weights.validate()?;
        let reader = Reader { convention: Convention::KERAS, device };
        let stream = |blocks: &[fsa_net::SeparableBlock]| -> Result<Vec<_>, ShapeError> {
            blocks.iter().map(|block| SeparableBlock::from_weights(&reader, block)).collect()
        };
        let fusion = |stored: &fsa_net::Fusion| -> Result<Fusion, ShapeError> {
            Ok(Fusion {
                relu_head: reader.convolution(&stored.relu_head)?,
                tanh_head: reader.convolution(&stored.tanh_head)?,
            })
        };
        let head = |stored: &fsa_net::StageHead| -> Result<StageHead, ShapeError> {
            Ok(StageHead {
                delta: reader.dense(&stored.delta, None)?,
                eta: reader.dense(&stored.eta, None)?,
                p: reader.dense(&stored.p, None)?,
            })
        };
        let mapping = weights.mapping.as_ref().map(|stored| StructureMapping::from_weights(&reader, stored));
        Ok(Self {
            relu_stream: stream(&weights.relu_stream)?,
            tanh_stream: stream(&weights.tanh_stream)?,
            fusions: weights.fusions.iter().map(fusion).collect::<Result<_, _>>()?,
            mapping: mapping.transpose()?,
            aggregation: Aggregation::from_weights(&reader, &weights.aggregation)?,
            heads: weights.heads.iter().map(head).collect::<Result<_, _>>()?,
        })
    }

    /// The network's weights and statistics in Keras' layout. [`FsaNet::from_weights`] makes the same bits of them.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_weights(&self) -> Result<fsa_net::FsaNet, ShapeError> {
        let stream = |blocks: &[SeparableBlock]| {
            let blocks = blocks.iter().map(SeparableBlock::to_weights).collect::<Result<_, _>>()?;
            exactly(blocks, "separable convolutions")
        };
        let fusion = |fusion: &Fusion| {
            Ok(fsa_net::Fusion { relu_head: keras(&fusion.relu_head)?, tanh_head: keras(&fusion.tanh_head)? })
        };
        let head = |head: &StageHead| fsa_net::StageHead {
            delta: dense(&head.delta),
            eta: dense(&head.eta),
            p: dense(&head.p),
        };
        let fusions = self.fusions.iter().map(fusion).collect::<Result<_, ShapeError>>()?;
        Ok(fsa_net::FsaNet {
            relu_stream: stream(&self.relu_stream)?,
            tanh_stream: stream(&self.tanh_stream)?,
            fusions: exactly(fusions, "fusions")?,
            mapping: self.mapping.as_ref().map(StructureMapping::to_weights).transpose()?,
            aggregation: self.aggregation.to_weights()?,
            heads: exactly(self.heads.iter().map(head).collect(), "heads")?,
        })
    }

    /// The same network for our input where this one takes BGR bytes; at the crop's edge it sees grey instead of black.
    pub(in crate::nets) fn on_our_input(mut self) -> Self {
        for block in self.relu_stream.first_mut().into_iter().chain(self.tanh_stream.first_mut()) {
            separable_on_our_input(&mut block.depthwise, &mut block.pointwise);
        }
        self
    }
}

/// A fully connected layer's weights in Keras' layout.
fn dense(layer: &Linear) -> Affine {
    dense_weights(layer, Convention::KERAS.dense)
}

/// A convolution's weights in Keras' layout.
fn keras(layer: &Conv2d) -> Result<Affine, ShapeError> {
    let Affine { kernel, bias } = convolution_weights(layer);
    Ok(Affine { kernel: kernel.permuted(&[2, 3, 1, 0])?, bias })
}

impl SeparableBlock {
    fn from_weights(reader: &Reader<'_>, stored: &fsa_net::SeparableBlock) -> Result<Self, ShapeError> {
        Ok(Self {
            depthwise: reader.parameter(&stored.depthwise.permuted(&[2, 3, 0, 1])?),
            pointwise: reader.convolution(&stored.pointwise)?,
            norm: reader.norm(&stored.norm),
        })
    }

    fn to_weights(&self) -> Result<fsa_net::SeparableBlock, ShapeError> {
        Ok(fsa_net::SeparableBlock {
            depthwise: plain(self.depthwise.val()).permuted(&[2, 3, 0, 1])?,
            pointwise: keras(&self.pointwise)?,
            norm: norm_weights(&self.norm),
        })
    }
}

impl StructureMapping {
    fn from_weights(reader: &Reader<'_>, stored: &fsa_net::StructureMapping) -> Result<Self, ShapeError> {
        let rows = stored.rows().ok_or_else(|| ShapeError("the mapping's layers do not go together".to_owned()))?;
        let scoring = match &stored.scoring {
            fsa_net::Scoring::Convolution(layer) => Some(reader.convolution(layer)?),
            fsa_net::Scoring::Variance => None,
        };
        Ok(Self {
            scoring,
            maps: reader.dense(&stored.maps, None)?,
            combination: reader.dense(&stored.combination, None)?,
            map_rows: rows.0,
            combined_rows: rows.1,
        })
    }

    fn to_weights(&self) -> Result<fsa_net::StructureMapping, ShapeError> {
        let scoring = match &self.scoring {
            Some(layer) => fsa_net::Scoring::Convolution(keras(layer)?),
            None => fsa_net::Scoring::Variance,
        };
        Ok(fsa_net::StructureMapping { scoring, maps: dense(&self.maps), combination: dense(&self.combination) })
    }
}

impl Aggregation {
    fn from_weights(reader: &Reader<'_>, stored: &fsa_net::Aggregation) -> Result<Self, ShapeError> {
        Ok(match stored {
            fsa_net::Aggregation::Capsules(weights) => {
                // [stage, feature, 16, 64] -> [feature, 64, stage x 16].
                let count = weights.shape().get(1).copied().unwrap_or_default();
                let weights = weights.permuted(&[1, 3, 0, 2])?.reshaped(&[count, FEATURES, STAGES * VECTOR])?;
                let weights: Param<_> = reader.parameter(&weights);
                Self::Capsules(Capsules { weights })
            }
            fsa_net::Aggregation::Metric { vectors, stages } => {
                Self::Metric(Metric { vectors: reader.parameter(vectors), stages: reader.parameter(stages) })
            }
        })
    }

    fn to_weights(&self) -> Result<fsa_net::Aggregation, ShapeError> {
        Ok(match self {
            Self::Capsules(Capsules { weights }) => {
                let count = weights.dims()[0];
                let weights = plain(weights.val()).reshaped(&[count, FEATURES, STAGES, VECTOR])?;
                fsa_net::Aggregation::Capsules(weights.permuted(&[2, 0, 3, 1])?)
            }
            Self::Metric(Metric { vectors, stages }) => {
                fsa_net::Aggregation::Metric { vectors: plain(vectors.val()), stages: plain(stages.val()) }
            }
        })
    }
}
