//! Exposure, gain, focus and white balance of a camera, where its driver has them.

use std::fmt;
#[cfg(target_os = "linux")]
use std::io;
use std::path::Path;

#[cfg(target_os = "linux")]
use rustix::io::Errno;

#[cfg(target_os = "linux")]
use super::driver::{Driver, DriverControl};
use crate::{SourceError, SourceErrorKind};

/// What can be set at a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ControlKind {
    /// Exposure time; of most cameras in units of 100 µs.
    Exposure,
    /// Amplification of the sensor's signal, in units of the driver's own.
    Gain,
    /// Distance of the focus, in units of the driver's own.
    Focus,
    /// Colour temperature of white, kelvin.
    WhiteBalance,
}

impl ControlKind {
    /// All, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Exposure, Self::Gain, Self::Focus, Self::WhiteBalance];

    /// Its name in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exposure => "exposure",
            Self::Gain => "gain",
            Self::Focus => "focus",
            Self::WhiteBalance => "white_balance",
        }
    }

    /// The control of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a control is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlValue {
    /// The camera chooses.
    Auto,
    /// This value.
    Fixed(i64),
}

/// For people and in the settings: `auto`, or the number.
impl fmt::Display for ControlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Fixed(value) => value.fmt(f),
        }
    }
}

/// A control as a camera has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraControl {
    /// What it sets.
    pub kind: ControlKind,
    /// The values that can be chosen; `None` where the camera alone chooses.
    pub range: Option<ControlRange>,
    /// Whether the camera chooses; `None` where it cannot.
    pub auto: Option<bool>,
    /// What it is without anybody's choice.
    pub default: ControlValue,
}

/// The values of a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlRange {
    /// The smallest.
    pub smallest: i64,
    /// The largest.
    pub largest: i64,
    /// From one to the next; at least 1.
    pub step: i64,
    /// The present one.
    pub value: i64,
}

impl ControlRange {
    /// The nearest value that can be chosen.
    pub fn nearest(&self, value: i64) -> i64 {
        let inside = value.clamp(self.smallest, self.largest);
        let steps = inside.saturating_sub(self.smallest).saturating_add(self.step / 2) / self.step;
        self.smallest.saturating_add(steps.saturating_mul(self.step)).min(self.largest)
    }
}

/// What can be set at the camera of this device, and how it is now. It may be streaming meanwhile.
///
/// # Errors
/// [`SourceError`] where the device cannot be asked, and on systems other than Linux.
pub fn camera_controls(device: &Path) -> Result<Vec<CameraControl>, SourceError> {
    set_camera_controls(device, &[])
}

/// Sets what the camera has of these; what it does not have is passed over. Gives how it is then.
///
/// # Errors
/// As [`camera_controls`], and where the driver refuses a value; those before it are set.
#[cfg(target_os = "linux")]
pub fn set_camera_controls(
    device: &Path,
    settings: &[(ControlKind, ControlValue)],
) -> Result<Vec<CameraControl>, SourceError> {
    let failed = |cause: String| {
        let remedy = "plug the camera in again, or choose another one";
        SourceError::new(SourceErrorKind::Other, device.display().to_string(), cause, remedy)
    };
    let set = || {
        let node = super::v4l::Node::open(device).map_err(|error| error.to_string())?;
        for (kind, value) in settings {
            set_one(&node, *kind, *value)
                .map_err(|error| format!("{} cannot be set to {value}: {error}", kind.name()))?;
        }
        read(&node).map_err(|error| error.to_string())
    };
    // The last resort against a driver that says something which the crate does not expect.
    match std::panic::catch_unwind(set) {
        Ok(controls) => controls.map_err(failed),
        Err(_) => Err(failed("its driver says something unexpected".to_owned())),
    }
}

/// Sets what the camera has of these; what it does not have is passed over. Gives how it is then.
///
/// # Errors
/// As [`camera_controls`].
#[cfg(not(target_os = "linux"))]
pub fn set_camera_controls(
    device: &Path,
    _: &[(ControlKind, ControlValue)],
) -> Result<Vec<CameraControl>, SourceError> {
    let cause = "the controls of a camera can be set on Linux alone";
    let remedy = "use the system's own settings of the camera";
    Err(SourceError::new(SourceErrorKind::Unsupported, device.display().to_string(), cause, remedy))
}

/// The kernel's numbers of a control: of its value (the first that the driver has), and of the switch that leaves it to
/// the camera.
#[cfg(target_os = "linux")]
const fn numbers(kind: ControlKind) -> (&'static [u32], u32) {
    match kind {
        // V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CID_EXPOSURE; V4L2_CID_EXPOSURE_AUTO.
        ControlKind::Exposure => (&[0x009a_0902, 0x0098_0911], EXPOSURE_AUTO),
        // V4L2_CID_GAIN; V4L2_CID_AUTOGAIN.
        ControlKind::Gain => (&[0x0098_0913], 0x0098_0912),
        // V4L2_CID_FOCUS_ABSOLUTE; V4L2_CID_FOCUS_AUTO.
        ControlKind::Focus => (&[0x009a_090a], 0x009a_090c),
        // V4L2_CID_WHITE_BALANCE_TEMPERATURE; V4L2_CID_AUTO_WHITE_BALANCE.
        ControlKind::WhiteBalance => (&[0x0098_091a], 0x0098_090c),
    }
}

/// Unlike the other switches this is a menu, one of whose items is "manual".
#[cfg(target_os = "linux")]
const EXPOSURE_AUTO: u32 = 0x009a_0901;
/// `V4L2_EXPOSURE_MANUAL`.
#[cfg(target_os = "linux")]
const MANUAL: i64 = 1;
/// The other items of the menu, the best first: the camera chooses time and gain at a fixed aperture, as webcams have it.
#[cfg(target_os = "linux")]
const AUTOMATIC: [i64; 3] = [3, 0, 2];

/// The controls that a driver has.
#[cfg(target_os = "linux")]
pub(super) fn read(driver: &dyn Driver) -> io::Result<Vec<CameraControl>> {
    let known = match driver.controls() {
        // A driver without any control does not know the question.
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::NOTTY | Errno::INVAL)) => Vec::new(),
        known => known?,
    };
    let controls = ControlKind::ALL.into_iter().filter_map(|kind| {
        let (value, auto) = find(&known, kind);
        let auto_now = auto.and_then(|auto| Some(is_auto(auto.id, driver.control(auto.id).ok()?)));
        let range = value.and_then(|value| {
            let now = driver.control(value.id).unwrap_or(value.default);
            let step = value.step.max(1);
            (value.largest > value.smallest).then_some(ControlRange {
                smallest: value.smallest,
                largest: value.largest,
                step,
                value: now,
            })
        });
        if range.is_none() && auto_now.is_none() {
            return None;
        }
        let auto_by_default = auto.is_some_and(|auto| is_auto(auto.id, auto.default));
        let default = match value {
            Some(value) if !auto_by_default => ControlValue::Fixed(value.default),
            _ => ControlValue::Auto,
        };
        Some(CameraControl { kind, range, auto: auto_now, default })
    });
    Ok(controls.collect())
}

/// Sets one control; one that the driver does not have is left alone.
#[cfg(target_os = "linux")]
pub(super) fn set_one(driver: &dyn Driver, kind: ControlKind, value: ControlValue) -> io::Result<()> {
    let known = driver.controls()?;
    let (fixed, auto) = find(&known, kind);
    match (value, fixed, auto) {
        (ControlValue::Auto, _, Some(auto)) => driver.set_control(auto.id, automatic(auto)),
        (ControlValue::Auto, _, None) => Ok(()),
        (ControlValue::Fixed(value), Some(fixed), auto) => {
            // First: a driver takes no value while the camera chooses.
            if let Some(auto) = auto {
                driver.set_control(auto.id, if auto.id == EXPOSURE_AUTO { MANUAL } else { 0 })?;
            }
            let DriverControl { smallest, largest, step, .. } = *fixed;
            let range = ControlRange { smallest, largest, step: step.max(1), value };
            driver.set_control(fixed.id, range.nearest(value))
        }
        (ControlValue::Fixed(_), None, _) => Ok(()),
    }
}

/// The value and the switch of a control, where the driver has them.
#[cfg(target_os = "linux")]
fn find(known: &[DriverControl], kind: ControlKind) -> (Option<&DriverControl>, Option<&DriverControl>) {
    let (values, auto) = numbers(kind);
    let by_number = |id: u32| known.iter().find(|control| control.id == id && !control.is_read_only);
    (values.iter().find_map(|id| by_number(*id)), by_number(auto))
}

#[cfg(target_os = "linux")]
fn is_auto(id: u32, value: i64) -> bool {
    if id == EXPOSURE_AUTO { value != MANUAL } else { value != 0 }
}

/// What to set a switch to, so that the camera chooses.
#[cfg(target_os = "linux")]
fn automatic(auto: &DriverControl) -> i64 {
    if auto.id != EXPOSURE_AUTO {
        return 1;
    }
    let offered = |item: &i64| auto.items.is_empty() || auto.items.contains(item);
    let default = Some(auto.default).filter(|item| *item != MANUAL && offered(item));
    default.or_else(|| AUTOMATIC.into_iter().find(offered)).unwrap_or(AUTOMATIC[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_value_lies_on_the_steps_and_inside() {
        let range = ControlRange { smallest: 2800, largest: 6500, step: 250, value: 0 };
        let nearest = [-5, 2800, 2900, 2930, 6400, 9999].map(|value| range.nearest(value));
        assert_eq!(nearest, [2800, 2800, 2800, 3050, 6300, 6500]);
    }

    #[test]
    fn names_read_back() {
        for kind in ControlKind::ALL {
            assert_eq!(ControlKind::of_name(kind.name()), Some(kind));
        }
        assert_eq!(ControlKind::of_name("zoom"), None);
        assert_eq!([ControlValue::Auto, ControlValue::Fixed(-3)].map(|value| value.to_string()), ["auto", "-3"]);
    }

    #[test]
    fn a_device_that_is_not_there_is_named() {
        let error = camera_controls(Path::new("/dev/video9999")).unwrap_err();
        assert!(error.to_string().contains("/dev/video9999"), "{error}");
    }
}
