//! The threads and the channels between them, and the one analysis that live view and files share.

use std::time::Duration;

use facelens_core::frame::Frame;
use facelens_media::SourceKind;

mod analysis_thread;
mod batch;
mod capture;
#[cfg(test)]
mod fakes;
mod gait;
mod inbox;
mod live;
mod live_state;
mod metrics;
mod source_watch;
#[cfg(test)]
mod tests;

pub use batch::{BatchEnd, BatchError, BatchEvent, BatchStop, FrameWork, run_batch};
pub use gait::{GaitView, Gaits, LiveGait, MakeAge, MakeGaits, TakeStrides};
pub use live::{LiveOptions, LiveSession};
pub use live_state::{LastingSink, SourceState, Status};
pub use source_watch::SourceWatch;

/// The pause between two questions to a source that says `Waiting` without having waited itself.
const WAITING_PAUSE: Duration = Duration::from_millis(5);

/// The numbers of a source's frames.
#[derive(Default)]
struct FrameNumbers {
    last: Option<u64>,
}

impl FrameNumbers {
    /// How many frames are missing before this one. A camera's do where nobody took them in time; a file's numbers are its
    /// own, and none of them is lost.
    fn missed(&mut self, kind: SourceKind, frame: &Frame) -> u64 {
        let last = self.last.replace(frame.sequence);
        last.filter(|_| kind == SourceKind::Camera).map_or(0, |last| frame.sequence.saturating_sub(last + 1))
    }
}
