//! How cameras lay out the pixels of a picture.

use std::fmt;

/// How a camera's bytes hold a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pixels {
    /// 4:2:2 in the order Y U Y V.
    Yuyv,
    /// 4:2:2 in the order U Y V Y.
    Uyvy,
    /// 4:2:2 in the order Y V Y U.
    Yvyu,
    /// 4:2:2 in the order V Y U Y.
    Vyuy,
    /// 4:2:0: a plane of Y, then one of U and V by turns.
    Nv12,
    /// 4:2:0: a plane of Y, then one of V and U by turns.
    Nv21,
    /// 4:2:2: a plane of Y, then one of U and V by turns.
    Nv16,
    /// 4:2:2: a plane of Y, then one of V and U by turns.
    Nv61,
    /// 4:2:0 in three planes: Y, U, V.
    I420,
    /// 4:2:0 in three planes: Y, V, U.
    Yv12,
    /// 4:2:2 in three planes: Y, U, V.
    I422,
    /// A JPEG per frame.
    Mjpeg,
    /// H.264 as a stream of bytes.
    H264,
    /// Three bytes a pixel, red first.
    Rgb,
    /// Three bytes a pixel, blue first.
    Bgr,
    /// Four bytes a pixel: red, green, blue, and one that says nothing.
    Rgbx,
    /// Four bytes a pixel: blue, green, red, and one that says nothing.
    Bgrx,
    /// Four bytes a pixel: one that says nothing, red, green, blue.
    Xrgb,
    /// Four bytes a pixel: one that says nothing, blue, green, red.
    Xbgr,
    /// Two bytes a pixel, the low one first: 5 bits of red, 6 of green, 5 of blue.
    Rgb565,
    /// One byte a pixel.
    Gray,
    /// Two bytes a pixel, the low one first. Many cameras fill 10, 12 or 14 bits of them.
    Gray16,
    /// Two bytes a pixel, the high one first.
    Gray16Be,
}

/// How a driver of V4L2 calls each of them; the first name of a kind is the usual one.
const FOURCCS: [(&[u8; 4], Pixels); 42] = [
    (b"YUYV", Pixels::Yuyv),
    (b"YUY2", Pixels::Yuyv),
    (b"UYVY", Pixels::Uyvy),
    (b"YVYU", Pixels::Yvyu),
    (b"VYUY", Pixels::Vyuy),
    (b"NV12", Pixels::Nv12),
    (b"NV21", Pixels::Nv21),
    (b"NV16", Pixels::Nv16),
    (b"NV61", Pixels::Nv61),
    (b"YU12", Pixels::I420),
    (b"I420", Pixels::I420),
    (b"IYUV", Pixels::I420),
    (b"YV12", Pixels::Yv12),
    (b"422P", Pixels::I422),
    (b"MJPG", Pixels::Mjpeg),
    (b"JPEG", Pixels::Mjpeg),
    (b"H264", Pixels::H264),
    (b"RGB3", Pixels::Rgb),
    (b"BGR3", Pixels::Bgr),
    // With and without alpha, which says nothing in a camera's picture.
    (b"XB24", Pixels::Rgbx),
    (b"AB24", Pixels::Rgbx),
    (b"XR24", Pixels::Bgrx),
    (b"AR24", Pixels::Bgrx),
    (b"BGR4", Pixels::Bgrx),
    (b"BX24", Pixels::Xrgb),
    (b"BA24", Pixels::Xrgb),
    (b"RGB4", Pixels::Xrgb),
    (b"RX24", Pixels::Xbgr),
    (b"RA24", Pixels::Xbgr),
    (b"RGBP", Pixels::Rgb565),
    (b"GREY", Pixels::Gray),
    (b"Y800", Pixels::Gray),
    (b"Y8  ", Pixels::Gray),
    (b"Y16 ", Pixels::Gray16),
    (b"Y10 ", Pixels::Gray16),
    (b"Y12 ", Pixels::Gray16),
    (b"Y14 ", Pixels::Gray16),
    (b"Y012", Pixels::Gray16),
    // The highest bit of the code says that the high byte comes first.
    (&[b'Y', b'1', b'6', b' ' | 0x80], Pixels::Gray16Be),
    (&[b'Y', b'1', b'0', b' ' | 0x80], Pixels::Gray16Be),
    (&[b'Y', b'1', b'2', b' ' | 0x80], Pixels::Gray16Be),
    (&[b'Y', b'1', b'4', b' ' | 0x80], Pixels::Gray16Be),
];

impl Pixels {
    /// The pixels that V4L2 calls so; `None` where they are not read here.
    pub(super) fn of_fourcc(fourcc: [u8; 4]) -> Option<Self> {
        FOURCCS.iter().find(|(name, _)| **name == fourcc).map(|&(_, pixels)| pixels)
    }

    pub(super) fn is_grey(self) -> bool {
        matches!(self, Self::Gray | Self::Gray16 | Self::Gray16Be)
    }

    /// What is taken of several at the same size and rate: the more, the better.
    pub(super) fn worth(self) -> u8 {
        match self {
            Self::Yuyv | Self::Uyvy | Self::Yvyu | Self::Vyuy => 5,
            Self::Nv12 | Self::Nv21 | Self::Nv16 | Self::Nv61 | Self::I420 | Self::Yv12 | Self::I422 => 4,
            Self::Mjpeg => 3,
            Self::Rgb | Self::Bgr | Self::Rgbx | Self::Bgrx | Self::Xrgb | Self::Xbgr => 2,
            Self::Rgb565 | Self::H264 => 1,
            Self::Gray | Self::Gray16 | Self::Gray16Be => 0,
        }
    }

    /// Whether pictures differ in their length.
    pub(super) fn is_compressed(self) -> bool {
        matches!(self, Self::Mjpeg | Self::H264)
    }
}

impl fmt::Display for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yuyv => "YUYV",
            Self::Uyvy => "UYVY",
            Self::Yvyu => "YVYU",
            Self::Vyuy => "VYUY",
            Self::Nv12 => "NV12",
            Self::Nv21 => "NV21",
            Self::Nv16 => "NV16",
            Self::Nv61 => "NV61",
            Self::I420 => "YU12",
            Self::Yv12 => "YV12",
            Self::I422 => "422P",
            Self::Mjpeg => "MJPEG",
            Self::H264 => "H.264",
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Rgbx => "RGBX",
            Self::Bgrx => "BGRX",
            Self::Xrgb => "XRGB",
            Self::Xbgr => "XBGR",
            Self::Rgb565 => "RGB565",
            Self::Gray => "GREY",
            Self::Gray16 | Self::Gray16Be => "Y16",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_told_once() {
        let mut names: Vec<_> = FOURCCS.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FOURCCS.len());
        assert_eq!((Pixels::of_fourcc(*b"GREY"), Pixels::of_fourcc(*b"HEVC")), (Some(Pixels::Gray), None));
    }
}
