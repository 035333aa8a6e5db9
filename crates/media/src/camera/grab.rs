//! A camera that gives raw pictures behind a trait, so that what watches over it is tested without a device: V4L2 itself
//! on Linux, `nokhwa` elsewhere.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution,
};
use nokhwa::{Camera, NokhwaError};

use super::failure::{Cause, cause_of, error};
use super::format::{Format, Pixels, ranked};
use super::list::{Found, again, choose};
use crate::{CameraChoice, CameraInfo, SourceError};

/// A picture as it came from the device.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Raw {
    pub bytes: Vec<u8>,
    /// When the device took it.
    pub captured_at: Instant,
    /// Pictures that the device took before it, since the last one, and that never came: as far as its driver counts.
    pub missed: u64,
}

/// Why a picture did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The device is gone.
    Gone(String),
    /// This picture only, as far as is known.
    Picture(String),
}

/// What was got when a camera was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub name: String,
    pub format: Format,
    /// Bytes from one row to the next, where known.
    pub stride: Option<u32>,
}

/// An open camera. Stays on the thread that opened it.
pub(super) trait Grabber {
    /// Waits for the next picture, for ever if need be.
    fn grab(&mut self) -> Result<Raw, Lost>;
}

/// Opens one camera, and the same one again.
pub(super) trait Opener: Send + 'static {
    /// Opens the camera.
    fn open(&mut self) -> Result<(Box<dyn Grabber>, Opened), SourceError>;
}

/// Opens the chosen camera by `nokhwa`, and after that the same camera wherever it turns up.
pub(super) struct NokhwaOpener {
    choice: CameraChoice,
    opened: Option<Found>,
}

impl NokhwaOpener {
    pub(super) fn new(choice: CameraChoice) -> Self {
        Self { choice, opened: None }
    }
}

impl Opener for NokhwaOpener {
    fn open(&mut self) -> Result<(Box<dyn Grabber>, Opened), SourceError> {
        let cameras = list()?;
        let camera = match &self.opened {
            None => choose(&cameras, &self.choice)?,
            Some(before) => again(&cameras, before).ok_or_else(|| error(&before.info.name, "not found"))?,
        };
        let opened = open(camera)?;
        self.opened = Some(camera.clone());
        Ok(opened)
    }
}

/// Lists the cameras.
pub(super) fn list() -> Result<Vec<Found>, SourceError> {
    ask_permission();
    #[cfg(target_os = "linux")]
    {
        super::linux::list().map_err(|error| SourceError::from_io(std::path::Path::new("/dev"), &error))
    }
    #[cfg(not(target_os = "linux"))]
    {
        list_by_nokhwa()
    }
}

/// macOS asks the user once, and lets no program see a camera before.
fn ask_permission() {
    if cfg!(target_os = "macos") && !nokhwa::nokhwa_check() {
        let (sender, answered) = crossbeam_channel::bounded(1);
        nokhwa::nokhwa_initialize(move |_| {
            // Nobody waits any more once the time is over.
            let _ = sender.try_send(());
        });
        let _ = answered.recv_timeout(Duration::from_secs(30));
    }
}

#[cfg_attr(target_os = "linux", allow(dead_code, reason = "V4L2 is asked directly there"))]
fn list_by_nokhwa() -> Result<Vec<Found>, SourceError> {
    let cameras = nokhwa::query(ApiBackend::Auto).map_err(|why| error("camera", &why.to_string()))?;
    let found = |(position, camera): (usize, nokhwa::utils::CameraInfo)| {
        let index = camera.index().as_index().unwrap_or(position as u32);
        // The formats are known only to an open camera, whose light would go on.
        let (name, device) = (camera.human_name(), PathBuf::from(camera.misc()));
        let info = CameraInfo { index, name, device, by_path: None, formats: Vec::new() };
        Found { info, bus: camera.misc(), formats: Vec::new() }
    };
    Ok(cameras.into_iter().enumerate().map(found).collect())
}

/// Opens a camera in the best of its formats that it accepts.
fn open(camera: &Found) -> Result<(Box<dyn Grabber>, Opened), SourceError> {
    let name = &camera.info.name;
    if !nokhwa::nokhwa_check() {
        return Err(error(name, "not authorized"));
    }
    let mut last = None;
    for &format in camera.formats.iter().take(6) {
        match open_in(camera, format) {
            Ok(opened) => return Ok(opened),
            Err(message) if cause_of(&message) == Cause::Other => last = Some(message),
            Err(message) => return Err(error(name, &message)),
        }
    }
    if camera.formats.is_empty() && cfg!(target_os = "linux") {
        // Nothing was learned from listing it; opening it says why.
        let message = why_closed(camera).unwrap_or_else(|| "it offers no format that is read here".to_owned());
        return Err(error(name, &message));
    }
    match last {
        Some(message) => Err(error(name, &message)),
        None => open_by_its_own_list(camera).map_err(|why| error(name, &why.to_string())),
    }
}

#[cfg(target_os = "linux")]
fn why_closed(camera: &Found) -> Option<String> {
    v4l::Device::with_path(&camera.info.device).and_then(|device| device.query_caps()).err().map(|why| why.to_string())
}

#[cfg(not(target_os = "linux"))]
fn why_closed(_: &Found) -> Option<String> {
    None
}

/// V4L2 is asked directly: it tells more than `nokhwa` does.
#[cfg(target_os = "linux")]
fn open_in(camera: &Found, format: Format) -> Result<(Box<dyn Grabber>, Opened), String> {
    let (streaming, format, stride) =
        super::stream::open(&camera.info.device, format).map_err(|why| why.to_string())?;
    Ok((Box::new(streaming), Opened { name: camera.info.name.clone(), format, stride }))
}

#[cfg(not(target_os = "linux"))]
fn open_in(camera: &Found, format: Format) -> Result<(Box<dyn Grabber>, Opened), String> {
    let kinds = [frame_format(format.pixels)];
    let wanted = CameraFormat::new(Resolution::new(format.width, format.height), kinds[0], format.fps);
    let request = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &kinds);
    let mut device = Camera::new(CameraIndex::Index(camera.info.index), request).map_err(|why| why.to_string())?;
    device.open_stream().map_err(|why| why.to_string())?;
    Ok((Box::new(NokhwaGrabber { device }), Opened { name: camera.info.name.clone(), format, stride: None }))
}

/// Where the formats are known only once the camera is open (macOS, Windows).
fn open_by_its_own_list(camera: &Found) -> Result<(Box<dyn Grabber>, Opened), NokhwaError> {
    let kinds = nokhwa::utils::frame_formats();
    let any = RequestedFormat::with_formats(RequestedFormatType::AbsoluteHighestFrameRate, kinds);
    let mut device = Camera::new(CameraIndex::Index(camera.info.index), any)?;
    let offered = device.compatible_camera_formats()?.into_iter().map(|offered| Format {
        pixels: pixels(offered.format()),
        width: offered.resolution().width(),
        height: offered.resolution().height(),
        fps: offered.frame_rate(),
    });
    if let Some(best) = ranked(offered).first() {
        let kind = frame_format(best.pixels);
        let wanted = CameraFormat::new(Resolution::new(best.width, best.height), kind, best.fps);
        device.set_camera_requset(RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), kinds))?;
    }
    device.open_stream()?;
    let got = device.camera_format();
    let format = Format {
        pixels: pixels(got.format()),
        width: got.resolution().width(),
        height: got.resolution().height(),
        fps: got.frame_rate(),
    };
    Ok((Box::new(NokhwaGrabber { device }), Opened { name: camera.info.name.clone(), format, stride: None }))
}

struct NokhwaGrabber {
    device: Camera,
}

impl Grabber for NokhwaGrabber {
    fn grab(&mut self) -> Result<Raw, Lost> {
        match self.device.frame() {
            Ok(buffer) => {
                // The stamps are since 1970, by the wall clock.
                let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
                let captured_at = captured_at(buffer.capture_timestamp(), wall, Instant::now());
                Ok(Raw { bytes: buffer.buffer().to_vec(), captured_at, missed: 0 })
            }
            Err(why) => Err(lost(why.to_string())),
        }
    }
}

/// What was lost, by the system's message.
pub(super) fn lost(message: String) -> Lost {
    match cause_of(&message) {
        Cause::Gone => Lost::Gone(message),
        _ => Lost::Picture(message),
    }
}

/// The driver's time stamp on the clock of this program; `clock` is what the driver's clock says now. One that lies in
/// the future or more than a second back is wrong: then the picture counts as taken now.
pub(super) fn captured_at(stamp: Option<Duration>, clock: Option<Duration>, now: Instant) -> Instant {
    let age = clock
        .zip(stamp)
        .and_then(|(clock, stamp)| clock.checked_sub(stamp))
        .filter(|age| *age <= Duration::from_secs(1));
    age.and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

fn frame_format(pixels: Pixels) -> FrameFormat {
    match pixels {
        Pixels::Yuyv => FrameFormat::YUYV,
        Pixels::Nv12 => FrameFormat::NV12,
        Pixels::Mjpeg => FrameFormat::MJPEG,
        Pixels::Rgb => FrameFormat::RAWRGB,
        Pixels::Bgr => FrameFormat::RAWBGR,
        Pixels::Gray => FrameFormat::GRAY,
    }
}

fn pixels(format: FrameFormat) -> Pixels {
    match format {
        FrameFormat::YUYV => Pixels::Yuyv,
        FrameFormat::NV12 => Pixels::Nv12,
        FrameFormat::MJPEG => Pixels::Mjpeg,
        FrameFormat::RAWRGB => Pixels::Rgb,
        FrameFormat::RAWBGR => Pixels::Bgr,
        FrameFormat::GRAY => Pixels::Gray,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn believable_time_stamps_count_and_others_do_not() {
        let (clock, now) = (Some(Duration::from_secs(1000)), Instant::now() + Duration::from_secs(60));
        let age = |stamp: Option<Duration>| now - captured_at(stamp, clock, now);
        assert_eq!(age(Some(Duration::from_millis(999_960))), Duration::from_millis(40));
        for wrong in [None, Some(Duration::from_secs(1001)), Some(Duration::from_secs(10))] {
            assert_eq!(age(wrong), Duration::ZERO);
        }
    }

    #[test]
    fn pixel_kinds_go_to_nokhwa_and_back() {
        for &format in nokhwa::utils::frame_formats() {
            assert_eq!(frame_format(pixels(format)), format);
        }
    }
}
