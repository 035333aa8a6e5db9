//! The two threads of the window.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use facelens_core::detect::DetectorKind;
use facelens_core::model::ModelSet;
use facelens_media::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

use crate::pipeline::analysis_thread::Makers;
use crate::pipeline::fakes::*;
use crate::pipeline::{LiveOptions, LiveSession, SourceState};

fn is_running(live: &LiveSession) -> bool {
    matches!(live.status().shown, SourceState::Running(_))
}

#[test]
fn the_newest_frame_of_a_camera_wins_and_drops_are_counted() {
    let (sender, source) = fed(SourceKind::Camera);
    let (gate, mut pass) = DetectorGate::new();
    let live = start(
        camera(),
        openings(vec![Ok(source)]),
        makers(move |_, frame| {
            pass(frame);
            Ok(vec![found(FACE)])
        }),
    );
    sender.send(Next::Frame(frame(0))).unwrap();
    assert_eq!(gate.waits(), 0);
    for sequence in 1..=3 {
        sender.send(Next::Frame(frame(sequence))).unwrap();
    }
    wait_until("all captured", || live.status().captured == 4);
    assert_eq!(live.frame().unwrap().sequence, 3, "the image does not wait for the analysis");
    gate.go.send(()).unwrap();
    assert_eq!(gate.waits(), 3);
    gate.go.send(()).unwrap();
    wait_until("the newest analysed", || analysed_frame(&live) == Some(3));
    wait_until("figures", || (live.status().analysed, live.status().dropped) == (2, 2));
    assert_eq!(live.analysis().unwrap().faces[0].id, 1);
}

#[test]
fn frames_that_a_camera_lost_on_the_way_are_counted_with_the_dropped_ones() {
    let (sender, source) = fed(SourceKind::Camera);
    let live = start(camera(), openings(vec![Ok(source)]), makers(always_a_face));
    // Its own buffer was full: 3 and 4 never came.
    for sequence in [0, 1, 2, 5] {
        sender.send(Next::Frame(frame(sequence))).unwrap();
        wait_until("an analysis", || analysed_frame(&live) == Some(sequence));
    }
    wait_until("figures", || {
        let status = live.status();
        (status.captured, status.analysed, status.dropped) == (6, 4, 2)
    });
}

#[test]
fn every_frame_of_a_file_is_analysed_and_the_last_one_stays() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&seen);
    let live = start(
        file(),
        openings(vec![Ok(list(SourceKind::Video, frames(40)))]),
        makers(move |_, frame| {
            note.lock().unwrap().push(frame.sequence);
            sleep(Duration::from_millis(1));
            Ok(vec![found(FACE)])
        }),
    );
    wait_until("the end", || matches!(live.status().shown, SourceState::Ended(_)) && analysed_frame(&live) == Some(39));
    assert_eq!(*seen.lock().unwrap(), (0..40).collect::<Vec<_>>());
    wait_until("figures", || live.status().analysed == 40);
    assert_eq!((live.status().captured, live.status().dropped), (40, 0));
    assert_eq!(live.frame().unwrap().sequence, 39);
}

#[test]
fn after_a_change_of_source_nothing_of_the_old_one_is_shown() {
    let (old, old_source) = fed(SourceKind::Camera);
    let (new, new_source) = fed(SourceKind::Camera);
    let (gate, mut pass) = DetectorGate::new();
    let live = start(
        camera(),
        openings(vec![Ok(old_source), Ok(new_source)]),
        makers(move |_, frame| {
            if frame.sequence < 100 {
                pass(frame);
            }
            Ok(vec![found(FACE)])
        }),
    );
    old.send(Next::Frame(frame(7))).unwrap();
    assert_eq!(gate.waits(), 7);
    assert_eq!(live.frame().unwrap().sequence, 7);
    live.set_source(camera());
    assert!(live.frame().is_none() && live.analysis().is_none());
    assert!(matches!(live.status().shown, SourceState::Opening));
    assert_eq!(live.status().captured, 0);
    // The old source is let go, and the analysis of its frame comes too late.
    wait_until("the old source is let go", || old.send(Next::Waiting).is_err());
    gate.go.send(()).unwrap();
    new.send(Next::Frame(frame(100))).unwrap();
    wait_until("the new source", || {
        let shown = analysed_frame(&live);
        assert_ne!(shown, Some(7));
        shown == Some(100)
    });
    assert_eq!(live.analysis().unwrap().faces[0].id, 1, "identities start anew");
}

#[test]
fn a_source_that_cannot_be_opened_is_reported_and_a_camera_is_tried_again() {
    let live = start(file(), openings(vec![Err(error(SourceErrorKind::Unreadable))]), makers(always_a_face));
    let failed =
        |live: &LiveSession, kind| matches!(&live.status().shown, SourceState::Failed(error) if error.kind == kind);
    wait_until("unreadable", || failed(&live, SourceErrorKind::Unreadable));
    sleep(Duration::from_millis(250));
    assert!(failed(&live, SourceErrorKind::Unreadable), "a file is not tried again");

    let (sender, source) = fed(SourceKind::Camera);
    let tries = vec![Err(error(SourceErrorKind::NoCamera)), Err(error(SourceErrorKind::Busy)), Ok(source)];
    let live = start(camera(), openings(tries), makers(always_a_face));
    wait_until("no camera", || failed(&live, SourceErrorKind::NoCamera));
    wait_until("busy", || failed(&live, SourceErrorKind::Busy));
    wait_until("running", || is_running(&live));
    sender.send(Next::Frame(frame(0))).unwrap();
    wait_until("an image", || analysed_frame(&live) == Some(0));
}

#[test]
fn a_camera_that_stalls_or_is_unplugged_is_shown_so_and_comes_back() {
    let (sender, source) = fed(SourceKind::Camera);
    let live = start(camera(), openings(vec![Ok(source)]), makers(always_a_face));
    sender.send(Next::Frame(frame(0))).unwrap();
    wait_until("running", || is_running(&live));
    sender.send(Next::Stalled { silent_for: Duration::from_secs(3) }).unwrap();
    wait_until(
        "stalled",
        || matches!(live.status().shown, SourceState::Stalled { silent_secs, .. } if silent_secs == 3.0),
    );
    sender.send(Next::Frame(frame(1))).unwrap();
    wait_until("running again", || is_running(&live));
    sender.send(Next::Disconnected { reason: "unplugged".into() }).unwrap();
    wait_until(
        "gone",
        || matches!(&live.status().shown, SourceState::Disconnected { reason, .. } if reason == "unplugged"),
    );
    sender.send(Next::Frame(frame(2))).unwrap();
    wait_until("back", || is_running(&live) && analysed_frame(&live) == Some(2));
}

#[test]
fn panics_in_a_source_are_reported() {
    let live = start(file(), Arc::new(|_| panic!("bad header")), makers(always_a_face));
    let says = |live: &LiveSession, words: &str| matches!(&live.status().shown, SourceState::Failed(error) if error.to_string().contains(words));
    wait_until("the panic of the opening", || says(&live, "bad header"));
    let live =
        start(file(), openings(vec![Ok(scripted(SourceKind::Video, || panic!("bad frame")))]), makers(always_a_face));
    wait_until("the panic of the reading", || says(&live, "bad frame"));
}

#[test]
fn a_detector_that_panics_or_fails_is_reported_and_later_frames_work() {
    let (sender, source) = fed(SourceKind::Camera);
    let live = start(
        camera(),
        openings(vec![Ok(source)]),
        makers(|_, frame| match frame.sequence {
            0 => panic!("a detector's bug"),
            1 => Err(detect_error()),
            _ => Ok(vec![found(FACE)]),
        }),
    );
    sender.send(Next::Frame(frame(0))).unwrap();
    wait_until("the panic's words", || error_words(&live).contains("a detector's bug"));
    sleep(Duration::from_millis(60));
    sender.send(Next::Frame(frame(1))).unwrap();
    wait_until("the error's words", || error_words(&live).contains("it is tired"));
    assert!(live.analysis().is_none());
    assert_eq!(live.frame().unwrap().sequence, 1, "the image goes on");
    sender.send(Next::Frame(frame(2))).unwrap();
    wait_until("an analysis", || analysed_frame(&live) == Some(2));
    sleep(Duration::from_millis(300));
    sender.send(Next::Frame(frame(3))).unwrap();
    wait_until("no error any more", || live.status().analysis_error.is_none());
}

#[test]
fn after_a_panic_nobody_gets_a_number_that_somebody_had() {
    let (sender, source) = fed(SourceKind::Camera);
    let (next_sender, next_source) = fed(SourceKind::Camera);
    let live = start(
        camera(),
        openings(vec![Ok(source), Ok(next_source)]),
        makers(|_, frame| if frame.sequence == 1 { panic!("a detector's bug") } else { Ok(vec![found(FACE)]) }),
    );
    let ids = |sender: &std::sync::mpsc::Sender<Next>, sequence| {
        sender.send(Next::Frame(frame(sequence))).unwrap();
        wait_until("an analysis", || analysed_frame(&live) == Some(sequence));
        live.analysis().unwrap().faces.iter().map(|face| face.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(&sender, 0), [1]);
    sender.send(Next::Frame(frame(1))).unwrap();
    wait_until("the panic's words", || error_words(&live).contains("a detector's bug"));
    sleep(Duration::from_millis(60));
    assert_eq!(ids(&sender, 2), [2], "whether it is the same person nobody knows any more");
    assert_eq!(ids(&sender, 3), [2]);
    live.set_source(camera());
    assert_eq!(ids(&next_sender, 5), [1], "another source starts anew");
}

#[test]
fn a_held_file_goes_on_by_steps_and_a_held_camera_freezes() {
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let endless = move |kind, count: Arc<AtomicU64>| {
        scripted(kind, move || {
            sleep(Duration::from_millis(2));
            Ok(Next::Frame(frame(count.fetch_add(1, Ordering::SeqCst))))
        })
    };
    let live = start(file(), openings(vec![Ok(endless(SourceKind::Video, count))]), makers(always_a_face));
    wait_until("frames", || analysed_frame(&live) > Some(3));
    live.set_paused(true);
    // What was read before the order came is still shown.
    let still = || {
        let shown = live.frame().unwrap().sequence;
        sleep(Duration::from_millis(60));
        (shown == live.frame().unwrap().sequence).then_some(shown)
    };
    wait_until("it holds", || still().is_some());
    let held = still().unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), held + 1);
    live.step();
    wait_until("one step", || analysed_frame(&live) == Some(held + 1));
    assert_eq!(still(), Some(held + 1));
    live.set_paused(false);
    wait_until("it goes on", || analysed_frame(&live) > Some(held + 5));

    let asked = Arc::new(AtomicU64::new(0));
    let sources = vec![Ok(endless(SourceKind::Camera, Arc::clone(&asked)))];
    let live = start(camera(), openings(sources), makers(always_a_face));
    wait_until("frames", || analysed_frame(&live) > Some(3));
    live.set_paused(true);
    wait_until("it freezes while the camera is read on", || {
        let (shown, before) = (live.frame().unwrap().sequence, asked.load(Ordering::SeqCst));
        sleep(Duration::from_millis(60));
        shown == live.frame().unwrap().sequence && asked.load(Ordering::SeqCst) > before
    });
}

#[test]
fn a_file_that_is_opened_while_held_shows_its_first_frame() {
    let sources = vec![Ok(list(SourceKind::Video, frames(5))), Ok(list(SourceKind::Video, frames(5)))];
    let live = start(file(), openings(sources), makers(always_a_face));
    wait_until("the end", || matches!(live.status().shown, SourceState::Ended(_)));
    live.set_paused(true);
    live.restart();
    wait_until("the first frame", || analysed_frame(&live) == Some(0));
    sleep(Duration::from_millis(60));
    assert_eq!(live.frame().unwrap().sequence, 0);
    assert!(is_running(&live));
}

#[test]
fn a_picture_shows_at_once_what_another_detector_or_model_makes_of_it() {
    let live = start(
        file(),
        openings(vec![Ok(list(SourceKind::Pictures, frames(1)))]),
        makers(|kind, _| Ok(if kind == DetectorKind::Seeta { vec![found(FACE)] } else { vec![] })),
    );
    wait_until("no face", || live.analysis().is_some_and(|analysis| analysis.faces.is_empty()));
    live.set_detector(DetectorKind::Seeta);
    wait_until("a face", || live.analysis().is_some_and(|analysis| analysis.faces.len() == 1));
    let before = live.analysis().unwrap();
    live.set_models(ModelSet::default());
    wait_until("another analysis", || !Arc::ptr_eq(&before, &live.analysis().unwrap()));
    sleep(Duration::from_millis(260));
    wait_until("counted once", || live.status().analysed == 1);
}

#[test]
fn a_detector_that_cannot_be_made_is_reported_and_the_old_one_goes_on() {
    let (sender, source) = fed(SourceKind::Camera);
    let Makers { detector, estimates } = makers(always_a_face);
    let refusing: Makers = Makers {
        detector: Box::new(move |kind| if kind == DetectorKind::Seeta { Err(detect_error()) } else { detector(kind) }),
        estimates,
    };
    let live = start(camera(), openings(vec![Ok(source)]), refusing);
    sender.send(Next::Frame(frame(0))).unwrap();
    wait_until("an analysis", || analysed_frame(&live) == Some(0));
    live.set_detector(DetectorKind::Seeta);
    wait_until("the error's words", || error_words(&live).contains("it is tired"));
    sender.send(Next::Frame(frame(1))).unwrap();
    wait_until("the old one goes on", || analysed_frame(&live) == Some(1));
    assert!(error_words(&live).contains("it is tired"));
}

/// How long it takes to close.
fn closing(live: LiveSession) -> Duration {
    let start = Instant::now();
    drop(live);
    start.elapsed()
}

#[test]
fn closing_ends_everything_within_a_second() {
    const SECOND: Duration = Duration::from_secs(1);
    // A source that takes long to open.
    let opening = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&opening);
    let slow = move |_: &_| {
        begun.store(true, Ordering::SeqCst);
        sleep(Duration::from_secs(3));
        Err(error(SourceErrorKind::Busy))
    };
    let live = start(camera(), Arc::new(slow), makers(always_a_face));
    wait_until("it opens", || opening.load(Ordering::SeqCst));
    assert!(closing(live) < SECOND);

    // One that holds its thread for as long as it may, beside a slow detector.
    let let_go = Arc::new(AtomicBool::new(false));
    let flag = LetGo(Arc::clone(&let_go));
    let mut next = 0;
    let source = scripted(SourceKind::Video, move || {
        let _held = &flag;
        sleep(Duration::from_millis(250));
        next += 1;
        Ok(Next::Frame(frame(next)))
    });
    let slow_detector = makers(|_, _| {
        sleep(Duration::from_millis(200));
        Ok(vec![])
    });
    let live = start(file(), openings(vec![Ok(source)]), slow_detector);
    wait_until("an analysis", || live.analysis().is_some());
    assert!(closing(live) < SECOND);
    assert!(let_go.load(Ordering::SeqCst), "the thread and its source are gone");
}

#[test]
fn a_source_is_let_go_and_another_one_is_opened_later() {
    let gone = Arc::new(AtomicBool::new(false));
    let flag = LetGo(Arc::clone(&gone));
    let mut next = 0;
    let first = scripted(SourceKind::Camera, move || {
        let _held = &flag;
        next += 1;
        Ok(Next::Frame(frame(next)))
    });
    let sources = openings(vec![Ok(first), Ok(list(SourceKind::Video, frames(3)))]);
    let live = start(camera(), sources, makers(always_a_face));
    wait_until("an image", || live.frame().is_some());
    live.let_go();
    wait_until("the camera is let go", || gone.load(Ordering::SeqCst));
    assert!(live.frame().is_none() && matches!(live.status().shown, SourceState::Opening));
    live.set_source(file());
    wait_until("the file is analysed", || analysed_frame(&live) == Some(2));
}

#[test]
fn without_a_first_source_nothing_is_opened() {
    let opened = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&opened);
    let open = move |_: &_| {
        flag.store(true, Ordering::SeqCst);
        Ok(list(SourceKind::Video, frames(3)))
    };
    let options = LiveOptions {
        source: None,
        models: ModelSet::default(),
        detector: DetectorKind::BlazeBack,
        sink: None,
        camera_format: None,
        wake: Arc::new(|| ()),
    };
    let live = LiveSession::start_with(options, Arc::new(open), makers(always_a_face)).unwrap();
    live.set_paused(false);
    sleep(Duration::from_millis(20));
    assert!(!opened.load(Ordering::SeqCst));
    live.set_source(file());
    wait_until("the file is analysed", || analysed_frame(&live) == Some(2));
}

struct LetGo(Arc<AtomicBool>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn the_window_is_woken_when_there_is_something_new() {
    let woken = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&woken);
    let options = LiveOptions {
        source: Some(file()),
        models: ModelSet::default(),
        detector: DetectorKind::BlazeBack,
        sink: None,
        camera_format: None,
        wake: Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        }),
    };
    let sources = openings(vec![Ok(list(SourceKind::Video, frames(10)))]);
    let live = LiveSession::start_with(options, sources, makers(always_a_face)).unwrap();
    wait_until("the end", || analysed_frame(&live) == Some(9));
    wait_until("a call for each frame and the last analysis", || woken.load(Ordering::SeqCst) > 10);
}

/// A video of 100 frames that can be sought.
struct Seekable {
    info: SourceInfo,
    next: u64,
}

impl Seekable {
    fn boxed() -> Box<dyn Source> {
        let duration = Some(Duration::from_secs(4));
        Box::new(Self { info: SourceInfo { duration, ..info(SourceKind::Video) }, next: 0 })
    }
}

impl Source for Seekable {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        sleep(Duration::from_millis(2));
        if self.next == 100 {
            return Ok(Next::End);
        }
        self.next += 1;
        Ok(Next::Frame(frame(self.next - 1)))
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        self.next = (time.as_millis() / 40) as u64;
        Ok(())
    }
}

#[test]
fn a_file_goes_on_where_it_is_told_also_while_held_and_after_its_end() {
    let live = start(file(), openings(vec![Ok(Seekable::boxed()), Ok(Seekable::boxed())]), makers(always_a_face));
    wait_until("frames", || analysed_frame(&live) > Some(1));
    live.set_paused(true);
    live.seek(Duration::from_millis(2000));
    assert!(live.frame().is_some(), "what is shown stays until there is something else");
    wait_until("the frame there", || analysed_frame(&live) == Some(50));
    // Many at once, as a hand that drags: the last one counts.
    for millis in [400, 800, 1200] {
        live.seek(Duration::from_millis(millis));
    }
    wait_until("the last of them, backwards", || analysed_frame(&live) == Some(30));
    sleep(Duration::from_millis(60));
    assert_eq!(live.frame().unwrap().sequence, 30, "it is still held");
    assert!(is_running(&live));
    live.set_paused(false);
    wait_until("the end", || matches!(live.status().shown, SourceState::Ended(_)));
    live.set_paused(true);
    live.seek(Duration::from_millis(3600));
    wait_until("the frame there, opened again", || analysed_frame(&live) == Some(90));
    assert!(is_running(&live));
}
