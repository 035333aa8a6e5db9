//! The page of preferences, the size of text and the window, and the page of the first start.

use egui_kittest::kittest::NodeT as _;

use super::*;
use crate::settings::ThemeChoice;

impl Test {
    fn preferences(settings: Settings) -> Self {
        let mut test = Self::with(&AppOptions::default(), settings);
        test.window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
        test.steps();
        assert!(test.shows("Preferences"));
        test
    }

    fn settings(&self) -> Settings {
        self.window.state().settings.clone()
    }
}

#[test]
fn the_theme_is_chosen_and_the_window_follows() {
    let mut test = Test::preferences(unfolded());
    assert_eq!(test.settings().theme, ThemeChoice::System);
    test.click("Light");
    assert_eq!(test.settings().theme, ThemeChoice::Light);
    assert!(!test.window.ctx.global_style().visuals.dark_mode);
    test.click("Dark");
    assert!(test.window.ctx.global_style().visuals.dark_mode);
}

#[test]
fn the_text_size_is_chosen_by_buttons_and_keys_and_kept() {
    let mut test = Test::preferences(Settings { text_size: 1.25, ..unfolded() });
    assert_eq!(test.window.ctx.zoom_factor(), 1.25, "as it was when the window was closed");
    // The page finds its new place.
    let click = |test: &mut Test, label: &str| {
        for _ in 0..3 {
            test.steps();
        }
        test.click(label);
    };
    click(&mut test, "Larger text");
    assert_eq!((test.settings().text_size, test.window.ctx.zoom_factor()), (1.5, 1.5));
    click(&mut test, "Smaller text");
    click(&mut test, "Smaller text");
    assert_eq!(test.window.ctx.zoom_factor(), 1.1);
    test.press(Key::Escape);
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::Plus);
    test.steps();
    assert_eq!((test.settings().text_size, test.window.ctx.zoom_factor()), (1.2, 1.2));
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    test.steps();
    assert_eq!(test.settings().text_size, 1.0);
}

#[test]
fn the_size_of_the_window_is_kept_whatever_the_size_of_its_text() {
    let mut test = Test::with(&AppOptions::default(), Settings { text_size: 2.0, ..unfolded() });
    let viewport = test.window.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default();
    // In points of text twice as large.
    viewport.inner_rect = Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(500.0, 400.0)));
    test.steps();
    assert_eq!(test.settings().window_size, [1000.0, 800.0]);
    test.window.input_mut().viewports.entry(egui::ViewportId::ROOT).or_default().maximized = Some(true);
    test.steps();
    assert_eq!((test.settings().maximized, test.settings().window_size), (true, [1000.0, 800.0]));
}

#[test]
fn folders_are_chosen_and_reset() {
    let mut test = Test::preferences(unfolded());
    test.click("Choose the folder for snapshots");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickSnapshotsFolder));
    test.report(TaskReport::SnapshotsFolderPicked(Picked::Files(vec!["/stills".into()])));
    test.click("Choose the folder for recordings");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickSessionsFolder));
    test.report(TaskReport::SessionsFolderPicked(Picked::Files(vec!["/tapes".into()])));
    assert!(test.shows("/stills") && test.shows("/tapes"));
    let settings = test.settings();
    assert_eq!((settings.snapshots_folder, settings.sessions_folder), (Some("/stills".into()), Some("/tapes".into())));
    test.press(Key::Escape);
    test.fake.play(0, &[1]);
    test.press(Key::S);
    let Some(BackgroundTask::Snapshot { folder, .. }) = test.tasks().pop() else { panic!("no snapshot") };
    assert_eq!(folder, PathBuf::from("/stills"));
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    test.steps();
    test.click("Use the default folder for snapshots");
    assert_eq!(test.settings().snapshots_folder, None);
}

#[test]
fn ages_and_genders_are_hidden_each_by_itself() {
    let mut test = Test::preferences(unfolded());
    test.fake.play(0, &[1]);
    test.steps();
    test.click("Gender");
    let options = test.window.state().scene_options(1.0);
    assert!(options.age && !options.gender && options.labels);
    test.click("Age");
    let settings = test.settings();
    assert!(!settings.show_age && !settings.show_gender);
    test.press(Key::Escape);
    assert!(test.shows("Person 1: yaw"));
}

#[test]
fn an_address_of_an_output_is_kept_and_a_wrong_one_is_told() {
    let mut test = Test::preferences(unfolded());
    let type_address = |test: &mut Test, text: &str| {
        let field = test.window.get_by_label("Address of opentrack");
        field.focus();
        field.click();
        test.steps();
        test.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        test.window.step();
        test.window.get_by_label("Address of opentrack").type_text(text);
        test.steps();
        test.press(Key::Enter);
    };
    type_address(&mut test, "nowhere.invalid:x");
    assert!(test.shows("`x` is not a valid port"));
    type_address(&mut test, "192.168.0.7:5005");
    assert_eq!(test.settings().opentrack_address, "192.168.0.7:5005".parse().unwrap());
    assert!(test.shows("This is another machine"));
    assert_eq!(test.fake.0.borrow().outputs, [], "nothing is switched on by that");
}

#[test]
fn in_the_smallest_window_the_preferences_can_be_closed() {
    let mut test = Test::preferences(unfolded());
    test.window.set_size(crate::app::MIN_SIZE.into());
    test.steps();
    let close = test.window.get_by_label("Close").rect();
    assert!(close.bottom() < crate::app::MIN_SIZE[1], "{close:?}");
    test.click("Close");
    assert_eq!(test.window.state().dialog, None);
}

#[test]
fn the_first_start_says_what_this_is_over_the_demo_and_opens_no_camera() {
    let mut test = Test::with(&AppOptions::default(), Settings { welcomed: false, ..unfolded() });
    assert_eq!(test.window.state().source.spec, SourceSpec::Demo);
    assert_eq!(test.fake.0.borrow().sources, []);
    for words in ["Welcome to facelens", "What it sends: nothing", "How far to trust it", "often wrong"] {
        assert!(test.shows(words), "{words}");
    }
    assert!(test.settings().welcomed, "it is shown once");
    test.report_of(1, TaskReport::Cameras(Ok(vec![camera(0, "HD Webcam")])));
    test.click("Use HD Webcam");
    let named = SourceSpec::Camera(CameraChoice::Name("HD Webcam".into()));
    assert_eq!((test.last_source(), test.window.state().dialog), (Some(named), None));
    // It can be read again.
    test.window.key_press_modifiers(Modifiers::SHIFT, Key::I);
    test.steps();
    assert!(test.shows("Welcome to facelens"));
    test.press(Key::Escape);
    assert!(!test.shows("Welcome to facelens"));
}

#[test]
fn who_chooses_nothing_at_the_first_start_gets_the_demo_again() {
    let mut test = Test::with(&AppOptions::default(), Settings { welcomed: false, ..unfolded() });
    test.press(Key::Escape);
    assert_eq!(test.settings().source, Some(SourceSpec::Demo));
}

#[test]
fn who_says_what_to_show_is_not_welcomed() {
    let source = Some(SourceSpec::Path("clip.mp4".into()));
    let fresh = Settings { welcomed: false, ..unfolded() };
    for (options, settings) in [
        (AppOptions { source: source.clone(), ..AppOptions::default() }, fresh.clone()),
        (AppOptions::default(), Settings { source, ..fresh.clone() }),
        (AppOptions { session: Some("some/session".into()), ..AppOptions::default() }, fresh),
    ] {
        let test = Test::with(&options, settings);
        assert_eq!(test.window.state().dialog, None);
    }
}

#[test]
fn both_themes_name_everything() {
    for theme in [ThemeChoice::Dark, ThemeChoice::Light] {
        let mut test = Test::preferences(Settings { theme, ..unfolded() });
        test.window.check_accessibility();
        test.press(Key::Escape);
        test.fake.play(0, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
        test.steps();
        test.window.check_accessibility();
        assert!(test.window.get_by_label("MODELS").accesskit_node().label().is_some());
    }
}
