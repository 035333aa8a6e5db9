//! Every parser of facelens on damaged inputs: it takes them or refuses them, and never panics, hangs or takes all memory.
//!
//! ```text
//! cargo test --test fuzz                                    a short run, the same inputs each time
//! FACELENS_FUZZ=100000 cargo test --test fuzz -- --nocapture   a long one, with its counts
//! ```
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

mod common;

#[path = "fuzz/harness.rs"]
mod harness;
#[path = "fuzz/mutate.rs"]
mod mutate;

#[path = "fuzz/graphs.rs"]
mod graphs;
#[path = "fuzz/models.rs"]
mod models;
#[path = "common/onnx.rs"]
mod onnx;
#[path = "fuzz/pictures.rs"]
mod pictures;
#[path = "fuzz/sessions.rs"]
mod sessions;
#[path = "fuzz/tables.rs"]
mod tables;
#[path = "fuzz/trial.rs"]
mod trial;
#[path = "fuzz/video.rs"]
mod video;
