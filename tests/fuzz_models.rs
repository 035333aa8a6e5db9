//! Fuzzing on the stable toolchain: each parser gets made-up and damaged files. `FACELENS_FUZZ=N` has every target take N
//! of them instead of a few; a run is the same each time.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it tried")]

#[path = "fuzz/graphs.rs"]
mod graphs;
#[path = "common/onnx.rs"]
mod onnx;
#[path = "fuzz/random.rs"]
mod random;
#[path = "fuzz/trial.rs"]
mod trial;

/// How many inputs a target takes.
fn count(few: usize) -> usize {
    std::env::var("FACELENS_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}
