//! Faces that are followed by reading: when the detector looks all the same, and how steady they are on films.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::face_search::followed;
use super::{Analyser, Estimates, Faces};
use crate::detect::{self, DetectError, DetectNear, Detection, Detector, DetectorKind, FollowFace};
use crate::estimate::{Estimate, EstimateError, EstimateTimings, FaceRegion};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::testing::film::{SIZE, films, watch};
use crate::track::Expected;

/// What there is to see, and what was looked at.
#[derive(Default)]
struct Stage {
    faces: Vec<Rect>,
    /// What the network says where a face was followed: how sure it is, and how far off.
    chance: f32,
    off: f32,
    /// The share of its way that it does not see where a face has moved.
    blind: f32,
    /// It says so also where nobody is.
    believes: bool,
    wholes: usize,
    windows: usize,
    followed: usize,
    /// Threads on which whole frames were searched.
    threads: Vec<String>,
}

#[derive(Clone, Default)]
struct Fake(Arc<Mutex<Stage>>);

fn found(rect: Rect, score: f32) -> Detection {
    let (middle, side) = (rect.center(), rect.width);
    let at = |x: f32, y: f32| Point { x: middle.x + x * side, y: middle.y + y * side };
    let keypoints = [at(-0.2, -0.2), at(0.2, -0.2), at(0.0, 0.0), at(0.0, 0.25), at(-0.4, -0.1), at(0.4, -0.1)];
    Detection { rect, score, keypoints: Some(keypoints) }
}

impl Detector for Fake {
    fn kind(&self) -> DetectorKind {
        DetectorKind::BlazeBack
    }

    fn detect(&mut self, _: &Frame) -> Result<Vec<Detection>, DetectError> {
        let mut stage = self.0.lock().unwrap();
        stage.wholes += 1;
        stage.threads.push(std::thread::current().name().unwrap_or_default().to_owned());
        Ok(stage.faces.iter().map(|face| found(*face, 0.9)).collect())
    }

    fn near(&self) -> Option<Box<dyn DetectNear>> {
        Some(Box::new(self.clone()))
    }

    fn follow(&self) -> Option<Box<dyn FollowFace>> {
        Some(Box::new(self.clone()))
    }
}

impl DetectNear for Fake {
    fn detect_near(&mut self, _: &Frame, expected: &Rect) -> Result<Vec<Detection>, DetectError> {
        let mut stage = self.0.lock().unwrap();
        stage.windows += 1;
        let window = expected.scaled(2.25);
        let inside = |face: &&Rect| window.intersection(face).is_some_and(|part| part.area() > 0.6 * face.area());
        Ok(stage.faces.iter().filter(inside).map(|face| found(*face, 0.9)).collect())
    }

    fn another(&self) -> Box<dyn DetectNear> {
        Box::new(self.clone())
    }
}

impl FollowFace for Fake {
    fn follow(&mut self, _: &Frame, expected: &Rect, _: f32) -> Result<Option<Detection>, DetectError> {
        let mut stage = self.0.lock().unwrap();
        stage.followed += 1;
        let near = stage.faces.iter().find(|face| face.iou(expected) > 0.2).copied();
        let (chance, off) = (stage.chance, stage.off);
        let between = |a: f32, b: f32| b + stage.blind * (a - b);
        let near = near.map(|face| {
            let (x, y) = (between(expected.x, face.x), between(expected.y, face.y));
            Rect::new(x, y, between(expected.width, face.width), between(expected.height, face.height))
        });
        let seen = near.or_else(|| stage.believes.then_some(*expected));
        Ok(Some(
            seen.map_or_else(|| found(*expected, 0.01), |face| found(face.translated(off * face.width, 0.0), chance)),
        ))
    }

    fn another(&self) -> Box<dyn FollowFace> {
        Box::new(self.clone())
    }
}

struct Nothing;

impl Estimates for Nothing {
    fn estimate(&mut self, _: &Frame, _: FaceRegion) -> Result<(Estimate, EstimateTimings), EstimateError> {
        Ok(Default::default())
    }

    fn estimate_crop(&mut self, _: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        Ok(Default::default())
    }
}

/// An analyser that looks at a stage at 30 frames a second.
struct Show {
    fake: Fake,
    analyser: Analyser,
    next: u32,
}

impl Show {
    fn new(faces: &[Rect]) -> Self {
        let fake = Fake::default();
        let stage = Stage { faces: faces.to_vec(), chance: 0.99, ..Stage::default() };
        *fake.0.lock().unwrap() = stage;
        let analyser = Analyser::with(Faces::Detect(Box::new(fake.clone())), Box::new(Nothing), None);
        Self { fake, analyser, next: 0 }
    }

    fn set(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut self.fake.0.lock().unwrap());
    }

    /// Identities and boxes of the next frame.
    fn step(&mut self) -> Vec<(u64, Rect)> {
        let time = Duration::from_secs(self.next.into()) / 30;
        let frame = Frame::from_rgb(640, 480, vec![90; 640 * 480 * 3]).unwrap().at(self.next.into(), time);
        self.next += 1;
        self.analyser.analyse(Arc::new(frame)).unwrap().faces.iter().map(|face| (face.id, face.rect)).collect()
    }

    /// Searches of the whole frame and of windows, and faces that were followed, since the last question.
    fn looked(&self) -> (usize, usize, usize) {
        let mut stage = self.fake.0.lock().unwrap();
        let take = std::mem::take;
        (take(&mut stage.wholes), take(&mut stage.windows), take(&mut stage.followed))
    }
}

fn face(x: f32, y: f32) -> Rect {
    Rect::square(Point { x, y }, 80.0)
}

#[test]
fn a_face_that_the_network_is_sure_of_is_searched_in_no_window() {
    let mut show = Show::new(&[face(200.0, 200.0), face(450.0, 250.0)]);
    assert_eq!(show.step().len(), 2);
    assert_eq!(show.looked(), (1, 0, 0));
    for i in 1..31 {
        show.set(|stage| stage.faces[0] = face(200.0 + 5.0 * i as f32, 200.0));
        let faces = show.step();
        assert_eq!(faces.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2], "frame {i}");
    }
    assert_eq!(show.looked(), (3, 0, 60));
}

#[test]
fn where_the_network_is_unsure_or_contradicts_what_came_before_the_detector_looks() {
    for change in [|stage: &mut Stage| stage.chance = 0.6, |stage: &mut Stage| stage.off = 0.5] {
        let mut show = Show::new(&[face(200.0, 200.0)]);
        for _ in 0..3 {
            show.step();
        }
        show.looked();
        show.set(change);
        assert_eq!(show.step(), [(1, face(200.0, 200.0))]);
        assert_eq!(show.looked(), (0, 1, 1));
    }
}

#[test]
fn a_face_that_only_the_network_believes_in_is_dropped_at_the_next_turn_and_one_that_it_does_not_see_at_once() {
    let mut show = Show::new(&[face(200.0, 200.0)]);
    show.step();
    show.set(|stage| (stage.believes, stage.faces) = (true, Vec::new()));
    let stayed = (0..30).take_while(|_| !show.step().is_empty()).count();
    assert!(stayed < 8, "{stayed} frames of 33 ms");
    assert!(show.looked().1 >= 1, "a window confirms that nobody is there");
    let mut show = Show::new(&[face(200.0, 200.0)]);
    show.step();
    show.set(|stage| stage.faces.clear());
    assert!(show.step().is_empty());
}

#[test]
fn the_detector_corrects_a_face_that_was_followed_elsewhere() {
    let mut show = Show::new(&[face(200.0, 200.0)]);
    show.step();
    // Each answer is a little off, so that the box would wander away.
    show.set(|stage| stage.off = 0.3);
    for _ in 0..30 {
        let faces = show.step();
        assert!(faces[0].1.iou(&face(200.0, 200.0)) > 0.25, "{faces:?}");
    }
}

#[test]
fn beside_the_rest_nobody_waits_and_who_comes_joins_a_later_frame() {
    let mut show = Show::new(&[face(200.0, 200.0)]);
    show.analyser.search_beside(true);
    assert_eq!(show.step().len(), 1);
    show.set(|stage| stage.faces.push(face(450.0, 250.0)));
    let came = show.next;
    while show.step().len() == 1 {
        // A fast machine would be through with all frames before the thread wakes.
        std::thread::sleep(Duration::from_millis(3));
        assert!(show.next < came + 60);
    }
    assert!(show.next - came <= 9, "after {} frames of 33 ms", show.next - came);
    let threads = std::mem::take(&mut show.fake.0.lock().unwrap().threads);
    assert!(threads.len() >= 2 && threads[1..].iter().all(|name| name == "search"), "{threads:?}");
    // After a reset the frame waits again: it has nothing to do with what came before.
    show.analyser.reset();
    assert_eq!(show.step().len(), 2);
    let threads = show.fake.0.lock().unwrap().threads.clone();
    assert!(threads.last().is_some_and(|name| name != "search"), "{threads:?}");
}

#[test]
fn beside_the_rest_a_face_that_was_lost_is_found_elsewhere() {
    let mut show = Show::new(&[face(100.0, 100.0)]);
    show.analyser.search_beside(true);
    for _ in 0..4 {
        assert_eq!(show.step().len(), 1);
    }
    show.set(|stage| stage.faces[0] = face(500.0, 300.0));
    let gone = show.next;
    while show.step().is_empty() {
        std::thread::sleep(Duration::from_millis(3));
        assert!(show.next < gone + 60);
    }
    assert!(show.next - gone <= 5, "after {} frames", show.next - gone);
}

#[test]
fn a_face_that_has_moved_is_looked_at_once_more_and_one_that_holds_still_is_not() {
    let expected =
        Expected { rect: Rect::new(200.0, 150.0, 100.0, 100.0), roll_degrees: 0.0, unseen_s: 0.0, is_in_view: true };
    let frame = Frame::from_rgb(640, 480, vec![90; 640 * 480 * 3]).unwrap();
    let look = |face: Rect| {
        let mut fake = Fake::default();
        *fake.0.lock().unwrap() = Stage { faces: vec![face], chance: 0.99, blind: 0.25, ..Stage::default() };
        let found = followed(&mut fake, &frame, &expected).unwrap();
        let looks = fake.0.lock().unwrap().followed;
        (found.map(|face| face.rect), looks)
    };
    // A quarter of 20 pixels is left of the first look, and a quarter of that of the second.
    let (moved, looks) = look(Rect::new(220.0, 150.0, 100.0, 100.0));
    assert!((moved.unwrap().center().x - 268.75).abs() < 1e-3 && looks == 2, "{moved:?} in {looks}");
    let (grown, looks) = look(Rect::new(195.0, 145.0, 110.0, 110.0));
    assert!((grown.unwrap().width - 109.375).abs() < 1e-3 && looks == 2, "{grown:?} in {looks}");
    assert_eq!(look(Rect::new(203.0, 150.0, 101.0, 101.0)).1, 1);
    assert_eq!(look(Rect::new(260.0, 150.0, 100.0, 100.0)), (None, 1), "too far off to be believed");
}

/// Two of the films, short: `examples/following.rs` shows them all, and compares windows with a network that follows.
#[test]
fn on_films_a_quick_head_keeps_its_identity_and_one_that_is_gone_leaves_nothing_behind() {
    for (name, seconds) in [("turns back quickly", 1.2), ("is gone suddenly", 1.4)] {
        let films = films();
        let (_, _, script) = films.iter().find(|(film, ..)| *film == name).unwrap();
        let figures = watch(script, seconds, SIZE, detect::create(DetectorKind::BlazeBack).unwrap());
        let said = format!("{name}: {figures:?}");
        assert!(figures.ids == 1 && figures.changes == 0, "{said}");
        assert!(figures.found as f32 >= 0.93 * figures.heads as f32, "{said}");
        assert!(figures.place_sd < 0.12 && figures.size_sd < 0.1 && figures.tilt_sd < 6.0, "{said}");
        assert!(figures.longest_ghost_s <= 0.2, "{said}");
    }
}
