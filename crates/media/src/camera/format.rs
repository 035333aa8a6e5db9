//! Which of a camera's formats is the best for faces.

use std::cmp::{Ordering, Reverse};
use std::fmt;

/// How a camera's bytes hold a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pixels {
    /// 4:2:2 in the order Y U Y V.
    Yuyv,
    /// 4:2:0: a plane of Y, then one of U and V by turns.
    Nv12,
    /// A JPEG per frame.
    Mjpeg,
    /// Three bytes a pixel, red first.
    Rgb,
    /// Three bytes a pixel, blue first.
    Bgr,
    /// One byte a pixel.
    Gray,
}

/// A format that a camera offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Format {
    pub pixels: Pixels,
    pub width: u32,
    pub height: u32,
    /// Whole frames a second.
    pub fps: u32,
}

impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Nv12 => "NV12",
            Self::Mjpeg => "MJPEG",
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Gray => "GRAY",
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}x{} at {} fps", self.pixels, self.width, self.height, self.fps)
    }
}

/// The formats, best first, each picture size and kind of pixels once with its best rate.
///
/// A fluent picture comes first (24 frames a second and more, nearest to 30), then a size that shows faces well and
/// costs little (from 640x360, nearest to 1280x720), then uncompressed pixels before MJPEG, and colour before grey.
pub(super) fn ranked(formats: impl IntoIterator<Item = Format>) -> Vec<Format> {
    let mut formats: Vec<Format> = formats.into_iter().filter(|format| format.width > 0 && format.height > 0).collect();
    formats.sort_by(better_first);
    let mut seen = std::collections::HashSet::new();
    formats.retain(|format| seen.insert((format.pixels, format.width, format.height)));
    formats
}

fn better_first(a: &Format, b: &Format) -> Ordering {
    let key = |format: &Format| {
        let Format { pixels, width, height, fps } = *format;
        let fluent = match fps {
            24.. => 3,
            15.. => 2,
            5.. => 1,
            _ => 0,
        };
        let area = u64::from(width) * u64::from(height);
        let size = match area {
            230_400..=1_228_800 => 2,
            76_800..=2_073_600 => 1,
            _ => 0,
        };
        let pixels = match pixels {
            Pixels::Yuyv | Pixels::Nv12 => 3,
            Pixels::Mjpeg => 2,
            Pixels::Rgb | Pixels::Bgr => 1,
            Pixels::Gray => 0,
        };
        let grey = pixels == 0;
        let from_720p = area.abs_diff(1280 * 720);
        (Reverse(fluent), grey, Reverse(size), from_720p, Reverse(pixels), fps.abs_diff(30), width)
    };
    key(a).cmp(&key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(pixels: Pixels, width: u32, height: u32, fps: u32) -> Format {
        Format { pixels, width, height, fps }
    }

    #[test]
    fn the_best_format_of_real_cameras() {
        use Pixels::{Bgr, Gray, Mjpeg, Nv12, Yuyv};
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
            (vec![format(Gray, 640, 360, 15)], "GRAY 640x360 at 15 fps"),
        ];
        for (formats, best) in table {
            assert_eq!(ranked(formats.clone())[0].to_string(), best, "{formats:?}");
        }
    }

    #[test]
    fn each_size_is_listed_once_with_its_best_rate() {
        let formats = [5, 30, 60].map(|fps| format(Pixels::Yuyv, 640, 480, fps));
        assert_eq!(ranked(formats), [format(Pixels::Yuyv, 640, 480, 30)]);
        assert_eq!(ranked([format(Pixels::Yuyv, 0, 480, 30)]), []);
    }
}
