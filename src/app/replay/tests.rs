//! A session in the window, by its widgets.

use std::time::{Duration, Instant};

use crate::testing::session::{FRAMES, rows, write};
use eframe::egui::{Event, Key, Modifiers, PointerButton, pos2, vec2};
use egui_kittest::kittest::Queryable as _;
use facelens_media::{CameraChoice, SourceSpec};
use facelens_session::FrameRow;

use super::*;
use crate::app::AppOptions;
use crate::app::background_tasks::{BackgroundTask, Picked, TaskReport};
use crate::app::fake::camera_info;
use crate::app::notices::Tone;
use crate::app::tests::{Test, unfolded};
use crate::pipeline::SourceState;

/// A window with a session; its folder lives as long as the test.
struct Window {
    test: Test,
    folder: tempfile::TempDir,
}

fn window(rows: &[FrameRow], videos: &[(&str, bool)]) -> Window {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), rows, videos);
    let mut window = Window { test: Test::new(), folder };
    window.open();
    window
}

impl Window {
    fn open(&mut self) {
        let path = self.folder.path().to_owned();
        self.test.report(TaskReport::SessionPicked(Picked::Files(vec![path.clone()])));
        assert_eq!(self.test.tasks().last(), Some(&BackgroundTask::OpenSession(path.clone())));
        self.test.report(TaskReport::Session(SessionFolder::open(&path).map(Box::new)));
    }

    fn replay(&self) -> &Replay {
        self.test.window.state().replay.open().unwrap()
    }

    fn position(&self) -> f64 {
        self.replay().playback.position_s()
    }

    /// The identities whose overlay is drawn.
    fn shown(&self) -> Vec<u64> {
        self.test.window.state().viewer.shot.as_ref().unwrap().faces().iter().map(|face| face.id).collect()
    }

    /// Waits for the decoder's thread.
    fn until_picture(&mut self, number: u64) {
        let begun = Instant::now();
        let light = |window: &Self| window.test.window.state().viewer.shot.as_ref().unwrap().frame.clone();
        while light(self).sequence != number || light(self).rgb()[..3] == GROUND {
            assert!(begun.elapsed() < Duration::from_secs(30), "image {number} does not come");
            std::thread::sleep(Duration::from_millis(2));
            self.test.steps();
        }
    }
}

#[test]
fn a_session_takes_the_place_of_the_camera_which_is_let_go() {
    let mut window = window(&rows(), &[]);
    assert_eq!(window.test.fake.0.borrow().let_go, 1);
    assert!(window.test.shows("SESSION") && window.test.shows("PEOPLE  2"));
    assert!(window.test.shows("This session has no video: only the overlay is shown"));
    assert_eq!((window.shown(), window.position()), (vec![1], 0.0));
    window.test.press(Key::Backspace);
    assert_eq!(window.test.last_source(), Some(SourceSpec::Camera(CameraChoice::Any)));
    assert!(window.test.window.state().replay.is_none() && window.test.shows("SOURCE"));
}

#[test]
fn space_plays_and_holds_and_the_arrows_step_to_both_ends() {
    let mut window = window(&rows(), &[]);
    window.test.press(Key::ArrowLeft);
    assert_eq!(window.position(), 0.0);
    window.test.press(Key::ArrowRight);
    assert_eq!(window.position(), 0.1);
    assert!(window.test.shows("frame 2 of 50"));
    window.test.press(Key::End);
    window.test.press(Key::ArrowRight);
    assert!(window.test.shows("frame 50 of 50"));
    window.test.press(Key::Home);
    window.test.press(Key::Space);
    assert!(window.replay().playback.is_playing() && window.test.shows("Pause"));
    let before = window.position();
    window.test.steps();
    assert!((window.position() - before - 0.4).abs() < 1e-6, "four repaints a tenth of a second apart");
    window.test.click("2×");
    let before = window.position();
    window.test.steps();
    assert!((window.position() - before - 0.8).abs() < 1e-6);
    window.test.press(Key::Space);
    let held = window.position();
    window.test.steps();
    assert_eq!(window.position(), held);
}

#[test]
fn dragging_over_the_timeline_scrubs() {
    let mut window = window(&rows(), &[]);
    let rect = window.test.window.get_by_label_contains("Timeline").rect();
    let at = |part: f32| pos2(rect.left() + 52.0 + (rect.width() - 54.0) * part, rect.center().y);
    let harness = &mut window.test.window;
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(Event::PointerMoved(at(0.2)));
    harness.event(button(at(0.2), true));
    harness.run_steps(2);
    harness.event(Event::PointerMoved(at(0.5)));
    harness.run_steps(2);
    assert!((window.position() - 2.5).abs() < 0.05, "{}", window.position());
    let harness = &mut window.test.window;
    harness.event(Event::PointerMoved(at(0.5) + vec2(9999.0, 0.0)));
    harness.run_steps(2);
    harness.event(button(at(1.0), false));
    harness.run_steps(2);
    assert_eq!(window.position(), 5.0);
    let harness = &mut window.test.window;
    harness.event(button(at(0.3), true));
    harness.event(button(at(0.3), false));
    harness.run_steps(2);
    assert!((window.position() - 1.5).abs() < 0.05, "a click goes there: {}", window.position());
}

#[test]
fn one_person_is_shown_alone_and_everybody_again() {
    let mut window = window(&rows(), &[]);
    window.test.click("Person 2 at 0:01.0");
    assert_eq!((window.position(), window.shown()), (1.0, vec![1, 2]));
    window.test.click("Only person 2");
    assert_eq!(window.shown(), [2]);
    window.test.press(Key::Num0);
    assert_eq!(window.shown(), [1, 2]);
    window.test.press(Key::N);
    assert_eq!(window.position(), 3.5);
    window.test.window.key_press_modifiers(Modifiers::SHIFT, Key::N);
    window.test.steps();
    assert_eq!(window.position(), 1.0);
}

#[test]
fn the_switches_of_the_live_view_restyle_the_overlay() {
    let mut window = window(&rows(), &[]);
    for key in [Key::B, Key::L, Key::A, Key::G, Key::M] {
        let before = window.test.window.state().scene_options(1.0);
        window.test.press(key);
        assert_ne!(window.test.window.state().scene_options(1.0), before, "{key:?}");
    }
    window.test.press(Key::S);
    let Some(BackgroundTask::Snapshot { input, still, .. }) = window.test.tasks().pop() else { panic!("no snapshot") };
    assert_eq!((input.as_str(), still.0.faces.len()), ("HD Webcam", 1));
}

#[test]
fn the_picture_comes_from_the_clean_video_with_its_own_faces() {
    let mut window = window(&rows(), &[("video.mp4", true), ("clean.mp4", false)]);
    window.until_picture(0);
    window.test.click("Person 2 at 0:03.5");
    window.until_picture(35);
    assert_eq!(window.shown(), [1, 2]);
    window.test.press(Key::ArrowLeft);
    window.until_picture(34);
    assert_eq!(window.shown(), [1]);
    assert!(!window.test.shows("no video") && !window.test.shows("part of this video"));
}

#[test]
fn an_overlay_that_is_part_of_the_picture_is_not_drawn_twice() {
    let mut window = window(&rows(), &[("video.mp4", true)]);
    window.until_picture(0);
    assert_eq!(window.shown(), Vec::<u64>::new());
    assert!(window.test.shows("The overlay is part of this video"));
}

#[test]
fn a_video_that_cannot_be_read_leaves_the_overlay_and_says_why() {
    let mut window = window(&rows(), &[("clean.mp4", false)]);
    std::fs::write(window.folder.path().join("clean.mp4"), "no video").unwrap();
    window.open();
    let begun = Instant::now();
    while !window.test.shows("The image cannot be shown") {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(2));
        window.test.steps();
    }
    assert_eq!(window.shown(), [1]);
}

#[test]
fn a_session_without_data_still_plays_its_video() {
    let mut window = window(&rows(), &[("clean.mp4", false)]);
    std::fs::remove_file(window.folder.path().join("faces.csv")).unwrap();
    window.open();
    window.until_picture(0);
    assert!(window.test.shows("faces.csv is missing") && window.test.shows("Nobody was found"));
    assert_eq!(window.replay().playback.frames(), FRAMES as usize);
    window.test.press(Key::ArrowRight);
    window.until_picture(1);
    window.test.press(Key::P);
    window.open();
    let (tone, words) = window.test.window.state().notices.last().unwrap();
    assert!(
        tone == Tone::Warn && words.contains("faces.csv is missing"),
        "without the panel a notice says so: {words}"
    );
}

#[test]
fn an_empty_session_says_that_there_is_nothing_to_play() {
    let mut window = window(&[], &[]);
    assert!(window.test.shows("There is nothing to play") && window.test.shows("frame 0 of 0"));
    for key in [Key::Space, Key::ArrowRight, Key::ArrowLeft, Key::End, Key::N, Key::ArrowUp] {
        window.test.press(key);
    }
    assert!(!window.replay().playback.is_playing());
}

#[test]
fn the_menu_asks_for_a_session_and_a_folder_that_is_one_opens_as_one() {
    let mut test = Test::new();
    test.press(Key::H);
    assert!(matches!(test.tasks().last(), Some(BackgroundTask::PickSession(_))));
    test.report(TaskReport::SessionPicked(Picked::Files(vec!["some/session".into()])));
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::OpenSession("some/session".into())));
    test.report(TaskReport::SessionPicked(Picked::NoDialog));
    assert!(test.window.state().notices.last().unwrap().1.contains("drop the session's folder"));

    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &rows(), &[]);
    test.report(TaskReport::SourcePicked(Picked::Files(vec![folder.path().to_owned()])));
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::OpenSession(folder.path().to_owned())));
    assert_eq!(test.last_source(), None);
}

#[test]
fn a_folder_that_is_no_session_leaves_the_live_picture() {
    let mut test = Test::new();
    test.fake.show(SourceState::Running(camera_info()));
    let folder = tempfile::tempdir().unwrap();
    test.report(TaskReport::Session(SessionFolder::open(folder.path()).map(Box::new)));
    let (tone, words) = test.window.state().notices.last().unwrap();
    assert!(tone == Tone::Bad && words.contains("there is no session in this folder"), "{words}");
    assert!(test.window.state().replay.is_none());
}

#[test]
fn the_window_that_was_to_show_a_session_has_a_page_where_it_cannot() {
    let options = AppOptions { session: Some("some/session-1".into()), ..AppOptions::default() };
    let mut test = Test::with(&options, unfolded());
    assert!(test.shows("Opening session-1"));
    assert!(test.tasks().contains(&BackgroundTask::OpenSession("some/session-1".into())));
    test.report(TaskReport::Session(Err(SessionError::Empty("some/session-1".into()))));
    assert!(test.shows("This session cannot be opened") && test.shows("choose a folder that facelens recorded"));
    test.click("Open session…");
    assert!(matches!(test.tasks().last(), Some(BackgroundTask::PickSession(_))));
    test.click("Close session");
    assert_eq!(test.last_source(), Some(SourceSpec::Camera(CameraChoice::Any)));
}

#[test]
fn replay_actions_wait_for_a_session() {
    let mut test = Test::new();
    for action in Action::ALL.into_iter().filter(|action| action.is_replay()) {
        assert!(!test.window.state().is_available(action), "{action:?}");
    }
    test.press(Key::ArrowRight);
    let mut window = window(&rows(), &[]);
    for action in Action::ALL.into_iter().filter(|action| action.is_replay()) {
        assert!(window.test.window.state().is_available(action), "{action:?}");
    }
    window.test.window.check_accessibility();
    window.test.window.set_size(crate::app::MIN_SIZE.into());
    window.test.steps();
    assert!(window.test.shows("frame 1 of 50"), "at the smallest size, too");
}

#[test]
fn times_are_said_as_people_say_them() {
    let said = |secs, decimals| clock(secs, decimals);
    assert_eq!([said(0.0, 2), said(12.345, 2), said(59.96, 1)], ["0:00.00", "0:12.35", "1:00.0"]);
    assert_eq!([said(65.0, 0), said(3725.5, 1), said(-1.0, 0)], ["1:05", "1:02:05.5", "0:00"]);
}
