//! What motion does to a crop.

use facelens_core::detect::follow::SIDE;
use rand::RngExt;
use rand::rngs::ChaCha8Rng;

/// A draw with mean 0 and standard deviation 1, nearly normal, at most 3 to either side.
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let sum: f32 = (0..12).map(|_| rng.random_range(0.0..1.0_f32)).sum::<f32>() - 6.0;
    sum.clamp(-3.0, 3.0)
}

/// Blurs along a line of so many pixels, to the direction `angle` (radians): what moves while the shutter is open.
pub(super) fn motion(length: f32, angle: f32, colour: &mut [f32], work: &mut [f32]) {
    let steps = length.ceil().max(1.0) as i32;
    let (dx, dy) = (length * angle.cos(), length * angle.sin());
    work.copy_from_slice(colour);
    colour.fill(0.0);
    let share = 1.0 / (steps + 1) as f32;
    let last = SIDE as i32 - 1;
    for step in 0..=steps {
        let along = step as f32 / steps as f32 - 0.5;
        let (right, down) = ((along * dx).round() as i32, (along * dy).round() as i32);
        for (place, pixel) in colour.chunks_exact_mut(3).enumerate() {
            let column = ((place % SIDE) as i32 + right).clamp(0, last) as usize;
            let row = ((place / SIDE) as i32 + down).clamp(0, last) as usize;
            for (value, moved) in pixel.iter_mut().zip(&work[(row * SIDE + column) * 3..][..3]) {
                *value += share * moved;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::generator;

    #[test]
    fn motion_draws_a_point_out_to_a_line_around_it() {
        let mut colour = vec![0.0; SIDE * SIDE * 3];
        let at = |x: usize, y: usize| (y * SIDE + x) * 3;
        colour[at(30, 20)] = 90.0;
        let mut work = colour.clone();
        motion(8.0, 0.0, &mut colour, &mut work);
        assert!((26..=34).all(|x| (colour[at(x, 20)] - 10.0).abs() < 1e-3));
        assert!((colour.iter().sum::<f32>() - 90.0).abs() < 1e-3 && colour[at(30, 21)] == 0.0);
    }

    #[test]
    fn normal_draws_have_their_spread() {
        let mut rng = generator(1, 2, 3);
        let draws: Vec<f32> = (0..4000).map(|_| normal(&mut rng)).collect();
        let mean = draws.iter().sum::<f32>() / 4000.0;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 4000.0;
        assert!(mean.abs() < 0.06 && (variance - 1.0).abs() < 0.1, "{mean} {variance}");
    }
}
