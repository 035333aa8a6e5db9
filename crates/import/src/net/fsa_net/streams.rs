//! The two streams and their fusion at three scales.

use super::{CONVENTION, FUSED_BLOCKS, FsaNetWeights, Fusion, POOLED_BLOCKS, SeparableBlockWeights, named};
use crate::net::graph::{GraphWriter, Value};
use crate::net::layers::{FoldedConvolution, expect_shape, fold};
use crate::net::pooled::{LongRows, Pooling, multiplied_out};
use crate::net::{KernelLayout, ShapeError};

impl FsaNetWeights {
    /// The three fused maps `U_k`, `[1, 64, 8, 8]`, stage 1 (the deepest) first: the product of both streams.
    pub(super) fn fused_maps(&self, graph: &mut GraphWriter) -> Result<[Value; 3], ShapeError> {
        let [relu, tanh] = streams(graph, &self.relu_stream, &self.tanh_stream)?;
        let mut fuse = |index: usize, scale: usize| fuse(graph, &self.fusions[index], &relu[scale], &tanh[scale]);
        let [deep, middle, shallow] = FUSED_BLOCKS;
        let (deep, middle, shallow) = (fuse(0, deep)?, fuse(1, middle)?, fuse(2, shallow)?);
        // The shallow scale has 16 x 16 places.
        let shallow = graph.average_pool(&shallow, 2);
        Ok([deep, middle, shallow])
    }
}

/// Checks the shape of every layer of both streams.
pub(in crate::net) fn validate(
    relu_stream: &[SeparableBlockWeights],
    tanh_stream: &[SeparableBlockWeights],
) -> Result<(), ShapeError> {
    for (name, stream) in [("relu", relu_stream), ("tanh", tanh_stream)] {
        let mut inputs = 3;
        for (index, block) in stream.iter().enumerate() {
            let outputs = block.channels();
            let check = expect_shape("kernel", &block.depthwise, &[3, 3, inputs, 1])
                .and(block.pointwise.expect_convolution(KernelLayout::Hwio, 1, inputs, outputs))
                .and(block.norm.expect_channels(outputs));
            named(&format!("block {} of the {name} stream", index + 1), check)?;
            inputs = outputs;
        }
    }
    Ok(())
}

/// Both streams; gives the map behind each block and its pooling.
pub(in crate::net) fn streams(
    graph: &mut GraphWriter,
    relu: &[SeparableBlockWeights],
    tanh: &[SeparableBlockWeights],
) -> Result<[Vec<Value>; 2], ShapeError> {
    let input = graph.input();
    let face = LongRows::of(graph, &input, 1);
    Ok([stream(graph, &face, relu, Pooling::AverageOfRelu)?, stream(graph, &face, tanh, Pooling::MaxOfTanh)?])
}

fn stream(
    graph: &mut GraphWriter,
    face: &LongRows,
    blocks: &[SeparableBlockWeights],
    pooling: Pooling,
) -> Result<Vec<Value>, ShapeError> {
    let mut maps: Vec<Value> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let channels = block.depthwise.shape()[2];
        let depthwise =
            FoldedConvolution { kernel: block.depthwise.permuted(&[2, 3, 0, 1])?, bias: None, groups: channels };
        let pointwise = fold(&block.pointwise, Some(&block.norm), CONVENTION.kernel)?;
        let map = match maps.last() {
            // The first block is pooled; of three channels a dense convolution costs no more.
            None => pooling.of_convolution(graph, face, &multiplied_out(&depthwise, &pointwise)?)?,
            Some(map) => {
                let x = graph.convolution(map, &depthwise, 1);
                let x = graph.convolution(&x, &pointwise, 0);
                if POOLED_BLOCKS.contains(&index) { pooling.apply(graph, &x) } else { pooling.activation(graph, &x) }
            }
        };
        maps.push(map);
    }
    Ok(maps)
}

fn fuse(graph: &mut GraphWriter, fusion: &Fusion, relu: &Value, tanh: &Value) -> Result<Value, ShapeError> {
    let relu = graph.convolution(relu, &fold(&fusion.relu_head, None, CONVENTION.kernel)?, 0);
    let relu = graph.relu(&relu);
    let tanh = graph.convolution(tanh, &fold(&fusion.tanh_head, None, CONVENTION.kernel)?, 0);
    let tanh = graph.tanh(&tanh);
    Ok(graph.multiply(&relu, &tanh))
}
