//! What cameras and files do to a picture: noise, few pixels, compression; and something in front of the face.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, resize};
use image::{ExtendedColorType, ImageFormat, RgbImage};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt};

use super::INPUT;

/// Adds noise with this standard deviation, each value's its own.
pub(super) fn noise(deviation: f32, rng: &mut ChaCha8Rng, colour: &mut [f32]) {
    // The sum of four bytes is near enough to a normal draw: mean 510, standard deviation 147.8.
    let scale = deviation / 147.8;
    for pair in colour.chunks_mut(2) {
        let bytes = rng.next_u64().to_le_bytes();
        for (value, bytes) in pair.iter_mut().zip(bytes.chunks_exact(4)) {
            let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
            *value += scale * (sum as f32 - 510.0);
        }
    }
}

/// Covers a rectangle, each side up to `largest` sides of the picture, with one colour.
pub(super) fn erase(largest: f32, rng: &mut ChaCha8Rng, colour: &mut [f32]) {
    let mut side = || ((rng.random_range(0.2..=1.0) * largest * INPUT as f32) as usize).min(INPUT);
    let (width, height) = (side(), side());
    let (left, top) = (rng.random_range(0..=INPUT - width), rng.random_range(0..=INPUT - height));
    let fill: [f32; 3] = std::array::from_fn(|_| rng.random_range(0.0..=255.0));
    for row in colour.chunks_exact_mut(INPUT * 3).skip(top).take(height) {
        for pixel in row.chunks_exact_mut(3).skip(left).take(width) {
            pixel.copy_from_slice(&fill);
        }
    }
}

/// Makes the picture `side` x `side` and enlarges it again.
pub(super) fn shrink(side: u32, bytes: &mut [u8]) {
    let Some(picture) = RgbImage::from_raw(INPUT as u32, INPUT as u32, bytes.to_vec()) else { return };
    let small = resize(&picture, side, side, FilterType::Triangle);
    let large = resize(&small, INPUT as u32, INPUT as u32, FilterType::Triangle);
    bytes.copy_from_slice(&large);
}

/// Compresses the picture as JPEG and takes what comes back.
pub(super) fn jpeg(quality: u8, bytes: &mut [u8]) {
    let mut file = Vec::with_capacity(4096);
    let side = INPUT as u32;
    // Writing to memory and reading what was just written do not fail; if they did, the picture would stay as it is.
    let written = JpegEncoder::new_with_quality(&mut file, quality).encode(bytes, side, side, ExtendedColorType::Rgb8);
    if written.is_ok()
        && let Ok(picture) = image::load_from_memory_with_format(&file, ImageFormat::Jpeg)
        && let picture = picture.into_rgb8()
        && picture.len() == bytes.len()
    {
        bytes.copy_from_slice(&picture);
    }
}
