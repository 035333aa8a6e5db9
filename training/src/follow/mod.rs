//! The network that follows a face from frame to frame (`facelens_core::detect::follow`).
//!
//! ```text
//! pictures with one face --prepare (the app's detector)--> a follow set (set): pictures, landmarks
//!     --train (sample: crops around the face and beside it; net, loss, run)--> checkpoint
//!     --export (the app's graph builder)--> facelens-follow.onnx
//! ```

mod config;
mod degrade;
mod export;
mod figures;
mod loss;
mod prepare;
mod run;
mod sample;
mod set;

pub use config::{FollowConfig, FollowSetEntry, FollowSets};
pub use export::{FollowExportError, export, verify};
pub use figures::{FollowFigures, figures};
pub use loss::FollowLoss;
pub use prepare::prepare;
pub use run::{load, resume, start};
pub use sample::{CropKind, FollowAugmentation, FollowTarget, draw};
pub use set::{FollowSet, FollowSetWriter, FollowedFace, PICTURE_SIDE};
