//! The picture as a camera for other programs: an output device of Video4Linux (the kernel module v4l2loopback), which
//! browsers, calls and OBS read as a camera.
#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "what only Video4Linux has"))]

mod choose;
mod driver;
mod fed;
mod layout;
#[cfg(test)]
mod tests;
#[cfg(target_os = "linux")]
mod v4l;

use std::io;

use self::driver::{DeviceFormat, OutputDevice, OutputSystem};
use self::fed::Fed;
#[cfg(any(test, target_os = "linux"))]
pub(crate) use self::fed::is_fed;
use self::layout::Layouter;
use crate::{CameraChoice, CameraInfo, SourceError};

/// Devices are set to no more than this: programs for calls take no larger pictures.
const LARGEST: (u32, u32) = (1920, 1080);

/// A virtual camera that shows what it is given. Dropping it gives the device free; programs that read it see no picture
/// then.
///
/// The device keeps the size that it got at first: programs that read it cannot follow a change. Pictures of other sizes
/// are scaled into it, with black bars where their sides differ.
pub struct VirtualCamera {
    device: Box<dyn OutputDevice>,
    /// With its device.
    name: String,
    format: DeviceFormat,
    layouter: Layouter,
    /// Nobody lists it as a camera of this program meanwhile.
    _fed: Fed,
}

impl VirtualCamera {
    /// Opens the device for pictures of this size, pixels.
    ///
    /// # Errors
    /// [`SourceError`] names the device, the cause, and what to do: what to install where there is no such device.
    pub fn open(choice: &CameraChoice, size: (u32, u32)) -> Result<Self, SourceError> {
        Self::open_in(&*system()?, choice, size)
    }

    fn open_in(system: &dyn OutputSystem, choice: &CameraChoice, size: (u32, u32)) -> Result<Self, SourceError> {
        let (info, device) = choose::choose(system, choice)?;
        let name = choose::name(&info);
        let format =
            set(&*device, fitting_size(size)).map_err(|error| choose::refused(&name, &cause(&*device, error)))?;
        Ok(Self { device, name, format, layouter: Layouter::default(), _fed: Fed::new(info.device) })
    }

    /// What to call it: `facelens (/dev/video10)`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the device was set to, in words: `YUYV 1280x720`.
    pub fn format(&self) -> String {
        let DeviceFormat { pixels, width, height, .. } = self.format;
        format!("{} {width}x{height}", pixels.name())
    }

    /// Shows a picture of `size`: tightly packed RGB8. `false` where the device has no room for it at the moment.
    ///
    /// # Errors
    /// [`SourceError`] where the device takes no more pictures, e.g. because it is gone.
    pub fn show(&mut self, rgb: &[u8], size: (u32, u32)) -> Result<bool, SourceError> {
        self.layouter.lay_out(rgb, size, &self.format).map_err(|words| choose::refused(&self.name, &other(words)))?;
        self.show_again()
    }

    /// Shows black.
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn show_black(&mut self) -> Result<bool, SourceError> {
        self.show(&[0; 3], (1, 1))
    }

    /// Shows the last picture once more: a program that begins to read waits for one.
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn show_again(&mut self) -> Result<bool, SourceError> {
        let bytes = self.layouter.bytes();
        if bytes.is_empty() {
            return Ok(false);
        }
        loop {
            return match self.device.write(bytes) {
                Ok(taken) if taken == bytes.len() => Ok(true),
                Ok(taken) => {
                    let words = format!("it takes only {taken} of the {} bytes of an image", bytes.len());
                    Err(choose::refused(&self.name, &other(words)))
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
                Err(error) => Err(choose::refused(&self.name, &cause(&*self.device, error))),
            };
        }
    }
}

/// Lists the devices that take pictures, the virtual ones first; without formats.
///
/// # Errors
/// Where the system's list cannot be read. None at all is an empty list, and so it is on systems without Video4Linux.
pub fn list_virtual_cameras() -> Result<Vec<CameraInfo>, SourceError> {
    match system() {
        Ok(system) => choose::list(&*system),
        Err(_) => Ok(Vec::new()),
    }
}

/// What to do where there is no virtual camera.
pub const VIRTUAL_CAMERA_REMEDY: &str = "install v4l2loopback (on Debian and Ubuntu the package v4l2loopback-dkms) and \
                                         run `sudo modprobe v4l2loopback exclusive_caps=1 card_label=facelens`";

#[cfg(target_os = "linux")]
fn system() -> Result<Box<dyn OutputSystem>, SourceError> {
    Ok(Box::new(v4l::Video4Linux))
}

#[cfg(not(target_os = "linux"))]
fn system() -> Result<Box<dyn OutputSystem>, SourceError> {
    Err(choose::no_system())
}

/// Sets the device to the first kind of pixels that it takes.
fn set(device: &dyn OutputDevice, (width, height): (u32, u32)) -> io::Result<DeviceFormat> {
    let mut first = None;
    for pixels in driver::OutputPixels::ALL {
        match device.set(pixels.fourcc(), width, height) {
            // Where somebody reads it already, it keeps what it has.
            Ok(set) => match DeviceFormat::of(&set) {
                Some(format) => return Ok(format),
                None => drop(first.get_or_insert_with(|| other(format!("it takes no {} images", pixels.name())))),
            },
            // There is no use in asking a device that is busy or gone for others.
            Err(error) if error.raw_os_error() != Some(INVALID) => return Err(error),
            Err(error) => drop(first.get_or_insert(error)),
        }
    }
    Err(first.unwrap_or_else(|| other("it takes no images".to_owned())))
}

/// Why a call failed. A call that the loss of its device interrupts fails as one on a stopped stream does, with EINVAL or
/// EIO; only the next one is answered that the device is gone.
fn cause(device: &dyn OutputDevice, error: io::Error) -> io::Error {
    device.card().err().unwrap_or(error)
}

/// EINVAL: what a driver answers to a format that it does not know.
const INVALID: i32 = 22;

fn other(words: String) -> io::Error {
    io::Error::other(words)
}

/// The size that a device is asked for: even, since the usual kinds of pixels have no odd sides, and not larger than
/// [`LARGEST`].
fn fitting_size((width, height): (u32, u32)) -> (u32, u32) {
    let scale = |side: u32, largest: u32| f64::from(largest) / f64::from(side.max(1));
    let shrink = scale(width, LARGEST.0).min(scale(height, LARGEST.1)).min(1.0);
    let even = |side: u32| ((f64::from(side) * shrink).round() as u32 / 2 * 2).max(2);
    (even(width), even(height))
}
