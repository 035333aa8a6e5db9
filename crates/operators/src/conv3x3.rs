//! Convolutions of 3x3 over all channels.

use std::cell::RefCell;
use std::sync::Arc;

use tract_onnx::prelude::{DatumType, OutletId, TDim, TValue, TVec, Tensor, TractResult, TypedFact, TypedModel, tvec};
use tract_onnx::tract_core::internal::{
    Cost, EvalContext, EvalOp, Op, StaticName, TypedOp, Validation, as_op, bail, op_as_typed_op, op_out_of_plan,
};
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat};
use tract_onnx::tract_core::value::IntoTValue as _;

use super::Planes;

/// Numbers of a kernel of one channel.
const TAPS: usize = 9;
/// How many output channels are computed together, and how many vectors of each: their sums and what they are made of fit
/// into the registers of AVX2 (12 sums, 3 inputs, 1 weight).
const CHANNELS: usize = 4;
const VECTORS: usize = 3;
/// Maps with fewer places are left to tract.
const LEAST_PLACES: usize = 256;
/// About how many bytes of the input are worked on at a time: they stay in the second cache.
const BAND_BYTES: usize = 128 * 1024;

/// A 3x3 convolution with stride 1. Its input is the maps alone: kernels and bias are constants of the graph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Conv3x3 {
    /// `[output channels / 4, input channels, 9, 4]`: the four output channels that are computed together are neighbours.
    kernels: Arc<Tensor>,
    /// One number per output channel, up to a multiple of four.
    bias: Arc<Tensor>,
    inputs: usize,
    outputs: usize,
    border: Border,
}

/// Rows and columns of zeros around a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Border {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}

impl Border {
    /// Rows and columns of what comes of a map; `None` where it is smaller than a kernel.
    fn output_size(&self, rows: usize, columns: usize) -> Option<(usize, usize)> {
        let rows = (rows + self.top + self.bottom).checked_sub(2)?;
        let columns = (columns + self.left + self.right).checked_sub(2)?;
        (rows > 0 && columns > 0).then_some((rows, columns))
    }
}

impl Conv3x3 {
    /// The same as this node and the maps that it takes, if it is such a convolution on maps of known size, channels
    /// first, one at a time.
    pub(super) fn instead_of(model: &TypedModel, id: usize) -> TractResult<Option<(Self, OutletId)>> {
        let node = model.node(id);
        let facts = model.node_input_facts(id)?;
        let (Some(convolution), [maps, kernels, bias]) = (node.op_as::<Conv>(), facts.as_slice()) else {
            return Ok(None);
        };
        let spec = &convolution.pool_spec;
        let Some([1, channels, rows, columns]) = maps.shape.as_concrete() else { return Ok(None) };
        let plain = convolution.group == 1
            && convolution.q_params.is_none()
            && convolution.kernel_fmt == KernelFormat::OIHW
            && !spec.data_format.c_is_last()
            && spec.kernel_shape.as_slice() == [3, 3]
            && spec.strides().iter().chain(spec.dilations().iter()).all(|&step| step == 1);
        if !plain {
            return Ok(None);
        }
        let padding = spec.computed_padding(&[*rows, *columns]);
        let (vertical, horizontal) = (&padding[0], &padding[1]);
        let border = Border {
            top: vertical.pad_before,
            left: horizontal.pad_before,
            bottom: vertical.pad_after,
            right: horizontal.pad_after,
        };
        let floats = facts.iter().all(|fact| fact.datum_type == DatumType::F32);
        let fits = border.output_size(*rows, *columns) == Some((vertical.convoluted, horizontal.convoluted));
        let (Some(kernels), Some(bias), true) = (&kernels.konst, &bias.konst, floats && fits) else {
            return Ok(None);
        };
        // Of small maps, whose rows fill no vectors, tract's product of matrices is faster.
        if vertical.convoluted * horizontal.convoluted < LEAST_PLACES {
            return Ok(None);
        }
        let outputs = spec.output_channels;
        if kernels.shape() != [outputs, *channels, 3, 3] || !(bias.len() == 1 || bias.len() == outputs) || outputs == 0
        {
            return Ok(None);
        }
        let operator = Self {
            kernels: Arc::new(packed(kernels, outputs, *channels)?),
            bias: Arc::new(padded(bias, outputs)?),
            inputs: *channels,
            outputs,
            border,
        };
        Ok(Some((operator, node.inputs[0])))
    }
}

/// The kernels in the order in which they are used; channels that fill up the last four are zeros.
fn packed(kernels: &Tensor, outputs: usize, inputs: usize) -> TractResult<Tensor> {
    let groups = outputs.div_ceil(CHANNELS);
    let mut packed = vec![0.0; groups * inputs * TAPS * CHANNELS];
    let plain = kernels.try_as_plain_ram()?;
    let kernels: &[f32] = plain.as_slice()?;
    for (output, kernel) in kernels.chunks_exact(inputs * TAPS).enumerate() {
        let group = &mut packed[output / CHANNELS * inputs * TAPS * CHANNELS..];
        for (at, weight) in kernel.iter().enumerate() {
            group[at * CHANNELS + output % CHANNELS] = *weight;
        }
    }
    Tensor::from_shape(&[groups, inputs, TAPS, CHANNELS], &packed)
}

fn padded(bias: &Tensor, outputs: usize) -> TractResult<Tensor> {
    let plain = bias.try_as_plain_ram()?;
    let bias: &[f32] = plain.as_slice()?;
    let mut padded: Vec<f32> = bias.iter().copied().cycle().take(outputs).collect();
    padded.resize(outputs.next_multiple_of(CHANNELS), 0.0);
    Tensor::from_shape(&[padded.len()], &padded)
}

thread_local! {
    /// What [`Convolution`] works in, kept from one to the next.
    static WORKSPACE: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// One run of the operator.
struct Convolution<'a> {
    /// Of the input.
    planes: Planes,
    border: Border,
    input: &'a [f32],
    kernels: &'a [f32],
    bias: &'a [f32],
    /// Rows and columns of what comes out.
    size: (usize, usize),
    output: &'a mut [f32],
    workspace: &'a mut Vec<f32>,
}

impl pulp::WithSimd for Convolution<'_> {
    type Output = ();

    /// Each plane gets its border first, so that no row needs to know about edges. Its rows with their borders are one
    /// long row then: the sums over the ends of two rows mean nothing and are left behind.
    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let Self { planes, border, input, kernels, bias, size: (out_rows, out_columns), output, workspace } = self;
        let wide = out_columns + 2;
        let step = VECTORS * S::F32_LANES;
        // What the last vectors of a band reach beyond its end.
        let slack = step + 2;
        let plane = wide * (out_rows + 2) + slack;
        let rows = (BAND_BYTES / 4 / planes.count / wide).clamp(1, out_rows);
        let sums = (rows * wide).next_multiple_of(step);
        workspace.clear();
        workspace.resize(planes.count * plane + CHANNELS * sums, 0.0);
        let (bordered, all_sums) = workspace.split_at_mut(planes.count * plane);
        for (map, bordered) in input.chunks_exact(planes.size()).zip(bordered.chunks_exact_mut(plane)) {
            let inner = bordered[border.top * wide..].chunks_exact_mut(wide);
            for (row, bordered) in map.chunks_exact(planes.columns).zip(inner) {
                bordered[border.left..border.left + planes.columns].copy_from_slice(row);
            }
        }
        let size = out_rows * out_columns;
        for first in (0..out_rows).step_by(rows) {
            let rows = rows.min(out_rows - first);
            let groups = kernels.chunks_exact(planes.count * TAPS * CHANNELS).zip(bias.chunks_exact(CHANNELS));
            for (group, (kernels, bias)) in groups.enumerate() {
                for at in (0..rows * wide).step_by(step) {
                    let window = &bordered[first * wide + at..];
                    convolve(simd, all_sums, (at, sums), window, (plane, wide), kernels, bias);
                }
                let targets = output.chunks_exact_mut(size).skip(group * CHANNELS).take(CHANNELS);
                for (target, sums) in targets.zip(all_sums.chunks_exact(sums)) {
                    let target = target[first * out_columns..].chunks_exact_mut(out_columns).take(rows);
                    for (target, sums) in target.zip(sums.chunks_exact(wide)) {
                        target.copy_from_slice(&sums[..out_columns]);
                    }
                }
            }
        }
    }
}

/// The sums of [`CHANNELS`] output channels at [`VECTORS`] vectors of places: `window` begins at the upper left number of
/// the first place's window in the first plane.
#[inline(always)]
fn convolve<S: pulp::Simd>(
    simd: S,
    sums: &mut [f32],
    (at, length): (usize, usize),
    window: &[f32],
    (plane, wide): (usize, usize),
    kernels: &[f32],
    bias: &[f32],
) {
    let lanes = S::F32_LANES;
    let mut totals = [[simd.splat_f32s(0.0); VECTORS]; CHANNELS];
    for (totals, bias) in totals.iter_mut().zip(bias) {
        *totals = [simd.splat_f32s(*bias); VECTORS];
    }
    // Arrays of known length: only so do the sums stay in registers.
    let (weights, _) = kernels.as_chunks::<CHANNELS>();
    let (kernels, _) = weights.as_chunks::<TAPS>();
    for (channel, kernel) in kernels.iter().enumerate() {
        for row in 0..3 {
            let from = channel * plane + row * wide;
            let numbers = &window[from..from + VECTORS * lanes + 2];
            for column in 0..3 {
                let (vectors, _) = S::as_simd_f32s(&numbers[column..column + VECTORS * lanes]);
                let Ok(vectors) = <&[S::f32s; VECTORS]>::try_from(vectors) else { return };
                let weights = &kernel[3 * row + column];
                for channel in 0..CHANNELS {
                    let weight = simd.splat_f32s(weights[channel]);
                    for at in 0..VECTORS {
                        totals[channel][at] = simd.mul_add_e_f32s(weight, vectors[at], totals[channel][at]);
                    }
                }
            }
        }
    }
    for (totals, sums) in totals.iter().zip(sums.chunks_exact_mut(length)) {
        let (target, _) = S::as_mut_simd_f32s(&mut sums[at..at + VECTORS * lanes]);
        target.copy_from_slice(totals);
    }
}

impl Op for Conv3x3 {
    fn name(&self) -> StaticName {
        "Conv3x3".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for Conv3x3 {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [maps] = inputs.as_slice() else { bail!("a convolution of {} inputs", inputs.len()) };
        let &[1, channels, rows, columns] = maps.shape() else { bail!("a convolution of {:?}", maps.shape()) };
        if channels != self.inputs {
            bail!("a convolution of {channels} channels instead of {}", self.inputs);
        }
        let Some(size) = self.border.output_size(rows, columns) else { bail!("a convolution of {:?}", maps.shape()) };
        let mut output = Tensor::zero::<f32>(&[1, self.outputs, size.0, size.1])?;
        if let Some(planes) = Planes::of(maps.shape()) {
            let input = maps.try_as_plain_ram()?.as_slice()?;
            let (kernels, bias) = (self.kernels.try_as_plain_ram()?, self.bias.try_as_plain_ram()?);
            let (kernels, bias) = (kernels.as_slice()?, bias.as_slice()?);
            let mut plain = output.try_as_plain_ram_mut()?;
            let output = plain.as_slice_mut()?;
            WORKSPACE.with_borrow_mut(|workspace| {
                let border = self.border;
                pulp::Arch::new().dispatch(Convolution {
                    planes,
                    border,
                    input,
                    kernels,
                    bias,
                    size,
                    output,
                    workspace,
                });
            });
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for Conv3x3 {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let (rows, columns) = self.size_of(inputs[0])?;
        Ok(tvec!(TypedFact::dt_shape(DatumType::F32, [1, self.outputs, rows, columns])))
    }

    fn cost(&self, inputs: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let (rows, columns) = self.size_of(inputs[0])?;
        let multiply_adds = rows * columns * TAPS * self.inputs * self.outputs;
        Ok(tvec!((Cost::FMA(DatumType::F32), multiply_adds.into())))
    }
}

impl Conv3x3 {
    /// Rows and columns of what comes of these maps.
    fn size_of(&self, maps: &TypedFact) -> TractResult<(usize, usize)> {
        let size = match maps.shape.as_concrete() {
            Some(&[_, _, rows, columns]) => self.border.output_size(rows, columns),
            _ => None,
        };
        let Some(size) = size else { bail!("a convolution of {:?}", maps.shape) };
        Ok(size)
    }
}
