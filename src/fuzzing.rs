//! Ways into parsers that are private, for `tests/fuzz.rs` alone. Each says whether the input was taken.

use std::path::Path;

pub use facelens_media::fuzzing::{container, ffmpeg_log, ffprobe, h264_parameter_set, h264_sample, mp4_index};

/// The labels of `eval`.
pub fn labels(file: &Path) -> bool {
    crate::cli::reads_labels(file)
}

/// Finishes a video that was broken off, without keeping what is cut off its end.
pub fn finish_video(file: &Path) -> bool {
    facelens_session::video::finishes(file)
}
