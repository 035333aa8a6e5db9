//! What the steps behind the detector cost - crop, each network, tracker, scene: `cargo bench --bench pipeline`.
//! `facelens bench` gives the table for people.

#![expect(clippy::expect_used, reason = "a bench that cannot run says so at once")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use facelens_core::detect::Detection;
use facelens_core::estimate::Estimator;
use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::model::ModelSet;
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber, Tracker};
use facelens_media::{Mode, Next, SourceSpec, demo};
use facelens_session::overlay::{Scene, SceneOptions};

/// The demo's first frame (640x480), and where the astronaut's face is.
fn demo_frame() -> (Frame, Rect) {
    let mut source = facelens_media::open(&SourceSpec::Demo, Mode::Batch).expect("the demo opens");
    match source.next() {
        Ok(Next::Frame(frame)) => {
            let [astronaut, _] = demo::truth(frame.time);
            (frame, astronaut.face)
        }
        other => panic!("the demo gives a frame, not {other:?}"),
    }
}

/// Crop, resize and scaling by themselves, with every shipped network behind them; and each network by itself.
fn estimate(criterion: &mut Criterion) {
    let (frame, rect) = demo_frame();
    let shipped = ModelSet::shipped().expect("the shipped models are whole");
    let mut group = criterion.benchmark_group("estimate");
    for (model, tasks) in shipped.distinct() {
        let mut alone = ModelSet::default();
        for task in tasks {
            alone.set(task, vec![Arc::clone(&model)]);
        }
        let mut estimator = Estimator::new(alone);
        group.bench_function(format!("crop and {}", model.card.name), |bencher| {
            bencher.iter(|| estimator.estimate(black_box(&frame), &rect).expect("the network runs"));
        });
        group.bench_function(format!("crop for {}", model.card.name), |bencher| {
            bencher.iter_custom(|times| {
                let estimate = |_| estimator.estimate(&frame, &rect).expect("the network runs").1.crop_ms;
                Duration::from_secs_f64((0..times).map(estimate).map(f64::from).sum::<f64>() / 1000.0)
            });
        });
        let spec = &model.card.input;
        let input = vec![0.5; (spec.width * spec.height * 3) as usize];
        for (at, net) in model.nets.iter().enumerate() {
            group.bench_function(format!("net {} {at}", model.card.name), |bencher| {
                bencher.iter(|| net.run(black_box(&input)).expect("the network runs"));
            });
        }
    }
    group.finish();
}

/// Four faces that walk over the picture.
fn walkers(frame: u64) -> Vec<Detection> {
    let step = (frame % 300) as f32;
    let face = |x: f32, y: f32| Detection { rect: Rect::new(x, y, 80.0, 80.0), score: 0.9, keypoints: None };
    vec![face(step, 50.0), face(300.0 - step, 60.0), face(step, 200.0), face(300.0, step / 2.0 + 150.0)]
}

fn track(criterion: &mut Criterion) {
    let (frame, _) = demo_frame();
    let mut tracker = Tracker::new();
    let mut sequence = 0_u64;
    criterion.bench_function("track four faces", |bencher| {
        bencher.iter(|| {
            sequence += 1;
            let time = Duration::from_secs(sequence) / 30;
            black_box(tracker.assign(&frame, time, &walkers(sequence)))
        });
    });
}

fn scene(criterion: &mut Criterion) {
    let faces: Vec<_> = (1..=4_u8)
        .map(|id| Face {
            id: id.into(),
            rect: Rect::new(100.0 * f32::from(id), 100.0, 80.0, 80.0),
            score: 0.9,
            age: Some(Age { years: 31.0, low: 27.0, high: 37.5 }),
            gender: Some(Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance }),
            pose: Some(Pose { yaw: 10.0, pitch: 5.0, roll: -3.0 }),
        })
        .collect();
    let options = SceneOptions::default();
    criterion.bench_function("scene of four faces", |bencher| {
        bencher.iter(|| Scene::of(black_box(&faces), 640, 480, &options));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(2));
    targets = estimate, track, scene
}
criterion_main!(benches);
