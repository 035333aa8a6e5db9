//! Time per frame of each detector, on a frame with one face.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use criterion::{Criterion, criterion_group, criterion_main};
use facelens::detect::{DetectorKind, create};
use facelens::frame::Frame;

/// The astronaut in the middle of a grey frame.
fn frame(width: u32, height: u32) -> Frame {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/astronaut.png");
    let astronaut = image::open(file).expect("the picture lies in assets/").to_rgb8();
    let side = height * 3 / 4;
    let head = image::imageops::resize(&astronaut, side, side, image::imageops::FilterType::Triangle);
    let mut picture = image::RgbImage::from_pixel(width, height, image::Rgb([128, 132, 140]));
    image::imageops::replace(&mut picture, &head, i64::from((width - side) / 2), i64::from((height - side) / 2));
    Frame::from_rgb(width, height, picture.into_raw()).expect("the size is a frame's")
}

fn detectors(criterion: &mut Criterion) {
    for (width, height) in [(640, 480), (1280, 720)] {
        let frame = frame(width, height);
        let mut group = criterion.benchmark_group(format!("detect {width}x{height}"));
        group.sample_size(20);
        for kind in DetectorKind::ALL {
            let mut detector = create(kind).expect("its weights are built in");
            group.bench_function(kind.name(), |bencher| {
                bencher.iter(|| detector.detect(&frame).expect("the frame is a plain picture"));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, detectors);
criterion_main!(benches);
