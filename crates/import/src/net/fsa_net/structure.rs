//! Scoring and fine-grained structure mapping.

use super::{CONVENTION, FEATURES, PLACES, STAGES, Scoring, StructureMappingWeights};
use crate::net::graph::{GraphWriter, Value};
use crate::net::layers::{dense, fold};
use crate::net::{DenseLayout, KernelLayout, ShapeError};

impl StructureMappingWeights {
    pub(super) fn validate(&self) -> Result<(), ShapeError> {
        let (m, combined) = self.rows().ok_or_else(|| ShapeError("its layers do not fit together".to_owned()))?;
        if let Scoring::Convolution(layer) = &self.scoring {
            layer.expect_convolution(KernelLayout::Hwio, 1, FEATURES, 1)?;
        }
        self.maps.expect_dense(DenseLayout::InOut, PLACES, m * STAGES * PLACES)?;
        self.combination.expect_dense(DenseLayout::InOut, STAGES * PLACES, combined * m)
    }

    /// The representative features, `[3 n', 64]`: with `A_k` the scores of map k and `U` the features of all places,
    /// `M_k = sigmoid(f_M(A_k))`, `C = sigmoid(f_C(A))`, `S_k = C M_k`, each row of `S_k` divided by its sum (its L1
    /// norm: sigmoids are positive), and `S_k U` one behind the other.
    pub(super) fn write(&self, graph: &mut GraphWriter, fused: &[Value; 3]) -> Result<Value, ShapeError> {
        let (m, combined) = self.rows().ok_or_else(|| ShapeError("its layers do not fit together".to_owned()))?;
        let [m, combined, places, stages] = [m, combined, PLACES, STAGES].map(|length| length as i64);
        let mut scores = Vec::new();
        for map in fused {
            let score = self.scoring.write(graph, map)?;
            scores.push(graph.reshape(&score, &[1, places]));
        }
        let scores = graph.concatenate(&scores, 0);
        let maps = graph.dense(&scores, &dense(&self.maps, CONVENTION, None)?);
        let maps = graph.sigmoid(&maps);
        let maps = graph.reshape(&maps, &[stages, m, stages * places]);
        let all_scores = graph.reshape(&scores, &[1, stages * places]);
        let combination = graph.dense(&all_scores, &dense(&self.combination, CONVENTION, None)?);
        let combination = graph.sigmoid(&combination);
        let combination = graph.reshape(&combination, &[1, combined, m]);
        let structure = graph.matrix_product(&combination, &maps);
        let structure = graph.reshape(&structure, &[stages * combined, stages * places]);
        let norm = graph.sum(&structure, 1);
        let features = all_places(graph, fused);
        let features = graph.matrix_product(&structure, &features);
        Ok(graph.divide(&features, &norm))
    }
}

impl Scoring {
    /// One score per place, `[1, 1, 8, 8]`.
    fn write(&self, graph: &mut GraphWriter, map: &Value) -> Result<Value, ShapeError> {
        Ok(match self {
            Self::Convolution(layer) => {
                let score = graph.convolution(map, &fold(layer, None, CONVENTION.kernel)?, 0);
                graph.sigmoid(&score)
            }
            Self::Variance => {
                let mean = graph.mean(map, 1);
                let difference = graph.subtract(map, &mean);
                let square = graph.multiply(&difference, &difference);
                graph.mean(&square, 1)
            }
        })
    }
}

/// The features of all places, `U`, `[192, 64]`.
pub(super) fn all_places(graph: &mut GraphWriter, fused: &[Value; 3]) -> Value {
    let maps = fused.each_ref().map(|map| graph.reshape(map, &[FEATURES as i64, PLACES as i64]));
    let columns = graph.concatenate(&maps, 1);
    graph.transpose(&columns, &[1, 0])
}
