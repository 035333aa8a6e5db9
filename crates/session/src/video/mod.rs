//! Videos: H.264 by OpenH264 in a fragmented MP4 (ISO/IEC 14496-12, 8.8), which plays after a kill at any moment.

pub(super) mod clock;
mod encoder;
mod fragments;
mod index;
mod repair;
mod scan;
mod writer;

pub(super) use repair::{VideoChange, finish_found};
pub use writer::{VideoFile, VideoOptions, VideoSummary, VideoWriter};

/// Whether a video that was broken off can be finished; what is cut off its end is not kept. For `facelens::fuzzing`.
pub fn finishes(file: &std::path::Path) -> bool {
    finish_found(file, |_, _| Ok(file.to_owned())).is_ok()
}
