//! The live view of a film with people who walk, without and with the gaits beside the faces: frames analysed a second, the delay
//! of a frame, and the gaits' own rate. `cargo bench --bench gait [-- FILM]`
//!
//! Nothing is drawn: what is measured is the pipeline.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench has nobody else to hand its results to")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use facelens::pipeline::{Gaits, LastingSink, LiveGait, LiveOptions, LiveSession, SourceState};
use facelens_core::detect::DetectorKind;
use facelens_core::model::ModelSet;
use facelens_gait::{GaitAnalyser, GaitOptions, Stride};
use facelens_media::SourceSpec;

fn main() {
    // cargo gives `--bench`.
    let film = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let film = film.unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/tests/walkers/walkers.mp4").to_owned());
    for with_gaits in [false, true, false, true] {
        println!("{}", run(&film, with_gaits));
    }
}

/// Plays the film once, at its own rate.
fn run(film: &str, with_gaits: bool) -> String {
    let live = LiveSession::start(LiveOptions {
        source: None,
        models: ModelSet::shipped().expect("the shipped models are whole"),
        detector: DetectorKind::ALL[0],
        sink: None,
        camera_format: None,
        wake: Arc::new(|| ()),
    })
    .expect("there are threads");
    let strides = Arc::new(AtomicUsize::new(0));
    let gait = with_gaits.then(|| {
        let numbers = live.numbers();
        let make = move || {
            let options = GaitOptions { numbers, ..GaitOptions::default() };
            GaitAnalyser::new(options).map(|gaits| Box::new(gaits) as Box<dyn Gaits>)
        };
        let gait = LiveGait::start(Box::new(make), Arc::new(|| ())).expect("there are threads");
        let counter = Arc::clone(&strides);
        gait.set_strides(Some(Arc::new(move |new: &[Stride]| {
            counter.fetch_add(new.len(), Ordering::SeqCst);
        })));
        while gait.view().loading {
            std::thread::sleep(Duration::from_millis(5));
        }
        live.set_lasting_sink(LastingSink::Gait, Some(gait.sink()));
        gait
    });
    live.set_source(SourceSpec::Path(film.into()));
    let (mut rates, mut outlines, mut delays) = (Vec::new(), Vec::new(), Vec::new());
    let start = Instant::now();
    while !matches!(live.status().shown, SourceState::Ended(_)) && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
        let status = live.status();
        // The rates are those of the last two seconds.
        if status.captured > 60 {
            delays.push(status.delay_ms);
            if let Some(gait) = &gait {
                let view = gait.view();
                rates.push(view.fps);
                outlines
                    .push(view.fps * view.walkers.iter().filter(|walker| !walker.outline.is_empty()).count() as f32);
            }
        }
    }
    let status = live.status();
    let faces = format!(
        "{} of {} frames analysed, {:.1} ms from a frame's arrival to its faces",
        status.analysed,
        status.captured,
        median(&mut delays)
    );
    match gait {
        None => format!("gaits off: {faces}"),
        Some(_) => format!(
            "gaits on:  {faces}; {:.1} frames with {:.1} outlines a second, {} strides",
            median(&mut rates),
            median(&mut outlines),
            strides.load(Ordering::SeqCst)
        ),
    }
}

fn median(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
