//! Light: tone curve, contrast, brightness, colours.

use rand::rngs::ChaCha8Rng;

use super::{Augmentation, around, chance, factor};

/// Luma of ITU-R BT.601, as cameras and JPEG have it.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Steps of the tone curve's table.
const STEPS: usize = 256;

/// A change of light and colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Light {
    brightness: f32,
    contrast: f32,
    gamma: f32,
    saturation: f32,
    gains: [f32; 3],
}

impl Light {
    pub(super) fn draw(augmentation: &Augmentation, rng: &mut ChaCha8Rng) -> Self {
        let saturation = 1.0 + around(augmentation.saturation, rng);
        Self {
            brightness: 255.0 * around(augmentation.brightness, rng),
            contrast: factor(augmentation.contrast, rng),
            gamma: factor(augmentation.gamma, rng),
            gains: std::array::from_fn(|_| 1.0 + around(augmentation.white_balance, rng)),
            saturation: if chance(augmentation.grey_share, rng) { 0.0 } else { saturation },
        }
    }

    /// Changes values of 0 to 255; they may leave that range.
    pub(super) fn apply(&self, colour: &mut [f32]) {
        let curve: [f32; STEPS + 1] =
            std::array::from_fn(|i| 255.0 * (i.min(STEPS - 1) as f32 / (STEPS - 1) as f32).powf(self.gamma));
        let tone = |value: f32| {
            let value = value.clamp(0.0, 255.0);
            let step = value as usize;
            curve[step] + (curve[step + 1] - curve[step]) * (value - step as f32)
        };
        let mut total = [0.0; 3];
        for pixel in colour.chunks_exact_mut(3) {
            for ((value, gain), total) in pixel.iter_mut().zip(self.gains).zip(&mut total) {
                *value = gain * if self.gamma == 1.0 { *value } else { tone(*value) };
                *total += *value;
            }
        }
        let mean = luma(total) * 3.0 / colour.len() as f32;
        for pixel in colour.chunks_exact_mut(3) {
            let grey = luma([pixel[0], pixel[1], pixel[2]]);
            for value in pixel {
                let saturated = grey + self.saturation * (*value - grey);
                *value = mean + self.contrast * (saturated - mean) + self.brightness;
            }
        }
    }
}

fn luma(colour: [f32; 3]) -> f32 {
    colour.iter().zip(LUMA).map(|(value, weight)| value * weight).sum()
}
