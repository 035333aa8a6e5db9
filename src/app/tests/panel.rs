//! The side panel: room for many people, parts that fold, a width that only the user changes.

use eframe::egui::{Pos2, Rect, pos2};
use egui_kittest::kittest::NodeT as _;

use super::*;

impl Test {
    /// A window with the settings of a first start and models for every task.
    fn with_models() -> Self {
        let mut test = Self::with(&AppOptions::default(), Settings::default());
        let set = |task| vec![model("shipped", task)];
        let models = ModelSet { age: set(Task::Age), gender: set(Task::Gender), pose: set(Task::Pose) };
        test.report(TaskReport::Shipped(Ok(models)));
        test
    }

    /// Where the rows of the people can be: between the title above and the title below.
    fn list(&self) -> Rect {
        let above = self.window.get_by_label_contains("PEOPLE").rect();
        let below = self.window.get_by_label("MODELS").rect();
        Rect::from_min_max(above.left_bottom(), below.right_top())
    }

    fn person(&self, id: u64) -> Rect {
        self.window.get_by_label_contains(&format!("Person {id}:")).rect()
    }

    fn drag(&mut self, from: Pos2, to: Pos2) {
        self.window.drag_at(from);
        self.window.step();
        self.window.hover_at(to);
        self.window.step();
        self.window.drop_at(to);
        self.steps();
    }
}

#[test]
fn eight_people_are_readable_in_a_window_of_the_usual_size() {
    let mut test = Test::with_models();
    test.fake.play(0, &[1, 2, 3, 4, 5, 6, 7, 8]);
    test.steps();
    let list = test.list();
    let mut above = list.top() - 4.0;
    for id in 1..=8 {
        let row = test.person(id);
        assert!(list.expand(1.0).contains_rect(row), "row {id} {row:?} is not inside of {list:?}");
        assert!(row.top() >= above + 3.9 && row.height() >= 36.0, "row {id} {row:?}");
        above = row.bottom();
    }
    assert!(test.shows("Person 8: age 34–42, female, 9 in 10, yaw -12°, pitch 3°, roll 1°"));
    // With few, each has its histories again.
    test.fake.play(200, &[1, 2]);
    test.steps();
    assert!(test.person(1).height() > 90.0 && list.contains_rect(test.person(2)));
}

#[test]
fn parts_fold_and_the_people_get_their_room() {
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1]);
    test.steps();
    let height = |test: &Test| test.list().height();
    let before = height(&test);
    test.click("PERFORMANCE");
    assert!(!test.shows("Captured"));
    test.click("MODELS");
    assert!(!test.shows("Change the model for age"));
    assert!(test.shows("Head pose: no model"), "what is missing is told all the same");
    test.steps();
    assert!(height(&test) > before + 100.0, "{} {before}", height(&test));
    assert_eq!(test.window.state().settings.folded, ["performance", "models"]);
    test.click("PEOPLE  1");
    assert!(!test.shows("Person 1"));
    test.click("PEOPLE  1");
    test.click("MODELS");
    assert!(test.shows("Person 1") && test.shows("Change the model for age"));
    assert_eq!(test.window.state().settings.folded, ["performance"]);
}

#[test]
fn a_long_name_widens_nothing_and_its_ends_stay() {
    let mut test = Test::new();
    let places = |test: &Test| ["Refresh", "Show", "PERFORMANCE"].map(|label| test.window.get_by_label(label).rect());
    let before = places(&test);
    let name = format!("{} the end.mp4", "a very long name of a holiday by the sea ".repeat(6));
    test.report(TaskReport::SourcePicked(Picked::Files(vec![name.clone().into()])));
    let info = facelens_media::SourceInfo { name, ..camera_info() };
    test.fake.show(SourceState::Running(info));
    for _ in 0..3 {
        test.steps();
    }
    assert_eq!(places(&test), before);
    assert_eq!(test.window.state().settings.panel_width, 320.0);
    let shortened = test.window.query_all_by_label_contains("…").filter(|node| {
        let label = node.accesskit_node().value().unwrap_or_default();
        label.starts_with("a very") && label.ends_with("end.mp4")
    });
    assert!(shortened.count() >= 1, "both ends of the name are to be seen");
}

#[test]
fn only_dragging_its_edge_changes_the_width_that_is_remembered() {
    let mut test = Test::new();
    // How far its left edge is from the right edge of the window's contents.
    let edge = |test: &Test| test.window.get_by_label("Width of the side panel").rect().left() + 3.0;
    let right = edge(&test) + 320.0;
    test.drag(pos2(edge(&test), 300.0), pos2(right - 400.0, 300.0));
    assert_eq!((edge(&test), test.window.state().settings.panel_width), (right - 400.0, 400.0));
    test.drag(pos2(edge(&test), 300.0), pos2(100.0, 300.0));
    assert_eq!(test.window.state().settings.panel_width, 480.0, "not wider than it may be");
    // A narrow window forces a narrow panel for as long as it is narrow.
    test.window.set_size(egui::vec2(600.0, 480.0));
    test.steps();
    assert!(edge(&test) > 230.0, "the picture keeps its room: {}", edge(&test));
    assert_eq!(test.window.state().settings.panel_width, 480.0);
    test.window.set_size(egui::vec2(1120.0, 700.0));
    test.steps();
    assert_eq!(edge(&test), right - 480.0);
}

#[test]
fn what_is_shown_of_people_can_be_chosen() {
    let mut test = Test::with(&AppOptions::default(), Settings { show_gender: false, ..unfolded() });
    test.fake.play(0, &[1]);
    test.steps();
    assert!(test.shows("Person 1: age 27–35, yaw") && !test.shows("female"));
    let options = test.window.state().scene_options(1.0);
    assert!(options.age && !options.gender);
}

#[test]
fn a_list_without_people_says_why() {
    let mut test = Test::new();
    assert!(test.shows("No image yet."));
    test.fake.play(0, &[]);
    test.steps();
    assert!(test.shows("Nobody in view."));
    test.fake.0.borrow_mut().frame = None;
    test.fake.0.borrow_mut().analysis = None;
    test.failed(SourceErrorKind::Unreadable);
    assert!(!test.shows("Nobody in view.") && test.shows("There is no image to look for people in."));
}
