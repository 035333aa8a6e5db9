//! Scoring and fine-grained structure mapping (sections 3.4 and 3.5).

use burn::module::Module;
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use facelens_import::net::fsa_net::{FEATURES, PLACES, STAGES};

use crate::nets::layers::{convolution, dense};

/// `m`: rows of each `M_k` in the published networks.
const MAP_ROWS: usize = 5;
/// `n'`: rows of `C`, representative features of each map; with three maps the published 21 primary capsules.
const COMBINED_ROWS: usize = 7;

/// Scoring and structure mapping: `S_k = C M_k`, each row of `S_k` divided by its L1 norm.
#[derive(Module, Debug)]
pub(super) struct StructureMapping {
    /// The learnt scoring; without it a place's score is the variance of its features.
    pub(super) scoring: Option<Conv2d>,
    /// `f_M`: from a map's 64 scores to its `M_k`, `[m, 192]`; the same layer for all three maps.
    pub(super) maps: Linear,
    /// `f_C`: from all 192 scores to `C`, `[n', m]`.
    pub(super) combination: Linear,
    pub(super) map_rows: usize,
    pub(super) combined_rows: usize,
}

impl StructureMapping {
    pub(super) fn init(learnt_scoring: bool, device: &Device) -> Self {
        let places = STAGES * PLACES;
        Self {
            scoring: learnt_scoring.then(|| convolution(FEATURES, 1, 1, device)),
            maps: dense(PLACES, MAP_ROWS * places, 0.0, device),
            combination: dense(places, COMBINED_ROWS * MAP_ROWS, 0.0, device),
            map_rows: MAP_ROWS,
            combined_rows: COMBINED_ROWS,
        }
    }

    /// How many representative features come out: `3 n'`.
    pub(super) fn feature_count(&self) -> usize {
        STAGES * self.combined_rows
    }

    /// The representative features, `[batch, 3 n', 64]`, of the maps `U_k`.
    pub(super) fn forward(&self, maps: &[Tensor<4>]) -> Tensor<3> {
        let places = STAGES * PLACES;
        let scores: Vec<Tensor<3>> = maps.iter().map(|map| self.scores(map.clone())).collect();
        let scores = Tensor::cat(scores, 1);
        let batch = scores.dims()[0];
        let combination = sigmoid(self.combination.forward(scores.clone().flatten::<2>(1, 2)));
        let combination = combination.reshape([batch, self.combined_rows, self.map_rows]);
        // [batch, stage, m, places] with the m rows of all stages side by side: one product makes S_1, S_2 and S_3.
        let rows = sigmoid(self.maps.forward(scores)).reshape([batch, STAGES, self.map_rows, places]);
        let rows = rows.swap_dims(1, 2).reshape([batch, self.map_rows, STAGES * places]);
        let structure = combination.matmul(rows).reshape([batch, self.combined_rows, STAGES, places]);
        let structure = structure.swap_dims(1, 2).reshape([batch, self.feature_count(), places]);
        // A sigmoid is positive: the sum is the L1 norm.
        let norm = structure.clone().sum_dim(2);
        structure.matmul(all_places(maps).swap_dims(1, 2)) / norm
    }

    /// One score per place, `[batch, 1, 64]`.
    fn scores(&self, map: Tensor<4>) -> Tensor<3> {
        let scores = match &self.scoring {
            Some(layer) => sigmoid(layer.forward(map)),
            None => {
                let difference = map.clone() - map.mean_dim(1);
                (difference.clone() * difference).mean_dim(1)
            }
        };
        scores.flatten(2, 3)
    }
}

/// The features of all places, `[batch, 64 features, 192 places]`.
pub(super) fn all_places(maps: &[Tensor<4>]) -> Tensor<3> {
    Tensor::cat(maps.iter().map(|map| map.clone().flatten(2, 3)).collect(), 2)
}
