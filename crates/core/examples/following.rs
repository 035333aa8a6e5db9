//! Compares faces that are followed by reading with faces that are searched in windows, on films whose truth is known, and
//! what both cost:
//! `cargo run --release -p facelens-core --features testing --example following -- [facelens-follow.onnx]`. Without a network it
//! takes the one that ships.

#![allow(clippy::print_stdout, reason = "an example says what it found")]
#![allow(clippy::expect_used, reason = "an example that cannot run says so at once")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use facelens_core::detect::{self, DetectError, DetectNear, Detection, Detector, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::model::ModelSet;
use facelens_core::testing::film::{FilmHead, SIZE, draw, films, watch};
use facelens_core::{Analyser, Faces};

/// How known faces are found again.
#[derive(Clone, Copy)]
enum Way<'a> {
    Windows,
    Shipped,
    Network(&'a [u8]),
}

/// A detector that follows no face.
struct WindowsOnly(Box<dyn Detector>);

impl Detector for WindowsOnly {
    fn kind(&self) -> DetectorKind {
        self.0.kind()
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.0.detect(frame)
    }

    fn near(&self) -> Option<Box<dyn DetectNear>> {
        self.0.near()
    }
}

/// The default detector, which finds known faces in this way.
fn detector(way: Way<'_>) -> Box<dyn Detector> {
    let detector = detect::create(DetectorKind::BlazeBack).expect("the built-in detector is whole");
    match way {
        Way::Windows => Box::new(WindowsOnly(detector)),
        Way::Shipped => detector,
        Way::Network(onnx) => detect::follow::following(detector, onnx).expect("the file is a network that follows"),
    }
}

fn main() {
    let network = std::env::args_os().nth(1).map(|file| std::fs::read(file).expect("the network can be read"));
    let followed = network.as_deref().map_or(Way::Shipped, Way::Network);
    let ways = [("windows", Way::Windows), ("followed", followed)];
    cost(&ways);
    steadiness(&ways);
}

/// How well each film is followed.
fn steadiness(ways: &[(&str, Way<'_>)]) {
    println!("\n| film | way | found | ids, changes | ghosts, longest s | middle | tremble | size | tilt |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, seconds, script) in films() {
        for (way, found) in ways {
            let figures = watch(&script, seconds, SIZE, detector(*found));
            println!(
                "| {name} | {way} | {}/{} | {}, {} | {}, {:.2} | {:.4} | {:.4} | {:.4} | {:.2} |",
                figures.found,
                figures.heads,
                figures.ids,
                figures.changes,
                figures.ghosts,
                figures.longest_ghost_s,
                figures.place_sd,
                figures.tremble_sd,
                figures.size_sd,
                figures.tilt_sd
            );
        }
    }
}

/// One way to analyse: its name, whether searches run beside, and the milliseconds of each frame and of its detection.
type Case<'a> = (&'a str, bool, Analyser, Vec<f64>, Vec<f64>);

/// What a frame costs, while it waits for searches of the whole frame and with them beside.
fn cost(ways: &[(&str, Way<'_>)]) {
    println!("| faces in 640x480 | way | median ms | p95 | p99 | detect, mean | beside: median | p95 | p99 |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for count in [1, 2, 4, 8] {
        let heads: Vec<FilmHead> = (0..count)
            .map(|place| FilmHead::at(80.0 + 155.0 * (place % 4) as f32, 120.0 + 220.0 * (place / 4) as f32, 75.0))
            .collect();
        // Both ways in turns, so that whatever else the machine does hits both.
        let mut cases: Vec<Case<'_>> = Vec::new();
        for (way, found) in ways {
            for beside in [false, true] {
                let models = ModelSet::shipped().expect("the shipped models are whole");
                let mut analyser = Analyser::new(Faces::Detect(detector(*found)), models);
                analyser.search_beside(beside);
                cases.push((way, beside, analyser, Vec::new(), Vec::new()));
            }
        }
        for number in 0..120_u32 {
            let sway = 12.0 * (number as f32 / 12.0).sin();
            let moved: Vec<FilmHead> = (heads.iter())
                .map(|head| FilmHead::at(head.middle.x + sway, head.middle.y + 0.5 * sway, head.side))
                .collect();
            let frame = Arc::new(draw(640, 480, &moved, number));
            for (_, beside, analyser, times, detects) in &mut cases {
                let started = Lap::start();
                let analysis = analyser.analyse(Arc::clone(&frame)).expect("the frame is analysed");
                if number >= 10 {
                    times.push(started.ms());
                    detects.push(f64::from(analysis.timings.detect));
                }
                if *beside {
                    // Live, the next frame comes a while later.
                    std::thread::sleep(Duration::from_millis(8));
                }
            }
        }
        for pair in cases.chunks(2) {
            let [(way, _, _, times, detects), (_, _, _, live, _)] = pair else { continue };
            let [median, p95, p99] = [0.5, 0.95, 0.99].map(|share| quantile(times, share));
            let [live_median, live_p95, live_p99] = [0.5, 0.95, 0.99].map(|share| quantile(live, share));
            let detect = detects.iter().sum::<f64>() / detects.len() as f64;
            println!(
                "| {count} | {way} | {median:.2} | {p95:.2} | {p99:.2} | {detect:.2} | {live_median:.2} | {live_p95:.2} \
                 | {live_p99:.2} |"
            );
        }
    }
}

/// The time that a frame takes: the processor time of this thread where the system tells it, so that other programs do not
/// count; else the clock's.
struct Lap(Instant, Option<f64>);

impl Lap {
    fn start() -> Self {
        Self(Instant::now(), processor_ms())
    }

    fn ms(&self) -> f64 {
        let processor = self.1.zip(processor_ms()).map(|(before, now)| now - before);
        processor.unwrap_or_else(|| self.0.elapsed().as_secs_f64() * 1e3)
    }
}

/// Milliseconds that this thread has run so far (Linux).
fn processor_ms() -> Option<f64> {
    // Giving way brings the system's count up to date.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e6)
}

fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}
