//! Puts a TensorFlow.js graph in order and runs it node by node.

use std::collections::HashMap;

use super::tfjs_node::Node;
use crate::net::{ShapeError, Tensor};

/// More nodes than any graph of these papers has.
const LARGEST_NODE_COUNT: usize = 10_000;
/// Multiplications that one run may take; SSR-Net takes 17 million.
const LARGEST_WORK: usize = 1 << 30;

/// The weights by name.
pub(super) type Weights = HashMap<String, Tensor>;

/// A graph in the order in which it can be run.
pub(super) struct GraphModel {
    nodes: Vec<Node>,
    weights: Weights,
}

impl GraphModel {
    /// Puts the nodes in order.
    ///
    /// # Errors
    /// Where a node's input is missing, or the graph has a ring.
    pub(super) fn new(nodes: Vec<Node>, weights: Weights) -> Result<Self, ShapeError> {
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
            return Err(ShapeError("the graph has a ring in it".to_owned()));
        }
        let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
        let nodes = order.into_iter().filter_map(|index| nodes[index].take()).collect();
        Ok(Self { nodes, weights })
    }

    /// The nodes, each after its inputs.
    pub(super) fn nodes(&self) -> &[Node] {
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
        let mut work = 0_usize;
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
                    if work > LARGEST_WORK {
                        return Err(ShapeError("the graph takes more work than any network of these papers".into()));
                    }
                    let at = |ShapeError(cause)| ShapeError(format!("node {}: {cause}", node.name));
                    node.run(&inputs).map_err(at)?
                }
            };
            if node.op == "Identity" {
                output = Some(value.data().to_vec());
            }
            values.insert(&node.name, value);
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
