//! Whom the analyser follows, by eyes that know where everybody is.

use facelens_core::geometry::Point;

use super::*;
use crate::testing;

/// Frames a second.
const FPS: f64 = 30.0;
const SIZE: (u32, u32) = (640, 360);

/// Somebody in a film: where they are at a time, the colour of their clothes, and how long their stride is.
#[derive(Clone)]
struct Actor {
    place: fn(f64) -> Option<Rect>,
    color: [u8; 3],
    stride_s: f64,
}

/// Sees the actors, the nearest first; who stands behind another is hidden.
struct Script(Vec<Actor>);

impl Script {
    fn seen(&self, time_s: f64) -> Vec<(&Actor, Rect)> {
        let mut seen: Vec<(&Actor, Rect)> = Vec::new();
        for actor in &self.0 {
            if let Some(rect) = (actor.place)(time_s).filter(|rect| seen.iter().all(|(_, other)| other.iou(rect) < 0.3))
            {
                seen.push((actor, rect));
            }
        }
        seen
    }
}

impl Eyes for Script {
    fn find(&mut self, frame: &Frame) -> Result<Vec<Person>, GaitError> {
        let seen = self.seen(frame.time.as_secs_f64());
        Ok(seen.into_iter().map(|(_, rect)| Person { rect, score: 0.8 }).collect())
    }

    fn cut(&mut self, frame: &Frame, window: &Rect) -> Result<Option<Body>, GaitError> {
        let time_s = frame.time.as_secs_f64();
        let off = |rect: &Rect| (rect.center().x - window.center().x).hypot(rect.center().y - window.center().y);
        let seen = self.seen(time_s);
        let nearest = seen.into_iter().min_by(|a, b| off(&a.1).total_cmp(&off(&b.1)));
        let near = nearest.filter(|(_, rect)| off(rect) < rect.height / 3.0);
        Ok(near.map(|(actor, rect)| testing::body(rect, actor.stride_s, time_s)))
    }
}

fn picture(actors: &[Actor], frame: u64) -> Frame {
    let time_s = frame as f64 / FPS;
    let mut rgb = vec![90; (SIZE.0 * SIZE.1 * 3) as usize];
    for actor in actors.iter().rev() {
        let Some(rect) = (actor.place)(time_s) else { continue };
        for y in rect.y.max(0.0) as u32..(rect.bottom() as u32).min(SIZE.1) {
            for x in rect.x.max(0.0) as u32..(rect.right().max(0.0) as u32).min(SIZE.0) {
                let start = ((y * SIZE.0 + x) * 3) as usize;
                rgb[start..start + 3].copy_from_slice(&actor.color);
            }
        }
    }
    Frame::from_rgb(SIZE.0, SIZE.1, rgb).unwrap().at(frame, Duration::from_secs_f64(time_s))
}

/// What is seen in each frame of a film of these actors, and the strides that are left at its end.
fn film(actors: &[Actor], seconds: f64, faces: impl Fn(f64) -> Vec<(u64, Rect)>) -> (Vec<GaitFrame>, Vec<Stride>) {
    let mut analyser = GaitAnalyser::with(Box::new(Script(actors.to_vec())), GaitOptions::default());
    let frames = (0..(seconds * FPS) as u64)
        .map(|number| analyser.analyse(&picture(actors, number), &faces(number as f64 / FPS)).unwrap())
        .collect();
    (frames, analyser.finish().unwrap())
}

/// The identity of whoever is at this place.
fn id_at(frame: &GaitFrame, x: f32) -> Option<u64> {
    frame.walkers.iter().find(|walker| (walker.rect.center().x - x).abs() < 15.0).map(|walker| walker.id)
}

const RED: [u8; 3] = [190, 40, 40];
const BLUE: [u8; 3] = [40, 60, 200];

fn to_the_right(time_s: f64) -> Option<Rect> {
    Some(Rect::new(60.0 + 110.0 * time_s as f32, 100.0, 60.0, 160.0))
}

fn to_the_left(time_s: f64) -> Option<Rect> {
    Some(Rect::new(520.0 - 110.0 * time_s as f32, 106.0, 60.0, 160.0))
}

#[test]
fn a_walker_gives_strides_one_after_the_other() {
    let (frames, rest) = film(&[Actor { place: to_the_right, color: RED, stride_s: 1.1 }], 4.4, |_| Vec::new());
    let strides: Vec<Stride> = frames.iter().flat_map(|frame| frame.strides.clone()).chain(rest).collect();
    assert!((3..=4).contains(&strides.len()), "{}", strides.len());
    for stride in &strides {
        assert_eq!(stride.id, 1);
        assert!((stride.measures.stride_s.unwrap() / 1.1 - 1.0).abs() < 0.03, "{:?}", stride.measures);
        assert!((stride.measures.direction_deg.unwrap() - 90.0).abs() < 15.0, "{:?}", stride.measures);
        assert!((stride.measures.height_px.unwrap() - 160.0).abs() < 2.0);
    }
    let last = &frames.last().unwrap().walkers[0];
    assert!(matches!(last.state, WalkState::Walking { strides: 2.. }), "{:?}", last.state);
    assert!(last.gei.as_ref().is_some_and(|gei| gei.frames() > 60));
    assert!(frames.iter().filter(|frame| frame.timings.people_ms > 0.0).count() <= 10, "twice a second");
}

#[test]
fn two_who_cross_keep_their_numbers() {
    let actors = [
        Actor { place: to_the_right, color: RED, stride_s: 1.1 },
        Actor { place: to_the_left, color: BLUE, stride_s: 1.0 },
    ];
    let (frames, _) = film(&actors, 4.2, |_| Vec::new());
    let at = |number: usize| {
        let time_s = number as f64 / FPS;
        let middle = |place: fn(f64) -> Option<Rect>| place(time_s).unwrap().center().x;
        (id_at(&frames[number], middle(to_the_right)), id_at(&frames[number], middle(to_the_left)))
    };
    let before = at(30);
    assert!(before.0.is_some() && before.1.is_some() && before.0 != before.1, "{before:?}");
    assert_eq!(at(120), before);
    assert!(frames.iter().all(|frame| frame.walkers.len() <= 2), "nobody twice");
    let ids: std::collections::BTreeSet<u64> = frames.iter().flat_map(|frame| &frame.walkers).map(|w| w.id).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn a_gap_of_a_second_keeps_the_number_and_a_longer_one_does_not() {
    fn short(time_s: f64) -> Option<Rect> {
        to_the_right(time_s).filter(|_| !(1.5..2.4).contains(&time_s))
    }
    fn long(time_s: f64) -> Option<Rect> {
        to_the_right(time_s).filter(|_| !(1.5..3.4).contains(&time_s))
    }
    for (place, numbers) in [(short as fn(f64) -> Option<Rect>, 1), (long, 2)] {
        let (frames, _) = film(&[Actor { place, color: RED, stride_s: 1.1 }], 4.4, |_| Vec::new());
        assert!(frames[60].walkers.is_empty());
        let last = &frames.last().unwrap().walkers;
        assert_eq!(last.iter().map(|walker| walker.id).collect::<Vec<_>>(), [numbers]);
    }
}

#[test]
fn a_walker_takes_the_number_of_the_face_on_their_head() {
    let face = |time_s: f64| {
        let rect = to_the_right(time_s).unwrap();
        let nose = Point { x: rect.center().x + 3.2, y: rect.y + 9.6 };
        // Another face far away, and this one from the second half second on.
        let mut faces = vec![(7, Rect::new(500.0, 20.0, 20.0, 20.0))];
        faces.extend((time_s > 0.5).then(|| (23, Rect::square(nose, 18.0))));
        faces
    };
    let (frames, _) = film(&[Actor { place: to_the_right, color: RED, stride_s: 1.1 }], 3.0, face);
    let ids: Vec<(u64, Option<u64>)> =
        frames.iter().map(|frame| (frame.walkers[0].id, frame.walkers[0].face)).collect();
    assert_eq!(ids[5], (1, None));
    assert!(ids[20..].iter().all(|id| *id == (23, Some(23))), "{ids:?}");
    assert!(frames.iter().flat_map(|frame| &frame.strides).all(|stride| stride.id == 23));
}

#[test]
fn who_is_at_the_edge_too_near_or_too_far_is_told_why() {
    let waits = |place: fn(f64) -> Option<Rect>| {
        let (frames, strides) = film(&[Actor { place, color: RED, stride_s: 1.1 }], 0.5, |_| Vec::new());
        assert!(strides.is_empty());
        frames.last().unwrap().walkers[0].state
    };
    assert_eq!(waits(|_| Some(Rect::new(-22.0, 100.0, 60.0, 160.0))), WalkState::Waiting(Waiting::AtEdge));
    assert_eq!(waits(|_| Some(Rect::new(300.0, -1.0, 60.0, 362.0))), WalkState::Waiting(Waiting::TooNear));
    assert_eq!(waits(|_| Some(Rect::new(300.0, 200.0, 60.0, 161.0))), WalkState::Waiting(Waiting::FeetHidden));
    assert_eq!(waits(|_| Some(Rect::new(300.0, 100.0, 25.0, 70.0))), WalkState::Waiting(Waiting::TooFar));
    assert_eq!(waits(|_| Some(Rect::new(300.0, 100.0, 60.0, 160.0))), WalkState::Walking { strides: 0 });
}

#[test]
fn of_twenty_people_four_are_cut_out_and_the_others_are_told_so() {
    // A row of people, all of whom walk on the spot.
    const PLACES: [fn(f64) -> Option<Rect>; 20] = {
        macro_rules! places {
            ($($number:literal)*) => {
                [$(|_| {
                    let size = 90.0 + $number as f32;
                    Some(Rect::new(10.0 + ($number % 10) as f32 * 62.0, 20.0 + ($number / 10) as f32 * 170.0, size / 3.0, size))
                }),*]
            };
        }
        places!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19)
    };
    let actors: Vec<Actor> = PLACES.iter().map(|&place| Actor { place, color: RED, stride_s: 1.0 }).collect();
    let (frames, _) = film(&actors, 2.1, |_| Vec::new());
    assert!(frames.iter().all(|frame| frame.timings.bodies <= 4));
    let last = frames.last().unwrap();
    assert_eq!(last.walkers.len(), 20);
    let crowd = last.walkers.iter().filter(|walker| walker.state == WalkState::Waiting(Waiting::Crowd)).count();
    assert_eq!(crowd, 16);
    // The largest stand at the end of the second row.
    let cut = last.walkers.iter().filter(|walker| !walker.outline.is_empty());
    assert!(
        cut.clone().count() == 4 && cut.clone().all(|walker| walker.rect.height > 103.0),
        "{:?}",
        cut.map(|w| w.rect).collect::<Vec<_>>()
    );
}

#[test]
fn the_networks_find_and_cut_out_a_person() {
    let mut analyser = GaitAnalyser::new(GaitOptions::default()).unwrap();
    let frame = facelens_core::testing::astronaut();
    let seen = analyser.analyse(&frame, &[]).unwrap();
    let [walker] = &seen.walkers[..] else { panic!("{:?}", seen.walkers) };
    // She sits, her legs are out of the picture.
    assert_eq!(walker.state, WalkState::Waiting(Waiting::TooNear));
    let inside: f32 = walker.outline.iter().map(|line| area(line)).sum::<f32>().abs();
    // With ONNX Runtime, 40 % of the picture are hers.
    assert!((0.3..0.5).contains(&(inside / (512.0 * 512.0))), "{}", inside / (512.0 * 512.0));
    assert!(walker.rect.x < 60.0 && walker.rect.right() > 330.0 && walker.rect.y < 40.0, "{:?}", walker.rect);
    // The same time again begins a new film.
    assert_eq!(analyser.analyse(&frame, &[]).unwrap().walkers.len(), 1);
    let black = Frame::from_rgb(320, 240, vec![0; 320 * 240 * 3]).unwrap();
    assert!(GaitAnalyser::new(GaitOptions::default()).unwrap().analyse(&black, &[]).unwrap().walkers.is_empty());
}

fn area(line: &[Point]) -> f32 {
    let pairs = line.iter().zip(line.iter().cycle().skip(1));
    pairs.map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f32>() / 2.0
}
