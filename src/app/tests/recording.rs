//! Recording in the window: what it shows, what it locks, what it asks.

use eframe::egui::{ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::NodeT as _;
use facelens_session::overlay::SceneOptions;
use facelens_session::recording::{RecordedPictures, RecordingState, RecordingStatus};
use facelens_session::recovery::{Recovered, Repairs};
use facelens_session::{SessionEnd, WriteErrorKind};

use super::*;
use crate::app::fake::recording;

impl Test {
    /// A window that shows a camera with a face and has its models.
    fn showing() -> Self {
        let mut test = Self::new();
        test.shipped();
        test.fake.play(0, &[1]);
        test.steps();
        test
    }

    /// One in which a recording is in full swing.
    fn recording() -> Self {
        let mut test = Self::showing();
        test.press(Key::E);
        test.does(recording(RecordingState::Recording));
        test
    }

    fn does(&mut self, status: RecordingStatus) {
        self.fake.0.borrow_mut().recording = Some(Arc::new(status));
        self.steps();
    }

    /// The user closes the window; the commands that the window gave.
    fn close(&mut self) -> Vec<ViewportCommand> {
        let viewport = self.window.input_mut().viewports.entry(ViewportId::ROOT).or_default();
        viewport.events.push(ViewportEvent::Close);
        self.window.step();
        let commands = self.commands();
        self.window.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.clear();
        self.steps();
        commands
    }

    fn commands(&self) -> Vec<ViewportCommand> {
        self.window.output().viewport_output.get(&ViewportId::ROOT).map(|out| out.commands.clone()).unwrap_or_default()
    }

    fn said(&self) -> (Tone, String) {
        self.window.state().notices.last().map(|(tone, words)| (tone, words.to_owned())).unwrap()
    }
}

#[test]
fn a_request_to_end_saves_the_recording_without_a_question_and_closes_the_window() {
    let mut test = Test::recording();
    let stop = test.fake.0.borrow().stop.0;
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    test.steps();
    assert_eq!(test.fake.0.borrow().stops, [SessionEnd::Stopped], "once, and without a click");
    assert!(!test.commands().contains(&ViewportCommand::Close), "not before it is saved");
    test.fake.0.borrow_mut().recording =
        Some(Arc::new(recording(RecordingState::Ended(SessionEnd::Failed { error: "the disk is full".into() }))));
    test.window.step();
    assert!(test.commands().contains(&ViewportCommand::Close), "also where it could not be saved");

    let test = {
        let mut test = Test::showing();
        test.fake.0.borrow().stop.0.store(true, std::sync::atomic::Ordering::SeqCst);
        test.window.step();
        test
    };
    assert!(test.commands().contains(&ViewportCommand::Close));
}

#[test]
fn a_key_and_a_button_start_and_stop_and_the_figures_are_shown() {
    let mut test = Test::showing();
    test.click("Record");
    {
        let stage = test.fake.0.borrow();
        let [options] = stage.recorders.as_slice() else { panic!("{:?}", stage.recorders) };
        assert_eq!((options.pictures, options.blur, options.mirror), (RecordedPictures::Both, false, false));
        assert!(options.folder.ends_with("facelens"));
        let info = &options.info;
        assert_eq!((info.source.name.as_str(), info.detector.as_str()), ("HD Webcam", "blaze-back"));
        assert_eq!(
            info.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>(),
            ["shipped-age", "shipped-gender"]
        );
    }
    test.does(recording(RecordingState::Recording));
    assert!(test.shows("Recording: 1:07, 34.6 MB, 123 GB free"));
    test.click("Stop recording");
    test.press(Key::E);
    assert_eq!(test.fake.0.borrow().stops, [SessionEnd::Stopped, SessionEnd::Stopped]);
    test.does(recording(RecordingState::Saving));
    assert!(test.shows("Saving…"));
    test.does(RecordingStatus { dropped: 12, ..recording(RecordingState::Ended(SessionEnd::Stopped)) });
    assert_eq!(test.said(), (Tone::Warn, "12 of 2015 frames could not be written in time.".to_owned()));
    assert!(!test.shows("Recording: ") && test.fake.0.borrow().recording.is_none());
}

#[test]
fn the_end_of_a_recording_is_told_once_and_can_be_found_again() {
    let mut test = Test::recording();
    test.does(recording(RecordingState::Ended(SessionEnd::Stopped)));
    let told = "1:07 min were recorded in /videos/facelens/session-2026-01-02_03-04-05.";
    assert!(test.shows("Recorded 1:07 min: session-2026-01-02_03-04-05"));
    assert!(!test.shows(told), "the bar says it");
    assert_eq!(test.said(), (Tone::Good, told.to_owned()), "it is in the list of messages");

    // The list of sessions stands in the place of the bar.
    let mut test = Test::recording();
    test.window.state_mut().library.open = true;
    test.does(recording(RecordingState::Ended(SessionEnd::Stopped)));
    assert!(!test.shows("Recorded 1:07 min") && test.shows(told));
}

#[test]
fn bars_above_the_picture_cover_nothing_of_it() {
    for size in [[1120.0, 700.0], [720.0, 480.0]] {
        let mut test = Test::recording();
        test.window.set_size(size.into());
        test.fake.show(SourceState::Ended(camera_info()));
        test.does(recording(RecordingState::Ended(SessionEnd::SourceEnded)));
        let (fitted, area) = test.window.state().viewer.place.unwrap();
        assert!(area.contains_rect(fitted) && area.height() > 240.0, "{area:?}");
        for words in ["has ended", "Play again", "Recorded 1:07 min", "Play the recording", "Hide the bar"] {
            let bar = test.window.get_by_label_contains(words).rect();
            assert!(bar.bottom() <= area.top() && bar.width() > 16.0, "{words} at {size:?}: {bar:?}, {area:?}");
        }
    }
}

#[test]
fn frames_that_were_lost_are_never_hidden() {
    let mut test = Test::recording();
    assert!(!test.shows("dropped"));
    test.does(RecordingStatus { dropped: 3, ..recording(RecordingState::Recording) });
    assert!(test.shows("3 dropped"));
}

#[test]
fn nothing_moves_when_recording_begins() {
    let mut test = Test::showing();
    let places =
        |test: &Test| ["Snapshot", "Pause", "PERFORMANCE", "File"].map(|label| test.window.get_by_label(label).rect());
    let before = places(&test);
    test.press(Key::E);
    test.does(recording(RecordingState::Recording));
    assert_eq!(places(&test), before);
}

#[test]
fn what_would_tear_the_recording_apart_is_locked_and_says_why() {
    let mut test = Test::recording();
    for key in [Key::O, Key::H, Key::C, Key::D, Key::R] {
        test.press(key);
        assert!(test.said().1.contains("Locked while recording"), "{key:?}");
    }
    test.report(TaskReport::SourcePicked(Picked::Files(vec!["clip.mp4".into()])));
    test.report(TaskReport::ModelPicked(Task::Age, Picked::Files(vec!["a.onnx".into()])));
    assert_eq!((test.last_source(), test.fake.0.borrow().restarts), (None, 0));
    let loads = test.tasks().iter().filter(|task| matches!(task, BackgroundTask::LoadModel { .. })).count();
    assert_eq!(loads, 0);
    for label in ["Source", "Detector", "Change the model for age"] {
        let node = test.window.get_by_label(label);
        assert!(node.accesskit_node().is_disabled(), "{label}");
    }
    // What is drawn over the picture is free, and is recorded as it is shown.
    test.press(Key::B);
    let scenes = test.fake.0.borrow().recorded_scenes.clone();
    assert_eq!(scenes.last().map(|scene: &SceneOptions| scene.boxes), Some(false));
    test.does(recording(RecordingState::Ended(SessionEnd::Stopped)));
    test.press(Key::D);
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
}

#[test]
fn closing_while_recording_asks_and_saves() {
    let mut test = Test::recording();
    assert!(test.close().contains(&ViewportCommand::CancelClose));
    assert!(test.shows("A recording is in progress"));
    test.click("Keep recording");
    assert!(!test.shows("A recording is in progress") && test.fake.0.borrow().stops.is_empty());

    test.press(Key::Q);
    assert!(test.shows("A recording is in progress"));
    assert!(!test.commands().contains(&ViewportCommand::Close));
    test.click("Save and close");
    assert_eq!(test.fake.0.borrow().stops, [SessionEnd::Stopped]);
    assert!(test.close().contains(&ViewportCommand::CancelClose), "not before it is saved");
    test.fake.0.borrow_mut().recording = Some(Arc::new(recording(RecordingState::Ended(SessionEnd::Stopped))));
    test.window.step();
    assert!(test.commands().contains(&ViewportCommand::Close));
    test.steps();
    assert!(!test.close().contains(&ViewportCommand::CancelClose), "now nothing holds it open");
}

#[test]
fn a_recording_that_cannot_be_saved_keeps_the_window_open() {
    let mut test = Test::recording();
    test.press(Key::Q);
    test.click("Save and close");
    let error = "video.mp4: it cannot be written (No space left on device); free some room".to_owned();
    test.fake.0.borrow_mut().recording = Some(Arc::new(recording(RecordingState::Ended(SessionEnd::Failed { error }))));
    test.window.step();
    assert!(!test.commands().contains(&ViewportCommand::Close));
    let (tone, words) = test.said();
    assert_eq!(tone, Tone::Bad);
    assert!(
        words.contains("No space left on device") && words.contains("What was written until then is in"),
        "{words}"
    );
}

#[test]
fn a_source_that_is_over_ends_the_recording() {
    let mut test = Test::recording();
    test.fake.show(SourceState::Ended(camera_info()));
    test.does(recording(RecordingState::Ended(SessionEnd::SourceEnded)));
    assert!(test.said().1.starts_with("The source has ended."));
    test.press(Key::E);
    assert!(test.said().1.contains("start it again (R), then record"), "{}", test.said().1);
    assert_eq!(test.fake.0.borrow().recorders.len(), 1);
}

#[test]
fn without_a_picture_or_models_nothing_is_recorded_and_it_is_said_why() {
    let mut test = Test::new();
    test.press(Key::E);
    assert!(test.said().1.contains("no image to record yet"));
    test.fake.play(0, &[]);
    test.steps();
    test.press(Key::E);
    assert!(test.said().1.contains("models are still loading"));
    assert!(test.fake.0.borrow().recorders.is_empty());
}

#[test]
fn the_options_are_chosen_in_a_dialog_and_remembered() {
    let mut test = Test::showing();
    test.window.key_press_modifiers(Modifiers::SHIFT, Key::E);
    test.steps();
    test.click("Without overlay");
    test.click("Blur faces");
    let settings = test.window.state().settings.clone();
    assert_eq!((settings.record_pictures, settings.record_blur), (RecordedPictures::Clean, true));
    test.click("Choose the folder for recordings");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickSessionsFolder));
    test.report(TaskReport::SessionsFolderPicked(Picked::Files(vec!["/tapes".into()])));
    assert!(test.shows("/tapes"));
    test.click("Close");
    test.press(Key::E);
    let options = test.fake.0.borrow().recorders[0].clone();
    assert_eq!((options.pictures, options.blur), (RecordedPictures::Clean, true));
    assert_eq!(options.folder, PathBuf::from("/tapes"));
}

#[test]
fn a_recording_that_was_broken_off_is_told_and_finished() {
    let mut test = Test::new();
    let session = PathBuf::from("/videos/facelens/session-2026-01-02_03-04-05");
    test.report(TaskReport::Unfinished(Ok(vec![session.clone()])));
    let (tone, words) = test.said();
    assert_eq!(tone, Tone::Warn);
    assert!(words.contains("was interrupted: session-2026-01-02_03-04-05"), "{words}");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::Recover(session.clone())));
    let recovered = Recovered {
        folder: session,
        frames: 412,
        duration: std::time::Duration::from_millis(13_700),
        repairs: Repairs::default(),
    };
    test.report(TaskReport::Recovered(Ok(Some(recovered))));
    assert!(test.said().1.contains("is recovered: 13.7 s, 412 frames"));
    test.report(TaskReport::Unfinished(Ok(vec![])));
    assert!(test.said().1.contains("is recovered"), "nothing found, nothing said");
    let busy = facelens_session::WriteError {
        kind: WriteErrorKind::InUse,
        path: "/videos".into(),
        cause: "another facelens is recording it".into(),
        remedy: String::new(),
    };
    test.report(TaskReport::Recovered(Err(busy)));
    assert!(test.said().1.contains("is recovered"), "what another window does is no news");
}
