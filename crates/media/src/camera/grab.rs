//! A camera that gives raw pictures behind a trait, so that what watches over it is tested without a device: V4L2 itself
//! on Linux, `nokhwa` elsewhere.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use facelens_core::frame::Frame;
use nokhwa::utils::{
    ApiBackend, CameraFormat as NokhwaFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType,
    Resolution,
};
use nokhwa::{Camera, NokhwaError};

use super::decode::FrameLayout;
use super::failure::{Cause, cause_of, error};
use super::format::{CameraPixels, Format, ranked};
use super::interval::Interval;
use super::list::{FoundCamera, again, choose};
use super::wish::CameraFormat;
use crate::{CameraChoice, CameraInfo, SourceError, SourceErrorKind};

/// A picture as it came from the device.
#[derive(Debug)]
pub(super) struct Raw {
    pub picture: GrabbedPicture,
    /// When the device took it.
    pub captured_at: Instant,
    /// Pictures that the device took before it, since the last one, and that never came: as far as its driver counts.
    pub missed: u64,
}

/// What came from the device.
#[derive(Debug)]
pub(super) enum GrabbedPicture {
    /// In the camera's format.
    Bytes(Vec<u8>),
    /// Decoded already, because the next one needs it.
    Frame(Frame),
}

/// Why a picture did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The device is gone.
    Gone(String),
    /// The system could not read it. It may be able to read the next one.
    Picture(String),
    /// It came, and is damaged.
    Damaged(String),
    /// None came in the time that is waited for one.
    Nothing,
}

/// What was got when a camera was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OpenedCamera {
    pub name: String,
    pub format: Format,
    pub layout: FrameLayout,
}

/// An open camera. Stays on the thread that opened it.
pub(super) trait Grabber {
    /// Waits for the next picture: a moment, where the system lets it.
    fn grab(&mut self) -> Result<Raw, Lost>;
}

/// Opens one camera, and the same one again.
pub(super) trait Opener: Send + 'static {
    /// Opens the camera.
    fn open(&mut self) -> Result<(Box<dyn Grabber>, OpenedCamera), SourceError>;
}

/// Opens the chosen camera, and after that the same camera wherever it turns up.
pub(super) struct DeviceOpener {
    choice: CameraChoice,
    wish: Option<CameraFormat>,
    opened: Option<FoundCamera>,
}

impl DeviceOpener {
    pub(super) fn new(choice: CameraChoice, wish: Option<CameraFormat>) -> Self {
        Self { choice, wish, opened: None }
    }
}

impl Opener for DeviceOpener {
    fn open(&mut self) -> Result<(Box<dyn Grabber>, OpenedCamera), SourceError> {
        let cameras = list()?;
        let camera = match &self.opened {
            None => choose(&cameras, &self.choice)?,
            Some(before) => again(&cameras, before).ok_or_else(|| error(&before.info.name, "not found"))?,
        };
        let opened = open(camera, self.wish.as_ref())?;
        self.opened = Some(camera.clone());
        Ok(opened)
    }
}

/// Lists the cameras.
pub(super) fn list() -> Result<Vec<FoundCamera>, SourceError> {
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
fn list_by_nokhwa() -> Result<Vec<FoundCamera>, SourceError> {
    let cameras = nokhwa::query(ApiBackend::Auto).map_err(|why| error("camera", &why.to_string()))?;
    let found = |(position, camera): (usize, nokhwa::utils::CameraInfo)| {
        let index = camera.index().as_index().unwrap_or(position as u32);
        // The formats are known only to an open camera, whose light would go on.
        let (name, device) = (camera.human_name(), PathBuf::from(camera.misc()));
        let info = CameraInfo {
            index,
            name,
            device,
            by_path: None,
            formats: Vec::new(),
            every_format: Vec::new(),
            choices: Vec::new(),
        };
        FoundCamera { info, bus: camera.misc(), formats: Vec::new(), offers: Vec::new() }
    };
    Ok(cameras.into_iter().enumerate().map(found).collect())
}

/// How many of a camera's formats are tried.
const TRIES: usize = 6;

/// Opens a camera in the best of its formats that it accepts, or in the one that is wished for.
fn open(camera: &FoundCamera, wish: Option<&CameraFormat>) -> Result<(Box<dyn Grabber>, OpenedCamera), SourceError> {
    let name = &camera.info.name;
    if !nokhwa::nokhwa_check() {
        return Err(error(name, "not authorized"));
    }
    let formats = match wish {
        None => camera.formats.clone(),
        Some(wish) => match ranked(wish.among(&camera.offers)) {
            formats if formats.is_empty() => wish.unlisted(&camera.offers),
            formats => formats,
        },
    };
    let mut last = None;
    for &format in formats.iter().take(TRIES) {
        match open_in(camera, format, wish) {
            Ok(opened) => return Ok(opened),
            Err(message) if cause_of(&message) == Cause::Other => last = Some(message),
            Err(message) => return Err(error(name, &message)),
        }
    }
    match (last, wish) {
        (last, Some(wish)) if !camera.offers.is_empty() => Err(not_offered(camera, wish, last)),
        (Some(message), _) => Err(error(name, &message)),
        // Nothing was learned from listing it; opening it says why.
        (None, _) if cfg!(target_os = "linux") => Err(why_closed(camera)),
        (None, wish) => open_by_its_own_list(camera, wish),
    }
}

/// The wished format cannot be had.
fn not_offered(camera: &FoundCamera, wish: &CameraFormat, why: Option<String>) -> SourceError {
    let cause = why.unwrap_or_else(|| format!("it does not offer the format {wish}"));
    let offered = camera.info.every_format.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
    let remedy =
        format!("choose another --camera-format, or none; `facelens cameras --all` lists them ({offered}, ...)");
    SourceError::new(SourceErrorKind::Other, &camera.info.name, cause, remedy)
}

/// Why a camera that has no format to try does not open.
#[cfg(target_os = "linux")]
fn why_closed(camera: &FoundCamera) -> SourceError {
    use super::driver::Driver as _;
    let asked = super::v4l::Node::open(&camera.info.device).and_then(|node| node.card());
    match asked {
        Err(why) => error(&camera.info.name, &why.to_string()),
        Ok(_) => {
            let offered = match &camera.info.every_format[..] {
                [] => "none".to_owned(),
                offered => offered.iter().take(4).cloned().collect::<Vec<_>>().join("; "),
            };
            let cause = format!("it offers no format that is read here (it offers: {offered})");
            SourceError::new(SourceErrorKind::Unsupported, &camera.info.name, cause, "choose another camera")
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn why_closed(camera: &FoundCamera) -> SourceError {
    error(&camera.info.name, "it offers no format that is read here")
}

/// V4L2 is asked directly: it tells more than `nokhwa` does.
#[cfg(target_os = "linux")]
fn open_in(
    camera: &FoundCamera,
    format: Format,
    wish: Option<&CameraFormat>,
) -> Result<(Box<dyn Grabber>, OpenedCamera), String> {
    let opened = super::v4l::Node::open(&camera.info.device)
        .and_then(|node| super::stream::open(&node, &camera.offers, format, wish));
    let (streaming, format, layout) = opened.map_err(|why| why.to_string())?;
    Ok((Box::new(streaming), OpenedCamera { name: camera.info.name.clone(), format, layout }))
}

#[cfg(not(target_os = "linux"))]
fn open_in(
    camera: &FoundCamera,
    format: Format,
    _: Option<&CameraFormat>,
) -> Result<(Box<dyn Grabber>, OpenedCamera), String> {
    let kind = frame_format(format.pixels).ok_or("these pixels are not supported")?;
    let wanted = NokhwaFormat::new(Resolution::new(format.width, format.height), kind, whole_fps(format.interval));
    let request = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), &[kind]);
    let mut device = Camera::new(CameraIndex::Index(camera.info.index), request).map_err(|why| why.to_string())?;
    device.open_stream().map_err(|why| why.to_string())?;
    let opened = OpenedCamera { name: camera.info.name.clone(), format, layout: FrameLayout::PLAIN };
    Ok((Box::new(NokhwaGrabber { device }), opened))
}

/// Where the formats are known only once the camera is open (macOS, Windows).
fn open_by_its_own_list(
    camera: &FoundCamera,
    wish: Option<&CameraFormat>,
) -> Result<(Box<dyn Grabber>, OpenedCamera), SourceError> {
    let failed = |why: NokhwaError| error(&camera.info.name, &why.to_string());
    let kinds = nokhwa::utils::frame_formats();
    let any = RequestedFormat::with_formats(RequestedFormatType::AbsoluteHighestFrameRate, kinds);
    let mut device = Camera::new(CameraIndex::Index(camera.info.index), any).map_err(failed)?;
    let offered = device.compatible_camera_formats().map_err(failed)?.into_iter().map(of_nokhwa);
    let fitting = ranked(offered.filter(|format| wish.is_none_or(|wish| wish.is_met_by(format))));
    match (fitting.first(), wish) {
        (Some(best), _) => {
            if let Some(kind) = frame_format(best.pixels) {
                let resolution = Resolution::new(best.width, best.height);
                let fps = wish.and_then(|wish| wish.fps).map_or(whole_fps(best.interval), |fps| fps.round() as u32);
                let wanted = NokhwaFormat::new(resolution, kind, fps);
                let request = RequestedFormat::with_formats(RequestedFormatType::Exact(wanted), kinds);
                device.set_camera_requset(request).map_err(failed)?;
            }
        }
        (None, Some(wish)) => return Err(not_offered(camera, wish, None)),
        (None, None) => {}
    }
    device.open_stream().map_err(failed)?;
    let format = of_nokhwa(device.camera_format());
    let opened = OpenedCamera { name: camera.info.name.clone(), format, layout: FrameLayout::PLAIN };
    Ok((Box::new(NokhwaGrabber { device }), opened))
}

fn of_nokhwa(format: NokhwaFormat) -> Format {
    Format {
        pixels: pixels(format.format()),
        width: format.resolution().width(),
        height: format.resolution().height(),
        interval: Interval::of_fps(format.frame_rate()),
    }
}

fn whole_fps(interval: Interval) -> u32 {
    interval.fps().unwrap_or(30.0).round() as u32
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
                Ok(Raw { picture: GrabbedPicture::Bytes(buffer.buffer().to_vec()), captured_at, missed: 0 })
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

/// `None` for pixels that `nokhwa` does not know.
fn frame_format(pixels: CameraPixels) -> Option<FrameFormat> {
    Some(match pixels {
        CameraPixels::Yuyv => FrameFormat::YUYV,
        CameraPixels::Nv12 => FrameFormat::NV12,
        CameraPixels::Mjpeg => FrameFormat::MJPEG,
        CameraPixels::Rgb => FrameFormat::RAWRGB,
        CameraPixels::Bgr => FrameFormat::RAWBGR,
        CameraPixels::Gray => FrameFormat::GRAY,
        _ => return None,
    })
}

fn pixels(format: FrameFormat) -> CameraPixels {
    match format {
        FrameFormat::YUYV => CameraPixels::Yuyv,
        FrameFormat::NV12 => CameraPixels::Nv12,
        FrameFormat::MJPEG => CameraPixels::Mjpeg,
        FrameFormat::RAWRGB => CameraPixels::Rgb,
        FrameFormat::RAWBGR => CameraPixels::Bgr,
        FrameFormat::GRAY => CameraPixels::Gray,
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
            assert_eq!(frame_format(pixels(format)), Some(format));
        }
    }
}
