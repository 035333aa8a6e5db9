//! SSR-Net-MD to and from the app's weight structure.

use burn::tensor::Device;
use facelens_import::net::{Convention, ShapeError, ssr_net_md};

use super::{MdStage, SsrNetMd};
use crate::nets::convert::{Reader, exactly};
use crate::nets::separable::{Heads, keras_dense, stream_from_weights, stream_weights};

impl SsrNetMd {
    /// The network with stored weights; its widths are told from them.
    ///
    /// # Errors
    /// Names the layer that does not fit.
    pub fn from_weights(weights: &ssr_net_md::SsrNetMdWeights, device: &Device) -> Result<Self, ShapeError> {
        weights.validate()?;
        let reader = Reader { convention: Convention::KERAS, device };
        let stages = weights.stages.iter().map(|stage| MdStage::from_weights(&reader, stage));
        Ok(Self {
            relu_stream: stream_from_weights(&reader, &weights.relu_stream)?,
            tanh_stream: stream_from_weights(&reader, &weights.tanh_stream)?,
            stages: stages.collect::<Result<_, _>>()?,
        })
    }

    /// The network's weights and statistics. [`SsrNetMd::from_weights`] makes the same bits of them.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_weights(&self) -> Result<ssr_net_md::SsrNetMdWeights, ShapeError> {
        let stages = self.stages.iter().map(MdStage::to_weights).collect::<Result<_, _>>()?;
        Ok(ssr_net_md::SsrNetMdWeights {
            relu_stream: stream_weights(&self.relu_stream)?,
            tanh_stream: stream_weights(&self.tanh_stream)?,
            stages: exactly(stages, "stages")?,
        })
    }
}

impl MdStage {
    fn from_weights(reader: &Reader<'_>, stored: &ssr_net_md::MdStageWeights) -> Result<Self, ShapeError> {
        // Maps are unrolled channels first there as here: no row moves.
        Ok(Self {
            heads: Heads::from_weights(reader, &stored.heads)?,
            delta_feature: reader.dense(&stored.delta_feature, None)?,
            delta: reader.dense(&stored.delta, None)?,
            eta_feature: reader.dense(&stored.eta_feature, None)?,
            eta: reader.dense(&stored.eta, None)?,
            p: reader.dense(&stored.p, None)?,
        })
    }

    fn to_weights(&self) -> Result<ssr_net_md::MdStageWeights, ShapeError> {
        Ok(ssr_net_md::MdStageWeights {
            heads: self.heads.to_weights()?,
            delta_feature: keras_dense(&self.delta_feature),
            delta: keras_dense(&self.delta),
            eta_feature: keras_dense(&self.eta_feature),
            eta: keras_dense(&self.eta),
            p: keras_dense(&self.p),
        })
    }
}
