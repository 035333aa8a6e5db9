//! Age by gait: sets of gait energy images, from which GL-CNN is trained.
//!
//! ```text
//! drawn walkers, OULP-Age, folders of silhouettes, recorded sessions --prepare--> a gait set (set) --train--> checkpoint --export--> NAME.onnx + NAME.toml
//! ```

mod set;
pub mod walkers;

pub use set::{GaitSample, GaitSet, GaitSetWriter};
