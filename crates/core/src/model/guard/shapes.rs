//! Follows the shapes through a graph, node by node, and bounds size and work of each node before tract evaluates it.

use tract_onnx::pb;
use tract_onnx::prelude::{DatumType, Framework as _, TVec, TypedModel};
use tract_onnx::tract_hir::infer::{Factoid as _, InferenceFact, InferenceModel, InferenceModelExt as _};

use super::proto::{label, times};
use super::{MAX_CONSTANT_ELEMENTS, MAX_CONSTANT_WORK, MAX_ELEMENTS, MAX_TOTAL_ELEMENTS, MAX_WORK, Refusal, one_line};

/// Makes a checked graph tract's typed graph; every tensor in it has a known, bounded shape.
pub(super) fn typed(proto: &pb::ModelProto) -> Result<TypedModel, Refusal> {
    let graph = proto.graph.as_ref().ok_or_else(|| Refusal::corrupt("there is no graph in it"))?;
    let mut model = tract_onnx::onnx().model_for_proto_model(proto).map_err(|error| foreign(&error))?;
    walk(&mut model, &graph.node)?;
    let typed = model.into_typed().map_err(|error| foreign(&error))?;
    for node in typed.nodes() {
        for output in &node.outputs {
            let shape = output.fact.shape.as_concrete().ok_or_else(|| unknown_size(label(&node.name)))?;
            elements(label(&node.name), shape)?;
        }
    }
    Ok(typed)
}

fn foreign(error: &impl std::fmt::Display) -> Refusal {
    Refusal::unfit(format!("its graph does not fit together ({})", one_line(error)))
}

fn unknown_size(name: &str) -> Refusal {
    Refusal::wrong_shape(
        format!("the size of the output of `{name}` cannot be determined in advance"),
        "export the model with fixed sizes",
    )
}

/// The number of elements, within bounds.
fn elements(name: &str, shape: &[usize]) -> Result<u64, Refusal> {
    shape
        .iter()
        .try_fold(1_u64, |count, &dim| count.checked_mul(dim as u64))
        .filter(|count| *count <= MAX_ELEMENTS)
        .ok_or_else(|| Refusal::too_large(format!("`{name}` in its graph asks for a tensor of {}", times(shape))))
}

/// What the graph asks for in all.
#[derive(Default)]
struct Totals {
    elements: u64,
    work: u64,
    constant_elements: u64,
    constant_work: u64,
}

impl Totals {
    fn add(&mut self, elements: u64, work: u64, constant: bool) -> Result<(), Refusal> {
        self.elements += elements;
        self.work = self.work.saturating_add(work);
        if constant {
            self.constant_elements += elements;
            self.constant_work = self.constant_work.saturating_add(work);
        }
        let over = [
            (self.elements, MAX_TOTAL_ELEMENTS, "numbers between its layers"),
            (self.work, MAX_WORK, "multiplications for one face"),
            (self.constant_elements, MAX_CONSTANT_ELEMENTS, "numbers made of constants"),
            (self.constant_work, MAX_CONSTANT_WORK, "multiplications before the first face"),
        ];
        match over.into_iter().find(|(asked, limit, _)| asked > limit) {
            Some((_, limit, what)) => Err(Refusal::too_large(format!("its graph asks for more than {limit} {what}"))),
            None => Ok(()),
        }
    }
}

fn walk(model: &mut InferenceModel, nodes: &[pb::NodeProto]) -> Result<(), Refusal> {
    let order = model.eval_order().map_err(|error| foreign(&error))?;
    // tract puts the inputs and constants first, then one node for each of the file's.
    let first = model.nodes().len().checked_sub(nodes.len()).ok_or_else(|| foreign(&"nodes are missing"))?;
    let mut totals = Totals::default();
    // Nodes that no output needs are evaluated by tract too.
    let mut visited = vec![false; model.nodes().len()];
    let unneeded = (0..model.nodes().len()).collect::<Vec<_>>();
    for id in order.into_iter().chain(unneeded) {
        if std::mem::replace(&mut visited[id], true) {
            continue;
        }
        let Some(node) = id.checked_sub(first).and_then(|index| nodes.get(index)) else { continue };
        visit(model, id, node, &mut totals)?;
    }
    Ok(())
}

fn visit(model: &mut InferenceModel, id: usize, node: &pb::NodeProto, totals: &mut Totals) -> Result<(), Refusal> {
    let name = label(&model.node(id).name).to_owned();
    let (inputs, outputs) = model.node_facts(id).map_err(|error| foreign(&error))?;
    let inputs: Vec<InferenceFact> = inputs.into_iter().cloned().collect();
    let outputs: Vec<InferenceFact> = outputs.into_iter().cloned().collect();
    // tract infers one fact for each output an operator has; the file may name fewer or more.
    let op = &mut model.node_mut(id).op;
    if op.nboutputs().map_err(|error| foreign(&error))? != outputs.len() {
        return Err(foreign(&format!("`{name}` has {} outputs", outputs.len())));
    }
    arguments(node, &name, &inputs)?;
    // Shapes alone; nothing is evaluated here.
    let (_, inferred, _) = op
        .infer_facts(inputs.iter().collect(), outputs.iter().collect(), TVec::new())
        .map_err(|error| foreign(&format!("{name}: {error:#}")))?;
    let shapes =
        inferred.iter().map(|fact| shape(fact).ok_or_else(|| unknown_size(&name))).collect::<Result<Vec<_>, _>>()?;
    let mut given = 0;
    for shape in &shapes {
        given += elements(&name, shape)?;
    }
    let taken = inputs.iter().map(shape).collect::<Option<Vec<_>>>().ok_or_else(|| unknown_size(&name))?;
    let work = work(node, &name, &taken, &shapes)?;
    let constant = inputs.iter().all(|fact| fact.value.is_concrete());
    totals.add(given.saturating_mul(weight(&inferred)), work, constant)?;

    // Now that the sizes are known, values too, where the inputs are constant.
    let (_, inferred, _) = op
        .infer(inputs.iter().collect(), outputs.iter().collect(), TVec::new())
        .map_err(|error| foreign(&format!("{name}: {error:#}")))?;
    for (slot, fact) in inferred.into_iter().enumerate() {
        model.set_outlet_fact((id, slot).into(), fact).map_err(|error| foreign(&error))?;
    }
    Ok(())
}

/// Checks the arguments that tract 0.23 believes: a `Tile` by a negative number never ends, a `TopK` gives as many places
/// as it is asked for, a `Dropout` takes the first number of a list without one.
fn arguments(node: &pb::NodeProto, name: &str, inputs: &[InferenceFact]) -> Result<(), Refusal> {
    let wrong = |what: String| Refusal::corrupt(format!("{} `{name}`: {what}", node.op_type));
    match (node.op_type.as_str(), inputs) {
        ("Tile", [_, times]) => match integers(times).into_iter().find(|&times| times < 0) {
            Some(times) => Err(wrong(format!("{times} repetitions"))),
            None => Ok(()),
        },
        ("TopK", [values, count]) => {
            let axis = node.attribute.iter().find(|attribute| attribute.name == "axis").map_or(-1, |axis| axis.i);
            let shape = shape(values).unwrap_or_default();
            let axis = if axis < 0 { axis + shape.len() as i64 } else { axis };
            let length = usize::try_from(axis).ok().and_then(|axis| shape.get(axis)).copied().unwrap_or(0);
            match integers(count).into_iter().find(|&count| usize::try_from(count).map_or(true, |count| count > length))
            {
                Some(count) => Err(wrong(format!("the largest {count} of {length}"))),
                None => Ok(()),
            }
        }
        ("Dropout", [_, arguments @ ..]) => {
            let single = |fact: &InferenceFact| shape(fact).is_some_and(|shape| shape.iter().product::<usize>() == 1);
            if arguments.iter().all(single) { Ok(()) } else { Err(wrong("an argument is not one number".to_owned())) }
        }
        _ => Ok(()),
    }
}

/// The integers that an input is known to have; none where they are not known yet.
fn integers(fact: &InferenceFact) -> Vec<i64> {
    let values = fact.value.concretize().and_then(|tensor| {
        let tensor = tensor.cast_to::<i64>().ok()?;
        Some(tensor.to_plain_array_view::<i64>().ok()?.iter().copied().collect())
    });
    values.unwrap_or_default()
}

/// How many 4-byte numbers an element takes; tract counts shapes in symbolic dimensions.
fn weight(facts: &[InferenceFact]) -> u64 {
    let bytes =
        facts.iter().filter_map(|fact| fact.datum_type.concretize()).map(|kind: DatumType| kind.size_of()).max();
    (bytes.unwrap_or(8) as u64).div_ceil(4)
}

fn shape(fact: &InferenceFact) -> Option<Vec<usize>> {
    fact.shape.as_concrete_finite().ok().flatten().map(|shape| shape.to_vec())
}

/// Multiplications of one node, rounded up generously; also bounds the matrix that a convolution unrolls its input into.
fn work(node: &pb::NodeProto, name: &str, inputs: &[Vec<usize>], outputs: &[Vec<usize>]) -> Result<u64, Refusal> {
    let volume = |shape: &Vec<usize>| shape.iter().fold(1_u64, |count, &dim| count.saturating_mul(dim as u64));
    let given: u64 = outputs.iter().map(volume).fold(0, u64::saturating_add);
    let taken: u64 = inputs.iter().map(volume).fold(0, u64::saturating_add);
    let per_output = |index: usize| {
        // Weights are output channels x input channels of the group x window.
        inputs
            .get(index)
            .map_or(1, |weights| volume(weights).div_ceil(weights.first().copied().unwrap_or(1).max(1) as u64))
    };
    let window = || {
        let kernel = node.attribute.iter().find(|attribute| attribute.name == "kernel_shape");
        kernel.map_or(1, |kernel| {
            kernel.ints.iter().fold(1_u64, |count, &size| count.saturating_mul(size.unsigned_abs()))
        })
    };
    let dense = match node.op_type.as_str() {
        "Conv" | "ConvInteger" => unrolled(name, given, outputs, per_output(1))?,
        "QLinearConv" => unrolled(name, given, outputs, per_output(3))?,
        "ConvTranspose" => unrolled(name, taken, inputs, per_output(1))?,
        "MatMul" | "MatMulInteger" | "QLinearMatMul" | "Gemm" => {
            given.saturating_mul(inputs.first().and_then(|a| a.iter().rev().take(2).max().copied()).unwrap_or(1) as u64)
        }
        // tract 0.23 takes its poolings number by number.
        "AveragePool" | "MaxPool" => given.saturating_mul(window()).saturating_mul(8),
        "LRN" => {
            let size = node.attribute.iter().find(|attribute| attribute.name == "size");
            given.saturating_mul(size.map_or(1, |size| size.i.unsigned_abs()))
        }
        "Resize" | "GridSample" | "TopK" => given.saturating_add(taken).saturating_mul(32),
        _ => 0,
    };
    Ok(dense.saturating_add(given).saturating_add(taken))
}

/// A convolution's work; its unrolled input (window x positions) must fit into 1 GiB.
fn unrolled(name: &str, volume: u64, shapes: &[Vec<usize>], per_output: u64) -> Result<u64, Refusal> {
    let channels = shapes.first().and_then(|shape| shape.get(1)).copied().unwrap_or(1).max(1) as u64;
    if (volume / channels).saturating_mul(per_output) > 4 * MAX_ELEMENTS {
        return Err(Refusal::too_large(format!("the convolution `{name}` asks for more than 1 GiB")));
    }
    Ok(volume.saturating_mul(per_output))
}
