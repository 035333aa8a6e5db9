//! Drawn people who walk, cross, hide and come back.

use std::sync::LazyLock;
use std::time::Duration;

use super::*;
use crate::detect::Detection;
use crate::estimate::{AgeEstimate, Estimate, GenderEstimate, Quality};
use crate::frame::Frame;
use crate::geometry::Point;
use crate::track::testing::Noise;

/// Small pictures, so that drawing takes little time.
const WIDTH: u32 = 320;
const HEIGHT: u32 = 180;
/// Pixels of the pictures per pixel of the walks.
const SCALE: f32 = 0.5;
const FPS: f32 = 30.0;
const SIDE: f32 = 60.0;

/// What somebody wears.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    Red,
    Blue,
    Green,
    White,
}

impl Look {
    fn colours(self) -> ([f32; 3], [f32; 3]) {
        match self {
            Self::Red => ([205.0, 160.0, 140.0], [170.0, 40.0, 45.0]),
            Self::Blue => ([190.0, 150.0, 125.0], [40.0, 60.0, 150.0]),
            Self::Green => ([120.0, 85.0, 65.0], [60.0, 130.0, 70.0]),
            Self::White => ([215.0, 175.0, 155.0], [225.0, 225.0, 220.0]),
        }
    }
}

/// People before a grey wall with a gradient; later ones stand in front.
pub(super) fn picture(people: &[(Rect, Look)], brightness: f32) -> Frame {
    let mut rgb = wall(brightness);
    let mut set = |x: u32, y: u32, colour: [f32; 3]| {
        let start = ((y * WIDTH + x) * 3) as usize;
        for (byte, value) in rgb[start..start + 3].iter_mut().zip(colour) {
            *byte = (value * brightness).clamp(0.0, 255.0) as u8;
        }
    };
    for (face, look) in people {
        let (skin, clothes) = look.colours();
        let torso = Rect::new(face.x - 0.4 * face.width, face.bottom() + 0.15 * face.height, 1.8 * face.width, 400.0);
        let mut fill = |rect: Rect, shade: &dyn Fn(f32, f32) -> [f32; 3]| {
            let range = |from: f32, to: f32, end: u32| (from.max(0.0) as u32)..(to.clamp(0.0, end as f32) as u32);
            for y in range(rect.y, rect.bottom(), HEIGHT) {
                for x in range(rect.x, rect.right(), WIDTH) {
                    set(x, y, shade((x as f32 - rect.x) / rect.width, (y as f32 - rect.y) / rect.height));
                }
            }
        };
        fill(torso, &|x, _| clothes.map(|value| value * (0.8 + 0.3 * x)));
        fill(*face, &|x, y| {
            let eye = (0.3..0.4).contains(&y) && ((0.2..0.4).contains(&x) || (0.6..0.8).contains(&x));
            if eye || y < 0.15 { [45.0, 35.0, 30.0] } else { skin }
        });
    }
    Frame::from_rgb(WIDTH, HEIGHT, rgb).unwrap()
}

/// The wall alone; drawn once, for most pictures have the same light.
fn wall(brightness: f32) -> Vec<u8> {
    static WALL: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let grey = |x: u32, y: u32| 90 + 60 * x / WIDTH + (x * 7 + y * 13) % 11;
        (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| [grey(x, y) as u8; 3])).collect()
    });
    if brightness == 1.0 {
        WALL.clone()
    } else {
        WALL.iter().map(|byte| (f32::from(*byte) * brightness) as u8).collect()
    }
}

pub(super) fn detection(rect: Rect) -> Detection {
    Detection { rect, score: 0.9, keypoints: None }
}

/// A walk: who stands where at a time (`None`: not there), in the order back to front.
type WalkScript = dyn Fn(f32) -> Vec<(Point, Look)>;

/// How well the detector finds them.
#[derive(Clone, Copy, PartialEq)]
enum Finding {
    /// Everybody, always.
    All,
    /// Not those whom somebody in front covers by a quarter or more.
    NotHidden,
    /// As before, and every fourth look at anybody fails.
    Patchy,
}

/// Follows a walk and gives for each frame who got which identity; `same` makes all people look the same.
fn follow(walk: &WalkScript, seconds: f32, finding: Finding, noise_px: f32, same: bool) -> Vec<Vec<(Look, u64)>> {
    let mut tracker = Tracker::new();
    let mut noise = Noise::new(42);
    let frames = (seconds * FPS) as usize;
    (0..frames)
        .map(|i| {
            let time_s = i as f32 / FPS;
            let drawn_at = |middle: Point| Point { x: SCALE * middle.x, y: SCALE * middle.y };
            let people: Vec<(Rect, Look)> = walk(time_s)
                .into_iter()
                .map(|(middle, look)| (Rect::square(drawn_at(middle), SCALE * SIDE), look))
                .collect();
            let drawn: Vec<_> =
                people.iter().map(|(rect, look)| (*rect, if same { Look::Red } else { *look })).collect();
            let frame = picture(&drawn, 1.0);
            let mut found: Vec<(Detection, Look)> = Vec::new();
            for (place, (rect, look)) in people.iter().enumerate() {
                let covered = people[place + 1..]
                    .iter()
                    .any(|(front, _)| front.intersection(rect).is_some_and(|part| part.area() > 0.25 * rect.area()));
                let failed = finding == Finding::Patchy && noise.uniform() < 0.25;
                if failed || (finding != Finding::All && covered) {
                    continue;
                }
                let moved = rect.translated(SCALE * noise_px * noise.gauss(), SCALE * noise_px * noise.gauss());
                found.push((detection(moved), *look));
            }
            // The order of finds says nothing.
            if noise.uniform() < 0.5 {
                found.reverse();
            }
            let detections: Vec<Detection> = found.iter().map(|(detection, _)| detection.clone()).collect();
            let ids = tracker.assign(&frame, Duration::from_secs_f32(time_s), &detections);
            found.iter().zip(ids).filter_map(|((_, look), id)| Some((*look, id?))).collect()
        })
        .collect()
}

/// Each person has one identity over the whole walk, and nobody shares it.
fn assert_kept(frames: &[Vec<(Look, u64)>], people: usize, what: &str) {
    let mut ids: Vec<(Look, u64)> = Vec::new();
    for (i, frame) in frames.iter().enumerate() {
        for (look, id) in frame {
            match ids.iter().find(|(known, _)| known == look) {
                Some((_, known)) => assert_eq!(known, id, "{what}: {look:?} changed in frame {i}"),
                None => {
                    assert!(ids.iter().all(|(_, other)| other != id), "{what}: {look:?} took over {id}");
                    ids.push((*look, *id));
                }
            }
        }
    }
    assert_eq!(ids.len(), people, "{what}");
}

/// Two people cross at `speed` faces a second each.
fn crossing(speed: f32) -> impl Fn(f32) -> Vec<(Point, Look)> {
    move |time_s| {
        let way = speed * SIDE * (time_s - 1.2);
        vec![(Point { x: 320.0 + way, y: 120.0 }, Look::Red), (Point { x: 320.0 - way, y: 128.0 }, Look::Blue)]
    }
}

#[test]
fn crossing_people_keep_their_identities_when_both_are_always_found() {
    for speed in [0.5, 1.0, 2.0, 3.5] {
        let kept = follow(&crossing(speed), 2.4, Finding::All, 1.0, false);
        assert_kept(&kept, 2, &format!("speed {speed}"));
        // Twins: only the motion tells them apart.
        if speed >= 1.0 {
            assert_kept(&follow(&crossing(speed), 2.4, Finding::All, 0.5, true), 2, &format!("twins, speed {speed}"));
        }
    }
}

#[test]
fn crossing_people_keep_their_identities_when_the_hidden_one_is_missed() {
    for speed in [0.8, 1.0, 1.5, 2.0, 3.0] {
        for finding in [Finding::NotHidden, Finding::Patchy] {
            assert_kept(&follow(&crossing(speed), 2.4, finding, 1.0, false), 2, &format!("speed {speed}"));
        }
    }
}

#[test]
fn somebody_who_turns_back_behind_another_is_known_by_the_looks() {
    // Red walks behind Blue, who stands, and comes out on the side where he went in: the motion expects him on the other.
    let walk = |time_s: f32| {
        let way = 150.0 - 200.0 * time_s.min(1.4 - time_s);
        vec![(Point { x: 320.0 - way, y: 122.0 }, Look::Red), (Point { x: 320.0, y: 120.0 }, Look::Blue)]
    };
    for finding in [Finding::NotHidden, Finding::Patchy] {
        assert_kept(&follow(&walk, 1.4, finding, 1.0, false), 2, "turning back");
    }
}

#[test]
fn four_people_are_kept_apart_in_any_order_of_finds() {
    let walk = |time_s: f32| {
        let sway = |phase: f32| 25.0 * (3.0 * time_s + phase).sin();
        [Look::Red, Look::Blue, Look::Green, Look::White]
            .into_iter()
            .enumerate()
            .map(|(i, look)| (Point { x: 100.0 + 140.0 * i as f32 + sway(i as f32), y: 110.0 + sway(2.0) }, look))
            .collect()
    };
    let frames = follow(&walk, 2.0, Finding::Patchy, 1.5, false);
    assert_kept(&frames, 4, "four");
}

#[test]
fn somebody_who_comes_gets_the_next_number_and_a_number_is_never_given_twice() {
    let walk = |time_s: f32| {
        let mut people = vec![(Point { x: 150.0, y: 120.0 }, Look::Red)];
        if (0.5..1.0).contains(&time_s) {
            people.push((Point { x: 450.0, y: 120.0 }, Look::Blue));
        }
        if time_s >= 2.2 {
            people.push((Point { x: 450.0, y: 120.0 }, Look::Green));
        }
        people
    };
    let frames = follow(&walk, 2.5, Finding::All, 0.5, false);
    assert_kept(&frames, 3, "coming and going");
    assert_eq!(frames[0], [(Look::Red, 1)]);
    assert!(frames[20].contains(&(Look::Blue, 2)) && frames[70].contains(&(Look::Green, 3)));
}

/// A face at a place on an empty wall, at a time.
fn find_at(tracker: &mut Tracker, frame: &Frame, time_s: f32, rects: &[Rect]) -> Vec<Option<u64>> {
    let detections: Vec<Detection> = rects.iter().map(|rect| detection(*rect)).collect();
    tracker.assign(frame, Duration::from_secs_f32(time_s), &detections)
}

#[test]
fn a_gap_under_a_second_keeps_the_identity_and_a_longer_one_does_not() {
    let frame = picture(&[], 1.0);
    for (gap_s, kept) in [(0.5, true), (0.9, true), (1.0, true), (1.2, false)] {
        for empty_frames in [false, true] {
            let mut tracker = Tracker::new();
            let at = |time_s: f32| Rect::new(200.0 + 40.0 * time_s, 100.0, SIDE, SIDE);
            for i in 0..=15 {
                let time_s = i as f32 / FPS;
                assert_eq!(find_at(&mut tracker, &frame, time_s, &[at(time_s)]), [Some(1)]);
            }
            if empty_frames {
                for i in 1..(gap_s * FPS) as usize {
                    find_at(&mut tracker, &frame, 0.5 + i as f32 / FPS, &[]);
                }
            }
            let back_s = 0.5 + gap_s;
            let id = find_at(&mut tracker, &frame, back_s, &[at(back_s)]);
            assert_eq!(id, [Some(if kept { 1 } else { 2 })], "gap {gap_s} s, empty frames: {empty_frames}");
        }
    }
}

#[test]
fn few_frames_a_second_are_no_gap() {
    let frame = picture(&[], 1.0);
    let mut tracker = Tracker::new();
    let rect = Rect::new(200.0, 100.0, SIDE, SIDE);
    for i in 0..5 {
        assert_eq!(find_at(&mut tracker, &frame, i as f32, &[rect.translated(10.0 * i as f32, 0.0)]), [Some(1)]);
    }
}

#[test]
fn another_person_in_the_same_place_after_a_gap_is_somebody_new() {
    let rect = Rect::new(200.0, 40.0, SIDE, SIDE);
    let mut tracker = Tracker::new();
    let red = picture(&[(rect, Look::Red)], 1.0);
    for i in 0..10 {
        find_at(&mut tracker, &red, i as f32 / FPS, &[rect]);
    }
    let green = picture(&[(rect, Look::Green)], 1.0);
    assert_eq!(find_at(&mut tracker, &green, 0.9, &[rect]), [Some(2)]);
}

#[test]
fn somebody_who_comes_nearer_quickly_stays_the_same() {
    let frame = picture(&[], 1.0);
    let mut tracker = Tracker::new();
    for i in 0..30 {
        let side = 40.0 * 1.06_f32.powi(i);
        let rect = Rect::square(Point { x: 320.0, y: 180.0 }, side);
        assert_eq!(find_at(&mut tracker, &frame, i as f32 / FPS, &[rect]), [Some(1)], "side {side}");
    }
}

#[test]
fn broken_rectangles_are_left_out_and_the_others_keep_their_places() {
    let frame = picture(&[], 1.0);
    let mut tracker = Tracker::new();
    let good = Rect::new(200.0, 100.0, SIDE, SIDE);
    let broken = [
        Rect::new(f32::NAN, 0.0, 10.0, 10.0),
        Rect::new(0.0, f32::INFINITY, 10.0, 10.0),
        Rect::new(0.0, 0.0, -5.0, 10.0),
        Rect::new(0.0, 0.0, 0.0, 0.0),
        Rect::new(1e30, 0.0, 1e30, 1e30),
    ];
    for i in 0..3 {
        for rect in broken {
            let time_s = i as f32 / FPS;
            assert_eq!(find_at(&mut tracker, &frame, time_s, &[rect, good, rect]), [None, Some(1), None], "{rect:?}");
        }
    }
}

#[test]
fn time_that_goes_back_neither_loses_nor_mixes_people() {
    let frame = picture(&[], 1.0);
    let mut tracker = Tracker::new();
    let (left, right) = (Rect::new(100.0, 100.0, SIDE, SIDE), Rect::new(400.0, 100.0, SIDE, SIDE));
    for round in 0..3 {
        for i in 0..20 {
            let ids = find_at(&mut tracker, &frame, i as f32 / FPS, &[left, right]);
            assert_eq!(ids, [Some(1), Some(2)], "round {round}, frame {i}");
        }
    }
}

#[test]
fn a_weak_flash_gets_no_number_but_a_weak_face_that_stays_does() {
    let frame = picture(&[], 1.0);
    let weak = |x: f32| Detection { rect: Rect::new(x, 100.0, SIDE, SIDE), score: 0.55, keypoints: None };
    let mut tracker = Tracker::new();
    let mut at =
        |i: u32, detections: &[Detection]| tracker.assign(&frame, Duration::from_secs_f32(i as f32 / FPS), detections);
    // A first frame (a single picture) names everybody at once.
    assert_eq!(at(0, &[weak(100.0)]), [Some(1)]);
    assert_eq!(at(1, &[weak(100.0), weak(400.0)]), [Some(1), None]);
    for i in 2..20 {
        assert_eq!(at(i, &[weak(100.0)]), [Some(1)]);
    }
    assert_eq!(at(20, &[weak(250.0)]), [None]);
    assert_eq!(at(21, &[weak(250.0)]), [None]);
    assert_eq!(at(22, &[weak(251.0)]), [Some(2)], "the flash used no number");
}

fn look_at(years: f32, male: f32, yaw: f32) -> Estimate {
    Estimate {
        age: Some(AgeEstimate::plain(years)),
        gender: Some(GenderEstimate::Score(male)),
        pose: Some(Pose { yaw, ..Pose::default() }),
        quality: Quality { side_px: SIDE, sharpness: 0.3 },
    }
}

#[test]
fn a_first_look_passes_exactly_and_averages_belong_to_identities() {
    let frame = picture(&[], 1.0);
    let mut tracker = Tracker::new();
    let rects = [Rect::new(100.3, 100.7, SIDE, SIDE), Rect::new(400.1, 100.0, SIDE, SIDE)];
    let looks = [look_at(31.27, 0.083, -12.1), look_at(64.9, 0.97, 25.0)];
    let mut last = Vec::new();
    for i in 0..20 {
        let ids = find_at(&mut tracker, &frame, i as f32 / FPS, &rects);
        last = (0..2).map(|k| tracker.update(ids[k].unwrap(), &detection(rects[k]), &looks[k])).collect();
        if i == 0 {
            for (k, face) in last.iter().enumerate() {
                assert_eq!((face.rect, face.pose), (rects[k], looks[k].pose));
                assert_eq!(face.age.map(|age| age.years), looks[k].age.map(|age| age.years));
                assert_eq!(face.gender.map(|gender| gender.male), looks[k].gender.map(GenderEstimate::male));
            }
        }
    }
    let ages: Vec<f32> = last.iter().map(|face| face.age.unwrap().years).collect();
    assert!((ages[0] - 31.27).abs() < 1e-3 && (ages[1] - 64.9).abs() < 1e-3, "{ages:?}");

    tracker.forget_estimates();
    let ids = find_at(&mut tracker, &frame, 0.7, &rects);
    assert_eq!(ids, [Some(1), Some(2)]);
    let face = tracker.update(1, &detection(rects[0]), &look_at(50.0, 0.5, 3.0));
    assert_eq!(face.age.unwrap().years, 50.0);
    assert_eq!(face.pose.unwrap().yaw, 3.0);

    tracker.reset();
    assert_eq!(find_at(&mut tracker, &frame, 0.8, &rects[1..]), [Some(1)]);
}

#[test]
fn the_age_models_error_is_in_the_range_and_survives_a_reset() {
    let frame = picture(&[], 1.0);
    let rect = Rect::new(100.0, 100.0, SIDE, SIDE);
    let mut tracker = Tracker::new();
    tracker.set_age_error_years(Some(5.5));
    tracker.reset();
    let id = find_at(&mut tracker, &frame, 0.0, &[rect])[0].unwrap();
    let age = tracker.update(id, &detection(rect), &look_at(30.0, 0.5, 0.0)).age.unwrap();
    assert!((8.8..10.5).contains(&(age.high - age.years)), "{age:?}");
}

#[test]
fn what_no_model_says_is_left_out() {
    let frame = picture(&[], 1.0);
    let rect = Rect::new(100.0, 100.0, SIDE, SIDE);
    let mut tracker = Tracker::new();
    let id = find_at(&mut tracker, &frame, 0.0, &[rect])[0].unwrap();
    let face = tracker.update(id, &detection(rect), &Estimate::default());
    assert_eq!((face.age, face.gender, face.pose), (None, None, None));
    let broken = Estimate { pose: Some(Pose { yaw: f32::NAN, ..Pose::default() }), ..look_at(f32::NAN, f32::NAN, 0.0) };
    let face = tracker.update(id, &detection(rect), &broken);
    assert_eq!((face.age, face.gender, face.pose), (None, None, None));
}
