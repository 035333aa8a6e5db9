//! Makes steps of the nodes of a part of a graph.

use std::collections::{HashMap, HashSet};

use tract_onnx::prelude::{OutletId, TractResult, TypedNode};
use tract_onnx::tract_core::internal::{bail, format_err};

use super::activation::Activation;
use super::aligned::Aligned;
use super::conv::{Conv, Parts};
use super::dense::Dense;
use super::depthwise::{Depthwise, WindowWork, Windows};
use super::fusing::Fusing;
use super::graph::{AxisCut, KnownNodes, NodeKind, Product};
use super::plain::{Copying, OperandIndex, Reduction};
use super::program::{PartProgram, PartStep, StepWork, ValueOrigin};
use crate::vectors::Registers;

/// How the numbers of a value lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum MapLayout {
    /// The last axis changes fastest.
    Flat,
    /// The second axis changes fastest: the channels of a place are neighbours. The first has length one.
    Map,
}

/// A value of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartValue {
    pub id: usize,
    pub layout: MapLayout,
}

/// How many nodes are made for one that asks for them, one for the other.
const DEEPEST: usize = 50;

/// Makes the program of a part.
pub(crate) struct Builder<'a> {
    pub known: &'a KnownNodes<'a>,
    /// The part's nodes.
    nodes: &'a HashSet<usize>,
    /// What other nodes take of it.
    outputs: &'a [OutletId],
    registers: Registers,
    values: HashMap<OutletId, PartValue>,
    /// Values in another layout than they were made in.
    turned: HashMap<(usize, MapLayout), usize>,
    origins: Vec<(usize, ValueOrigin)>,
    steps: Vec<PartStep>,
}

impl<'a> Builder<'a> {
    /// The program that gives these outputs of these inputs.
    pub fn program(
        known: &'a KnownNodes<'a>,
        nodes: &'a HashSet<usize>,
        inputs: &[OutletId],
        outputs: &'a [OutletId],
        arch: pulp::Arch,
    ) -> TractResult<PartProgram> {
        let mut builder = Self {
            known,
            nodes,
            outputs,
            registers: Registers::of(arch),
            values: HashMap::new(),
            turned: HashMap::new(),
            origins: Vec::new(),
            steps: Vec::new(),
        };
        for (at, &input) in inputs.iter().enumerate() {
            let id = builder.origin(builder.shape(input)?.iter().product(), ValueOrigin::Input(at));
            builder.values.insert(input, PartValue { id, layout: MapLayout::Flat });
        }
        builder.begin()?;
        let outputs = outputs.iter().map(|&output| builder.flat(output)).collect::<TractResult<Vec<usize>>>()?;
        Ok(PartProgram::new(arch, builder.steps, builder.origins, outputs))
    }

    /// Makes what surely is a value of its own, in the graph's order: what is left is made when it is asked for, and
    /// asks for what it needs in turn, which must not go deep.
    fn begin(&mut self) -> TractResult<()> {
        let known = self.known;
        let mut depths: HashMap<usize, usize> = HashMap::new();
        for &id in known.order.iter().filter(|id| self.nodes.contains(id)) {
            let inputs = &known.model.node(id).inputs;
            let multiplies =
                matches!(known.kinds[&id], NodeKind::Conv { .. } | NodeKind::Depthwise { .. } | NodeKind::Product(_));
            for &input in inputs {
                let depth = depths.get(&input.node).copied().unwrap_or(0);
                // A picture whose rows were put above each other is none.
                let own = multiplies && !matches!(known.kinds.get(&input.node), Some(NodeKind::Concat(_)));
                if self.nodes.contains(&input.node) && (own || depth > DEEPEST) {
                    self.value(input)?;
                    depths.insert(input.node, 0);
                }
            }
            let depth = inputs.iter().filter_map(|input| depths.get(&input.node)).max();
            depths.insert(id, depth.map_or(0, |depth| depth + 1));
        }
        Ok(())
    }

    fn origin(&mut self, len: usize, origin: ValueOrigin) -> usize {
        self.origins.push((len, origin));
        self.origins.len() - 1
    }

    pub fn shape(&self, outlet: OutletId) -> TractResult<&'a [usize]> {
        self.known.shape(outlet).ok_or_else(|| format_err!("a value of unknown size"))
    }

    /// Whether only one node takes this, and that is one of the part.
    pub fn is_passed_on(&self, outlet: OutletId) -> bool {
        let successors = &self.known.model.node(outlet.node).outputs[outlet.slot].successors;
        self.nodes.contains(&outlet.node)
            && successors.len() == 1
            && !self.outputs.contains(&outlet)
            && !self.values.contains_key(&outlet)
    }

    fn push(&mut self, name: &str, work: StepWork, from: Vec<usize>, shape: &[usize]) -> usize {
        let to = self.origin(shape.iter().product(), ValueOrigin::PartStep);
        self.steps.push(PartStep { name: name.to_owned(), work, from, to, shape: shape.to_vec() });
        to
    }

    /// The value of this, made now if it has not been before.
    pub fn value(&mut self, outlet: OutletId) -> TractResult<PartValue> {
        if let Some(value) = self.values.get(&outlet) {
            return Ok(*value);
        }
        if let Some(numbers) = self.known.numbers(outlet) {
            let id = self.origin(numbers.len(), ValueOrigin::Constant(numbers));
            let value = PartValue { id, layout: MapLayout::Flat };
            self.values.insert(outlet, value);
            return Ok(value);
        }
        if let Some((last, value)) = Fusing::towards(self, outlet)? {
            self.values.insert(last, value);
            if last == outlet {
                return Ok(value);
            }
        }
        let value = self.node(outlet.node)?;
        self.values.insert(outlet, value);
        Ok(value)
    }

    /// The value with its last axis fastest.
    fn flat(&mut self, outlet: OutletId) -> TractResult<usize> {
        let value = self.value(outlet)?;
        let shape = self.shape(outlet)?;
        self.turn(outlet, value, MapLayout::Flat, shape)
    }

    /// The value with the channels of a place as neighbours.
    pub fn map(&mut self, outlet: OutletId) -> TractResult<usize> {
        let value = self.value(outlet)?;
        let shape = self.shape(outlet)?;
        self.turn(outlet, value, MapLayout::Map, shape)
    }

    fn turn(&mut self, outlet: OutletId, value: PartValue, layout: MapLayout, shape: &[usize]) -> TractResult<usize> {
        // With one channel or one place, both are the same.
        let both = shape.get(1).is_none_or(|&channels| channels == 1) || shape[2..].iter().product::<usize>() == 1;
        if value.layout == layout || both {
            return Ok(value.id);
        }
        if let Some(id) = self.turned.get(&(value.id, layout)) {
            return Ok(*id);
        }
        let [1, channels, ..] = *shape else { bail!("{shape:?} is no map") };
        let work = match layout {
            MapLayout::Map => StepWork::FromPlanes(channels),
            MapLayout::Flat => StepWork::ToPlanes(channels),
        };
        let name = self.known.model.node(outlet.node).name.clone();
        let id = self.push(&name, work, vec![value.id], shape);
        self.turned.insert((value.id, layout), id);
        Ok(id)
    }

    /// The step of one node.
    fn node(&mut self, id: usize) -> TractResult<PartValue> {
        let known = self.known;
        let node = known.model.node(id);
        let Some(kind) = known.kinds.get(&id) else { bail!("{} is no step", node.name) };
        let shape = self.shape(id.into())?;
        let input = node.inputs[0];
        let name = node.name.as_str();
        let flat = |id| Ok(PartValue { id, layout: MapLayout::Flat });
        let map = |id| Ok(PartValue { id, layout: MapLayout::Map });
        match kind {
            NodeKind::Conv { .. } | NodeKind::Depthwise { .. } | NodeKind::Product(_) => bail!("{name} was left out"),
            NodeKind::Pool { factor, windows } => {
                let from = self.map(input)?;
                let work = factor.map_or(WindowWork::Max, WindowWork::Sum);
                let pool = Depthwise::new(*windows, work, Activation::None);
                map(self.push(name, StepWork::Depthwise(pool), vec![from], shape))
            }
            NodeKind::Activation(activation) => {
                let activated = self.activated(node)?;
                let value = self.value(activated)?;
                let id = self.push(name, StepWork::Activation(*activation), vec![value.id], shape);
                Ok(PartValue { id, layout: value.layout })
            }
            NodeKind::Binary(binary) => {
                let [a, b] = [node.inputs[0], node.inputs[1]];
                let (left, right) = (self.value(a)?, self.value(b)?);
                let same = |builder: &Self, outlet| builder.shape(outlet).is_ok_and(|other| other == shape);
                let layout = if left.layout == right.layout || (same(self, a) && !same(self, b)) {
                    left.layout
                } else if same(self, b) && !same(self, a) {
                    right.layout
                } else {
                    MapLayout::Flat
                };
                let layout = if shape.first() == Some(&1) && shape.len() > 1 { layout } else { MapLayout::Flat };
                let mut from = Vec::new();
                let mut indices = Vec::new();
                for (outlet, value) in [(a, left), (b, right)] {
                    let own = self.shape(outlet)?;
                    if own == shape {
                        from.push(self.turn(outlet, value, layout, own)?);
                        indices.push(OperandIndex::Same);
                    } else {
                        from.push(value.id);
                        let table = each(shape, layout, |at| {
                            let at: Vec<usize> = at.iter().zip(own).map(|(at, len)| at % len).collect();
                            offset(own, value.layout, &at) as u32
                        });
                        indices.push(OperandIndex::of(table, own.iter().product()));
                    }
                }
                let Ok(indices) = indices.try_into() else { bail!("{name} has other than two inputs") };
                let id = self.push(name, StepWork::Binary(*binary, indices), from, shape);
                Ok(PartValue { id, layout })
            }
            NodeKind::Relabel => {
                let value = self.value(input)?;
                let own = self.shape(input)?;
                if value.layout == MapLayout::Map && stays_map(own, shape) {
                    return Ok(value);
                }
                flat(self.flat(input)?)
            }
            NodeKind::Transpose(axes) => {
                let value = self.value(input)?;
                let own = self.shape(input)?;
                // The last axis is usually that of the channels, which is how maps lie.
                self.copied(name, &[(input, value)], shape, MapLayout::Flat, |at| {
                    let mut from = vec![0; own.len()];
                    for (axis, at) in axes.iter().zip(at) {
                        from[*axis] = *at;
                    }
                    Some((0, from))
                })
            }
            NodeKind::Slice(cuts) => {
                if let Some(pooled) = self.pooled(id, cuts)? {
                    return Ok(pooled);
                }
                let value = self.value(input)?;
                self.copied(name, &[(input, value)], shape, value.layout, |at| {
                    Some((0, at.iter().zip(cuts).map(|(at, cut)| at * cut.step + cut.start).collect()))
                })
            }
            NodeKind::Pad(before) => {
                let value = self.value(input)?;
                let own = self.shape(input)?;
                self.copied(name, &[(input, value)], shape, value.layout, |at| {
                    let from = at.iter().zip(before).map(|(at, before)| at.checked_sub(*before));
                    let from = from.collect::<Option<Vec<usize>>>()?;
                    from.iter().zip(own).all(|(at, len)| at < len).then_some((0, from))
                })
            }
            NodeKind::Broadcast => {
                let value = self.value(input)?;
                let own = self.shape(input)?;
                self.copied(name, &[(input, value)], shape, MapLayout::Flat, |at| {
                    Some((0, at.iter().zip(own).map(|(at, len)| at % len).collect()))
                })
            }
            NodeKind::Concat(axis) => {
                let inputs = node.inputs.iter().map(|&input| Ok((input, self.value(input)?)));
                let inputs = inputs.collect::<TractResult<Vec<_>>>()?;
                let lens = inputs.iter().map(|(input, _)| Ok(self.shape(*input)?[*axis]));
                let lens = lens.collect::<TractResult<Vec<usize>>>()?;
                let map = inputs.iter().any(|(_, value)| value.layout == MapLayout::Map) && shape[0] == 1;
                let layout = if map { MapLayout::Map } else { MapLayout::Flat };
                self.copied(name, &inputs, shape, layout, |at| {
                    let mut from = at.to_vec();
                    let mut source = 0;
                    while from[*axis] >= lens[source] {
                        from[*axis] -= lens[source];
                        source += 1;
                    }
                    Some((source, from))
                })
            }
            NodeKind::Reduce { max, axes } => {
                let own = self.shape(input)?;
                let count = own[axes.clone()].iter().product();
                let value = self.value(input)?;
                // Over all places of a map, the channels stay as they lie.
                let places = value.layout == MapLayout::Map && *axes == (2..own.len());
                let (from, inner) =
                    if places { (value.id, own[1]) } else { (self.flat(input)?, own[axes.end..].iter().product()) };
                flat(self.push(name, StepWork::Reduction(Reduction { max: *max, count, inner }), vec![from], shape))
            }
        }
    }

    /// A pooling everywhere of which only every second place or so is taken: one that makes longer steps.
    fn pooled(&mut self, id: usize, cuts: &[AxisCut]) -> TractResult<Option<PartValue>> {
        let known = self.known;
        let input = known.model.node(id).inputs[0];
        let (Some(NodeKind::Pool { factor, windows }), true) = (known.kinds.get(&input.node), self.is_passed_on(input))
        else {
            return Ok(None);
        };
        let (&[_, channels, rows, columns], &[AxisCut::ALL, AxisCut::ALL, down, across]) =
            (self.shape(id.into())?, cuts)
        else {
            return Ok(None);
        };
        if (down.start, across.start) != (0, 0) || channels != windows.channels {
            return Ok(None);
        }
        let mut windows = *windows;
        windows.results = [rows, columns];
        windows.strides = [windows.strides[0] * down.step, windows.strides[1] * across.step];
        let from = self.map(known.model.node(input.node).inputs[0])?;
        let work = factor.map_or(WindowWork::Max, WindowWork::Sum);
        let pool = StepWork::Depthwise(Depthwise::new(windows, work, Activation::None));
        let node = known.model.node(id);
        let id = self.push(&node.name, pool, vec![from], self.shape(id.into())?);
        Ok(Some(PartValue { id, layout: MapLayout::Map }))
    }

    /// The input of an activation that is not constant.
    fn activated(&self, node: &TypedNode) -> TractResult<OutletId> {
        let input = node.inputs.iter().find(|input| self.known.constant(**input).is_none());
        input.copied().ok_or_else(|| format_err!("{} has no input", node.name))
    }

    /// A value whose numbers come from others as they are.
    fn copied(
        &mut self,
        name: &str,
        inputs: &[(OutletId, PartValue)],
        shape: &[usize],
        layout: MapLayout,
        from: impl Fn(&[usize]) -> Option<(usize, Vec<usize>)>,
    ) -> TractResult<PartValue> {
        let layout = if shape.first() == Some(&1) && shape.len() > 1 { layout } else { MapLayout::Flat };
        let shapes = inputs.iter().map(|(outlet, _)| self.shape(*outlet)).collect::<TractResult<Vec<_>>>()?;
        let numbers = each(shape, layout, |at| {
            from(at).map(|(source, at)| (source, offset(shapes[source], inputs[source].1.layout, &at)))
        });
        let copying = Copying::of(numbers.into_iter());
        let first = inputs[0].1;
        if inputs.len() == 1 && copying.is_nothing(shapes[0].iter().product()) {
            return Ok(PartValue { id: first.id, layout });
        }
        let from = inputs.iter().map(|(_, value)| value.id).collect();
        let id = self.push(name, StepWork::Copying(copying), from, shape);
        Ok(PartValue { id, layout })
    }

    /// A map with zeros around it, as the windows need them.
    pub fn bordered(&mut self, name: &str, map: usize, windows: &Windows) -> (usize, [usize; 2]) {
        let needed = |axis: usize| {
            let windows_end = (windows.results[axis] - 1) * windows.strides[axis] + windows.kernel[axis];
            windows_end.max(windows.size[axis] + windows.before[axis])
        };
        let size = [needed(0), needed(1)];
        if size == windows.size {
            return (map, size);
        }
        let channels = windows.channels;
        let numbers = (0..size[0] * size[1] * channels).map(|number| {
            let (place, channel) = (number / channels, number % channels);
            let row = (place / size[1]).checked_sub(windows.before[0]).filter(|&row| row < windows.size[0])?;
            let column = (place % size[1]).checked_sub(windows.before[1]).filter(|&at| at < windows.size[1])?;
            Some((0, (row * windows.size[1] + column) * channels + channel))
        });
        let copying = Copying::of(numbers);
        (self.push(name, StepWork::Copying(copying), vec![map], &[1, channels, size[0], size[1]]), size)
    }

    pub fn conv(&mut self, name: &str, parts: Parts<'_>, from: Vec<usize>, shape: &[usize]) -> TractResult<PartValue> {
        let conv = Conv::new(self.registers, parts);
        if conv.output_len() != shape.iter().product::<usize>() {
            bail!("{name} gives {} numbers", conv.output_len());
        }
        Ok(PartValue { id: self.push(name, StepWork::Conv(conv), from, shape), layout: MapLayout::Map })
    }

    pub fn depthwise(
        &mut self,
        name: &str,
        (weights, bias): (&[f32], &[f32]),
        windows: Windows,
        activation: Activation,
        (from, shape): (usize, &[usize]),
    ) -> PartValue {
        let taps: usize = windows.kernel.iter().product();
        let mut turned = Aligned::zeros(weights.len());
        for (channel, weights) in weights.chunks_exact(taps).enumerate() {
            for (tap, weight) in weights.iter().enumerate() {
                turned[tap * windows.channels + channel] = *weight;
            }
        }
        let work = WindowWork::Weigh { weights: turned, bias: Aligned::of(bias) };
        let depthwise = Depthwise::new(windows, work, activation);
        PartValue { id: self.push(name, StepWork::Depthwise(depthwise), vec![from], shape), layout: MapLayout::Map }
    }

    pub fn dense(
        &mut self,
        name: &str,
        product: &Product,
        bias: &[f32],
        activation: Activation,
        (input, shape): (OutletId, &[usize]),
    ) -> TractResult<PartValue> {
        let from = self.flat(input)?;
        let Product { count, rows, inputs, outputs, ref weights, .. } = *product;
        if rows > 1 {
            // The same matrix for many rows: a convolution of 1 x 1.
            let bias = if bias.is_empty() { vec![0.0; outputs] } else { bias.to_vec() };
            let parts = Parts {
                starts: (0..rows).map(|row| (row * inputs) as u32).collect(),
                rows: 1,
                row_step: 0,
                length: inputs,
                weight: &|output, _, input| weights[input * outputs + output],
                bias,
                fold: super::conv::Fold::None,
                before: activation,
                after: Activation::None,
            };
            let value = self.conv(name, parts, vec![from], shape)?;
            return Ok(PartValue { id: value.id, layout: MapLayout::Flat });
        }
        let weight = |product, input, output| weights[(product * inputs + input) * outputs + output];
        let bias = |product: usize, output: usize| bias.get(product * outputs + output).copied().unwrap_or(0.0);
        let dense = Dense::new(self.registers, [count, inputs, outputs], &weight, &bias, activation);
        let id = self.push(name, StepWork::Dense(dense), vec![from], shape);
        Ok(PartValue { id, layout: MapLayout::Flat })
    }
}

/// Whether a map of the first shape is one of the second without anything moved.
pub(crate) fn stays_map(from: &[usize], to: &[usize]) -> bool {
    from.len() > 1 && to.len() > 1 && from[..2] == to[..2] && from[0] == 1
}

/// Where the number at these coordinates lies.
fn offset(shape: &[usize], layout: MapLayout, at: &[usize]) -> usize {
    let row_major = |shape: &[usize], at: &[usize]| shape.iter().zip(at).fold(0, |sum, (len, at)| sum * len + at);
    match layout {
        MapLayout::Flat => row_major(shape, at),
        MapLayout::Map => row_major(&shape[2..], &at[2..]) * shape[1] + at[1],
    }
}

/// Something for each number of a value, in the order in which they lie.
fn each<T>(shape: &[usize], layout: MapLayout, mut of: impl FnMut(&[usize]) -> T) -> Vec<T> {
    let mut order: Vec<usize> = (0..shape.len()).collect();
    if layout == MapLayout::Map {
        order.remove(1);
        order.push(1);
    }
    let count: usize = shape.iter().product();
    let mut at = vec![0; shape.len()];
    let mut all = Vec::with_capacity(count);
    for _ in 0..count {
        all.push(of(&at));
        for &axis in order.iter().rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    all
}
