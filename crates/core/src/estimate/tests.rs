//! The whole way from a frame to the numbers, against the published programs where their weights lie beside the project.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::crop::PixelRect;
use super::prepare::{Preparer, Region};
use super::resize::CropResizer;
use super::*;
use crate::detect::{self, DetectorKind};
use crate::model::graphs::{constant_pose, small, small_card, small_pair};
use crate::model::{Alignment, BoxStyle, ChannelOrder, ModelCard, ResizeFilter, SHIPPED, Task};
use crate::testing::{astronaut, shared};

/// One model of a small network with this card.
fn small_model(change: impl FnOnce(&mut ModelCard)) -> Arc<TaskModel> {
    let onnx = small(&[1, 3, 8, 8]).bytes();
    let mut card = small_card("small");
    change(&mut card);
    Arc::new(TaskModel::prepare(card, &[(&onnx, Path::new("small.onnx"))]).unwrap())
}

fn age_of(models: Vec<Arc<TaskModel>>, frame: &Frame, rect: &Rect) -> Option<f32> {
    let mut set = ModelSet::default();
    set.set(Task::Age, models);
    let (estimate, timings) = Estimator::new(set).estimate(frame, rect).unwrap();
    assert_eq!((estimate.gender, estimate.pose), (None, None));
    assert_eq!((timings.gender_ms, timings.pose_ms), (0.0, 0.0));
    estimate.age.map(|age| age.years)
}

const FACE: Rect = Rect::new(173.0, 71.0, 103.0, 103.0);

#[test]
fn several_models_of_a_task_are_averaged_each_with_its_own_crop() {
    let (near, far) = (small_model(|_| ()), small_model(|card| card.crop.margin = 0.5));
    let frame = astronaut();
    let one = |model: &Arc<TaskModel>| age_of(vec![Arc::clone(model)], &frame, &FACE).unwrap();
    let (alone, other) = (one(&near), one(&far));
    assert!((alone - other).abs() > 1e-3, "{alone} and {other}");
    let both = age_of(vec![near, far], &frame, &FACE).unwrap();
    assert!((both - (alone + other) / 2.0).abs() < 1e-5);
}

/// The astronaut's mirror image.
fn mirrored_astronaut() -> Frame {
    let frame = astronaut();
    let rows = frame.rgb().chunks_exact(3 * frame.width() as usize);
    let rgb = rows.flat_map(|row| row.chunks_exact(3).rev().flatten().copied()).collect();
    Frame::from_rgb(frame.width(), frame.height(), rgb).unwrap()
}

#[test]
fn the_first_look_takes_in_the_mirror_image_where_the_card_says_so() {
    let (frame, face) = (astronaut(), FaceRegion::from(&FACE));
    let ages = |mirrored: bool| {
        let model = small_model(|card| card.crop.mirrored = mirrored);
        let mut set = ModelSet::default();
        set.set(Task::Age, vec![Arc::clone(&model)]);
        let mut estimator = Estimator::new(set);
        let single = estimator.estimate(&frame, face).unwrap().0.age.unwrap().years;
        let first = estimator.first_look(&frame, Some(face)).unwrap().0.age.unwrap().years;
        let input = estimator.input(&frame, face, &model.card).unwrap().unwrap();
        let mut mirror = Vec::new();
        tensor::mirror(&input, &model.card.input, &mut mirror);
        [single, first, model.answers(&mirror).unwrap().age_years.unwrap()]
    };
    let [single, first, of_mirror] = ages(true);
    assert!(
        (single - of_mirror).abs() > 1e-3 && (first - (single + of_mirror) / 2.0).abs() < 1e-5,
        "{single}, {first}"
    );
    let [single, first, _] = ages(false);
    assert_eq!(single, first);
}

#[test]
fn the_first_look_of_the_shipped_network_turns_with_the_mirror() {
    let (frame, mirror) = (astronaut(), mirrored_astronaut());
    let found = detect::create(DetectorKind::BlazeBack).unwrap().detect(&frame).unwrap();
    let face = FaceRegion::from(&found[0]);
    let mut estimator = Estimator::new(ModelSet::shipped().unwrap());
    let pose = estimator.first_look(&frame, Some(face)).unwrap().0.pose.unwrap();
    let other = estimator.first_look(&mirror, Some(face.mirrored(frame.width() as f32))).unwrap().0.pose.unwrap();
    let off = pose.rotation().angle_to(other.mirrored().rotation());
    assert!(off < 0.5, "{pose:?} and {other:?}");
}

/// What the estimator says with these models in use for age and gender.
fn age_and_gender(age: Vec<Arc<TaskModel>>, gender: Vec<Arc<TaskModel>>) -> (Estimate, EstimateTimings) {
    let set = ModelSet { age, gender, pose: Vec::new() };
    Estimator::new(set).estimate(&astronaut(), &FACE).unwrap()
}

#[test]
fn a_model_for_two_tasks_runs_once_and_its_time_counts_under_age() {
    // Loaded twice, as two files of the settings are: still one network.
    let (pair, again) = (Arc::new(small_pair()), Arc::new(small_pair()));
    let (both, timings) = age_and_gender(vec![Arc::clone(&pair)], vec![again]);
    assert!(both.age.unwrap().years != both.gender.unwrap().male());
    assert!(timings.age_ms > 0.0 && timings.gender_ms == 0.0, "{timings:?}");

    let (only_age, timings) = age_and_gender(vec![Arc::clone(&pair)], Vec::new());
    assert_eq!((only_age.age, only_age.gender), (both.age, None));
    assert!(timings.age_ms > 0.0);
    let (only_gender, timings) = age_and_gender(Vec::new(), vec![Arc::clone(&pair)]);
    assert_eq!((only_gender.age, only_gender.gender), (None, both.gender));
    assert!(timings.gender_ms > 0.0 && timings.age_ms == 0.0);

    // Averaged with an age model for age, alone for gender.
    let other = small_model(|card| card.crop.margin = 0.5);
    let alone = age_of(vec![Arc::clone(&other)], &astronaut(), &FACE).unwrap();
    let (averaged, _) = age_and_gender(vec![other, Arc::clone(&pair)], vec![pair]);
    assert!((averaged.age.unwrap().years - (alone + both.age.unwrap().years) / 2.0).abs() < 1e-5);
    assert_eq!(averaged.gender, both.gender);
}

#[test]
fn a_model_that_is_given_twice_counts_twice() {
    let (near, far) = (small_model(|_| ()), small_model(|card| card.crop.margin = 0.5));
    let frame = astronaut();
    let one = |model: &Arc<TaskModel>| age_of(vec![Arc::clone(model)], &frame, &FACE).unwrap();
    let (alone, other) = (one(&near), one(&far));
    let weighed = age_of(vec![Arc::clone(&near), near, far], &frame, &FACE).unwrap();
    assert!((weighed - (2.0 * alone + other) / 3.0).abs() < 1e-5);
}

#[test]
fn what_models_share_is_prepared_once() {
    let frame = astronaut();
    let card = small_card("a");
    let mut wider = small_card("b");
    wider.crop.margin = 0.5;
    let mut preparer = Preparer::default();
    let mut input = |card: &ModelCard| {
        let tensor = preparer.input(&frame, Region::Face((&FACE).into()), card).unwrap().unwrap();
        (tensor.tensor.as_ptr(), tensor.tensor.to_vec())
    };
    let (first, second, third) = (input(&card), input(&wider), input(&card));
    assert_eq!(first, third);
    assert_ne!(first.1, second.1);
    preparer.next_face();
    let other = preparer.input(&frame, Region::Face((&FACE.translated(40.0, 9.0)).into()), &card).unwrap().unwrap();
    assert_ne!(other.tensor, first.1);
}

#[test]
fn a_face_outside_the_picture_or_without_a_size_has_no_estimate() {
    let models = || vec![small_model(|card| card.crop.margin = 0.5)];
    for rect in [
        FACE.translated(900.0, 0.0),
        Rect::new(f32::NAN, 0.0, 10.0, 10.0),
        Rect::new(0.0, 0.0, f32::INFINITY, 10.0),
        Rect::default(),
    ] {
        assert_eq!(age_of(models(), &astronaut(), &rect), None, "{rect:?}");
    }
    assert!(age_of(models(), &astronaut(), &Rect::new(-60.0, -60.0, 120.0, 120.0)).is_some());
}

#[test]
fn a_picture_of_one_pixel_is_a_crop_too() {
    let frame = Frame::from_rgb(1, 1, vec![10, 20, 30]).unwrap();
    for filter in [ResizeFilter::Bilinear, ResizeFilter::Triangle] {
        let mut set = ModelSet::default();
        set.set(Task::Age, vec![small_model(|card| card.crop.resize = filter)]);
        let mut estimator = Estimator::new(set);
        let (estimate, _) = estimator.estimate_crop(&frame).unwrap();
        assert!(estimate.age.is_some_and(|age| age.years.is_finite()));
        assert_eq!(estimate.quality, Quality { side_px: 1.0, sharpness: 0.0 });
        assert!(estimator.estimate(&frame, &Rect::new(-5.0, -5.0, 10.0, 10.0)).unwrap().0.age.is_some());
    }
}

/// The authors' weights, whichever models are used by default.
fn published() -> ModelSet {
    let mut set = ModelSet::default();
    for (task, name) in [(Task::Age, "ssrnet-age-imdb"), (Task::Gender, "ssrnet-gender-imdb")] {
        let shipped = SHIPPED.iter().find(|shipped| shipped.name() == name).unwrap();
        set.set(task, vec![Arc::new(shipped.load().unwrap())]);
    }
    set
}

#[test]
fn the_published_models_take_the_astronaut_for_a_woman_of_middle_age() {
    let frame = astronaut();
    let faces = detect::create(DetectorKind::BlazeBack).unwrap().detect(&frame).unwrap();
    let mut estimator = Estimator::new(published());
    let (estimate, timings) = estimator.estimate(&frame, &faces[0].rect).unwrap();
    // On the published demo's own crop the age is 33.6 years.
    assert!((25.0..45.0).contains(&estimate.age.unwrap().years), "{estimate:?}");
    assert!(estimate.gender.unwrap().male() < 0.4, "{estimate:?}");
    assert!(timings.crop_ms > 0.0 && timings.age_ms > 0.0 && timings.gender_ms > 0.0);
}

#[test]
fn a_tilted_head_is_as_old_as_an_upright_one_and_its_pose_is_told_whole() {
    let mut detector = detect::create(DetectorKind::BlazeBack).unwrap();
    let mut estimator = Estimator::new(ModelSet::shipped().unwrap());
    let mut seen = |degrees: f32| {
        let frame = astronaut().turned(degrees).unwrap();
        let faces = detector.detect(&frame).unwrap();
        let estimate = estimator.estimate(&frame, &faces[0]).unwrap().0;
        (estimate.age.unwrap().years, estimate.gender.unwrap().male(), estimate.pose.unwrap())
    };
    let (age, male, pose) = seen(0.0);
    for degrees in [-50.0, -25.0, 25.0, 50.0] {
        let (tilted_age, tilted_male, tilted_pose) = seen(degrees);
        assert!((tilted_age - age).abs() < 8.0, "{degrees}: {tilted_age} years instead of {age}");
        assert!((tilted_male - male).abs() < 0.25, "{degrees}: {tilted_male} instead of {male}");
        let off = tilted_pose.rotation().angle_to(pose.rotation().turned(degrees));
        assert!(off < 6.0, "{degrees}: {tilted_pose:?} and {pose:?}");
    }
}

/// What these head pose models say together of a face that is tilted by so much.
fn pose_of(models: Vec<TaskModel>, roll_degrees: f32) -> Pose {
    let mut set = ModelSet::default();
    set.set(Task::Pose, models.into_iter().map(Arc::new).collect());
    Estimator::new(set)
        .estimate(&astronaut(), FaceRegion { rect: FACE, roll_degrees, landmarks: None })
        .unwrap()
        .0
        .pose
        .unwrap()
}

#[test]
fn what_was_turned_back_is_composed_with_what_the_network_saw() {
    let near = |got: Pose, expected: Pose| {
        assert!(got.rotation().angle_to(expected.rotation()) < 1e-3, "{got:?} instead of {expected:?}");
    };
    // Rz(30) Ry(40): sin yaw = cos 30 sin 40, tan pitch = sin 30 tan 40, tan roll = tan 30 / cos 40.
    let aside = Pose { yaw: 40.0, pitch: 0.0, roll: 0.0 };
    let upright = |pose| constant_pose(pose, |card| card.crop.upright = true);
    near(pose_of(vec![upright(aside)], 30.0), Pose { yaw: 33.825_8, pitch: 22.760_5, roll: 37.004_5 });
    near(pose_of(vec![upright(aside)], -30.0), Pose { yaw: 33.825_8, pitch: -22.760_5, roll: -37.004_5 });
    near(pose_of(vec![upright(aside)], 180.0), Pose { yaw: -40.0, pitch: 0.0, roll: 180.0 });
    let down = Pose { yaw: -40.0, pitch: -20.0, roll: 5.0 };
    near(pose_of(vec![upright(down)], 25.0), down.rotation().turned(25.0).into());
    // Who sees the face as it lies says what it is; the same network in both ways is averaged as two rotations.
    let plain = |pose| constant_pose(pose, |_| ());
    assert_eq!(pose_of(vec![plain(down)], 25.0), down);
    near(pose_of(vec![upright(down), plain(down)], 25.0), down.rotation().turned(12.5).into());
}

#[test]
fn only_cards_that_say_so_are_shown_faces_upright() {
    let face = FaceRegion { rect: FACE, roll_degrees: 30.0, landmarks: None };
    let input = |upright: bool, place: FaceRegion| {
        let model = small_model(|card| card.crop.upright = upright);
        let mut estimator = Estimator::new(ModelSet::default());
        estimator.input(&astronaut(), place, &model.card).unwrap().unwrap()
    };
    assert_eq!(input(false, face), input(false, (&FACE).into()));
    assert_ne!(input(true, face), input(true, (&FACE).into()));
    assert_eq!(input(true, (&FACE).into()), input(false, (&FACE).into()));
}

/// Landmarks that lie as ArcFace's template, turned clockwise by so much about the middle of [`FACE`].
fn landmarks(degrees: f32) -> [Point; 6] {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let Point { x: middle_x, y: middle_y } = FACE.center();
    Alignment::arcface().targets().map(|target| {
        let target = target.unwrap_or_default();
        let (x, y) = (120.0 * (target.x - 0.5), 120.0 * (target.y - 0.5));
        Point { x: middle_x + cos * x - sin * y, y: middle_y + sin * x + cos * y }
    })
}

#[test]
fn what_alignment_turned_back_is_composed_with_what_the_network_saw() {
    let saw = Pose { yaw: -40.0, pitch: -20.0, roll: 5.0 };
    let told = |degrees: f32, known: bool| {
        let model = constant_pose(saw, |card| card.crop.align = Some(Alignment::arcface()));
        let set = ModelSet { pose: vec![Arc::new(model)], ..ModelSet::default() };
        // By the landmarks alone: the detector's own idea of the tilt does not count.
        let place = FaceRegion { rect: FACE, roll_degrees: 77.0, landmarks: known.then(|| landmarks(degrees)) };
        Estimator::new(set).estimate(&astronaut(), place).unwrap().0.pose.unwrap()
    };
    for degrees in [0.0, 25.0, -70.0] {
        let off = told(degrees, true).rotation().angle_to(saw.rotation().turned(degrees));
        assert!(off < 1e-3, "{degrees}: {off}");
    }
    assert_eq!(told(25.0, false), saw, "without landmarks the box is shown as it lies");
}

#[test]
fn an_aligned_face_fills_the_input_however_it_is_tilted_and_without_landmarks_it_is_the_box() {
    let aligned = small_model(|card| card.crop.align = Some(Alignment::arcface()));
    let plain = small_model(|_| ());
    let input = |model: &TaskModel, landmarks| {
        let place = FaceRegion { rect: FACE, roll_degrees: 0.0, landmarks };
        Estimator::new(ModelSet::default()).input(&astronaut(), place, &model.card).unwrap().unwrap()
    };
    assert_eq!(input(&aligned, None), input(&plain, None));
    assert_eq!(input(&plain, Some(landmarks(0.0))), input(&plain, None), "others do not look at landmarks");
    let one_point = [FACE.center(); 6];
    assert_eq!(input(&aligned, Some(one_point)), input(&plain, None), "landmarks that tell nothing");
    let mean = |values: Vec<f32>| values.iter().sum::<f32>() / values.len() as f32;
    let (upright, tilted) = (input(&aligned, Some(landmarks(0.0))), input(&aligned, Some(landmarks(90.0))));
    assert_ne!(upright, tilted);
    // The same square of the picture about its own middle: each channel holds the same colours, turned by a quarter.
    let off = (mean(upright) - mean(tilted)).abs();
    assert!(off < 0.01, "{off}");
}

#[test]
fn a_grey_input_has_one_channel() {
    let model = small_model(|_| ());
    let mut card = model.card.clone();
    card.input.channels = ChannelOrder::Grey;
    let mut estimator = Estimator::new(ModelSet::default());
    let grey = estimator.input(&astronaut(), &FACE, &card).unwrap().unwrap();
    let colour = estimator.input(&astronaut(), &FACE, &model.card).unwrap().unwrap();
    assert_eq!((grey.len(), colour.len()), (64, 192));
    for (place, grey) in grey.iter().enumerate() {
        let [red, green, blue] = [0, 64, 128].map(|channel| colour[channel + place] * 255.0);
        assert!((grey * 255.0 - (0.299 * red + 0.587 * green + 0.114 * blue)).abs() <= 0.5001, "{place}");
    }
}

#[test]
fn landmarks_go_with_the_box_and_into_the_mirror() {
    let at = |x, y| Point { x, y };
    let landmarks = [at(10.0, 10.0), at(20.0, 10.0), at(16.0, 14.0), at(15.0, 18.0), at(8.0, 12.0), at(24.0, 12.0)];
    let place = FaceRegion { rect: Rect::new(6.0, 4.0, 20.0, 20.0), roll_degrees: 3.0, landmarks: Some(landmarks) };
    let moved = place.in_box(Rect::new(106.0, 4.0, 40.0, 40.0)).landmarks.unwrap();
    assert_eq!((moved[0], moved[3]), (at(114.0, 16.0), at(124.0, 32.0)));
    let mirror = place.mirrored(100.0);
    assert_eq!((mirror.rect, mirror.roll_degrees), (Rect::new(74.0, 4.0, 20.0, 20.0), -3.0));
    let seen = mirror.landmarks.unwrap();
    assert_eq!(seen[..3], [at(80.0, 10.0), at(90.0, 10.0), at(84.0, 14.0)]);
    assert_eq!(seen[4..], [at(76.0, 12.0), at(92.0, 12.0)]);
}

#[derive(Deserialize)]
struct Golden {
    faces: Vec<GoldenFace>,
}

#[derive(Deserialize)]
struct GoldenFace {
    name: String,
    box_xywh: [f32; 4],
    crop50_bgr_b64: String,
    crop60_bgr_b64: String,
    outputs: HashMap<String, HashMap<String, serde_json::Value>>,
}

/// The five reference faces, each with its crop before the resize at the margins 0.5 and 0.6.
fn golden(shared: &Path) -> Vec<(GoldenFace, Frame, Frame)> {
    let folder = shared.join("reference/golden");
    let text = std::fs::read(folder.join("golden.json")).unwrap();
    let read = |name: &str, margin: u32| {
        let picture = image::open(folder.join(format!("src_{name}_{margin}.png"))).unwrap().to_rgb8();
        Frame::from_rgb(picture.width(), picture.height(), picture.into_raw()).unwrap()
    };
    let faces = serde_json::from_slice::<Golden>(&text).unwrap().faces;
    faces
        .into_iter()
        .map(|face| {
            let (half, three_fifths) = (read(&face.name, 50), read(&face.name, 60));
            (face, half, three_fifths)
        })
        .collect()
}

/// Base64 of blue-first pixels as RGB bytes.
fn rgb_of(base64: &str) -> Vec<u8> {
    let sextet = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let quartets = base64.as_bytes().chunks_exact(4).flat_map(|four| {
        let bits = four.iter().fold(0_u32, |bits, byte| bits << 6 | u32::from(sextet(*byte)));
        [(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]
    });
    let bytes: Vec<u8> = quartets.take(64 * 64 * 3).collect();
    bytes.chunks_exact(3).flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect()
}

#[test]
fn the_bilinear_filter_gives_opencvs_pixels() {
    let Some(shared) = shared() else { return };
    let mut resizer = CropResizer::default();
    let mut rgb = Vec::new();
    for (face, half, three_fifths) in golden(&shared) {
        for (source, expected) in [(half, &face.crop50_bgr_b64), (three_fifths, &face.crop60_bgr_b64)] {
            let whole = PixelRect::whole(source.width(), source.height());
            resizer.resize(&source, whole, (64, 64), ResizeFilter::Bilinear, &mut rgb).unwrap();
            let expected = rgb_of(expected);
            assert_eq!(rgb.len(), expected.len());
            let worst = rgb.iter().zip(&expected).map(|(got, want)| got.abs_diff(*want)).max().unwrap();
            assert!(worst <= 1, "{}: {worst} counts", face.name);
        }
    }
}

#[test]
fn age_and_gender_are_within_0_3_years_of_the_published_demo() {
    let Some(shared) = shared() else { return };
    let mut estimator = Estimator::new(published());
    for (face, half, _) in golden(&shared) {
        let (estimate, _) = estimator.estimate_crop(&half).unwrap();
        let expected = |key: &str| face.outputs["norm50"][key].as_f64().unwrap() as f32;
        let (age, score) = (estimate.age.unwrap().years, estimate.gender.unwrap().male());
        assert!((age - expected("ssrnet_age_imdb")).abs() < 0.3, "{}: {age} years", face.name);
        assert!((score - expected("ssrnet_gender_imdb")).abs() < 0.01, "{}: {score}", face.name);
    }
}

#[test]
fn the_detector_leads_to_nearly_the_published_crop() {
    let Some(shared) = shared() else { return };
    let faces = golden(&shared);
    let (astronaut_face, ..) = &faces[0];
    let [x, y, width, height] = astronaut_face.box_xywh;
    let published = Rect::new(x, y, width, height);
    for kind in DetectorKind::ALL {
        let found = detect::create(kind).unwrap().detect(&astronaut()).unwrap();
        let ours = detect::box_in_style(&found[0].rect, BoxStyle::Lbp);
        assert!(ours.iou(&published) > 0.7, "{}: {ours:?} and {published:?}", kind.name());
        assert!((0.9..1.15).contains(&(ours.width / width)), "{}: {ours:?}", kind.name());
    }
}

#[test]
fn the_input_of_a_model_is_what_the_model_was_shown() {
    let (frame, model) = (astronaut(), small_model(|card| card.crop.margin = 0.25));
    let mut estimator = Estimator::new(ModelSet::default());
    // Another face before: nothing of it is left.
    estimator.input(&frame, &FACE.translated(30.0, 0.0), &model.card).unwrap().unwrap();
    let input = estimator.input(&frame, &FACE, &model.card).unwrap().unwrap();
    assert_eq!(model.answers(&input).unwrap().age_years, age_of(vec![Arc::clone(&model)], &frame, &FACE));
    assert_eq!(estimator.input(&frame, &FACE.translated(900.0, 0.0), &model.card).unwrap(), None);
}
