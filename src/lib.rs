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

pub mod app;
pub mod cli;
#[doc(hidden)]
pub mod fuzzing;
pub mod outputs;
pub mod pipeline;
pub mod settings;
#[cfg(test)]
mod testing;
