//! The gait energy image.

use super::silhouette::Silhouette;
use super::{GEI_HEIGHT, GEI_WIDTH};

/// The mean of the silhouettes of whole strides (Han and Bhanu, TPAMI 2006).
#[derive(Clone, Debug, PartialEq)]
pub struct Gei {
    pixels: Vec<f32>,
    frames: usize,
}

impl Gei {
    /// The mean of these silhouettes; `None` without any.
    pub fn from_silhouettes<'a>(silhouettes: impl IntoIterator<Item = &'a Silhouette>) -> Option<Self> {
        let mut pixels = vec![0.0_f32; GEI_WIDTH * GEI_HEIGHT];
        let mut frames = 0;
        for silhouette in silhouettes {
            frames += 1;
            for (sum, value) in pixels.iter_mut().zip(silhouette.pixels()) {
                *sum += value;
            }
        }
        if frames == 0 {
            return None;
        }
        for value in &mut pixels {
            *value /= frames as f32;
        }
        Some(Self { pixels, frames })
    }

    /// A gait energy image from a ready picture of [`GEI_HEIGHT`] rows of [`GEI_WIDTH`] grey bytes or of a whole multiple of both
    /// (OULP-Age's 128 rows of 88), whose blocks are averaged; `None` for another size. `frames` is unknown and 0.
    pub fn from_grey(width: usize, height: usize, grey: &[u8]) -> Option<Self> {
        let block = width / GEI_WIDTH;
        if block == 0 || (width, height) != (block * GEI_WIDTH, block * GEI_HEIGHT) || grey.len() != width * height {
            return None;
        }
        let mut pixels = vec![0.0_f32; GEI_WIDTH * GEI_HEIGHT];
        for (y, row) in grey.chunks_exact(width).enumerate() {
            for (x, &value) in row.iter().enumerate() {
                pixels[y / block * GEI_WIDTH + x / block] += f32::from(value);
            }
        }
        let whole = (block * block) as f32 * 255.0;
        for value in &mut pixels {
            *value /= whole;
        }
        Some(Self { pixels, frames: 0 })
    }

    /// The mean of both, each counted by its frames.
    #[must_use]
    pub fn joined(&self, other: &Self) -> Self {
        let frames = self.frames + other.frames;
        let share = if frames == 0 { 0.5 } else { other.frames as f32 / frames as f32 };
        let pixels = self.pixels.iter().zip(&other.pixels).map(|(a, b)| a + (b - a) * share).collect();
        Self { pixels, frames }
    }

    /// Share of the frames in which each pixel was the person's, 0 to 1: [`GEI_HEIGHT`] rows of [`GEI_WIDTH`], from the top.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// How many silhouettes it is the mean of; 0 where it came from a ready picture.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// The image as grey bytes, rows from the top.
    pub fn to_grey(&self) -> Vec<u8> {
        self.pixels.iter().map(|value| (value * 255.0).round() as u8).collect()
    }

    /// The same walker going the other way.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let pixels = self.pixels.chunks_exact(GEI_WIDTH).flat_map(|row| row.iter().rev().copied()).collect();
        Self { pixels, frames: self.frames }
    }

    /// Mean absolute difference of the pixels, 0 to 1.
    pub fn difference(&self, other: &Self) -> f32 {
        let sum: f32 = self.pixels.iter().zip(&other.pixels).map(|(a, b)| (a - b).abs()).sum();
        sum / self.pixels.len() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::super::mask::Mask;
    use super::*;

    /// A person of 64 rows and `width` columns in the middle.
    fn bar(width: usize) -> Silhouette {
        let inside = |i: usize| (i % 64).abs_diff(32) * 2 < width;
        let mask = Mask::new(64, 64, (0..64 * 64).map(|i| if inside(i) { 255 } else { 0 }).collect()).unwrap();
        Silhouette::from_mask(&mask).unwrap()
    }

    #[test]
    fn it_is_the_mean_of_the_silhouettes() {
        assert_eq!(Gei::from_silhouettes([]), None);
        let (narrow, wide) = (bar(5), bar(11));
        let gei = Gei::from_silhouettes([&narrow, &wide, &wide, &wide]).unwrap();
        assert_eq!(gei.frames(), 4);
        let mass = |pixels: &[f32]| pixels.iter().sum::<f32>();
        let expected = (mass(narrow.pixels()) + 3.0 * mass(wide.pixels())) / 4.0;
        assert!((mass(gei.pixels()) - expected).abs() < 0.1);
        assert!(gei.pixels().iter().any(|v| (v - 0.75).abs() < 1e-3), "what only the wide ones cover");
    }

    #[test]
    fn strides_are_joined_by_their_frames() {
        let (narrow, wide) = (bar(5), bar(11));
        let whole = Gei::from_silhouettes([&narrow, &wide, &wide, &wide]).unwrap();
        let parts = [Gei::from_silhouettes([&narrow, &wide]).unwrap(), Gei::from_silhouettes([&wide, &wide]).unwrap()];
        let joined = parts[0].joined(&parts[1]);
        assert_eq!(joined.frames(), 4);
        assert!(joined.difference(&whole) < 1e-6);
    }

    #[test]
    fn a_picture_of_twice_the_size_is_averaged_and_others_are_refused() {
        let mut grey = vec![0; 88 * 128];
        // One of four pixels of the second cell of the first row.
        grey[2] = 255;
        let gei = Gei::from_grey(88, 128, &grey).unwrap();
        assert!((gei.pixels()[1] - 0.25).abs() < 1e-6);
        assert!((gei.pixels().iter().sum::<f32>() - 0.25).abs() < 1e-6);
        assert_eq!(Gei::from_grey(64, 64, &[0; 64 * 64]), None);
        assert_eq!(Gei::from_grey(88, 128, &grey[1..]), None);
        let same = Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &gei.to_grey()).unwrap();
        assert!(same.difference(&gei) < 1e-3);
    }

    #[test]
    fn a_mirror_image_mirrored_is_the_same() {
        let mut grey = vec![0; GEI_WIDTH * GEI_HEIGHT];
        grey[0] = 255;
        let gei = Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap();
        assert!((gei.mirrored().pixels()[GEI_WIDTH - 1] - 1.0).abs() < 1e-6);
        assert_eq!(gei.mirrored().mirrored(), gei);
        assert!((gei.mirrored().difference(&gei) - 2.0 / 2816.0).abs() < 1e-6);
    }
}
