//! Bodies, walks and sets as a whole: on a made-up body, and on the real ones where there is the wheel.

use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use facelens_gait::{Gei, Mask, Silhouette};

use super::body::{Growth, RestingBody, median_height_m};
use super::bones::{FOOT, HEAD, SHANK, THIGH};
use super::figure::{Drawer, SIDE};
use super::generate::{self, view_degrees};
use super::mesh::{MeshPart, Transforms};
use super::model::{BodyShape, Model};
use super::norms;
use super::outfit::Outfit;
use super::person::WalkingPerson;
use super::raster::Camera;
use super::testing;
use super::vector::{length, sub};
use super::walk::{Style, Walk};
use crate::augment::generator;
use crate::gait::{GaitSet, GaitSetWriter};

fn grown(model: &Model) -> RestingBody {
    RestingBody::new(model, &BodyShape::average(true, [0.0, 0.0, 1.0, 0.0]), 1.8)
}

/// An adult's walk without what differs between left and right.
fn style() -> Style {
    norms::usual(30.0, true)
}

fn walk<'a>(body: &'a RestingBody, style: Style, strides: usize) -> Walk<'a> {
    Walk::new(body, style, &vec![(1.0, 1.0); strides]).unwrap()
}

#[test]
fn ages_make_the_body_and_its_height_is_what_is_asked() {
    let model = testing::boxes();
    let growth = Growth::of(&model);
    let mix = growth.ages(2.0, true, 0.0);
    let share = mix[0] * 0.5 + mix[1] * 0.75 + mix[2];
    let expected = median_height_m(2.0, true) / median_height_m(19.0, true);
    assert!((share - expected.max(0.5)).abs() < 1e-3, "{share} instead of {expected}");
    let body = RestingBody::new(&model, &BodyShape::average(false, [0.0, 1.0, 0.0, 0.0]), 1.3);
    let (low, high) = body.vertices.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(v[1]), h.max(v[1])));
    assert!(low.abs() < 1e-5 && (high - 1.3).abs() < 1e-5, "{low} to {high}");
    assert!((body.leg_m() - 0.92 / 1.8 * 1.3).abs() < 1e-3);
}

#[test]
fn a_pose_keeps_the_bones_lengths_and_skin_follows_its_bone() {
    let model = testing::boxes();
    let body = grown(&model);
    let walk = walk(&body, style(), 2);
    let pose = walk.at(0.4);
    for side in 0..2 {
        let thigh = length(sub(pose.origins[SHANK[side]], pose.origins[THIGH[side]]));
        assert!((thigh - length(body.along(THIGH[side]))).abs() < 1e-4);
    }
    let part = MeshPart::of(&body.vertices, &model.skin, &model.faces.body);
    let mut moved = Vec::new();
    Transforms::new(&body, &pose).apply(&part, &mut moved);
    let (vertex, skin) = (part.vertices[0], part.skin[0]);
    let expected = pose.place(&body, usize::from(skin.bones[0]), vertex);
    assert!(length(sub(moved[0], expected)) < 1e-5);
}

#[test]
fn the_standing_foot_does_not_slide_and_steps_are_as_long_as_asked() {
    let model = testing::boxes();
    let body = grown(&model);
    for step in [0.5, 0.75] {
        let style = Style { step_over_leg: step, ..style() };
        let walk = walk(&body, style, 3);
        let way = walk.at(2.0 * style.stride_s).origins[0][2] - walk.at(style.stride_s).origins[0][2];
        let wanted = 2.0 * step * body.leg_m();
        assert!((way - wanted).abs() < 0.02 * wanted, "{way} instead of {wanted}");
        // The left foot lies flat from a sixth to a third of the stride.
        let foot = |phase: f32| walk.at((1.0 + phase) * style.stride_s).origins[FOOT[0]];
        let (early, late) = (foot(0.17), foot(0.33));
        assert!((late[2] - early[2]).abs() < 0.02, "slid by {} m", late[2] - early[2]);
        assert!((late[0] - early[0]).abs() < 0.02, "slid sideways by {} m", late[0] - early[0]);
        let swung = foot(1.2)[2] - foot(0.2)[2];
        assert!((swung - wanted).abs() < 0.02 * wanted);
    }
}

#[test]
fn nothing_sinks_into_the_ground_and_the_head_stays_up() {
    let model = testing::boxes();
    let body = grown(&model);
    let walk = walk(&body, style(), 2);
    let part = MeshPart::of(&body.vertices, &model.skin, &model.faces.body);
    let mut moved = Vec::new();
    for moment in 0..40 {
        let pose = walk.at(moment as f32 * 0.05);
        Transforms::new(&body, &pose).apply(&part, &mut moved);
        let low = moved.iter().map(|v| v[1]).fold(f32::MAX, f32::min);
        assert!((-0.05..0.02).contains(&low), "{moment}: {low}");
        assert!((1.4..1.65).contains(&pose.origins[HEAD][1]), "{:?}", pose.origins[HEAD]);
    }
}

#[test]
fn phases_and_times_are_each_others_inverse() {
    let model = testing::boxes();
    let body = grown(&model);
    let walk = Walk::new(&body, style(), &[(1.0, 1.0), (1.2, 1.1), (0.9, 0.95)]).unwrap();
    assert_eq!(walk.strides().len(), 3);
    assert!((walk.duration_s() - 3.1 * style().stride_s).abs() < 1e-4);
    for phase in [0.0, 0.3, 1.0, 1.7, 2.99] {
        assert!((walk.phase(walk.time_s(phase)) - phase).abs() < 1e-3, "{phase}");
    }
    assert!(Walk::new(&body, style(), &[]).is_none());
}

/// The silhouette of the walker at this time from this side.
fn silhouette(walk: &Walk, parts: &[MeshPart], degrees: f32, time_s: f32) -> (Silhouette, Mask) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let middle = walk.at(time_s).origins[0];
    let place = [middle[0] - 6.0 * cos, 1.0, middle[2] + 6.0 * sin];
    assert!((view_degrees(sub(place, middle)) - degrees).abs() < 0.1);
    let mut drawer = Drawer::new();
    drawer.draw(walk, parts, time_s, &Camera::looking_at(place, [middle[0], 0.9, middle[2]]));
    let mask = Mask::new(SIDE, SIDE, drawer.canvas.coverage).unwrap();
    (Silhouette::from_mask(&mask).unwrap(), mask)
}

#[test]
fn views_are_those_they_are_called() {
    let model = testing::boxes();
    let body = grown(&model);
    let walk = walk(&body, style(), 2);
    let parts = [MeshPart::of(&body.vertices, &model.skin, &model.faces.body)];
    // When the left foot has just landed, legs are far apart from the side, and not from the front.
    let wide = |degrees| {
        let (_, mask) = silhouette(&walk, &parts, degrees, 0.01);
        let columns = (0..SIDE).filter(|x| (0..SIDE).any(|y| mask.coverage()[y * SIDE + x] > 0)).count();
        columns as f32
    };
    assert!(wide(0.0) > 1.3 * wide(90.0), "{} {}", wide(0.0), wide(90.0));
    // Who walks to the right has the toes on the right: mirrored, it is who walks to the left.
    let gei =
        |degrees| Gei::from_silhouettes([&silhouette(&walk, &parts, degrees, 0.17 * style().stride_s).0]).unwrap();
    let (right, left) = (gei(0.0), gei(180.0));
    assert!(right.difference(&left.mirrored()) < right.difference(&left));
    let feet = |gei: &Gei| {
        let row = &gei.pixels()[62 * 44..63 * 44];
        row.iter().enumerate().map(|(x, v)| x as f32 * v).sum::<f32>() / row.iter().sum::<f32>()
    };
    assert!(feet(&right) > feet(&left), "{} {}", feet(&right), feet(&left));
}

#[test]
fn people_are_the_same_wherever_they_are_drawn_and_sexes_alternate() {
    let growth = Growth::of(&testing::boxes());
    let people: Vec<WalkingPerson> = (0..300).map(|id| WalkingPerson::drawn(&growth, 5, id)).collect();
    assert_eq!(people[7], WalkingPerson::drawn(&growth, 5, 7));
    assert_ne!(people[7], WalkingPerson::drawn(&growth, 6, 7));
    assert_eq!(people.iter().filter(|p| p.male).count(), 150);
    assert!(people.iter().all(|p| (2.0..=90.0).contains(&p.age)));
    let young = people.iter().filter(|p| p.age < 18.0).count();
    assert!((75..140).contains(&young), "{young}");
}

#[test]
fn every_outfit_can_be_drawn() {
    let model = testing::boxes();
    let growth = Growth::of(&model);
    let mut rng = generator(9, 0, 0);
    let mut drawer = Drawer::new();
    for id in 0..25 {
        let person = WalkingPerson::drawn(&growth, 9, id);
        let body = person.body(&model);
        let outfit = Outfit::drawn(person.age, person.male, &mut rng);
        let style = outfit.hampered(&person.style, &mut rng);
        let walk = walk(&body, style, 2);
        let parts = outfit.dressed(&model, &body);
        let drawn = drawer.draw(&walk, &parts, 0.7, &Camera::looking_at([5.0, 1.0, 1.0], [0.0, 0.8, 1.0]));
        assert!((60.0..=216.0).contains(&drawn.tall), "{id}: {drawn:?}");
        assert!(drawer.canvas.coverage.iter().filter(|v| **v > 0).count() > 1500, "{id}");
    }
}

/// Metres between the lowest and the highest point of the average body of this age, as MakeHuman sizes it.
fn made_height(model: &Model, growth: &Growth, age: f32, male: bool) -> f32 {
    let vertices = model.morphed(&BodyShape::average(male, growth.ages(age, male, 0.0)));
    let heights = model.faces.body.iter().flatten().map(|v| vertices[*v as usize][1]);
    let (low, high) = heights.fold((f32::MAX, f32::MIN), |(l, h), y| (l.min(y), h.max(y)));
    high - low
}

#[test]
fn real_bodies_are_as_tall_as_was_measured_elsewhere() {
    let Some(model) = testing::real() else { return };
    let growth = Growth::of(&model);
    // Measured with another program on the same mesh, whose ages between the targets are a little others.
    for (age, male, expected, tolerance) in [(30.0, true, 1.72, 0.02), (30.0, false, 1.59, 0.02)] {
        let height = made_height(&model, &growth, age, male);
        assert!((height - expected).abs() < tolerance, "{age} {male}: {height} instead of {expected}");
    }
    for (age, expected) in [(2.0, 0.82), (5.0, 1.12), (8.0, 1.30), (12.0, 1.45), (16.0, 1.66)] {
        let both = [true, false].map(|male| made_height(&model, &growth, age, male));
        let height = (both[0] + both[1]) / 2.0;
        assert!((height - expected).abs() < 0.065, "{age}: {height} instead of {expected}");
    }
}

#[test]
fn real_children_have_larger_heads_and_shorter_legs() {
    let Some(model) = testing::real() else { return };
    let growth = Growth::of(&model);
    let shares = [2.0, 8.0, 30.0].map(|age| {
        let body = RestingBody::new(&model, &BodyShape::average(true, growth.ages(age, true, 0.0)), 1.0);
        (body.height_m - body.ends[HEAD][0][1], body.leg_m())
    });
    assert!(shares[0].0 > 1.2 * shares[2].0 && shares[1].0 > 1.08 * shares[2].0, "{shares:?}");
    assert!(shares[0].1 < shares[1].1 && shares[1].1 < shares[2].1, "{shares:?}");
}

/// A set of a few made-up people.
fn write(target: &Path, seed: u64, threads: usize, part: (u32, u32), stop: bool) -> Option<super::WalkersReport> {
    let options = super::WalkersOptions {
        bodies: Default::default(),
        people: 4,
        seed,
        part,
        clips: 1,
        strides: 1,
        perfect: false,
        threads: NonZero::new(threads).unwrap(),
    };
    let writer = GaitSetWriter::create(target).unwrap();
    generate::write(&testing::boxes(), &options, writer, &AtomicBool::new(stop), |_| {}).unwrap()
}

#[test]
fn a_set_depends_on_its_seed_and_not_on_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let report = write(&path("one"), 4, 1, (1, 1), false).unwrap();
    write(&path("three"), 4, 3, (1, 1), false).unwrap();
    write(&path("other"), 5, 3, (1, 2), false).unwrap();
    let bytes = |name: &str| std::fs::read(path(name)).unwrap();
    assert!(bytes("one") == bytes("three"));
    assert_eq!((report.people, report.written + report.left_out), (4, 4));
    assert!((4 * 8..4 * 60).contains(&report.silhouettes), "{report:?}");

    let set = GaitSet::read(&path("one")).unwrap();
    for sample in &set.samples {
        assert_eq!(sample.age_min, sample.age_max);
        assert_eq!(sample.male, Some(if sample.person % 2 == 0 { 1.0 } else { 0.0 }));
        assert!((0.5..2.0).contains(&sample.stride_s.unwrap()), "{sample:?}");
        assert!((0.0..360.0).contains(&sample.view_degrees.unwrap()));
    }
    // Two parts have all people between them, each with its number.
    write(&path("first"), 4, 2, (1, 2), false).unwrap();
    write(&path("second"), 4, 2, (2, 2), false).unwrap();
    let [first, second] = ["first", "second"].map(|name| GaitSet::read(&path(name)).unwrap());
    assert_eq!(first.len() + second.len(), set.len());
    assert!(first.samples.iter().all(|sample| sample.person % 2 == 0));
    assert!(second.samples.iter().all(|sample| sample.person % 2 == 1));
    assert!(first.samples.iter().all(|sample| set.samples.contains(sample)));
    assert!(bytes("first") != bytes("other"), "another seed, other people");
}

#[test]
fn a_stop_leaves_no_set() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("x.gaits");
    assert_eq!(write(&target, 1, 2, (1, 1), true), None);
    assert!(!target.exists());
}
