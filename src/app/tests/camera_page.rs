//! The page of a camera: formats, controls, and what is remembered of them.

use facelens_media::{CameraControl, CameraFormat, CameraInfo, ControlKind, ControlRange, ControlValue};

use super::*;

fn format(text: &str) -> Option<CameraFormat> {
    text.parse().ok()
}

/// A camera with two sizes, of which the larger is slow without compression.
fn webcam() -> CameraInfo {
    let choices = ["640x480@30:YUYV", "1280x720@10:YUYV", "1280x720@30:MJPG", "1280x720@15:MJPG"];
    CameraInfo { choices: choices.iter().filter_map(|text| format(text)).collect(), ..camera(0, "HD Webcam") }
}

fn exposure(auto: bool, value: i64) -> CameraControl {
    let range = Some(ControlRange { smallest: 3, largest: 2047, step: 1, value });
    CameraControl { kind: ControlKind::Exposure, range, auto: Some(auto), default: ControlValue::Auto }
}

fn gain(value: i64) -> CameraControl {
    let range = Some(ControlRange { smallest: 0, largest: 255, step: 1, value });
    CameraControl { kind: ControlKind::Gain, range, auto: None, default: ControlValue::Fixed(64) }
}

/// The format and the values of controls that are remembered for a camera.
type Remembered = (Option<CameraFormat>, Vec<(ControlKind, ControlValue)>);

impl Test {
    /// A window that shows the camera.
    fn camera(settings: Settings) -> Self {
        let mut test = Self::with(&AppOptions::default(), settings);
        test.report(TaskReport::Cameras(Ok(vec![webcam()])));
        test.fake.play(0, &[1]);
        test.steps();
        test
    }

    fn open_page(&mut self) {
        self.window.key_press_modifiers(Modifiers::SHIFT, Key::C);
        self.steps();
    }

    /// What the newest task sets at the camera.
    fn set(&self) -> Vec<(ControlKind, ControlValue)> {
        match self.tasks().pop() {
            Some(BackgroundTask::SetCameraControls { device, settings }) if device == webcam().device => settings,
            other => panic!("{other:?}"),
        }
    }

    fn says(&mut self, controls: Vec<CameraControl>) {
        self.report(TaskReport::CameraControls(webcam().device, Ok(controls)));
    }

    fn remembered(&self) -> Option<Remembered> {
        let cameras = &self.window.state().settings.cameras;
        cameras.first().map(|camera| (camera.format.clone(), camera.controls.clone()))
    }
}

#[test]
fn a_format_is_chosen_part_by_part_and_remembered_of_the_camera() {
    let mut test = Test::camera(Settings::default());
    test.open_page();
    assert!(test.shows("HD Webcam") && test.shows("Now: MJPEG 640x480 at 30 fps"));
    test.open_list("Resolution");
    test.click("1280 × 720");
    assert_eq!(test.fake.0.borrow().restarts, 1);
    assert_eq!(test.fake.0.borrow().camera_formats.last(), Some(&format("1280x720")));
    test.fake.play(1, &[1]);
    test.steps();
    test.open_list("Rate");
    assert!(test.shows("10 fps") && test.shows("15 fps") && test.shows("30 fps"));
    test.click("15 fps");
    test.fake.play(2, &[1]);
    test.steps();
    test.open_list("Pixels");
    assert!(test.window.query_by_label("YUYV").is_none(), "these pixels do not come at 15 frames a second");
    test.click("MJPG");
    assert_eq!(test.remembered(), Some((format("1280x720@15:MJPG"), vec![])));
    test.fake.play(3, &[1]);
    test.steps();
    test.open_list("Resolution");
    test.window.query_all_by_label("Automatic").last().unwrap().click();
    test.steps();
    assert_eq!(test.remembered(), None, "nothing is left to remember");
    assert_eq!(test.fake.0.borrow().camera_formats.last(), Some(&None));
}

#[test]
fn a_control_is_set_remembered_and_set_again_when_the_camera_comes_back() {
    let mut test = Test::camera(Settings::default());
    test.open_page();
    assert_eq!(test.set(), [], "it is only asked");
    test.says(vec![exposure(true, 157), gain(10)]);
    test.click("Exposure automatic");
    let fixed = (ControlKind::Exposure, ControlValue::Fixed(157));
    assert_eq!((test.set(), test.remembered()), (vec![fixed], Some((None, vec![fixed]))));
    // Another one waits until the first is set.
    let set = |test: &mut Test, value| {
        let command = CameraCommand::Set(ControlKind::Gain, ControlValue::Fixed(value));
        let ctx = test.window.ctx.clone();
        test.window.state_mut().run(&ctx, AppCommand::Camera(command));
        test.steps();
    };
    set(&mut test, 20);
    set(&mut test, 30);
    assert_eq!(test.set(), [fixed]);
    test.says(vec![exposure(false, 157), gain(10)]);
    let gain_30 = (ControlKind::Gain, ControlValue::Fixed(30));
    assert_eq!(test.set(), [gain_30], "the last value alone");
    test.says(vec![exposure(false, 157), gain(30)]);

    let shown = SourceState::Disconnected { info: camera_info(), reason: "No such device".into() };
    test.fake.show(shown);
    test.steps();
    test.fake.play(9, &[1]);
    test.steps();
    assert_eq!(test.set(), [fixed, gain_30]);
    test.says(vec![exposure(false, 157), gain(30)]);
    test.click("Back to the camera's defaults");
    assert_eq!(test.set(), [(ControlKind::Exposure, ControlValue::Auto), (ControlKind::Gain, ControlValue::Fixed(64))]);
    assert_eq!(test.remembered(), None);
}

#[test]
fn what_is_remembered_comes_to_the_camera_at_the_start() {
    let controls = vec![(ControlKind::Gain, ControlValue::Fixed(7))];
    let camera = CameraSettings {
        name: "HD Webcam".into(),
        place: webcam().place().to_owned(),
        format: format("640x480"),
        controls: controls.clone(),
    };
    let settings =
        Settings { source: Some("camera:HD Webcam".parse().unwrap()), cameras: vec![camera], ..Settings::default() };
    let first = |options: &AppOptions| {
        crate::app::state::first_camera_format(options, &settings, settings.source.as_ref().unwrap())
    };
    assert_eq!(first(&AppOptions::default()), format("640x480"));
    let asked = AppOptions { camera_format: format("1280x720"), ..AppOptions::default() };
    assert_eq!(first(&asked), format("1280x720"), "the command line comes first");
    let test = Test::camera(settings.clone());
    assert_eq!(test.set(), controls);
}

#[test]
fn a_camera_that_refuses_its_remembered_format_opens_in_its_best_one() {
    let camera = CameraSettings { name: "HD Webcam".into(), format: format("4000x3000"), ..CameraSettings::default() };
    let settings =
        Settings { source: Some("camera:HD Webcam".parse().unwrap()), cameras: vec![camera], ..Settings::default() };
    let mut test = Test::camera(settings);
    test.failed(SourceErrorKind::Other);
    assert_eq!((test.fake.0.borrow().restarts, test.remembered()), (1, None));
    assert_eq!(test.fake.0.borrow().camera_formats.last(), Some(&None));
    let words = test.window.state().notices.last().unwrap().1.to_owned();
    assert!(words.contains("HD Webcam did not open as 4000x3000 (the cause)"), "{words}");
}

#[test]
fn a_camera_that_cannot_be_asked_says_why_and_the_format_is_locked_while_recording() {
    let mut test = Test::camera(Settings::default());
    test.shipped();
    test.open_page();
    let error = SourceError::new(SourceErrorKind::Other, "/dev/video0", "Permission denied", "do this");
    test.report(TaskReport::CameraControls(webcam().device, Err(error)));
    assert!(test.shows("Permission denied"));
    test.press(Key::E);
    assert!(
        egui_kittest::kittest::NodeT::accesskit_node(
            &test.window.get_by_role_and_label(egui::Role::ComboBox, "Resolution")
        )
        .is_disabled()
    );
    test.click("Done");
    assert!(!test.shows("Permission denied") && test.shows("PEOPLE"));
}

#[test]
fn without_a_camera_there_is_no_page() {
    let mut test = Test::new();
    test.press(Key::D);
    test.open_page();
    assert!(test.window.state().notices.last().unwrap().1.contains("No camera is shown"));
    assert!(!test.window.state().cameras.page.open);
}
