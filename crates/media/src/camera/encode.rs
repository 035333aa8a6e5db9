//! A frame as the bytes that a camera would have sent: for benches and tests, which have no camera.

use facelens_core::frame::Frame;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use yuv::{BufferStoreMut, YuvBiPlanarImageMut, YuvConversionMode};

use super::decode::{MATRIX, RANGE};
use super::format::Pixels;

/// Quality of the JPEGs; webcams send about as much.
const JPEG_QUALITY: u8 = 85;

/// The frame in a camera's format, rows without padding.
///
/// # Errors
/// In words: an odd width or height, which the YUV formats do not have, or an encoder that refuses the picture.
pub(super) fn encode(pixels: Pixels, frame: &Frame) -> Result<Vec<u8>, String> {
    Ok(match pixels {
        Pixels::Nv12 => nv12(frame)?,
        Pixels::Yuyv => yuyv(frame, &nv12(frame)?),
        Pixels::Mjpeg => {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY)
                .encode(frame.rgb(), frame.width(), frame.height(), ExtendedColorType::Rgb8)
                .map_err(|error| error.to_string())?;
            bytes
        }
        Pixels::Rgb => frame.rgb().to_vec(),
        Pixels::Bgr => {
            frame.rgb().as_chunks::<3>().0.iter().flat_map(|&[red, green, blue]| [blue, green, red]).collect()
        }
        Pixels::Gray => {
            let gray = |&[red, green, blue]: &[u8; 3]| {
                ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8) as u8
            };
            frame.rgb().as_chunks::<3>().0.iter().map(gray).collect()
        }
    })
}

fn nv12(frame: &Frame) -> Result<Vec<u8>, String> {
    let (width, height) = (frame.width(), frame.height());
    if !width.is_multiple_of(2) || !height.is_multiple_of(2) {
        return Err(format!("a {width}x{height} picture has an odd side"));
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
        for (pixels, tolerance) in
            [(Pixels::Yuyv, 8), (Pixels::Nv12, 8), (Pixels::Mjpeg, 12), (Pixels::Rgb, 0), (Pixels::Bgr, 0)]
        {
            let bytes = encode(pixels, &frame).unwrap();
            let back = decode_camera_picture(pixels, width, height, &bytes).unwrap();
            let worst = back.rgb().iter().zip(frame.rgb()).map(|(&a, &b)| a.abs_diff(b)).max();
            assert!(worst.unwrap() <= tolerance, "{pixels}: {worst:?}");
        }
        assert_eq!(encode(Pixels::Gray, &frame).unwrap().len(), (width * height) as usize);
        let odd = Frame::from_rgb(3, 2, vec![0; 18]).unwrap();
        assert!(encode(Pixels::Yuyv, &odd).is_err());
    }
}
