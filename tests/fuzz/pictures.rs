//! Picture files, and pictures as cameras send them.

use facelens_media::{CameraPixels, decode_camera_picture, decode_picture};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder as _, ImageFormat, Rgb, RgbImage};

use crate::harness::{Target, fuzz};

fn picture() -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(19, 13, |x, y| Rgb([x as u8 * 13, y as u8 * 19, 90])))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Orientation 6 as TIFF has it, in either order of bytes.
fn exif(little: bool) -> Vec<u8> {
    if little {
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0".to_vec()
    } else {
        b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec()
    }
}

fn jpeg(exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 70);
    if let Some(exif) = exif {
        encoder.set_exif_metadata(exif).unwrap();
    }
    encoder.encode_image(&picture()).unwrap();
    bytes
}

fn decoded(input: &[u8]) -> bool {
    decode_picture("input", input).is_ok()
}

/// The checksum of PNG's chunks (ISO/IEC 15948, annex D).
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

fn repair_png(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(Ok(length)) = bytes.get(at..at + 4).map(<[u8; 4]>::try_from) {
        let end = at + 8 + u32::from_be_bytes(length) as usize;
        let Some(sum) = bytes.get(at + 4..end).map(crc) else { return };
        let Some(place) = bytes.get_mut(end..end + 4) else { return };
        place.copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
}

#[test]
fn png() {
    let mut with_exif = Vec::new();
    let mut encoder = PngEncoder::new(&mut with_exif);
    encoder.set_exif_metadata(exif(true)).unwrap();
    encoder.write_image(picture().as_bytes(), 19, 13, image::ExtendedColorType::Rgb8).unwrap();
    let others = [picture().into_rgba16().into(), picture().into_luma8().into(), picture().into_luma_alpha16().into()];
    let corpus = others.iter().map(|picture: &DynamicImage| encoded(picture, ImageFormat::Png)).chain([with_exif]);
    let words: [&[u8]; 8] = [b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"acTL", b"iCCP", b"eXIf"];
    let target = Target { name: "png", corpus: corpus.collect(), words: &words, repair: Some(repair_png), cost: 1 };
    fuzz(&target, decoded);
}

#[test]
fn jpeg_with_exif() {
    let grey = DynamicImage::from(picture().into_luma8());
    let corpus = vec![jpeg(None), jpeg(Some(exif(true))), jpeg(Some(exif(false))), encoded(&grey, ImageFormat::Jpeg)];
    let words: [&[u8]; 8] =
        [b"\xff\xd8", b"\xff\xc2", b"\xff\xc4", b"\xff\xda", b"\xff\xdd\0\x04", b"\xff\xd0", b"\x12\x01", b"Exif\0\0"];
    fuzz(&Target { name: "jpeg", corpus, words: &words, repair: None, cost: 1 }, decoded);
}

#[test]
fn webp() {
    let with_alpha = DynamicImage::from(picture().into_rgba8());
    let corpus = vec![encoded(&picture(), ImageFormat::WebP), encoded(&with_alpha, ImageFormat::WebP)];
    let words: [&[u8]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"EXIF"];
    fuzz(&Target { name: "webp", corpus, words: &words, repair: None, cost: 1 }, decoded);
}

#[test]
fn bmp() {
    let grey = DynamicImage::from(picture().into_luma8());
    let corpus = vec![encoded(&picture(), ImageFormat::Bmp), encoded(&grey, ImageFormat::Bmp)];
    fuzz(&Target { name: "bmp", corpus, words: &[b"BM"], repair: None, cost: 1 }, decoded);
}

/// Kind, width and height, each in a byte, then what the driver gave.
#[test]
fn buffers_of_cameras() {
    const KINDS: [CameraPixels; 12] = [
        CameraPixels::Mjpeg,
        CameraPixels::Yuyv,
        CameraPixels::Nv12,
        CameraPixels::Rgb,
        CameraPixels::Bgr,
        CameraPixels::Gray,
        CameraPixels::Uyvy,
        CameraPixels::I420,
        CameraPixels::I422,
        CameraPixels::Bgrx,
        CameraPixels::Rgb565,
        CameraPixels::Gray16,
    ];
    let raw = |kind: u8, bytes: usize| [vec![kind, 6, 4], vec![7; bytes]].concat();
    let corpus = vec![
        [vec![0, 19, 13], jpeg(None)].concat(),
        raw(1, 48),
        raw(2, 36),
        raw(3, 72),
        raw(4, 72),
        raw(5, 24),
        raw(7, 36),
        raw(11, 48),
    ];
    let words: [&[u8]; 4] = [b"\xff\xd8", b"\xff\xc4", b"\xff\xda", b"AVI1"];
    fuzz(&Target { name: "camera", corpus, words: &words, repair: None, cost: 1 }, |input| {
        let [kind, width, height, bytes @ ..] = input else { return false };
        let pixels = KINDS[usize::from(*kind) % KINDS.len()];
        decode_camera_picture(pixels, u32::from(*width), u32::from(*height), bytes).is_ok()
    });
}
