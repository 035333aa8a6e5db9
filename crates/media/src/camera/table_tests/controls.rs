//! Controls of played cameras.

use super::fake::{EXPOSURE, EXPOSURE_AUTO, FakeCamera, WHITE_BALANCE, WHITE_BALANCE_AUTO};
use super::plain;
use crate::camera::controls::{CameraControl, ControlKind, ControlRange, ControlValue, read, set_one};
use crate::camera::driver::{Driver as _, DriverControl};

fn control(id: u32, (smallest, largest, step): (i64, i64, i64), default: i64) -> DriverControl {
    DriverControl { id, smallest, largest, step, default, is_read_only: false, items: Vec::new() }
}

/// As a C920 has them: exposure by a menu of which two items exist, gain without a switch, no focus.
fn camera() -> FakeCamera {
    let menu = DriverControl { items: vec![1, 3], ..control(EXPOSURE_AUTO, (0, 3, 1), 3) };
    let gain = control(0x0098_0913, (0, 255, 1), 64);
    let controls = vec![
        (menu, 3),
        (control(EXPOSURE, (3, 2047, 1), 250), 157),
        (gain, 0),
        (control(WHITE_BALANCE_AUTO, (0, 1, 1), 1), 1),
        (control(WHITE_BALANCE, (2000, 6500, 10), 4000), 4000),
    ];
    let mut fake = plain(b"YUYV");
    fake.controls = controls;
    FakeCamera::new(fake)
}

#[test]
fn what_a_driver_has_is_told_with_its_range_and_its_default() {
    let told = read(&camera()).unwrap();
    let range = |smallest, largest, step, value| Some(ControlRange { smallest, largest, step, value });
    let expected = [
        (ControlKind::Exposure, range(3, 2047, 1, 157), Some(true), ControlValue::Auto),
        (ControlKind::Gain, range(0, 255, 1, 0), None, ControlValue::Fixed(64)),
        (ControlKind::WhiteBalance, range(2000, 6500, 10, 4000), Some(true), ControlValue::Auto),
    ];
    let expected = expected.map(|(kind, range, auto, default)| CameraControl { kind, range, auto, default });
    assert_eq!(told, expected);
}

#[test]
fn a_value_is_set_after_the_camera_s_own_choice_is_off_and_back() {
    let camera = camera();
    set_one(&camera, ControlKind::Exposure, ControlValue::Fixed(500)).unwrap();
    set_one(&camera, ControlKind::WhiteBalance, ControlValue::Fixed(5004)).unwrap();
    set_one(&camera, ControlKind::Gain, ControlValue::Fixed(9999)).unwrap();
    let value = |id| camera.control(id).unwrap();
    assert_eq!((value(EXPOSURE_AUTO), value(EXPOSURE)), (1, 500));
    assert_eq!((value(WHITE_BALANCE_AUTO), value(WHITE_BALANCE)), (0, 5000), "on the driver's steps");
    assert_eq!(value(0x0098_0913), 255, "inside the range");
    set_one(&camera, ControlKind::Exposure, ControlValue::Auto).unwrap();
    assert_eq!(value(EXPOSURE_AUTO), 3, "the item that the menu has");
    assert_eq!(read(&camera).unwrap()[0].auto, Some(true));
}

#[test]
fn what_a_driver_does_not_have_is_left_alone() {
    let camera = camera();
    set_one(&camera, ControlKind::Focus, ControlValue::Fixed(10)).unwrap();
    set_one(&camera, ControlKind::Gain, ControlValue::Auto).unwrap();
    assert_eq!(read(&camera).unwrap().len(), 3);
    let bare = FakeCamera::new(plain(b"YUYV"));
    assert_eq!(read(&bare).unwrap(), [], "a driver without controls does not know the question");
}

#[test]
fn a_control_that_cannot_be_set_is_not_offered() {
    let mut fake = plain(b"YUYV");
    let told = DriverControl { is_read_only: true, ..control(EXPOSURE, (3, 2047, 1), 250) };
    let stuck = control(0x0098_0913, (7, 7, 1), 7);
    fake.controls = vec![(told, 157), (stuck, 7)];
    assert_eq!(read(&FakeCamera::new(fake)).unwrap(), []);
}
