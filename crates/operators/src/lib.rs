//! Operators of our own for the networks for faces and bodies, which tract 0.23 runs slower than it could: convolutions of
//! few channels on small maps, and hundreds of nodes that do little. What of a graph they can stand for runs as one
//! operator ([`part`]) and gives the same numbers up to rounding; the rest stays with tract. They work on any graph, whoever
//! wrote it. [`pulp`] runs them with the widest vectors that the processor has.
//!
//! A crate of its own, so that it can be optimised where the rest is not: in debug builds, and so in the tests, the
//! networks would take seconds for a face otherwise.

use tract_onnx::prelude::{TractResult, TypedModel};

mod part;
mod vectors;

pub use part::{StepTime, step_times};
pub use vectors::{Vectors, vectors};

/// Puts the own operators where they fit, in a graph as it was read, before tract simplifies it.
///
/// # Errors
/// Where the graph does not fit together.
pub fn put_into(model: &mut TypedModel) -> TractResult<()> {
    part::put_into(model, vectors::arch())
}
