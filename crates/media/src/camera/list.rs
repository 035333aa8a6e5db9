//! The cameras that there are, and which of them is meant.

use super::failure::no_camera;
use super::format::{Format, Offer};
use crate::{CameraChoice, CameraDevice, CameraInfo, SourceError, SourceErrorKind};

/// A camera in the system's list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FoundCamera {
    /// What is told about it.
    pub info: CameraInfo,
    /// Where it is plugged in: the same camera has it again after it was unplugged.
    pub bus: String,
    /// Those that are read here, best first.
    pub formats: Vec<Format>,
    /// All, as its driver lists them; none where that is known only to an open camera.
    pub offers: Vec<Offer>,
}

/// The camera that is meant by `choice`.
///
/// # Errors
/// Where there is none, or a name fits several.
pub(super) fn choose<'a>(cameras: &'a [FoundCamera], choice: &CameraChoice) -> Result<&'a FoundCamera, SourceError> {
    let fitting = choice.resolved().fitting(cameras, |camera| &camera.info);
    match fitting[..] {
        [camera] => Ok(camera),
        [] if *choice == CameraChoice::Any => Err(no_camera()),
        [] => {
            let remedy = if cameras.is_empty() {
                "plug it in, or use another source".to_owned()
            } else {
                format!("there are: {}", list(cameras, |camera| format!("{} ({})", camera.index, camera.name)))
            };
            Err(SourceError::new(SourceErrorKind::NoSuchCamera, subject(choice), "there is no such camera", remedy))
        }
        _ => {
            let named =
                list(fitting, |camera| format!("{} ({}, {})", camera.index, camera.name, camera.device.display()));
            let remedy = format!("choose one by its number or its device: {named}");
            let cause = "several cameras have this name";
            Err(SourceError::new(SourceErrorKind::AmbiguousCamera, subject(choice), cause, remedy))
        }
    }
}

fn list<'a>(cameras: impl IntoIterator<Item = &'a FoundCamera>, say: impl Fn(&CameraInfo) -> String) -> String {
    cameras.into_iter().map(|camera| say(&camera.info)).collect::<Vec<_>>().join(", ")
}

/// What to call a camera that is not there.
fn subject(choice: &CameraChoice) -> String {
    match choice {
        CameraChoice::Device(CameraDevice { place, name: Some(name) }) => format!("{name} ({})", place.display()),
        _ => choice.to_string(),
    }
}

/// The same camera as before, found again: on the same bus if it can be, else the only one of its name.
pub(super) fn again<'a>(cameras: &'a [FoundCamera], before: &FoundCamera) -> Option<&'a FoundCamera> {
    let same_name = || cameras.iter().filter(|camera| camera.info.name == before.info.name);
    let same_bus = same_name().find(|camera| camera.bus == before.bus);
    same_bus.or_else(|| same_name().next().filter(|_| same_name().count() == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(index: u32, name: &str, bus: &str) -> FoundCamera {
        let device = format!("/dev/video{index}").into();
        let info = CameraInfo {
            index,
            name: name.into(),
            device,
            by_path: None,
            formats: Vec::new(),
            every_format: Vec::new(),
            choices: Vec::new(),
        };
        FoundCamera { info, bus: bus.into(), formats: Vec::new(), offers: Vec::new() }
    }

    #[test]
    fn a_camera_is_chosen_by_number_name_or_a_part_of_it() {
        let cameras = [camera(0, "HD Webcam", "a"), camera(2, "USB Camera", "b"), camera(4, "USB Camera Pro", "c")];
        let index = |text: &str| {
            let Ok(choice) = text.parse();
            choose(&cameras, &choice).map(|camera| camera.info.index)
        };
        assert_eq!((index("").unwrap(), index("2").unwrap(), index("webcam").unwrap()), (0, 2, 0));
        // A whole name counts before a part of another.
        assert_eq!((index("USB Camera").unwrap(), index("pro").unwrap()), (2, 4));
        let error = index("usb").unwrap_err();
        assert!(error.kind == SourceErrorKind::AmbiguousCamera && error.to_string().contains("several"), "{error}");
        let error = index("7").unwrap_err();
        assert!(error.to_string().contains("camera:7") && error.to_string().contains("2 (USB Camera)"), "{error}");
        assert_eq!(choose(&[], &CameraChoice::Any).unwrap_err().kind, SourceErrorKind::NoCamera);
    }

    #[test]
    fn of_twins_each_can_be_chosen_and_a_missing_one_is_named() {
        let twins = [camera(0, "Twin", "a"), camera(2, "Twin", "b")];
        let infos: Vec<CameraInfo> = twins.iter().map(|twin| twin.info.clone()).collect();
        for twin in &twins {
            assert_eq!(choose(&twins, &CameraChoice::of(&twin.info, &infos)), Ok(twin));
            let Ok(by_device) = twin.info.device.to_str().unwrap().parse();
            assert_eq!(choose(&twins, &by_device), Ok(twin));
        }
        let error = choose(&twins, &CameraChoice::Name("Twin".into())).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::AmbiguousCamera);
        assert!(error.remedy.contains("0 (Twin, /dev/video0), 2 (Twin, /dev/video2)"), "{error}");

        let remembered = CameraChoice::of(&twins[1].info, &infos);
        for left in [&twins[..1], &[]] {
            let error = choose(left, &remembered).unwrap_err();
            assert_eq!(error.kind, SourceErrorKind::NoSuchCamera);
            assert!(error.subject.contains("Twin") && error.subject.contains("/dev/video2"), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_to_a_device_is_the_device() {
        let folder = tempfile::tempdir().unwrap();
        let (device, link) = (folder.path().join("video2"), folder.path().join("usb-Twin_1234-video-index0"));
        std::fs::write(&device, "").unwrap();
        std::os::unix::fs::symlink("video2", &link).unwrap();
        let mut twins = [camera(0, "Twin", "a"), camera(2, "Twin", "b")];
        twins[1].info.device = std::fs::canonicalize(&device).unwrap();
        let Ok(choice) = link.to_str().unwrap().parse();
        assert_eq!(choose(&twins, &choice), Ok(&twins[1]));
    }

    #[test]
    fn a_camera_is_found_again_by_its_bus_or_its_name() {
        let before = camera(0, "USB Camera", "b");
        let twins = [camera(1, "USB Camera", "a"), camera(3, "USB Camera", "b")];
        assert_eq!(again(&twins, &before).unwrap().info.index, 3);
        assert_eq!(again(&twins[..1], &before).unwrap().info.index, 1);
        assert_eq!(again(&[camera(0, "HD Webcam", "b")], &before), None);
        let moved = [camera(1, "USB Camera", "x"), camera(2, "USB Camera", "y")];
        assert_eq!(again(&moved, &before), None);
    }
}
