//! Who is who from frame to frame.

use std::collections::VecDeque;
use std::time::Duration;

use super::Face;
use super::appearance::{self, AppearanceModel};
use super::assignment::{self, NEVER};
use super::motion::{Motion, size_of};
use super::numbers::IdentityNumbers;
use super::person::TrackedPerson;
use crate::detect::Detection;
use crate::estimate::Estimate;
use crate::frame::Frame;
use crate::geometry::Rect;

/// How long a person may go unseen and keeps the identity, and the rounding of capture times that is forgiven.
const LONGEST_GAP_S: f64 = 1.0;
const FORGIVEN_S: f64 = 0.005;
/// In a stream with few frames a second: how many frames may be missed instead.
const LONGEST_GAP_FRAMES: f64 = 2.5;
/// The time between frames where it is not known, e.g. where time goes back because a file starts again.
const USUAL_FRAME_S: f64 = 1.0 / 30.0;

/// A find with at least this score is somebody at once. A weaker one in the middle of a stream must be found
/// [`CONFIRMING_HITS`] times first, so that a flash on the wallpaper gets no number.
const SURE_SCORE: f32 = 0.7;
const CONFIRMING_HITS: u32 = 3;
/// How long an unconfirmed find may go unseen.
const TENTATIVE_GAP_S: f64 = 0.25;

/// How far from its prediction a face may be found: in its own sizes, and how much this grows with each second since
/// it was last seen free of others.
const REACH_SIZES: f32 = 0.9;
const REACH_SIZES_PER_S: f32 = 2.2;
/// By what factor its size may change, and how much this grows a second.
const SIZE_RATIO: f32 = 1.8;
const SIZE_RATIO_PER_S: f32 = 1.5;
/// What distance (squared share of the reach), size (squared share of the ratio) and looks (0 to 1) cost; the distance
/// costs 1.
const SIZE_COST: f32 = 0.4;
const LOOKS_COST: f32 = 1.5;
/// Above this sum a find is rather somebody new.
const ALONE_COST: f32 = 2.0;
/// Confirmed people come first.
const TENTATIVE_COST: f32 = 0.3;
/// After a gap this long, somebody who looks this different is somebody else.
const OTHER_AFTER_S: f64 = 0.25;
const OTHER_LOOKS: f32 = 0.5;
/// Faces that overlap by this share (intersection over union) may be mistaken for each other, for at most this long.
const CONFUSING_IOU: f32 = 0.1;
const CONFUSED_S: f64 = 0.5;
/// Looks are followed with this time constant, seconds.
const LOOKS_TIME_S: f32 = 1.5;
/// Rectangles beyond this many pixels are no faces but broken numbers.
const LARGEST_PX: f32 = 100_000.0;

/// Follows faces from frame to frame: a Kalman prediction for each person, an optimal assignment of finds to people by
/// place, size and looks, and the averages that belong to each identity.
#[derive(Default)]
pub struct Tracker {
    tracks: Vec<FaceTrack>,
    numbers: IdentityNumbers,
    clock: TrackerClock,
    age_error_years: Option<f32>,
}

struct FaceTrack {
    /// `None` while it is not confirmed.
    id: Option<u64>,
    motion: Motion,
    /// How far the head was tilted clockwise when it was seen last, degrees; 0 where nobody knew.
    roll_degrees: f32,
    looks: Option<AppearanceModel>,
    looks_count: u32,
    hits: u32,
    seen_s: f64,
    /// When it was last seen apart from all others.
    apart_s: f64,
    person: TrackedPerson,
}

/// A face that should be in a frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// Where its facelens box should be, pixels; may lie outside the picture.
    pub rect: Rect,
    /// How far its head should be tilted clockwise as the picture shows it, degrees; 0 where nobody knows.
    pub roll_degrees: f32,
    /// Seconds since it was last seen, up to that frame.
    pub unseen_s: f64,
    /// It has a number, and was seen in the frame before.
    pub is_in_view: bool,
}

/// A detection that may be a face.
struct Find {
    index: usize,
    rect: Rect,
    score: f32,
    roll_degrees: f32,
    looks: Option<AppearanceModel>,
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The mean absolute error of the age model, years; `None` where it is not known. Of a model without a
    /// range of its own it makes the range.
    pub fn set_age_error_years(&mut self, error_years: Option<f32>) {
        self.age_error_years = error_years;
    }

    /// Keeps the identities and starts their averages anew: other networks speak from now on.
    pub fn forget_estimates(&mut self) {
        for track in &mut self.tracks {
            track.person.forget_estimates();
        }
    }

    /// Forgets everybody, e.g. between pictures that have nothing to do with each other. Numbers start at 1 again.
    pub fn reset(&mut self) {
        self.numbers.restart();
        let (numbers, age_error_years) = (self.numbers.clone(), self.age_error_years);
        *self = Self { numbers, age_error_years, ..Self::default() };
    }

    /// Takes numbers out of a row that others take from, too.
    pub fn share_numbers(&mut self, numbers: IdentityNumbers) {
        self.numbers = numbers;
    }

    /// How many numbers were given so far.
    pub fn given(&self) -> u64 {
        self.numbers.given()
    }

    /// The next number is above `given`: the people of a tracker that this one takes the place of keep theirs.
    pub fn continue_from(&mut self, given: u64) {
        self.numbers.continue_from(given);
    }

    /// Where the faces that are known should be in a frame at `time`, which is the next to be given to
    /// [`assign`](Self::assign): finds that have no number yet and people who are hidden for the moment among them.
    pub fn expected(&self, time: Duration) -> Vec<Expected> {
        let mut clock = self.clock.clone();
        let elapsed_s = clock.advance(time);
        let known = self.tracks.iter().filter(|track| track.is_known(&clock, elapsed_s));
        known
            .map(|track| {
                let unseen_s = clock.now_s - track.seen_s;
                let mut motion = track.motion.clone();
                motion.predict(elapsed_s as f32, (unseen_s - elapsed_s) as f32);
                let is_in_view = track.id.is_some() && track.seen_s == self.clock.now_s;
                Expected { rect: motion.rect(), roll_degrees: track.roll_degrees, unseen_s, is_in_view }
            })
            .collect()
    }

    /// Gives each detection of a frame at `time` its identity, in the order of `detections`. `None`: too unsure a find
    /// to be somebody yet, or no rectangle at all.
    ///
    /// The first frame after a start or [`reset`](Self::reset) names all finds at once. Where `time` goes back (a file
    /// that starts again), people are followed as if one frame had passed.
    pub fn assign(&mut self, frame: &Frame, time: Duration, detections: &[Detection]) -> Vec<Option<u64>> {
        let first_frame = self.clock.last.is_none();
        let elapsed_s = self.clock.advance(time);
        let now_s = self.clock.now_s;
        self.tracks.retain(|track| track.is_known(&self.clock, elapsed_s));
        for track in &mut self.tracks {
            let unseen_s = now_s - elapsed_s - track.seen_s;
            track.motion.predict(elapsed_s as f32, unseen_s as f32);
        }

        let finds = finds(frame, detections);
        let costs: Vec<Vec<f64>> =
            finds.iter().map(|find| self.tracks.iter().map(|track| cost(track, find, now_s)).collect()).collect();
        let chosen = assignment::assign(&costs, self.tracks.len(), f64::from(ALONE_COST));
        let mut taken = vec![false; self.tracks.len()];
        for column in chosen.iter().flatten() {
            taken[*column] = true;
        }
        // Somebody who is not found now may stand behind somebody who is.
        let hidden: Vec<Rect> = self
            .tracks
            .iter()
            .zip(&taken)
            .filter(|(track, taken)| !**taken && track.id.is_some())
            .map(|(track, _)| track.motion.rect())
            .collect();

        let mut ids = vec![None; detections.len()];
        for (row, find) in finds.iter().enumerate() {
            let others = || {
                let found = finds.iter().filter(|other| other.index != find.index).map(|other| &other.rect);
                found.chain(&hidden)
            };
            let apart = others().all(|other| other.iou(&find.rect) < CONFUSING_IOU);
            let region = appearance::region(&find.rect);
            let free = apart && others().all(|other| other.intersection(&region).is_none());
            let track = match chosen[row] {
                Some(column) => {
                    let track = &mut self.tracks[column];
                    track.found_again(find, now_s, apart, free);
                    track
                }
                None => {
                    self.tracks.push(FaceTrack::new(find, now_s));
                    let last = self.tracks.len() - 1;
                    &mut self.tracks[last]
                }
            };
            if track.id.is_none() && (first_frame || find.score >= SURE_SCORE || track.hits >= CONFIRMING_HITS) {
                track.id = Some(self.numbers.next());
            }
            ids[find.index] = track.id;
        }
        ids
    }

    /// Whether the networks have said anything of identity `id` ([`update`](Self::update)), since
    /// [`forget_estimates`](Self::forget_estimates).
    pub fn was_seen(&self, id: u64) -> bool {
        self.tracks.iter().any(|track| track.id == Some(id) && track.person.is_known)
    }

    /// Adds what the networks say of identity `id` in the frame last given to [`assign`](Self::assign), and gives the
    /// steadied face. The first look at a person passes unchanged, but for ages and scores outside their range.
    pub fn update(&mut self, id: u64, detection: &Detection, estimate: &Estimate) -> Face {
        let (now_s, error_years) = (self.clock.now_s, self.age_error_years);
        let mut stranger = TrackedPerson::new();
        let person =
            self.tracks.iter_mut().find(|track| track.id == Some(id)).map_or(&mut stranger, |track| &mut track.person);
        person.update(id, now_s, detection, estimate, error_years)
    }
}

impl FaceTrack {
    fn new(find: &Find, now_s: f64) -> Self {
        Self {
            id: None,
            motion: Motion::new(&find.rect),
            roll_degrees: find.roll_degrees,
            looks: find.looks.clone(),
            looks_count: 1,
            hits: 1,
            seen_s: now_s,
            apart_s: now_s,
            person: TrackedPerson::new(),
        }
    }

    /// Whether it is still waited for at the time of `clock`, which has just advanced by `elapsed_s`.
    fn is_known(&self, clock: &TrackerClock, elapsed_s: f64) -> bool {
        let longest_gap_s = if self.id.is_some() { clock.longest_gap_s() } else { TENTATIVE_GAP_S.max(elapsed_s) };
        clock.now_s - self.seen_s <= longest_gap_s
    }

    /// `apart`: no other face overlaps; `free`: nobody else is in the region that the looks come from.
    fn found_again(&mut self, find: &Find, now_s: f64, apart: bool, free: bool) {
        self.motion.correct(&find.rect);
        self.roll_degrees = find.roll_degrees;
        if free {
            match (&mut self.looks, &find.looks) {
                (Some(looks), Some(newer)) => {
                    // A plain mean at first, a slow following later.
                    self.looks_count += 1;
                    let slow = 1.0 - (-(now_s - self.seen_s) as f32 / LOOKS_TIME_S).exp();
                    looks.follow(newer, slow.max(1.0 / self.looks_count as f32).min(0.5));
                }
                (None, newer) => self.looks.clone_from(newer),
                (Some(_), None) => {}
            }
        }
        if apart {
            self.apart_s = now_s;
        }
        self.hits += 1;
        self.seen_s = now_s;
    }
}

/// The detections that have a finite rectangle with an area.
fn finds(frame: &Frame, detections: &[Detection]) -> Vec<Find> {
    let sane = |rect: &Rect| {
        let numbers = [rect.x, rect.y, rect.width, rect.height];
        numbers.iter().all(|number| number.is_finite() && number.abs() <= LARGEST_PX)
            && rect.width >= 1.0
            && rect.height >= 1.0
    };
    detections
        .iter()
        .enumerate()
        .filter(|(_, detection)| sane(&detection.rect))
        .map(|(index, detection)| Find {
            index,
            rect: detection.rect,
            score: detection.score,
            roll_degrees: detection.roll_degrees().unwrap_or_default(),
            looks: AppearanceModel::of(frame, &detection.rect),
        })
        .collect()
}

/// What it costs to take `find` for the person of `track`.
fn cost(track: &FaceTrack, find: &Find, now_s: f64) -> f64 {
    let unseen_s = now_s - track.seen_s;
    let confused_s = (now_s - track.apart_s).min(CONFUSED_S);
    let unsure_s = unseen_s.max(confused_s) as f32;
    let predicted = track.motion.rect();
    let (here, there) = (predicted.center(), find.rect.center());
    let reach = track.motion.size() * (REACH_SIZES + REACH_SIZES_PER_S * unsure_s);
    let distance = (here.x - there.x).hypot(here.y - there.y) / reach;
    let ratio = SIZE_RATIO * (1.0 + SIZE_RATIO_PER_S * unsure_s);
    let size = (size_of(&find.rect) / track.motion.size()).ln().abs() / ratio.ln();
    if !(distance <= 1.0 && size <= 1.0) {
        return NEVER;
    }
    let looks = match (&track.looks, &find.looks) {
        (Some(known), Some(seen)) => known.distance(seen),
        _ => 0.0,
    };
    if unseen_s > OTHER_AFTER_S && looks > OTHER_LOOKS {
        return NEVER;
    }
    let tentative = if track.id.is_none() { TENTATIVE_COST } else { 0.0 };
    f64::from(distance * distance + SIZE_COST * size * size + LOOKS_COST * looks + tentative)
}

/// Time that only goes forwards, and how fast frames come.
#[derive(Clone, Default)]
struct TrackerClock {
    last: Option<Duration>,
    now_s: f64,
    steps_s: VecDeque<f64>,
}

impl TrackerClock {
    /// Goes to the next frame and says how many seconds have passed.
    fn advance(&mut self, time: Duration) -> f64 {
        let Some(last) = self.last.replace(time) else { return 0.0 };
        let step_s = match time.checked_sub(last) {
            Some(step) => step.as_secs_f64(),
            None => self.usual_step_s().unwrap_or(USUAL_FRAME_S),
        };
        if self.steps_s.len() == 5 {
            self.steps_s.pop_front();
        }
        self.steps_s.push_back(step_s);
        self.now_s += step_s;
        step_s
    }

    /// The lower median of the last steps; `None` where one step alone says nothing about the next.
    fn usual_step_s(&self) -> Option<f64> {
        let mut steps: Vec<f64> = self.steps_s.iter().copied().collect();
        steps.sort_unstable_by(f64::total_cmp);
        (steps.len() >= 2).then(|| steps[(steps.len() - 1) / 2])
    }

    fn longest_gap_s(&self) -> f64 {
        LONGEST_GAP_S.max(LONGEST_GAP_FRAMES * self.usual_step_s().unwrap_or(0.0)) + FORGIVEN_S
    }
}
