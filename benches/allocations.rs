//! How often a frame asks for memory once everything is warm: `cargo bench --bench allocations`.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]
#![expect(clippy::print_stdout, reason = "a bench talks to people")]

use std::alloc::System;
use std::sync::Arc;
use std::time::{Duration, Instant};

use facelens_core::detect::{self, DetectorKind};
use facelens_core::model::ModelSet;
use facelens_core::{Analyser, Faces};
use facelens_media::demo::Walkers;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const WARM_UP: u64 = 20;
const FRAMES: u64 = 60;

fn main() {
    let shipped = ModelSet::shipped().expect("the shipped models are whole");
    for ((width, height), faces) in [((640, 480), 1), ((1280, 720), 4)] {
        let walkers = Walkers::new(width, height, faces).expect("the faces fit");
        let detector = detect::create(DetectorKind::ALL[0]).expect("the built-in detector is whole");
        let mut analyser = Analyser::new(Faces::Detect(detector), shipped.clone());
        let (mut time, mut asked, mut bytes) = (Duration::ZERO, 0, 0);
        for sequence in 0..WARM_UP + FRAMES {
            let frame = walkers.draw(sequence, time).expect("it is drawn");
            let (frame, start, region) = (Arc::new(frame), Instant::now(), Region::new(ALLOCATOR));
            let _analysis = analyser.analyse(frame).expect("the frame is analysed");
            if sequence >= WARM_UP {
                let change = region.change();
                asked += change.allocations + change.reallocations;
                bytes += change.bytes_allocated;
            }
            time += start.elapsed();
        }
        let (asked, kib) = (asked as f64 / FRAMES as f64, bytes as f64 / FRAMES as f64 / 1024.0);
        println!("{width}x{height}, {faces} faces: {asked:.1} allocations a frame, {kib:.1} KiB");
    }
}
