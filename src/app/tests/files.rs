//! Videos and folders in the window: the seek bar, images by number, recent files.

use std::time::Duration;

use facelens_core::Analysis;
use facelens_core::StageTimings;
use facelens_media::{SourceInfo, SourceKind};

use super::*;
use crate::pipeline::Status;

impl Test {
    /// A window that shows a file of this kind and length, at frame `sequence` of 30 a second.
    fn file(kind: SourceKind, duration: Option<Duration>, frame_count: u64, sequence: u64, name: Option<&str>) -> Self {
        let mut test = Self::new();
        test.window.state_mut().source.spec = SourceSpec::Path("clip.mp4".into());
        test.at(kind, duration, frame_count, sequence, name);
        test
    }

    fn at(&mut self, kind: SourceKind, duration: Option<Duration>, count: u64, sequence: u64, name: Option<&str>) {
        let mut shown = Arc::unwrap_or_clone(frame(64, 48, sequence));
        shown.name = name.map(Into::into);
        let shown = Arc::new(shown);
        let info = SourceInfo { kind, duration, frame_count: Some(count), ..camera_info() };
        {
            let mut stage = self.fake.0.borrow_mut();
            stage.frame = Some(Arc::clone(&shown));
            stage.analysis = Some(Arc::new(Analysis { frame: shown, faces: vec![], timings: StageTimings::default() }));
            stage.status = Some(Arc::new(Status { shown: SourceState::Running(info), ..crate::app::fake::status() }));
        }
        self.steps();
    }

    fn seeks(&self) -> Vec<u64> {
        self.fake.0.borrow().seeks.iter().map(|time| time.as_millis() as u64).collect()
    }
}

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

#[test]
fn a_video_has_a_seek_bar_and_keys_that_go_back_and_on() {
    let mut test = Test::file(SourceKind::Video, MINUTE, 1800, 600, None);
    assert!(test.shows("0:20") && test.shows("1:00"));
    for key in [Key::ArrowRight, Key::ArrowLeft, Key::Home, Key::End] {
        test.press(key);
    }
    assert_eq!(test.seeks(), [25_000, 15_000, 0, 59_900]);
    assert!(test.fake.0.borrow().paused.is_empty(), "it goes on");
    test.at(SourceKind::Video, MINUTE, 1800, 1700, None);
    test.press(Key::ArrowRight);
    assert_eq!(test.seeks().len(), 4, "there is nothing after the end");
}

#[test]
fn a_click_and_a_drag_on_the_bar_go_there_and_a_drag_holds_the_video() {
    let mut test = Test::file(SourceKind::Video, MINUTE, 1800, 0, None);
    let bar = test.window.get_by_label_contains("Position in the video").rect();
    let at = |part: f32| egui::pos2(bar.left() + 6.0 + (bar.width() - 12.0) * part, bar.center().y);
    let near = |test: &Test, wanted: u64| test.seeks().last().is_some_and(|last| last.abs_diff(wanted) < 500);
    test.window.drag_at(at(0.5));
    test.window.drop_at(at(0.5));
    test.steps();
    assert!(near(&test, 30_000), "{:?}", test.seeks());
    assert!(test.fake.0.borrow().paused.is_empty());
    test.window.drag_at(at(0.5));
    test.window.step();
    test.window.hover_at(at(0.7));
    test.window.step();
    test.window.hover_at(at(0.25));
    test.window.step();
    assert!(near(&test, 15_000), "{:?}", test.seeks());
    assert_eq!(test.fake.0.borrow().paused, [true]);
    test.window.drop_at(at(0.25));
    test.steps();
    assert_eq!(test.fake.0.borrow().paused, [true, false], "it goes on when the pointer lets go");
}

#[test]
fn a_folder_says_which_image_it_is_and_goes_to_the_next_and_the_previous() {
    let six = Some(Duration::from_secs(6));
    let mut test = Test::file(SourceKind::Pictures, six, 3, 1, Some("mountain.jpg"));
    assert!(test.shows("2 of 3") && test.shows("mountain.jpg"));
    test.click("Next image");
    assert_eq!((test.seeks(), test.window.state().source.paused), (vec![4000], true), "it waits there");
    test.press(Key::ArrowLeft);
    assert_eq!(test.seeks(), [4000, 0]);
    test.at(SourceKind::Pictures, six, 3, 2, Some("sea.jpg"));
    assert!(test.shows("3 of 3") && test.shows("sea.jpg"));
    test.press(Key::ArrowRight);
    assert_eq!(test.seeks(), [4000, 0], "there is no fourth");
}

#[test]
fn what_cannot_be_sought_has_no_bar() {
    let mut test = Test::file(SourceKind::Pictures, None, 1, 0, None);
    assert!(!test.shows("1 of 1"));
    test.press(Key::ArrowRight);
    assert!(test.seeks().is_empty());
}

#[test]
fn a_file_that_is_recorded_is_not_sought() {
    let mut test = Test::file(SourceKind::Video, MINUTE, 1800, 600, None);
    test.shipped();
    test.press(Key::E);
    test.press(Key::ArrowRight);
    assert!(test.seeks().is_empty());
    assert!(test.window.state().notices.last().unwrap().1.contains("Locked while recording"));
}

#[test]
fn recent_files_are_remembered_offered_and_named_where_they_are_missing() {
    let mut test = Test::new();
    for file in ["/videos/one.mp4", "/videos/two.mp4", "/videos/one.mp4"] {
        test.report(TaskReport::SourcePicked(Picked::Files(vec![file.into()])));
    }
    let recent = ["/videos/one.mp4", "/videos/two.mp4"].map(PathBuf::from);
    assert_eq!(test.window.state().settings.recent_files, recent);
    test.click("File");
    test.window.get_by_label_contains("Open recent").click();
    test.steps();
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::FindMissing(recent.to_vec())));
    test.report(TaskReport::Missing(Some(vec![recent[0].clone()])));
    assert!(test.shows("one.mp4 (missing)"));
    test.click("two.mp4");
    assert_eq!(test.last_source(), Some(SourceSpec::Path(recent[1].clone())));
}
