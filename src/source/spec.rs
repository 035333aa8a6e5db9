//! `SRC` of the command line: which source is meant.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

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
}

/// `camera`, `camera:NAME`, `camera:INDEX`, `demo`, or the path of a video, a picture or a folder of pictures.
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
            Err(_) => Self::Name(text.to_owned()),
        })
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demo => f.write_str("demo"),
            Self::Camera(CameraChoice::Any) => f.write_str("camera"),
            Self::Camera(CameraChoice::Index(index)) => write!(f, "camera:{index}"),
            Self::Camera(CameraChoice::Name(name)) => write!(f, "camera:{name}"),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_src_reads_back_as_it_was_written() {
        for text in ["demo", "camera", "camera:2", "camera:HD Webcam", "clips/a.mp4"] {
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
