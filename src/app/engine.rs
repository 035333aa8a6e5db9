//! What the window needs of the pipeline. [`Live`] gives it; the window's tests give it without threads.

use std::sync::Arc;

use crate::detect::DetectorKind;
use crate::frame::Frame;
use crate::model::ModelSet;
use crate::pipeline::{Analysis, Live, Status};
use crate::source::SourceSpec;

/// The running pipeline as the window sees it. No call waits.
pub(crate) trait Engine {
    /// The newest picture.
    fn frame(&self) -> Option<Arc<Frame>>;
    /// The newest analysis with its own frame.
    fn analysis(&self) -> Option<Arc<Analysis>>;
    /// How the source does, and the figures.
    fn status(&self) -> Arc<Status>;
    /// Changes the source.
    fn set_source(&self, source: SourceSpec);
    /// Lets the source go until one is set: no camera is held while a session is replayed.
    fn let_go(&self);
    /// Opens the same source again, from its beginning.
    fn restart(&self);
    /// Changes the models.
    fn set_models(&self, models: ModelSet);
    /// Changes the detector.
    fn set_detector(&self, detector: DetectorKind);
    /// Holds the source or lets it go on.
    fn set_paused(&self, paused: bool);
}

impl Engine for Live {
    fn frame(&self) -> Option<Arc<Frame>> {
        Self::frame(self)
    }

    fn analysis(&self) -> Option<Arc<Analysis>> {
        Self::analysis(self)
    }

    fn status(&self) -> Arc<Status> {
        Self::status(self)
    }

    fn set_source(&self, source: SourceSpec) {
        Self::set_source(self, source);
    }

    fn let_go(&self) {
        Self::let_go(self);
    }

    fn restart(&self) {
        Self::restart(self);
    }

    fn set_models(&self, models: ModelSet) {
        Self::set_models(self, models);
    }

    fn set_detector(&self, detector: DetectorKind) {
        Self::set_detector(self, detector);
    }

    fn set_paused(&self, paused: bool) {
        Self::set_paused(self, paused);
    }
}
