//! Choosing cameras: by the list, by the key, and two of one model.

use facelens_media::{CameraInfo, SourceInfo};

use super::*;

#[test]
fn the_picker_lists_cameras_and_switches_to_the_one_clicked() {
    let mut test = Test::new();
    test.report(TaskReport::Cameras(Ok(vec![camera(0, "HD Webcam"), camera(2, "Desk Cam")])));
    test.click("Source");
    test.click("Desk Cam");
    assert_eq!(test.last_source(), Some(SourceSpec::Camera(CameraChoice::Name("Desk Cam".into()))));
}

#[test]
fn c_goes_round_the_cameras_and_looks_for_one_where_none_is_known() {
    let mut test = Test::new();
    test.report(TaskReport::Cameras(Ok(vec![])));
    test.press(Key::C);
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ListCameras));
    test.report(TaskReport::Cameras(Ok(vec![])));
    assert_eq!(test.window.state().notices.last().unwrap().0, Tone::Info);
    test.press(Key::C);
    test.report(TaskReport::Cameras(Ok(vec![camera(0, "HD Webcam"), camera(2, "Desk Cam")])));
    let names = ["Desk Cam", "HD Webcam", "Desk Cam"].map(|name| SourceSpec::Camera(CameraChoice::Name(name.into())));
    for name in names {
        assert_eq!(test.last_source(), Some(name));
        test.press(Key::C);
    }
}

#[test]
fn of_two_cameras_of_one_model_each_can_be_chosen_and_is_remembered() {
    let mut test = Test::new();
    let twins = [camera(0, "Twin"), camera(2, "Twin")];
    let named = |camera: &CameraInfo| SourceSpec::Camera(CameraChoice::of(camera, &twins));
    test.report(TaskReport::Cameras(Ok(twins.to_vec())));
    for (label, twin) in [("Twin (2)", &twins[1]), ("Twin (0)", &twins[0]), ("Twin (2)", &twins[1])] {
        test.click("Source");
        test.click(label);
        assert_eq!(test.last_source(), Some(named(twin)), "{label}");
        let Some(SourceSpec::Camera(CameraChoice::Device(device))) = test.last_source() else { panic!("no device") };
        assert_eq!((Some(device.place), device.name.as_deref()), (twin.by_path.clone(), Some("Twin")));
        assert_eq!(test.window.state().settings.source, Some(named(twin)));
    }
    test.fake.show(SourceState::Running(SourceInfo { name: "Twin".into(), ..camera_info() }));
    test.steps();
    assert_eq!(test.window.state().source_title(), "Twin (2)");
    for twin in [&twins[0], &twins[1], &twins[0]] {
        test.press(Key::C);
        assert_eq!(test.last_source(), Some(named(twin)));
    }
}

#[test]
fn a_remembered_camera_that_is_missing_is_named_and_a_name_of_two_is_asked_about() {
    let twins = [camera(0, "Twin"), camera(2, "Twin")];
    let second = SourceSpec::Camera(CameraChoice::of(&twins[1], &twins));
    let mut test = Test::with(&AppOptions::default(), Settings { source: Some(second), ..unfolded() });
    assert!(test.shows("Opening Twin"));
    let subject = "Twin (/dev/v4l/by-path/usb-0:2:1.0-video-index0)";
    let error = SourceError::new(SourceErrorKind::NoSuchCamera, subject, "there is no such camera", "");
    test.fake.show(SourceState::Failed(error));
    test.report(TaskReport::Cameras(Ok(twins[..1].to_vec())));
    assert!(test.shows("Twin was not found") && test.shows(subject) && test.shows("Use Twin"));

    let named = SourceSpec::Camera(CameraChoice::Name("Twin".into()));
    let mut test = Test::with(&AppOptions::default(), Settings { source: Some(named), ..unfolded() });
    test.report(TaskReport::Cameras(Ok(twins.to_vec())));
    test.failed(SourceErrorKind::AmbiguousCamera);
    assert!(test.shows("Which camera?") && test.shows("Use Twin (0)"));
    test.click("Use Twin (2)");
    assert_eq!(test.last_source(), Some(SourceSpec::Camera(CameraChoice::of(&twins[1], &twins))));
}
