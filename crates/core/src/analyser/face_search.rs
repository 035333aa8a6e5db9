//! Where to look for faces: those that are known in every frame, the whole frame in turns.
//!
//! ```text
//! expected faces --followed by reading where the detector has a network for it--> those it is sure of
//!                --the others: a window around each--> the nearest find of each --doubles merged--> finds
//! the whole frame: at first, every quarter of a second, and where a face was lost just now --> faces beside those finds
//!     a face that was only followed and that this search does not see is searched in its window
//! nobody there, and the picture looks as it did: a glance every quarter of a second, a search every second
//! ```
//!
//! A known face is always measured in the same way, also in the frames that are searched whole, so that its box does not
//! tremble between two kinds of search. The turns follow [`Frame::time`]: a file gives the same faces on every machine.
//!
//! Live, the whole frame is searched beside the rest ([`whole_search`](super::whole_search)): a find joins a later frame,
//! measured there in its window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::change_detector::ChangeDetector;
use super::whole_search::{Searched, WholeSearch};
use super::worker_pool::{Another, WorkerPool};
use crate::detect::{DetectError, DetectNear, Detection, Detector, FollowFace, drop_doubles};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::track::Expected;

/// At latest so long after the last search of the whole frame, another one is searched whole: whoever comes is found
/// within 300 ms, and nobody in view costs little.
const WHOLE_EVERY: Duration = Duration::from_millis(250);

/// The same of a search beside the rest: its finds come a frame or two later.
const WHOLE_EVERY_BESIDE: Duration = Duration::from_millis(200);

/// At latest so long after the last search of a frame in which nobody was, another one is searched, however alike it is.
const STILL_EVERY: Duration = Duration::from_secs(1);

/// For so long the whole frame is searched for a face that is not in its window any more; then in turns again.
const LOST_S: f64 = 0.25;

/// A find in a window is the expected face up to this distance of their middles, in sides of the expected box. Farther
/// off it reaches over the window's edge, and is rather a neighbour.
const REACH_SIDES: f32 = 0.65;

/// A face is followed while the network is as sure as this that there is one.
const FOLLOWED_CHANCE: f32 = 0.8;
/// It is where it is expected up to this distance of the middles, in sides of the expected box, ...
const FOLLOWED_REACH_SIDES: f32 = 0.4;
/// ... has changed its size by at most this factor, and its tilt by so many degrees. What goes beyond is looked at by the
/// detector.
const FOLLOWED_RATIO: f32 = 1.35;
const FOLLOWED_TURN_DEGREES: f32 = 25.0;

/// A face that lies farther off than this, by its middle, size or tilt, is looked at once more, in a crop around the place
/// where it was seen: far from a crop's middle, the network is less exact and tends to what is usual.
const LOOK_AGAIN_SIDES: f32 = 0.08;
const LOOK_AGAIN_RATIO: f32 = 1.04;
const LOOK_AGAIN_TURN_DEGREES: f32 = 6.0;

/// The detector confirms a face that was followed where its find overlaps it by this share (intersection over union).
const CONFIRMING_IOU: f32 = 0.45;

/// Looks for the faces of frame after frame of one source.
pub(super) struct FaceSearch {
    whole: WholeSearch,
    near: Option<WorkerPool<NearSearch>>,
    /// When the whole frame was searched last, or a glance showed that nobody has come.
    whole_at: Option<Duration>,
    /// The frame that was searched last, where nobody was in it: when it was, and what it looked like.
    empty: Option<(Duration, ChangeDetector)>,
}

/// What finds a face again: by reading, or in a window.
struct NearSearch {
    windows: Box<dyn DetectNear>,
    follow: Option<Box<dyn FollowFace>>,
}

impl Another for NearSearch {
    fn another(&self) -> Option<Self> {
        let follow = self.follow.as_ref().map(|follow| follow.another());
        Some(Self { windows: self.windows.another(), follow })
    }
}

/// What was found in a frame.
pub(super) struct Finds {
    /// The faces, without overlapping doubles; those that were expected first, in their order.
    pub(super) faces: Vec<Detection>,
    /// Milliseconds spent, of all threads together, but for a search beside the rest.
    pub(super) spent_ms: f32,
}

/// A face that was found again.
#[derive(Clone, Debug)]
struct FoundAgain {
    face: Detection,
    /// How far from the place where it is expected, in sides.
    distance_sides: f32,
    /// It was followed by reading: no detector saw it in this frame.
    followed: bool,
}

impl FaceSearch {
    /// A search with this detector. One that has no search near known faces searches every frame whole.
    pub(super) fn new(detector: Box<dyn Detector>) -> Self {
        let near = detector.near().map(|windows| WorkerPool::new(NearSearch { windows, follow: detector.follow() }));
        Self { whole: WholeSearch::new(detector), near, whole_at: None, empty: None }
    }

    /// Whether whole frames are searched beside the rest, on a thread of their own: no frame waits for one then, but what
    /// is found depends on how fast the machine is. Without a search near known faces nothing can be found meanwhile, and
    /// frames wait as before.
    pub(super) fn set_beside(&mut self, beside: bool) {
        self.whole.set_beside(beside && self.near.is_some());
    }

    /// The next frame has nothing to do with the last: it is searched whole.
    pub(super) fn reset(&mut self) {
        self.whole_at = None;
        self.whole.forget();
    }

    /// The faces in `frame`.
    ///
    /// # Errors
    /// Where the detector fails; the whole of the next frame is searched then.
    pub(super) fn find(&mut self, frame: &Arc<Frame>, expected: &[Expected]) -> Result<Finds, DetectError> {
        let last = self.whole_at.take();
        let mut finds = Finds { faces: Vec::new(), spent_ms: 0.0 };
        let every = if self.whole.is_beside() { WHOLE_EVERY_BESIDE } else { WHOLE_EVERY };
        let mut whole = last.is_none_or(|last| frame.time < last || frame.time - last >= every);
        let mut found = Vec::new();
        match &mut self.near {
            Some(near) => {
                found = find_near(near, frame, expected, &mut finds.spent_ms)?;
                whole |= expected.iter().zip(&found).any(|(face, find)| find.is_none() && face.unseen_s < LOST_S);
            }
            None => whole = true,
        }
        // What was begun in an earlier frame.
        let earlier = self.whole.finished().transpose()?;
        if let Some(Searched { time, faces, seen }) = earlier {
            self.empty = seen.filter(|_| faces.is_empty()).map(|seen| (time, seen));
            self.confirm(frame, expected, &mut found, &faces, &mut finds.spent_ms)?;
            finds.faces.extend(found.iter().flatten().map(|find| find.face.clone()));
            self.join(frame, faces, &mut finds)?;
        } else {
            finds.faces.extend(found.iter().flatten().map(|find| find.face.clone()));
        }
        if !whole {
            self.whole_at = last;
            return Ok(finds);
        }
        let started = Instant::now();
        let seen = (self.near.is_some() && expected.is_empty()).then(|| ChangeDetector::of(frame));
        if last.is_none() || !self.is_still_empty(frame.time, seen.as_ref()) {
            if last.is_some() && self.whole.is_beside() {
                // One that is still at work is not waited for.
                let began = self.whole.begin(frame, seen);
                finds.spent_ms += started.elapsed().as_secs_f32() * 1e3;
                self.whole_at = if began { Some(frame.time) } else { last };
                return Ok(finds);
            }
            let faces = self.whole.now(frame)?;
            self.confirm(frame, expected, &mut found, &faces, &mut finds.spent_ms)?;
            finds.faces = found.into_iter().flatten().map(|find| find.face).collect();
            finds.faces.extend(faces);
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

    /// Looks in their windows for those faces that were only followed and that are not among `whole`, the finds of a whole
    /// frame. What the detector sees elsewhere is taken from there, and what it does not see is dropped.
    fn confirm(
        &mut self,
        frame: &Arc<Frame>,
        expected: &[Expected],
        found: &mut [Option<FoundAgain>],
        whole: &[Detection],
        spent_ms: &mut f32,
    ) -> Result<(), DetectError> {
        let Some(near) = &mut self.near else { return Ok(()) };
        let is_same = |a: &Detection, b: &Detection| a.rect.iou(&b.rect) >= CONFIRMING_IOU;
        let is_doubtful = |find: &Option<FoundAgain>| {
            let followed = find.as_ref().filter(|find| find.followed);
            followed.is_some_and(|find| !whole.iter().any(|other| is_same(other, &find.face)))
        };
        let doubtful: Vec<usize> = (0..found.len()).filter(|index| is_doubtful(&found[*index])).collect();
        let jobs = doubtful.iter().map(|index| (Arc::clone(frame), expected[*index])).collect();
        for (index, (window_ms, seen)) in doubtful.into_iter().zip(near.map(jobs, in_window)) {
            *spent_ms += window_ms;
            let followed = found[index].take();
            // A confirmed face keeps the box that it was followed to: the detector's would make it tremble.
            let confirmed = |(seen, followed): (FoundAgain, FoundAgain)| {
                if is_same(&seen.face, &followed.face) { followed } else { seen }
            };
            found[index] = seen?.zip(followed).map(confirmed);
        }
        Ok(())
    }

    /// Adds what a search of an earlier frame found beside the faces of `finds`, where a window of this frame shows it.
    fn join(&mut self, frame: &Arc<Frame>, earlier: Vec<Detection>, finds: &mut Finds) -> Result<(), DetectError> {
        let Some(near) = &mut self.near else { return Ok(()) };
        // Only those that are nobody's double.
        let known = finds.faces.len();
        let mut all = std::mem::take(&mut finds.faces);
        all.extend(earlier);
        let mut places: Vec<(usize, Detection)> = all.into_iter().enumerate().collect();
        drop_doubles(&mut places, |(_, face)| face.rect);
        let (old, new): (Vec<_>, Vec<_>) = places.into_iter().partition(|(index, _)| *index < known);
        finds.faces = old.into_iter().map(|(_, face)| face).collect();
        let jobs = new.iter().map(|(_, face)| (Arc::clone(frame), newcomer(face.rect))).collect();
        for (window_ms, find) in near.map(jobs, in_window) {
            finds.spent_ms += window_ms;
            finds.faces.extend(find?.map(|find| find.face));
        }
        drop_doubles(&mut finds.faces, |find| find.rect);
        Ok(())
    }
}

/// A face that was seen in an earlier frame and that nobody knows yet.
fn newcomer(rect: Rect) -> Expected {
    Expected { rect, roll_degrees: 0.0, unseen_s: 0.0, is_in_view: false }
}

/// What is done about one face, and the milliseconds that it took.
type NearResult = (f32, Result<Option<FoundAgain>, DetectError>);

/// For each of `expected` where it is. Where two are found in the same face, it is the one's that was expected nearer.
fn find_near(
    near: &mut WorkerPool<NearSearch>,
    frame: &Arc<Frame>,
    expected: &[Expected],
    spent_ms: &mut f32,
) -> Result<Vec<Option<FoundAgain>>, DetectError> {
    let jobs = expected.iter().map(|face| (Arc::clone(frame), *face)).collect();
    let mut finds = Vec::with_capacity(expected.len());
    for (face_ms, find) in near.map(jobs, find_again) {
        *spent_ms += face_ms;
        finds.push(find?);
    }
    let mut ordered: Vec<(usize, FoundAgain)> =
        finds.into_iter().enumerate().filter_map(|(index, find)| Some((index, find?))).collect();
    ordered.sort_by(|(_, a), (_, b)| a.distance_sides.total_cmp(&b.distance_sides));
    drop_doubles(&mut ordered, |(_, find)| find.face.rect);
    let mut kept = vec![None; expected.len()];
    for (index, find) in ordered {
        kept[index] = Some(find);
    }
    Ok(kept)
}

/// Follows a face that was in view just now; looks for the others, and where the network is unsure, in a window.
fn find_again(near: &mut NearSearch, job: &(Arc<Frame>, Expected)) -> NearResult {
    let (frame, expected) = job;
    let started = Instant::now();
    if let Some(follow) = near.follow.as_mut().filter(|_| expected.is_in_view) {
        match followed(follow.as_mut(), frame, expected) {
            Ok(Some(face)) => {
                let distance_sides = distance_sides(&face.rect, &expected.rect);
                let find = FoundAgain { face, distance_sides, followed: true };
                return (started.elapsed().as_secs_f32() * 1e3, Ok(Some(find)));
            }
            Ok(None) => {}
            Err(error) => return (started.elapsed().as_secs_f32() * 1e3, Err(error)),
        }
    }
    let (_, find) = in_window(near, job);
    (started.elapsed().as_secs_f32() * 1e3, find)
}

/// Where the network sees a face, if that goes together with what came before.
pub(super) fn followed(
    follow: &mut dyn FollowFace,
    frame: &Frame,
    expected: &Expected,
) -> Result<Option<Detection>, DetectError> {
    let Some(face) = follow.follow(frame, &expected.rect, expected.roll_degrees)? else { return Ok(None) };
    let shift = Shift::between(&face, &expected.rect, expected.roll_degrees);
    let reach = Shift { sides: FOLLOWED_REACH_SIDES, ratio: FOLLOWED_RATIO, turn_degrees: FOLLOWED_TURN_DEGREES };
    if face.score < FOLLOWED_CHANCE || !shift.is_within(&reach) {
        return Ok(None);
    }
    let enough = Shift { sides: LOOK_AGAIN_SIDES, ratio: LOOK_AGAIN_RATIO, turn_degrees: LOOK_AGAIN_TURN_DEGREES };
    if shift.is_within(&enough) {
        return Ok(Some(face));
    }
    let roll = face.roll_degrees().unwrap_or(expected.roll_degrees);
    let again = follow.follow(frame, &face.rect, roll)?;
    Ok(again
        .filter(|again| again.score >= FOLLOWED_CHANCE && Shift::between(again, &face.rect, roll).is_within(&reach)))
}

/// How far a face lies from a place.
struct Shift {
    /// Distance of the middles, in sides of the place.
    sides: f32,
    /// Larger side by smaller side.
    ratio: f32,
    turn_degrees: f32,
}

impl Shift {
    fn between(face: &Detection, rect: &Rect, roll_degrees: f32) -> Self {
        let ratio = face.rect.width / rect.width;
        let turn = face.roll_degrees().unwrap_or(roll_degrees) - roll_degrees;
        let turn_degrees = ((turn + 180.0).rem_euclid(360.0) - 180.0).abs();
        Self { sides: distance_sides(&face.rect, rect), ratio: ratio.max(ratio.recip()), turn_degrees }
    }

    fn is_within(&self, most: &Self) -> bool {
        self.sides <= most.sides && self.ratio <= most.ratio && self.turn_degrees <= most.turn_degrees
    }
}

/// What the window around `expected` shows nearest to it, within reach.
fn in_window(near: &mut NearSearch, (frame, expected): &(Arc<Frame>, Expected)) -> NearResult {
    let started = Instant::now();
    let nearest = near.windows.detect_near(frame, &expected.rect).map(|finds| {
        finds
            .into_iter()
            .map(|face| FoundAgain {
                distance_sides: distance_sides(&face.rect, &expected.rect),
                face,
                followed: false,
            })
            .filter(|find| find.distance_sides <= REACH_SIDES)
            .min_by(|a, b| a.distance_sides.total_cmp(&b.distance_sides))
    });
    (started.elapsed().as_secs_f32() * 1e3, nearest)
}

/// The distance of the middles in sides of `expected`.
fn distance_sides(rect: &Rect, expected: &Rect) -> f32 {
    let (a, b) = (rect.center(), expected.center());
    (a.x - b.x).hypot(a.y - b.y) / expected.width.max(expected.height)
}
