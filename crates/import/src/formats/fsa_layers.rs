//! Finds the layers of the authors' FSA-Net among the nested models of its Keras file.

use std::collections::BTreeMap;

use super::layer_table::{KERAS_EPSILON, Layer, LayerTable};
use crate::net::fsa_net::{
    AggregationWeights, FsaNetWeights, Fusion, Scoring, SeparableBlockWeights, StageHeadWeights,
    StructureMappingWeights,
};
use crate::net::{Affine, ShapeError};

/// The streams.
const STREAMS: &str = "ssr_G_model";
/// Scoring and structure mapping; empty or missing in the variant without.
const STRUCTURE: &str = "ssr_S_model";
/// The two kinds of aggregation.
const CAPSULES: &str = "ssr_Cap_model";
const METRIC: &str = "ssr_Metric_model";
/// The stages' last layers: behind capsules and behind the metric head.
const HEADS: [&str; 2] = ["ssr_F_Cap_model", "ssr_F_model"];

/// Whether this looks like an FSA-Net at all.
pub(super) fn is_fsa_net(models: &BTreeMap<String, LayerTable>) -> bool {
    models.contains_key(STREAMS) && HEADS.iter().any(|&name| models.contains_key(name))
}

/// The network and the name of its variant. The variant is told from which models and layers the file has.
pub(super) fn fsa_net(models: &BTreeMap<String, LayerTable>) -> Result<(&'static str, FsaNetWeights), ShapeError> {
    let streams = model(models, &[STREAMS])?;
    let blocks: [&Layer; 14] = streams.numbered("separable_conv2d")?;
    let norms: [&Layer; 14] = streams.numbered("batch_normalization")?;
    let block = |index: usize| {
        Ok::<_, ShapeError>(SeparableBlockWeights {
            depthwise: blocks[index].tensor("depthwise_kernel")?.clone(),
            pointwise: Affine {
                kernel: blocks[index].tensor("pointwise_kernel")?.clone(),
                bias: blocks[index].tensor("bias")?.clone(),
            },
            norm: norms[index].batch_norm(KERAS_EPSILON)?,
        })
    };
    let stream = |first: usize| {
        let blocks: Vec<SeparableBlockWeights> = (first..first + 7).map(block).collect::<Result<_, _>>()?;
        <[SeparableBlockWeights; 7]>::try_from(blocks).map_err(|_| ShapeError("a stream has not 7 blocks".to_owned()))
    };
    let convolutions: [&Layer; 6] = streams.numbered("conv2d")?;
    let fusion = |index: usize| {
        // The program makes the tanh head first.
        let (tanh_head, relu_head) = (convolutions[2 * index].affine()?, convolutions[2 * index + 1].affine()?);
        Ok::<_, ShapeError>(Fusion { relu_head, tanh_head })
    };
    let mapping = models.get(STRUCTURE).map(structure_mapping).transpose()?;
    let aggregation = aggregation(models)?;
    let variant = match (&aggregation, mapping.as_ref().map(|mapping| &mapping.scoring)) {
        (AggregationWeights::Capsules(_), Some(Scoring::Convolution(_))) => "capsule, 1x1 scoring",
        (AggregationWeights::Capsules(_), Some(Scoring::Variance)) => "capsule, variance scoring",
        (AggregationWeights::Capsules(_), None) => "capsule, no scoring",
        (AggregationWeights::Metric { .. }, Some(Scoring::Convolution(_))) => "metric, 1x1 scoring",
        (AggregationWeights::Metric { .. }, Some(Scoring::Variance)) => "metric, variance scoring",
        (AggregationWeights::Metric { .. }, None) => "metric, no scoring",
    };
    let net = FsaNetWeights {
        relu_stream: stream(0)?,
        tanh_stream: stream(7)?,
        fusions: [fusion(0)?, fusion(1)?, fusion(2)?],
        mapping,
        aggregation,
        heads: heads(model(models, &HEADS)?)?,
    };
    net.validate()?;
    Ok((variant, net))
}

fn model<'a>(models: &'a BTreeMap<String, LayerTable>, names: &[&str]) -> Result<&'a LayerTable, ShapeError> {
    names
        .iter()
        .find_map(|&name| models.get(name))
        .ok_or_else(|| ShapeError(format!("the model {} is missing", names.join(" or "))))
}

fn structure_mapping(model: &LayerTable) -> Result<StructureMappingWeights, ShapeError> {
    let [maps, combination] = model.numbered("dense")?;
    let scoring = match model.numbered::<1>("conv2d") {
        Ok([layer]) => Scoring::Convolution(layer.affine()?),
        Err(_) => {
            let [] = model.numbered("conv2d")?;
            Scoring::Variance
        }
    };
    Ok(StructureMappingWeights { scoring, maps: maps.affine()?, combination: combination.affine()? })
}

fn aggregation(models: &BTreeMap<String, LayerTable>) -> Result<AggregationWeights, ShapeError> {
    if let Some(capsules) = models.get(CAPSULES) {
        return Ok(AggregationWeights::Capsules(capsules.named(&["caps"])?.tensor("W")?.clone()));
    }
    let [vectors, stages] = model(models, &[CAPSULES, METRIC])?.numbered("mat_mul_layer")?;
    Ok(AggregationWeights::Metric {
        vectors: vectors.tensor("kernel_type1")?.clone(),
        stages: stages.tensor("kernel_type2")?.clone(),
    })
}

fn heads(model: &LayerTable) -> Result<[StageHeadWeights; 3], ShapeError> {
    let weights: [&Layer; 3] = model.numbered("dense")?;
    let head = |index: usize| {
        let named = |name: &str| model.named(&[&format!("{name}{}", index + 1)])?.affine();
        let (delta, eta) = (named("delta_s")?, named("local_delta_stage")?);
        Ok(StageHeadWeights { delta, eta, p: weights[index].affine()? })
    };
    Ok([head(0)?, head(1)?, head(2)?])
}
