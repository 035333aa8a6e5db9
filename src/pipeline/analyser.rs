//! Detect -> track -> crop -> estimate -> smooth, for one frame, on the calling thread.

use std::sync::Arc;

use super::Analysis;
use crate::detect::{DetectError, Detector};
use crate::estimate::{EstimateError, Estimator};
use crate::frame::Frame;
use crate::model::ModelSet;

/// A frame could not be analysed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnalyseError {
    /// The detector failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A network failed.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}

/// Where the faces of a frame come from.
pub enum Faces {
    /// A detector finds them.
    Detect(Box<dyn Detector>),
    /// The whole picture is one ready face crop (`--crops`).
    WholePicture,
}

/// The one way from a frame to its faces, shared by the live view and by files.
pub struct Analyser {
    _faces: Faces,
    _estimator: Estimator,
}

impl Analyser {
    /// An analyser with this detector and these models.
    pub fn new(faces: Faces, models: ModelSet) -> Self {
        Self { _faces: faces, _estimator: Estimator::new(models) }
    }

    /// Replaces the models; identities stay, their averages start anew.
    pub fn set_models(&mut self, models: ModelSet) {
        let _ = models;
        todo!("pipeline rooms")
    }

    /// Replaces the detector; identities stay.
    pub fn set_faces(&mut self, faces: Faces) {
        let _ = faces;
        todo!("pipeline rooms")
    }

    /// Forgets all identities: the next frame has nothing to do with the last.
    pub fn reset(&mut self) {
        todo!("pipeline rooms")
    }

    /// Analyses one frame; smoothing follows [`Frame::time`].
    ///
    /// # Errors
    /// Where the detector or a network fails; the next frame may work.
    pub fn analyse(&mut self, frame: Arc<Frame>) -> Result<Analysis, AnalyseError> {
        let _ = frame;
        todo!("pipeline rooms")
    }
}
