//! What a search of the whole frame costs in each detector, with one face: `cargo bench --bench detectors`.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use facelens_core::detect::{DetectorKind, create};
use facelens_core::frame::Frame;
use facelens_media::demo::Walkers;

fn frame(width: u32, height: u32) -> Frame {
    let walkers = Walkers::new(width, height, 1).expect("a face fits");
    walkers.draw(0, Duration::ZERO).expect("it is drawn")
}

fn detectors(criterion: &mut Criterion) {
    for (width, height) in [(640, 480), (1280, 720), (1920, 1080)] {
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
