//! Uncompressed pixels as RGB8.

use std::borrow::Cow;

use facelens_core::frame::{self, Frame};
use yuv::{
    YuvBiPlanarImage, YuvConversionMode, YuvError, YuvGrayImage, YuvPackedImage, YuvPlanarImage, YuvRange,
    YuvStandardMatrix,
};

use super::layout::{Plane, cut, least, planes};
use super::{FrameLayout, MATRIX, RANGE};
use crate::camera::format::{CameraPixels, Format};

/// How YUV is meant, and where it goes.
struct Target<'a> {
    rgb: &'a mut [u8],
    stride: u32,
    width: u32,
    height: u32,
    range: YuvRange,
    matrix: YuvStandardMatrix,
}

/// Decodes one picture. `depth` is the highest bit of two bytes of grey so far.
///
/// # Errors
/// What is wrong with the bytes, in words.
pub(super) fn decode(format: Format, layout: FrameLayout, bytes: &[u8], depth: &mut u32) -> Result<Frame, String> {
    let Format { pixels, width, height, .. } = format;
    Frame::check_size(width, height).map_err(|error| error.to_string())?;
    let tight = planes(pixels, width, height, None);
    let told = planes(pixels, width, height, layout.stride);
    // Some drivers say a padding that they do not keep: then the number of bytes tells.
    let planes = if bytes.len() < least(&told) && bytes.len() == least(&tight) { tight } else { told };
    let parts = cut(bytes, &planes)?;
    let mut rgb = frame::buffer(width as usize * height as usize * 3);
    let target = Target {
        rgb: &mut rgb,
        stride: width * 3,
        width,
        height,
        range: if layout.full_range { YuvRange::Full } else { RANGE },
        matrix: if layout.hd { YuvStandardMatrix::Bt709 } else { MATRIX },
    };
    match (pixels, &planes[..], &parts[..]) {
        (CameraPixels::Yuyv | CameraPixels::Uyvy | CameraPixels::Yvyu | CameraPixels::Vyuy, [plane], [bytes]) => {
            packed(pixels, plane, bytes, target).map_err(|error| error.to_string())?;
        }
        (
            CameraPixels::Nv12 | CameraPixels::Nv21 | CameraPixels::Nv16 | CameraPixels::Nv61,
            [y, uv],
            [y_bytes, uv_bytes],
        ) => {
            two_planes(pixels, [y, uv], [y_bytes, uv_bytes], target).map_err(|error| error.to_string())?;
        }
        (CameraPixels::I420 | CameraPixels::Yv12 | CameraPixels::I422, [y, u, v], [y_bytes, u_bytes, v_bytes]) => {
            let colors = if pixels == CameraPixels::Yv12 { [v_bytes, u_bytes] } else { [u_bytes, v_bytes] };
            debug_assert_eq!(u, v);
            three_planes(pixels, [y, u], y_bytes, colors, target).map_err(|error| error.to_string())?;
        }
        (CameraPixels::Gray, [plane], [bytes]) => gray(bytes, plane.stride as u32, target)?,
        (CameraPixels::Gray16 | CameraPixels::Gray16Be, [plane], [bytes]) => {
            let bytes = high_bytes(bytes, plane, pixels == CameraPixels::Gray16Be, depth);
            gray(&bytes, width, target)?;
        }
        (_, [plane], [bytes]) => rearrange(pixels, plane, bytes, &mut rgb),
        _ => return Err("these pixels are not supported".to_owned()),
    }
    Frame::from_rgb(width, height, rgb).map_err(|error| error.to_string())
}

fn packed(pixels: CameraPixels, plane: &Plane, yuy: &[u8], to: Target<'_>) -> Result<(), YuvError> {
    let Target { rgb, stride, width, height, range, matrix } = to;
    let image = YuvPackedImage { yuy, yuy_stride: plane.stride as u32, width, height };
    let convert = match pixels {
        CameraPixels::Uyvy => yuv::uyvy422_to_rgb,
        CameraPixels::Yvyu => yuv::yvyu422_to_rgb,
        CameraPixels::Vyuy => yuv::vyuy422_to_rgb,
        _ => yuv::yuyv422_to_rgb,
    };
    convert(&image, rgb, stride, range, matrix)
}

fn two_planes(pixels: CameraPixels, [y, uv]: [&Plane; 2], bytes: [&[u8]; 2], to: Target<'_>) -> Result<(), YuvError> {
    let Target { rgb, stride, width, height, range, matrix } = to;
    let (y_stride, uv_stride) = (y.stride as u32, uv.stride as u32);
    let image = YuvBiPlanarImage { y_plane: bytes[0], y_stride, uv_plane: bytes[1], uv_stride, width, height };
    let convert = match pixels {
        CameraPixels::Nv21 => yuv::yuv_nv21_to_rgb,
        CameraPixels::Nv16 => yuv::yuv_nv16_to_rgb,
        CameraPixels::Nv61 => yuv::yuv_nv61_to_rgb,
        _ => yuv::yuv_nv12_to_rgb,
    };
    convert(&image, rgb, stride, range, matrix, YuvConversionMode::Balanced)
}

fn three_planes(
    pixels: CameraPixels,
    [y, uv]: [&Plane; 2],
    y_plane: &[u8],
    [u_plane, v_plane]: [&Cow<'_, [u8]>; 2],
    to: Target<'_>,
) -> Result<(), YuvError> {
    let Target { rgb, stride, width, height, range, matrix } = to;
    let (y_stride, u_stride) = (y.stride as u32, uv.stride as u32);
    let image = YuvPlanarImage { y_plane, y_stride, u_plane, u_stride, v_plane, v_stride: u_stride, width, height };
    let convert = if pixels == CameraPixels::I422 { yuv::yuv422_to_rgb } else { yuv::yuv420_to_rgb };
    convert(&image, rgb, stride, range, matrix)
}

/// Grey fills the whole range of a byte, whatever is said of colours.
fn gray(y_plane: &[u8], y_stride: u32, to: Target<'_>) -> Result<(), String> {
    let Target { rgb, stride, width, height, matrix, .. } = to;
    let image = YuvGrayImage { y_plane, y_stride, width, height };
    yuv::yuv400_to_rgb(&image, rgb, stride, YuvRange::Full, matrix).map_err(|error| error.to_string())
}

/// Two bytes of grey as one: the highest of the bits that the camera fills.
fn high_bytes(bytes: &[u8], plane: &Plane, high_first: bool, depth: &mut u32) -> Vec<u8> {
    let rows = || bytes.chunks(plane.stride).map(|row| row[..plane.row].as_chunks::<2>().0);
    let value = |&pair: &[u8; 2]| if high_first { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
    let largest = rows().flatten().map(value).max().unwrap_or(0);
    // Cameras fill an even number of bits; it does not change with the light.
    *depth = (*depth).max((16 - largest.leading_zeros()).next_multiple_of(2)).max(8);
    let shift = *depth - 8;
    rows().flatten().map(|pair| (value(pair) >> shift) as u8).collect()
}

/// Red, green and blue by their places in a pixel.
fn rearrange(pixels: CameraPixels, plane: &Plane, bytes: &[u8], rgb: &mut [u8]) {
    let (size, places) = match pixels {
        CameraPixels::Rgb => (3, [0, 1, 2]),
        CameraPixels::Bgr => (3, [2, 1, 0]),
        CameraPixels::Rgbx => (4, [0, 1, 2]),
        CameraPixels::Bgrx => (4, [2, 1, 0]),
        CameraPixels::Xrgb => (4, [1, 2, 3]),
        CameraPixels::Xbgr => (4, [3, 2, 1]),
        _ => (2, [0; 3]),
    };
    let width = plane.row / size * 3;
    for (from, to) in bytes.chunks(plane.stride).zip(rgb.chunks_exact_mut(width)) {
        let from = &from[..plane.row];
        if places == [0, 1, 2] && size == 3 {
            to.copy_from_slice(from);
            continue;
        }
        for (from, to) in from.chunks_exact(size).zip(to.as_chunks_mut::<3>().0) {
            *to = if size == 2 { of_565(from) } else { places.map(|place| from[place]) };
        }
    }
}

fn of_565(bytes: &[u8]) -> [u8; 3] {
    let value = u16::from_le_bytes([bytes[0], bytes[1]]);
    let (red, green, blue) = ((value >> 11) as u8, (value >> 5 & 63) as u8, (value & 31) as u8);
    [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
}
