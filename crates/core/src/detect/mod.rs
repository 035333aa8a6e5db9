//! Where the faces are: one trait, one file per detector.
//!
//! Detectors disagree about what a face's box is, and the crop of a network depends on it. So each detector here maps
//! its own box to one convention, the *facelens box* ([`box_in_style`] says what it is), by constants that were measured,
//! and a model card states its crop margin relative to a box that it names.

mod anchors;
mod blaze;
mod boxes;
pub mod follow;
pub mod letterbox;
mod seeta;
mod suppress;
#[cfg(test)]
mod tests;

pub use boxes::{EYES_TO_MIDDLE, PER_EARS, PER_EYES_TO_MOUTH, box_from_landmarks, box_in_style, roll_from_landmarks};
pub use suppress::drop_doubles;

use crate::frame::Frame;
use crate::geometry::{Point, Rect};

/// A face as a detector saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Detection {
    /// The facelens box, a square in pixels of the source picture; may reach over the picture's edge.
    pub rect: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
    /// Eyes (the picture's left one first), nose tip, mouth, and the two ears, where the detector gives them.
    pub keypoints: Option<[Point; 6]>,
}

impl Detection {
    /// How far the head is tilted clockwise as the picture shows it, degrees; `None` without keypoints.
    pub fn roll_degrees(&self) -> Option<f32> {
        self.keypoints.as_ref().and_then(roll_from_landmarks)
    }
}

/// Finds faces in a picture.
pub trait Detector: Send {
    /// Which detector this is.
    fn kind(&self) -> DetectorKind;

    /// All faces in the picture, best first, without overlapping doubles.
    ///
    /// # Errors
    /// Where the detector's network fails. A picture without a face is an empty list.
    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError>;

    /// A faster search near a face that is already known, where this detector has one.
    fn near(&self) -> Option<Box<dyn DetectNear>> {
        None
    }

    /// A network that follows a face without a search, where this detector has one ([`follow::following`]). It is used
    /// beside [`near`](Self::near) only.
    fn follow(&self) -> Option<Box<dyn FollowFace>> {
        None
    }
}

/// Follows a face from frame to frame.
pub trait FollowFace: Send {
    /// The face where `expected`, a facelens box, should be, its head tilted clockwise by about `roll_degrees`. The score is
    /// the chance that there is a face at all, 0 to 1: below a half the rest says nothing. `None` where the box has no finite
    /// size or lies outside the picture.
    ///
    /// # Errors
    /// Where the network fails.
    fn follow(&mut self, frame: &Frame, expected: &Rect, roll_degrees: f32) -> Result<Option<Detection>, DetectError>;

    /// The same with buffers of its own, for another thread; it gives the same results.
    fn another(&self) -> Box<dyn FollowFace>;
}

/// Finds a face again.
pub trait DetectNear: Send {
    /// The faces in a window around `expected`, the facelens box that a face should have, best first, without
    /// overlapping doubles. Their boxes are those that the [`Detector`] would give, but for its own noise.
    ///
    /// # Errors
    /// Where the detector's network fails. A window without a face, or outside the picture, is an empty list.
    fn detect_near(&mut self, frame: &Frame, expected: &Rect) -> Result<Vec<Detection>, DetectError>;

    /// The same search with buffers of its own, for another thread; it gives the same results.
    fn another(&self) -> Box<dyn DetectNear>;
}

/// Which detector to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DetectorKind {
    /// BlazeFace back, 256x256 (MediaPipe, run by tract). It sees the whole frame shrunk to 256 pixels: faces from about
    /// 24 pixels in 640x480 and from about 60 in 1280x720, turned in the plane by any angle.
    BlazeBack,
    /// BlazeFace front, 128x128 (MediaPipe, run by tract): six times faster, for near faces, from about 80 pixels in
    /// 640x480.
    BlazeFront,
    /// SeetaFace (rustface): upright frontal faces, from about 40 pixels in 640x480. Gives no keypoints.
    Seeta,
}

impl DetectorKind {
    /// All detectors, the default first: the tables in `models/DETECTORS.md` decided.
    pub const ALL: [Self; 3] = [Self::BlazeBack, Self::BlazeFront, Self::Seeta];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BlazeBack => "blaze-back",
            Self::BlazeFront => "blaze-front",
            Self::Seeta => "seeta",
        }
    }
}

/// A detector could not be made or failed on a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {detector} face detector failed: {cause}")]
pub struct DetectError {
    /// Name of the detector.
    pub detector: &'static str,
    /// What went wrong.
    pub cause: String,
}

/// Makes a detector; its weights are built into the program.
///
/// # Errors
/// Where its network cannot be prepared.
pub fn create(kind: DetectorKind) -> Result<Box<dyn Detector>, DetectError> {
    Ok(match kind {
        DetectorKind::BlazeBack => follow::by_default(Box::new(blaze::Blaze::back()?))?,
        DetectorKind::BlazeFront => Box::new(blaze::Blaze::front()?),
        DetectorKind::Seeta => Box::new(seeta::Seeta::new()?),
    })
}

/// The face that a picture's label means, large and central: by area minus twice the squared distance to the picture's
/// middle.
pub fn main_face<'a>(frame: &Frame, detections: &'a [Detection]) -> Option<&'a Detection> {
    let (middle_x, middle_y) = (frame.width() as f32 / 2.0, frame.height() as f32 / 2.0);
    let weight = |face: &Detection| {
        let center = face.rect.center();
        face.rect.area() - 2.0 * ((center.x - middle_x).powi(2) + (center.y - middle_y).powi(2))
    };
    detections.iter().max_by(|a, b| weight(a).total_cmp(&weight(b)))
}
