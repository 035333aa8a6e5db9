//! facelens: age, gender and head pose live from a webcam.

//!
//! The way of a frame:
//!
//! ```text
//! source --(newest frame wins live; every frame counts on files)--> analysis:
//!        detect -> track -> crop -> estimate -> smooth
//!        --> Analysis { frame, faces, timings } --> window (newest wins) | csv / jsonl
//!                                                   | recorder (every one; bounded queue, counted drops)
//! ```

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

// What unit tests share with the whole-program tests speaks of the library by its name.
#[cfg(test)]
extern crate self as facelens;

pub mod app;
pub mod archive;
pub mod atomic_file;
pub mod bounded_file;
pub mod cli;
pub mod detect;
pub mod estimate;
pub mod frame;
#[doc(hidden)]
pub mod fuzzing;
pub mod gait;
pub mod geometry;
pub mod interrupt;
pub mod model;
pub mod net;
pub mod outputs;
pub mod overlay;
pub mod pipeline;
pub mod session;
pub mod settings;
pub mod source;
#[cfg(test)]
mod testing;
pub mod track;
