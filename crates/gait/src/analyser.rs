//! From frames to walkers and their strides.

use std::time::{Duration, Instant};

use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use facelens_core::track::IdentityNumbers;

use super::age::AgeByGait;
use super::body::{Body, BodyCutter, BodyNetwork, point};
use super::people::{PeopleDetector, Person};
use super::sample::{Figure, WalkSample};
use super::silhouette::Silhouette;
use super::stride::{Cut, Rhythm};
use super::track::{LEAST_HEIGHT_PX, WalkerTrack, looks, unfit};
use super::walker::{GaitFrame, GaitTimings, Stride, Waiting, WalkState, Walker};
use super::{GaitError, crowd, outline};

/// People are searched for at least this often, seconds.
const SEARCH_S: f64 = 0.5;
/// Where somebody is lost, they are searched for this often, seconds.
const LOST_SEARCH_S: f64 = 0.2;
/// A person's window over the longer side of their box.
const WINDOW: f32 = 1.3;
/// A person score below this is nobody.
const LEAST_PERSON: f32 = 0.5;
/// Most people that are cut out of one frame.
pub const MOST_WALKERS: usize = 4;
/// Somebody found with less height is too far to be cut out: a find is up to a fifth lower than its outline, pixels.
const LEAST_FOUND_PX: f32 = 0.8 * LEAST_HEIGHT_PX;
/// A walker already cut out is kept for one who is higher by less than this factor.
const KEPT: f32 = 1.25;
/// Somebody lost is looked for at the expected place for so long, seconds.
const BLIND_S: f64 = 0.25;
/// A find of this score is somebody after one outline; others need so many.
const SURE_SCORE: f32 = 0.6;
const CONFIRMING_CUTS: u32 = 3;
/// Somebody who is not cut out is a walker after so many finds.
const CONFIRMING_FINDS: u32 = 3;
/// How much the box may change in height from one frame to the next, without the time between.
const HEIGHT_RATIO: f32 = 1.6;
/// Fewer frames a second show no steps.
const LEAST_FPS: f64 = 7.5;
/// How far a face's middle may lie from the nose, in sides of the face's box.
const FACE_REACH: f32 = 0.6;
/// A face's side in heights of the person: of adults 0.09, of small children twice that.
const FACE_SIDES: std::ops::RangeInclusive<f32> = 0.04..=0.35;

/// How gaits are analysed.
#[derive(Default)]
pub struct GaitOptions {
    /// The network that cuts people out.
    pub body: BodyNetwork,
    /// Who tells the age, if anybody.
    pub age: Option<Box<dyn AgeByGait>>,
    /// Where the walkers' numbers come from. Shared with the [`Tracker`](facelens_core::track::Tracker) of the faces, both are out of
    /// one row.
    pub numbers: IdentityNumbers,
}

/// What finds people and cuts them out: the networks, or a script in tests.
pub(super) trait Eyes: Send {
    /// The people in a picture.
    fn find(&mut self, frame: &Frame) -> Result<Vec<Person>, GaitError>;
    /// The person in the middle of a square window.
    fn cut(&mut self, frame: &Frame, window: &Rect) -> Result<Option<Body>, GaitError>;
}

/// The networks that ship.
struct Networks {
    people: PeopleDetector,
    cutter: BodyCutter,
}

impl Eyes for Networks {
    fn find(&mut self, frame: &Frame) -> Result<Vec<Person>, GaitError> {
        self.people.detect(frame)
    }

    fn cut(&mut self, frame: &Frame, window: &Rect) -> Result<Option<Body>, GaitError> {
        self.cutter.cut(frame, window)
    }
}

/// Finds people, follows them, cuts them out, and makes gait energy images of their strides. One thread.
pub struct GaitAnalyser {
    eyes: Box<dyn Eyes>,
    age: Option<Box<dyn AgeByGait>>,
    numbers: IdentityNumbers,
    tracks: Vec<WalkerTrack>,
    last: Option<Duration>,
    /// Seconds between the last frames, the newest last.
    steps_s: Vec<f64>,
    searched_s: Option<f64>,
}

impl GaitAnalyser {
    /// Prepares the networks, which takes some tenths of a second.
    ///
    /// # Errors
    /// Where a network cannot be prepared.
    pub fn new(options: GaitOptions) -> Result<Self, GaitError> {
        let networks = Networks { people: PeopleDetector::new()?, cutter: BodyCutter::new(options.body)? };
        Ok(Self::with(Box::new(networks), options))
    }

    /// An analyser that sees by these eyes.
    pub(super) fn with(eyes: Box<dyn Eyes>, options: GaitOptions) -> Self {
        let GaitOptions { body: _, age, numbers } = options;
        Self { eyes, age, numbers, tracks: Vec::new(), last: None, steps_s: Vec::new(), searched_s: None }
    }

    /// Changes who tells the age: of everybody from their next stride on.
    pub fn set_age(&mut self, age: Option<Box<dyn AgeByGait>>) {
        self.age = age;
        for track in &mut self.tracks {
            track.age = None;
        }
    }

    /// Forgets everybody: the next frame has nothing to do with the last. Strides that are not over are lost; see
    /// [`finish`](Self::finish).
    pub fn reset(&mut self) {
        self.tracks.clear();
        self.steps_s.clear();
        (self.last, self.searched_s) = (None, None);
    }

    /// Analyses the next frame. `faces` are the faces of the same frame with their identities and facelens boxes; a walker on whose
    /// head one lies takes its identity. A frame whose time is not after the last begins a new film.
    ///
    /// # Errors
    /// Where a network fails; the next frame may work.
    pub fn analyse(&mut self, frame: &Frame, faces: &[(u64, Rect)]) -> Result<GaitFrame, GaitError> {
        let mut seen = GaitFrame::default();
        if self.last.is_some_and(|last| frame.time <= last) {
            seen.strides = self.finish()?;
        }
        let now_s = frame.time.as_secs_f64();
        let step_s = self.advance(frame.time);
        self.leave(now_s, step_s, &mut seen)?;
        let found = self.search(frame, now_s, step_s, &mut seen)?;
        let chosen = self.choose(&found, now_s, step_s);
        let mut bodies = self.cut(frame, &chosen, &found, now_s, &mut seen.timings)?;
        let started_at = Instant::now();
        self.drop_doubles(frame, &mut bodies, now_s);
        let cuts = self.update(frame, bodies, &found, &chosen, now_s, step_s);
        self.match_faces(faces, now_s);
        self.name();
        seen.timings.stride_ms = milliseconds(started_at);
        for (index, cut) in cuts {
            let (track, age) = (&mut self.tracks[index], &mut self.age);
            seen.strides.extend(stride(track, cut, age, &mut seen.timings)?);
        }
        seen.walkers = self.walkers(now_s, step_s);
        Ok(seen)
    }

    /// Ends the film: gives the whole strides of everybody that are left, and forgets everybody.
    ///
    /// # Errors
    /// Where the network for the age fails.
    pub fn finish(&mut self) -> Result<Vec<Stride>, GaitError> {
        let (mut strides, mut timings) = (Vec::new(), GaitTimings::default());
        for mut track in std::mem::take(&mut self.tracks) {
            for cut in track.cutter.finish() {
                strides.extend(stride(&mut track, cut, &mut self.age, &mut timings)?);
            }
        }
        self.reset();
        Ok(strides)
    }

    /// Goes to the next frame; seconds since the last.
    fn advance(&mut self, time: Duration) -> f64 {
        let Some(last) = self.last.replace(time) else { return 0.0 };
        let step_s = time.saturating_sub(last).as_secs_f64();
        if self.steps_s.len() == 15 {
            self.steps_s.remove(0);
        }
        self.steps_s.push(step_s);
        step_s
    }

    /// The usual number of frames a second, once it is known.
    fn fps(&self) -> Option<f64> {
        let mut steps = self.steps_s.clone();
        steps.sort_unstable_by(f64::total_cmp);
        (steps.len() >= 4).then(|| 1.0 / steps[steps.len() / 2].max(1e-3))
    }

    /// Lets those go who were not seen for too long; their last strides end.
    fn leave(&mut self, now_s: f64, step_s: f64, seen: &mut GaitFrame) -> Result<(), GaitError> {
        let gone = self.tracks.extract_if(.., |track| crowd::is_gone(track, now_s, step_s)).collect::<Vec<_>>();
        for mut track in gone {
            for cut in track.cutter.finish() {
                seen.strides.extend(stride(&mut track, cut, &mut self.age, &mut seen.timings)?);
            }
        }
        Ok(())
    }

    /// Searches for people where it is time to: for each track its find.
    fn search(
        &mut self,
        frame: &Frame,
        now_s: f64,
        step_s: f64,
        seen: &mut GaitFrame,
    ) -> Result<Vec<Option<Rect>>, GaitError> {
        let lost = self.tracks.iter().any(|track| track.state == WalkState::Waiting(Waiting::Hidden));
        let waited_s = self.searched_s.map_or(f64::INFINITY, |searched_s| now_s - searched_s);
        if waited_s < if lost { LOST_SEARCH_S } else { SEARCH_S } - 1e-6 {
            return Ok(vec![None; self.tracks.len()]);
        }
        let started_at = Instant::now();
        let finds = self.eyes.find(frame)?;
        seen.timings.people_ms = milliseconds(started_at);
        self.searched_s = Some(now_s);
        let (found, new) = crowd::match_finds(&self.tracks, &finds, frame, now_s, step_s);
        let mut rects: Vec<Option<Rect>> = found.iter().map(|find| find.map(|find| finds[find].rect)).collect();
        for (track, find) in self.tracks.iter_mut().zip(&found) {
            if let Some(find) = find {
                track.finds += 1;
                track.score = track.score.max(finds[*find].score);
            }
        }
        for find in new {
            self.tracks.push(WalkerTrack::new(finds[find].rect, finds[find].score, now_s));
            rects.push(Some(finds[find].rect));
        }
        Ok(rects)
    }

    /// Who is cut out of this frame: the highest first.
    fn choose(&self, found: &[Option<Rect>], now_s: f64, step_s: f64) -> Vec<usize> {
        let is_there = |index: &usize| {
            let unseen_s = now_s - self.tracks[*index].seen_s;
            let is_near = found[*index].unwrap_or(self.tracks[*index].rect).height >= LEAST_FOUND_PX;
            is_near && (found[*index].is_some() || unseen_s <= step_s.max(BLIND_S) + 1e-6)
        };
        let mut there: Vec<usize> = (0..self.tracks.len()).filter(is_there).collect();
        let weight = |index: usize| {
            let track = &self.tracks[index];
            let known = !track.outline.is_empty();
            found[index].unwrap_or(track.rect).height * if known { KEPT } else { 1.0 }
        };
        there.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)));
        there.truncate(MOST_WALKERS);
        there
    }

    /// Cuts the chosen out; those in whose place nobody is are missing.
    fn cut(
        &mut self,
        frame: &Frame,
        chosen: &[usize],
        found: &[Option<Rect>],
        now_s: f64,
        timings: &mut GaitTimings,
    ) -> Result<Vec<(usize, Body)>, GaitError> {
        let started_at = Instant::now();
        let mut bodies = Vec::with_capacity(chosen.len());
        for &index in chosen {
            let track = &self.tracks[index];
            let expected = track.expected(now_s);
            // A mask knows better than a find where the body is, as long as they speak of the same place.
            let known = !track.outline.is_empty();
            let rect = match found[index] {
                Some(find) if !known || find.iou(&expected) < 0.3 => find,
                _ => expected,
            };
            let window = Rect::square(rect.center(), WINDOW * rect.width.max(rect.height));
            timings.bodies += 1;
            let Some(body) = self.eyes.cut(frame, &window)? else { continue };
            let ratio = body.rect.height / rect.height;
            let is_there = body.rect.intersection(&rect).is_some_and(|common| common.area() > 0.3 * body.rect.area());
            if body.person >= LEAST_PERSON && is_there && (1.0 / HEIGHT_RATIO..HEIGHT_RATIO).contains(&ratio) {
                bodies.push((index, body));
            }
        }
        timings.body_ms = milliseconds(started_at);
        Ok(bodies)
    }

    /// Where two were cut out as the same person, the one whom it fits better keeps it.
    fn drop_doubles(&mut self, frame: &Frame, bodies: &mut Vec<(usize, Body)>, now_s: f64) {
        let mut a = 0;
        while a < bodies.len() {
            let mut b = a + 1;
            while b < bodies.len() {
                if !crowd::is_same(&bodies[a].1, &bodies[b].1) {
                    b += 1;
                    continue;
                }
                let cost = |index: usize, rect: &Rect| crowd::cost(&self.tracks[index], rect, frame, now_s);
                let (of_a, of_b) = (cost(bodies[a].0, &bodies[a].1.rect), cost(bodies[b].0, &bodies[b].1.rect));
                if of_a <= of_b {
                    bodies.remove(b);
                } else {
                    bodies.swap(a, b);
                    bodies.remove(b);
                    b = a + 1;
                }
            }
            a += 1;
        }
    }

    /// Takes the outlines to the tracks; the strides that ended, by track.
    fn update(
        &mut self,
        frame: &Frame,
        bodies: Vec<(usize, Body)>,
        found: &[Option<Rect>],
        chosen: &[usize],
        now_s: f64,
        step_s: f64,
    ) -> Vec<(usize, Cut)> {
        let mut cuts = Vec::new();
        let rects: Vec<(usize, Rect)> = bodies.iter().map(|(index, body)| (*index, body.rect)).collect();
        let too_slow = self.fps().is_some_and(|fps| fps < LEAST_FPS);
        for track in &mut self.tracks {
            track.outline.clear();
            track.head = None;
        }
        for (index, body) in bodies {
            let others = self.tracks.iter().enumerate().filter(|(other, track)| {
                *other != index && track.id.is_some() && !rects.iter().any(|(seen, _)| seen == other)
            });
            let hidden: Vec<Rect> = others.map(|(_, track)| track.expected(now_s)).collect();
            let apart = rects.iter().filter(|(other, _)| *other != index).map(|(_, rect)| rect).chain(&hidden);
            let apart = apart.clone().all(|rect| rect.iou(&body.rect) < 0.1);
            let track = &mut self.tracks[index];
            let elapsed_s = now_s - track.seen_s;
            track.moved_to(body.rect, now_s);
            track.cuts += 1;
            if apart {
                track.apart_s = now_s;
                track.follow_looks(looks(frame, &body.rect), elapsed_s);
            }
            track.outline = outline::outline(&body.mask);
            for point in track.outline.iter_mut().flatten() {
                *point = body.placement.to_frame(*point);
            }
            let nose = &body.landmarks[point::NOSE];
            track.head = (nose.visible > 0.5).then_some(nose.point);
            let strides = take(track, &body, frame, now_s, too_slow);
            cuts.extend(strides.into_iter().map(|cut| (index, cut)));
        }
        for (index, track) in self.tracks.iter_mut().enumerate() {
            if rects.iter().any(|(seen, _)| *seen == index) {
                continue;
            }
            cuts.extend(track.cutter.miss(now_s).into_iter().map(|cut| (index, cut)));
            let is_chosen = chosen.contains(&index);
            // Of those who are not cut out, only who was never looked for in vain is one too many.
            let find = found.get(index).copied().flatten();
            if is_chosen || (find.is_none() && !track.is_left_out()) {
                track.state = WalkState::Waiting(Waiting::Hidden);
                track.shown = None;
                continue;
            }
            let is_far = find.unwrap_or(track.rect).height < LEAST_FOUND_PX;
            track.state = WalkState::Waiting(if is_far { Waiting::TooFar } else { Waiting::Crowd });
            // A find is as much as is known of those who are not cut out.
            if let Some(rect) = find {
                track.moved_to(rect, now_s);
            } else if self.searched_s.is_some_and(|searched_s| now_s - searched_s < SEARCH_S + step_s) {
                let rect = track.expected(now_s);
                let is_waited_for = now_s - track.seen_s < SEARCH_S + step_s;
                track.shown = is_waited_for.then_some(rect);
            }
        }
        cuts
    }

    /// Gives faces to the walkers on whose heads they lie.
    fn match_faces(&mut self, faces: &[(u64, Rect)], now_s: f64) {
        let taken: Vec<u64> = self.tracks.iter().filter_map(|track| track.face).collect();
        for track in &mut self.tracks {
            let Some(nose) = track.head.filter(|_| track.seen_s == now_s) else { continue };
            let off = |face: &Rect| {
                let middle = face.center();
                (middle.x - nose.x).hypot(middle.y - nose.y) / face.width.max(1.0)
            };
            let fits = |face: &&(u64, Rect)| {
                let side = face.1.width / track.rect.height;
                !taken.contains(&face.0) && off(&face.1) < FACE_REACH && FACE_SIDES.contains(&side)
            };
            let nearest = faces.iter().filter(fits).min_by(|a, b| off(&a.1).total_cmp(&off(&b.1)));
            if let Some((face, _)) = nearest {
                track.vote_for_face(*face);
            }
        }
        // A face is one walker's: of two that came by it in the same frame the later keeps their own number.
        for index in 0..self.tracks.len() {
            let face = self.tracks[index].face;
            if face.is_some() && self.tracks[..index].iter().any(|track| track.face == face) {
                self.tracks[index].face = None;
                self.tracks[index].id = Some(self.numbers.next());
            }
        }
    }

    /// Gives a number to those who are somebody by now.
    fn name(&mut self) {
        for track in self.tracks.iter_mut().filter(|track| track.id.is_none()) {
            let sure = track.score >= SURE_SCORE;
            let is_cut = track.cuts >= if sure { 1 } else { CONFIRMING_CUTS };
            let is_found = track.finds >= CONFIRMING_FINDS && track.is_left_out() && sure;
            if is_cut || is_found {
                track.id = Some(self.numbers.next());
            }
        }
    }

    fn walkers(&self, now_s: f64, step_s: f64) -> Vec<Walker> {
        let is_there = |track: &&WalkerTrack| now_s - track.seen_s <= step_s + 1e-6 || track.shown.is_some();
        let mut walkers: Vec<Walker> = self
            .tracks
            .iter()
            .filter(is_there)
            .filter_map(|track| {
                Some(Walker {
                    id: track.id?,
                    face: track.face,
                    rect: track.shown.unwrap_or(track.rect),
                    outline: track.outline.clone(),
                    state: track.state,
                    gei: track.gei.clone(),
                    measures: track.measures(),
                    age: track.age,
                })
            })
            .collect();
        walkers.sort_by_key(|walker| walker.id);
        walkers
    }
}

/// Takes a body to its track: the sample where it is fit for one, and the state. The strides that ended.
fn take(track: &mut WalkerTrack, body: &Body, frame: &Frame, now_s: f64, too_slow: bool) -> Vec<Cut> {
    if let Some(waiting) = unfit(body, frame) {
        track.state = WalkState::Waiting(waiting);
        return track.cutter.miss(now_s);
    }
    if too_slow {
        track.state = WalkState::Waiting(Waiting::TooFewFrames);
        return track.cutter.miss(now_s);
    }
    let Some(silhouette) = Silhouette::from_mask(&body.mask) else {
        track.state = WalkState::Waiting(Waiting::TooFar);
        return track.cutter.miss(now_s);
    };
    let cuts = track.cutter.push(WalkSample { time_s: now_s, silhouette, figure: Figure::of(body, frame) });
    let strides = track.strides + cuts.iter().map(|cut| cut.strides).sum::<u32>();
    track.state = match track.cutter.rhythm() {
        Rhythm::Unknown | Rhythm::Found => WalkState::Walking { strides },
        Rhythm::Still => WalkState::Waiting(Waiting::Standing),
        Rhythm::None if track.stays() => WalkState::Waiting(Waiting::Standing),
        Rhythm::None => WalkState::Waiting(Waiting::NoRhythm),
    };
    cuts
}

/// A cut as its walker's stride; `None` where the walker never was somebody.
fn stride(
    track: &mut WalkerTrack,
    cut: Cut,
    age: &mut Option<Box<dyn AgeByGait>>,
    timings: &mut GaitTimings,
) -> Result<Option<Stride>, GaitError> {
    let Some(id) = track.id else { return Ok(None) };
    track.add(cut.strides, &cut.gei, cut.measures);
    if let (Some(age), Some(gei)) = (age, &track.gei) {
        let started_at = Instant::now();
        track.age = age.estimate(gei, &track.measures())?;
        timings.age_ms += milliseconds(started_at);
    }
    let Cut { start, end, strides, gei, measures, likeness } = cut;
    let frames = gei.frames();
    Ok(Some(Stride { id, face: track.face, start, end, strides, frames, gei, measures, age: track.age, likeness }))
}

fn milliseconds(started_at: Instant) -> f32 {
    started_at.elapsed().as_secs_f32() * 1000.0
}

#[cfg(test)]
#[path = "analyser_tests.rs"]
mod tests;
