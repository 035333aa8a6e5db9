//! What exporters leave in a graph that means nothing, and what they put there that means something else than it seems.

use std::collections::HashSet;

use tract_onnx::pb;

use super::Refusal;

/// Takes away tensors that nothing uses, whatever they hold, and outputs at the end of a node that have no name: they are
/// optional, and nobody wants them.
pub(super) fn tidy(graph: &mut pb::GraphProto) {
    let used: HashSet<&str> = graph
        .node
        .iter()
        .flat_map(|node| &node.input)
        .chain(graph.output.iter().map(|output| &output.name))
        .map(String::as_str)
        .collect();
    // Up to IR version 3 each constant is an input, too.
    let is_constant: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    graph.input.retain(|input| used.contains(input.name.as_str()) || !is_constant.contains(input.name.as_str()));
    graph.initializer.retain(|tensor| used.contains(tensor.name.as_str()));
    for node in &mut graph.node {
        while node.output.len() > 1 && node.output.last().is_some_and(String::is_empty) {
            node.output.pop();
        }
    }
}

/// Refuses graphs with functions of their own that they use, or that are called as ONNX's operators are.
pub(super) fn functions(proto: &pb::ModelProto) -> Result<(), Refusal> {
    let is_onnx = |domain: &str| domain.is_empty() || domain == "ai.onnx";
    let nodes = proto.graph.iter().flat_map(|graph| &graph.node);
    let used: HashSet<(&str, &str)> = nodes.map(|node| (node.domain.as_str(), node.op_type.as_str())).collect();
    let met = proto.functions.iter().find_map(|function| {
        let (domain, name) = (function.domain.as_deref().unwrap_or(""), function.name.as_deref().unwrap_or(""));
        (is_onnx(domain) || used.contains(&(domain, name))).then_some(name)
    });
    match met {
        Some(name) => Err(Refusal::wrong_shape(
            format!("its graph has a function `{name}` of its own, which facelens does not run"),
            "put the functions into the graph (onnx.inliner.inline_local_functions; torch.onnx.export without \
             export_modules_as_functions)",
        )),
        None => Ok(()),
    }
}
