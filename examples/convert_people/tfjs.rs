//! Reads a TensorFlow.js graph model.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A weight as the file holds it: 16-bit floats as their bits, or whole numbers.
pub(crate) struct Weight {
    pub(crate) shape: Vec<usize>,
    pub(crate) halves: Vec<u16>,
    pub(crate) integers: Vec<i64>,
}

pub(crate) struct Node {
    pub(crate) op: String,
    pub(crate) inputs: Vec<String>,
    attributes: Value,
}

impl Node {
    /// The attribute's list of whole numbers.
    pub(crate) fn integers(&self, name: &str) -> Result<Vec<i64>> {
        let list =
            self.attributes[name]["list"]["i"].as_array().with_context(|| format!("{} has no {name}", self.op))?;
        list.iter()
            .map(|item| item.as_i64().or_else(|| item.as_str()?.parse().ok()).context("a number was expected"))
            .collect()
    }

    /// Whether the attribute `padding` says SAME (in base64) instead of VALID.
    pub(crate) fn pads_to_same(&self) -> Result<bool> {
        match self.attributes["padding"]["s"].as_str() {
            Some("U0FNRQ==") => Ok(true),
            Some("VkFMSUQ=") => Ok(false),
            other => bail!("{} has the unknown padding {other:?}", self.op),
        }
    }

    /// The activation fused behind the bias, as ONNX names it.
    pub(crate) fn fused_activation(&self) -> Result<Option<&'static str>> {
        let list = self.attributes["fused_ops"]["list"]["s"].as_array().map_or(&[][..], Vec::as_slice);
        let names: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
        match names[..] {
            // BiasAdd; BiasAdd, Relu6.
            [] | ["Qmlhc0FkZA=="] => Ok(None),
            ["Qmlhc0FkZA==", "UmVsdTY="] => Ok(Some("Clip")),
            _ => bail!("{} is fused with the unknown {names:?}", self.op),
        }
    }

    pub(crate) fn float(&self, name: &str) -> Result<f32> {
        self.attributes[name]["f"].as_f64().map(|value| value as f32).with_context(|| format!("no {name}"))
    }
}

pub(crate) struct GraphModel {
    pub(crate) nodes: HashMap<String, Node>,
    pub(crate) weights: HashMap<String, Weight>,
}

impl GraphModel {
    pub(crate) fn node(&self, name: &str) -> Result<&Node> {
        self.nodes.get(name).with_context(|| format!("the graph has no node {name}"))
    }

    pub(crate) fn weight(&self, name: &str) -> Result<&Weight> {
        self.weights.get(name).with_context(|| format!("the graph has no weight {name}"))
    }
}

pub(crate) fn read(file: &Path) -> Result<GraphModel> {
    let text = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let json: Value = serde_json::from_slice(&text).context("this is not a graph model")?;
    let bytes = std::fs::read(file.with_extension("bin")).context("reading the weights")?;
    let mut rest = bytes.as_slice();
    let mut weights = HashMap::new();
    for entry in json["weightsManifest"][0]["weights"].as_array().context("no list of weights")? {
        let name = entry["name"].as_str().context("a weight without a name")?;
        let shape: Vec<usize> = entry["shape"]
            .as_array()
            .context("a weight without a shape")?
            .iter()
            .map(|axis| axis.as_u64().map(|axis| axis as usize).context("an axis is no number"))
            .collect::<Result<_>>()?;
        let count: usize = shape.iter().product();
        let mut weight = Weight { shape, halves: Vec::new(), integers: Vec::new() };
        let is_half = entry["quantization"]["dtype"] == "float16";
        let (own, after) =
            rest.split_at_checked(count * if is_half { 2 } else { 4 }).context("the weights are cut off")?;
        if is_half {
            weight.halves = own.as_chunks::<2>().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect();
        } else {
            ensure!(entry["dtype"] == "int32", "{name} has the unknown type {}", entry["dtype"]);
            weight.integers = own.as_chunks::<4>().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).collect();
        }
        rest = after;
        weights.insert(name.to_owned(), weight);
    }
    ensure!(rest.is_empty(), "{} bytes of weights too many", rest.len());
    let mut nodes = HashMap::new();
    for node in json["modelTopology"]["node"].as_array().context("no nodes")? {
        let text = |key: &str| node[key].as_str().map(str::to_owned).with_context(|| format!("a node without {key}"));
        let inputs = node["input"].as_array().map_or(&[][..], Vec::as_slice);
        let inputs = inputs.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        nodes.insert(text("name")?, Node { op: text("op")?, inputs, attributes: node["attr"].clone() });
    }
    Ok(GraphModel { nodes, weights })
}
