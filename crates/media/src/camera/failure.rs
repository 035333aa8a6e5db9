//! Why a camera cannot be opened or read, told apart by what the system says.

use crate::{SourceError, SourceErrorKind};

/// The causes that call for different words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Denied,
    Busy,
    Gone,
    Other,
}

/// The cause behind a message of the system or of `nokhwa`.
pub(super) fn cause_of(message: &str) -> Cause {
    if let Some(code) = os_error(message)
        && cfg!(unix)
    {
        // The same numbers on Linux and macOS: EPERM, ENOENT, ENXIO, EACCES, EBUSY, ENODEV.
        return match code {
            1 | 13 => Cause::Denied,
            16 => Cause::Busy,
            2 | 6 | 19 => Cause::Gone,
            _ => Cause::Other,
        };
    }
    let message = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    // Media Foundation's names and numbers, and AVFoundation's words.
    if says(&["denied", "not authorized", "permission", "0x80070005"]) {
        Cause::Denied
    } else if says(&["busy", "in use", "already taken", "sharing", "0xc00d3704", "0xc00d3ea3", "0x80070020"]) {
        Cause::Busy
    } else if says(&["no such device", "disconnected", "invalidated", "0xc00d3ea2", "not found"]) {
        Cause::Gone
    } else {
        Cause::Other
    }
}

/// `(os error 16)` as a number.
fn os_error(message: &str) -> Option<i32> {
    message.rsplit_once("(os error ")?.1.split_once(')')?.0.parse().ok()
}

/// An error about `camera` in words for people.
pub(super) fn error(camera: &str, message: &str) -> SourceError {
    let (kind, cause, remedy) = match cause_of(message) {
        Cause::Denied => {
            (SourceErrorKind::PermissionDenied, "the system does not let you use the camera", permission())
        }
        Cause::Busy => (
            SourceErrorKind::Busy,
            "the camera is in use by another program",
            "close the other program (a video call, a browser tab), or choose another camera",
        ),
        Cause::Gone => (
            SourceErrorKind::NoSuchCamera,
            "the camera is no longer there",
            "check its cable, or choose another camera",
        ),
        Cause::Other => (SourceErrorKind::Other, message, "plug it in again, or choose another camera"),
    };
    SourceError::new(kind, camera, cause, remedy)
}

/// No camera at all.
pub(super) fn no_camera() -> SourceError {
    let remedy = "plug one in, or use a video, an image or `demo` as the source";
    SourceError::new(SourceErrorKind::NoCamera, "camera", "no camera was found", remedy)
}

fn permission() -> &'static str {
    if cfg!(target_os = "macos") {
        "allow it in System Settings > Privacy & Security > Camera, then start facelens again"
    } else if cfg!(windows) {
        "allow it in Settings > Privacy & security > Camera"
    } else {
        "add yourself to the group `video` (sudo usermod -aG video $USER) and log in again"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_system_s_numbers_are_told_apart() {
        let table = [
            ("Could not open device 0: V4L2 Error: Permission denied (os error 13)", Cause::Denied),
            ("Could not open device stream: Device or resource busy (os error 16)", Cause::Busy),
            ("Could not capture frame: No such device (os error 19)", Cause::Gone),
            ("Could not capture frame: Input/output error (os error 5)", Cause::Other),
        ];
        for (message, cause) in table {
            assert_eq!(cause_of(message), cause, "{message}");
        }
    }

    #[test]
    fn words_are_told_apart_where_there_is_no_number() {
        assert_eq!(cause_of("Camera access is not authorized"), Cause::Denied);
        assert_eq!(cause_of("MF error 0xC00D3704"), Cause::Busy);
        assert_eq!(cause_of("The device was disconnected"), Cause::Gone);
        assert_eq!(cause_of("strange"), Cause::Other);
    }

    #[test]
    fn errors_name_the_camera_and_the_remedy() {
        let error = error("HD Webcam", "EBUSY: device busy");
        assert_eq!(error.kind, SourceErrorKind::Busy);
        assert!(error.to_string().starts_with("HD Webcam: the camera is in use"), "{error}");
    }
}
