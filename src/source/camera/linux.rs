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
use crate::source::CameraInfo;

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
    Ok(nodes.into_iter().filter_map(|(index, node)| found(index, node)).collect())
}

fn found(index: u32, node: PathBuf) -> Option<Found> {
    // A driver may answer with names that are no UTF-8, which the crate does not expect.
    let asked = std::panic::catch_unwind(|| {
        let device = Device::with_path(&node)?;
        let capabilities = device.query_caps()?;
        Ok::<_, io::Error>((device, capabilities))
    });
    let name = |of_driver: Option<&str>| {
        let sysfs = std::fs::read_to_string(sysfs(index, "name")).map(|name| name.trim().to_owned());
        let name = sysfs.ok().filter(|name| !name.is_empty()).or_else(|| of_driver.map(str::to_owned));
        name.unwrap_or_else(|| node.display().to_string())
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
    Some(Found { info: CameraInfo { index, name, device: node, formats: words }, bus, formats })
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
}
