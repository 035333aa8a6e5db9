//! The cameras that there are, and which of them is meant.

use super::failure::no_camera;
use super::format::Format;
use crate::source::{CameraChoice, CameraInfo, SourceError, SourceErrorKind};

/// A camera in the system's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// What is told about it.
    pub info: CameraInfo,
    /// Where it is plugged in: the same camera has it again after it was unplugged.
    pub bus: String,
    /// Best first.
    pub formats: Vec<Format>,
}

/// The camera that is meant by `choice`.
///
/// # Errors
/// Where there is none, or a name fits several.
pub(super) fn choose<'a>(cameras: &'a [Found], choice: &CameraChoice) -> Result<&'a Found, SourceError> {
    if cameras.is_empty() {
        return Err(no_camera());
    }
    let fitting: Vec<&Found> = match choice {
        CameraChoice::Any => cameras.iter().take(1).collect(),
        CameraChoice::Index(index) => cameras.iter().filter(|camera| camera.info.index == *index).collect(),
        CameraChoice::Name(name) => {
            let exact: Vec<&Found> = cameras.iter().filter(|camera| camera.info.name == *name).collect();
            if exact.is_empty() {
                let name = name.to_lowercase();
                cameras.iter().filter(|camera| camera.info.name.to_lowercase().contains(&name)).collect()
            } else {
                exact
            }
        }
    };
    let list = |cameras: &mut dyn Iterator<Item = &Found>| {
        cameras.map(|camera| format!("{} ({})", camera.info.index, camera.info.name)).collect::<Vec<_>>().join(", ")
    };
    let error = |cause: String, remedy: String| {
        let subject = match choice {
            CameraChoice::Any => "camera".to_owned(),
            CameraChoice::Index(index) => format!("camera:{index}"),
            CameraChoice::Name(name) => format!("camera:{name}"),
        };
        Err(SourceError::new(SourceErrorKind::NoSuchCamera, subject, cause, remedy))
    };
    match fitting[..] {
        [camera] => Ok(camera),
        [] => error("there is no such camera".to_owned(), format!("there are: {}", list(&mut cameras.iter()))),
        _ => {
            let fitting = list(&mut fitting.into_iter());
            error("several cameras have this name".to_owned(), format!("choose one by its number: {fitting}"))
        }
    }
}

/// The same camera as before, found again: on the same bus if it can be, else the only one of its name.
pub(super) fn again<'a>(cameras: &'a [Found], before: &Found) -> Option<&'a Found> {
    let same_name = || cameras.iter().filter(|camera| camera.info.name == before.info.name);
    let same_bus = same_name().find(|camera| camera.bus == before.bus);
    same_bus.or_else(|| same_name().next().filter(|_| same_name().count() == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(index: u32, name: &str, bus: &str) -> Found {
        let info = CameraInfo { index, name: name.into(), device: "/dev/null".into(), formats: Vec::new() };
        Found { info, bus: bus.into(), formats: Vec::new() }
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
        assert!(error.kind == SourceErrorKind::NoSuchCamera && error.to_string().contains("several"), "{error}");
        let error = index("7").unwrap_err();
        assert!(error.to_string().contains("camera:7") && error.to_string().contains("2 (USB Camera)"), "{error}");
        assert_eq!(choose(&[], &CameraChoice::Any).unwrap_err().kind, SourceErrorKind::NoCamera);
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
