//! Cameras by `nokhwa`, watched over.

mod decode;
mod encode;
mod failure;
mod format;
mod grab;
#[cfg(target_os = "linux")]
mod linux;
mod list;
#[cfg(target_os = "linux")]
mod stream;
mod watch;

use self::format::Format;
pub use self::format::Pixels;
use facelens_core::frame::Frame;

use self::grab::NokhwaOpener;
use self::watch::{CameraSource, Patience};
use super::{CameraChoice, CameraInfo, Source, SourceError};

/// Opens a camera in the best of its formats.
pub(super) fn open(choice: &CameraChoice) -> Result<Box<dyn Source>, SourceError> {
    Ok(Box::new(CameraSource::open(NokhwaOpener::new(choice.clone()), Patience::default())?))
}

/// Lists the cameras.
pub(super) fn list() -> Result<Vec<CameraInfo>, SourceError> {
    Ok(grab::list()?.into_iter().map(|camera| camera.info).collect())
}

/// Decodes the bytes of one picture as cameras give them, rows without padding: what a live frame costs before it is
/// looked at. `width` and `height` are in pixels; those of a JPEG are its own.
///
/// # Errors
/// What is wrong with the bytes, in words.
pub fn decode_camera_picture(pixels: Pixels, width: u32, height: u32, bytes: &[u8]) -> Result<Frame, String> {
    decode::decode(Format { pixels, width, height, fps: 0 }, None, bytes)
}

/// The frame as the bytes that a camera would have sent, for benches and tests without a camera.
///
/// # Errors
/// In words: an odd side, which the YUV formats do not have, or an encoder that refuses the picture.
pub fn encode_camera_picture(pixels: Pixels, frame: &Frame) -> Result<Vec<u8>, String> {
    encode::encode(pixels, frame)
}
