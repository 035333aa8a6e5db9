//! Cameras, watched over: by Video4Linux itself on Linux, by `nokhwa` elsewhere.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "what only Video4Linux says"))]

mod controls;
mod decode;
#[cfg(target_os = "linux")]
mod driver;
mod encode;
mod failure;
mod format;
mod grab;
mod interval;
#[cfg(target_os = "linux")]
pub(super) mod linux;
mod list;
#[cfg(target_os = "linux")]
mod offers;
mod pixels;
#[cfg(target_os = "linux")]
mod stamps;
#[cfg(target_os = "linux")]
mod stream;
#[cfg(all(test, target_os = "linux"))]
mod table_tests;
#[cfg(target_os = "linux")]
mod v4l;
mod watch;
mod wish;

pub use self::controls::{
    CameraControl, ControlKind, ControlRange, ControlValue, camera_controls, set_camera_controls,
};
use self::decode::{Decoder, FrameLayout};
pub(super) use self::decode::{MATRIX, RANGE};
pub use self::format::CameraPixels;
use self::format::Format;
use self::grab::DeviceOpener;
use self::interval::Interval;
use self::watch::{CameraSource, Patience};
pub use self::wish::CameraFormat;
use facelens_core::frame::Frame;

use super::{CameraChoice, CameraInfo, Source, SourceError};

/// Opens a camera in the best of its formats, or in the one that is wished for.
pub(super) fn open(choice: &CameraChoice, wish: Option<&CameraFormat>) -> Result<Box<dyn Source>, SourceError> {
    let opener = DeviceOpener::new(choice.clone(), wish.cloned());
    Ok(Box::new(CameraSource::open(opener, Patience::default())?))
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
pub fn decode_camera_picture(pixels: CameraPixels, width: u32, height: u32, bytes: &[u8]) -> Result<Frame, String> {
    let format = Format { pixels, width, height, interval: Interval::UNKNOWN };
    Decoder::default().decode(format, FrameLayout::PLAIN, bytes)
}

/// The frame as the bytes that a camera would have sent, for benches and tests without a camera.
///
/// # Errors
/// In words: an odd side, which the YUV formats do not have, or an encoder that refuses the picture.
pub fn encode_camera_picture(pixels: CameraPixels, frame: &Frame) -> Result<Vec<u8>, String> {
    encode::encode(pixels, frame)
}
