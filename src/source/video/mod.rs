//! Video files: MP4 with H.264 is built in, the rest goes through an `ffmpeg` on the PATH where there is one.

mod avc;
mod boxes;
mod ffmpeg;
mod h264;
mod mp4;
mod reader;
mod sps;

pub(crate) use boxes::Header as BoxHeader;
pub use reader::VideoReader;

use std::path::Path;

use self::ffmpeg::Ffmpeg;
use self::h264::H264Video;
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
    let container = container(head);
    let what = if container == Some("MP4") {
        let opened = no_panic(path, || match H264Video::open(path) {
            Ok(video) => Ok(Ok(video)),
            Err(NotBuiltIn::Codec(codec)) => Ok(Err(codec)),
            Err(NotBuiltIn::Broken(error)) => Err(error),
        })?;
        match opened {
            Ok(video) => return Ok(Box::new(video)),
            Err(codec) => Some(codec),
        }
    } else {
        container.map(str::to_owned)
    };
    Ok(Box::new(Ffmpeg::open(path, what.as_deref(), &ffmpeg::Programs::default())?))
}

/// The container by its first bytes, as it is called in messages.
fn container(head: &[u8]) -> Option<&'static str> {
    let boxes: [&[u8]; 8] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp"];
    match head {
        [_, _, _, _, name @ ..] if boxes.iter().any(|known| name.starts_with(known)) => Some("MP4"),
        [0x1a, 0x45, 0xdf, 0xa3, ..] => Some("WebM or Matroska"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'A', b'V', b'I', ..] => Some("AVI"),
        [b'F', b'L', b'V', ..] => Some("FLV"),
        [b'O', b'g', b'g', b'S', ..] => Some("Ogg"),
        [0x30, 0x26, 0xb2, 0x75, ..] => Some("Windows Media"),
        [0, 0, 1, 0xba | 0xb3, ..] => Some("MPEG"),
        [b'G', b'I', b'F', b'8', ..] => Some("GIF"),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Some("TIFF"),
        [0x47, ..] if head.get(188) == Some(&0x47) => Some("MPEG transport stream"),
        _ => None,
    }
}

fn unreadable(path: &Path, cause: impl Into<String>, remedy: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Unreadable, path.display().to_string(), cause, remedy)
}

#[cfg(test)]
mod tests;
