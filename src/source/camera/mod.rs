//! Cameras by `nokhwa`, watched over.

mod decode;
mod failure;
mod format;
mod grab;
#[cfg(target_os = "linux")]
mod linux;
mod list;
mod watch;

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
