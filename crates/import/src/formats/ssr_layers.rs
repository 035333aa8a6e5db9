//! Finds the layers of SSR-Net by their names: of the authors' Keras program, and of its MXNet port.

use facelens_core::model::Task;

use super::layer_table::{KERAS_EPSILON, Layer, LayerTable};
use crate::net::ssr_net::{FusionBlockWeights, InputScaling, RegressionWeights, SsrNetWeights};
use crate::net::{Convention, ConvolutionBlockWeights, ShapeError};

/// The range V of the age network, years.
pub(super) const AGE_RANGE: f32 = 101.0;
/// The range V of the gender network.
const GENDER_RANGE: f32 = 1.0;
/// Epsilon of the MXNet port's batch normalisation.
const MXNET_EPSILON: f32 = 2e-5;
/// What the MXNet port does to its input: bytes to about -1 to 1.
const MXNET_SCALING: InputScaling = InputScaling { offset: 127.5, factor: 1.0 / 128.0 };

/// What a program calls its layers. Layers without a name of their own are numbered in the order in which the program
/// makes them: the relu stream, the tanh stream, then stage by stage the tanh head before the relu head.
struct LayerNames {
    convolution: &'static str,
    norm: &'static str,
    dense: &'static str,
    /// The layers of p, stage 1 first.
    p: [&'static str; 3],
}

/// The two networks have the same shapes, but the authors' programs call the bins' layers `pred_age_stage1` in the age
/// network (V = 101) and `pred_stage1` in the gender network (V = 1), and Keras stores these names.
const KERAS_AGE: LayerNames = LayerNames {
    convolution: "conv2d",
    norm: "batch_normalization",
    dense: "dense",
    p: ["pred_age_stage1", "pred_age_stage2", "pred_age_stage3"],
};
const KERAS_GENDER: LayerNames = LayerNames { p: ["pred_stage1", "pred_stage2", "pred_stage3"], ..KERAS_AGE };
/// The port has these names, misspelling included, in both networks.
const MXNET: LayerNames = LayerNames {
    convolution: "convolution",
    norm: "batchnorm",
    dense: "fullyconnected",
    p: ["pred_age_stage1", "pred_age_stag2", "pred_age_stage3"],
};

/// What the authors' Keras network estimates; `None` where the layers are not its.
pub(super) fn keras_task(table: &LayerTable) -> Option<Task> {
    let has = |names: &LayerNames| names.p.iter().all(|name| table.contains(name));
    match (has(&KERAS_AGE), has(&KERAS_GENDER)) {
        (true, false) => Some(Task::Age),
        (false, true) => Some(Task::Gender),
        _ => None,
    }
}

/// The same layers without what a program put before all their names (`age/conv2d_1`, `net_conv2d_1`).
pub(super) fn without_prefix(table: LayerTable) -> LayerTable {
    let last = [KERAS_AGE.p[2], KERAS_GENDER.p[2]];
    let prefix = table.names().find_map(|name| last.iter().find_map(|last| name.strip_suffix(last))).map(str::to_owned);
    match prefix {
        Some(prefix) if !prefix.is_empty() => table.without_prefix(&prefix),
        _ => table,
    }
}

/// The authors' network. Where the table has no batch normalisation, it is folded already.
pub(super) fn keras_ssr_net(table: &LayerTable) -> Result<(Task, SsrNetWeights), ShapeError> {
    let task = keras_task(table).ok_or_else(|| ShapeError("these are not the layers of an SSR-Net".to_owned()))?;
    let names = if task == Task::Age { KERAS_AGE } else { KERAS_GENDER };
    let net = ssr_net(table, &names, KERAS_EPSILON, task)?;
    net.validate()?;
    Ok((task, net))
}

/// The network of the MXNet port.
pub(super) fn mxnet_ssr_net(table: &LayerTable, task: Task) -> Result<SsrNetWeights, ShapeError> {
    let net = SsrNetWeights {
        convention: Convention::MXNET,
        input_scaling: Some(MXNET_SCALING),
        relu_in_stage_1: false,
        ..ssr_net(table, &MXNET, MXNET_EPSILON, task)?
    };
    net.validate()?;
    Ok(net)
}

fn ssr_net(table: &LayerTable, names: &LayerNames, epsilon: f32, task: Task) -> Result<SsrNetWeights, ShapeError> {
    let range = match task {
        Task::Age => AGE_RANGE,
        Task::Gender => GENDER_RANGE,
        Task::Pose => return Err(ShapeError("an SSR-Net estimates age or gender".to_owned())),
    };
    let convolutions: [&Layer; 14] = table.numbered(names.convolution)?;
    let dense: [&Layer; 9] = table.numbered(names.dense)?;
    let folded = table.numbered::<0>(names.norm).is_ok();
    let norms: Option<[&Layer; 8]> = if folded { None } else { Some(table.numbered(names.norm)?) };
    let block = |index: usize| {
        Ok(ConvolutionBlockWeights {
            convolution: convolutions[index].affine()?,
            norm: norms.map(|norms| norms[index].batch_norm(epsilon)).transpose()?,
        })
    };
    let stage = |index: usize| {
        Ok(FusionBlockWeights {
            tanh_head: convolutions[8 + 2 * index].affine()?,
            relu_head: convolutions[9 + 2 * index].affine()?,
            tanh_mix: dense[3 * index].affine()?,
            relu_mix: dense[3 * index + 1].affine()?,
            feature: dense[3 * index + 2].affine()?,
            delta: table.named(&[&format!("delta_s{}", index + 1)])?.affine()?,
            p: table.named(&[names.p[index]])?.affine()?,
            eta: table.named(&[&format!("local_delta_stage{}", index + 1)])?.affine()?,
        })
    };
    Ok(SsrNetWeights {
        convention: Convention::KERAS,
        input_scaling: None,
        relu_stream: [block(0)?, block(1)?, block(2)?, block(3)?],
        tanh_stream: [block(4)?, block(5)?, block(6)?, block(7)?],
        relu_residuals: Vec::new(),
        tanh_residuals: Vec::new(),
        regressions: vec![RegressionWeights { stages: [stage(0)?, stage(1)?, stage(2)?], range, first_bin: 0.0 }],
        relu_in_stage_1: true,
    })
}
