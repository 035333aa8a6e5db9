//! How cameras lay out the pixels of a picture.

use std::fmt;

/// How a camera's bytes hold a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CameraPixels {
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
const FOURCCS: [(&[u8; 4], CameraPixels); 42] = [
    (b"YUYV", CameraPixels::Yuyv),
    (b"YUY2", CameraPixels::Yuyv),
    (b"UYVY", CameraPixels::Uyvy),
    (b"YVYU", CameraPixels::Yvyu),
    (b"VYUY", CameraPixels::Vyuy),
    (b"NV12", CameraPixels::Nv12),
    (b"NV21", CameraPixels::Nv21),
    (b"NV16", CameraPixels::Nv16),
    (b"NV61", CameraPixels::Nv61),
    (b"YU12", CameraPixels::I420),
    (b"I420", CameraPixels::I420),
    (b"IYUV", CameraPixels::I420),
    (b"YV12", CameraPixels::Yv12),
    (b"422P", CameraPixels::I422),
    (b"MJPG", CameraPixels::Mjpeg),
    (b"JPEG", CameraPixels::Mjpeg),
    (b"H264", CameraPixels::H264),
    (b"RGB3", CameraPixels::Rgb),
    (b"BGR3", CameraPixels::Bgr),
    // With and without alpha, which says nothing in a camera's picture.
    (b"XB24", CameraPixels::Rgbx),
    (b"AB24", CameraPixels::Rgbx),
    (b"XR24", CameraPixels::Bgrx),
    (b"AR24", CameraPixels::Bgrx),
    (b"BGR4", CameraPixels::Bgrx),
    (b"BX24", CameraPixels::Xrgb),
    (b"BA24", CameraPixels::Xrgb),
    (b"RGB4", CameraPixels::Xrgb),
    (b"RX24", CameraPixels::Xbgr),
    (b"RA24", CameraPixels::Xbgr),
    (b"RGBP", CameraPixels::Rgb565),
    (b"GREY", CameraPixels::Gray),
    (b"Y800", CameraPixels::Gray),
    (b"Y8  ", CameraPixels::Gray),
    (b"Y16 ", CameraPixels::Gray16),
    (b"Y10 ", CameraPixels::Gray16),
    (b"Y12 ", CameraPixels::Gray16),
    (b"Y14 ", CameraPixels::Gray16),
    (b"Y012", CameraPixels::Gray16),
    // The highest bit of the code says that the high byte comes first.
    (&[b'Y', b'1', b'6', b' ' | 0x80], CameraPixels::Gray16Be),
    (&[b'Y', b'1', b'0', b' ' | 0x80], CameraPixels::Gray16Be),
    (&[b'Y', b'1', b'2', b' ' | 0x80], CameraPixels::Gray16Be),
    (&[b'Y', b'1', b'4', b' ' | 0x80], CameraPixels::Gray16Be),
];

impl CameraPixels {
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

impl fmt::Display for CameraPixels {
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
        assert_eq!(
            (CameraPixels::of_fourcc(*b"GREY"), CameraPixels::of_fourcc(*b"HEVC")),
            (Some(CameraPixels::Gray), None)
        );
    }
}
