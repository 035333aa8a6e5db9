//! Messages: where they stand, and that they can be closed, copied and found again.

use eframe::egui::{OutputCommand, Rect, Role};
use egui_kittest::kittest::NodeT as _;
use facelens_session::SessionFolder;

use super::*;

impl Test {
    /// Clicks, and gives what was copied by that.
    fn copied_by(&mut self, label: &str) -> Option<String> {
        self.window.get_by_label(label).click();
        self.window.step();
        self.window.output().platform_output.commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    }

    fn no_file_dialog(&mut self) {
        self.report(TaskReport::SourcePicked(Picked::NoDialog));
    }
}

#[test]
fn a_message_can_be_closed_and_copied() {
    let mut test = Test::new();
    test.no_file_dialog();
    assert!(test.shows("no file dialog"));
    let copied = test.copied_by("Copy this message").unwrap();
    assert!(copied.starts_with("This system has no file dialog:") && copied.ends_with("side panel."), "{copied}");
    test.click("Close this message");
    test.steps();
    assert!(!test.shows("Close this message"));
}

#[test]
fn messages_are_found_again_on_a_page_the_newest_first() {
    let mut test = Test::new();
    test.no_file_dialog();
    test.press(Key::S);
    for _ in 0..60 {
        test.steps();
    }
    assert!(!test.shows("Close this message"), "by now they were read");
    test.click("Help");
    test.window.get_by_label_contains("Messages…").click();
    test.steps();
    let place = |test: &Test, words: &str| test.window.get_by_label_contains(words).rect();
    let (newer, older) =
        (place(&test, "There is no image to save yet."), place(&test, "This system has no file dialog"));
    assert!(newer.bottom() <= older.top(), "{newer:?} {older:?}");
    let copied = test.copied_by("Copy all").unwrap();
    assert_eq!(copied.lines().count(), 2);
}

#[test]
fn messages_never_cover_the_timeline_or_a_bar() {
    let mut test = Test::new();
    let folder = tempfile::tempdir().unwrap();
    crate::testing::session::write(folder.path(), &crate::testing::session::rows(), &[]);
    test.report(TaskReport::SessionPicked(Picked::Files(vec![folder.path().to_owned()])));
    test.report(TaskReport::Session(SessionFolder::open(folder.path()).map(Box::new)));
    assert!(test.window.state().replay.open().is_some());
    for size in [[1120.0, 700.0], [720.0, 480.0]] {
        test.window.set_size(size.into());
        for number in 0..6 {
            let words = format!("message {number}: {}", "words that go on and on ".repeat(8));
            test.window.state_mut().notices.say(Tone::Warn, words);
        }
        test.steps();
        let timeline = test.window.get_by_label_contains("Timeline in seconds").rect();
        let bars: Vec<Rect> = ["Snapshot", "File"].map(|label| test.window.get_by_label(label).rect()).to_vec();
        let labels = test.window.query_all_by_role(Role::Label);
        let is_message = |label: Option<String>| label.is_some_and(|label| label.starts_with("message "));
        let shown: Vec<Rect> =
            labels.filter(|node| is_message(node.accesskit_node().value())).map(|node| node.rect()).collect();
        assert!(!shown.is_empty());
        for rect in shown {
            for other in bars.iter().chain([&timeline]) {
                assert!(!rect.intersects(*other), "{rect:?} covers {other:?} at {size:?}");
            }
        }
    }
}

#[test]
fn a_button_of_a_message_does_what_it_says() {
    let mut test = Test::new();
    let button = ("Watch".to_owned(), crate::app::action::Action::Demo.into());
    test.window.state_mut().notices.say_with(Tone::Good, "It is recorded.", vec![button]);
    test.steps();
    test.click("Watch");
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
    test.steps();
    assert!(!test.shows("Close this message"));
    assert_eq!(test.window.query_all_by_role(Role::Alert).count(), 0);
}
