//! Where to look for faces: near those that are known in every frame, in the whole frame in turns.
//!
//! ```text
//! expected faces --window around each--> the nearest find of each --doubles merged--> finds
//! the whole frame: at first, every quarter of a second, and where a face was lost just now --> faces beside those finds
//! ```
//!
//! A known face is always measured in its window, also in the frames that are searched whole, so that its box does not
//! tremble between two kinds of search. The turns follow [`Frame::time`]: a file gives the same faces on every machine.

use std::time::Duration;

use crate::detect::{DetectError, DetectNear, Detection, Detector, drop_doubles};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::track::Expected;

/// At latest so long after the last search of the whole frame, another one is searched whole: whoever comes is found
/// within 300 ms, and nobody in view costs little.
const WHOLE_EVERY: Duration = Duration::from_millis(250);

/// For so long the whole frame is searched for a face that is not in its window any more; then in turns again.
const LOST_S: f64 = 0.25;

/// A find in a window is the expected face up to this distance of their middles, in sides of the expected box. Farther
/// off it reaches over the window's edge, and is rather a neighbour.
const REACH_SIDES: f32 = 0.65;

/// Looks for the faces of frame after frame of one source.
pub(super) struct Search {
    detector: Box<dyn Detector>,
    near: Option<Box<dyn DetectNear>>,
    /// When the whole frame was searched last.
    whole_at: Option<Duration>,
}

impl Search {
    /// A search with this detector. One that has no search near known faces searches every frame whole.
    pub(super) fn new(detector: Box<dyn Detector>) -> Self {
        let near = detector.near();
        Self { detector, near, whole_at: None }
    }

    /// The next frame has nothing to do with the last: it is searched whole.
    pub(super) fn reset(&mut self) {
        self.whole_at = None;
    }

    /// The faces in `frame`, without overlapping doubles; those of `expected` first, in their order.
    ///
    /// # Errors
    /// Where the detector fails; the whole of the next frame is searched then.
    pub(super) fn find(&mut self, frame: &Frame, expected: &[Expected]) -> Result<Vec<Detection>, DetectError> {
        let last = self.whole_at.take();
        let mut finds = Vec::new();
        let mut whole = last.is_none_or(|last| frame.time < last || frame.time - last >= WHOLE_EVERY);
        match &mut self.near {
            Some(near) => {
                let found = find_near(near.as_mut(), frame, expected)?;
                whole |= expected.iter().zip(&found).any(|(face, find)| find.is_none() && face.unseen_s < LOST_S);
                finds.extend(found.into_iter().flatten());
            }
            None => whole = true,
        }
        if !whole {
            self.whole_at = last;
            return Ok(finds);
        }
        finds.extend(self.detector.detect(frame)?);
        drop_doubles(&mut finds, |find| find.rect);
        self.whole_at = Some(frame.time);
        Ok(finds)
    }
}

/// For each of `expected` what its window shows of it. Two windows that show the same face have it once: the one that
/// expected it nearer.
fn find_near(
    near: &mut dyn DetectNear,
    frame: &Frame,
    expected: &[Expected],
) -> Result<Vec<Option<Detection>>, DetectError> {
    let mut finds = Vec::with_capacity(expected.len());
    for face in expected {
        let seen = near.detect_near(frame, &face.rect)?.into_iter();
        let nearest = seen
            .map(|find| (distance_sides(&find.rect, &face.rect), find))
            .filter(|(distance, _)| *distance <= REACH_SIDES)
            .min_by(|(a, _), (b, _)| a.total_cmp(b));
        finds.push(nearest);
    }
    let mut order: Vec<usize> = (0..finds.len()).filter(|index| finds[*index].is_some()).collect();
    let distance = |index: usize| finds[index].as_ref().map_or(f32::INFINITY, |(distance, _)| *distance);
    order.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
    let mut kept: Vec<Option<Detection>> = vec![None; finds.len()];
    let mut ordered: Vec<(usize, Detection)> =
        order.into_iter().filter_map(|index| finds[index].take().map(|(_, find)| (index, find))).collect();
    drop_doubles(&mut ordered, |(_, find)| find.rect);
    for (index, find) in ordered {
        kept[index] = Some(find);
    }
    Ok(kept)
}

/// The distance of the middles in sides of `expected`.
fn distance_sides(rect: &Rect, expected: &Rect) -> f32 {
    let (a, b) = (rect.center(), expected.center());
    (a.x - b.x).hypot(a.y - b.y) / expected.width.max(expected.height)
}
