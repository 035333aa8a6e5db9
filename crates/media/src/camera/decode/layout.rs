//! Where the planes of a picture lie in a driver's buffer.

use std::borrow::Cow;

use crate::camera::format::CameraPixels;

/// A plane of bytes: rows, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::camera) struct Plane {
    /// Bytes of a row that hold pixels.
    pub row: usize,
    /// Bytes from one row to the next.
    pub stride: usize,
    pub rows: usize,
}

impl Plane {
    fn bytes(self) -> usize {
        self.stride * self.rows
    }
}

/// The planes of a picture of uncompressed pixels. The rows of colour are padded in proportion, as V4L2 wants it.
pub(in crate::camera) fn planes(pixels: CameraPixels, width: u32, height: u32, stride: Option<u32>) -> Vec<Plane> {
    let (width, height) = (width as usize, height as usize);
    let (even, half) = (width.next_multiple_of(2), width.div_ceil(2));
    let row = match pixels {
        CameraPixels::Yuyv | CameraPixels::Uyvy | CameraPixels::Yvyu | CameraPixels::Vyuy => even * 2,
        CameraPixels::Nv12 | CameraPixels::Nv21 | CameraPixels::Nv16 | CameraPixels::Nv61 => even,
        CameraPixels::I420 | CameraPixels::Yv12 | CameraPixels::I422 | CameraPixels::Gray => width,
        CameraPixels::Gray16 | CameraPixels::Gray16Be | CameraPixels::Rgb565 => width * 2,
        CameraPixels::Rgb | CameraPixels::Bgr => width * 3,
        CameraPixels::Rgbx | CameraPixels::Bgrx | CameraPixels::Xrgb | CameraPixels::Xbgr => width * 4,
        CameraPixels::Mjpeg | CameraPixels::H264 => return Vec::new(),
    };
    // A driver that says less than the pixels take means nothing by it.
    let stride = stride.map(|stride| stride as usize).filter(|&stride| stride > row).unwrap_or(row);
    let first = Plane { row, stride, rows: height };
    let color = match pixels {
        CameraPixels::Nv12 | CameraPixels::Nv21 => vec![Plane { row: even, stride, rows: height.div_ceil(2) }],
        CameraPixels::Nv16 | CameraPixels::Nv61 => vec![Plane { row: even, stride, rows: height }],
        CameraPixels::I420 | CameraPixels::Yv12 => {
            vec![Plane { row: half, stride: stride.div_ceil(2), rows: height.div_ceil(2) }; 2]
        }
        CameraPixels::I422 => vec![Plane { row: half, stride: stride.div_ceil(2), rows: height }; 2],
        _ => Vec::new(),
    };
    std::iter::once(first).chain(color).collect()
}

/// The least bytes of such a picture. The last row need not be padded.
pub(super) fn least(planes: &[Plane]) -> usize {
    let all: usize = planes.iter().map(|plane| plane.bytes()).sum();
    all - planes.last().map_or(0, |last| last.stride - last.row)
}

/// The picture cut into its planes, each of them as long as all its rows.
///
/// # Errors
/// In words, where there are too few bytes.
pub(super) fn cut<'a>(bytes: &'a [u8], planes: &[Plane]) -> Result<Vec<Cow<'a, [u8]>>, String> {
    let needed = least(planes);
    if bytes.len() < needed {
        return Err(format!("the picture has {} bytes instead of {needed}", bytes.len()));
    }
    let mut at = 0;
    let cut = |plane: &Plane| {
        let (begin, end) = (at, at + plane.bytes());
        at = end;
        match bytes.get(begin..end) {
            Some(whole) => Cow::Borrowed(whole),
            None => {
                let mut whole = bytes[begin.min(bytes.len())..].to_vec();
                whole.resize(plane.bytes(), 0);
                Cow::Owned(whole)
            }
        }
    };
    Ok(planes.iter().map(cut).collect())
}
