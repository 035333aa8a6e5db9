//! Depthwise 3x3 convolutions.

use std::cell::RefCell;

use tract_onnx::prelude::{DatumType, TValue, TVec, Tensor, TractResult, TypedFact, TypedNode, tvec};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TypedOp, Validation, as_op, bail, op_as_typed_op, op_out_of_plan,
};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::value::IntoTValue as _;

use super::Planes;

/// Numbers of a kernel.
const TAPS: usize = 9;
/// About how many sums are made at a time: they stay in the first cache together with the rows that they are made of.
const BAND: usize = 2048;

/// A 3x3 convolution of each channel by itself, stride 1, with a border of zeros that keeps the map's size. Inputs: the
/// maps, the kernels `[channels, 1, 3, 3]` and the bias, one number or one per channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Depthwise3x3;

impl Depthwise3x3 {
    /// The same as this node, if it is such a convolution on maps of known size, channels first, one at a time.
    pub(super) fn instead_of(node: &TypedNode, inputs: &[&TypedFact]) -> Option<Self> {
        let convolution = node.op_as::<Conv>()?;
        let spec = &convolution.pool_spec;
        let [maps, kernel, bias] = inputs else { return None };
        let shape = maps.shape.as_concrete()?;
        let planes = Planes::of(shape)?;
        let channels = planes.count;
        let depthwise =
            convolution.group == channels && spec.input_channels == channels && spec.output_channels == channels;
        let plain = convolution.q_params.is_none()
            && convolution.kernel_fmt == KernelFormat::OIHW
            && !spec.data_format.c_is_last()
            && spec.kernel_shape.as_slice() == [3, 3]
            && spec.strides().iter().chain(spec.dilations().iter()).all(|&step| step == 1);
        let keeps_size = plain
            && spec
                .computed_padding(&[planes.rows, planes.columns])
                .iter()
                .all(|axis| axis.pad_before == 1 && axis.pad_after == 1);
        let floats = inputs.iter().all(|fact| fact.datum_type == DatumType::F32);
        let stored = kernel.shape.as_concrete() == Some(&[channels, 1, 3, 3])
            && bias.shape.as_concrete().is_some_and(|shape| shape.is_empty() || shape == [channels]);
        (depthwise && keeps_size && floats && stored).then_some(Self)
    }
}

thread_local! {
    /// What [`DepthwiseRun`] works in, kept from one to the next.
    static WORKSPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// One run of the operator.
struct DepthwiseRun<'a> {
    planes: Planes,
    input: &'a [f32],
    kernels: &'a [f32],
    bias: &'a [f32],
    output: &'a mut [f32],
    workspace: &'a mut Vec<f32>,
}

impl pulp::WithSimd for DepthwiseRun<'_> {
    type Output = ();

    /// Each plane gets a border of zeros first, so that no row needs to know about edges. Its rows with their borders are
    /// one long row then: the sums over the ends of two rows mean nothing and are left behind.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        let Self { planes, input, kernels, bias, output, workspace } = self;
        let wide = planes.columns + 2;
        let rows = (BAND / wide).clamp(1, planes.rows);
        // Two numbers more, as the last sums reach beyond the border.
        let bordered = wide * (planes.rows + 2) + 2;
        workspace.clear();
        workspace.resize(bordered + wide * rows, 0.0);
        let (bordered, sums) = workspace.split_at_mut(bordered);
        let maps = input.chunks_exact(planes.size()).zip(output.chunks_exact_mut(planes.size()));
        let kernels = kernels.chunks_exact(TAPS).zip(bias.iter().cycle());
        for ((map, target), (kernel, &bias)) in maps.zip(kernels) {
            let inner = bordered[wide..].chunks_exact_mut(wide);
            for (row, bordered) in map.chunks_exact(planes.columns).zip(inner) {
                bordered[1..=planes.columns].copy_from_slice(row);
            }
            for (band, target) in target.chunks_mut(rows * planes.columns).enumerate() {
                let sums = &mut sums[..target.len() / planes.columns * wide];
                convolve(sums, &bordered[band * rows * wide..], wide, kernel, bias);
                for (target, sums) in target.chunks_exact_mut(planes.columns).zip(sums.chunks_exact(wide)) {
                    target.copy_from_slice(&sums[..planes.columns]);
                }
            }
        }
    }
}

/// Sums of the windows of 3 x 3 that begin at each place of `plane`, whose rows are `wide`.
#[inline(always)]
fn convolve(sums: &mut [f32], plane: &[f32], wide: usize, kernel: &[f32], bias: f32) {
    let &[k0, k1, k2, k3, k4, k5, k6, k7, k8] = kernel else { return };
    let length = sums.len();
    // Slices of known length and one loop over places: only so does the compiler take several numbers at a time.
    let row = |index: usize| &plane[index * wide..][..length + 2];
    let (top, middle, bottom) = (row(0), row(1), row(2));
    for i in 0..length {
        let first = k0 * top[i] + k1 * top[i + 1] + k2 * top[i + 2];
        let second = k3 * middle[i] + k4 * middle[i + 1] + k5 * middle[i + 2];
        let third = k6 * bottom[i] + k7 * bottom[i + 1] + k8 * bottom[i + 2];
        sums[i] = bias + first + second + third;
    }
}

impl Op for Depthwise3x3 {
    fn name(&self) -> StaticName {
        "Depthwise3x3".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for Depthwise3x3 {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [maps, kernels, bias] = inputs.as_slice() else {
            bail!("a depthwise convolution of {} inputs", inputs.len())
        };
        let mut output = Tensor::zero::<f32>(maps.shape())?;
        if let Some(planes) = Planes::of(maps.shape()) {
            let input = maps.try_as_plain_ram()?.as_slice()?;
            let kernels = kernels.try_as_plain_ram()?.as_slice()?;
            let bias = bias.try_as_plain_ram()?.as_slice()?;
            let mut plain = output.try_as_plain_ram_mut()?;
            let output = plain.as_slice_mut()?;
            WORKSPACE.with_borrow_mut(|workspace| {
                pulp::Arch::new().dispatch(DepthwiseRun { planes, input, kernels, bias, output, workspace });
            });
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Depthwise3x3 {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }
}
