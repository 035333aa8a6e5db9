//! Faces in a picture: where they are, and their age, gender and head pose, by networks that [tract] runs.
//!
//! ```text
//! Frame --> detect --> track --> crop --> estimate --> smooth --> Analysis { frame, faces, timings }
//! ```
//!
//! [`Analyser`] is the whole way; [`detect`], [`estimate`] and [`track`] are its parts. The models that ship are
//! [`model::ModelSet::shipped`]; nothing is fetched.
//!
//! [tract]: https://docs.rs/tract-onnx

#![cfg_attr(any(test, feature = "testing"), allow(clippy::print_stderr, reason = "tests say what they skip"))]

pub mod analyser;
mod analysis;
pub mod detect;
pub mod estimate;
pub mod frame;
pub mod geometry;
pub mod model;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod testing;
pub mod track;

pub use analyser::{AnalyseError, Analyser, Faces};
pub use analysis::{Analysis, StageTimings};
