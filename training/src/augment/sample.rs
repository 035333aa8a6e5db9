//! Reads the network's input out of a stored picture through an affine map.

use super::geometry::Placement;
use super::{INPUT, Stored};

/// Up to this many stored pixels for one of the input, single bilinear samples are as good as the app's `triangle`
/// filter, for stored pictures come out of an antialiased reduction themselves.
const PLAIN_SCALE: f32 = 1.5;

/// Samples `picture` into `colour`: 64 x 64 x 3 values of 0 to 255. What lies outside the picture repeats its edge.
pub(super) fn sample(picture: Stored<'_>, placement: &Placement, colour: &mut [f32]) {
    let pixels_per_box = picture.side as f32 / picture.context;
    let matrix = placement.matrix.map(|row| row.map(|value| value * pixels_per_box));
    let middle = placement.shift.map(|value| value * pixels_per_box + picture.side as f32 / 2.0 - 0.5);
    let [[a, b], [c, d]] = matrix;
    let scale = (a * a + c * c).max(b * b + d * d).sqrt() / INPUT as f32;
    // Where more pixels than that fall together, each value is the mean of a grid of samples.
    let grid = (scale / PLAIN_SCALE).ceil().clamp(1.0, 8.0) as usize;
    let step = 1.0 / (INPUT * grid) as f32;
    let weight = 1.0 / (grid * grid) as f32;
    let along = |index: usize, part: usize| ((index * grid + part) as f32 + 0.5) * step - 0.5;
    for (place, value) in colour.chunks_exact_mut(3).enumerate() {
        let (row, column) = (place / INPUT, place % INPUT);
        let mut sum = [0.0; 3];
        for part in 0..grid * grid {
            let (u, v) = (along(column, part % grid), along(row, part / grid));
            let x = a * u + b * v + middle[0];
            let y = c * u + d * v + middle[1];
            bilinear(picture, x, y, &mut sum);
        }
        for (value, sum) in value.iter_mut().zip(sum) {
            *value = sum * weight;
        }
    }
}

/// Adds the picture's colour at (x, y), in pixels from the middle of its first pixel.
#[inline]
fn bilinear(picture: Stored<'_>, x: f32, y: f32, sum: &mut [f32; 3]) {
    let last = (picture.side - 1) as f32;
    let (x, y) = (x.clamp(0.0, last), y.clamp(0.0, last));
    // Both are within the picture.
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(picture.side - 1), (top + 1).min(picture.side - 1));
    let (fx, fy) = (x - left as f32, y - top as f32);
    let at = |row: usize, column: usize| (row * picture.side + column) * 3;
    let corners = [
        (at(top, left), (1.0 - fx) * (1.0 - fy)),
        (at(top, right), fx * (1.0 - fy)),
        (at(bottom, left), (1.0 - fx) * fy),
        (at(bottom, right), fx * fy),
    ];
    for (start, weight) in corners {
        for (sum, byte) in sum.iter_mut().zip(&picture.pixels[start..start + 3]) {
            *sum += weight * f32::from(*byte);
        }
    }
}
