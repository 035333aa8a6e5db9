//! What a picture costs before and after the analysis: a camera's bytes to RGB, and RGB to what the window shows.
//! `cargo bench --bench pixels`

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eframe::egui::ColorImage;
use facelens_core::frame::Frame;
use facelens_media::demo::Walkers;
use facelens_media::{CameraPixels, decode_camera_picture, encode_camera_picture};

const SIZES: [(u32, u32); 3] = [(640, 480), (1280, 720), (1920, 1080)];

fn frame((width, height): (u32, u32)) -> Frame {
    let walkers = Walkers::new(width, height, 2).expect("two faces fit");
    walkers.draw(0, Duration::ZERO).expect("it is drawn")
}

fn decode(criterion: &mut Criterion) {
    for pixels in [CameraPixels::Yuyv, CameraPixels::Nv12, CameraPixels::Mjpeg] {
        let mut group = criterion.benchmark_group(format!("decode {pixels}"));
        for (width, height) in SIZES {
            let bytes = encode_camera_picture(pixels, &frame((width, height))).expect("even sides");
            group.throughput(Throughput::Elements(u64::from(width) * u64::from(height)));
            group.bench_function(format!("{width}x{height}"), |bencher| {
                bencher.iter(|| decode_camera_picture(pixels, width, height, black_box(&bytes)).expect("it is whole"));
            });
        }
        group.finish();
    }
}

fn convert(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("convert for the window");
    for (width, height) in SIZES {
        let frame = frame((width, height));
        group.throughput(Throughput::Elements(u64::from(width) * u64::from(height)));
        group.bench_function(format!("{width}x{height}"), |bencher| {
            bencher.iter(|| ColorImage::from_rgb([width as usize, height as usize], black_box(frame.rgb())));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(1));
    targets = decode, convert
}
criterion_main!(benches);
