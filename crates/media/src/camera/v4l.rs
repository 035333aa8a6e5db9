//! The driver of a device in `/dev`, asked by the crate `v4l`.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use rustix::time::{ClockId, clock_gettime};
use v4l::buffer::{Flags as BufferFlags, Type};
use v4l::capability::Flags;
use v4l::control::{Control, Description, Flags as ControlFlags, Value};
use v4l::format::{Colorspace, Quantization};
use v4l::fraction::Fraction;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::io::mmap;
use v4l::io::traits::CaptureStream as _;
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, FourCC};

use super::driver::{Buffer, Card, Clocks, Driver, DriverControl, Set, Sizes, Stream};
use super::interval::{Interval, Rates};

/// Pictures that the driver may fill while one is fetched.
const BUFFERS: u32 = 4;
/// How long a driver is waited for, before it is looked whether anybody still wants a picture.
const WAIT: Duration = Duration::from_millis(200);

/// A device in `/dev`.
pub(super) struct Node {
    device: Device,
}

impl Node {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { device: Device::with_path(path)? })
    }
}

impl Driver for Node {
    fn card(&self) -> io::Result<Card> {
        let capabilities = self.device.query_caps()?;
        let flags = capabilities.capabilities;
        let captures = flags.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING) && !flags.contains(Flags::VIDEO_M2M);
        Ok(Card { name: capabilities.card, bus: capabilities.bus, captures })
    }

    fn fourccs(&self) -> Vec<[u8; 4]> {
        self.device.enum_formats().unwrap_or_default().iter().map(|format| format.fourcc.repr).collect()
    }

    fn sizes(&self, fourcc: [u8; 4]) -> io::Result<Vec<Sizes>> {
        let sizes = self.device.enum_framesizes(FourCC::new(&fourcc))?;
        Ok(sizes.iter().map(|size| of_size(&size.size)).collect())
    }

    fn rates(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Rates> {
        let intervals = self.device.enum_frameintervals(FourCC::new(&fourcc), width, height)?;
        let range = intervals.iter().find_map(|interval| match &interval.interval {
            FrameIntervalEnum::Stepwise(range) => Some(range),
            FrameIntervalEnum::Discrete(_) => None,
        });
        if let Some(range) = range {
            let [shortest, longest, step] = [range.min, range.max, range.step].map(of_fraction);
            return Ok(Rates::Range { shortest, longest, step });
        }
        let each = intervals.iter().filter_map(|interval| match interval.interval {
            FrameIntervalEnum::Discrete(interval) => Some(of_fraction(interval)),
            FrameIntervalEnum::Stepwise(_) => None,
        });
        Ok(Rates::Each(each.filter(|&interval| interval != Interval::UNKNOWN).collect()))
    }

    fn current(&self) -> io::Result<Set> {
        self.device.format().map(|format| of_format(&format))
    }

    fn probe(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Set> {
        self.device.try_format(&wanted(fourcc, width, height)).map(|format| of_format(&format))
    }

    fn set(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<Set> {
        self.device.set_format(&wanted(fourcc, width, height)).map(|format| of_format(&format))
    }

    fn interval(&self) -> io::Result<Interval> {
        Ok(of_fraction(self.device.params()?.interval))
    }

    fn set_interval(&self, interval: Interval) -> io::Result<Interval> {
        let fraction = Fraction::new(interval.numerator(), interval.denominator());
        Ok(of_fraction(self.device.set_params(&Parameters::new(fraction))?.interval))
    }

    fn controls(&self) -> io::Result<Vec<DriverControl>> {
        let controls = self.device.query_controls()?;
        Ok(controls.iter().filter(|control| !control.flags.contains(ControlFlags::DISABLED)).map(of_control).collect())
    }

    fn control(&self, id: u32) -> io::Result<i64> {
        match self.device.control(id)?.value {
            Value::Integer(value) => Ok(value),
            Value::Boolean(value) => Ok(i64::from(value)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn set_control(&self, id: u32, value: i64) -> io::Result<()> {
        self.device.set_control(Control { id, value: Value::Integer(value) })
    }

    fn start(&self) -> io::Result<Box<dyn Stream>> {
        let mut stream = mmap::Stream::with_buffers(&self.device, Type::VideoCapture, BUFFERS)?;
        stream.set_timeout(WAIT);
        Ok(Box::new(MappedStream(stream)))
    }
}

fn wanted(fourcc: [u8; 4], width: u32, height: u32) -> v4l::Format {
    v4l::Format::new(width, height, FourCC::new(&fourcc))
}

fn of_control(control: &Description) -> DriverControl {
    let items = control.items.iter().flatten().map(|(index, _)| i64::from(*index)).collect();
    DriverControl {
        id: control.id,
        smallest: control.minimum,
        largest: control.maximum,
        step: i64::try_from(control.step).unwrap_or(1),
        default: control.default,
        is_read_only: control.flags.contains(ControlFlags::READ_ONLY),
        items,
    }
}

fn of_fraction(fraction: Fraction) -> Interval {
    Interval::new(fraction.numerator, fraction.denominator)
}

fn of_size(size: &FrameSizeEnum) -> Sizes {
    match size {
        FrameSizeEnum::Discrete(size) => Sizes::One(size.width, size.height),
        FrameSizeEnum::Stepwise(range) => Sizes::Range {
            smallest: (range.min_width, range.min_height),
            largest: (range.max_width, range.max_height),
            step: (range.step_width, range.step_height),
        },
    }
}

fn of_format(format: &v4l::Format) -> Set {
    // What the kernel's V4L2_MAP_QUANTIZATION_DEFAULT and V4L2_MAP_YCBCR_ENC_DEFAULT say.
    let full_range = match format.quantization {
        Quantization::FullRange => true,
        Quantization::LimitedRange => false,
        Quantization::Default => matches!(format.colorspace, Colorspace::JPEG),
    };
    Set {
        fourcc: format.fourcc.repr,
        width: format.width,
        height: format.height,
        stride: format.stride,
        full_range,
        hd: matches!(format.colorspace, Colorspace::Rec709),
    }
}

struct MappedStream(mmap::Stream<'static>);

impl Stream for MappedStream {
    fn next(&mut self) -> io::Result<Buffer<'_>> {
        let (bytes, meta) = self.0.next()?;
        Ok(Buffer {
            bytes,
            used: meta.bytesused,
            number: meta.sequence,
            stamp: Duration::from(meta.timestamp),
            is_damaged: meta.flags.contains(BufferFlags::ERROR),
            clocks: clocks(),
        })
    }
}

fn clocks() -> Clocks {
    Clocks {
        now: Instant::now(),
        monotonic: Duration::try_from(clock_gettime(ClockId::Monotonic)).ok(),
        wall: SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_not_there_keeps_the_system_s_error() {
        let error = Node::open(Path::new("/dev/video9999")).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(2));
    }

    #[test]
    fn colours_are_meant_as_the_kernel_says() {
        let set = |colorspace, quantization| {
            let format = v4l::Format { colorspace, quantization, ..wanted(*b"YUYV", 640, 480) };
            let set = of_format(&format);
            (set.full_range, set.hd)
        };
        assert_eq!(set(Colorspace::SRGB, Quantization::Default), (false, false));
        assert_eq!(set(Colorspace::JPEG, Quantization::Default), (true, false));
        assert_eq!(set(Colorspace::Rec709, Quantization::FullRange), (true, true));
    }
}
