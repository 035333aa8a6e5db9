//! Files from end to end.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use facelens_core::Analyser;
use facelens_media::{Next, Source, SourceErrorKind, SourceKind};

use crate::pipeline::fakes::*;
use crate::pipeline::{BatchEnd, BatchError, BatchEvent, BatchStop, run_batch};

/// Runs to the end and notes each event in a word.
fn run(source: Box<dyn Source>, analyser: &mut Analyser) -> (Vec<String>, Result<BatchEnd, BatchError>) {
    let mut events = Vec::new();
    let end = run_batch(source, analyser, &AtomicBool::new(false), |event| {
        events.push(match event {
            BatchEvent::Analysed(analysis) => {
                let ids: Vec<u64> = analysis.faces.iter().map(|face| face.id).collect();
                let ages: Vec<f32> = analysis.faces.iter().filter_map(|face| Some(face.age?.years)).collect();
                format!("{} {ids:?} {ages:?}", analysis.frame.sequence)
            }
            BatchEvent::Failed { frame, error } => format!("{} {error}", frame.sequence),
            BatchEvent::Skipped(error) => format!("skipped {}", error.subject),
            BatchEvent::Damaged(error) => format!("damaged {}", error.subject),
            BatchEvent::Stalled { silent_for } => format!("stalled {}", silent_for.as_secs()),
            BatchEvent::Disconnected { reason } => format!("gone {reason}"),
        });
        ControlFlow::Continue(())
    });
    (events, end)
}

#[test]
fn every_frame_of_a_file_counts_in_its_order() {
    let (events, end) = run(list(SourceKind::Video, frames(50)), &mut one_face());
    assert_eq!(events.len(), 50);
    for (i, event) in events.iter().enumerate() {
        assert!(event.starts_with(&format!("{i} [1]")), "{event}");
    }
    let counts =
        BatchEnd { stop: BatchStop::End, captured: 50, analysed: 50, failed: 0, skipped: 0, dropped: 0, damaged: 0 };
    assert_eq!(end.unwrap(), counts);
}

#[test]
fn pictures_have_nothing_to_do_with_each_other_and_broken_ones_are_skipped() {
    let mut items = frames(3);
    items.insert(1, Ok(Next::Skipped(error(SourceErrorKind::Unreadable))));
    let (events, end) = run(list(SourceKind::Pictures, items), &mut one_face());
    // Each picture's age is exactly its own.
    assert_eq!(events, ["0 [1] [0.0]", "skipped fake", "1 [1] [1.0]", "2 [1] [2.0]"]);
    let end = end.unwrap();
    assert_eq!((end.captured, end.analysed, end.skipped), (3, 3, 1));
}

#[test]
fn a_frame_that_fails_does_not_end_the_batch() {
    let mut analyser = analyser(|frame| if frame.sequence == 1 { Err(detect_error()) } else { Ok(vec![]) });
    let (events, end) = run(list(SourceKind::Video, frames(3)), &mut analyser);
    assert_eq!(events, ["0 [] []", "1 the fake face detector failed: it is tired", "2 [] []"]);
    assert_eq!(end.unwrap().failed, 1);
}

#[test]
fn a_source_that_breaks_ends_the_batch_after_its_frames() {
    let mut items = frames(2);
    items.push(Err(error(SourceErrorKind::Unreadable)));
    let (events, end) = run(list(SourceKind::Video, items), &mut one_face());
    assert_eq!(events.len(), 2);
    assert!(matches!(end, Err(BatchError::Source(error)) if error.kind == SourceErrorKind::Unreadable));
}

#[test]
fn a_source_that_panics_is_an_error() {
    let (_, end) = run(scripted(SourceKind::Video, || panic!("index out of bounds")), &mut one_face());
    let words = end.unwrap_err().to_string();
    assert!(words.contains("Video") && words.contains("index out of bounds"), "{words}");
}

#[test]
fn the_caller_and_the_stop_flag_end_it_early() {
    let endless = || {
        let mut next = 0;
        scripted(SourceKind::Video, move || {
            next += 1;
            Ok(Next::Frame(frame(next)))
        })
    };
    let mut seen = 0;
    let end = run_batch(endless(), &mut one_face(), &AtomicBool::new(false), |_| {
        seen += 1;
        if seen == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let end = end.unwrap();
    assert_eq!((end.stop, end.analysed), (BatchStop::Caller, 5));
    assert!(end.captured < 20, "decoded far ahead: {}", end.captured);

    let stop = AtomicBool::new(false);
    let end = run_batch(endless(), &mut one_face(), &stop, |_| {
        stop.store(true, Ordering::Relaxed);
        ControlFlow::Continue(())
    });
    assert_eq!(end.unwrap().stop, BatchStop::Interrupted);

    // A source that never gives anything can be stopped too.
    let stop = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&stop);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(30));
        other.store(true, Ordering::Relaxed);
    });
    let silent = scripted(SourceKind::Camera, || Ok(Next::Waiting));
    let end = run_batch(silent, &mut one_face(), &stop, |_| ControlFlow::Continue(()));
    assert_eq!(end.unwrap().stop, BatchStop::Interrupted);
    stopper.join().unwrap();
}

#[test]
fn the_newest_frame_of_a_camera_wins_and_the_others_are_counted() {
    let (sender, source) = fed(SourceKind::Camera);
    let (gate, mut pass) = DetectorGate::new();
    let mut analyser = analyser(move |frame| {
        pass(frame);
        Ok(vec![])
    });
    let feeder = std::thread::spawn(move || {
        sender.send(Next::Frame(frame(0))).unwrap();
        assert_eq!(gate.waits(), 0);
        sender.send(Next::Stalled { silent_for: Duration::from_secs(2) }).unwrap();
        for sequence in 1..=4 {
            sender.send(Next::Frame(frame(sequence))).unwrap();
        }
        // The source ends behind its last frame, and a sign of that is that all were taken.
        drop(sender);
        std::thread::sleep(Duration::from_millis(100));
        gate.go.send(()).unwrap();
        let next = gate.waits();
        gate.go.send(()).unwrap();
        next
    });
    let (events, end) = run(source, &mut analyser);
    assert_eq!(feeder.join().unwrap(), 4);
    assert_eq!(events, ["0 [] []", "4 [] []"]);
    let end = end.unwrap();
    assert_eq!((end.captured, end.analysed, end.dropped), (5, 2, 3));
}

#[test]
fn frames_that_a_camera_lost_on_the_way_are_counted_and_a_file_s_numbers_are_its_own() {
    let numbered = || [3, 4, 9].map(|sequence| Ok(Next::Frame(frame(sequence)))).into();
    let slow = |kind| {
        let mut items: std::vec::IntoIter<Result<Next, _>> = Vec::into_iter(numbered());
        // Slower than the analysis, so that none gives way to a newer one.
        scripted(kind, move || {
            std::thread::sleep(Duration::from_millis(50));
            items.next().unwrap_or(Ok(Next::End))
        })
    };
    let (_, end) = run(slow(SourceKind::Camera), &mut one_face());
    let end = end.unwrap();
    assert_eq!((end.captured, end.analysed, end.dropped), (7, 3, 4));
    let (_, end) = run(slow(SourceKind::Video), &mut one_face());
    let end = end.unwrap();
    assert_eq!((end.captured, end.analysed, end.dropped), (3, 3, 0));
}
