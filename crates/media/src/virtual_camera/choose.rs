//! Which device is meant, and words for what is wrong with it.

use std::io;

use super::VIRTUAL_CAMERA_REMEDY;
use super::driver::{OutputCard, OutputDevice, OutputNode, OutputSystem};
use crate::{CameraChoice, CameraDevice, CameraInfo, SourceError, SourceErrorKind};

/// The driver of the module v4l2loopback. Its devices are virtual cameras also while they say that they take nothing.
const LOOPBACK: &str = "v4l2 loopback";

/// What a device said when it was asked.
type Asked = io::Result<(OutputCard, Box<dyn OutputDevice>)>;

/// Lists the devices that take pictures, the virtual ones first, each group by number.
pub(super) fn list(system: &dyn OutputSystem) -> Result<Vec<CameraInfo>, SourceError> {
    let found = found(system, |_| true)?;
    Ok(found.into_iter().map(|(info, _)| info).collect())
}

/// Opens the device that is meant. [`CameraChoice::Any`] means the first virtual one that is free.
pub(super) fn choose(
    system: &dyn OutputSystem,
    choice: &CameraChoice,
) -> Result<(CameraInfo, Box<dyn OutputDevice>), SourceError> {
    // Without need, no device is opened that may be a camera: opening wakes some.
    let any = *choice == CameraChoice::Any;
    let found = found(system, |node| node.is_virtual || !any)?;
    let infos: Vec<CameraInfo> = found.iter().map(|(info, _)| info.clone()).collect();
    let fitting: Vec<_> = match choice.resolved() {
        CameraChoice::Any => found,
        choice => {
            let fitting: Vec<u32> =
                choice.fitting(&infos, |info| info).into_iter().map(|camera| camera.index).collect();
            found.into_iter().filter(|(info, _)| fitting.contains(&info.index)).collect()
        }
    };
    if fitting.len() > 1 && !any {
        let remedy = format!("choose one by its number: {}", named(fitting.iter().map(|(info, _)| info)));
        let cause = "several virtual cameras have this name";
        return Err(SourceError::new(SourceErrorKind::AmbiguousCamera, wanted(choice), cause, remedy));
    }
    let mut trouble = None;
    for (info, asked) in fitting {
        let error = match asked {
            Ok((card, device)) if card.takes => return Ok((info, device)),
            Ok(_) => busy(&name(&info)),
            Err(error) => refused(&name(&info), &error),
        };
        trouble.get_or_insert(error);
    }
    Err(trouble.unwrap_or_else(|| nothing_fits(choice, &infos)))
}

/// The devices that take pictures or would if they could be asked, those without hardware first.
fn found(
    system: &dyn OutputSystem,
    wanted: impl Fn(&OutputNode) -> bool,
) -> Result<Vec<(CameraInfo, Asked)>, SourceError> {
    let nodes = system.nodes().map_err(|error| SourceError::from_io(std::path::Path::new("/dev"), &error))?;
    let (without, with): (Vec<_>, Vec<_>) = nodes.into_iter().filter(wanted).partition(|node| node.is_virtual);
    Ok(without.into_iter().chain(with).filter_map(|node| ask(system, node)).collect())
}

fn ask(system: &dyn OutputSystem, node: OutputNode) -> Option<(CameraInfo, Asked)> {
    let asked = system.open(&node.path).and_then(|device| Ok((device.card()?, device)));
    let of_driver = match &asked {
        Ok((card, _)) if card.takes || card.driver == LOOPBACK => Some(card.name.clone()),
        Ok(_) => return None,
        // Of a camera that cannot be asked, nobody wants to hear here.
        Err(_) if node.is_virtual => None,
        Err(_) => return None,
    };
    let names = [node.name, of_driver].into_iter().flatten().find(|name| !name.is_empty());
    let info = CameraInfo {
        index: node.index,
        name: names.unwrap_or_else(|| node.path.display().to_string()),
        device: node.path,
        by_path: None,
        formats: Vec::new(),
        every_format: Vec::new(),
        choices: Vec::new(),
    };
    Some((info, asked))
}

/// A device with its name: `facelens (/dev/video10)`.
pub(super) fn name(info: &CameraInfo) -> String {
    let device = info.device.display().to_string();
    if info.name == device { device } else { format!("{} ({device})", info.name) }
}

/// What messages call a device of this name.
fn subject(name: &str) -> String {
    format!("virtual camera {name}")
}

/// What messages call a device that is not there.
fn wanted(choice: &CameraChoice) -> String {
    match choice {
        CameraChoice::Any => "virtual camera".to_owned(),
        CameraChoice::Index(index) => format!("virtual camera {index}"),
        CameraChoice::Name(name) => format!("virtual camera `{name}`"),
        CameraChoice::Device(CameraDevice { place, name: None }) => format!("virtual camera {}", place.display()),
        CameraChoice::Device(CameraDevice { place, name: Some(name) }) => {
            format!("virtual camera {name} ({})", place.display())
        }
    }
}

fn named<'a>(infos: impl Iterator<Item = &'a CameraInfo>) -> String {
    infos.map(|info| format!("{} ({})", info.index, info.name)).collect::<Vec<_>>().join(", ")
}

fn nothing_fits(choice: &CameraChoice, infos: &[CameraInfo]) -> SourceError {
    if *choice == CameraChoice::Any {
        let cause = "there is none on this machine";
        return SourceError::new(SourceErrorKind::NoCamera, wanted(choice), cause, VIRTUAL_CAMERA_REMEDY);
    }
    let cause = "there is no such device that takes images";
    let remedy =
        if infos.is_empty() { VIRTUAL_CAMERA_REMEDY.to_owned() } else { format!("there are: {}", named(infos.iter())) };
    SourceError::new(SourceErrorKind::NoSuchCamera, wanted(choice), cause, remedy)
}

fn busy(name: &str) -> SourceError {
    let remedy = "close the other program, or load v4l2loopback with one device more (`devices=2`)";
    let cause = "another program sends images to it";
    SourceError::new(SourceErrorKind::Busy, subject(name), cause, remedy)
}

/// The device does not do what it is asked for.
pub(super) fn refused(name: &str, error: &io::Error) -> SourceError {
    match error.raw_os_error() {
        // EPERM, EACCES.
        Some(1 | 13) => {
            let remedy = "add yourself to the group `video` (sudo usermod -aG video $USER) and log in again";
            let cause = "the system does not let you use it";
            SourceError::new(SourceErrorKind::PermissionDenied, subject(name), cause, remedy)
        }
        // EBUSY.
        Some(16) => busy(name),
        // ENOENT, ENXIO, ENODEV.
        Some(2 | 6 | 19) => gone(name),
        _ => {
            let remedy = "load the module v4l2loopback again, or choose another virtual camera";
            SourceError::new(SourceErrorKind::Other, subject(name), error.to_string(), remedy)
        }
    }
}

fn gone(name: &str) -> SourceError {
    let remedy = "load its module again (`sudo modprobe v4l2loopback exclusive_caps=1 card_label=facelens`), or choose \
                  another virtual camera";
    SourceError::gone(subject(name), remedy)
}

/// A system without such devices.
#[cfg(not(target_os = "linux"))]
pub(super) fn no_system() -> SourceError {
    let cause = "facelens can be a camera for other programs on Linux only";
    let remedy = "use OBS, which can show this window as its virtual camera";
    SourceError::new(SourceErrorKind::Unsupported, "virtual camera", cause, remedy)
}
