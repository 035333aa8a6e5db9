//! The arithmetic of the frameworks that the weight files come from, in plain Rust, channels last.
//!
//! It is written for being right, not for being fast, and shares nothing with the graph builders: no folding, no
//! reordering, each layer as its framework computes it. An import is refused where tract disagrees with it.

mod fsa_net;
mod gl_cnn;
mod operations;
mod ssr_net;
mod ssr_net_md;
mod windows;

pub use operations::{add, batch_norm, dense, divide, matrix_product, multiply, relu, sigmoid, softmax_rows, tanh};
pub use windows::{Padding, average_pool, convolution, depthwise_convolution, max_pool};
