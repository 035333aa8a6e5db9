//! From a stored picture to what a network is shown: 64x64 bytes, RGB; in training moved, turned, scaled and spoilt a
//! little each time, in validation as the app would crop it.
//!
//! Everything is drawn from a generator that is seeded by (seed, epoch, face), so that a run that goes on after a break
//! sees the very pictures that an unbroken one sees.

mod blur;
mod geometry;
mod light;
mod sample;
mod spoil;

use facelens_core::geometry::Pose;
use geometry::CropPlacement;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// Side of a network's input, pixels.
pub const INPUT: usize = 64;
/// Numbers of a network's input: 64 x 64 x 3.
pub const INPUT_LEN: usize = INPUT * INPUT * 3;

/// A stored picture as [`crate::data::FaceSet`] keeps it.
#[derive(Clone, Copy, Debug)]
pub struct Stored<'a> {
    /// `side * side * 3` bytes, RGB, row by row.
    pub pixels: &'a [u8],
    /// Its side in pixels.
    pub side: usize,
    /// Its side in sides of the detector's box.
    pub context: f32,
}

/// How much pictures are varied in training. Each strength is the largest value of an even draw from -x to x, each
/// `..._share` the share of pictures that it is done to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Whether half of the pictures are mirrored.
    pub mirror: bool,
    /// Turn in the picture's plane, degrees.
    pub rotation_degrees: f32,
    /// Shift along each axis, in sides of the crop.
    pub shift: f32,
    /// Change of the crop's side: a factor from 1 / (1 + x) to 1 + x.
    pub scale: f32,
    /// Stretch along one axis with the squeeze along the other, and the same along the diagonals.
    pub stretch: f32,
    /// Share of pictures that are blurred or sharpened.
    pub blur_share: f32,
    /// Standard deviation of the strongest blur, pixels of the input.
    pub blur_pixels: f32,
    /// Change of brightness, in parts of the full range.
    pub brightness: f32,
    /// Change of contrast: a factor from 1 / (1 + x) to 1 + x.
    pub contrast: f32,
    /// Exponent of the tone curve: from 1 / (1 + x) to 1 + x.
    pub gamma: f32,
    /// Change of saturation: a factor from 1 - x to 1 + x.
    pub saturation: f32,
    /// Change of each channel's gain against the others.
    pub white_balance: f32,
    /// Share of pictures without colour.
    pub grey_share: f32,
    /// Share of pictures with noise.
    pub noise_share: f32,
    /// Standard deviation of the strongest noise, in levels of 255.
    pub noise_levels: f32,
    /// Share of pictures that are made smaller and enlarged again, as faces of few pixels are.
    pub small_share: f32,
    /// Smallest side that they are made, pixels.
    pub small_side: u32,
    /// Share of pictures that are compressed as JPEG.
    pub jpeg_share: f32,
    /// Lowest JPEG quality, 1 to 100.
    pub jpeg_quality: u8,
    /// Share of pictures of which a rectangle is covered.
    pub erase_share: f32,
    /// Largest side of that rectangle, in sides of the crop.
    pub erase_side: f32,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            mirror: true,
            rotation_degrees: 18.0,
            shift: 0.06,
            scale: 0.16,
            stretch: 0.04,
            blur_share: 0.25,
            blur_pixels: 1.2,
            brightness: 0.12,
            contrast: 0.3,
            gamma: 0.25,
            saturation: 0.35,
            white_balance: 0.08,
            grey_share: 0.05,
            noise_share: 0.2,
            noise_levels: 8.0,
            small_share: 0.15,
            small_side: 24,
            jpeg_share: 0.2,
            jpeg_quality: 30,
            erase_share: 0.1,
            erase_side: 0.35,
        }
    }
}

impl Augmentation {
    /// Every picture as the app would crop it.
    pub fn none() -> Self {
        Self {
            mirror: false,
            rotation_degrees: 0.0,
            shift: 0.0,
            scale: 0.0,
            stretch: 0.0,
            blur_share: 0.0,
            blur_pixels: 0.0,
            brightness: 0.0,
            contrast: 0.0,
            gamma: 0.0,
            saturation: 0.0,
            white_balance: 0.0,
            grey_share: 0.0,
            noise_share: 0.0,
            noise_levels: 0.0,
            small_share: 0.0,
            small_side: INPUT as u32,
            jpeg_share: 0.0,
            jpeg_quality: 100,
            erase_share: 0.0,
            erase_side: 0.0,
        }
    }

    /// Whether every number makes sense; the text names the first that does not.
    ///
    /// # Errors
    /// Names the setting and what it may be.
    pub fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: f32, largest: f32| {
            let fits = (0.0..=largest).contains(&value);
            if fits { Ok(()) } else { Err(format!("augmentation.{name} is {value}; it must be from 0 to {largest}")) }
        };
        within("rotation_degrees", self.rotation_degrees, 180.0)?;
        within("blur_pixels", self.blur_pixels, 8.0)?;
        within("noise_levels", self.noise_levels, 128.0)?;
        for (name, value) in [("shift", self.shift), ("stretch", self.stretch), ("brightness", self.brightness)] {
            within(name, value, 0.5)?;
        }
        for (name, value) in [("scale", self.scale), ("contrast", self.contrast), ("gamma", self.gamma)] {
            within(name, value, 4.0)?;
        }
        for (name, value) in [
            ("saturation", self.saturation),
            ("white_balance", self.white_balance),
            ("blur_share", self.blur_share),
            ("grey_share", self.grey_share),
            ("noise_share", self.noise_share),
            ("small_share", self.small_share),
            ("jpeg_share", self.jpeg_share),
            ("erase_share", self.erase_share),
            ("erase_side", self.erase_side),
        ] {
            within(name, value, 1.0)?;
        }
        if !(4..=INPUT as u32).contains(&self.small_side) {
            return Err(format!("augmentation.small_side is {}; it must be from 4 to {INPUT}", self.small_side));
        }
        if !(1..=100).contains(&self.jpeg_quality) {
            return Err(format!("augmentation.jpeg_quality is {}; it must be from 1 to 100", self.jpeg_quality));
        }
        Ok(())
    }
}

/// How a face's labels change with its picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turn {
    /// The picture is mirrored; that comes before the rotation.
    pub mirrored: bool,
    /// Then it is turned clockwise as displayed, degrees.
    pub clockwise_degrees: f32,
}

impl Turn {
    /// The pose of the head in the changed picture.
    pub fn pose(self, pose: Pose) -> Pose {
        let pose = if self.mirrored { pose.mirrored() } else { pose };
        pose.turned(self.clockwise_degrees)
    }
}

/// Makes a network's inputs. Keeps its buffers between faces.
#[derive(Debug)]
pub struct Augmenter {
    crop_boxes: f32,
    colour: Vec<f32>,
    work: Vec<f32>,
}

impl Augmenter {
    /// For crops with `margin` sides of the detector's box on each side of it.
    pub fn new(margin: f32) -> Self {
        Self { crop_boxes: 1.0 + 2.0 * margin, colour: vec![0.0; INPUT_LEN], work: vec![0.0; INPUT_LEN] }
    }

    /// The crop as the app makes it, into `input`: [`INPUT_LEN`] bytes, RGB, row by row.
    pub fn plain(&mut self, picture: Stored<'_>, input: &mut [u8]) {
        sample::sample(picture, &CropPlacement::centred(self.crop_boxes), &mut self.colour);
        to_bytes(&self.colour, input);
    }

    /// A crop, `mirrored` or not and varied by what `rng` gives, into `input`: [`INPUT_LEN`] bytes, RGB, row by row. Says
    /// how the labels change.
    pub fn varied(
        &mut self,
        picture: Stored<'_>,
        mirrored: bool,
        augmentation: &Augmentation,
        rng: &mut ChaCha8Rng,
        input: &mut [u8],
    ) -> Turn {
        let placement = CropPlacement::draw(self.crop_boxes, mirrored, augmentation, rng);
        sample::sample(picture, &placement, &mut self.colour);
        degrade(augmentation, rng, &mut self.colour, &mut self.work);
        to_bytes(&self.colour, input);
        if chance(augmentation.small_share, rng) {
            spoil::shrink(rng.random_range(augmentation.small_side..=INPUT as u32), input);
        }
        if chance(augmentation.jpeg_share, rng) {
            spoil::jpeg(rng.random_range(augmentation.jpeg_quality..=100), input);
        }
        placement.turn()
    }
}

/// Blurs, lights, adds noise and covers: 64 x 64 x 3 values of 0 to 255, which may leave that range. `work` is as long.
pub(crate) fn degrade(augmentation: &Augmentation, rng: &mut ChaCha8Rng, colour: &mut [f32], work: &mut [f32]) {
    if chance(augmentation.blur_share, rng) {
        blur::draw(augmentation.blur_pixels, rng, colour, work);
    }
    light::Light::draw(augmentation, rng).apply(colour);
    if chance(augmentation.noise_share, rng) {
        spoil::noise(rng.random_range(0.0..=augmentation.noise_levels), rng, colour);
    }
    if chance(augmentation.erase_share, rng) {
        spoil::erase(augmentation.erase_side, rng, colour);
    }
}

/// The generator of what happens to face `index` in `epoch`.
pub fn generator(seed: u64, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (place, number) in bytes.chunks_exact_mut(8).zip([seed, epoch, index, 0x66_61_63_65]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}

pub(crate) fn chance(share: f32, rng: &mut ChaCha8Rng) -> bool {
    rng.random_range(0.0..1.0) < share
}

/// An even draw from `-strength` to `strength`.
fn around(strength: f32, rng: &mut ChaCha8Rng) -> f32 {
    rng.random_range(-1.0..=1.0) * strength
}

/// A factor from `1 / (1 + strength)` to `1 + strength`, as likely below 1 as above.
fn factor(strength: f32, rng: &mut ChaCha8Rng) -> f32 {
    (1.0 + strength).powf(rng.random_range(-1.0..=1.0))
}

fn to_bytes(colour: &[f32], bytes: &mut [u8]) {
    for (byte, value) in bytes.iter_mut().zip(colour) {
        // A cast keeps within 0 to 255.
        *byte = (value + 0.5) as u8;
    }
}

#[cfg(test)]
mod tests;
