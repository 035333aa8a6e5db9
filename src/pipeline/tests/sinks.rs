//! Who sees the frames that the live pipeline analyses, and is told of its sources.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use facelens_core::Analysis;
use facelens_core::detect::DetectorKind;
use facelens_core::model::ModelSet;
use facelens_media::{SourceErrorKind, SourceInfo, SourceKind};
use facelens_session::AnalysisSink;

use crate::pipeline::fakes::*;
use crate::pipeline::{LastingSink, LiveOptions, LiveSession, SourceState};

/// What a sink has seen.
#[derive(Default)]
struct Seen {
    frames: Mutex<Vec<u64>>,
    changed: AtomicBool,
    opened: Mutex<Vec<String>>,
    /// How many frames it had seen when it was told that the source is over.
    ended: Mutex<Vec<usize>>,
}

impl AnalysisSink for Seen {
    fn analysed(&self, analysis: &Arc<Analysis>) {
        self.frames.lock().unwrap().push(analysis.frame.sequence);
    }

    fn source_changed(&self) {
        self.changed.store(true, Ordering::SeqCst);
    }

    fn source_opened(&self, info: &SourceInfo) {
        self.opened.lock().unwrap().push(info.name.clone());
    }

    fn source_ended(&self) {
        let seen = self.frames.lock().unwrap().len();
        self.ended.lock().unwrap().push(seen);
    }
}

/// A file whose analyses `seen` sees.
fn seen_by(seen: &Arc<Seen>) -> LiveOptions {
    LiveOptions {
        source: Some(file()),
        models: ModelSet::default(),
        detector: DetectorKind::BlazeBack,
        sink: Some(Arc::clone(seen) as Arc<dyn AnalysisSink>),
        camera_format: None,
        wake: Arc::new(|| ()),
    }
}

#[test]
fn a_sink_sees_every_frame_of_its_source_once_and_nothing_of_the_next_one() {
    let seen = Arc::new(Seen::default());
    let options = seen_by(&seen);
    let sources = openings(vec![Ok(list(SourceKind::Video, frames(30))), Ok(list(SourceKind::Video, frames(3)))]);
    let live = LiveSession::start_with(options, sources, makers(always_a_face)).unwrap();
    wait_until("the end", || analysed_frame(&live) == Some(29));
    // The last frame is analysed again for the new models, which is no news.
    let before = live.analysis().unwrap();
    live.set_models(ModelSet::default());
    wait_until("another analysis", || !Arc::ptr_eq(&before, &live.analysis().unwrap()));
    assert_eq!(*seen.frames.lock().unwrap(), (0..30).collect::<Vec<_>>());
    assert!(!seen.changed.load(Ordering::SeqCst));
    live.restart();
    assert!(seen.changed.load(Ordering::SeqCst));
    wait_until("the next source", || analysed_frame(&live) == Some(2));
    assert_eq!(seen.frames.lock().unwrap().len(), 30);
}

#[test]
fn the_end_of_a_source_is_told_once_its_last_frame_is_analysed() {
    let seen = Arc::new(Seen::default());
    let (gate, mut pass) = DetectorGate::new();
    let find = makers(move |_, frame| {
        pass(frame);
        if frame.sequence == 2 { Err(detect_error()) } else { Ok(vec![found(FACE)]) }
    });
    let sources = openings(vec![Ok(list(SourceKind::Video, frames(3)))]);
    let live = LiveSession::start_with(seen_by(&seen), sources, find).unwrap();
    let ended = || seen.ended.lock().unwrap().clone();
    for sequence in 0..2 {
        assert_eq!(gate.waits(), sequence);
        gate.go.send(()).unwrap();
    }
    // The last frame is with the detector, and will fail.
    assert_eq!(gate.waits(), 2);
    wait_until("the end of the file", || matches!(live.status().shown, SourceState::Ended(_)));
    assert!(ended().is_empty(), "a frame is still analysed");
    gate.go.send(()).unwrap();
    wait_until("the end is told", || ended() == [2]);
    // Who comes too late is told at once.
    let late = Arc::new(Seen::default());
    live.set_sink(Some(Arc::clone(&late) as Arc<dyn AnalysisSink>));
    assert_eq!(*late.ended.lock().unwrap(), [0]);
    assert_eq!(ended(), [2], "told once");
}

#[test]
fn the_end_is_told_also_of_a_source_that_breaks_and_where_the_analysis_is_gone() {
    let mut items = frames(2);
    items.push(Err(error(SourceErrorKind::Unreadable)));
    let seen = Arc::new(Seen::default());
    let sources = openings(vec![Ok(list(SourceKind::Video, items))]);
    let _live = LiveSession::start_with(seen_by(&seen), sources, makers(always_a_face)).unwrap();
    wait_until("the end is told", || *seen.ended.lock().unwrap() == [2]);

    /// Ends the analysis thread by a panic.
    #[derive(Default)]
    struct PanickingSink(AtomicBool);
    impl AnalysisSink for PanickingSink {
        fn analysed(&self, _: &Arc<Analysis>) {
            panic!("a sink's bug");
        }

        fn source_changed(&self) {}

        fn source_ended(&self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let broken = Arc::new(PanickingSink::default());
    let options = LiveOptions { sink: Some(Arc::clone(&broken) as Arc<dyn AnalysisSink>), ..seen_by(&seen) };
    let sources = openings(vec![Ok(list(SourceKind::Video, frames(9)))]);
    let live = LiveSession::start_with(options, sources, makers(always_a_face)).unwrap();
    wait_until("the end is told", || broken.0.load(Ordering::SeqCst));
    assert!(error_words(&live).contains("a sink's bug"));
}

#[test]
fn a_lasting_tap_sees_every_source_and_is_told_their_names() {
    let (lasting, seen) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let options = seen_by(&seen);
    let sources = openings(vec![
        Ok(list(SourceKind::Video, frames(30))),
        Ok(list(SourceKind::Video, frames(3))),
        Ok(list(SourceKind::Video, frames(3))),
    ]);
    let live = LiveSession::start_with(options, sources, makers(always_a_face)).unwrap();
    wait_until("the end", || analysed_frame(&live) == Some(29));
    // Added late: it sees what comes from then on, beside the sink of the source.
    live.set_lasting_sink(LastingSink::Outputs, Some(Arc::clone(&lasting) as Arc<dyn AnalysisSink>));
    live.restart();
    wait_until("the next source", || analysed_frame(&live) == Some(2));
    assert!(lasting.changed.load(Ordering::SeqCst));
    assert_eq!(*lasting.frames.lock().unwrap(), [0, 1, 2]);
    assert_eq!(lasting.opened.lock().unwrap().len(), 2, "the source that was there, and the next one");
    assert_eq!(seen.frames.lock().unwrap().len(), 30);
    live.set_lasting_sink(LastingSink::Outputs, None);
    live.restart();
    wait_until("one more source", || analysed_frame(&live) == Some(2));
    assert_eq!(lasting.frames.lock().unwrap().len(), 3);
}
