//! Operators of our own for what the networks for faces are full of and tract 0.23 is slow at: small poolings, 3x3
//! convolutions of few channels, and depthwise ones. Each takes a fraction of tract's time on such maps and gives the same
//! numbers up to rounding. They work on any graph, whoever wrote it. [`pulp`] runs them with the widest vectors that the
//! processor has.
//!
//! A crate of its own, so that it can be optimised where the rest is not: in debug builds, and so in the tests, the
//! networks would take seconds for a face otherwise.

use tract_onnx::prelude::{TractResult, TypedModel, TypedModelPatch};
use tract_onnx::tract_core::ops::TypedOp;

mod conv3x3;
mod depthwise;
mod depthwise_wide;
mod pooling;

use conv3x3::Conv3x3;
use depthwise::Depthwise3x3;
use depthwise_wide::DepthwiseWide;
use pooling::BlockPool;

/// Puts the own operators where they fit, in a graph that tract has simplified but not prepared for this machine yet.
///
/// # Errors
/// Where the graph does not fit together.
pub fn put_into(model: &mut TypedModel) -> TractResult<()> {
    for id in 0..model.nodes().len() {
        if let Some((operator, maps)) = Conv3x3::instead_of(model, id)? {
            // Kernels and bias go into the operator, so that the node has fewer inputs.
            TypedModelPatch::replace_single_op(model, model.node(id), &[maps], operator)?.apply(model)?;
        } else if let Some(operator) = instead_of(model, id)? {
            model.node_mut(id).op = operator;
        }
    }
    Ok(())
}

/// The own operator that does the same as this node.
fn instead_of(model: &TypedModel, id: usize) -> TractResult<Option<Box<dyn TypedOp>>> {
    let (node, facts) = (model.node(id), model.node_input_facts(id)?);
    if let Some(pool) = BlockPool::instead_of(node, &facts) {
        return Ok(Some(Box::new(pool)));
    }
    if let Some(depthwise) = Depthwise3x3::instead_of(node, &facts) {
        return Ok(Some(Box::new(depthwise)));
    }
    Ok(DepthwiseWide::instead_of(node, &facts).map(|depthwise| Box::new(depthwise) as Box<dyn TypedOp>))
}

/// Planes, rows and columns of maps that are laid out one plane behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Planes {
    count: usize,
    rows: usize,
    columns: usize,
}

impl Planes {
    /// The planes of a tensor whose last two axes are rows and columns; `None` where it has fewer, or no numbers.
    fn of(shape: &[usize]) -> Option<Self> {
        let [outer @ .., rows, columns] = shape else { return None };
        let planes = Self { count: outer.iter().product(), rows: *rows, columns: *columns };
        (planes.count > 0 && planes.rows > 0 && planes.columns > 0).then_some(planes)
    }

    /// Numbers of one plane.
    fn size(&self) -> usize {
        self.rows * self.columns
    }
}
