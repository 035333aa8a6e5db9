//! The papers, as graphs: SSR-Net (Yang et al., IJCAI 2018), FSA-Net (Yang et al., CVPR 2019) and GL-CNN (Zhu et al., 2020).
//!
//! ```text
//! a weight file --(formats)--> layers, exactly as stored --+--> ONNX graph   (ssr_net, fsa_net)  --> tract
//!                                                                +--> plain arithmetic (reference)     --> the self-check
//! ```
//!
//! Layers keep the numbers and the layout of their file ([`Convention`]). The graph builders fold, transpose and
//! rename; the reference does none of that, so that each finds the other's mistakes.
//!
//! Every graph of a face takes one, NCHW `[1, 3, 64, 64]`, float32, in the channel order and scaling of the model's card;
//! [`gl_cnn`] takes one gait energy image, `[1, 1, 64, 44]`.

pub mod follow;
pub mod fsa_net;
pub mod gl_cnn;
#[cfg(test)]
mod gl_cnn_tests;
mod graph;
mod layers;
mod pooled;
pub mod reference;
mod soft_stagewise;
pub mod ssr_net;
pub mod ssr_net_md;
#[cfg(test)]
mod ssr_net_md_tests;
mod ssr_net_read;
#[cfg(test)]
mod ssr_net_tests;
mod tensor;

pub use layers::{Affine, BatchNorm, Convention, ConvolutionBlockWeights, DenseLayout, FlattenOrder, KernelLayout};
pub use tensor::{ShapeError, Tensor};

/// Width and height of the input of both papers' networks, in pixels.
pub const INPUT_SIDE: usize = 64;

#[cfg(test)]
pub(crate) mod tests {
    use facelens_core::model::{ChannelOrder, InputSpec, Layout, Scaling};

    use super::graph::GraphWriter;
    use super::layers::FoldedConvolution;
    use super::*;

    /// A graph that gives the mean of the first channel, and what it takes.
    pub(crate) fn mean_of_first_channel() -> (Vec<u8>, InputSpec) {
        let mut graph = GraphWriter::new("mean");
        let input = graph.input();
        let kernel = Tensor::from_fn(&[1, 3, 1, 1], |i| if i == 0 { 1.0 } else { 0.0 });
        let x = graph.convolution(&input, &FoldedConvolution { kernel, bias: None, groups: 1 }, 0);
        let x = graph.average_pool(&x, INPUT_SIDE as i64);
        let x = graph.reshape(&x, &[1, 1]);
        let scaling = Scaling::MinMax;
        let input = InputSpec { width: 64, height: 64, layout: Layout::Nchw, channels: ChannelOrder::Bgr, scaling };
        (graph.finish(&x, 1), input)
    }
}
