use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use super::*;
use crate::camera::interval::Interval;

fn format(pixels: CameraPixels, width: u32, height: u32) -> Format {
    Format { pixels, width, height, interval: Interval::of_fps(30) }
}

fn decode(format: Format, stride: Option<u32>, bytes: &[u8]) -> Result<Frame, String> {
    Decoder::default().decode(format, FrameLayout { stride, ..FrameLayout::PLAIN }, bytes)
}

fn near(frame: &Frame, expected: [u8; 3]) {
    for pixel in frame.rgb().chunks_exact(3) {
        assert!(pixel.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) <= 4), "{pixel:?} instead of {expected:?}");
    }
}

/// Red in BT.601, limited range: Y 81, U 90, V 240.
#[test]
fn raw_formats_keep_their_colours() {
    use CameraPixels::*;
    let red = [254, 0, 0];
    for (pixels, pair) in
        [(Yuyv, [81, 90, 81, 240]), (Uyvy, [90, 81, 240, 81]), (Yvyu, [81, 240, 81, 90]), (Vyuy, [240, 81, 90, 81])]
    {
        near(&decode(format(pixels, 4, 2), None, &pair.repeat(4)).unwrap(), red);
    }
    for (pixels, color) in [(Nv12, [90, 240].repeat(4)), (Nv21, [240, 90].repeat(4)), (Nv16, [90, 240].repeat(8))] {
        near(&decode(format(pixels, 4, 4), None, &[&[81; 16][..], &color].concat()).unwrap(), red);
    }
    near(&decode(format(Nv61, 4, 4), None, &[&[81; 16][..], &[240, 90].repeat(8)].concat()).unwrap(), red);
    for (pixels, first, second) in [(I420, [90; 4], [240; 4]), (Yv12, [240; 4], [90; 4])] {
        near(&decode(format(pixels, 4, 4), None, &[&[81; 16][..], &first, &second].concat()).unwrap(), red);
    }
    near(&decode(format(I422, 4, 4), None, &[&[81; 16][..], &[90; 8], &[240; 8]].concat()).unwrap(), red);
    near(&decode(format(Gray, 4, 2), None, &[90; 8]).unwrap(), [90; 3]);
    for (pixels, bytes) in [
        (Rgb, &[250, 10, 20][..]),
        (Bgr, &[20, 10, 250]),
        (Rgbx, &[250, 10, 20, 7]),
        (Bgrx, &[20, 10, 250, 7]),
        (Xrgb, &[7, 250, 10, 20]),
        (Xbgr, &[7, 20, 10, 250]),
        // 31, 3, 2 in 5, 6 and 5 bits.
        (Rgb565, &0b1111_1000_0110_0010_u16.to_le_bytes()),
    ] {
        near(&decode(format(pixels, 2, 2), None, &bytes.repeat(4)).unwrap(), [251, 11, 18]);
    }
}

#[test]
fn colours_are_those_that_the_driver_says() {
    let layout = FrameLayout { full_range: true, hd: true, ..FrameLayout::PLAIN };
    // Red in BT.709, full range: Y 54, U 99, V 255.
    let frame =
        Decoder::default().decode(format(CameraPixels::Yuyv, 4, 2), layout, &[54, 99, 54, 255].repeat(4)).unwrap();
    near(&frame, [254, 0, 0]);
}

/// Many cameras put 10 or 12 bits into the low ends of two bytes.
#[test]
fn two_bytes_of_grey_are_as_bright_as_the_camera_means_it() {
    let picture = |values: [u16; 4]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let mut decoder = Decoder::default();
    let mut lights = |values: [u16; 4]| -> Vec<u8> {
        let frame = decoder.decode(format(CameraPixels::Gray16, 4, 1), FrameLayout::PLAIN, &picture(values)).unwrap();
        frame.rgb().iter().step_by(3).copied().collect()
    };
    assert_eq!(lights([1023, 512, 4, 0]), [255, 128, 1, 0]);
    // A dark picture of the same camera is dark.
    assert_eq!(lights([100, 60, 4, 0]), [25, 15, 1, 0]);
    assert_eq!(lights([65_535, 32_768, 256, 255]), [255, 128, 1, 0]);
    let high_first: Vec<u8> = [65_535_u16, 32_768, 256, 255].iter().flat_map(|value| value.to_be_bytes()).collect();
    let frame = decode(format(CameraPixels::Gray16Be, 4, 1), None, &high_first).unwrap();
    assert_eq!(frame.rgb()[3], 128);
}

#[test]
fn padded_rows_and_page_sized_buffers_are_read() {
    let red = [254, 0, 0];
    let row = [&[81, 90, 81, 240].repeat(2)[..], &[0; 8]].concat();
    near(&decode(format(CameraPixels::Yuyv, 4, 3), Some(16), &row.repeat(3)).unwrap(), red);
    near(&decode(format(CameraPixels::Yuyv, 4, 3), Some(16), &row.repeat(3)[..40]).unwrap(), red);
    let page = [&[81, 90, 81, 240].repeat(6)[..], &[7; 4000]].concat();
    near(&decode(format(CameraPixels::Yuyv, 4, 3), None, &page).unwrap(), red);

    let padded = |row: &[u8], stride: usize, rows: usize| {
        let mut whole = row.to_vec();
        whole.resize(stride, 9);
        whole.repeat(rows)
    };
    let nv12 = [padded(&[81; 4], 64, 4), padded(&[90, 240, 90, 240], 64, 2)].concat();
    near(&decode(format(CameraPixels::Nv12, 4, 4), Some(64), &nv12).unwrap(), red);
    // The planes of colour have half the padding.
    let i420 = [padded(&[81; 4], 64, 4), padded(&[90; 2], 32, 2), padded(&[240; 2], 32, 2)].concat();
    near(&decode(format(CameraPixels::I420, 4, 4), Some(64), &i420).unwrap(), red);
    near(&decode(format(CameraPixels::Gray, 4, 4), Some(64), &padded(&[90; 4], 64, 4)).unwrap(), [90; 3]);
    for (pixels, pixel) in [(CameraPixels::Rgb, &[250, 10, 20][..]), (CameraPixels::Bgrx, &[20, 10, 250, 0])] {
        near(&decode(format(pixels, 4, 4), Some(64), &padded(&pixel.repeat(4), 64, 4)).unwrap(), [250, 10, 20]);
    }
    let y16 = padded(&0x5a00_u16.to_le_bytes().repeat(4), 64, 4);
    near(&decode(format(CameraPixels::Gray16, 4, 4), Some(64), &y16).unwrap(), [90; 3]);
    // A padding that is said and not kept, and one that is less than a row.
    for stride in [64, 2] {
        near(&decode(format(CameraPixels::Yuyv, 4, 3), Some(stride), &[81, 90, 81, 240].repeat(6)).unwrap(), red);
    }
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
    let frame = decode(format(CameraPixels::Mjpeg, 640, 480), None, &whole).unwrap();
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
    near(&decode(format(CameraPixels::Mjpeg, 32, 16), None, &bare).unwrap(), [200, 60, 40]);
}

#[test]
fn a_jpeg_is_found_behind_other_bytes() {
    for before in [vec![0; 7], vec![0xff; 3], b"head\xff\x00\xd8".to_vec(), vec![7; 700]] {
        let bytes = [&before[..], &jpeg()].concat();
        near(&decode(format(CameraPixels::Mjpeg, 32, 16), None, &bytes).unwrap(), [200, 60, 40]);
    }
}

#[test]
fn broken_pictures_are_errors() {
    assert!(decode(format(CameraPixels::Yuyv, 640, 480), None, &[0; 100]).is_err());
    assert!(decode(format(CameraPixels::I420, 640, 480), None, &vec![0; 640 * 480]).is_err());
    assert!(decode(format(CameraPixels::Mjpeg, 32, 16), None, &[0; 100]).is_err());
    assert!(decode(format(CameraPixels::Mjpeg, 32, 16), None, &[]).is_err());
    assert!(decode(format(CameraPixels::Nv12, 20_000, 20_000), None, &[0; 100]).is_err());
    let noise = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * y) as u8, (x * 7 + y * 13) as u8, (x ^ y) as u8]));
    let mut whole = Vec::new();
    JpegEncoder::new_with_quality(&mut whole, 90).encode_image(&noise).unwrap();
    let half = decode(format(CameraPixels::Mjpeg, 64, 64), None, &whole[..whole.len() * 2 / 3]).unwrap_err();
    assert!(half.contains("breaks off"), "{half}");
}

#[test]
fn a_camera_that_writes_jpegs_in_a_way_of_its_own_is_shown_after_a_while() {
    let whole = jpeg();
    // More bytes before the last marker than others leave there.
    let odd = [&whole[..whole.len() - 2], &[7; 100], &whole[whole.len() - 2..]].concat();
    let mut decoder = Decoder::default();
    let mut shown = || decoder.decode(format(CameraPixels::Mjpeg, 32, 16), FrameLayout::PLAIN, &odd).is_ok();
    assert_eq!((0..100).filter(|_| shown()).count(), 100 - MAX_SUSPECTS as usize);
    decoder.decode(format(CameraPixels::Mjpeg, 32, 16), FrameLayout::PLAIN, &whole).unwrap();
    assert!(decoder.decode(format(CameraPixels::Mjpeg, 32, 16), FrameLayout::PLAIN, &odd).is_err());
}
