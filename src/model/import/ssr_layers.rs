//! Finds the layers of the authors' SSR-Net among Keras' layer names.

use super::layer_table::{Layer, LayerTable};
use crate::model::Task;
use crate::net::ssr_net::{FusionBlock, SsrNet};
use crate::net::{Convention, ConvolutionBlock, ShapeError};

/// The range V of the age network, years.
pub(super) const AGE_RANGE: f32 = 101.0;
/// The range V of the gender network.
pub(super) const GENDER_RANGE: f32 = 1.0;

/// Whether this looks like an SSR-Net at all.
pub(super) fn is_ssr_net(table: &LayerTable) -> bool {
    table.contains("delta_s1") && task(table).is_some()
}

/// The two networks have the same shapes, but the authors' programs call the bins' layers `pred_age_stage1` in the age
/// network (V = 101) and `pred_stage1` in the gender network (V = 1), and Keras stores these names.
fn task(table: &LayerTable) -> Option<Task> {
    match (table.contains("pred_age_stage1"), table.contains("pred_stage1")) {
        (true, false) => Some(Task::Age),
        (false, true) => Some(Task::Gender),
        _ => None,
    }
}

/// The network and what it estimates. Where the table has no batch normalisation, it is folded already.
///
/// Keras numbers layers in the order in which the program makes them: the relu stream, the tanh stream, then stage by
/// stage the tanh head before the relu head.
pub(super) fn ssr_net(table: &LayerTable) -> Result<(Task, SsrNet), ShapeError> {
    let task = task(table).ok_or_else(|| ShapeError("the layer pred_age_stage1 or pred_stage1 is missing".into()))?;
    let convolutions: [&Layer; 14] = table.numbered("conv2d")?;
    let dense: [&Layer; 9] = table.numbered("dense")?;
    let folded = table.numbered::<0>("batch_normalization").is_ok();
    let norms: Option<[&Layer; 8]> = if folded { None } else { Some(table.numbered("batch_normalization")?) };
    let block = |index: usize| {
        Ok(ConvolutionBlock {
            convolution: convolutions[index].affine()?,
            norm: norms.map(|norms| norms[index].batch_norm()).transpose()?,
        })
    };
    let stage = |index: usize| {
        let named = |age: &str, gender: &str| {
            let number = index + 1;
            table.named(&[&format!("{age}{number}"), &format!("{gender}{number}")])?.affine()
        };
        Ok(FusionBlock {
            tanh_head: convolutions[8 + 2 * index].affine()?,
            relu_head: convolutions[9 + 2 * index].affine()?,
            tanh_mix: dense[3 * index].affine()?,
            relu_mix: dense[3 * index + 1].affine()?,
            feature: dense[3 * index + 2].affine()?,
            delta: named("delta_s", "delta_s")?,
            p: named("pred_age_stage", "pred_stage")?,
            eta: named("local_delta_stage", "local_delta_stage")?,
        })
    };
    let net = SsrNet {
        convention: Convention::KERAS,
        input_scaling: None,
        relu_stream: [block(0)?, block(1)?, block(2)?, block(3)?],
        tanh_stream: [block(4)?, block(5)?, block(6)?, block(7)?],
        stages: [stage(0)?, stage(1)?, stage(2)?],
        relu_in_stage_1: true,
        range: if task == Task::Age { AGE_RANGE } else { GENDER_RANGE },
    };
    net.validate()?;
    Ok((task, net))
}
