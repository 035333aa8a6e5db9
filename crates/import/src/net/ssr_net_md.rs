//! SSR-Net-MD: SSR-Net for several numbers at once, here the three angles of the head pose. FSA-Net (Yang et al., CVPR
//! 2019) is measured against it.
//!
//! The paper says of it that soft stagewise regression gives a vector where SSR-Net gives a number (section 3.2), and
//! that its file has 1.1 MB. Of the two such networks in the authors' repository `SSR_net_MT` fits that, which has
//! 233,619 numbers (`SSR_net_ori_MT`, with SSR-Net's own streams, has 175,629), and this is its form:
//!
//! - the streams of FSA-Net, and as there what stage 1 sees is the deepest scale;
//! - a stage multiplies a relu head, pooled by means, with a tanh head, pooled by maxima, both 1x1 convolutions to 64
//!   features, and unrolls the product;
//! - from that go one fully connected layer to `p`, relu, and two each to `Delta` and `eta`, tanh;
//! - one `eta` for all bins of an angle, bins counted from -1, V = 99, as in FSA-Net.
//!
//! There is no scoring, no structure mapping and no aggregation. No weights of it are published.

use super::fsa_net::{ANGLES, FEATURES, FUSED_BLOCKS, Fusion, RANGE, STAGES, SeparableBlockWeights, streams};
use super::graph::{GraphWriter, Value};
use super::layers::{dense, fold};
use super::soft_stagewise::{BINS, StageGraph, soft_stagewise};
use super::{Affine, Convention, DenseLayout, FlattenOrder, ShapeError};

/// Rows and columns of a stage's pooled map, stage 1 (the deepest) first.
pub const STAGE_SIDES: [usize; STAGES] = [4, 4, 8];
/// Numbers between a stage's map and its Delta, and its eta.
pub const HIDDEN: usize = 2 * ANGLES;
/// Kernels as in Keras, maps unrolled channels first.
const CONVENTION: Convention = Convention { flatten: FlattenOrder::ChannelRowColumn, ..Convention::KERAS };

/// An SSR-Net-MD. Kernels have Keras' layout; maps are unrolled channels first.
#[derive(Clone, Debug, PartialEq)]
pub struct SsrNetMdWeights {
    /// The stream with relu and average pooling.
    pub relu_stream: [SeparableBlockWeights; 7],
    /// The stream with tanh and max pooling.
    pub tanh_stream: [SeparableBlockWeights; 7],
    /// The stages, stage 1 (the deepest) first.
    pub stages: [MdStageWeights; STAGES],
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct MdStageWeights {
    /// The 1x1 convolutions on both streams.
    pub heads: Fusion,
    /// From the unrolled map to 6 numbers, tanh.
    pub delta_feature: Affine,
    /// From these to Delta of each angle, tanh.
    pub delta: Affine,
    /// From the unrolled map to 6 numbers, tanh.
    pub eta_feature: Affine,
    /// From these to eta of each angle, tanh.
    pub eta: Affine,
    /// From the unrolled map to p of each angle's bins, relu.
    pub p: Affine,
}

impl SsrNetMdWeights {
    /// Checks the shape of every layer.
    ///
    /// # Errors
    /// Names the first layer that does not fit.
    pub fn validate(&self) -> Result<(), ShapeError> {
        streams::validate(&self.relu_stream, &self.tanh_stream)?;
        for (index, stage) in self.stages.iter().enumerate() {
            let seen = [&self.relu_stream, &self.tanh_stream].map(|stream| stream[FUSED_BLOCKS[index]].channels());
            let flat = FEATURES * STAGE_SIDES[index] * STAGE_SIDES[index];
            let layout = DenseLayout::InOut;
            let checks = [
                ("heads", stage.heads.validate(seen)),
                ("delta feature", stage.delta_feature.expect_dense(layout, flat, HIDDEN)),
                ("delta", stage.delta.expect_dense(layout, HIDDEN, ANGLES)),
                ("eta feature", stage.eta_feature.expect_dense(layout, flat, HIDDEN)),
                ("eta", stage.eta.expect_dense(layout, HIDDEN, ANGLES)),
                ("p", stage.p.expect_dense(layout, flat, ANGLES * BINS)),
            ];
            for (layer, check) in checks {
                check.map_err(|ShapeError(cause)| ShapeError(format!("{layer} of stage {}: {cause}", index + 1)))?;
            }
        }
        Ok(())
    }

    /// The network as an ONNX file: `[1, 3, 64, 64] -> [1, 3]`, yaw, pitch, roll in degrees.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn to_onnx(&self) -> Result<Vec<u8>, ShapeError> {
        self.validate()?;
        let mut graph = GraphWriter::new("SSR-Net-MD");
        let [relu, tanh] = streams::streams(&mut graph, &self.relu_stream, &self.tanh_stream)?;
        let mut stages = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            let seen = FUSED_BLOCKS[index];
            stages.push(stage.write(&mut graph, &relu[seen], &tanh[seen], STAGE_SIDES[index])?);
        }
        let range = graph.scalar(RANGE);
        let angles = soft_stagewise(&mut graph, &stages, &[-1.0], &range);
        let angles = graph.reshape(&angles, &[1, ANGLES as i64]);
        Ok(graph.finish(&angles, ANGLES))
    }
}

impl MdStageWeights {
    fn write(
        &self,
        graph: &mut GraphWriter,
        relu: &Value,
        tanh: &Value,
        side: usize,
    ) -> Result<StageGraph, ShapeError> {
        let relu = graph.convolution(relu, &fold(&self.heads.relu_head, None, CONVENTION.kernel)?, 0);
        let relu = graph.relu(&relu);
        let relu = graph.average_pool(&relu, 2);
        let tanh = graph.convolution(tanh, &fold(&self.heads.tanh_head, None, CONVENTION.kernel)?, 0);
        let tanh = graph.tanh(&tanh);
        let tanh = graph.max_pool(&tanh, 2);
        let map = graph.multiply(&tanh, &relu);
        let map = graph.reshape(&map, &[1, (FEATURES * side * side) as i64]);
        let unrolled = Some([side, side, FEATURES]);
        let mut layer = |x: &Value, layer: &Affine, map: Option<[usize; 3]>, shape: [i64; 2]| {
            let x = graph.dense(x, &dense(layer, CONVENTION, map)?);
            let x = if shape[1] == BINS as i64 { graph.relu(&x) } else { graph.tanh(&x) };
            Ok::<_, ShapeError>(graph.reshape(&x, &shape))
        };
        let (hidden, angles) = ([1, HIDDEN as i64], [ANGLES as i64, 1]);
        let delta_feature = layer(&map, &self.delta_feature, unrolled, hidden)?;
        let eta_feature = layer(&map, &self.eta_feature, unrolled, hidden)?;
        Ok(StageGraph {
            delta: layer(&delta_feature, &self.delta, None, angles)?,
            eta: layer(&eta_feature, &self.eta, None, angles)?,
            p: layer(&map, &self.p, unrolled, [ANGLES as i64, BINS as i64])?,
        })
    }
}
