//! Parts of graphs that run as one operator: a program of steps over memory that is kept from one run to the next.
//!
//! tract runs a graph node by node, each with a tensor of its own. In small networks most nodes do little, and what is
//! around them costs more than they do. Here the nodes that these steps can stand for become one operator; the others stay
//! as they are, and the graph may have several such parts.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tract_onnx::prelude::{DatumType, OutletId, TDim, TValue, TVec, Tensor, TractResult, TypedFact, TypedModel, tvec};
use tract_onnx::tract_core::internal::{
    Cost, EvalContext, EvalOp, InletId, Op, SpecialOps as _, StaticName, TypedOp, Validation, as_op, op_as_typed_op,
    op_out_of_plan,
};
use tract_onnx::tract_core::value::IntoTValue as _;

mod activation;
mod aligned;
mod build;
mod conv;
mod dense;
mod depthwise;
mod fusing;
mod graph;
mod plain;
mod program;
#[cfg(test)]
mod tests;

use build::Builder;
use graph::{KnownNodes, NodeKind};
use program::PartProgram;

/// Larger graphs are left to tract.
const MOST_NODES: usize = 2000;

/// A part of a graph.
#[derive(Clone, Debug)]
pub(crate) struct GraphPart {
    program: Arc<PartProgram>,
    shapes: TVec<TVec<usize>>,
}

impl PartialEq for GraphPart {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.program, &other.program)
    }
}

impl Eq for GraphPart {}

/// Replaces the parts of a graph that can be programs.
pub(crate) fn put_into(model: &mut TypedModel, arch: pulp::Arch) -> TractResult<()> {
    if model.nodes().len() > MOST_NODES {
        return Ok(());
    }
    let mut parts = Vec::new();
    {
        let known = KnownNodes::of(model)?;
        for nodes in convex(&known) {
            let heavy = |id: &usize| {
                matches!(
                    known.kinds.get(id),
                    Some(
                        NodeKind::Conv { .. }
                            | NodeKind::Depthwise { .. }
                            | NodeKind::Product(_)
                            | NodeKind::Pool { .. }
                    )
                )
            };
            if !nodes.iter().any(heavy) {
                continue;
            }
            let (inputs, outputs) = ends(&known, &nodes);
            let program = Builder::program(&known, &nodes, &inputs, &outputs, arch)?;
            let shapes = outputs.iter().filter_map(|&output| Some(known.shape(output)?.into())).collect();
            parts.push((GraphPart { program: Arc::new(program), shapes }, inputs, outputs, nodes));
        }
    }
    let mut moved: HashMap<OutletId, OutletId> = HashMap::new();
    for (at, (part, inputs, outputs, nodes)) in parts.into_iter().enumerate() {
        let inputs: Vec<OutletId> = inputs.iter().map(|input| *moved.get(input).unwrap_or(input)).collect();
        let wires = model.wire_node(format!("facelens.part.{at}"), part, &inputs)?;
        for (old, new) in outputs.into_iter().zip(wires) {
            let takers: Vec<InletId> = model.node(old.node).outputs[old.slot].successors.to_vec();
            for taker in takers.into_iter().filter(|taker| !nodes.contains(&taker.node)) {
                model.add_edge(new, taker)?;
            }
            for output in &mut model.outputs {
                if *output == old {
                    *output = new;
                }
            }
            moved.insert(old, new);
        }
    }
    Ok(())
}

/// Sets of known nodes without a way out and in again, as large as can be: on the way to a node of the next set lies an
/// unknown one.
fn convex(known: &KnownNodes<'_>) -> Vec<HashSet<usize>> {
    let mut levels: HashMap<usize, usize> = HashMap::new();
    let mut sets: Vec<HashSet<usize>> = Vec::new();
    for &id in &known.order {
        let node = known.model.node(id);
        let own = known.kinds.contains_key(&id);
        let level = node.inputs.iter().map(|input| {
            let level = levels.get(&input.node).copied().unwrap_or(0);
            let entered = own && !known.kinds.contains_key(&input.node) && known.constant(*input).is_none();
            level + usize::from(entered && !known.model.node(input.node).inputs.is_empty())
        });
        let level = level.max().unwrap_or(0);
        levels.insert(id, level);
        if own {
            if sets.len() <= level {
                sets.resize_with(level + 1, HashSet::new);
            }
            sets[level].insert(id);
        }
    }
    sets
}

/// What a set of nodes takes from others, and what others take from it.
fn ends(known: &KnownNodes<'_>, nodes: &HashSet<usize>) -> (Vec<OutletId>, Vec<OutletId>) {
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for &id in known.order.iter().filter(|id| nodes.contains(id)) {
        let node = known.model.node(id);
        for &input in &node.inputs {
            if !nodes.contains(&input.node) && known.constant(input).is_none() && !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        let outlet = OutletId::from(id);
        let taken = node.outputs[0].successors.iter().any(|taker| !nodes.contains(&taker.node));
        if taken || known.model.outputs.contains(&outlet) {
            outputs.push(outlet);
        }
    }
    (inputs, outputs)
}

/// One step of a part, for tables.
#[derive(Clone, Debug)]
pub struct StepTime {
    /// The last node of the graph that it stands for.
    pub name: String,
    /// What it does, e.g. `Conv`.
    pub operator: &'static str,
    /// Shape of what it gives.
    pub output: Vec<usize>,
    /// Multiplications with an addition.
    pub multiply_adds: usize,
    /// How long it took.
    pub time: Duration,
}

/// Runs an operator once and gives the time of each of its steps, if it is one of several.
///
/// # Errors
/// Where the inputs are not those of the operator.
pub fn step_times(op: &dyn TypedOp, inputs: &[TValue]) -> TractResult<Option<Vec<StepTime>>> {
    let Some(part) = op.downcast_ref::<GraphPart>() else { return Ok(None) };
    let mut times = vec![Duration::ZERO; part.program.steps().len()];
    let plain = inputs.iter().map(|input| input.try_as_plain_ram()).collect::<TractResult<Vec<_>>>()?;
    let slices = plain.iter().map(|plain| plain.as_slice()).collect::<TractResult<Vec<&[f32]>>>()?;
    part.program.run_timed(&slices, |step, time| times[step] = time);
    let steps = part.program.steps().iter().zip(times).map(|(step, time)| StepTime {
        name: step.name.clone(),
        operator: step.work.name(),
        output: step.shape.clone(),
        multiply_adds: step.work.multiply_adds(),
        time,
    });
    Ok(Some(steps.collect()))
}

impl Op for GraphPart {
    fn name(&self) -> StaticName {
        "Part".into()
    }

    fn validation(&self) -> Validation {
        Validation::Rounding
    }

    op_as_typed_op!();
}

impl EvalOp for GraphPart {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let plain = inputs.iter().map(|input| input.try_as_plain_ram()).collect::<TractResult<TVec<_>>>()?;
        let slices = plain.iter().map(|plain| plain.as_slice()).collect::<TractResult<TVec<&[f32]>>>()?;
        let mut outputs = TVec::new();
        let mut failed = None;
        self.program.run(&slices, |at, numbers| match Tensor::from_shape(&self.shapes[at], numbers) {
            Ok(tensor) => outputs.push(tensor.into_tvalue()),
            Err(error) => failed = Some(error),
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(outputs),
        }
    }
}

impl TypedOp for GraphPart {
    as_op!();

    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(self.shapes.iter().map(|shape| TypedFact::dt_shape(DatumType::F32, shape.as_slice())).collect())
    }

    fn cost(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<(Cost, TDim)>> {
        let multiply_adds: usize = self.program.steps().iter().map(|step| step.work.multiply_adds()).sum();
        Ok(tvec!((Cost::FMA(DatumType::F32), multiply_adds.into())))
    }
}
