//! What V4L2 knows of the cameras, asked directly: `nokhwa` lists metadata nodes too and hides why a node does not open.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use v4l::Device;
use v4l::capability::Flags;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture as _;

use super::format::{Format, Pixels, ranked};
use super::list::Found;
use crate::CameraInfo;

/// Sizes that are tried on a camera that offers every size in a range.
const USUAL_SIZES: [(u32, u32); 6] = [(1280, 720), (640, 480), (640, 360), (800, 600), (320, 240), (1920, 1080)];

/// Lists the capture nodes in `/dev`, by number.
pub(super) fn list() -> io::Result<Vec<Found>> {
    let mut nodes = BTreeMap::new();
    for entry in std::fs::read_dir("/dev")? {
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("video")).and_then(|number| number.parse().ok());
        if let Some(number) = number {
            nodes.insert(number, entry.path());
        }
    }
    let ports = ports(Path::new("/dev/v4l/by-path"));
    let found = nodes.into_iter().filter_map(|(index, node)| {
        let by_path = ports.get(&node).cloned();
        found(index, node, by_path)
    });
    Ok(found.collect())
}

/// The links in `folder`, by the devices that they lead to. Of several links to one device, the first by name.
fn ports(folder: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let mut ports = BTreeMap::new();
    // Without udev there is no such folder.
    let mut links: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|link| link.path()).collect();
    links.sort();
    for link in links {
        if let Ok(device) = std::fs::canonicalize(&link) {
            ports.entry(device).or_insert(link);
        }
    }
    ports
}

fn found(index: u32, node: PathBuf, by_path: Option<PathBuf>) -> Option<Found> {
    // The last resort against a driver that says something which the crate does not expect.
    let asked = std::panic::catch_unwind(|| {
        let device = Device::with_path(&node)?;
        let capabilities = device.query_caps()?;
        Ok::<_, io::Error>((device, capabilities))
    });
    let name = |of_driver: Option<&str>| {
        // Where the kernel's name of it is no UTF-8, the crate knows better what it may mean.
        let sysfs = std::fs::read_to_string(sysfs(index, "name")).ok();
        let names = [sysfs.as_deref(), of_driver].into_iter().flatten().map(printable);
        names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| node.display().to_string())
    };
    let (name, bus, formats) = match asked {
        Ok(Ok((device, capabilities))) => {
            let flags = capabilities.capabilities;
            if !flags.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING) || flags.contains(Flags::VIDEO_M2M) {
                return None;
            }
            (name(Some(&capabilities.card)), capabilities.bus, formats(&device))
        }
        // It cannot be asked (no permission, in use): the first node of a device is the one that captures.
        _ if first_of_its_device(index) => (name(None), String::new(), Vec::new()),
        _ => return None,
    };
    let words = formats.iter().map(Format::to_string).collect();
    Some(Found { info: CameraInfo { index, name, device: node, by_path, formats: words }, bus, formats })
}

/// A name without what a terminal would take for a command.
fn printable(name: &str) -> String {
    name.trim().replace(char::is_control, "?")
}

fn sysfs(index: u32, file: &str) -> PathBuf {
    Path::new("/sys/class/video4linux").join(format!("video{index}")).join(file)
}

fn first_of_its_device(index: u32) -> bool {
    std::fs::read_to_string(sysfs(index, "index")).is_ok_and(|number| number.trim() == "0")
}

/// What V4L2 calls these pixels.
pub(super) fn fourcc(pixels: Pixels) -> &'static [u8; 4] {
    match pixels {
        Pixels::Yuyv => b"YUYV",
        Pixels::Nv12 => b"NV12",
        Pixels::Mjpeg => b"MJPG",
        Pixels::Rgb => b"RGB3",
        Pixels::Bgr => b"BGR3",
        Pixels::Gray => b"GRAY",
    }
}

fn formats(device: &Device) -> Vec<Format> {
    let kinds = [Pixels::Yuyv, Pixels::Nv12, Pixels::Mjpeg, Pixels::Rgb, Pixels::Bgr, Pixels::Gray];
    let mut formats = Vec::new();
    for description in device.enum_formats().unwrap_or_default() {
        let Some(&pixels) = kinds.iter().find(|&&pixels| *fourcc(pixels) == description.fourcc.repr) else { continue };
        for size in device.enum_framesizes(description.fourcc).unwrap_or_default() {
            for (width, height) in sizes(&size.size) {
                let intervals = device.enum_frameintervals(description.fourcc, width, height).unwrap_or_default();
                formats.extend(intervals.iter().flat_map(|interval| rates(&interval.interval)).map(|fps| Format {
                    pixels,
                    width,
                    height,
                    fps,
                }));
            }
        }
    }
    ranked(formats)
}

fn sizes(size: &FrameSizeEnum) -> Vec<(u32, u32)> {
    match size {
        FrameSizeEnum::Discrete(size) => vec![(size.width, size.height)],
        FrameSizeEnum::Stepwise(range) => {
            let fits = |value: u32, min: u32, max: u32, step: u32| {
                (min..=max).contains(&value) && (value - min).is_multiple_of(step.max(1))
            };
            let fits = |&(width, height): &(u32, u32)| {
                fits(width, range.min_width, range.max_width, range.step_width)
                    && fits(height, range.min_height, range.max_height, range.step_height)
            };
            USUAL_SIZES.iter().copied().filter(fits).collect()
        }
    }
}

/// Whole frames a second: `nokhwa` sets no others.
fn rates(interval: &FrameIntervalEnum) -> Vec<u32> {
    match interval {
        FrameIntervalEnum::Discrete(interval) => {
            let whole = interval.numerator > 0 && interval.denominator.is_multiple_of(interval.numerator);
            if whole { vec![interval.denominator / interval.numerator] } else { Vec::new() }
        }
        // The shortest interval is the highest rate.
        FrameIntervalEnum::Stepwise(range) => {
            let rate = |over: u32, under: u32| f64::from(over) / f64::from(under.max(1));
            let highest = rate(range.min.denominator, range.min.numerator);
            let lowest = rate(range.max.denominator, range.max.numerator);
            [30, 25, 15].into_iter().filter(|&fps| (lowest..=highest).contains(&f64::from(fps))).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use v4l::fraction::Fraction;

    use super::*;

    #[test]
    fn only_whole_rates_and_usual_sizes_are_taken() {
        let discrete = |over, under| rates(&FrameIntervalEnum::Discrete(Fraction::new(over, under)));
        assert_eq!((discrete(1, 30), discrete(2, 50), discrete(1001, 30_000)), (vec![30], vec![25], vec![]));
        let range = v4l::frameinterval::Stepwise {
            min: Fraction::new(1, 60),
            max: Fraction::new(1, 20),
            step: Fraction::new(1, 1),
        };
        assert_eq!(rates(&FrameIntervalEnum::Stepwise(range)), [30, 25]);
        let range = v4l::framesize::Stepwise {
            min_width: 2,
            max_width: 800,
            step_width: 2,
            min_height: 1,
            max_height: 480,
            step_height: 1,
        };
        assert_eq!(sizes(&FrameSizeEnum::Stepwise(range)), [(640, 480), (640, 360), (320, 240)]);
    }

    #[test]
    fn a_name_that_is_no_utf_8_keeps_its_letters() {
        fn padded<const N: usize>(name: &[u8]) -> [u8; N] {
            std::array::from_fn(|place| name.get(place).copied().unwrap_or(0))
        }
        let said = |card: &[u8]| {
            let said = v4l::v4l_sys::v4l2_capability {
                driver: padded(b"uvcvideo"),
                card: padded(card),
                bus_info: padded(b"usb-0000:00:14.0-2"),
                version: 0x0006_0100,
                capabilities: 0,
                device_caps: 0,
                reserved: [0; 3],
            };
            printable(&v4l::capability::Capabilities::from(said).card)
        };
        assert_eq!(said(b"Kam\xe9ra HD"), "Kam\u{e9}ra HD");
        assert_eq!(said("Kaméra HD".as_bytes()), "Kaméra HD");
        assert_eq!(said(b"HD\x1b[2J\0rest of an older name"), "HD?[2J");
        // The kernel cuts names at 31 bytes, also in the middle of a letter.
        assert_eq!(said(&"é".repeat(16).as_bytes()[..31]), "é".repeat(15));
    }

    #[test]
    fn a_device_has_the_first_of_its_ports() {
        let folder = tempfile::tempdir().unwrap();
        let (device, links) = (folder.path().join("video0"), folder.path().join("by-path"));
        std::fs::write(&device, "").unwrap();
        std::fs::create_dir(&links).unwrap();
        for link in ["usbv2-0:2", "usb-0:2"] {
            std::os::unix::fs::symlink("../video0", links.join(link)).unwrap();
        }
        std::os::unix::fs::symlink("../video9", links.join("usb-0:1")).unwrap();
        let device = std::fs::canonicalize(device).unwrap();
        assert_eq!(ports(&links), BTreeMap::from([(device, links.join("usb-0:2"))]));
        assert_eq!(ports(&folder.path().join("none")), BTreeMap::new());
    }
}
