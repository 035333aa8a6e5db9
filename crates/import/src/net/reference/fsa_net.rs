//! FSA-Net, step by step as the authors' Keras program writes it down.

use super::operations::{add, batch_norm, dense, matrix_product, multiply, relu, sigmoid, softmax_rows, tanh};
use super::windows::{Padding, average_pool, convolution, depthwise_convolution, max_pool};
use crate::net::fsa_net::{
    ANGLES, AggregationWeights, FEATURES, FsaNetWeights, PLACES, POOLED_BLOCKS, RANGE, ROUTINGS, SQUASH_EPSILON,
    STAGES, Scoring, SeparableBlockWeights, StructureMappingWeights, VECTOR,
};
use crate::net::{Affine, DenseLayout, KernelLayout, ShapeError, Tensor};

/// Bins of each stage, counted from -1.
const BINS: usize = 3;

impl FsaNetWeights {
    /// Yaw, pitch and roll in degrees of one face `[1, 64, 64, 3]`, by Keras' own arithmetic.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn reference(&self, face: &Tensor) -> Result<Vec<f32>, ShapeError> {
        let relu_maps = stream(face, &self.relu_stream, relu, |x| average_pool(x, 2))?;
        let tanh_maps = stream(face, &self.tanh_stream, tanh, |x| max_pool(x, 2))?;
        let mut maps = Vec::new();
        for (fusion, scale) in self.fusions.iter().zip([6, 4, 2]) {
            let relu_head = relu(&pointwise(&relu_maps[scale], &fusion.relu_head)?);
            let tanh_head = tanh(&pointwise(&tanh_maps[scale], &fusion.tanh_head)?);
            maps.push(multiply(&tanh_head, &relu_head)?);
        }
        maps[2] = average_pool(&maps[2], 2)?;
        let places: Vec<f32> = maps.iter().flat_map(|map| map.data().iter().copied()).collect();
        let places = Tensor::new(&[STAGES * PLACES, FEATURES], places)?;
        let features = match &self.mapping {
            Some(mapping) => mapping.reference(&maps, &places)?,
            None => places,
        };
        let vectors = match &self.aggregation {
            AggregationWeights::Capsules(weights) => route(&features, weights)?,
            AggregationWeights::Metric { vectors, stages } => {
                matrix_product(&stages.permuted(&[1, 0])?, &matrix_product(&features, vectors)?)?
            }
        };
        self.angles(&vectors)
    }

    /// Soft stagewise regression, term by term.
    fn angles(&self, vectors: &Tensor) -> Result<Vec<f32>, ShapeError> {
        let mut angles = vec![0.0; ANGLES];
        let mut widths = [1.0; ANGLES];
        for (head, vector) in self.heads.iter().zip(vectors.data().chunks(VECTOR)) {
            let part = |from: usize, to: usize, layer: &Affine| {
                let part = Tensor::new(&[1, to - from], vector[from..to].to_vec())?;
                dense(&part, &layer.kernel, DenseLayout::InOut, &layer.bias)
            };
            let delta = tanh(&part(0, 4, &head.delta)?);
            let eta = tanh(&part(4, 8, &head.eta)?);
            let p = relu(&part(8, 16, &head.p)?);
            for angle in 0..ANGLES {
                widths[angle] *= BINS as f32 * (1.0 + delta.data()[angle]);
                let bins = p.data()[angle * BINS..][..BINS].iter().enumerate();
                let sum: f32 = bins.map(|(i, p)| (i as f32 - 1.0 + eta.data()[angle]) * p).sum();
                angles[angle] += sum / widths[angle];
            }
        }
        Ok(angles.into_iter().map(|angle| angle * RANGE).collect())
    }
}

pub(super) fn stream(
    face: &Tensor,
    blocks: &[SeparableBlockWeights],
    activation: fn(&Tensor) -> Tensor,
    pool: fn(&Tensor) -> Result<Tensor, ShapeError>,
) -> Result<Vec<Tensor>, ShapeError> {
    let mut maps: Vec<Tensor> = Vec::new();
    for (index, block) in blocks.iter().enumerate() {
        let x = depthwise_convolution(maps.last().unwrap_or(face), &block.depthwise, Padding::Same)?;
        let x = activation(&batch_norm(&pointwise(&x, &block.pointwise)?, &block.norm)?);
        maps.push(if POOLED_BLOCKS.contains(&index) { pool(&x)? } else { x });
    }
    Ok(maps)
}

pub(super) fn pointwise(x: &Tensor, layer: &Affine) -> Result<Tensor, ShapeError> {
    convolution(x, &layer.kernel, KernelLayout::Hwio, &layer.bias, Padding::Valid)
}

impl StructureMappingWeights {
    fn reference(&self, maps: &[Tensor], places: &Tensor) -> Result<Tensor, ShapeError> {
        let (m, combined) = self.rows().ok_or_else(|| ShapeError("the mapping's layers do not fit".to_owned()))?;
        let full = |x: &Tensor, layer: &Affine| dense(x, &layer.kernel, DenseLayout::InOut, &layer.bias);
        let scores: Vec<Tensor> = maps.iter().map(|map| self.scoring.reference(map)).collect::<Result<_, _>>()?;
        let all: Vec<f32> = scores.iter().flat_map(|score| score.data().iter().copied()).collect();
        let all = Tensor::new(&[1, STAGES * PLACES], all)?;
        let combination = sigmoid(&full(&all, &self.combination)?).reshaped(&[combined, m])?;
        let mut features = Vec::new();
        for score in &scores {
            let map = sigmoid(&full(score, &self.maps)?).reshaped(&[m, STAGES * PLACES])?;
            let structure = matrix_product(&combination, &map)?;
            let sums = structure.data().chunks(STAGES * PLACES).map(|row| row.iter().sum::<f32>());
            let feature = matrix_product(&structure, places)?;
            let rows = feature.data().chunks(FEATURES).zip(sums);
            features.extend(rows.flat_map(|(row, sum)| row.iter().map(move |x| x / sum)));
        }
        Tensor::new(&[STAGES * combined, FEATURES], features)
    }
}

impl Scoring {
    /// One score per place, `[1, 64]`.
    fn reference(&self, map: &Tensor) -> Result<Tensor, ShapeError> {
        match self {
            Self::Convolution(layer) => sigmoid(&pointwise(map, layer)?).reshaped(&[1, PLACES]),
            Self::Variance => {
                let variance = map.data().chunks(FEATURES).map(|place| {
                    let mean = place.iter().sum::<f32>() / FEATURES as f32;
                    place.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / FEATURES as f32
                });
                Tensor::new(&[1, PLACES], variance.collect())
            }
        }
    }
}

/// Routing by agreement between the features `[n, 64]` and the capsules `[3, 16]`, weights `[3, n, 16, 64]`.
fn route(features: &Tensor, weights: &Tensor) -> Result<Tensor, ShapeError> {
    let count = features.shape()[0];
    // Votes of capsule j, `[n, 16]`.
    let votes: Vec<Tensor> = weights
        .data()
        .chunks(count * VECTOR * FEATURES)
        .map(|weights| {
            let rows = weights.chunks(VECTOR * FEATURES).zip(features.data().chunks(FEATURES));
            let votes = rows.flat_map(|(weights, feature)| {
                weights.chunks(FEATURES).map(move |row| row.iter().zip(feature).map(|(w, u)| w * u).sum::<f32>())
            });
            Tensor::new(&[count, VECTOR], votes.collect())
        })
        .collect::<Result<_, _>>()?;
    let mut agreement = Tensor::new(&[count, STAGES], vec![0.0; count * STAGES])?;
    let mut capsules = vec![0.0; STAGES * VECTOR];
    for _ in 0..ROUTINGS {
        let coupling = softmax_rows(&agreement);
        for (j, votes) in votes.iter().enumerate() {
            let column: Vec<f32> = coupling.data().iter().skip(j).step_by(STAGES).copied().collect();
            let sum = matrix_product(&Tensor::new(&[1, count], column)?, votes)?;
            let square: f32 = sum.data().iter().map(|x| x * x).sum();
            let scale = square / (1.0 + square) / (square + SQUASH_EPSILON).sqrt();
            let capsule = &mut capsules[j * VECTOR..][..VECTOR];
            capsule.iter_mut().zip(sum.data()).for_each(|(capsule, x)| *capsule = scale * x);
        }
        let agreed = Tensor::from_fn(&[count, STAGES], |i| {
            let (n, j) = (i / STAGES, i % STAGES);
            let vote = &votes[j].data()[n * VECTOR..][..VECTOR];
            vote.iter().zip(&capsules[j * VECTOR..]).map(|(vote, capsule)| vote * capsule).sum()
        });
        agreement = add(&agreement, &agreed)?;
    }
    Tensor::new(&[STAGES, VECTOR], capsules)
}
