//! A camera's bytes as RGB8.

use std::borrow::Cow;

use facelens_core::frame::{self, Frame};
use yuv::{YuvBiPlanarImage, YuvConversionMode, YuvGrayImage, YuvPackedImage, YuvRange, YuvStandardMatrix};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::format::{Format, Pixels};

/// What V4L2, AVFoundation and Media Foundation mean by YUV where they say nothing else.
pub(super) const RANGE: YuvRange = YuvRange::Limited;
pub(super) const MATRIX: YuvStandardMatrix = YuvStandardMatrix::Bt601;

/// Decodes one picture. `stride` is the number of bytes from one row to the next, where the driver says it.
///
/// # Errors
/// What is wrong with the bytes, in words. The next picture may be whole.
pub(super) fn decode(format: Format, stride: Option<u32>, bytes: &[u8]) -> Result<Frame, String> {
    if format.pixels == Pixels::Mjpeg {
        return decode_jpeg(bytes);
    }
    let Format { pixels, width, height, .. } = format;
    Frame::check_size(width, height).map_err(|error| error.to_string())?;
    let row = match pixels {
        Pixels::Yuyv => width.next_multiple_of(2) * 2,
        Pixels::Nv12 => width.next_multiple_of(2),
        Pixels::Gray => width,
        Pixels::Rgb | Pixels::Bgr | Pixels::Mjpeg => width * 3,
    };
    let stride = stride.filter(|&stride| stride >= row).unwrap_or(row);
    let rows = if pixels == Pixels::Nv12 { height + height.div_ceil(2) } else { height } as usize;
    // The last row need not be padded.
    let needed = (rows - 1) * stride as usize + row as usize;
    if bytes.len() < needed {
        return Err(format!("the picture has {} bytes instead of {needed}", bytes.len()));
    }
    let padded = padded(bytes, rows * stride as usize);
    let mut rgb = frame::buffer(width as usize * height as usize * 3);
    let rgb_stride = width * 3;
    let converted = match pixels {
        Pixels::Yuyv => {
            let image = YuvPackedImage { yuy: &padded, yuy_stride: stride, width, height };
            yuv::yuyv422_to_rgb(&image, &mut rgb, rgb_stride, RANGE, MATRIX)
        }
        Pixels::Nv12 => {
            let (y_plane, uv_plane) = padded.split_at(stride as usize * height as usize);
            let image = YuvBiPlanarImage { y_plane, y_stride: stride, uv_plane, uv_stride: stride, width, height };
            yuv::yuv_nv12_to_rgb(&image, &mut rgb, rgb_stride, RANGE, MATRIX, YuvConversionMode::Balanced)
        }
        Pixels::Gray => {
            let image = YuvGrayImage { y_plane: &padded, y_stride: stride, width, height };
            yuv::yuv400_to_rgb(&image, &mut rgb, rgb_stride, YuvRange::Full, MATRIX)
        }
        Pixels::Rgb | Pixels::Bgr | Pixels::Mjpeg => {
            for (from, to) in padded.chunks(stride as usize).zip(rgb.chunks_exact_mut(rgb_stride as usize)) {
                to.copy_from_slice(&from[..rgb_stride as usize]);
            }
            if pixels == Pixels::Bgr {
                rgb.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.swap(0, 2));
            }
            Ok(())
        }
    };
    converted.map_err(|error| error.to_string())?;
    Frame::from_rgb(width, height, rgb).map_err(|error| error.to_string())
}

fn padded(bytes: &[u8], length: usize) -> Cow<'_, [u8]> {
    match bytes.get(..length) {
        Some(whole) => Cow::Borrowed(whole),
        None => {
            let mut whole = bytes.to_vec();
            whole.resize(length, 0);
            Cow::Owned(whole)
        }
    }
}

fn decode_jpeg(bytes: &[u8]) -> Result<Frame, String> {
    let bytes = with_tables(bytes);
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*bytes), options);
    decoder.decode_headers().map_err(|error| error.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("the picture has no size")?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    let (width, height) = (side(width), side(height));
    Frame::check_size(width, height).map_err(|error| error.to_string())?;
    let mut rgb = frame::buffer(width as usize * height as usize * 3);
    // A picture that breaks off leaves the rest as it is: black, not what an older picture showed there.
    rgb.fill(0);
    decoder.decode_into(&mut rgb).map_err(|error| error.to_string())?;
    Frame::from_rgb(width, height, rgb).map_err(|error| error.to_string())
}

/// Many webcams leave the Huffman tables out, as Motion JPEG in AVI does: they are marked as that, and the decoder
/// takes the tables of the JPEG standard.
fn with_tables(bytes: &[u8]) -> Cow<'_, [u8]> {
    const MARK: [u8; 10] = [0xff, 0xe0, 0, 8, b'A', b'V', b'I', b'1', 0, 0];
    let header = &bytes[..bytes.len().min(4096)];
    let header = &header[..header.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap_or(header.len())];
    if !bytes.starts_with(&[0xff, 0xd8]) || header.windows(2).any(|pair| pair == [0xff, 0xc4]) {
        return Cow::Borrowed(bytes);
    }
    Cow::Owned([&bytes[..2], &MARK, &bytes[2..]].concat())
}

#[cfg(test)]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{Rgb, RgbImage};

    use super::*;

    fn format(pixels: Pixels, width: u32, height: u32) -> Format {
        Format { pixels, width, height, fps: 30 }
    }

    fn near(frame: &Frame, expected: [u8; 3]) {
        for pixel in frame.rgb().chunks_exact(3) {
            assert!(pixel.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) <= 4), "{pixel:?} instead of {expected:?}");
        }
    }

    /// Red in BT.601, limited range: Y 81, U 90, V 240.
    #[test]
    fn raw_formats_keep_their_colours() {
        let red = [254, 0, 0];
        near(&decode(format(Pixels::Yuyv, 4, 2), None, &[81, 90, 81, 240].repeat(4)).unwrap(), red);
        let nv12 = [&[81; 16][..], &[90, 240].repeat(4)].concat();
        near(&decode(format(Pixels::Nv12, 4, 4), None, &nv12).unwrap(), red);
        near(&decode(format(Pixels::Gray, 4, 2), None, &[90; 8]).unwrap(), [90; 3]);
        near(&decode(format(Pixels::Rgb, 2, 2), None, &[250, 10, 20].repeat(4)).unwrap(), [250, 10, 20]);
        near(&decode(format(Pixels::Bgr, 2, 2), None, &[20, 10, 250].repeat(4)).unwrap(), [250, 10, 20]);
    }

    #[test]
    fn padded_rows_and_page_sized_buffers_are_read() {
        let row = [&[81, 90, 81, 240].repeat(2)[..], &[0; 8]].concat();
        near(&decode(format(Pixels::Yuyv, 4, 3), Some(16), &row.repeat(3)).unwrap(), [254, 0, 0]);
        near(&decode(format(Pixels::Yuyv, 4, 3), Some(16), &row.repeat(3)[..40]).unwrap(), [254, 0, 0]);
        let page = [&[81, 90, 81, 240].repeat(6)[..], &[7; 4000]].concat();
        near(&decode(format(Pixels::Yuyv, 4, 3), None, &page).unwrap(), [254, 0, 0]);
    }

    fn jpeg() -> Vec<u8> {
        let mut bytes = Vec::new();
        let picture = RgbImage::from_pixel(32, 16, Rgb([200, 60, 40]));
        JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture).unwrap();
        bytes
    }

    #[test]
    fn jpegs_with_and_without_huffman_tables_are_decoded() {
        let whole = jpeg();
        let frame = decode(format(Pixels::Mjpeg, 640, 480), None, &whole).unwrap();
        // The picture's own size counts.
        assert_eq!((frame.width(), frame.height()), (32, 16));
        near(&frame, [200, 60, 40]);

        // The encoder's tables are the standard's: leave them out, and add what follows in a driver's buffer.
        let (mut bare, mut at) = (whole[..2].to_vec(), 2);
        while whole[at + 1] != 0xda {
            let length = 2 + usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
            if whole[at + 1] != 0xc4 {
                bare.extend_from_slice(&whole[at..at + length]);
            }
            at += length;
        }
        bare.extend_from_slice(&whole[at..]);
        bare.extend([0; 500]);
        assert!(bare.len() < whole.len() + 500);
        near(&decode(format(Pixels::Mjpeg, 32, 16), None, &bare).unwrap(), [200, 60, 40]);
    }

    #[test]
    fn broken_pictures_are_errors() {
        assert!(decode(format(Pixels::Yuyv, 640, 480), None, &[0; 100]).is_err());
        assert!(decode(format(Pixels::Mjpeg, 32, 16), None, &[0; 100]).is_err());
        assert!(decode(format(Pixels::Mjpeg, 32, 16), None, &[]).is_err());
        assert!(decode(format(Pixels::Nv12, 20_000, 20_000), None, &[0; 100]).is_err());
    }
}
