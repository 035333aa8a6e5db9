//! What every crate of facelens stands on: files that are read within bounds and written whole, what a panic said, and requests to end.

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

pub mod atomic_file;
pub mod bounded_file;
pub mod interrupt;
mod panics;

pub use panics::panic_words;
