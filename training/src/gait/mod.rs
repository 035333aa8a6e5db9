//! Age by gait: sets of gait energy images, from which GL-CNN is trained.
//!
//! ```text
//! drawn walkers, OULP-Age, folders of silhouettes, recorded sessions --prepare--> a gait set (set)
//!     --train (augment, loss, run)--> checkpoint --export (the app's graph builder)--> NAME.onnx + NAME.toml
//!     --judge--> what of it may be shown
//! ```

mod augment;
mod config;
mod export;
mod figures;
mod judge;
mod loss;
pub mod prepare;
mod run;
mod set;
pub mod walkers;

pub use augment::GaitAugmentation;
pub use config::{GaitConfig, GaitSetEntry, GaitSets};
pub use export::{GaitExportError, IMAGES, export, verify, write};
pub use figures::{GaitAgeEstimate, GaitFigures, GroupFigures, figures};
pub use judge::{Gate, Judgement, WalkerImage, judge, walker_of};
pub use loss::GaitLoss;
pub use run::{estimates, held_out, load, resume, start};
pub use set::{GaitSample, GaitSet, GaitSetWriter};
