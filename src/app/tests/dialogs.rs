//! Keys while a dialog or a menu is open, the menus in a small window, and what cannot be recorded.

use facelens_media::{SourceInfo, SourceKind};

use super::*;

impl Test {
    pub(super) fn message(&self) -> String {
        self.window.state().notices.last().map(|(_, words)| words.to_owned()).unwrap_or_default()
    }
}

#[test]
fn behind_a_dialog_keys_do_nothing() {
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1]);
    test.steps();
    test.window.key_press_modifiers(Modifiers::SHIFT, Key::T);
    test.steps();
    assert_eq!(test.window.state().dialog, Some(Dialog::Outputs));
    for key in [Key::E, Key::Q, Key::D, Key::O, Key::S, Key::Space, Key::F1, Key::B] {
        test.press(key);
    }
    assert!(test.fake.0.borrow().recorders.is_empty() && test.fake.0.borrow().paused.is_empty());
    assert_eq!(test.last_source(), None);
    assert!(test.window.state().settings.boxes);
    assert_eq!(test.window.state().dialog, Some(Dialog::Outputs));
    // Its own key closes it, and then keys work again.
    test.window.key_press_modifiers(Modifiers::SHIFT, Key::T);
    test.steps();
    assert_eq!(test.window.state().dialog, None);
    test.press(Key::E);
    assert_eq!(test.fake.0.borrow().recorders.len(), 1);
}

#[test]
fn an_open_menu_has_the_keys() {
    let mut test = Test::new();
    test.click("View");
    test.press(Key::D);
    assert_eq!(test.last_source(), None);
    test.press(Key::Escape);
    test.press(Key::D);
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
}

#[test]
fn in_the_smallest_window_the_file_menu_has_its_last_entry_in_sight() {
    let mut test = Test::new();
    test.window.set_size(crate::app::MIN_SIZE.into());
    test.steps();
    test.click("File");
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, crate::app::MIN_SIZE.into());
    let quit = test.window.get_by_label_contains("Quit").rect();
    assert!(window.shrink(4.0).contains_rect(quit), "{quit:?}");
    test.window.get_by_label_contains("Quit").click();
    test.window.step();
    let commands = &test.window.output().viewport_output[&egui::ViewportId::ROOT].commands;
    assert!(commands.contains(&egui::ViewportCommand::Close), "{commands:?}");
}

#[test]
fn what_cannot_be_recorded_is_told_with_what_can_be_done() {
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1]);
    test.steps();
    let still = SourceInfo { kind: SourceKind::Pictures, frame_count: Some(1), ..camera_info() };
    test.fake.show(SourceState::Ended(still));
    test.press(Key::E);
    assert!(test.message().contains("a single image") && test.message().contains("S saves it"), "{}", test.message());
    test.failed(SourceErrorKind::Unreadable);
    test.press(Key::E);
    assert!(test.message().contains("cannot be shown. Choose another source"), "{}", test.message());
    assert!(test.fake.0.borrow().recorders.is_empty());
}

#[test]
fn that_faces_are_blurred_is_shown_while_recording() {
    for (blur, pictures, shown) in [
        (true, facelens_session::recording::RecordedPictures::Both, true),
        (true, facelens_session::recording::RecordedPictures::None, false),
        (false, facelens_session::recording::RecordedPictures::Both, false),
    ] {
        let settings = Settings { record_blur: blur, record_pictures: pictures, ..unfolded() };
        let mut test = Test::with(&AppOptions::default(), settings);
        test.shipped();
        test.fake.play(0, &[1]);
        test.steps();
        test.press(Key::E);
        assert_eq!(test.shows("faces blurred"), shown, "{blur} {pictures:?}");
    }
}

#[test]
fn the_dialog_for_sessions_begins_where_recordings_are_kept() {
    let mut test =
        Test::with(&AppOptions::default(), Settings { sessions_folder: Some("/tapes".into()), ..unfolded() });
    test.press(Key::H);
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickSession(Some("/tapes".into()))));
}

#[test]
fn the_banner_over_the_demo_can_be_closed() {
    let mut test = Test::new();
    test.press(Key::D);
    test.fake.play(0, &[1]);
    test.steps();
    assert!(test.shows("This is the demo"));
    test.click("Close this banner");
    assert!(!test.shows("This is the demo"));
}

#[test]
fn a_key_is_changed_by_a_click_on_it_and_remembered() {
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1]);
    test.press(Key::F1);
    test.click("Change the key for Record");
    assert!(test.shows("press a key") || test.window.state().waits_for_key.is_some());
    test.press(Key::R);
    assert!(test.message().contains("R belongs to \"Start again\""), "{}", test.message());
    assert_eq!(test.fake.0.borrow().restarts, 0, "the key was not for the window");
    test.click("Change the key for Record");
    test.press(Key::Escape);
    assert_eq!((test.window.state().waits_for_key, test.window.state().dialog), (None, Some(Dialog::Help)));
    test.click("Change the key for Record");
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::R);
    test.steps();
    assert_eq!(test.window.state().settings.keys["record"], "Ctrl+R");
    test.press(Key::Escape);
    test.press(Key::E);
    assert!(test.fake.0.borrow().recorders.is_empty(), "E is free now");
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::R);
    test.steps();
    assert_eq!(test.fake.0.borrow().recorders.len(), 1);

    test.press(Key::F1);
    test.click("Usual keys for Record");
    assert!(test.window.state().settings.keys.is_empty());
}

#[test]
fn keys_of_the_settings_are_used_and_wrong_ones_are_named() {
    let keys = [("mirror", "F5"), ("fly", "F6")].map(|(name, key)| (name.to_owned(), key.to_owned()));
    let mut test = Test::with(&AppOptions::default(), Settings { keys: keys.into(), ..unfolded() });
    assert!(test.message().contains("there is no action `fly`"), "{}", test.message());
    test.fake.play(0, &[]);
    test.press(Key::M);
    assert!(test.window.state().mirrored());
    test.press(Key::F5);
    assert!(!test.window.state().mirrored());
}

#[test]
fn a_dialog_takes_the_room_that_there_is_before_it_scrolls() {
    let mut test = Test::new();
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    test.steps();
    let last = test.window.get_by_label("About and privacy").rect();
    let close = test.window.get_by_label("Close").rect();
    assert!(last.bottom() < close.top() && close.bottom() < 700.0, "{last:?} {close:?}");
    // In the smallest window it scrolls, and its button stays in sight.
    test.window.set_size(crate::app::MIN_SIZE.into());
    test.steps();
    let close = test.window.get_by_label("Close").rect();
    assert!(close.bottom() < crate::app::MIN_SIZE[1] && close.bottom() > crate::app::MIN_SIZE[1] - 72.0, "{close:?}");
}
