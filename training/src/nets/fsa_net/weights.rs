//! FSA-Net to and from the app's weight structure, which has Keras' layout.

use burn::module::Param;
use burn::tensor::Device;
use facelens_import::net::fsa_net::{self, FEATURES, STAGES, VECTOR};
use facelens_import::net::{Convention, ShapeError};

use super::FsaNet;
use super::aggregation::{Aggregation, Capsules, Metric, StageHead};
use super::structure::StructureMapping;
use crate::nets::convert::{Reader, exactly, plain};
use crate::nets::separable::{Heads, keras, keras_dense, stream_from_weights, stream_weights};

impl FsaNet {
    /// The network with stored weights; its variant and widths are told from them.
    ///
    /// # Errors
    /// Names the layer that does not fit.
    pub fn from_weights(weights: &fsa_net::FsaNetWeights, device: &Device) -> Result<Self, ShapeError> {
        weights.validate()?;
        let reader = Reader { convention: Convention::KERAS, device };
        let head = |stored: &fsa_net::StageHeadWeights| -> Result<StageHead, ShapeError> {
            Ok(StageHead {
                delta: reader.dense(&stored.delta, None)?,
                eta: reader.dense(&stored.eta, None)?,
                p: reader.dense(&stored.p, None)?,
            })
        };
        let mapping = weights.mapping.as_ref().map(|stored| StructureMapping::from_weights(&reader, stored));
        Ok(Self {
            relu_stream: stream_from_weights(&reader, &weights.relu_stream)?,
            tanh_stream: stream_from_weights(&reader, &weights.tanh_stream)?,
            fusions: weights
                .fusions
                .iter()
                .map(|heads| Heads::from_weights(&reader, heads))
                .collect::<Result<_, _>>()?,
            mapping: mapping.transpose()?,
            aggregation: Aggregation::from_weights(&reader, &weights.aggregation)?,
            heads: weights.heads.iter().map(head).collect::<Result<_, _>>()?,
        })
    }

    /// The network's weights and statistics in Keras' layout. [`FsaNet::from_weights`] makes the same bits of them.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_weights(&self) -> Result<fsa_net::FsaNetWeights, ShapeError> {
        let head = |head: &StageHead| fsa_net::StageHeadWeights {
            delta: keras_dense(&head.delta),
            eta: keras_dense(&head.eta),
            p: keras_dense(&head.p),
        };
        let fusions = self.fusions.iter().map(Heads::to_weights).collect::<Result<_, _>>()?;
        Ok(fsa_net::FsaNetWeights {
            relu_stream: stream_weights(&self.relu_stream)?,
            tanh_stream: stream_weights(&self.tanh_stream)?,
            fusions: exactly(fusions, "fusions")?,
            mapping: self.mapping.as_ref().map(StructureMapping::to_weights).transpose()?,
            aggregation: self.aggregation.to_weights()?,
            heads: exactly(self.heads.iter().map(head).collect(), "heads")?,
        })
    }

    /// The same network for our input where this one takes BGR bytes; at the crop's edge it sees grey instead of black.
    pub(in crate::nets) fn on_our_input(mut self) -> Self {
        for block in self.relu_stream.first_mut().into_iter().chain(self.tanh_stream.first_mut()) {
            block.on_our_input();
        }
        self
    }
}

impl StructureMapping {
    fn from_weights(reader: &Reader<'_>, stored: &fsa_net::StructureMappingWeights) -> Result<Self, ShapeError> {
        let rows = stored.rows().ok_or_else(|| ShapeError("the mapping's layers do not fit together".to_owned()))?;
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

    fn to_weights(&self) -> Result<fsa_net::StructureMappingWeights, ShapeError> {
        let scoring = match &self.scoring {
            Some(layer) => fsa_net::Scoring::Convolution(keras(layer)?),
            None => fsa_net::Scoring::Variance,
        };
        Ok(fsa_net::StructureMappingWeights {
            scoring,
            maps: keras_dense(&self.maps),
            combination: keras_dense(&self.combination),
        })
    }
}

impl Aggregation {
    fn from_weights(reader: &Reader<'_>, stored: &fsa_net::AggregationWeights) -> Result<Self, ShapeError> {
        Ok(match stored {
            fsa_net::AggregationWeights::Capsules(weights) => {
                // [stage, feature, 16, 64] -> [feature, 64, stage x 16].
                let count = weights.shape().get(1).copied().unwrap_or_default();
                let weights = weights.permuted(&[1, 3, 0, 2])?.reshaped(&[count, FEATURES, STAGES * VECTOR])?;
                let weights: Param<_> = reader.parameter(&weights);
                Self::Capsules(Capsules { weights })
            }
            fsa_net::AggregationWeights::Metric { vectors, stages } => {
                Self::Metric(Metric { vectors: reader.parameter(vectors), stages: reader.parameter(stages) })
            }
        })
    }

    fn to_weights(&self) -> Result<fsa_net::AggregationWeights, ShapeError> {
        Ok(match self {
            Self::Capsules(Capsules { weights }) => {
                let count = weights.dims()[0];
                let weights = plain(weights.val()).reshaped(&[count, FEATURES, STAGES, VECTOR])?;
                fsa_net::AggregationWeights::Capsules(weights.permuted(&[2, 0, 3, 1])?)
            }
            Self::Metric(Metric { vectors, stages }) => {
                fsa_net::AggregationWeights::Metric { vectors: plain(vectors.val()), stages: plain(stages.val()) }
            }
        })
    }
}
