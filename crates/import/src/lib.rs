//! Model files of other programs: readers for Keras, MXNet, TensorFlow.js and ONNX, the papers as graphs, and the library
//! of installed models.
//!
//! ```text
//! file --(sandbox)--> formats --> layers --> net (ONNX graph) --> self-check --> Opened { card, graphs } --> TaskModel
//! ```

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

mod draft;
pub mod formats;
mod install;
mod library;
pub mod net;
mod opened;
mod sandbox;
mod staged;

pub use draft::{CardDraft, OutputOffer, ScalingOffer, USUAL_SIDES};
pub use install::{Installed, install};
pub use library::{Entry, Library, Origin};
pub use opened::Opened;
pub use sandbox::{Limits, Sandbox, TRY_COMMAND, try_model};
