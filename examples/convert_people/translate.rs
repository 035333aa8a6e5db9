//! From TensorFlow's nodes to ONNX's. All values are kept as NCHW; whether the source has one as NHWC is only remembered.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};

use crate::Output;
use crate::onnx::{Attribute, Writer};
use crate::tfjs::{GraphModel, Node, Weight};

/// A picture-like value.
#[derive(Clone)]
struct Map {
    name: String,
    channels: usize,
    rows: usize,
    columns: usize,
    /// Whether the source has its channels last.
    channels_last: bool,
    /// Rows and columns that the source has put around it, and that what reads it takes over: top, left, bottom, right.
    padding: [usize; 4],
}

struct Translator<'a> {
    graph: &'a GraphModel,
    writer: Writer,
    maps: HashMap<String, Map>,
    outputs: HashMap<String, &'a Output>,
}

/// Writes the part of the graph that the outputs need.
pub(crate) fn translate(graph: &GraphModel, outputs: &[Output], name: &str) -> Result<Vec<u8>> {
    let full_name = |output: &Output| {
        graph
            .nodes
            .keys()
            .find(|name| name.ends_with(output.node))
            .cloned()
            .with_context(|| format!("no {}", output.node))
    };
    let names: Vec<String> = outputs.iter().map(full_name).collect::<Result<_>>()?;
    let side = if name.starts_with("nanodet") { 416 } else { 256 };
    let mut translator = Translator {
        graph,
        writer: Writer::new(name, "image", [1, 3, side, side]),
        maps: HashMap::new(),
        outputs: names.iter().cloned().zip(outputs).collect(),
    };
    let (input, _) = graph.nodes.iter().find(|(_, node)| node.op == "Placeholder").context("no input")?;
    let image = Map {
        name: "image".to_owned(),
        channels: 3,
        rows: side,
        columns: side,
        channels_last: !name.starts_with("nanodet"),
        padding: [0; 4],
    };
    translator.maps.insert(input.clone(), image);
    for (name, output) in names.iter().zip(outputs) {
        let map = translator.map(name)?;
        translator.writer.output(&map.name, output.name, &[1, map.channels, map.rows, map.columns]);
    }
    Ok(translator.writer.finish())
}

impl Translator<'_> {
    /// The value that a node gives; translates it and what it needs first.
    fn map(&mut self, name: &str) -> Result<Map> {
        if let Some(map) = self.maps.get(name) {
            return Ok(map.clone());
        }
        let node = self.graph.node(name)?;
        let map = self.node(name, node).with_context(|| format!("node {name}"))?;
        self.maps.insert(name.to_owned(), map.clone());
        Ok(map)
    }

    fn node(&mut self, name: &str, node: &Node) -> Result<Map> {
        let inputs: Vec<&str> = node.inputs.iter().map(String::as_str).collect();
        match (node.op.as_str(), &inputs[..]) {
            ("Transpose", [x, order]) => {
                let x = self.map(x)?;
                let to_last = match self.graph.weight(order)?.integers[..] {
                    [0, 2, 3, 1] => true,
                    [0, 3, 1, 2] => false,
                    ref other => bail!("the unknown order of axes {other:?}"),
                };
                ensure!(x.channels_last != to_last, "the axes are turned twice");
                Ok(Map { channels_last: to_last, ..x })
            }
            ("Pad" | "PadV2", [x, paddings, ..]) => self.pad(x, paddings),
            ("Conv2D", [x, kernel]) => self.convolution(name, node, x, kernel, None),
            ("_FusedConv2D" | "FusedDepthwiseConv2dNative", [x, kernel, bias]) => {
                self.convolution(name, node, x, kernel, Some(bias))
            }
            ("Add" | "AddV2", [x, other]) if self.graph.weights.contains_key(*other) => self.bias(name, x, other),
            ("Add" | "AddV2", [a, b]) => {
                let (a, b) = (self.plain(a)?, self.plain(b)?);
                ensure!(a.channels_last == b.channels_last && a.rows == b.rows, "unlike maps are added");
                let sum = self.writer.node("Add", &[&a.name, &b.name], name, &[]);
                Ok(Map { name: sum, ..a })
            }
            ("Relu6", [x]) => {
                let x = self.plain(x)?;
                Ok(Map { name: self.clip(&x.name, name), ..x })
            }
            ("LeakyRelu", [x]) => {
                let x = self.plain(x)?;
                let slope = [Attribute::Float("alpha", node.float("alpha")?)];
                Ok(Map { name: self.writer.node("LeakyRelu", &[&x.name], name, &slope), ..x })
            }
            ("Sigmoid", [x]) => {
                let x = self.plain(x)?;
                Ok(Map { name: self.writer.node("Sigmoid", &[&x.name], name, &[]), ..x })
            }
            ("ConcatV2", [parts @ .., axis]) => {
                let parts: Vec<Map> = parts.iter().map(|part| self.plain(part)).collect::<Result<_>>()?;
                let first = parts.first().context("nothing to join")?.clone();
                let axis = &self.graph.weight(axis)?.integers;
                ensure!(axis[..] == [if first.channels_last { 3 } else { 1 }], "maps are joined along {axis:?}");
                let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
                let joined = self.writer.node("Concat", &names, name, &[Attribute::Integer("axis", 1)]);
                Ok(Map { name: joined, channels: parts.iter().map(|part| part.channels).sum(), ..first })
            }
            ("MaxPool", [x]) => self.max_pool(name, node, x),
            ("ResizeBilinear", [x, size]) => self.resize(name, x, size),
            (op, _) => bail!("the operator {op} is unknown"),
        }
    }

    /// A value without pending padding.
    fn plain(&mut self, name: &str) -> Result<Map> {
        let map = self.map(name)?;
        ensure!(map.padding == [0; 4], "a padded map is read by what cannot pad");
        Ok(map)
    }

    fn pad(&mut self, x: &str, paddings: &str) -> Result<Map> {
        let x = self.plain(x)?;
        let pads: Vec<usize> = self.graph.weight(paddings)?.integers.iter().map(|&pad| pad as usize).collect();
        let first = if x.channels_last { 2 } else { 4 };
        let [top, bottom, left, right] = pads[first..first + 4] else { bail!("not four sides") };
        ensure!(pads.iter().sum::<usize>() == top + bottom + left + right, "channels are padded");
        Ok(Map { padding: [top, left, bottom, right], ..x })
    }

    /// Rows, columns and ONNX's padding of what moves a window over a map.
    fn window(x: &Map, node: &Node, side: [usize; 2], stride: usize) -> Result<(usize, usize, [i64; 4])> {
        let [top, left, bottom, right] = x.padding;
        let mut pads = [top, left, bottom, right];
        if node.pads_to_same()? {
            ensure!(x.padding == [0; 4], "padded twice");
            let missing =
                |length: usize, side: usize| ((length.div_ceil(stride) - 1) * stride + side).saturating_sub(length);
            let (down, across) = (missing(x.rows, side[0]), missing(x.columns, side[1]));
            pads = [down / 2, across / 2, down - down / 2, across - across / 2];
        }
        let steps = |length: usize, side: usize| (length - side) / stride + 1;
        let rows = steps(x.rows + pads[0] + pads[2], side[0]);
        let columns = steps(x.columns + pads[1] + pads[3], side[1]);
        Ok((rows, columns, pads.map(|pad| pad as i64)))
    }

    fn convolution(&mut self, name: &str, node: &Node, x: &str, kernel: &str, bias: Option<&str>) -> Result<Map> {
        let x = self.map(x)?;
        let graph = self.graph;
        let weight = graph.weight(kernel)?;
        let [rows, columns, inputs, per_input] = weight.shape[..] else { bail!("a kernel without four axes") };
        let depthwise = node.op.contains("Depthwise");
        ensure!(x.channels == inputs && (!depthwise || per_input == 1), "the kernel does not fit");
        let outputs = if depthwise { inputs } else { per_input };
        let kept = self.kept(name, outputs);
        let stride = node.integers("strides")?[1];
        ensure!(node.integers("dilations")?.iter().all(|&step| step == 1), "dilated");
        let (height, width, pads) = Self::window(&x, node, [rows, columns], stride as usize)?;
        // HWIO becomes OIHW; of a depthwise kernel HWC1 becomes C1HW.
        let inner = if depthwise { 1 } else { inputs };
        let at = |output: usize, input: usize, place: usize| {
            if depthwise {
                weight.halves[place * inputs + output]
            } else {
                weight.halves[(place * inputs + input) * outputs + output]
            }
        };
        let values: Vec<u16> = kept
            .iter()
            .flat_map(|&output| {
                (0..inner).flat_map(move |input| (0..rows * columns).map(move |place| (output, input, place)))
            })
            .map(|(output, input, place)| at(output, input, place))
            .collect();
        let kernel_name = self.writer.halves(kernel, &[kept.len(), inner, rows, columns], values);
        let mut names = vec![x.name.clone(), kernel_name];
        if let Some(bias) = bias {
            names.push(self.bias_weight(bias, &kept)?);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let attributes = [
            Attribute::Integers("kernel_shape", &[rows as i64, columns as i64]),
            Attribute::Integers("strides", &[stride, stride]),
            Attribute::Integers("pads", &pads),
            Attribute::Integer("group", if depthwise { inputs as i64 } else { 1 }),
        ];
        let mut result = self.writer.node("Conv", &names, name, &attributes);
        if node.fused_activation()?.is_some() {
            result = self.clip(&result, &format!("{name}/clipped"));
        }
        let channels = kept.len();
        Ok(Map { name: result, channels, rows: height, columns: width, channels_last: true, padding: [0; 4] })
    }

    /// The channels of a node's output that stay. A convolution whose bias is added by the output's node is cut, too.
    fn kept(&self, name: &str, channels: usize) -> Vec<usize> {
        let output = self.outputs.get(name).or_else(|| {
            let read_by =
                |output: &&String| self.graph.nodes[*output].inputs.first().is_some_and(|input| input == name);
            self.outputs.keys().find(read_by).and_then(|output| self.outputs.get(output))
        });
        match output {
            Some(output) if !output.channels.is_empty() => output.channels.iter().flat_map(Clone::clone).collect(),
            _ => (0..channels).collect(),
        }
    }

    fn bias_weight(&mut self, name: &str, kept: &[usize]) -> Result<String> {
        let Weight { halves, .. } = self.graph.weight(name)?;
        Ok(self.writer.halves(name, &[kept.len()], kept.iter().map(|&channel| halves[channel])))
    }

    /// A bias that is added behind a convolution.
    fn bias(&mut self, name: &str, x: &str, bias: &str) -> Result<Map> {
        let map = self.plain(x)?;
        let kept = self.kept(name, self.graph.weight(bias)?.halves.len());
        let bias = self.bias_weight(bias, &kept)?;
        ensure!(map.channels_last && self.writer.put_bias(&map.name, &bias), "a constant that is no bias");
        Ok(map)
    }

    fn clip(&mut self, x: &str, name: &str) -> String {
        let (zero, six) = (self.writer.floats("zero", &[], &[0.0]), self.writer.floats("six", &[], &[6.0]));
        self.writer.node("Clip", &[x, &zero, &six], name, &[])
    }

    fn max_pool(&mut self, name: &str, node: &Node, x: &str) -> Result<Map> {
        let x = self.map(x)?;
        let (sides, strides) = (node.integers("ksize")?, node.integers("strides")?);
        let (rows, columns, pads) =
            Self::window(&x, node, [sides[1] as usize, sides[2] as usize], strides[1] as usize)?;
        let attributes = [
            Attribute::Integers("kernel_shape", &sides[1..3]),
            Attribute::Integers("strides", &strides[1..3]),
            Attribute::Integers("pads", &pads),
        ];
        let pooled = self.writer.node("MaxPool", &[&x.name], name, &attributes);
        Ok(Map { name: pooled, rows, columns, padding: [0; 4], ..x })
    }

    fn resize(&mut self, name: &str, x: &str, size: &str) -> Result<Map> {
        let x = self.plain(x)?;
        let size: Vec<usize> = self.graph.weight(size)?.integers.iter().map(|&side| side as usize).collect();
        let [rows, columns] = size[..] else { bail!("a size without two sides") };
        let name = if (rows * 2, columns * 2) == (x.rows, x.columns) {
            // Each new place lies in the middle of four old ones.
            let attributes = [Attribute::Integers("kernel_shape", &[2, 2]), Attribute::Integers("strides", &[2, 2])];
            self.writer.node("AveragePool", &[&x.name], name, &attributes)
        } else {
            ensure!((rows, columns) == (x.rows * 2, x.columns * 2), "a map is resized by other than two");
            let scales = self.writer.floats("twice", &[4], &[1.0, 1.0, 2.0, 2.0]);
            let attributes =
                [Attribute::Text("mode", "linear"), Attribute::Text("coordinate_transformation_mode", "half_pixel")];
            self.writer.node("Resize", &[&x.name, "", &scales], name, &attributes)
        };
        Ok(Map { name, rows, columns, ..x })
    }
}
