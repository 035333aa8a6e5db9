//! A frame as the bytes that a camera would have sent: for benches and tests, which have no camera.

use facelens_core::frame::Frame;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use yuv::{BufferStoreMut, YuvBiPlanarImageMut, YuvConversionMode};

use super::decode::{MATRIX, RANGE};
use super::format::CameraPixels;

/// Quality of the JPEGs; webcams send about as much.
const JPEG_QUALITY: u8 = 85;

/// The frame in a camera's format, rows without padding.
///
/// # Errors
/// In words: an odd width or height, which the YUV formats do not have, or an encoder that refuses the picture.
pub(super) fn encode(pixels: CameraPixels, frame: &Frame) -> Result<Vec<u8>, String> {
    let rgb = || frame.rgb().as_chunks::<3>().0.iter();
    Ok(match pixels {
        CameraPixels::Nv12 => nv12(frame)?,
        CameraPixels::Yuyv => yuyv(frame, &nv12(frame)?),
        CameraPixels::Uyvy => in_order(&yuyv(frame, &nv12(frame)?), [1, 0, 3, 2]),
        CameraPixels::Yvyu => in_order(&yuyv(frame, &nv12(frame)?), [0, 3, 2, 1]),
        CameraPixels::Vyuy => in_order(&yuyv(frame, &nv12(frame)?), [3, 0, 1, 2]),
        CameraPixels::Nv21
        | CameraPixels::Nv16
        | CameraPixels::Nv61
        | CameraPixels::I420
        | CameraPixels::Yv12
        | CameraPixels::I422 => planes(pixels, frame, &nv12(frame)?),
        CameraPixels::Mjpeg => {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
                .encode(frame.rgb(), frame.width(), frame.height(), ExtendedColorType::Rgb8)
                .map_err(|error| error.to_string())?;
            bytes
        }
        CameraPixels::H264 => return Err("H.264 is no picture by itself".to_owned()),
        CameraPixels::Rgb => frame.rgb().to_vec(),
        CameraPixels::Bgr => rgb().flat_map(|&[red, green, blue]| [blue, green, red]).collect(),
        CameraPixels::Rgbx => rgb().flat_map(|&[red, green, blue]| [red, green, blue, 0]).collect(),
        CameraPixels::Bgrx => rgb().flat_map(|&[red, green, blue]| [blue, green, red, 0]).collect(),
        CameraPixels::Xrgb => rgb().flat_map(|&[red, green, blue]| [0, red, green, blue]).collect(),
        CameraPixels::Xbgr => rgb().flat_map(|&[red, green, blue]| [0, blue, green, red]).collect(),
        CameraPixels::Rgb565 => rgb().flat_map(rgb565).collect(),
        CameraPixels::Gray => rgb().map(gray).collect(),
        CameraPixels::Gray16 => rgb().flat_map(|pixel| [0, gray(pixel)]).collect(),
        CameraPixels::Gray16Be => rgb().flat_map(|pixel| [gray(pixel), 0]).collect(),
    })
}

fn gray(&[red, green, blue]: &[u8; 3]) -> u8 {
    ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8) as u8
}

fn rgb565(&[red, green, blue]: &[u8; 3]) -> [u8; 2] {
    (u16::from(red >> 3) << 11 | u16::from(green >> 2) << 5 | u16::from(blue >> 3)).to_le_bytes()
}

fn in_order(yuyv: &[u8], places: [usize; 4]) -> Vec<u8> {
    yuyv.as_chunks::<4>().0.iter().flat_map(|pair| places.map(|place| pair[place])).collect()
}

/// The planes of an NV12 picture in another order, or with each row of colours twice.
fn planes(pixels: CameraPixels, frame: &Frame, nv12: &[u8]) -> Vec<u8> {
    let width = frame.width() as usize;
    let (light, color) = nv12.split_at(width * frame.height() as usize);
    let twice = || color.chunks(width).flat_map(|row| [row, row].concat()).collect::<Vec<u8>>();
    let every_other = |color: &[u8], from: usize| color.iter().skip(from).step_by(2).copied().collect::<Vec<u8>>();
    let turned = |color: &[u8]| color.as_chunks::<2>().0.iter().flat_map(|&[u, v]| [v, u]).collect::<Vec<u8>>();
    let colors = match pixels {
        CameraPixels::Nv21 => turned(color),
        CameraPixels::Nv16 => twice(),
        CameraPixels::Nv61 => turned(&twice()),
        CameraPixels::Yv12 => [every_other(color, 1), every_other(color, 0)].concat(),
        CameraPixels::I422 => [every_other(&twice(), 0), every_other(&twice(), 1)].concat(),
        _ => [every_other(color, 0), every_other(color, 1)].concat(),
    };
    [light, &colors].concat()
}

fn nv12(frame: &Frame) -> Result<Vec<u8>, String> {
    let (width, height) = (frame.width(), frame.height());
    if !width.is_multiple_of(2) || !height.is_multiple_of(2) {
        return Err(format!("a {width}x{height} image has an odd side"));
    }
    let mut bytes = vec![0; width as usize * height as usize * 3 / 2];
    let (y_plane, uv_plane) = bytes.split_at_mut(width as usize * height as usize);
    let mut image = YuvBiPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(y_plane),
        y_stride: width,
        uv_plane: BufferStoreMut::Borrowed(uv_plane),
        uv_stride: width,
        width,
        height,
    };
    yuv::rgb_to_yuv_nv12(&mut image, frame.rgb(), width * 3, RANGE, MATRIX, YuvConversionMode::Balanced)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Each row of colours of the NV12 picture serves two rows.
fn yuyv(frame: &Frame, nv12: &[u8]) -> Vec<u8> {
    let width = frame.width() as usize;
    let (y_plane, uv_plane) = nv12.split_at(width * frame.height() as usize);
    let rows = y_plane.chunks(width).enumerate();
    rows.flat_map(|(row, lights)| lights.chunks(2).zip(uv_plane[row / 2 * width..].chunks(2)))
        .flat_map(|(light, color)| [light[0], color[0], light[1], color[1]])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode_camera_picture;

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let (width, height) = (32, 24);
        let pixel = |x: u32, y: u32| [(40 + x * 4) as u8, (200 - y * 4) as u8, 90];
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect();
        let frame = Frame::from_rgb(width, height, rgb).unwrap();
        use CameraPixels::*;
        let subsampled = [Yuyv, Uyvy, Yvyu, Vyuy, Nv12, Nv21, Nv16, Nv61, I420, Yv12, I422].map(|pixels| (pixels, 8));
        let exact = [Rgb, Bgr, Rgbx, Bgrx, Xrgb, Xbgr].map(|pixels| (pixels, 0));
        for (pixels, tolerance) in [&subsampled[..], &exact, &[(Mjpeg, 12), (Rgb565, 8)]].concat() {
            let bytes = encode(pixels, &frame).unwrap();
            let back = decode_camera_picture(pixels, width, height, &bytes).unwrap();
            let worst = back.rgb().iter().zip(frame.rgb()).map(|(&a, &b)| a.abs_diff(b)).max();
            assert!(worst.unwrap() <= tolerance, "{pixels}: {worst:?}");
        }
        assert_eq!(encode(Gray, &frame).unwrap().len(), (width * height) as usize);
        assert_eq!(encode(Gray16, &frame).unwrap().len(), (width * height * 2) as usize);
        let odd = Frame::from_rgb(3, 2, vec![0; 18]).unwrap();
        assert!(encode(Yuyv, &odd).is_err() && encode(H264, &odd).is_err());
    }
}
