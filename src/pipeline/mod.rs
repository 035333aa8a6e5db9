//! The threads and the channels between them, and the one analysis that live view and files share.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use crate::frame::Frame;
use crate::source::SourceKind;
use crate::track::Face;

/// A frame with what was found in it.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The frame; the overlay belongs to it.
    pub frame: Arc<Frame>,
    /// The faces, by identity.
    pub faces: Vec<Face>,
    /// Time spent.
    pub timings: StageTimings,
}

/// Milliseconds that one frame spent in each stage, all faces and threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct StageTimings {
    /// Finding the faces.
    pub detect: f32,
    /// Cropping and scaling.
    pub crop: f32,
    /// Age networks.
    pub age: f32,
    /// Gender networks.
    pub gender: f32,
    /// Pose networks.
    pub pose: f32,
    /// Identities and smoothing.
    pub track: f32,
}

impl StageTimings {
    /// All stages together, milliseconds.
    pub fn total(&self) -> f32 {
        self.detect + self.crop + self.age + self.gender + self.pose + self.track
    }
}

mod analyser;
mod analysis_thread;
mod batch;
mod board;
mod capture;
#[cfg(test)]
mod fakes;
mod figures;
mod glance;
mod inbox;
mod live;
mod search;
mod team;
#[cfg(test)]
mod tests;

pub use analyser::{AnalyseError, Analyser, Faces};
pub use batch::{BatchEnd, BatchError, BatchEvent, BatchStop, FrameWork, run_batch};
pub use board::{Shown, Status, Tap};
pub use live::{Live, LiveOptions};

/// The pause between two questions to a source that says `Waiting` without having waited itself.
const WAITING_PAUSE: Duration = Duration::from_millis(5);

/// The numbers of a source's frames.
#[derive(Default)]
struct Numbers {
    last: Option<u64>,
}

impl Numbers {
    /// How many frames are missing before this one. A camera's do where nobody took them in time; a file's numbers are its
    /// own, and none of them is lost.
    fn missed(&mut self, kind: SourceKind, frame: &Frame) -> u64 {
        let last = self.last.replace(frame.sequence);
        last.filter(|_| kind == SourceKind::Camera).map_or(0, |last| frame.sequence.saturating_sub(last + 1))
    }
}

/// What a panic said.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no reason was given")
}
