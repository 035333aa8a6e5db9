//! Depthwise 3x3 convolutions of small maps.

use tract_onnx::prelude::{DatumType, TValue, TVec, Tensor, TractResult, TypedFact, TypedNode, tvec};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TypedOp, Validation, as_op, bail, op_as_typed_op, op_out_of_plan,
};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::value::IntoTValue as _;

use super::Planes;

/// From this width on tract's own operator is as fast: there the edges hardly count.
const WIDE: usize = 64;
/// Numbers of a kernel.
const TAPS: usize = 9;

/// A 3x3 convolution of each channel by itself, stride 1, with a border of zeros that keeps the map's size. Inputs: the
/// maps, the kernels `[channels, 1, 3, 3]` and the bias, one number or one per channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SmallDepthwise;

impl SmallDepthwise {
    /// The same as this node, if it is such a convolution on small maps of known size, channels first, one at a time.
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
        (depthwise && keeps_size && floats && stored && planes.columns < WIDE).then_some(Self)
    }
}

/// Each plane gets a border of zeros first, so that no row needs to know about edges.
fn convolve(planes: Planes, input: &[f32], kernels: &[f32], bias: &[f32], output: &mut [f32]) {
    let wide = planes.columns + 2;
    let mut padded = vec![0.0; wide * (planes.rows + 2)];
    let maps = input.chunks_exact(planes.size()).zip(output.chunks_exact_mut(planes.size()));
    let kernels = kernels.chunks_exact(TAPS).zip(bias.iter().cycle());
    for ((map, target), (kernel, &bias)) in maps.zip(kernels) {
        let inner = padded[wide..].chunks_exact_mut(wide);
        for (row, padded) in map.chunks_exact(planes.columns).zip(inner) {
            padded[1..=planes.columns].copy_from_slice(row);
        }
        for (at, target) in target.chunks_exact_mut(planes.columns).enumerate() {
            let rows = &padded[at * wide..][..3 * wide];
            convolve_row(target, [0, 1, 2].map(|row| &rows[row * wide..][..wide]), kernel, bias);
        }
    }
}

/// One row of the output, from the three rows around it, each with a number more on both sides.
fn convolve_row(target: &mut [f32], rows: [&[f32]; 3], kernel: &[f32], bias: f32) {
    target.fill(bias);
    let length = target.len();
    for (row, taps) in rows.into_iter().zip(kernel.chunks_exact(3)) {
        let &[first, second, third] = taps else { continue };
        let (left, middle, right) = (&row[..length], &row[1..=length], &row[2..length + 2]);
        // Iterators, not places: only so does the compiler take several numbers at a time.
        let places = target.iter_mut().zip(left).zip(middle).zip(right);
        for (((value, left), middle), right) in places {
            *value += first * left + (second * middle + third * right);
        }
    }
}

impl Op for SmallDepthwise {
    fn name(&self) -> StaticName {
        "SmallDepthwise".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for SmallDepthwise {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [maps, kernels, bias] = inputs.as_slice() else {
            bail!("a depthwise convolution of {} inputs", inputs.len())
        };
        let mut output = Tensor::zero::<f32>(maps.shape())?;
        if let Some(planes) = Planes::of(maps.shape()) {
            convolve(
                planes,
                maps.try_as_plain_ram()?.as_slice()?,
                kernels.try_as_plain_ram()?.as_slice()?,
                bias.try_as_plain_ram()?.as_slice()?,
                output.try_as_plain_ram_mut()?.as_slice_mut()?,
            );
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for SmallDepthwise {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec!(inputs[0].without_value()))
    }
}
