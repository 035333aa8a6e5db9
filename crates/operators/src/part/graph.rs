//! What the nodes of a graph do, in the words of the steps.

use std::collections::HashMap;
use std::sync::Arc;

use tract_onnx::prelude::{
    DatumType, IntoArcTensor as _, OutletId, Tensor, TractResult, TypedFact, TypedModel, TypedNode,
};
use tract_onnx::tract_core::internal::AxisOp;
use tract_onnx::tract_core::ops::array::{MultiBroadcastTo, Pad, PadMode, Slice, StridedSlice, TypedConcat};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::downsample::Downsample;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::identity::Identity;
use tract_onnx::tract_core::ops::konst::Const;
use tract_onnx::tract_core::ops::nn::{LeakyRelu, Reduce, Reducer};
use tract_onnx::tract_core::ops::source::TypedSource;
use tract_onnx::tract_core::value::IntoTValue as _;

use super::activation::Activation;
use super::depthwise::Windows;
use super::plain::Binary;

/// Larger tensors are left to tract: tables tell where their numbers come from.
const MOST_NUMBERS: usize = 8 << 20;

/// What a node does.
#[derive(Clone, Debug)]
pub(crate) enum NodeKind {
    /// Over all channels. Weights: output channels x input channels x rows x columns.
    Conv {
        weights: Vec<f32>,
        bias: Vec<f32>,
        windows: Windows,
    },
    /// Each channel by itself. Weights: channels x rows x columns.
    Depthwise {
        weights: Vec<f32>,
        bias: Vec<f32>,
        windows: Windows,
    },
    /// The largest, or the sum times a factor.
    Pool {
        factor: Option<f32>,
        windows: Windows,
    },
    Product(Product),
    Activation(Activation),
    Binary(Binary),
    /// The numbers stay as they lie.
    Relabel,
    /// For each axis of the result, which one of the input it is.
    Transpose(Vec<usize>),
    /// Along each axis, from a start on, with a step.
    Slice(Vec<AxisCut>),
    /// Zeros before each axis.
    Pad(Vec<usize>),
    Concat(usize),
    Broadcast,
    /// Sum or maximum over neighbouring axes.
    Reduce {
        max: bool,
        axes: std::ops::Range<usize>,
    },
}

/// What is taken of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AxisCut {
    pub start: usize,
    pub step: usize,
}

impl AxisCut {
    pub const ALL: Self = Self { start: 0, step: 1 };
}

/// A product with a constant matrix: `count` times (`rows` x `inputs`) times (`inputs` x `outputs`).
#[derive(Clone, Debug)]
pub(crate) struct Product {
    /// Which input is not constant.
    pub input: usize,
    pub count: usize,
    pub rows: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// count x inputs x outputs.
    pub weights: Vec<f32>,
}

/// Constants and kinds of the nodes.
pub(crate) struct KnownNodes<'a> {
    pub model: &'a TypedModel,
    pub order: Vec<usize>,
    constants: HashMap<usize, Arc<Tensor>>,
    pub kinds: HashMap<usize, NodeKind>,
}

impl<'a> KnownNodes<'a> {
    pub fn of(model: &'a TypedModel) -> TractResult<Self> {
        let order = model.eval_order()?;
        let mut known = Self { model, order: Vec::new(), constants: HashMap::new(), kinds: HashMap::new() };
        for &id in &order {
            let node = model.node(id);
            if let Some(constant) = known.evaluated(node) {
                known.constants.insert(id, constant);
            } else if let Some(kind) = known.kind(node) {
                known.kinds.insert(id, kind);
            }
        }
        known.order = order;
        Ok(known)
    }

    /// The value of a node that has the same in every run.
    fn evaluated(&self, node: &TypedNode) -> Option<Arc<Tensor>> {
        if node.op_is::<TypedSource>() || node.outputs.len() != 1 {
            return None;
        }
        if let Some(constant) = node.op_as::<Const>() {
            return Some(constant.val().clone());
        }
        if let Some(constant) = &node.outputs[0].fact.konst {
            return Some(constant.clone());
        }
        let inputs = node.inputs.iter().map(|input| Some(self.constant(*input)?.clone().into_tvalue()));
        let inputs = inputs.collect::<Option<_>>()?;
        if node.inputs.is_empty() {
            return None;
        }
        let mut outputs = node.op.eval_out_of_plan(inputs).ok()??;
        Some(outputs.pop()?.into_arc_tensor())
    }

    /// The value of this, if it is the same in every run.
    pub fn constant(&self, outlet: OutletId) -> Option<&Arc<Tensor>> {
        self.constants.get(&outlet.node).filter(|_| outlet.slot == 0)
    }

    /// The numbers of a constant.
    pub fn numbers(&self, outlet: OutletId) -> Option<Vec<f32>> {
        let tensor = self.constant(outlet)?;
        if tensor.datum_type() != DatumType::F32 {
            return None;
        }
        Some(tensor.try_as_plain_ram().ok()?.as_slice::<f32>().ok()?.to_vec())
    }

    /// The one number that this constant consists of.
    fn uniform(&self, outlet: OutletId) -> Option<f32> {
        let numbers = self.numbers(outlet)?;
        let (first, others) = numbers.split_first()?;
        others.iter().all(|other| other == first).then_some(*first)
    }

    /// The shape of this, if it is floats of known size.
    pub fn shape(&self, outlet: OutletId) -> Option<&'a [usize]> {
        let fact: &TypedFact = self.model.outlet_fact(outlet).ok()?;
        fact.shape.as_concrete().filter(|shape| fact.datum_type == DatumType::F32 && !shape.contains(&0))
    }

    fn kind(&self, node: &TypedNode) -> Option<NodeKind> {
        if node.outputs.len() != 1 || node.inputs.is_empty() {
            return None;
        }
        let output = self.shape(node.id.into())?;
        let input = self.shape(node.inputs[0])?;
        let large =
            |outlet: &OutletId| self.shape(*outlet).is_some_and(|shape| shape.iter().product::<usize>() > MOST_NUMBERS);
        if large(&node.id.into()) || node.inputs.iter().any(large) {
            return None;
        }
        if node.op_is::<Conv>() {
            return self.convolution(node, input);
        }
        if let Some(pool) = node.op_as::<MaxPool>() {
            pool.with_index_outputs.is_none().then_some(())?;
            return Some(NodeKind::Pool { factor: None, windows: windows(&pool.pool_spec, input, output)? });
        }
        if let Some(pool) = node.op_as::<SumPool>() {
            let windows = windows(&pool.pool_spec, input, output)?;
            let padded = windows.before != [0, 0]
                || (0..2).any(|a| (windows.results[a] - 1) * windows.strides[a] + windows.kernel[a] > windows.size[a]);
            let factor = if pool.normalize { 1.0 / windows.kernel.iter().product::<usize>() as f32 } else { 1.0 };
            return (!padded).then_some(NodeKind::Pool { factor: Some(factor), windows });
        }
        if node.op_is::<EinSum>() {
            return self.product(node).map(NodeKind::Product);
        }
        if let Some(op) = node.op_as::<ElementWiseOp>() {
            return elementwise(op).map(NodeKind::Activation);
        }
        if let Some(op) = node.op_as::<TypedBinOp>() {
            return self.binary(node, op);
        }
        if let Some(op) = node.op_as::<AxisOp>() {
            return match op {
                AxisOp::Move(from, to) => {
                    let mut axes: Vec<usize> = (0..input.len()).collect();
                    let axis = axes.remove(*from);
                    axes.insert(*to, axis);
                    Some(NodeKind::Transpose(axes))
                }
                _ => Some(NodeKind::Relabel),
            };
        }
        if node.op_is::<Identity>() {
            return Some(NodeKind::Relabel);
        }
        if let Some(cuts) = self.cuts(node, input) {
            return Some(NodeKind::Slice(cuts));
        }
        if let Some(pad) = node.op_as::<Pad>() {
            let PadMode::Constant(with) = &pad.mode else { return None };
            let zero = with.cast_to_scalar::<f32>().ok()? == 0.0;
            return zero.then(|| NodeKind::Pad(pad.pads.iter().map(|(before, _)| *before).collect()));
        }
        if let Some(concat) = node.op_as::<TypedConcat>() {
            node.inputs.iter().try_for_each(|input| self.shape(*input).map(|_| ()))?;
            return Some(NodeKind::Concat(concat.axis));
        }
        if node.op_is::<MultiBroadcastTo>() {
            return (input.len() == output.len()).then_some(NodeKind::Broadcast);
        }
        if let Some(reduce) = node.op_as::<Reduce>() {
            let max = match reduce.reducer {
                Reducer::Sum => false,
                Reducer::Max => true,
                _ => return None,
            };
            let (first, last) = (*reduce.axes.iter().min()?, *reduce.axes.iter().max()?);
            let neighbours = last + 1 - first == reduce.axes.len();
            return neighbours.then_some(NodeKind::Reduce { max, axes: first..last + 1 });
        }
        None
    }

    /// What a node takes of each axis.
    fn cuts(&self, node: &TypedNode, input: &[usize]) -> Option<Vec<AxisCut>> {
        let mut cuts = vec![AxisCut::ALL; input.len()];
        if let Some(slice) = node.op_as::<Slice>() {
            cuts[slice.axis].start = usize::try_from(slice.start.to_i64().ok()?).ok()?;
            return Some(cuts);
        }
        if let Some(sample) = node.op_as::<Downsample>() {
            cuts[sample.axis] = AxisCut { start: sample.modulo, step: usize::try_from(sample.stride).ok()? };
            return Some(cuts);
        }
        let slice = node.op_as::<StridedSlice>()?;
        if (slice.begin_mask, slice.shrink_axis_mask) != (0, 0) {
            return None;
        }
        let integers = |slot: Option<usize>| {
            let Some(slot) = slot else { return Some(None) };
            let tensor = self.constant(*node.inputs.get(slot)?)?.cast_to::<i64>().ok()?;
            Some(Some(tensor.try_as_plain_ram().ok()?.as_slice::<i64>().ok()?.to_vec()))
        };
        let starts = integers(Some(1))??;
        let (axes, steps) = (integers(slice.optional_axes_input)?, integers(slice.optional_steps_input)?);
        for (at, start) in starts.iter().enumerate() {
            let axis = axes.as_ref().map_or(Some(at as i64), |axes| axes.get(at).copied())?;
            let axis = usize::try_from(if axis < 0 { axis + input.len() as i64 } else { axis }).ok()?;
            let len = *input.get(axis)? as i64;
            let start = if *start < 0 { (start + len).max(0) } else { (*start).min(len) };
            let step = steps.as_ref().map_or(Some(1), |steps| steps.get(at).copied())?;
            let step = usize::try_from(step).ok().filter(|&step| step > 0)?;
            cuts[axis] = AxisCut { start: usize::try_from(start).ok()?, step };
        }
        Some(cuts)
    }

    fn convolution(&self, node: &TypedNode, input: &[usize]) -> Option<NodeKind> {
        let op = node.op_as::<Conv>()?;
        let [_, kernel, bias] = node.inputs.as_slice() else { return None };
        let output = self.shape(node.id.into())?;
        let windows = windows(&op.pool_spec, input, output)?;
        let outputs = op.pool_spec.output_channels;
        let weights = self.numbers(*kernel)?;
        let bias = self.numbers(*bias)?;
        let bias = match bias.as_slice() {
            [one] => vec![*one; outputs],
            all => (all.len() == outputs).then_some(bias)?,
        };
        let taps: usize = windows.kernel.iter().product();
        let plain = op.q_params.is_none() && op.kernel_fmt == KernelFormat::OIHW && output[1] == outputs;
        if !plain {
            return None;
        }
        if op.group == 1 {
            return (weights.len() == outputs * windows.channels * taps).then_some(NodeKind::Conv {
                weights,
                bias,
                windows,
            });
        }
        let depthwise = op.group == windows.channels && outputs == windows.channels && weights.len() == outputs * taps;
        depthwise.then_some(NodeKind::Depthwise { weights, bias, windows })
    }

    fn binary(&self, node: &TypedNode, op: &TypedBinOp) -> Option<NodeKind> {
        let [a, b] = node.inputs.as_slice() else { return None };
        let (Some(left), Some(right)) = (self.shape(*a), self.shape(*b)) else { return None };
        if op.1.is_some() || left.len() != right.len() {
            return None;
        }
        let binary = match op.0.name() {
            "Add" => Binary::Add,
            "Sub" => Binary::Sub,
            "Mul" => Binary::Mul,
            "Div" => Binary::Div,
            "Max" => Binary::Max,
            "Min" => Binary::Min,
            _ => return None,
        };
        if matches!(binary, Binary::Max | Binary::Min) {
            let bound = self.uniform(*b).or_else(|| self.uniform(*a));
            match (binary, bound) {
                (Binary::Max, Some(low)) => return Some(NodeKind::Activation(Activation::Clip(low, f32::INFINITY))),
                (Binary::Min, Some(high)) => {
                    return Some(NodeKind::Activation(Activation::Clip(f32::NEG_INFINITY, high)));
                }
                _ => {}
            }
        }
        Some(NodeKind::Binary(binary))
    }

    /// The product that an Einstein sum of something and a constant is.
    fn product(&self, node: &TypedNode) -> Option<Product> {
        let op = node.op_as::<EinSum>()?;
        let [a, b] = node.inputs.as_slice() else { return None };
        if op.q_params.is_some() || op.operating_dt != DatumType::F32 {
            return None;
        }
        let input = usize::from(self.constant(*b).is_none());
        let (data, constant) = if input == 0 { (*a, *b) } else { (*b, *a) };
        let numbers = self.numbers(constant)?;
        let (data, matrix) = (self.shape(data)?, self.shape(constant)?);
        let output = self.shape(node.id.into())?;
        let mut found: [Vec<AxisPlaces>; 4] = Default::default();
        for axis in op.axes.iter_all_axes() {
            let one = |axes: &[usize]| match axes {
                [] => Some(None),
                [axis] => Some(Some(*axis)),
                _ => None,
            };
            let at = AxisPlaces {
                data: one(&axis.inputs[input])?,
                matrix: one(&axis.inputs[1 - input])?,
                output: one(&axis.outputs[0])?,
            };
            // The lengths of an axis may be one where it is only repeated.
            let len = |shape: &[usize], axis: Option<usize>| axis.map_or(1, |axis| shape[axis]);
            let lens = [len(data, at.data), len(matrix, at.matrix), len(output, at.output)];
            let most = *lens.iter().max()?;
            if most == 1 {
                continue;
            }
            let kind = match lens.map(|len| len == most) {
                [true, true, true] => 0,
                [true, false, true] => 1,
                [true, true, false] if at.output.is_none() => 2,
                [false, true, true] => 3,
                _ => return None,
            };
            found[kind].push(at);
        }
        let [batch, rows, inner, columns] = &found;
        // The numbers of the input lie as batches of rows, those of the output too.
        let ascending = |axes: Vec<Option<usize>>| axes.is_sorted();
        let of = |parts: &[&[AxisPlaces]], pick: fn(&AxisPlaces) -> Option<usize>| {
            parts.iter().flat_map(|part| part.iter().map(pick)).collect::<Vec<_>>()
        };
        let plain = ascending(of(&[batch, rows, inner], |at| at.data))
            && ascending(of(&[batch, rows, columns], |at| at.output));
        if !plain || (batch.len() + rows.len() > 1 && !batch.is_empty() && !rows.is_empty()) {
            return None;
        }
        let size = |part: &[AxisPlaces], shape: &[usize], pick: fn(&AxisPlaces) -> Option<usize>| -> usize {
            part.iter().filter_map(pick).map(|axis| shape[axis]).product()
        };
        let (count, inputs) = (size(batch, data, |at| at.data), size(inner, data, |at| at.data));
        let (row_count, outputs) = (size(rows, data, |at| at.data), size(columns, matrix, |at| at.matrix));
        let mut steps = vec![1; matrix.len()];
        for axis in (1..matrix.len()).rev() {
            steps[axis - 1] = steps[axis] * matrix[axis];
        }
        let offset = |part: &[AxisPlaces], mut at: usize| {
            let mut sum = 0;
            for axis in part.iter().rev().filter_map(|at| at.matrix) {
                sum += at % matrix[axis] * steps[axis];
                at /= matrix[axis];
            }
            sum
        };
        let mut weights = Vec::with_capacity(count * inputs * outputs);
        for product in 0..count {
            for input in 0..inputs {
                let from = offset(batch, product) + offset(inner, input);
                weights.extend((0..outputs).map(|output| numbers[from + offset(columns, output)]));
            }
        }
        Some(Product { input, count, rows: row_count, inputs, outputs, weights })
    }
}

/// Where an axis of an Einstein sum is.
struct AxisPlaces {
    data: Option<usize>,
    matrix: Option<usize>,
    output: Option<usize>,
}

/// The windows of a convolution or pooling of one map, channels first.
fn windows(spec: &PoolSpec, input: &[usize], output: &[usize]) -> Option<Windows> {
    let (&[1, channels, rows, columns], &[1, _, out_rows, out_columns]) = (input, output) else { return None };
    let (&[high, wide], &[down, across]) = (spec.kernel_shape.as_slice(), spec.strides().as_ref()) else { return None };
    if spec.data_format.c_is_last() || !spec.data_format.has_n() || spec.dilations().iter().any(|&step| step != 1) {
        return None;
    }
    let padding = spec.computed_padding(&[rows, columns]);
    let fits = padding[0].convoluted == out_rows && padding[1].convoluted == out_columns;
    let before = [padding[0].pad_before, padding[1].pad_before];
    let inside = before[0] < high && before[1] < wide;
    (fits && inside).then_some(Windows {
        size: [rows, columns],
        results: [out_rows, out_columns],
        kernel: [high, wide],
        strides: [down, across],
        before,
        channels,
    })
}

fn elementwise(op: &ElementWiseOp) -> Option<Activation> {
    if op.1.is_some() {
        return None;
    }
    if let Some(leaky) = op.0.downcast_ref::<LeakyRelu>() {
        return Some(Activation::Leaky(leaky.alpha));
    }
    match op.0.name().as_str() {
        "Tanh" => Some(Activation::Tanh),
        "Sigmoid" => Some(Activation::Sigmoid),
        "Sqrt" => Some(Activation::Sqrt),
        _ => None,
    }
}
