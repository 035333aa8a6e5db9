//! The layers of an SSR-Net out of a graph that [`SsrNetWeights::to_onnx`] wrote, so that a training can go on from a model.
//!
//! Batch normalisations are folded in the graph and stay folded. Everything else is there: the first convolution is laid
//! out anew, but its kernel is as it was.

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use super::ssr_net::{FusionBlockWeights, RESIDUALS_BEHIND, RegressionWeights, ResidualBlockWeights, SsrNetWeights};
use super::{Affine, Convention, ConvolutionBlockWeights, DenseLayout, FlattenOrder, KernelLayout, ShapeError, Tensor};

/// How the graph stores its layers.
const GRAPH: Convention =
    Convention { kernel: KernelLayout::Oihw, dense: DenseLayout::InOut, flatten: FlattenOrder::ChannelRowColumn };

impl SsrNetWeights {
    /// The network of a graph, batch normalisations folded. The graph that is made of it again must be the same, node by
    /// node and number by number.
    ///
    /// # Errors
    /// Where the bytes are no graph that [`SsrNetWeights::to_onnx`] writes.
    pub fn from_onnx(onnx: &[u8]) -> Result<Self, ShapeError> {
        let decode = |bytes: &[u8]| {
            let model =
                ModelProto::decode(bytes).map_err(|error| ShapeError(format!("it is not an ONNX graph: {error}")))?;
            model.graph.ok_or_else(|| ShapeError("there is no graph in it".to_owned()))
        };
        let graph = decode(onnx)?;
        let mut reader = GraphReader { graph: &graph, next: 0 };
        let (relu_stream, relu_residuals) = reader.stream()?;
        let (tanh_stream, tanh_residuals) = reader.stream()?;
        let mut regressions = Vec::new();
        while reader.comes("Conv") {
            regressions.extend(reader.regressions()?);
        }
        let net = Self {
            convention: GRAPH,
            input_scaling: None,
            relu_stream,
            tanh_stream,
            relu_residuals,
            tanh_residuals,
            regressions,
            relu_in_stage_1: true,
        };
        if decode(&net.to_onnx()?)? == graph {
            Ok(net)
        } else {
            Err(ShapeError("its graph is not the one that facelens makes of an SSR-Net".to_owned()))
        }
    }
}

/// Goes through the nodes in their order.
struct GraphReader<'a> {
    graph: &'a GraphProto,
    next: usize,
}

impl<'a> GraphReader<'a> {
    /// Whether a node of this operator is still to come.
    fn comes(&self, operator: &str) -> bool {
        self.graph.node.iter().skip(self.next).any(|node| node.op_type == operator)
    }

    /// The next node of this operator.
    fn node(&mut self, operator: &str) -> Result<&'a NodeProto, ShapeError> {
        let found = self.graph.node.iter().enumerate().skip(self.next).find(|(_, node)| node.op_type == operator);
        let (place, node) = found.ok_or_else(|| ShapeError(format!("its graph ends before a node {operator}")))?;
        self.next = place + 1;
        Ok(node)
    }

    /// The constant that is input `index` of a node; `None` where that input is computed.
    fn constant(&self, node: &NodeProto, index: usize) -> Result<Option<Tensor>, ShapeError> {
        let name = node.input.get(index);
        let stored = self.graph.initializer.iter().find(|stored| Some(&stored.name) == name);
        stored.map(tensor).transpose()
    }

    fn needed(&self, node: &NodeProto, index: usize) -> Result<Tensor, ShapeError> {
        let constant = self.constant(node, index)?;
        constant.ok_or_else(|| ShapeError(format!("input {index} of its node `{}` is not a constant", node.name)))
    }

    /// The next convolution.
    fn convolution(&mut self) -> Result<Affine, ShapeError> {
        let node = self.node("Conv")?;
        Ok(Affine { kernel: self.needed(node, 1)?, bias: self.needed(node, 2)? })
    }

    /// The next convolution, with the normalisation that is folded into it.
    fn block(&mut self) -> Result<ConvolutionBlockWeights, ShapeError> {
        Ok(ConvolutionBlockWeights { convolution: self.convolution()?, norm: None })
    }

    /// Whether the next convolution treats each channel by itself.
    fn comes_depthwise(&self) -> bool {
        let next = self.graph.node.iter().skip(self.next).find(|node| node.op_type == "Conv");
        next.is_some_and(|node| node.attribute.iter().any(|attribute| attribute.name == "group" && attribute.i > 1))
    }

    fn stream(&mut self) -> Result<([ConvolutionBlockWeights; 4], Vec<ResidualBlockWeights>), ShapeError> {
        let mut residuals = Vec::new();
        let mut blocks = Vec::with_capacity(4);
        while blocks.len() < 4 {
            blocks.push(self.block()?);
            while blocks.len() == RESIDUALS_BEHIND && self.comes_depthwise() {
                residuals.push(ResidualBlockWeights { depthwise: self.block()?, pointwise: self.block()? });
            }
        }
        let blocks =
            blocks.try_into().map_err(|_| ShapeError("its streams are not of four convolutions".to_owned()))?;
        Ok((blocks, residuals))
    }

    /// The next convolution as `count` convolutions of the same input.
    fn heads(&mut self, count: usize) -> Result<Vec<Affine>, ShapeError> {
        let Affine { kernel, bias } = self.convolution()?;
        let [outputs, inputs, 1, 1] = *kernel.shape() else {
            return Err(ShapeError(format!("{:?} is not a kernel of a 1x1 convolution", kernel.shape())));
        };
        let channels = outputs / count.max(1);
        let (kernels, biases) = (split(&kernel, count, &[channels, inputs, 1, 1])?, split(&bias, count, &[channels])?);
        Ok(kernels.into_iter().zip(biases).map(|(kernel, bias)| Affine { kernel, bias }).collect())
    }

    /// The next fully connected layers, each on its own numbers.
    fn dense_each(&mut self) -> Result<Vec<Affine>, ShapeError> {
        let (product, sum) = (self.node("MatMul")?, self.node("Add")?);
        let (kernels, biases) = (self.needed(product, 1)?, self.needed(sum, 1)?);
        let [count, inputs, outputs] = *kernels.shape() else {
            return Err(ShapeError(format!("{:?} are not kernels of fully connected layers", kernels.shape())));
        };
        let (kernels, biases) = (split(&kernels, count, &[inputs, outputs])?, split(&biases, count, &[outputs])?);
        Ok(kernels.into_iter().zip(biases).map(|(kernel, bias)| Affine { kernel, bias }).collect())
    }

    /// The next regressions that are alike.
    fn regressions(&mut self) -> Result<Vec<RegressionWeights>, ShapeError> {
        let mut stages: Vec<Vec<FusionBlockWeights>> = Vec::new();
        for _ in 0..3 {
            stages.push(self.fusion_blocks()?);
        }
        let count = stages[0].len();
        // What is made of the stages: the bins are added first, the range is multiplied last.
        let bins_node = self.node("Add")?;
        let bins = self.needed(bins_node, 0)?;
        let ranges = loop {
            let node = self.node("Mul")?;
            match self.constant(node, 1)? {
                Some(ranges) if ranges.shape() == [count, 1] => break ranges,
                _ => {}
            }
        };
        if stages.iter().any(|stage| stage.len() != count) || bins.shape().first() != Some(&count) {
            return Err(ShapeError("its stages do not fit together".to_owned()));
        }
        let bins_of_each = bins.data().len() / count.max(1);
        let mut stages = stages.into_iter().map(Vec::into_iter).collect::<Vec<_>>();
        let mut next = |index: usize| stages[index].next().ok_or_else(|| ShapeError("a stage is missing".to_owned()));
        ranges
            .data()
            .iter()
            .enumerate()
            .map(|(value, range)| {
                let first_bin = bins.data()[value * bins_of_each];
                Ok(RegressionWeights { stages: [next(0)?, next(1)?, next(2)?], range: *range, first_bin })
            })
            .collect()
    }

    /// The fusion blocks of one stage.
    fn fusion_blocks(&mut self) -> Result<Vec<FusionBlockWeights>, ShapeError> {
        // The fully connected layers tell how many blocks the convolutions before them are made of.
        let start = self.next;
        let count = self.dense_each()?.len();
        self.next = start;
        let (relu_head, tanh_head) = (self.heads(count)?, self.heads(count)?);
        let (relu_mix, tanh_mix) = (self.dense_each()?, self.dense_each()?);
        let (delta, feature) = (self.dense_each()?, self.dense_each()?);
        let (p, eta) = (self.dense_each()?, self.dense_each()?);
        let layers = [relu_head, tanh_head, relu_mix, tanh_mix, feature, delta, p, eta];
        if layers.iter().any(|layer| layer.len() != count) {
            return Err(ShapeError("the layers of a stage are for different numbers of outputs".to_owned()));
        }
        let mut layers = layers.map(Vec::into_iter);
        let mut blocks = Vec::with_capacity(count);
        while let [
            Some(relu_head),
            Some(tanh_head),
            Some(relu_mix),
            Some(tanh_mix),
            Some(feature),
            Some(delta),
            Some(p),
            Some(eta),
        ] = layers.each_mut().map(Iterator::next)
        {
            blocks.push(FusionBlockWeights { relu_head, tanh_head, relu_mix, tanh_mix, feature, delta, p, eta });
        }
        Ok(blocks)
    }
}

/// A stored tensor of 32-bit floats.
fn tensor(stored: &TensorProto) -> Result<Tensor, ShapeError> {
    if stored.data_type != DataType::Float as i32 {
        return Err(ShapeError(format!("its tensor `{}` holds no 32-bit floats", stored.name)));
    }
    let shape: Result<Vec<usize>, _> = stored.dims.iter().map(|axis| usize::try_from(*axis)).collect();
    let shape = shape.map_err(|_| ShapeError(format!("its tensor `{}` has no size", stored.name)))?;
    let (numbers, rest) = stored.raw_data.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(ShapeError(format!("its tensor `{}` is cut off", stored.name)));
    }
    Tensor::new(&shape, numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}

/// A tensor cut into `count` parts of this shape, one behind the other.
fn split(tensor: &Tensor, count: usize, shape: &[usize]) -> Result<Vec<Tensor>, ShapeError> {
    let length: usize = shape.iter().product();
    if length == 0 || Some(tensor.data().len()) != length.checked_mul(count) {
        return Err(ShapeError(format!("{:?} is not {count} times {shape:?}", tensor.shape())));
    }
    tensor.data().chunks_exact(length).map(|part| Tensor::new(shape, part.to_vec())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::fsa_net;

    #[test]
    fn the_shipped_network_comes_back_from_its_graph() {
        let onnx = include_bytes!("../../../../models/facelens-face.onnx");
        let net = SsrNetWeights::from_onnx(onnx).unwrap();
        assert!(net.regressions.len() >= 5);
        assert_eq!((net.regressions[0].range, net.regressions[0].first_bin), (101.0, 0.0));
        assert_eq!((net.regressions[2].range, net.regressions[2].first_bin), (fsa_net::RANGE, -1.0));
        assert_eq!(SsrNetWeights::from_onnx(&net.to_onnx().unwrap()).unwrap(), net);
    }

    #[test]
    fn other_graphs_are_refused() {
        for (onnx, words) in [
            (&b"no graph"[..], "not an ONNX graph"),
            (include_bytes!("../../../../models/facelens-pose.onnx"), ""),
            (include_bytes!("../../../../models/blazeface-front-128.onnx"), ""),
        ] {
            let ShapeError(error) = SsrNetWeights::from_onnx(onnx).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
        // A pooling of another size than that of SSR-Net.
        let mut model = ModelProto::decode(&include_bytes!("../../../../models/facelens-face.onnx")[..]).unwrap();
        let nodes = &mut model.graph.as_mut().unwrap().node;
        nodes.iter_mut().find(|node| node.op_type == "AveragePool").unwrap().attribute[0].ints = vec![3, 3];
        let onnx = model.encode_to_vec();
        let ShapeError(error) = SsrNetWeights::from_onnx(&onnx).unwrap_err();
        assert!(error.contains("is not the one"), "{error}");
    }
}
