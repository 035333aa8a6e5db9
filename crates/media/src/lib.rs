//! Where frames come from: a camera, a video file, pictures, or the demo, all behind [`Source`]; and a [`VirtualCamera`],
//! where they may go to.

#![cfg_attr(test, allow(clippy::print_stderr, reason = "tests say what they skip"))]

use std::path::PathBuf;
use std::time::Duration;

use facelens_core::frame::Frame;

pub mod archive;
mod camera;
pub mod demo;
mod error;
mod exif;
mod file;
mod foreign;
mod guard;
mod jpeg;
pub mod labels;
mod pace;
mod pictures;
mod rising;
mod spec;
mod video;
mod virtual_camera;

pub use camera::{
    CameraControl, CameraFormat, CameraPixels, ControlKind, ControlRange, ControlValue, camera_controls,
    decode_camera_picture, encode_camera_picture, set_camera_controls,
};
pub use error::{SourceError, SourceErrorKind};
pub use pictures::{PictureFolder, decode_picture, is_picture_file};
use rising::Rising;
pub use spec::{CameraChoice, CameraDevice, SourceSpec};
pub use video::BoxHeader;
pub use video::VideoReader;
#[doc(hidden)]
pub use video::fuzzing;
pub use virtual_camera::{VIRTUAL_CAMERA_REMEDY, VirtualCamera, list_virtual_cameras};

/// What a source is, known as soon as it is open.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// What to call it: the camera's name, the file as it was given, `demo`. The `input` of JSONL.
    pub name: String,
    /// How its frames follow each other.
    pub kind: SourceKind,
    /// Width and height in pixels, where all frames share them.
    pub size: Option<(u32, u32)>,
    /// Frames a second that the device or file promises.
    pub fps: Option<f32>,
    /// How many frames a file holds, where it says so.
    pub frame_count: Option<u64>,
    /// How long a file lasts, from its first frame to the end of the last one; known where [`Source::seek`] works.
    pub duration: Option<Duration>,
    /// What was got from the device or decoder in words, e.g. `MJPEG 1280x720 at 30 fps`.
    pub format: String,
}

/// How the frames of a source follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// A camera: frames come at their own time, the newest wins. Shown mirrored by default.
    Camera,
    /// A recorded or scripted stream in which every frame counts and faces can be tracked.
    Video,
    /// Pictures that have nothing to do with each other: no identity or smoothing carries over.
    Pictures,
}

/// What a source says when it is asked for the next frame.
#[derive(Debug)]
pub enum Next {
    /// A picture.
    Frame(Frame),
    /// Nothing yet: ask again. A live source returns this at least every 250 ms, so that its thread can be stopped.
    Waiting,
    /// Nothing for `silent_for`; the source keeps trying by itself ("no picture from CAMERA for 2 s").
    Stalled {
        /// Since when no picture came.
        silent_for: Duration,
    },
    /// The device is gone; the source looks for it by itself until it is back.
    Disconnected {
        /// What the device said when it went.
        reason: String,
    },
    /// One picture of several could not be read; the others follow.
    Skipped(SourceError),
    /// A part of the source is damaged, and the frames were read all the same. Worth a word, and no failure.
    Damaged(SourceError),
    /// The file is over. Asked again, the source says so again.
    End,
}

/// Something that gives frames. Lives on the capture thread.
pub trait Source: Send {
    /// What the source is. May change after a camera was plugged in again.
    fn info(&self) -> &SourceInfo;

    /// The next frame, or why there is none now. The times of a source that [`open`] gives rise from each frame to the
    /// next.
    ///
    /// # Errors
    /// Where the source cannot go on at all, e.g. a video that is broken in the middle.
    fn next(&mut self) -> Result<Next, SourceError>;

    /// Goes on at the frame that is shown at `time`, forwards or backwards; the last one where there are fewer. Only
    /// sources with a [`SourceInfo::duration`] can; the others stay where they are.
    ///
    /// # Errors
    /// Where the source cannot go on from there.
    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        let _ = time;
        Ok(())
    }

    /// Pictures so far that came damaged and were left out, as cheap webcams send them now and then.
    fn damaged(&self) -> u64 {
        0
    }
}

/// How a source is meant to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// For eyes: the demo goes round for ever, and everything comes at its own speed (a folder's pictures every 2 s).
    Live,
    /// For files: the demo is one round of its script, as fast as it is asked.
    Batch,
}

/// Opens a source.
///
/// # Errors
/// [`SourceError`] names the device or file, the cause, and what to do.
pub fn open(spec: &SourceSpec, mode: Mode) -> Result<Box<dyn Source>, SourceError> {
    open_as(spec, mode, None)
}

/// Opens a source as [`open`] does, a camera in the format that is wished for.
///
/// # Errors
/// [`SourceError`] names the device or file, the cause, and what to do; also where the camera does not have this format.
pub fn open_as(
    spec: &SourceSpec,
    mode: Mode,
    camera_format: Option<&CameraFormat>,
) -> Result<Box<dyn Source>, SourceError> {
    match spec {
        SourceSpec::Camera(choice) => Ok(Box::new(Rising::new(camera::open(choice, camera_format)?))),
        SourceSpec::Demo => Ok(Box::new(Rising::new(Box::new(demo::Demo::new(mode)?)))),
        SourceSpec::Path(path) => file::open(path, mode),
    }
}

/// A camera that the system lists: capture nodes only, no metadata nodes.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct CameraInfo {
    /// The number to choose it by (`camera:0`).
    pub index: u32,
    /// The name to choose it by (`camera:NAME`).
    pub name: String,
    /// Where the system keeps it, e.g. `/dev/video0` (`camera:/dev/video0`).
    pub device: PathBuf,
    /// Linux: the path of the port that it is plugged into, in `/dev/v4l/by-path`. Unlike the device's number, it stays
    /// the same when the computer starts again, and unlike the name, no other camera has it.
    pub by_path: Option<PathBuf>,
    /// The formats that are read here, e.g. `MJPEG 1280x720 at 30 fps`, best first; empty where it could not be asked.
    pub formats: Vec<String>,
    /// All formats as the driver lists them, with every rate, e.g. `MJPG 1280x720 at 30, 15 fps`; empty where they are
    /// known only once the camera is open (macOS, Windows).
    #[serde(skip)]
    pub every_format: Vec<String>,
    /// The formats that can be chosen, one for each rate, in the driver's order; empty where `every_format` is.
    #[serde(skip)]
    pub choices: Vec<CameraFormat>,
}

/// Lists the cameras.
///
/// # Errors
/// Where the system's list cannot be read. No camera at all is an empty list.
pub fn list_cameras() -> Result<Vec<CameraInfo>, SourceError> {
    camera::list()
}
