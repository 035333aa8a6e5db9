//! From features to one vector per stage, and from these to the angles.

use super::{
    ANGLES, AggregationWeights, FEATURES, FsaNetWeights, RANGE, ROUTINGS, SQUASH_EPSILON, STAGES, StageHeadWeights,
    VECTOR,
};
use crate::net::graph::{GraphWriter, Value};
use crate::net::soft_stagewise::{BINS, StageGraph, soft_stagewise};
use crate::net::{ShapeError, Tensor};

/// Outputs of a stage's head: Delta and eta of each angle, p of each angle's bins.
const HEAD: usize = ANGLES * (2 + BINS);

impl AggregationWeights {
    /// `[features, 64] -> [3, 16]`, one row per stage.
    pub(super) fn write(&self, graph: &mut GraphWriter, features: &Value) -> Result<Value, ShapeError> {
        match self {
            Self::Capsules(weights) => capsules(graph, features, weights),
            Self::Metric { vectors, stages } => {
                let (vectors, stages) = (graph.constant(vectors), graph.constant(&stages.permuted(&[1, 0])?));
                let x = graph.matrix_product(features, &vectors);
                Ok(graph.matrix_product(&stages, &x))
            }
        }
    }
}

/// Routing by agreement (Sabour et al., NIPS 2017, procedure 1). Each feature `n` votes for each capsule `j` with
/// `u_hat_nj = W_jn u_n`; a capsule is the squashed sum of the votes, weighted by how well they agreed with it in the
/// round before. The weights of a feature over the capsules are a softmax, so equal ones in the first round.
fn capsules(graph: &mut GraphWriter, features: &Value, weights: &Tensor) -> Result<Value, ShapeError> {
    let count = weights.shape()[1];
    let [n, stages, vector] = [count, STAGES, VECTOR].map(|length| length as i64);
    let weights = weights.permuted(&[1, 3, 0, 2])?.reshaped(&[count, FEATURES, STAGES * VECTOR])?;
    let weights = graph.constant(&weights);
    let columns = graph.reshape(features, &[n, 1, FEATURES as i64]);
    let votes = graph.matrix_product(&columns, &weights);
    let votes = graph.reshape(&votes, &[n, stages, vector]);

    let third = graph.scalar(1.0 / STAGES as f32);
    let sum = graph.sum(&votes, 0);
    let sum = graph.multiply(&sum, &third);
    let mut capsules = squash(graph, &sum);
    let mut agreement: Option<Value> = None;
    for _ in 1..ROUTINGS {
        let products = graph.multiply(&votes, &capsules);
        let mut agreed = graph.sum(&products, 2);
        if let Some(before) = &agreement {
            agreed = graph.add(before, &agreed);
        }
        let coupling = graph.softmax(&agreed, 1);
        let weighted = graph.multiply(&votes, &coupling);
        let sum = graph.sum(&weighted, 0);
        capsules = squash(graph, &sum);
        agreement = Some(agreed);
    }
    Ok(graph.reshape(&capsules, &[stages, vector]))
}

/// `|s|^2 / (1 + |s|^2) s / |s|` along the last axis of `[1, 3, 16]`.
fn squash(graph: &mut GraphWriter, s: &Value) -> Value {
    let (one, epsilon) = (graph.scalar(1.0), graph.scalar(SQUASH_EPSILON));
    let squares = graph.multiply(s, s);
    let square = graph.sum(&squares, 2);
    let safe_square = graph.add(&square, &epsilon);
    let norm = graph.sqrt(&safe_square);
    let above_one = graph.add(&square, &one);
    let scale = graph.divide(&square, &above_one);
    let scale = graph.divide(&scale, &norm);
    graph.multiply(s, &scale)
}

impl FsaNetWeights {
    /// The angles `[1, 3]` from the stages' vectors `[3, 16]`. The three small layers of each stage are one matrix
    /// with zeros where a layer does not look.
    pub(super) fn write_heads(&self, graph: &mut GraphWriter, vectors: &Value) -> Result<Value, ShapeError> {
        let kernels: Vec<f32> = self.heads.iter().flat_map(StageHeadWeights::kernel).collect();
        let biases = self.heads.iter().flat_map(|head| [&head.delta, &head.eta, &head.p]);
        let biases: Vec<f32> = biases.flat_map(|layer| layer.bias.data().iter().copied()).collect();
        let kernels = graph.constant(&Tensor::new(&[STAGES, VECTOR, HEAD], kernels)?);
        let biases = graph.constant(&Tensor::new(&[STAGES, 1, HEAD], biases)?);
        let [stages, angles, bins, head] = [STAGES, ANGLES, BINS, HEAD].map(|length| length as i64);
        let rows = graph.reshape(vectors, &[stages, 1, VECTOR as i64]);
        let outputs = graph.matrix_product(&rows, &kernels);
        let outputs = graph.add(&outputs, &biases);
        let ranges = graph.slice(&outputs, 2, 0, 2 * angles);
        let ranges = graph.tanh(&ranges);
        let weights = graph.slice(&outputs, 2, 2 * angles, head);
        let weights = graph.relu(&weights);
        let mut stage = |k: i64| {
            let ranges = graph.slice(&ranges, 0, k, k + 1);
            let ranges = graph.reshape(&ranges, &[2 * angles, 1]);
            let weights = graph.slice(&weights, 0, k, k + 1);
            StageGraph {
                delta: graph.slice(&ranges, 0, 0, angles),
                eta: graph.slice(&ranges, 0, angles, 2 * angles),
                p: graph.reshape(&weights, &[angles, bins]),
            }
        };
        let stages = [stage(0), stage(1), stage(2)];
        let range = graph.scalar(RANGE);
        let angles_column = soft_stagewise(graph, &stages, &[-1.0], &range);
        Ok(graph.reshape(&angles_column, &[1, angles]))
    }
}

impl StageHeadWeights {
    /// The stage's three kernels as one, `[16, 15]`.
    fn kernel(&self) -> Vec<f32> {
        let mut kernel = vec![0.0; VECTOR * HEAD];
        let blocks = [(&self.delta, 0, 0), (&self.eta, VECTOR / 4, ANGLES), (&self.p, VECTOR / 2, 2 * ANGLES)];
        for (layer, first_row, first_column) in blocks {
            let columns = layer.bias.data().len();
            for (row, values) in layer.kernel.data().chunks(columns).enumerate() {
                let start = (first_row + row) * HEAD + first_column;
                kernel[start..start + columns].copy_from_slice(values);
            }
        }
        kernel
    }
}
