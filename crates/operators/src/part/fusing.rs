//! What follows a convolution or product and is done together with it.

use tract_onnx::prelude::{OutletId, TractResult};

use super::activation::Activation;
use super::build::{Builder, PartValue, stays_map};
use super::conv::{Conv, Fold, Parts};
use super::depthwise::Windows;
use super::graph::{AxisCut, NodeKind, Product};
use super::plain::Binary;

/// A convolution or product and what of the nodes behind it has been taken in.
pub(crate) struct Fusing<'a> {
    first: First<'a>,
    /// What its last node gives.
    last: OutletId,
    /// Before the folding.
    before: Activation,
    after: Activation,
    fold: Fold,
    added: Option<OutletId>,
}

enum First<'a> {
    Conv { weights: &'a [f32], bias: &'a [f32], windows: Windows, input: OutletId, places: Places },
    Depthwise { weights: &'a [f32], bias: &'a [f32], windows: Windows, input: OutletId },
    Product { product: &'a Product, bias: Vec<f32>, input: OutletId },
}

/// The places of the result: rows x columns x those that are folded, each as row and column among all windows.
struct Places {
    size: [usize; 2],
    windows: Vec<[usize; 2]>,
}

impl<'a> Fusing<'a> {
    /// The step that makes this, or makes what lies on the way to it from a convolution or product; with the last outlet
    /// that it makes.
    pub fn towards(builder: &mut Builder<'a>, outlet: OutletId) -> TractResult<Option<(OutletId, PartValue)>> {
        let Some((first, path)) = Self::path(builder, outlet) else { return Ok(None) };
        let Some(mut fusing) = Self::new(builder, first) else { return Ok(None) };
        for id in path {
            if !fusing.takes(builder, id)? {
                break;
            }
            fusing.last = id.into();
        }
        let last = fusing.last;
        Ok(Some((last, fusing.finish(builder)?)))
    }

    /// The convolution or product that this is made of, and the nodes from there on.
    fn path(builder: &Builder<'a>, outlet: OutletId) -> Option<(usize, Vec<usize>)> {
        let known = builder.known;
        let node = known.model.node(outlet.node);
        match known.kinds.get(&outlet.node)? {
            NodeKind::Conv { .. } | NodeKind::Depthwise { .. } | NodeKind::Product(_) => {
                return Some((outlet.node, Vec::new()));
            }
            NodeKind::Activation(_)
            | NodeKind::Relabel
            | NodeKind::Slice(_)
            | NodeKind::Pool { .. }
            | NodeKind::Binary(Binary::Add) => {}
            _ => return None,
        }
        let mut passed_on = node.inputs.iter().filter(|input| builder.is_passed_on(**input));
        let (first, mut path) = passed_on.find_map(|input| Self::path(builder, *input))?;
        path.push(outlet.node);
        Some((first, path))
    }

    fn new(builder: &Builder<'a>, id: usize) -> Option<Self> {
        let known = builder.known;
        let node = known.model.node(id);
        let first = match known.kinds.get(&id)? {
            NodeKind::Conv { weights, bias, windows } => {
                let [rows, columns] = windows.results;
                let all = (0..rows).flat_map(|row| (0..columns).map(move |column| [row, column])).collect();
                let places = Places { size: windows.results, windows: all };
                First::Conv { weights, bias, windows: *windows, input: node.inputs[0], places }
            }
            NodeKind::Depthwise { weights, bias, windows } => {
                First::Depthwise { weights, bias, windows: *windows, input: node.inputs[0] }
            }
            NodeKind::Product(product) => {
                First::Product { product, bias: Vec::new(), input: node.inputs[product.input] }
            }
            _ => return None,
        };
        let (before, after) = (Activation::None, Activation::None);
        Some(Self { first, last: id.into(), before, after, fold: Fold::None, added: None })
    }

    /// Takes in the next node, if that can be done.
    fn takes(&mut self, builder: &mut Builder<'a>, id: usize) -> TractResult<bool> {
        let known = builder.known;
        let node = known.model.node(id);
        let (from, to) = (builder.shape(self.last)?, builder.shape(id.into())?);
        let Some(kind) = known.kinds.get(&id) else { return Ok(false) };
        let folded = self.fold != Fold::None;
        Ok(match (kind, &mut self.first) {
            (NodeKind::Activation(activation), _) => {
                let target = if folded { &mut self.after } else { &mut self.before };
                activation.after(*target).map(|both| *target = both).is_some()
            }
            (NodeKind::Relabel, First::Product { .. }) => true,
            (NodeKind::Relabel, First::Conv { places, .. }) => {
                let stays = stays_map(from, to);
                if let (true, &[_, _, rows, columns]) = (stays, to) {
                    places.size = [rows, columns];
                }
                // On the way to other rows and columns there may be one axis only.
                stays
            }
            (NodeKind::Slice(cuts), First::Conv { places, .. }) => {
                let (&[_, _, rows, columns], [first, second, ..]) = (to, cuts.as_slice()) else { return Ok(false) };
                let of_places =
                    (from.len(), *first, *second) == (4, AxisCut::ALL, AxisCut::ALL) && from[..2] == to[..2];
                if of_places {
                    places.cut([cuts[2], cuts[3]], [rows, columns], self.fold.places());
                }
                of_places
            }
            (NodeKind::Pool { factor, windows }, First::Conv { places, .. }) => {
                let block = windows.kernel[0] * windows.kernel[1];
                let fits = !folded
                    && self.added.is_none()
                    && windows.kernel == windows.strides
                    && windows.before == [0, 0]
                    && (0..2).all(|axis| windows.results[axis] * windows.kernel[axis] <= windows.size[axis])
                    && Conv::folds(block)
                    && (self.before.bounds().is_some() || (factor.is_none() && self.before.is_monotone()));
                if fits {
                    places.fold(windows.kernel, windows.results);
                    self.fold = factor.map_or(Fold::Max(block), |factor| Fold::Sum(block, factor));
                    if factor.is_none() && self.before.is_monotone() {
                        std::mem::swap(&mut self.before, &mut self.after);
                    }
                }
                fits
            }
            (NodeKind::Binary(Binary::Add), First::Conv { .. }) => {
                let other = node.inputs.iter().copied().find(|&input| input != self.last);
                let Some(other) = other.filter(|_| !folded && self.added.is_none()) else { return Ok(false) };
                if self.before != Activation::None || builder.shape(other)? != to || to.len() != 4 {
                    return Ok(false);
                }
                self.added = Some(other);
                true
            }
            (NodeKind::Binary(Binary::Add), First::Product { product, bias, .. }) => {
                let constant = node.inputs.iter().find_map(|&input| Some((input, known.numbers(input)?)));
                let Some((outlet, numbers)) = constant else { return Ok(false) };
                let own = builder.shape(outlet)?;
                // One number for each result, or the same ones for every row.
                let each = own == to || (product.count == 1 && own.last() == Some(&product.outputs));
                let each = each && numbers.len() == product.count * product.outputs;
                if self.before != Activation::None || !bias.is_empty() || !each || from != to {
                    return Ok(false);
                }
                *bias = numbers;
                true
            }
            _ => false,
        })
    }

    /// Adds the step.
    fn finish(self, builder: &mut Builder<'a>) -> TractResult<PartValue> {
        let Self { first, last, before, after, fold, added } = self;
        let known = builder.known;
        let name = known.model.node(last.node).name.as_str();
        let shape = builder.shape(last)?;
        match first {
            First::Conv { weights, bias, windows, input, places } => {
                let channels = windows.channels;
                let (input, wide, row_step, first) = if let Some(rows) = rows_beside(builder, input, &windows) {
                    (builder.map(rows.source)?, rows.step, rows.step, rows.first)
                } else {
                    let map = builder.map(input)?;
                    let (bordered, size) = builder.bordered(name, map, &windows);
                    (bordered, size[1], size[1], 0)
                };
                let start = |[row, column]: [usize; 2]| {
                    (first + row * windows.strides[0] * wide + column * windows.strides[1]) * channels
                };
                let [high, broad] = windows.kernel;
                let mut from = vec![input];
                if let Some(added) = added {
                    from.push(builder.map(added)?);
                }
                let parts = Parts {
                    starts: places.windows.iter().map(|&place| start(place) as u32).collect(),
                    rows: high,
                    row_step: row_step * channels,
                    length: broad * channels,
                    weight: &|output, row, number| {
                        let (column, channel) = (number / channels, number % channels);
                        weights[((output * channels + channel) * high + row) * broad + column]
                    },
                    bias: bias.to_vec(),
                    fold,
                    before,
                    after,
                };
                builder.conv(name, parts, from, shape)
            }
            First::Depthwise { weights, bias, windows, input } => {
                let from = builder.map(input)?;
                Ok(builder.depthwise(name, (weights, bias), windows, before, (from, shape)))
            }
            First::Product { product, bias, input } => builder.dense(name, product, &bias, before, (input, shape)),
        }
    }
}

impl Places {
    /// Keeps some rows and columns alone.
    fn cut(&mut self, cuts: [AxisCut; 2], size: [usize; 2], folded: usize) {
        let mut windows = Vec::with_capacity(size[0] * size[1] * folded);
        for row in 0..size[0] {
            for column in 0..size[1] {
                let place = (row * cuts[0].step + cuts[0].start) * self.size[1] + column * cuts[1].step + cuts[1].start;
                windows.extend_from_slice(&self.windows[place * folded..(place + 1) * folded]);
            }
        }
        (self.windows, self.size) = (windows, size);
    }

    /// Makes the places of a block neighbours.
    fn fold(&mut self, [rows, columns]: [usize; 2], results: [usize; 2]) {
        let wide = self.size[1];
        let mut windows = Vec::with_capacity(results[0] * results[1] * rows * columns);
        for row in 0..results[0] {
            for column in 0..results[1] {
                for down in 0..rows {
                    let first = (row * rows + down) * wide + column * columns;
                    windows.extend_from_slice(&self.windows[first..first + columns]);
                }
            }
        }
        (self.windows, self.size) = (windows, results);
    }
}

/// Rows of a kernel that were cut out of one long row and put above each other.
struct RowsBeside {
    source: OutletId,
    /// Places from one to the next.
    step: usize,
    first: usize,
}

/// Whether a convolution takes rows that begin at different places of one row of its source: some networks have their
/// pictures so.
fn rows_beside(builder: &Builder<'_>, input: OutletId, windows: &Windows) -> Option<RowsBeside> {
    let known = builder.known;
    let (NodeKind::Concat(2), [1, _]) = (known.kinds.get(&input.node)?, windows.results) else { return None };
    let node = known.model.node(input.node);
    if node.inputs.len() != windows.kernel[0] || windows.before != [0, 0] || windows.strides != [1, 1] {
        return None;
    }
    let mut slices = Vec::new();
    for slice in &node.inputs {
        let NodeKind::Slice(cuts) = known.kinds.get(&slice.node)? else { return None };
        let &[AxisCut::ALL, AxisCut::ALL, AxisCut::ALL, AxisCut { start, step: 1 }] = cuts.as_slice() else {
            return None;
        };
        slices.push((known.model.node(slice.node).inputs[0], start));
    }
    let &[(source, first), (_, second), ..] = slices.as_slice() else { return None };
    let step = second.checked_sub(first)?;
    let [1, _, 1, _] = builder.shape(source).ok()? else { return None };
    let regular = slices.iter().enumerate().all(|(row, slice)| *slice == (source, first + row * step));
    regular.then_some(RowsBeside { source, step, first })
}
