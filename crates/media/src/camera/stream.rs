//! Pictures of a V4L2 camera, asked directly: unlike `nokhwa` this takes every rate, tells damaged pictures, and knows how
//! many the driver dropped because nobody fetched them in time.

use std::io;
use std::time::Duration;

use super::decode::FrameLayout;
use super::driver::{Buffer, Driver, Stream};
use super::format::{CameraPixels, Format, Offer, letters};
use super::grab::{GrabbedPicture, Grabber, Lost, Raw, lost};
use super::interval::Interval;
use super::offers::best_interval;
use super::stamps::Stamps;
use super::wish::CameraFormat;
use crate::video::LiveH264;

/// A larger gap in the driver's numbers is none of lost pictures, but of numbers that start anew.
const LARGEST_GAP: u32 = 1000;
/// A driver that has no picture yet and does not wait for one is asked again after this.
const PAUSE: Duration = Duration::from_millis(5);

/// A streaming V4L2 camera.
pub(super) struct Streaming {
    stream: Box<dyn Stream>,
    pixels: CameraPixels,
    numbers: DriverNumbers,
    stamps: Stamps,
    /// Of a camera that gives H.264.
    h264: Option<LiveH264>,
}

/// Sets a camera to this format and starts it. Gives the format that the driver took: cameras know better what they can,
/// unless somebody asked for just this one.
///
/// # Errors
/// The system's own: busy, no permission, no device; or words where the driver takes pixels that are not read here.
pub(super) fn open(
    driver: &dyn Driver,
    offers: &[Offer],
    format: Format,
    wish: Option<&CameraFormat>,
) -> io::Result<(Streaming, Format, FrameLayout)> {
    let offered = |offer: &&Offer| {
        let same_size = (offer.width, offer.height) == (format.width, format.height);
        offer.pixels == Some(format.pixels) && (same_size || wish.is_some())
    };
    let fourcc = offers.iter().find(offered).map(|offer| offer.fourcc).ok_or_else(|| other("it is not offered"))?;
    let set = driver.set(fourcc, format.width, format.height)?;
    let taken = CameraPixels::of_fourcc(set.fourcc).map(|pixels| Format {
        pixels,
        width: set.width,
        height: set.height,
        interval: format.interval,
    });
    let given = || format!("{} {}x{}", letters(set.fourcc), set.width, set.height);
    let Some(mut taken) = taken.filter(|taken| taken.width > 0 && taken.height > 0) else {
        return Err(other(&format!("it gives {} where {format} was asked for", given())));
    };
    if let Some(wish) = wish.filter(|wish| !wish.is_met_by(&taken)) {
        return Err(other(&format!("it gives {} where {wish} was asked for", given())));
    }
    let same_size = (taken.width, taken.height, taken.pixels) == (format.width, format.height, format.pixels);
    let interval = if same_size { format.interval } else { best_interval(driver, &set) };
    taken.interval = set_rate(driver, interval);
    let stream = driver.start()?;
    let layout = FrameLayout { stride: (set.stride > 0).then_some(set.stride), full_range: set.full_range, hd: set.hd };
    let h264 = (taken.pixels == CameraPixels::H264).then(LiveH264::default);
    let (numbers, stamps) = (DriverNumbers::default(), Stamps::default());
    Ok((Streaming { stream, pixels: taken.pixels, numbers, stamps, h264 }, taken, layout))
}

/// Asks for a rate; gives the one that the driver took, or the one that it promised where it knows one alone and cannot be
/// asked. Whatever else is wrong with the device, its start says, too.
fn set_rate(driver: &dyn Driver, interval: Interval) -> Interval {
    let asked = if interval == Interval::UNKNOWN { Interval::of_fps(30) } else { interval };
    let told = driver.set_interval(asked).ok().filter(|set| *set != Interval::UNKNOWN);
    told.or_else(|| driver.interval().ok().filter(|set| *set != Interval::UNKNOWN)).unwrap_or(interval)
}

fn other(words: &str) -> io::Error {
    io::Error::other(words.to_owned())
}

impl Grabber for Streaming {
    fn grab(&mut self) -> Result<Raw, Lost> {
        let buffer = match self.stream.next() {
            Ok(buffer) => buffer,
            Err(error) => return Err(nothing(&error)),
        };
        let Buffer { bytes, used, number, stamp, is_damaged, clocks } = buffer;
        // A driver that fills nothing says so; of pixels that have all the same length some do not say it.
        let is_empty = used == 0 && self.pixels.is_compressed();
        let captured_at = self.stamps.place(stamp, clocks);
        let Some(missed) = self.numbers.take(number, is_damaged || is_empty) else {
            let why = if is_damaged { "the driver says that the picture is damaged" } else { "the picture is empty" };
            return Err(Lost::Damaged(why.to_owned()));
        };
        let used = if used == 0 { bytes.len() } else { bytes.len().min(used as usize) };
        let picture = match &mut self.h264 {
            None => GrabbedPicture::Bytes(bytes[..used].to_vec()),
            Some(decoder) => match decoder.decode(&bytes[..used]) {
                Ok(Some(frame)) => GrabbedPicture::Frame(frame),
                // Nothing can be shown before the first key frame.
                Ok(None) => {
                    self.numbers.missed += missed;
                    return Err(Lost::Nothing);
                }
                Err(why) => {
                    self.numbers.missed += missed + 1;
                    return Err(Lost::Damaged(why));
                }
            },
        };
        Ok(Raw { picture, captured_at, missed })
    }
}

/// A driver that gave nothing now may give something next.
fn nothing(error: &io::Error) -> Lost {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Lost::Nothing,
        io::ErrorKind::WouldBlock => {
            std::thread::sleep(PAUSE);
            Lost::Nothing
        }
        _ => lost(error.to_string()),
    }
}

/// The driver's numbers, and what is missing in them.
#[derive(Debug, Default)]
struct DriverNumbers {
    last: Option<u32>,
    /// Pictures that were lost since the last good one.
    missed: u64,
}

impl DriverNumbers {
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

    #[test]
    fn gaps_in_the_driver_s_numbers_are_counted() {
        let mut numbers = DriverNumbers::default();
        let good = [7, 8, 11, 12].map(|number| numbers.take(number, false));
        assert_eq!(good, [Some(0), Some(0), Some(2), Some(0)]);
        // A damaged picture is missing too, with those before it.
        assert_eq!(numbers.take(14, true), None);
        assert_eq!((numbers.take(15, false), numbers.take(16, false)), (Some(2), Some(0)));
        // Numbers go round, start anew, or stand still.
        let mut numbers = DriverNumbers { last: Some(u32::MAX), missed: 0 };
        assert_eq!(
            [1, 0, 0, 0, 5000].map(|number| numbers.take(number, false)),
            [Some(1), Some(0), Some(0), Some(0), Some(0)]
        );
    }
}
