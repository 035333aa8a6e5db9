//! Blur and its opposite, at the input's size.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::INPUT;

/// How far a sharpening goes: that many times what a blur would take away.
const SHARPEN: f32 = 1.0;

/// Blurs (two times of three) or sharpens. `pixels` is the standard deviation of the strongest blur.
pub(super) fn draw(pixels: f32, rng: &mut ChaCha8Rng, colour: &mut [f32], work: &mut [f32]) {
    let sharpen = rng.random_ratio(1, 3);
    let deviation = rng.random_range(0.0..=1.0) * pixels;
    let amount = rng.random_range(0.0..=SHARPEN);
    if sharpen {
        let original = colour.to_vec();
        gaussian(1.0, colour, work);
        for (value, original) in colour.iter_mut().zip(original) {
            *value = original + amount * (original - *value);
        }
    } else {
        gaussian(deviation, colour, work);
    }
}

/// Blurs 64 x 64 x 3 values by a Gaussian; the edge is repeated.
pub(super) fn gaussian(deviation: f32, colour: &mut [f32], work: &mut [f32]) {
    if deviation < 0.1 {
        return;
    }
    let radius = (3.0 * deviation).ceil() as usize;
    let weights: Vec<f32> = (0..=radius).map(|i| (-0.5 * (i as f32 / deviation).powi(2)).exp()).collect();
    let total = 2.0 * weights.iter().sum::<f32>() - weights[0];
    let weights: Vec<f32> = weights.iter().map(|weight| weight / total).collect();
    along_rows(&weights, colour, work);
    along_columns(&weights, work, colour);
}

fn along_rows(weights: &[f32], from: &[f32], to: &mut [f32]) {
    for (to, from) in to.chunks_exact_mut(INPUT * 3).zip(from.chunks_exact(INPUT * 3)) {
        for column in 0..INPUT {
            for channel in 0..3 {
                let at = |column: usize| from[column * 3 + channel];
                let mut sum = weights[0] * at(column);
                for (distance, weight) in weights.iter().enumerate().skip(1) {
                    sum += weight * (at(column.saturating_sub(distance)) + at((column + distance).min(INPUT - 1)));
                }
                to[column * 3 + channel] = sum;
            }
        }
    }
}

fn along_columns(weights: &[f32], from: &[f32], to: &mut [f32]) {
    let row = |index: usize| &from[index * INPUT * 3..(index + 1) * INPUT * 3];
    for (index, to) in to.chunks_exact_mut(INPUT * 3).enumerate() {
        for (to, from) in to.iter_mut().zip(row(index)) {
            *to = weights[0] * from;
        }
        for (distance, weight) in weights.iter().enumerate().skip(1) {
            let (above, below) = (row(index.saturating_sub(distance)), row((index + distance).min(INPUT - 1)));
            for ((to, above), below) in to.iter_mut().zip(above).zip(below) {
                *to += weight * (above + below);
            }
        }
    }
}
