//! What people reach without a mouse or without eyes: pasting, the tree of a screen reader, permissions.

use eframe::egui::Role;
use egui_kittest::kittest::NodeT as _;

use super::*;

#[test]
fn a_path_can_be_pasted_into_the_address_field() {
    let mut test = Test::new();
    // The letters are the system's fonts' business; which are installed here does not matter.
    test.window.ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
    test.window.get_by_role(Role::TextInput).focus();
    test.steps();
    test.window.event(egui::Event::Paste("/videos/人物 عائلة.mp4\n".into()));
    test.steps();
    // The end of the line that came along is a blank.
    assert_eq!(test.window.state().source.path_field.trim(), "/videos/人物 عائلة.mp4");
    test.press(Key::Enter);
    assert_eq!(test.last_source(), Some(SourceSpec::Path("/videos/人物 عائلة.mp4".into())));
}

#[test]
fn a_screen_reader_finds_the_people_the_buttons_and_the_notices() {
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1, 2]);
    test.steps();
    test.fake.play(10, &[2]);
    test.steps();
    let people = test.window.get_by_role_and_label(Role::List, "People");
    let rows: Vec<String> = people
        .children_recursive()
        .map(|node| node.accesskit_node())
        .filter(|node| node.role() == Role::ListItem)
        .filter_map(|node| node.label())
        .collect();
    let pose = "yaw -12°, pitch 3°, roll 1°";
    assert_eq!(
        rows,
        [
            format!("Person 1: age 27–35, female, 9 in 10, {pose}, not in view"),
            format!("Person 2: age 28–36, female, 9 in 10, {pose}")
        ]
    );
    let buttons = [
        "Pause",
        "Mirror",
        "Boxes",
        "Labels",
        "Pose axes",
        "Angles",
        "Snapshot",
        "Record",
        "Hide panel",
        "Refresh",
        "Show",
        "Change the model for age",
        "Change the model for gender",
        "Load a head pose model",
    ];
    for button in buttons {
        test.window.get_by_role_and_label(Role::Button, button);
    }
    for combo in ["Source", "Detector"] {
        test.window.get_by_role_and_label(Role::ComboBox, combo);
    }
    test.window.get_by_role_and_label(Role::TextInput, "Path of a video, image or folder");
    test.window.get_by_role_and_label(Role::Image, "Image of HD Webcam, 1 face");
    test.report(TaskReport::SourcePicked(Picked::NoDialog));
    let notice = test.window.get_by_role(Role::Alert);
    assert!(notice.accesskit_node().label().is_some_and(|label| label.contains("no file dialog")));
    test.press(Key::I);
    test.window.get_by_role_and_label(Role::Link, "SSR-Net");
}

#[test]
fn macos_is_told_what_the_camera_is_for_in_both_ways() {
    let (program, bundle) =
        (include_str!("../../../assets/macos/Info.plist"), include_str!("../../../assets/macos/camera.plist"));
    let manifest = include_str!("../../../Cargo.toml");
    assert!(manifest.contains("osx_info_plist_exts = [\"assets/macos/camera.plist\"]"));
    for line in bundle.lines() {
        assert!(program.contains(line), "{line}");
    }
    assert!(bundle.contains("NSCameraUsageDescription"));
}

#[test]
fn at_the_smallest_size_nothing_panics_and_everything_is_named() {
    let mut test = Test::new();
    test.window.set_size(crate::app::MIN_SIZE.into());
    test.shipped();
    for sequence in 0..3 {
        test.fake.play(sequence, &[1, 2, 3]);
        test.steps();
    }
    test.window.check_accessibility();
    assert!(test.shows("Person 1"));
}

#[test]
fn in_the_smallest_window_no_button_of_the_bar_covers_another() {
    let mut test = Test::new();
    test.window.set_size(crate::app::MIN_SIZE.into());
    test.steps();
    let record = test.window.get_by_role_and_label(Role::Button, "Record").rect();
    let panel = test.window.get_by_role_and_label(Role::Button, "Hide panel").rect();
    assert!(record.right() < panel.left(), "{record:?} {panel:?}");
}

#[test]
fn entries_of_menus_say_whether_they_are_on() {
    let mut test = Test::new();
    test.press(Key::L);
    test.click("View");
    let toggled = |label: &str| {
        let entry = test.window.get_by_role_and_label(Role::MenuItemCheckBox, label);
        entry.accesskit_node().toggled()
    };
    use eframe::egui::accesskit::Toggled;
    assert_eq!((toggled("Boxes B"), toggled("Labels L")), (Some(Toggled::True), Some(Toggled::False)));
}
