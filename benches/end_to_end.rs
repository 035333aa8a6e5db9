//! Whole frames - detector, tracker, crops, networks as shipped - on faces that move, at three sizes and with one to eight
//! faces: frames a second, and the processor seconds of a frame. `cargo bench --bench end_to_end`
//!
//! The frames come as from a camera that is exactly as fast as the analysis; drawing them is not counted.

#![expect(clippy::expect_used, reason = "a bench has nobody to hand an error to")]

use std::time::{Duration, Instant};

use criterion::measurement::{Measurement, WallTime};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use facelens_core::detect::{self, DetectorKind};
use facelens_core::model::ModelSet;
use facelens_core::{Analyser, Faces};
use facelens_media::demo::Walkers;

const SIZES: [(u32, u32); 3] = [(640, 480), (1280, 720), (1920, 1080)];
const FACES: [u32; 4] = [1, 2, 4, 8];

/// Processor time of the whole process, all threads.
struct ProcessorTime;

#[cfg(unix)]
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Elsewhere there is only the wall clock.
#[cfg(not(unix))]
fn processor_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

impl Measurement for ProcessorTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        processor_time()
    }

    fn end(&self, start: Duration) -> Duration {
        processor_time().saturating_sub(start)
    }

    fn add(&self, a: &Duration, b: &Duration) -> Duration {
        *a + *b
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_nanos() as f64
    }

    fn formatter(&self) -> &dyn criterion::measurement::ValueFormatter {
        WallTime.formatter()
    }
}

/// Runs every case; `clock` is what is summed up over the frames.
fn cases<M: Measurement<Value = Duration>>(criterion: &mut Criterion<M>, what: &str, clock: fn() -> Duration) {
    let shipped = ModelSet::shipped().expect("the shipped models are whole");
    for (width, height) in SIZES {
        let mut group = criterion.benchmark_group(format!("{what} {width}x{height}"));
        group.throughput(Throughput::Elements(1));
        for faces in FACES {
            let walkers = Walkers::new(width, height, faces).expect("eight faces fit");
            let detector = detect::create(DetectorKind::ALL[0]).expect("the built-in detector is whole");
            let mut analyser = Analyser::new(Faces::Detect(detector), shipped.clone());
            let (mut sequence, mut media_time) = (0, Duration::ZERO);
            group.bench_function(format!("{faces} faces"), |bencher| {
                bencher.iter_custom(|times| {
                    let mut sum = Duration::ZERO;
                    for _ in 0..times {
                        let frame = walkers.draw(sequence, media_time).expect("it is drawn").into();
                        let (wall, before) = (Instant::now(), clock());
                        let _analysis = analyser.analyse(frame).expect("the frame is analysed");
                        sum += clock().saturating_sub(before);
                        media_time += wall.elapsed();
                        sequence += 1;
                    }
                    sum
                });
            });
        }
        group.finish();
    }
}

fn since_start() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn frames(criterion: &mut Criterion) {
    cases(criterion, "frame", since_start);
}

fn processor(criterion: &mut Criterion<ProcessorTime>) {
    cases(criterion, "processor time of a frame", processor_time);
}

fn short<M: Measurement>(criterion: Criterion<M>) -> Criterion<M> {
    criterion.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2))
}

criterion_group!(name = wall; config = short(Criterion::default()); targets = frames);
criterion_group!(
    name = cpu;
    config = short(Criterion::default().with_measurement(ProcessorTime));
    targets = processor
);
criterion_main!(wall, cpu);
