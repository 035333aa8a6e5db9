//! Where to look for faces: near those that are known in every frame, in the whole frame in turns.
//!
//! ```text
//! expected faces --window around each--> the nearest find of each --doubles merged--> finds
//! the whole frame: at first, every quarter of a second, and where a face was lost just now --> faces beside those finds
//! nobody there, and the picture looks as it did: a glance every quarter of a second, a search every second
//! ```
//!
//! A known face is always measured in its window, also in the frames that are searched whole, so that its box does not
//! tremble between two kinds of search. The turns follow [`Frame::time`]: a file gives the same faces on every machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::change_detector::ChangeDetector;
use super::worker_pool::{Another, WorkerPool};
use crate::detect::{DetectError, DetectNear, Detection, Detector, drop_doubles};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::track::Expected;

/// At latest so long after the last search of the whole frame, another one is searched whole: whoever comes is found
/// within 300 ms, and nobody in view costs little.
const WHOLE_EVERY: Duration = Duration::from_millis(250);

/// At latest so long after the last search of a frame in which nobody was, another one is searched, however alike it is.
const STILL_EVERY: Duration = Duration::from_secs(1);

/// For so long the whole frame is searched for a face that is not in its window any more; then in turns again.
const LOST_S: f64 = 0.25;

/// A find in a window is the expected face up to this distance of their middles, in sides of the expected box. Farther
/// off it reaches over the window's edge, and is rather a neighbour.
const REACH_SIDES: f32 = 0.65;

/// Looks for the faces of frame after frame of one source.
pub(super) struct FaceSearch {
    detector: Box<dyn Detector>,
    near: Option<WorkerPool<Box<dyn DetectNear>>>,
    /// When the whole frame was searched last, or a glance showed that nobody has come.
    whole_at: Option<Duration>,
    /// The frame that was searched last, where nobody was in it: when it was, and what it looked like.
    empty: Option<(Duration, ChangeDetector)>,
}

impl Another for Box<dyn DetectNear> {
    fn another(&self) -> Option<Self> {
        Some(self.as_ref().another())
    }
}

/// What was found in a frame.
pub(super) struct Finds {
    /// The faces, without overlapping doubles; those that were expected first, in their order.
    pub(super) faces: Vec<Detection>,
    /// Milliseconds spent, of all threads together.
    pub(super) spent_ms: f32,
}

impl FaceSearch {
    /// A search with this detector. One that has no search near known faces searches every frame whole.
    pub(super) fn new(detector: Box<dyn Detector>) -> Self {
        let near = detector.near().map(WorkerPool::new);
        Self { detector, near, whole_at: None, empty: None }
    }

    /// The next frame has nothing to do with the last: it is searched whole.
    pub(super) fn reset(&mut self) {
        self.whole_at = None;
    }

    /// The faces in `frame`.
    ///
    /// # Errors
    /// Where the detector fails; the whole of the next frame is searched then.
    pub(super) fn find(&mut self, frame: &Arc<Frame>, expected: &[Expected]) -> Result<Finds, DetectError> {
        let last = self.whole_at.take();
        let mut finds = Finds { faces: Vec::new(), spent_ms: 0.0 };
        let mut whole = last.is_none_or(|last| frame.time < last || frame.time - last >= WHOLE_EVERY);
        match &mut self.near {
            Some(near) => {
                let found = find_near(near, frame, expected, &mut finds.spent_ms)?;
                whole |= expected.iter().zip(&found).any(|(face, find)| find.is_none() && face.unseen_s < LOST_S);
                finds.faces.extend(found.into_iter().flatten());
            }
            None => whole = true,
        }
        if !whole {
            self.whole_at = last;
            return Ok(finds);
        }
        let started = Instant::now();
        let seen = (self.near.is_some() && expected.is_empty()).then(|| ChangeDetector::of(frame));
        if last.is_none() || !self.is_still_empty(frame.time, seen.as_ref()) {
            finds.faces.extend(self.detector.detect(frame)?);
            drop_doubles(&mut finds.faces, |find| find.rect);
            self.empty = seen.filter(|_| finds.faces.is_empty()).map(|seen| (frame.time, seen));
        }
        finds.spent_ms += started.elapsed().as_secs_f32() * 1e3;
        self.whole_at = Some(frame.time);
        Ok(finds)
    }

    /// Whether a frame at `time` that looks like `seen` looks as the one did in which nobody was, a moment ago.
    fn is_still_empty(&self, time: Duration, seen: Option<&ChangeDetector>) -> bool {
        let (Some((at, empty)), Some(seen)) = (&self.empty, seen) else { return false };
        time.checked_sub(*at).is_some_and(|passed| passed < STILL_EVERY) && empty.is_like(seen)
    }
}

/// A face in a window, and how far from the place where it is expected, in sides.
type Nearest = Option<(f32, Detection)>;

/// For each of `expected` what its window shows of it. Two windows that show the same face have it once: the one that
/// expected it nearer.
fn find_near(
    near: &mut WorkerPool<Box<dyn DetectNear>>,
    frame: &Arc<Frame>,
    expected: &[Expected],
    spent_ms: &mut f32,
) -> Result<Vec<Option<Detection>>, DetectError> {
    let windows = expected.iter().map(|face| (Arc::clone(frame), face.rect)).collect();
    let mut finds = Vec::with_capacity(expected.len());
    for (window_ms, nearest) in near.map(windows, |near, (frame, rect)| nearest(near.as_mut(), frame, rect)) {
        *spent_ms += window_ms;
        finds.push(nearest?);
    }
    let mut ordered: Vec<(usize, f32, Detection)> = finds
        .into_iter()
        .enumerate()
        .filter_map(|(index, find)| find.map(|(distance, find)| (index, distance, find)))
        .collect();
    ordered.sort_by(|(_, a, _), (_, b, _)| a.total_cmp(b));
    drop_doubles(&mut ordered, |(_, _, find)| find.rect);
    let mut kept = vec![None; expected.len()];
    for (index, _, find) in ordered {
        kept[index] = Some(find);
    }
    Ok(kept)
}

/// What the window around `expected` shows nearest to it, within reach; and the milliseconds that it took.
fn nearest(near: &mut dyn DetectNear, frame: &Frame, expected: &Rect) -> (f32, Result<Nearest, DetectError>) {
    let started = Instant::now();
    let nearest = near.detect_near(frame, expected).map(|finds| {
        finds
            .into_iter()
            .map(|find| (distance_sides(&find.rect, expected), find))
            .filter(|(distance, _)| *distance <= REACH_SIDES)
            .min_by(|(a, _), (b, _)| a.total_cmp(b))
    });
    (started.elapsed().as_secs_f32() * 1e3, nearest)
}

/// The distance of the middles in sides of `expected`.
fn distance_sides(rect: &Rect, expected: &Rect) -> f32 {
    let (a, b) = (rect.center(), expected.center());
    (a.x - b.x).hypot(a.y - b.y) / expected.width.max(expected.height)
}
