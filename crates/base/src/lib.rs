//! What every crate of facelens needs: files read with a size limit and written completely or not at all, the message of
//! a panic, and requests to end.

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

pub mod atomic_file;
pub mod bounded_file;
pub mod interrupt;
mod panics;

pub use panics::panic_words;
