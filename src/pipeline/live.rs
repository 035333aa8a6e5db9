//! The live pipeline: a capture thread and an analysis thread, steered and read by the window without waiting.

use std::sync::Arc;

use super::{Analysis, StageTimings};
use crate::detect::DetectorKind;
use crate::frame::Frame;
use crate::model::ModelSet;
use crate::source::{SourceError, SourceInfo, SourceSpec};

/// How the live pipeline starts.
pub struct LiveOptions {
    /// The first source.
    pub source: SourceSpec,
    /// The first models.
    pub models: ModelSet,
    /// The first detector.
    pub detector: DetectorKind,
    /// Called from the worker threads whenever there is something new to show. Must not block.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// What the window shows of the source.
#[derive(Clone, Debug)]
pub enum Shown {
    /// The source is being opened.
    Opening,
    /// Pictures come.
    Running(SourceInfo),
    /// No picture for a while; it is tried on.
    Stalled {
        /// The source.
        info: SourceInfo,
        /// Seconds without a picture.
        silent_secs: f32,
    },
    /// The camera is gone; it is looked for.
    Disconnected {
        /// The source.
        info: SourceInfo,
        /// The device's words.
        reason: String,
    },
    /// A file is over; its last frame stays.
    Ended(SourceInfo),
    /// The source could not be opened or broke.
    Failed(SourceError),
}

/// The honest figures. Rates are over the last two seconds.
#[derive(Clone, Debug)]
pub struct Status {
    /// The source and how it does.
    pub shown: Shown,
    /// Frames that the source gave, a second.
    pub capture_fps: f32,
    /// Frames that were analysed, a second.
    pub analysed_fps: f32,
    /// Median time per stage over the last frames.
    pub stages: StageTimings,
    /// Median delay from a frame's arrival to its analysis being ready, milliseconds.
    pub delay_ms: f32,
    /// Frames since the source was opened.
    pub captured: u64,
    /// Frames analysed since then.
    pub analysed: u64,
    /// Frames that a newer one replaced before they could be analysed.
    pub dropped: u64,
    /// The last error of a detector or network, where frames fail.
    pub analysis_error: Option<String>,
}

/// The running pipeline. Dropping it stops both threads.
pub struct Live {
    _private: (),
}

impl Live {
    /// Starts the threads `capture` and `analysis`.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(options: LiveOptions) -> std::io::Result<Self> {
        let _ = options;
        todo!("pipeline rooms")
    }

    /// Changes the source; the old one is let go first.
    pub fn set_source(&self, source: SourceSpec) {
        let _ = source;
    }

    /// Changes the models from the next frame on.
    pub fn set_models(&self, models: ModelSet) {
        let _ = models;
    }

    /// Changes the detector from the next frame on.
    pub fn set_detector(&self, detector: DetectorKind) {
        let _ = detector;
    }

    /// Holds a file or the demo, or lets it go on; a camera's picture freezes.
    pub fn set_paused(&self, paused: bool) {
        let _ = paused;
    }

    /// The newest picture, at the camera's rate.
    pub fn frame(&self) -> Option<Arc<Frame>> {
        todo!("pipeline rooms")
    }

    /// The newest analysis with its own frame.
    pub fn analysis(&self) -> Option<Arc<Analysis>> {
        todo!("pipeline rooms")
    }

    /// The figures.
    pub fn status(&self) -> Arc<Status> {
        todo!("pipeline rooms")
    }
}
