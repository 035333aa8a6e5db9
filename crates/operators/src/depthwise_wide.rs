//! Depthwise convolutions that [`Depthwise3x3`](super::depthwise::Depthwise3x3) is not made for: of 5x5, and those that go on by
//! two places at a time, as the networks for bodies have them.

use std::cell::RefCell;

use tract_onnx::prelude::{DatumType, TValue, TVec, Tensor, TractResult, TypedFact, TypedNode, tvec};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TypedOp, Validation, as_op, bail, op_as_typed_op, op_out_of_plan,
};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::value::IntoTValue as _;

use super::Planes;

/// A convolution of each channel by itself with a square kernel of 3 or 5 places a side, stride 1 or 2, and a border of zeros.
/// Inputs: the maps, the kernels `[channels, 1, side, side]` and the bias, one number or one per channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DepthwiseWide {
    side: usize,
    stride: usize,
    /// Rows of zeros above and columns of zeros to the left.
    before: [usize; 2],
    /// The shape of the result.
    shape: TVec<usize>,
}

impl DepthwiseWide {
    /// The same as this node, if it is such a convolution on maps of known size, channels first, one at a time.
    pub(super) fn instead_of(node: &TypedNode, inputs: &[&TypedFact]) -> Option<Self> {
        let convolution = node.op_as::<Conv>()?;
        let spec = &convolution.pool_spec;
        let [maps, kernel, bias] = inputs else { return None };
        let planes = Planes::of(maps.shape.as_concrete()?)?;
        let channels = planes.count;
        let depthwise =
            convolution.group == channels && spec.input_channels == channels && spec.output_channels == channels;
        let &[side, width] = spec.kernel_shape.as_slice() else { return None };
        let strides = spec.strides();
        let &[stride, across] = strides.as_ref() else { return None };
        let plain = convolution.q_params.is_none()
            && convolution.kernel_fmt == KernelFormat::OIHW
            && !spec.data_format.c_is_last()
            && matches!((side, stride), (3 | 5, 1 | 2))
            && (side, stride) == (width, across)
            && spec.dilations().iter().all(|&step| step == 1);
        let floats = inputs.iter().all(|fact| fact.datum_type == DatumType::F32);
        let stored = kernel.shape.as_concrete() == Some(&[channels, 1, side, side])
            && bias.shape.as_concrete().is_some_and(|shape| shape.is_empty() || shape == [channels]);
        if !(depthwise && plain && floats && stored) {
            return None;
        }
        let padding = spec.computed_padding(&[planes.rows, planes.columns]);
        let before = [padding[0].pad_before, padding[1].pad_before];
        let shape: TVec<usize> = node.outputs[0].fact.shape.as_concrete()?.into();
        let fits = Planes::of(&shape).is_some_and(|out| out.count == channels) && before.iter().all(|&pad| pad < side);
        fits.then_some(Self { side, stride, before, shape })
    }
}

thread_local! {
    /// What [`WideConvolution`] works in, kept from one to the next.
    static WORKSPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// One run of the operator.
struct WideConvolution<'a> {
    operator: &'a DepthwiseWide,
    planes: Planes,
    results: Planes,
    input: &'a [f32],
    kernels: &'a [f32],
    bias: &'a [f32],
    output: &'a mut [f32],
    workspace: &'a mut Vec<f32>,
}

impl pulp::WithSimd for WideConvolution<'_> {
    type Output = ();

    /// Each plane is put on a ground of zeros first, so that no row needs to know about edges. The sums of a row are made at every
    /// place, which takes several at a time, and of two places the first is kept where the convolution goes on by two.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        let Self { operator, planes, results, input, kernels, bias, output, workspace } = self;
        let DepthwiseWide { side, stride, before: [above, left], .. } = *operator;
        let length = (results.columns - 1) * stride + 1;
        let wide = (length + side - 1).max(left + planes.columns);
        let high = ((results.rows - 1) * stride + side).max(above + planes.rows);
        workspace.clear();
        workspace.resize(wide * high + length, 0.0);
        let (ground, sums) = workspace.split_at_mut(wide * high);
        let maps = input.chunks_exact(planes.size()).zip(output.chunks_exact_mut(results.size()));
        for ((map, target), (kernel, &bias)) in maps.zip(kernels.chunks_exact(side * side).zip(bias.iter().cycle())) {
            for (row, ground) in map.chunks_exact(planes.columns).zip(ground[above * wide..].chunks_exact_mut(wide)) {
                ground[left..left + planes.columns].copy_from_slice(row);
            }
            for (row, target) in target.chunks_exact_mut(results.columns).enumerate() {
                sums.fill(bias);
                let rows = ground[row * stride * wide..].chunks_exact(wide);
                for (row, taps) in rows.zip(kernel.chunks_exact(side)) {
                    match *taps {
                        [a, b, c] => three(sums, row, [a, b, c]),
                        [a, b, c, d, e] => five(sums, row, [a, b, c, d, e]),
                        _ => {}
                    }
                }
                for (target, &sum) in target.iter_mut().zip(sums.iter().step_by(stride)) {
                    *target = sum;
                }
            }
        }
    }
}

/// Adds a row's part of a kernel of three columns. Slices of known length let the compiler take several numbers at a time.
#[inline(always)]
fn three(sums: &mut [f32], row: &[f32], [a, b, c]: [f32; 3]) {
    let length = sums.len();
    let part = |from: usize| &row[from..from + length];
    let (x0, x1, x2) = (part(0), part(1), part(2));
    for i in 0..length {
        sums[i] += a * x0[i] + b * x1[i] + c * x2[i];
    }
}

/// Adds a row's part of a kernel of five columns.
#[inline(always)]
fn five(sums: &mut [f32], row: &[f32], [a, b, c, d, e]: [f32; 5]) {
    let length = sums.len();
    let part = |from: usize| &row[from..from + length];
    let (x0, x1, x2, x3, x4) = (part(0), part(1), part(2), part(3), part(4));
    for i in 0..length {
        sums[i] += a * x0[i] + b * x1[i] + c * x2[i] + d * x3[i] + e * x4[i];
    }
}

impl Op for DepthwiseWide {
    fn name(&self) -> StaticName {
        "DepthwiseWide".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for DepthwiseWide {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [maps, kernels, bias] = inputs.as_slice() else {
            bail!("a depthwise convolution of {} inputs", inputs.len())
        };
        let mut output = Tensor::zero::<f32>(&self.shape)?;
        if let (Some(planes), Some(results)) = (Planes::of(maps.shape()), Planes::of(&self.shape)) {
            let input = maps.try_as_plain_ram()?.as_slice()?;
            let kernels = kernels.try_as_plain_ram()?.as_slice()?;
            let bias = bias.try_as_plain_ram()?.as_slice()?;
            let mut plain = output.try_as_plain_ram_mut()?;
            let output = plain.as_slice_mut()?;
            WORKSPACE.with_borrow_mut(|workspace| {
                let operator = self;
                let run = WideConvolution { operator, planes, results, input, kernels, bias, output, workspace };
                pulp::Arch::new().dispatch(run);
            });
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for DepthwiseWide {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(TypedFact::dt_shape(inputs[0].datum_type, &*self.shape)))
    }
}
