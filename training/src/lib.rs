//! facelens-training: from labelled pictures to the model files that facelens runs.
//!
//! ```text
//! pictures + labels --prepare (the app's detector and crop)--> a set of faces (data)
//!     --train (augment, nets, losses)--> checkpoint --export (the app's graph builder)--> NAME.onnx + NAME.toml
//! teachers (models that the app can load) --distil--^
//! ```

#![recursion_limit = "256"]
#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

pub mod augment;
pub mod calibrate;
pub mod cli;
pub mod data;
pub mod device;
pub mod distil;
pub mod export;
pub mod follow;
pub mod gait;
pub mod nets;
pub mod prepare;
#[cfg(test)]
mod testing;
pub mod train;
