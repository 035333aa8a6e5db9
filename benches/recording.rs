//! What a recorded frame costs on the recorder's thread: `cargo bench --bench recording`. Two faces at 1280x720; at 30
//! frames a second there are 33 ms for all of it.

#![expect(clippy::expect_used, reason = "a bench that cannot run says so at once")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber};
use facelens_session::overlay::{Scene, SceneOptions, paint_on_picture};
use facelens_session::video::{VideoOptions, VideoWriter};

const SIZE: (u32, u32) = (1280, 720);

/// A textured picture that moves by four pixels a frame.
fn picture(number: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let (x, y) = (x + 4 * number, y + number);
        let texture = x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(2_246_822_519);
        [(x / 5 % 200) as u8 + (texture >> 29) as u8, (y / 3 % 200) as u8, ((x + y) / 8 % 250) as u8]
    };
    (0..SIZE.1).flat_map(|y| (0..SIZE.0).flat_map(move |x| pixel(x, y))).collect()
}

fn faces() -> Vec<Face> {
    let face = |id: u64, x: f32| Face {
        id,
        rect: Rect::new(x, 220.0, 240.0, 240.0),
        score: 0.9,
        age: Some(Age { years: 31.0, low: 27.0, high: 37.5 }),
        gender: Some(Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance }),
        pose: Some(Pose { yaw: 10.0, pitch: 5.0, roll: -3.0 }),
    };
    vec![face(1, 200.0), face(2, 800.0)]
}

fn paint(criterion: &mut Criterion) {
    let (faces, options) = (faces(), SceneOptions::default().for_saving(SIZE.1));
    let mut rgb = picture(0);
    criterion.bench_function("overlay 1280x720, two faces", |bencher| {
        bencher.iter(|| {
            let scene = Scene::of(black_box(&faces), SIZE.0, SIZE.1, &options);
            paint_on_picture(&scene, &mut rgb, SIZE.0, SIZE.1);
        });
    });
}

fn encode(criterion: &mut Criterion) {
    let pictures: Vec<_> = (0..8).map(picture).collect();
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    let path = folder.path().join("out.mp4");
    let mut writer = VideoWriter::create(&path, SIZE.0, SIZE.1, VideoOptions::default()).expect("the file is made");
    let mut number = 0;
    criterion.bench_function("encode 1280x720", |bencher| {
        bencher.iter(|| {
            number += 1;
            let time = Duration::from_secs(number) / 30;
            writer.write(&pictures[number as usize % pictures.len()], time).expect("it is written");
        });
    });
    writer.finish().expect("it is finished");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = paint, encode
}
criterion_main!(benches);
