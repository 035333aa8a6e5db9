//! Age by gait: sets of gait energy images, from which GL-CNN is trained.
//!
//! ```text
//! drawn walkers, OULP-Age, folders of silhouettes, recorded sessions --prepare--> a gait set (set)
//!     --train (augment, loss, run)--> checkpoint --export (the app's graph builder)--> NAME.onnx + NAME.toml
//!     --judge--> what of it may be shown
//! ```

mod augment;
mod config;
mod figures;
mod loss;
pub mod prepare;
mod run;
mod set;

pub use augment::GaitAugmentation;
pub use config::{GaitConfig, GaitSetEntry, GaitSets};
pub use figures::{Estimate, GaitFigures, GroupFigures, figures};
pub use loss::GaitLoss;
pub use run::{GaitSurroundings, estimates, load, resume, start};
pub use set::{GaitSample, GaitSet, GaitSetWriter};
