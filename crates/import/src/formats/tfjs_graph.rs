//! Puts a TensorFlow.js graph in order and runs it node by node.

use std::collections::HashMap;

use super::tfjs_node::TfjsNode;
use crate::net::{ShapeError, Tensor};

/// More nodes than any graph of these papers has.
const LARGEST_NODE_COUNT: usize = 10_000;
/// Multiplications that one run may take; SSR-Net takes 17 million.
const LARGEST_WORK: usize = 1 << 30;
/// Most numbers that are kept at once during a run; SSR-Net keeps less than a million.
const LARGEST_VALUES: usize = 16 << 20;

/// The weights by name.
pub(super) type GraphWeights = HashMap<String, Tensor>;

/// A graph in the order in which it can be run.
pub(super) struct GraphModel {
    nodes: Vec<TfjsNode>,
    weights: GraphWeights,
}

impl GraphModel {
    /// Puts the nodes in order.
    ///
    /// # Errors
    /// Where a node's input is missing, or the graph has a ring.
    pub(super) fn new(nodes: Vec<TfjsNode>, weights: GraphWeights) -> Result<Self, ShapeError> {
        if nodes.len() > LARGEST_NODE_COUNT {
            return Err(ShapeError(format!("{} nodes, more than any network of these papers has", nodes.len())));
        }
        let places: HashMap<&str, usize> =
            nodes.iter().enumerate().map(|(index, node)| (node.name.as_str(), index)).collect();
        let inputs: Vec<Vec<usize>> = nodes
            .iter()
            .map(|node| {
                let place = |name: &String| places.get(node_name(name)).copied();
                node.input.iter().map(|name| place(name).ok_or_else(|| missing(name))).collect()
            })
            .collect::<Result<_, _>>()?;
        // Kahn's algorithm, each node after all of its inputs.
        let mut waiting: Vec<usize> = inputs.iter().map(Vec::len).collect();
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for (node, inputs) in inputs.iter().enumerate() {
            inputs.iter().for_each(|&input| users[input].push(node));
        }
        let mut order: Vec<usize> = (0..nodes.len()).filter(|&node| waiting[node] == 0).collect();
        let mut next = 0;
        while let Some(&done) = order.get(next) {
            next += 1;
            for &user in &users[done] {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    order.push(user);
                }
            }
        }
        if order.len() < nodes.len() {
            return Err(ShapeError("the graph has a cycle in it".to_owned()));
        }
        let mut nodes: Vec<Option<TfjsNode>> = nodes.into_iter().map(Some).collect();
        let nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
        Ok(Self { nodes, weights })
    }

    /// The nodes, each after its inputs.
    pub(super) fn nodes(&self) -> &[TfjsNode] {
        &self.nodes
    }

    /// A weight by the name of its node.
    pub(super) fn weight(&self, name: &str) -> Result<&Tensor, ShapeError> {
        self.weights.get(node_name(name)).ok_or_else(|| missing(name))
    }

    /// All weights.
    pub(super) fn weights(&self) -> impl Iterator<Item = &Tensor> {
        self.weights.values()
    }

    /// Runs the graph on a face `[1, 64, 64, 3]` and gives what its last node gives.
    pub(super) fn run(&self, face: &Tensor) -> Result<Vec<f32>, ShapeError> {
        let mut values: HashMap<&str, Tensor> = HashMap::new();
        // How often each value is still needed.
        let mut needed: HashMap<&str, usize> = HashMap::new();
        for name in self.nodes.iter().flat_map(|node| &node.input) {
            *needed.entry(node_name(name)).or_default() += 1;
        }
        let (mut work, mut kept) = (0_usize, 0_usize);
        let mut output = None;
        for node in &self.nodes {
            let value = match node.op.as_str() {
                "Placeholder" => face.clone(),
                "Const" => self.weight(&node.name)?.clone(),
                _ => {
                    let inputs: Vec<&Tensor> = node
                        .input
                        .iter()
                        .map(|name| values.get(node_name(name)).ok_or_else(|| missing(name)))
                        .collect::<Result<_, _>>()?;
                    work = work.saturating_add(cost(&inputs));
                    if work > LARGEST_WORK || kept.saturating_add(node.most_given(&inputs)) > LARGEST_VALUES {
                        let cause = format!("node {}: more work than any network of these papers takes", node.name);
                        return Err(ShapeError(cause));
                    }
                    let at = |ShapeError(cause)| ShapeError(format!("node {}: {cause}", node.name));
                    node.run(&inputs).map_err(at)?
                }
            };
            if node.op == "Identity" {
                output = Some(value.data().to_vec());
            }
            for name in node.input.iter().map(|name| node_name(name)) {
                let Some(count) = needed.get_mut(name) else { continue };
                *count -= 1;
                if *count == 0 {
                    kept -= values.remove(name).map_or(0, |value| value.data().len());
                }
            }
            if needed.contains_key(node.name.as_str()) {
                kept = kept.saturating_add(value.data().len());
                if kept > LARGEST_VALUES {
                    return Err(ShapeError("the graph keeps more numbers than any network of these papers".into()));
                }
                values.insert(&node.name, value);
            }
        }
        output.ok_or_else(|| ShapeError("the graph has no output".to_owned()))
    }
}

/// An upper bound of the multiplications of any operator with these inputs.
fn cost(inputs: &[&Tensor]) -> usize {
    let largest = inputs.first().map_or(0, |x| x.data().len());
    inputs.iter().skip(1).map(|x| x.data().len()).max().unwrap_or(1).saturating_mul(largest.max(1) / 16 + 1)
}

/// `conv2d` of `conv2d:0`.
fn node_name(input: &str) -> &str {
    input.split(':').next().unwrap_or(input)
}

fn missing(name: &str) -> ShapeError {
    ShapeError(format!("{name} is missing"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn graph(nodes: serde_json::Value, weights: Vec<(&str, Tensor)>) -> GraphModel {
        let weights = weights.into_iter().map(|(name, tensor)| (name.to_owned(), tensor)).collect();
        GraphModel::new(serde_json::from_value(nodes).unwrap(), weights).unwrap()
    }

    #[test]
    fn one_node_that_asks_for_gigabytes_is_refused() {
        let long = 1 << 16;
        let column = Tensor::from_fn(&[long, 1], |_| 1.0);
        let row = Tensor::from_fn(&[1, long], |_| 1.0);
        let nodes = |op: &str| {
            json!([
                {"name": "a", "op": "Const"},
                {"name": "b", "op": "Const"},
                {"name": "product", "op": op, "input": ["a", "b"]},
                {"name": "Identity", "op": "Identity", "input": ["product"]},
            ])
        };
        for op in ["Mul", "Add", "AddV2", "RealDiv"] {
            let graph = graph(nodes(op), vec![("a", column.clone()), ("b", row.clone())]);
            assert!(graph.run(&column).unwrap_err().0.contains("node product: more work"), "{op}");
        }
        // 2^13 places with 2^13 channels each.
        let kernel = Tensor::from_fn(&[1, 1, 1, 1 << 13], |_| 1.0);
        let map = Tensor::from_fn(&[1, 1, 1 << 13, 1], |_| 1.0);
        let bias = Tensor::from_fn(&[1 << 13], |_| 0.0);
        let nodes = json!([
            {"name": "x", "op": "Const"},
            {"name": "kernel", "op": "Const"},
            {"name": "bias", "op": "Const"},
            {"name": "conv", "op": "_FusedConv2D", "input": ["x", "kernel", "bias"]},
        ]);
        let graph = graph(nodes, vec![("x", map.clone()), ("kernel", kernel), ("bias", bias)]);
        assert!(graph.run(&map).unwrap_err().0.contains("node conv: more work"));
    }

    #[test]
    fn values_are_kept_as_long_as_they_are_needed_and_no_more_of_them_than_fit() {
        // A long chain of 2^20 numbers each: only two of them are alive at once.
        let face = Tensor::from_fn(&[1 << 20], |index| index as f32);
        let link = |index: usize, op: &str| {
            let before = if index == 0 { "x".to_owned() } else { format!("n{}", index - 1) };
            json!({"name": format!("n{index}"), "op": op, "input": [before]})
        };
        let mut chain = vec![json!({"name": "x", "op": "Placeholder"})];
        chain.extend((0..40).map(|index| link(index, "Relu")));
        chain.push(link(40, "Identity"));
        assert_eq!(graph(chain.into(), vec![]).run(&face).unwrap(), face.data());

        // As many that wait for the last node of all.
        let mut fan = vec![json!({"name": "x", "op": "Placeholder"})];
        fan.extend((0..40).map(|index| json!({"name": format!("n{index}"), "op": "Relu", "input": ["x"]})));
        let all: Vec<String> = (0..40).map(|index| format!("n{index}")).collect();
        fan.push(json!({"name": "last", "op": "Concat", "input": all}));
        assert!(graph(fan.into(), vec![]).run(&face).is_err_and(|ShapeError(cause)| cause.contains("more")));
    }
}
