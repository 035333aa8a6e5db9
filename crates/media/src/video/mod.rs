//! Video files: MP4 with H.264 is built in, the rest goes through an `ffmpeg` on the PATH where there is one.

mod avc;
mod boxes;
mod container;
mod ffmpeg;
pub mod fuzzing;
mod h264;
mod mp4;
mod reader;
mod rescue;
mod sps;

pub use boxes::Header as BoxHeader;
#[cfg(target_os = "linux")]
pub(super) use h264::LiveH264;
pub use reader::VideoReader;

use std::path::Path;

use self::container::{MP4, container};
use self::ffmpeg::{Ffmpeg, Programs};
use self::h264::H264Video;
use self::rescue::Rescued;
use super::guard::no_panic;
use super::{Source, SourceError, SourceErrorKind};

/// Why the built-in decoder does not play a file.
enum NotBuiltIn {
    /// A whole file of a kind that is not built in, in words: `HEVC`.
    Codec(String),
    /// Nothing will read it.
    Broken(SourceError),
}

/// Opens a video file whose first bytes are `head`.
pub(super) fn open(path: &Path, head: &[u8]) -> Result<Box<dyn Source>, SourceError> {
    let Some(container) = container(head) else {
        // ffmpeg is not asked to guess: its guesses include playlists, which open other files.
        return Err(unreadable(path, "it is neither an image nor a video of a kind that is known here", ""));
    };
    let what = if container == MP4 {
        let opened = no_panic(path, || match H264Video::open(path) {
            Ok(video) => Ok(Ok(video)),
            Err(NotBuiltIn::Codec(codec)) => Ok(Err(codec)),
            Err(NotBuiltIn::Broken(error)) => Err(error),
        })?;
        match opened {
            Ok(video) => return Ok(Box::new(Rescued::new(path, video, Programs::on_path()))),
            Err(codec) => Some(codec),
        }
    } else {
        None
    };
    Ok(Box::new(Ffmpeg::open(path, container, what.as_deref(), Programs::on_path())?))
}

fn unreadable(path: &Path, cause: impl Into<String>, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unreadable, path.display().to_string(), cause, remedy)
}

#[cfg(test)]
mod tests;
