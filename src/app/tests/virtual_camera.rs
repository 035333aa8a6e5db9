//! The virtual camera in the window: the key, the dialog, the preferences, what is told.

use facelens_media::CameraDevice;
use facelens_session::PictureLook;

use super::*;
use crate::outputs::{OutputOptions, OutputStatus, WantedOutputs};

fn on(camera: CameraChoice) -> OutputOptions {
    OutputOptions { camera: Some(camera), ..OutputOptions::default() }
}

fn device(place: &str) -> CameraChoice {
    CameraChoice::Device(CameraDevice { place: place.into(), name: None })
}

impl Test {
    fn outputs_of_camera(&self) -> Vec<OutputOptions> {
        self.fake.0.borrow().outputs.clone()
    }

    fn look(&self) -> PictureLook {
        self.fake.0.borrow().camera_look.unwrap()
    }

    fn camera_is(&mut self, status: OutputStatus) {
        self.fake.0.borrow_mut().output_status = Some(status);
        self.steps();
    }

    fn outputs_dialog(&mut self) {
        self.window.key_press_modifiers(Modifiers::SHIFT, Key::T);
        self.steps();
    }

    fn list_virtual(&mut self, devices: &[(u32, &str)]) {
        let devices = devices.iter().map(|(index, name)| camera(*index, name)).collect();
        self.report(TaskReport::VirtualCameras(Ok(devices)));
    }
}

#[test]
fn a_key_shows_the_image_as_a_camera_and_the_mark_says_so() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.steps();
    assert!(!test.shows("Live outputs:"));
    test.press(Key::V);
    assert_eq!(test.outputs_of_camera(), [on(CameraChoice::Any)]);
    assert!(test.shows("Live outputs: virtual camera"));
    let camera = "facelens (/dev/video10), YUYV 640x480";
    test.camera_is(OutputStatus { images: 9, camera: Some(camera.to_owned()), ..OutputStatus::default() });
    assert_eq!(test.message(), format!("Other programs see the image as the camera {camera}."));
    test.press(Key::V);
    assert_eq!(test.outputs_of_camera().last(), Some(&OutputOptions::default()));
    assert!(!test.shows("Live outputs:"));
}

#[test]
fn it_shows_what_recordings_show() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.press(Key::V);
    let look = test.look();
    assert_eq!((look.overlay, look.blur, look.scene.boxes), (true, false, true));
    test.press(Key::B);
    assert!(!test.look().scene.boxes);
    test.outputs_dialog();
    assert!(test.shows("Faces are not blurred"));
    test.click("With the overlay");
    assert!(!test.look().overlay);
    assert!(!test.window.state().settings.virtual_camera_overlay, "it is remembered");
    test.window.state_mut().settings.record_blur = true;
    test.steps();
    assert!(test.look().blur);
    assert!(test.shows("Faces are blurred, as in recorded videos; the image is half a second late."));
}

#[test]
fn a_device_is_chosen_from_the_list_used_at_once_and_remembered() {
    let mut test = Test::new();
    test.outputs_dialog();
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ListVirtualCameras));
    test.list_virtual(&[(10, "facelens"), (11, "OBS Virtual Camera")]);
    test.click("Show the image as a camera to other programs");
    test.open_list("Device of the virtual camera");
    test.click("OBS Virtual Camera (/dev/video11)");
    assert_eq!(test.outputs_of_camera(), [on(CameraChoice::Any), on(device("/dev/video11"))]);
    assert_eq!(test.window.state().settings.virtual_camera, Some("/dev/video11".into()));
    test.open_list("Device of the virtual camera");
    test.click("The first that is free");
    assert_eq!(test.outputs_of_camera().last(), Some(&on(CameraChoice::Any)));
    assert_eq!(test.window.state().settings.virtual_camera, None);
}

#[test]
fn without_a_device_the_dialog_and_the_preferences_say_what_to_install() {
    let mut test = Test::new();
    test.outputs_dialog();
    assert!(!test.shows("There is no virtual camera"), "it is not known yet");
    test.list_virtual(&[]);
    assert!(test.shows("There is no virtual camera on this machine: install v4l2loopback"));
    assert!(test.shows("sudo modprobe v4l2loopback exclusive_caps=1"));
    test.click("List the virtual cameras again");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ListVirtualCameras));
    test.list_virtual(&[(10, "facelens")]);
    assert!(!test.shows("There is no virtual camera"));
    test.press(Key::Escape);
    test.window.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    test.steps();
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ListVirtualCameras));
    test.list_virtual(&[]);
    assert!(test.shows("There is no virtual camera on this machine"));
}

#[test]
fn a_device_that_fails_is_told_once_and_marked() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.press(Key::V);
    let camera_error = Some("virtual camera facelens (/dev/video10): it is no longer there".to_owned());
    test.camera_is(OutputStatus { camera_error, ..OutputStatus::default() });
    assert_eq!(test.message(), "Virtual camera facelens (/dev/video10): it is no longer there.");
    let count = |test: &Test| test.window.query_all_by_label_contains("no longer there").count();
    let told = count(&test);
    for _ in 0..20 {
        test.steps();
    }
    assert!(count(&test) <= told);
}

#[test]
fn what_the_command_line_asks_for_holds_for_this_time_only() {
    let start = |camera: CameraChoice, remembered: Option<&str>| {
        let outputs = WantedOutputs { camera: Some(camera), ..WantedOutputs::default() };
        let settings = Settings { virtual_camera: remembered.map(Into::into), ..unfolded() };
        let test = Test::with(&AppOptions { outputs, ..AppOptions::default() }, settings.clone());
        assert_eq!(test.window.state().settings, settings);
        test
    };
    let named = start(CameraChoice::Index(12), Some("/dev/video11"));
    assert_eq!(named.outputs_of_camera(), [on(CameraChoice::Index(12))]);
    // Without a device, the remembered one.
    let remembered = start(CameraChoice::Any, Some("/dev/video11"));
    assert_eq!(remembered.outputs_of_camera(), [on(device("/dev/video11"))]);
}
