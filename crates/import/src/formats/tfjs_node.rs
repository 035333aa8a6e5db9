//! One node of a TensorFlow.js graph: the operators that SSR-Net's graphs use.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::net::reference::{self as ops, Padding};
use crate::net::{DenseLayout, KernelLayout, ShapeError, Tensor};

/// No value in these graphs has more axes.
const LARGEST_RANK: usize = 8;

/// One node of the graph.
#[derive(Deserialize)]
pub(super) struct TfjsNode {
    pub(super) name: String,
    pub(super) op: String,
    #[serde(default)]
    pub(super) input: Vec<String>,
    #[serde(default)]
    attr: HashMap<String, Value>,
}

impl TfjsNode {
    /// What the node gives for these inputs.
    pub(super) fn run(&self, inputs: &[&Tensor]) -> Result<Tensor, ShapeError> {
        match (self.op.as_str(), inputs) {
            ("Identity", [x]) => Ok((*x).clone()),
            ("_FusedConv2D", [x, kernel, bias]) => {
                self.expect_plain("strides")?;
                self.expect_plain("dilations")?;
                let y = ops::convolution(x, kernel, KernelLayout::Hwio, bias, self.padding()?)?;
                self.activated(y)
            }
            ("_FusedMatMul", [x, kernel, bias]) => self.activated(ops::dense(x, kernel, DenseLayout::InOut, bias)?),
            ("MaxPool", [x]) => ops::max_pool(x, self.pool_side()?),
            ("AvgPool", [x]) => ops::average_pool(x, self.pool_side()?),
            ("Relu", [x]) => Ok(ops::relu(x)),
            ("Tanh", [x]) => Ok(ops::tanh(x)),
            ("Add" | "AddV2", [a, b]) => ops::add(a, b),
            ("Mul", [a, b]) => ops::multiply(a, b),
            ("RealDiv", [a, b]) => ops::divide(a, b),
            ("Reshape", [x, shape]) => reshape(x, shape),
            ("ExpandDims", [x, axis]) => expand_dims(x, axis),
            ("StridedSlice", [x, begin, end, strides]) => self.strided_slice(x, begin, end, strides),
            (op, inputs) => Err(ShapeError(format!("facelens does not know {op} with {} inputs", inputs.len()))),
        }
    }

    /// The most numbers that the node may give for these inputs, told from their shapes alone.
    pub(super) fn most_given(&self, inputs: &[&Tensor]) -> usize {
        let numbers = |shape: &[usize]| shape.iter().fold(1_usize, |count, &axis| count.saturating_mul(axis));
        let first = inputs.first().map_or(0, |x| x.data().len());
        match (self.op.as_str(), inputs) {
            // No window moves outside the picture: each place becomes one place of so many channels.
            ("_FusedConv2D" | "_FusedMatMul", [x, kernel, bias]) => {
                let channels = kernel.shape().last().copied().unwrap_or(0).max(bias.data().len());
                (first / x.shape().last().copied().unwrap_or(1).max(1)).saturating_mul(channels)
            }
            ("Add" | "AddV2" | "Mul" | "RealDiv", [a, b]) => {
                let rank = a.shape().len().max(b.shape().len());
                let padded = |x: &Tensor| [vec![1; rank - x.shape().len()], x.shape().to_vec()].concat();
                let axes: Vec<usize> = padded(a).into_iter().zip(padded(b)).map(|(a, b)| a.max(b)).collect();
                numbers(&axes)
            }
            _ => first,
        }
    }

    /// The activation that is fused behind a bias.
    fn activated(&self, x: Tensor) -> Result<Tensor, ShapeError> {
        let fused: Vec<String> = self
            .list("fused_ops", "s")
            .map(|item| item.as_str().and_then(base64).ok_or_else(|| self.odd("fused_ops")))
            .collect::<Result<_, _>>()?;
        match fused.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["BiasAdd"] => Ok(x),
            ["BiasAdd", "Relu"] => Ok(ops::relu(&x)),
            _ => Err(self.odd("fused_ops")),
        }
    }

    fn padding(&self) -> Result<Padding, ShapeError> {
        match self.attr.get("padding").and_then(|value| base64(value["s"].as_str()?)).as_deref() {
            Some("VALID") => Ok(Padding::Valid),
            Some("SAME") => Ok(Padding::Same),
            _ => Err(self.odd("padding")),
        }
    }

    /// The side of the blocks of a pooling that moves by whole blocks.
    fn pool_side(&self) -> Result<usize, ShapeError> {
        let size = self.integers("ksize")?;
        match size[..] {
            [1, rows, columns, 1]
                if rows == columns && size == self.integers("strides")? && self.padding()? == Padding::Valid =>
            {
                usize::try_from(rows).map_err(|_| self.odd("ksize"))
            }
            _ => Err(self.odd("ksize")),
        }
    }

    fn expect_plain(&self, attribute: &str) -> Result<(), ShapeError> {
        if self.integers(attribute)?.iter().all(|&step| step == 1) { Ok(()) } else { Err(self.odd(attribute)) }
    }

    fn integers(&self, attribute: &str) -> Result<Vec<i64>, ShapeError> {
        self.list(attribute, "i").map(|item| integer(item).ok_or_else(|| self.odd(attribute))).collect()
    }

    fn list(&self, attribute: &str, kind: &str) -> impl Iterator<Item = &Value> {
        self.attr.get(attribute).and_then(|value| value["list"][kind].as_array()).into_iter().flatten()
    }

    fn mask(&self, attribute: &str) -> Result<i64, ShapeError> {
        match self.attr.get(attribute) {
            None => Ok(0),
            Some(value) => integer(&value["i"]).ok_or_else(|| self.odd(attribute)),
        }
    }

    fn odd(&self, attribute: &str) -> ShapeError {
        ShapeError(format!("facelens does not know this {attribute} of {}", self.op))
    }

    /// A range along each of the first axes with step 1; a range of one place may lose its axis.
    fn strided_slice(&self, x: &Tensor, begin: &Tensor, end: &Tensor, strides: &Tensor) -> Result<Tensor, ShapeError> {
        let [begin_mask, end_mask, shrink_mask] =
            [self.mask("begin_mask")?, self.mask("end_mask")?, self.mask("shrink_axis_mask")?];
        let ranges = begin.data().len();
        let plain = strides.data().iter().all(|&step| step == 1.0) && end.data().len() == ranges;
        if !plain
            || ranges > x.shape().len().min(LARGEST_RANK)
            || self.mask("new_axis_mask")? != 0
            || self.mask("ellipsis_mask")? != 0
        {
            return Err(self.odd("range"));
        }
        let mut shape = Vec::new();
        let mut x = x.clone();
        for (axis, length) in x.shape().to_vec().into_iter().enumerate() {
            let bit = |mask: i64| axis >= ranges || mask >> axis & 1 == 1;
            let shrinks = axis < ranges && shrink_mask >> axis & 1 == 1;
            let start = if bit(begin_mask) && !shrinks { 0 } else { begin.data()[axis] as usize };
            let stop = match (shrinks, bit(end_mask)) {
                (true, _) => start.saturating_add(1),
                (false, true) => length,
                (false, false) => end.data()[axis] as usize,
            };
            if start >= stop || stop > length {
                return Err(self.odd("range"));
            }
            x = take(&x, axis, start, stop)?;
            if !shrinks {
                shape.push(stop - start);
            }
        }
        x.reshaped(&shape)
    }
}

/// The places `start..stop` along one axis.
fn take(x: &Tensor, axis: usize, start: usize, stop: usize) -> Result<Tensor, ShapeError> {
    let (length, inner): (usize, usize) = (x.shape()[axis], x.shape()[axis + 1..].iter().product());
    let mut shape = x.shape().to_vec();
    shape[axis] = stop - start;
    let blocks = x.data().chunks(length * inner);
    Tensor::new(&shape, blocks.flat_map(|block| block[start * inner..stop * inner].iter().copied()).collect())
}

/// A new shape, in which one axis may be -1: what is left.
fn reshape(x: &Tensor, shape: &Tensor) -> Result<Tensor, ShapeError> {
    let known: usize = shape.data().iter().filter(|&&axis| axis >= 0.0).map(|&axis| axis as usize).product();
    let rest = x.data().len().checked_div(known).unwrap_or(0);
    let shape: Vec<usize> = shape.data().iter().map(|&axis| if axis < 0.0 { rest } else { axis as usize }).collect();
    x.clone().reshaped(&shape)
}

/// A new axis of length 1; -1 is behind the last.
fn expand_dims(x: &Tensor, axis: &Tensor) -> Result<Tensor, ShapeError> {
    let rank = x.shape().len();
    let axis = match *axis.data() {
        [axis] if axis < 0.0 => (rank + 1).checked_sub(-axis as usize),
        [axis] => Some(axis as usize),
        _ => None,
    };
    let mut shape = x.shape().to_vec();
    match axis {
        Some(axis) if axis <= rank => shape.insert(axis, 1),
        _ => return Err(ShapeError("a new axis beyond the last".to_owned())),
    }
    x.clone().reshaped(&shape)
}

/// An integer as protobuf's JSON writes it: often as text.
fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The text behind base64.
fn base64(text: &str) -> Option<String> {
    String::from_utf8(base64_bytes(text)?).ok()
}

/// The bytes behind base64, as protobuf's JSON writes them.
pub(super) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for byte in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|&letter| letter == byte)? as u32;
        (bits, count) = (bits << 6 | value, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}
