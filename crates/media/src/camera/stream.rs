//! Pictures of a V4L2 camera, asked directly: unlike `nokhwa` this tells the driver's number of each picture, and so how
//! many the driver dropped because nobody fetched them in time.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use v4l::buffer::{Flags, Metadata, Type};
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream as _;
use v4l::video::Capture as _;
use v4l::video::capture::Parameters;
use v4l::{Device, FourCC};

use super::format::Format;
use super::grab::{Grabber, Lost, Raw, captured_at, lost};
use super::linux::fourcc;

/// Pictures that the driver may fill while one is fetched.
const BUFFERS: u32 = 4;
/// A larger gap in the driver's numbers is none of lost pictures, but of numbers that start anew.
const LARGEST_GAP: u32 = 1000;

/// A streaming V4L2 camera.
pub(super) struct Streaming {
    stream: Stream<'static>,
    numbers: Numbers,
}

/// Opens the camera at `node` in this format. Gives the format that the driver took, whose rate may be another, and the
/// bytes per row where it says so.
///
/// # Errors
/// The system's own: busy, no permission, no device; or words where the driver takes another size or kind of pixels.
pub(super) fn open(node: &Path, format: Format) -> io::Result<(Streaming, Format, Option<u32>)> {
    let device = Device::with_path(node)?;
    let wanted = v4l::Format::new(format.width, format.height, FourCC::new(fourcc(format.pixels)));
    let set = device.set_format(&wanted)?;
    if (set.width, set.height, set.fourcc) != (wanted.width, wanted.height, wanted.fourcc) {
        let words = format!("it gives {}x{} {} where {format} was asked for", set.width, set.height, set.fourcc);
        return Err(io::Error::other(words));
    }
    let format = match device.set_params(&Parameters::with_fps(format.fps)) {
        Ok(set) => Format { fps: whole_rate(set.interval.numerator, set.interval.denominator, format.fps), ..format },
        // Some drivers know one rate alone and cannot be asked.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => format,
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NOTTY.raw_os_error()) => format,
        Err(error) => return Err(error),
    };
    let stream = Stream::with_buffers(&device, Type::VideoCapture, BUFFERS)?;
    let stride = (set.stride > 0).then_some(set.stride);
    Ok((Streaming { stream, numbers: Numbers::default() }, format, stride))
}

/// The whole number of frames a second next to an interval; `asked` where the driver says nothing.
fn whole_rate(numerator: u32, denominator: u32, asked: u32) -> u32 {
    match (denominator + numerator / 2).checked_div(numerator) {
        Some(fps) if fps > 0 => fps,
        _ => asked,
    }
}

impl Grabber for Streaming {
    fn grab(&mut self) -> Result<Raw, Lost> {
        let (bytes, meta) = self.stream.next().map_err(|error| lost(error.to_string()))?;
        let is_damaged = meta.flags.contains(Flags::ERROR);
        let Some(missed) = self.numbers.take(meta.sequence, is_damaged) else {
            return Err(Lost::Picture("the driver says that the picture is damaged".to_owned()));
        };
        let used = if meta.bytesused == 0 { bytes.len() } else { bytes.len().min(meta.bytesused as usize) };
        Ok(Raw { bytes: bytes[..used].to_vec(), captured_at: taken_at(meta), missed })
    }
}

/// When the driver took the picture: by the clock that runs since the machine started.
fn taken_at(meta: &Metadata) -> Instant {
    let stamp = Some(Duration::from(meta.timestamp)).filter(|stamp| !stamp.is_zero());
    let clock = clock_gettime(ClockId::Monotonic);
    let clock = Duration::try_from(clock).ok();
    captured_at(stamp, clock, Instant::now())
}

/// The driver's numbers, and what is missing in them.
#[derive(Debug, Default)]
struct Numbers {
    last: Option<u32>,
    /// Pictures that were lost since the last good one.
    missed: u64,
}

impl Numbers {
    /// Takes the number of a picture; gives how many are missing before it, or `None` for a damaged one, which is missing
    /// before the next.
    fn take(&mut self, number: u32, is_damaged: bool) -> Option<u64> {
        // A driver that does not count gives 0 each time: a gap of 2^32 - 1.
        let gap = self.last.map_or(0, |last| number.wrapping_sub(last).wrapping_sub(1));
        self.last = Some(number);
        self.missed += if gap <= LARGEST_GAP { u64::from(gap) } else { 0 };
        if is_damaged {
            self.missed += 1;
            return None;
        }
        Some(std::mem::take(&mut self.missed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::format::Pixels;

    #[test]
    fn gaps_in_the_driver_s_numbers_are_counted() {
        let mut numbers = Numbers::default();
        let good = [7, 8, 11, 12].map(|number| numbers.take(number, false));
        assert_eq!(good, [Some(0), Some(0), Some(2), Some(0)]);
        // A damaged picture is missing too, with those before it.
        assert_eq!(numbers.take(14, true), None);
        assert_eq!((numbers.take(15, false), numbers.take(16, false)), (Some(2), Some(0)));
        // Numbers go round, start anew, or stand still.
        let mut numbers = Numbers { last: Some(u32::MAX), missed: 0 };
        assert_eq!(
            [1, 0, 0, 0, 5000].map(|number| numbers.take(number, false)),
            [Some(1), Some(0), Some(0), Some(0), Some(0)]
        );
    }

    #[test]
    fn the_rate_is_the_whole_number_next_to_the_driver_s() {
        assert_eq!((whole_rate(1, 30, 25), whole_rate(1001, 30_000, 25), whole_rate(2, 15, 25)), (30, 30, 8));
        assert_eq!((whole_rate(0, 0, 25), whole_rate(1, 0, 25)), (25, 25));
    }

    #[test]
    fn a_node_that_is_not_there_keeps_the_system_s_error() {
        let format = Format { pixels: Pixels::Yuyv, width: 640, height: 480, fps: 30 };
        let error = open(Path::new("/dev/video9999"), format).err().unwrap();
        assert_eq!(error.raw_os_error(), Some(2));
    }
}
