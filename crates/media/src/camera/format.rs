//! Which of a camera's formats is the best for faces.

use std::cmp::{Ordering, Reverse};
use std::fmt;

use super::interval::{Interval, Rates};
pub use super::pixels::CameraPixels;

/// A format in which a camera is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Format {
    pub pixels: CameraPixels,
    pub width: u32,
    pub height: u32,
    pub interval: Interval,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{}", self.pixels, self.width, self.height)?;
        match self.interval.fps() {
            Some(_) => write!(f, " at {} fps", self.interval),
            None => Ok(()),
        }
    }
}

/// What a camera offers at one size, as its driver says it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Offer {
    /// What the driver calls the pixels: four letters.
    pub fourcc: [u8; 4],
    /// `None` where such pixels are not read here.
    pub pixels: Option<CameraPixels>,
    pub width: u32,
    pub height: u32,
    pub rates: Rates,
}

impl Offer {
    /// The formats that can be read, one for each of the rates.
    pub(super) fn formats(&self) -> impl Iterator<Item = Format> + '_ {
        let Self { pixels, width, height, .. } = *self;
        let intervals = if pixels.is_some() { self.rates.choices() } else { Vec::new() };
        intervals.into_iter().filter_map(move |interval| Some(Format { pixels: pixels?, width, height, interval }))
    }
}

/// For people: `MJPG 1280x720 at 30, 15 fps`.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{}", letters(self.fourcc), self.width, self.height)?;
        if self.rates != Rates::Unknown {
            write!(f, " at {} fps", self.rates)?;
        }
        if self.pixels.is_none() { f.write_str(" (not supported)") } else { Ok(()) }
    }
}

/// Four letters, without blanks at their end; what is no letter is shown as a question mark.
pub(super) fn letters(fourcc: [u8; 4]) -> String {
    let letters =
        fourcc.iter().map(|&byte| if byte == b' ' || byte.is_ascii_graphic() { char::from(byte) } else { '?' });
    letters.collect::<String>().trim_end().to_owned()
}

/// The formats, best first, each picture size and kind of pixels once with its best rate.
///
/// A fluent picture comes first (24 frames a second and more, nearest to 30), then a size that shows faces well and
/// costs little (from 640x360, nearest to 1280x720), then uncompressed pixels before MJPEG. Colour comes before grey, and
/// H.264, which shows nothing before its next key frame, after everything else in colour.
pub(super) fn ranked(formats: impl IntoIterator<Item = Format>) -> Vec<Format> {
    let mut formats: Vec<Format> = formats.into_iter().filter(|format| format.width > 0 && format.height > 0).collect();
    formats.sort_by(better_first);
    let mut seen = std::collections::HashSet::new();
    formats.retain(|format| seen.insert((format.pixels, format.width, format.height)));
    formats
}

fn better_first(a: &Format, b: &Format) -> Ordering {
    let key = |format: &Format| {
        let Format { pixels, width, height, interval } = *format;
        // Most cameras that do not say their rate give 30.
        let fps = interval.fps().unwrap_or(30.0);
        let fluent = match fps {
            // 23.98 is a rate of films.
            23.9.. => 3,
            14.9.. => 2,
            4.9.. => 1,
            _ => 0,
        };
        let area = u64::from(width) * u64::from(height);
        let size = match area {
            230_400..=1_228_800 => 2,
            76_800..=2_073_600 => 1,
            _ => 0,
        };
        let last_resort = if pixels.is_grey() { 2 } else { u8::from(pixels == CameraPixels::H264) };
        let from_720p = area.abs_diff(1280 * 720);
        let from_30 = ((fps - 30.0).abs() * 100.0).round() as u64;
        (Reverse(fluent), last_resort, Reverse(size), from_720p, Reverse(pixels.worth()), from_30, width)
    };
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pixels: CameraPixels, width: u32, height: u32, fps: u32) -> Format {
        Format { pixels, width, height, interval: Interval::of_fps(fps) }
    }

    #[test]
    fn the_best_format_of_real_cameras() {
        use CameraPixels::{Bgr, Gray, H264, Mjpeg, Nv12, Yuyv};
        let table = [
            // A plain webcam: raw HD is slow, MJPEG HD is fluent.
            (
                vec![format(Yuyv, 640, 480, 30), format(Yuyv, 1280, 720, 10), format(Mjpeg, 1280, 720, 30)],
                "MJPEG 1280x720 at 30 fps",
            ),
            // Raw and MJPEG at the same size and rate: raw.
            (vec![format(Mjpeg, 640, 480, 30), format(Yuyv, 640, 480, 30)], "YUYV 640x480 at 30 fps"),
            // Fluent and small beats large and slow.
            (vec![format(Yuyv, 1920, 1080, 5), format(Yuyv, 640, 480, 30)], "YUYV 640x480 at 30 fps"),
            (vec![format(Yuyv, 1280, 960, 7), format(Yuyv, 320, 240, 30)], "YUYV 320x240 at 30 fps"),
            // Not the highest of all, neither in size nor in rate.
            (
                vec![format(Mjpeg, 3840, 2160, 30), format(Mjpeg, 1280, 720, 60), format(Mjpeg, 1280, 720, 30)],
                "MJPEG 1280x720 at 30 fps",
            ),
            (vec![format(Nv12, 1280, 720, 60), format(Nv12, 1280, 720, 1)], "NV12 1280x720 at 60 fps"),
            // An infrared stream of the same camera is the last resort.
            (vec![format(Gray, 640, 360, 30), format(Bgr, 320, 240, 30)], "BGR 320x240 at 30 fps"),
            (vec![format(Gray, 640, 360, 15)], "GREY 640x360 at 15 fps"),
            // H.264 only where there is nothing else.
            (vec![format(H264, 1280, 720, 30), format(Mjpeg, 640, 480, 30)], "MJPEG 640x480 at 30 fps"),
            (vec![format(H264, 1280, 720, 30), format(Gray, 640, 480, 30)], "H.264 1280x720 at 30 fps"),
            // Rates that are no whole numbers.
            (
                vec![
                    Format { interval: Interval::new(1001, 30_000), ..format(Yuyv, 640, 480, 0) },
                    Format { interval: Interval::new(2, 15), ..format(Yuyv, 1280, 720, 0) },
                ],
                "YUYV 640x480 at 29.97 fps",
            ),
            // A rate that is not said is taken for the usual one.
            (vec![format(Yuyv, 1280, 720, 10), format(Yuyv, 640, 480, 0)], "YUYV 640x480"),
        ];
        for (formats, best) in table {
            assert_eq!(ranked(formats.clone())[0].to_string(), best, "{formats:?}");
        }
    }

    #[test]
    fn each_size_is_listed_once_with_its_best_rate() {
        let formats = [5, 30, 60].map(|fps| format(CameraPixels::Yuyv, 640, 480, fps));
        assert_eq!(ranked(formats), [format(CameraPixels::Yuyv, 640, 480, 30)]);
        assert_eq!(ranked([format(CameraPixels::Yuyv, 0, 480, 30)]), []);
    }

    #[test]
    fn an_offer_says_every_rate_and_what_is_not_read() {
        let offer = |fourcc: &[u8; 4], pixels, rates| Offer { fourcc: *fourcc, pixels, width: 640, height: 480, rates };
        let rates = Rates::Each(vec![Interval::of_fps(15), Interval::new(1001, 30_000)]);
        let mjpeg = offer(b"MJPG", Some(CameraPixels::Mjpeg), rates.clone());
        assert_eq!(mjpeg.to_string(), "MJPG 640x480 at 29.97, 15 fps");
        assert_eq!(mjpeg.formats().count(), 2);
        let unknown = offer(b"Y8I ", None, rates);
        assert_eq!(unknown.to_string(), "Y8I 640x480 at 29.97, 15 fps (not supported)");
        assert_eq!(unknown.formats().count(), 0);
        assert_eq!(offer(b"YUYV", Some(CameraPixels::Yuyv), Rates::Unknown).to_string(), "YUYV 640x480");
    }
}
