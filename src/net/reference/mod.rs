//! The arithmetic of the frameworks that the weight files come from, in plain Rust, channels last.
//!
//! It is written for being right, not for being fast, and shares nothing with the graph builders: no folding, no
//! reordering, each layer as its framework computes it. An import is refused where tract disagrees with it.

mod fsa_net;
mod operations;
mod ssr_net;

pub use operations::{
    Padding, add, average_pool, batch_norm, convolution, dense, depthwise_convolution, divide, matrix_product,
    max_pool, multiply, relu, sigmoid, softmax_rows, tanh,
};
