//! What other programs get live: the head of one person for opentrack, every analysis as JSONL, and the picture as a
//! virtual camera.
//!
//! All are off until somebody asks for them, and go to this machine unless another address is named. Each has a thread
//! and a bounded way of its own.

mod camera;
mod datagrams;
mod head;
mod heads;
mod lane;
mod lines;
mod live;
mod options;
mod status;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use head::{Angles, FACE_WIDTH_CM, Head, Offsets, VIEW_DEGREES};
pub use live::LiveOutputs;
pub use options::{Address, Follow, JsonlTarget, OPENTRACK_PORT, OutputOptions, WantedJsonl, WantedOutputs};
pub use status::OutputStatus;

/// Figures and wishes are whole at any moment, also where their last user panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
