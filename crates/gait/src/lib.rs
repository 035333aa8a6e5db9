//! Age by gait: people are found, followed and cut out of a film, and the silhouettes of a stride are averaged into a *gait
//! energy image* (GEI), from which a network tells the age (H. Zhu, Y. Zhang, G. Li, J. Zhang, H. Shan, "Ordinal distribution
//! regression for gait-based age estimation", arXiv 1905.11005).
//!
//! ```text
//! frame -> people (boxes) -> walkers (IDs) -> mask -> silhouette --(a stride)--> GEI -> age
//! ```

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

mod age;
mod analyser;
mod body;
mod crowd;
mod error;
mod gei;
mod mask;
mod measures;
mod network;
mod outline;
mod people;
mod period;
mod sample;
mod sequence;
mod silhouette;
mod stride;
#[cfg(test)]
mod testing;
mod timing;
mod track;
mod walker;

pub use age::{AgeByGait, AgeError, GaitAge, GaitEstimate, Stage};
pub use analyser::{GaitAnalyser, GaitOptions, MOST_WALKERS};
pub use body::{BodyNetwork, Landmark};
pub use error::GaitError;
pub use gei::Gei;
pub use mask::Mask;
pub use measures::Measures;
pub use network::{
    AgeDistribution, CHILD_BELOW, GaitAgeModel, GaitAnswer, GaitCard, GaitGender, GaitTask, OLDER_FROM, OrdinalAge,
    OrdinalKind, Shows, read_weights,
};
pub use people::{PeopleDetector, Person};
pub use sequence::{WholeStrides, strides_of_silhouettes};
pub use silhouette::Silhouette;
pub use stride::FEWEST_FRAMES;
pub use timing::GaitParts;
pub use walker::{GaitFrame, GaitTimings, Stride, Waiting, WalkState, Walker};

/// Columns of a silhouette and of a gait energy image.
pub const GEI_WIDTH: usize = 44;

/// Rows of a silhouette and of a gait energy image: a person from head to foot.
pub const GEI_HEIGHT: usize = 64;
