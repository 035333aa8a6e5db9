//! Where faces are looked for: windows, the whole frame in turns, and nobody's window taken over.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use facelens_core::detect::{DetectError, DetectNear, Detection, Detector, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use facelens_core::{Analyser, Analysis, Faces};

use crate::pipeline::fakes::{Numbering, detect_error};

/// What there is to see, and what was looked at.
#[derive(Default)]
struct Stage {
    faces: Vec<Rect>,
    /// Boxes of the whole search are larger by this factor.
    whole_scale: f32,
    /// Whether windows show anything.
    windows_blind: bool,
    whole_fails: bool,
    /// Whether the whole search finds nothing.
    whole_blind: bool,
    wholes: Vec<Duration>,
    windows: usize,
}

type Shared = Arc<Mutex<Stage>>;

struct Fake(Shared);

fn found(rect: Rect) -> Detection {
    Detection { rect, score: 0.9, keypoints: None }
}

impl Detector for Fake {
    fn kind(&self) -> DetectorKind {
        DetectorKind::BlazeBack
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        let mut stage = self.0.lock().unwrap();
        stage.wholes.push(frame.time);
        if stage.whole_fails {
            return Err(detect_error());
        }
        let seen = stage.faces.iter().filter(|_| !stage.whole_blind);
        Ok(seen.map(|face| found(face.scaled(stage.whole_scale))).collect())
    }

    fn near(&self) -> Option<Box<dyn DetectNear>> {
        Some(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl DetectNear for Fake {
    fn detect_near(&mut self, _: &Frame, expected: &Rect) -> Result<Vec<Detection>, DetectError> {
        let mut stage = self.0.lock().unwrap();
        stage.windows += 1;
        let window = expected.scaled(2.25);
        let inside = |face: &&Rect| window.intersection(face).is_some_and(|part| part.area() > 0.6 * face.area());
        let blind = stage.windows_blind;
        Ok(stage.faces.iter().filter(inside).filter(|_| !blind).map(|face| found(*face)).collect())
    }

    fn another(&self) -> Box<dyn DetectNear> {
        Box::new(Self(Arc::clone(&self.0)))
    }
}

/// An analyser that looks at a stage at 30 frames a second.
struct Show {
    stage: Shared,
    analyser: Analyser,
    next: u32,
}

impl Show {
    fn new(faces: &[Rect]) -> Self {
        let stage = Stage { faces: faces.to_vec(), whole_scale: 1.0, ..Stage::default() };
        let stage = Arc::new(Mutex::new(stage));
        let analyser = Analyser::with(Faces::Detect(Box::new(Fake(Arc::clone(&stage)))), Box::new(Numbering), None);
        Self { stage, analyser, next: 0 }
    }

    fn set(&self, change: impl FnOnce(&mut Stage)) {
        change(&mut self.stage.lock().unwrap());
    }

    fn try_step(&mut self) -> Result<Analysis, facelens_core::AnalyseError> {
        let time = Duration::from_secs(self.next.into()) / 30;
        let frame = self.picture().at(self.next.into(), time);
        self.next += 1;
        self.analyser.analyse(Arc::new(frame))
    }

    /// A grey picture with a bright square for each face.
    fn picture(&self) -> Frame {
        let mut rgb = vec![90; 640 * 480 * 3];
        let stage = self.stage.lock().unwrap();
        for (index, pixel) in rgb.chunks_exact_mut(3).enumerate() {
            let (x, y) = ((index % 640) as f32, (index / 640) as f32);
            let inside = |face: &Rect| (face.x..face.right()).contains(&x) && (face.y..face.bottom()).contains(&y);
            if stage.faces.iter().any(inside) {
                pixel.fill(160);
            }
        }
        Frame::from_rgb(640, 480, rgb).unwrap()
    }

    /// Identities and boxes of the next frame.
    fn step(&mut self) -> Vec<(u64, Rect)> {
        self.try_step().unwrap().faces.iter().map(|face| (face.id, face.rect)).collect()
    }

    fn ids(&mut self) -> Vec<u64> {
        self.step().into_iter().map(|(id, _)| id).collect()
    }

    /// How many searches of the whole frame and of windows there were since the last question.
    fn looked(&self) -> (usize, usize) {
        let mut stage = self.stage.lock().unwrap();
        (std::mem::take(&mut stage.wholes).len(), std::mem::take(&mut stage.windows))
    }
}

fn face(x: f32, y: f32) -> Rect {
    Rect::square(Point { x, y }, 80.0)
}

#[test]
fn a_known_face_is_followed_in_its_window_and_the_whole_frame_is_searched_in_turns() {
    let mut show = Show::new(&[face(200.0, 200.0)]);
    assert_eq!(show.ids(), [1]);
    assert_eq!(show.looked(), (1, 0));
    for i in 1..31 {
        // 4 sizes a second.
        show.set(|stage| stage.faces[0] = face(200.0 + 10.0 * i as f32, 200.0));
        assert_eq!(show.ids(), [1], "frame {i}");
    }
    // Every eighth frame is the first after a quarter of a second.
    assert_eq!(show.looked(), (3, 30));
}

#[test]
fn somebody_new_is_found_within_300_ms_whoever_is_there_already() {
    for known in [vec![], vec![face(150.0, 200.0)]] {
        for wait in 3..12 {
            let mut show = Show::new(&known);
            for _ in 0..wait {
                assert_eq!(show.step().len(), known.len());
            }
            let came = show.next;
            show.set(|stage| stage.faces.push(face(450.0, 250.0)));
            while show.step().len() == known.len() {}
            let frames = show.next - came;
            assert!(frames <= 9, "after {frames} frames of 33 ms, {} known", known.len());
        }
    }
}

#[test]
fn an_empty_room_is_searched_once_a_second_and_four_times_while_something_moves() {
    let mut show = Show::new(&[]);
    for _ in 0..60 {
        assert!(show.ids().is_empty());
    }
    // At 0 s and at the first turn after a whole second.
    assert_eq!(show.looked(), (2, 0));
    // Somebody who turns their back.
    show.set(|stage| (stage.whole_blind, stage.faces) = (true, vec![face(100.0, 100.0)]));
    for frame in 0..60 {
        show.set(|stage| stage.faces[0] = face(100.0 + 2.0 * frame as f32, 100.0));
        assert!(show.ids().is_empty());
    }
    assert_eq!(show.looked().0, 7);
}

#[test]
fn a_lost_face_is_searched_in_the_whole_frame_at_once_and_then_in_turns() {
    let mut show = Show::new(&[face(100.0, 100.0)]);
    for _ in 0..4 {
        assert_eq!(show.ids(), [1]);
    }
    show.looked();
    // Too far for its window: the tracker's reach decides whether it is the same person, but it is found at once.
    show.set(|stage| stage.faces[0] = face(500.0, 300.0));
    assert_eq!(show.step().len(), 1);
    assert_eq!(show.looked(), (1, 1));
    let mut show = Show::new(&[face(100.0, 100.0)]);
    for _ in 0..4 {
        show.step();
    }
    show.looked();
    show.set(|stage| stage.faces.clear());
    for _ in 0..30 {
        assert!(show.ids().is_empty());
    }
    let (wholes, windows) = show.looked();
    assert!((9..=11).contains(&wholes), "{wholes}");
    assert_eq!(windows, 30, "the tracker waits for a second");
    for _ in 0..30 {
        show.step();
    }
    assert!(show.looked().1 <= 1);
}

#[test]
fn a_face_that_only_the_whole_search_sees_is_found_in_every_frame() {
    let mut show = Show::new(&[face(100.0, 100.0)]);
    show.set(|stage| stage.windows_blind = true);
    for _ in 0..20 {
        assert_eq!(show.ids(), [1]);
    }
    assert_eq!(show.looked(), (20, 19));
}

#[test]
fn the_turns_do_not_show_in_the_box() {
    let mut show = Show::new(&[face(200.0, 200.0)]);
    show.step();
    show.set(|stage| stage.whole_scale = 1.3);
    for _ in 0..20 {
        assert_eq!(show.step(), [(1, face(200.0, 200.0))]);
    }
    assert!(show.looked().0 >= 3);
}

#[test]
fn a_window_does_not_wander_to_a_neighbour_and_takes_no_identity() {
    let (left, right) = (face(200.0, 200.0), face(290.0, 200.0));
    let mut show = Show::new(&[left, right]);
    for _ in 0..10 {
        assert_eq!(show.ids(), [1, 2]);
    }
    show.set(|stage| stage.faces = vec![right]);
    for _ in 0..40 {
        assert_eq!(show.step(), [(2, right)]);
    }
    show.set(|stage| stage.faces = vec![left, right]);
    while show.step().len() == 1 {}
    assert_eq!(show.step(), [(2, right), (3, left)], "after more than a second somebody new");
}

#[test]
fn two_windows_on_one_person_show_one_face() {
    // They walk into each other's place: in the middle both windows see both.
    let mut show = Show::new(&[face(200.0, 200.0), face(400.0, 200.0)]);
    for i in 0..30 {
        let way = 5.0 * i as f32;
        let (a, b) = (face(200.0 + way, 200.0), face(400.0 - way, 200.0));
        show.set(|stage| stage.faces = if a.iou(&b) > 0.2 { vec![a] } else { vec![a, b] });
        let faces = show.step();
        for (index, (_, rect)) in faces.iter().enumerate() {
            assert!(faces[..index].iter().all(|(_, other)| other.iou(rect) < 0.4), "frame {i}: {faces:?}");
        }
        assert!(faces.iter().all(|(id, _)| *id <= 2), "frame {i}: {faces:?}");
    }
}

#[test]
fn after_a_reset_and_where_time_goes_back_the_whole_frame_is_searched() {
    let mut show = Show::new(&[face(200.0, 200.0)]);
    for _ in 0..3 {
        show.step();
    }
    assert_eq!(show.looked(), (1, 2));
    show.analyser.reset();
    assert_eq!(show.ids(), [1]);
    assert_eq!(show.looked(), (1, 0));
    show.next = 1;
    assert_eq!(show.ids(), [1]);
    assert_eq!(show.looked(), (1, 1));
}

#[test]
fn after_a_failure_the_whole_frame_is_searched() {
    let mut show = Show::new(&[]);
    show.set(|stage| stage.whole_fails = true);
    assert!(show.try_step().is_err());
    show.set(|stage| (stage.whole_fails, stage.faces) = (false, vec![face(200.0, 200.0)]));
    assert_eq!(show.ids(), [1]);
}
