//! `SRC` of the command line: which source is meant.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::CameraInfo;

/// Which camera is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CameraChoice {
    /// The first one that the system lists.
    #[default]
    Any,
    /// By its number in the list.
    Index(u32),
    /// By its name, or a part of it that only one camera has.
    Name(String),
    /// By its device: two cameras of one model share their name.
    Device(CameraDevice),
}

/// A camera by its device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraDevice {
    /// [`CameraInfo::place`] or [`CameraInfo::device`]: on Linux a path like `/dev/video0` or one in
    /// `/dev/v4l/by-path`, elsewhere what the system calls the device.
    pub place: PathBuf,
    /// The name that the camera is known to have: another camera in its place is not meant.
    pub name: Option<String>,
}

/// `camera`, `camera:NAME`, `camera:INDEX`, `camera:DEVICE`, `demo`, or the path of a video, a picture or a folder of
/// pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// A live camera.
    Camera(CameraChoice),
    /// The moving demo, made from the astronaut picture.
    Demo,
    /// A video file, a picture, or a folder of pictures.
    Path(PathBuf),
}

impl FromStr for SourceSpec {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "demo" => Self::Demo,
            "camera" => Self::Camera(CameraChoice::Any),
            _ => match text.strip_prefix("camera:") {
                Some(camera) => Self::Camera(camera.parse()?),
                None => Self::Path(PathBuf::from(text)),
            },
        })
    }
}

/// As from text; what is no UTF-8 can only be a path, or a camera's name as the list of cameras shows it.
impl From<OsString> for SourceSpec {
    fn from(text: OsString) -> Self {
        match text.into_string() {
            Ok(text) => {
                let Ok(spec) = text.parse();
                spec
            }
            Err(text) => match text.to_string_lossy().strip_prefix("camera:") {
                Some(name) => Self::Camera(CameraChoice::Name(name.to_owned())),
                None => Self::Path(PathBuf::from(text)),
            },
        }
    }
}

impl From<OsString> for CameraChoice {
    fn from(text: OsString) -> Self {
        let Ok(choice) = text.to_string_lossy().parse();
        choice
    }
}

impl FromStr for CameraChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.parse() {
            Ok(index) => Self::Index(index),
            Err(_) if text.is_empty() => Self::Any,
            // Device files, and Windows' names of devices.
            Err(_) if text.starts_with(['/', '\\']) => {
                Self::Device(CameraDevice { place: PathBuf::from(text), name: None })
            }
            Err(_) => Self::Name(text.to_owned()),
        })
    }
}

impl CameraChoice {
    /// The same choice, but a link to a device (`/dev/v4l/by-id/...`) is the device itself.
    pub(crate) fn resolved(&self) -> Self {
        match self {
            Self::Device(CameraDevice { place, name }) => {
                let place = std::fs::canonicalize(place).unwrap_or_else(|_| place.clone());
                Self::Device(CameraDevice { place, name: name.clone() })
            }
            other => other.clone(),
        }
    }

    /// What tells `camera` from the others for good: its name, or its device where another one has the same name.
    pub fn of(camera: &CameraInfo, cameras: &[CameraInfo]) -> Self {
        if has_twin(camera, cameras) {
            Self::Device(CameraDevice { place: camera.place().to_owned(), name: Some(camera.name.clone()) })
        } else {
            Self::Name(camera.name.clone())
        }
    }

    /// The cameras that fit, in the order of the list; one, where the choice is clear. `info` says what is known of a
    /// camera.
    pub fn fitting<'a, C>(&self, cameras: &'a [C], info: impl Fn(&C) -> &CameraInfo) -> Vec<&'a C> {
        let those = |fits: &dyn Fn(&CameraInfo) -> bool| -> Vec<&'a C> {
            cameras.iter().filter(|camera| fits(info(camera))).collect()
        };
        match self {
            Self::Any => cameras.iter().take(1).collect(),
            Self::Index(index) => those(&|camera| camera.index == *index),
            Self::Name(name) => {
                let exact = those(&|camera| camera.name == *name);
                if !exact.is_empty() {
                    return exact;
                }
                let part = name.to_lowercase();
                those(&|camera| camera.name.to_lowercase().contains(&part))
            }
            Self::Device(CameraDevice { place, name }) => {
                those(&|camera| camera.is_at(place) && name.as_ref().is_none_or(|name| *name == camera.name))
            }
        }
    }
}

impl CameraInfo {
    /// Where the camera is, as it can be remembered: its path by the port that it is plugged into, where the system has
    /// one (Linux), else its device.
    pub fn place(&self) -> &Path {
        self.by_path.as_deref().unwrap_or(&self.device)
    }

    /// What to call the camera among `cameras`: its name, and its number where another one has the same name.
    pub fn label(&self, cameras: &[Self]) -> String {
        if has_twin(self, cameras) { format!("{} ({})", self.name, self.index) } else { self.name.clone() }
    }

    fn is_at(&self, place: &Path) -> bool {
        self.device == place || self.by_path.as_deref() == Some(place)
    }
}

fn has_twin(camera: &CameraInfo, cameras: &[CameraInfo]) -> bool {
    cameras.iter().any(|other| other.name == camera.name && other.device != camera.device)
}

impl fmt::Display for CameraChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("camera"),
            Self::Index(index) => write!(f, "camera:{index}"),
            Self::Name(name) => write!(f, "camera:{name}"),
            Self::Device(CameraDevice { place, .. }) => write!(f, "camera:{}", place.display()),
        }
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => f.write_str("demo"),
            Self::Camera(choice) => choice.fmt(f),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_are_told_apart_by_their_devices_and_others_by_their_names() {
        let camera = |index: u32, name: &str, by_path: Option<&str>| CameraInfo {
            index,
            name: name.into(),
            device: format!("/dev/video{index}").into(),
            by_path: by_path.map(PathBuf::from),
            formats: Vec::new(),
            every_format: Vec::new(),
            choices: Vec::new(),
        };
        let port = "/dev/v4l/by-path/usb-0:2:1.0-video-index0";
        let cameras = [camera(0, "HD Webcam", None), camera(2, "Twin", Some(port)), camera(4, "Twin", None)];
        let labels = cameras.each_ref().map(|camera| camera.label(&cameras));
        assert_eq!(labels, ["HD Webcam", "Twin (2)", "Twin (4)"]);
        for camera in &cameras {
            let choice = CameraChoice::of(camera, &cameras);
            assert_eq!(choice.fitting(&cameras, |camera| camera), [camera]);
            // Written and read again, as from the command line, it still means the same camera.
            let Ok(SourceSpec::Camera(again)) = SourceSpec::Camera(choice).to_string().parse() else { panic!() };
            assert_eq!(again.fitting(&cameras, |camera| camera), [camera]);
        }
        let by_port = format!("camera:{port}");
        let devices = [("camera:/dev/video2", vec![2]), (by_port.as_str(), vec![2]), ("camera:/dev/video1", vec![])];
        for (text, indices) in devices {
            let Ok(SourceSpec::Camera(choice)) = text.parse() else { panic!() };
            let fitting = choice.fitting(&cameras, |camera| camera);
            assert_eq!(fitting.iter().map(|camera| camera.index).collect::<Vec<_>>(), indices, "{text}");
        }
        // Another camera in the place of the remembered one is not it.
        let CameraChoice::Device(twin) = CameraChoice::of(&cameras[1], &cameras) else { panic!("no device") };
        let other = [camera(2, "Other", Some(port)), camera(4, "Twin", None)];
        assert!(CameraChoice::Device(twin).fitting(&other, |camera| camera).is_empty());
    }

    #[test]
    fn every_form_of_src_reads_back_as_it_was_written() {
        for text in ["demo", "camera", "camera:2", "camera:HD Webcam", "camera:/dev/video2", "clips/a.mp4"] {
            let Ok(spec) = text.parse::<SourceSpec>();
            assert_eq!(spec.to_string(), text);
        }
        let Ok(spec) = "camera:3".parse::<SourceSpec>();
        assert_eq!(spec, SourceSpec::Camera(CameraChoice::Index(3)));
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_utf_8_is_a_path_or_a_camera_as_it_is_listed() {
        use std::os::unix::ffi::OsStringExt as _;
        let spec = |bytes: &[u8]| SourceSpec::from(OsString::from_vec(bytes.to_vec()));
        let path = OsString::from_vec(b"clip\xff.mp4".to_vec());
        assert_eq!(spec(b"clip\xff.mp4"), SourceSpec::Path(path.into()));
        assert_eq!(spec(b"camera:Cam\xe9ra"), SourceSpec::Camera(CameraChoice::Name("Cam\u{fffd}ra".to_owned())));
        assert_eq!(spec(b"camera:1"), SourceSpec::Camera(CameraChoice::Index(1)));
    }
}
