//! Reads the network's input out of a stored picture through an affine map.

use super::geometry::CropPlacement;
use super::{INPUT, Stored};

/// Stored pixels that one of the input is made of along one axis, at the scales that occur.
const FEW_TAPS: usize = 4;
/// As many as there ever are.
const MOST_TAPS: usize = 24;
/// More stored pixels for one of the input than this are not all looked at.
const MOST_REACH: f32 = 11.0;

/// Samples `picture` into `colour`: 64 x 64 x 3 values of 0 to 255. What lies outside the picture repeats its edge.
///
/// The filter is the app's: a triangle, widened where the picture shrinks (`resize = "triangle"` in a card). Stored
/// pictures are as sharp as their size allows, so that it gives what the app's filter gives on the source picture.
pub(super) fn sample(picture: Stored<'_>, placement: &CropPlacement, colour: &mut [f32]) {
    let pixels_per_box = picture.side as f32 / picture.context;
    let matrix = placement.matrix.map(|row| row.map(|value| value * pixels_per_box));
    let middle = placement.shift.map(|value| value * pixels_per_box + picture.side as f32 / 2.0 - 0.5);
    let [[a, b], [c, d]] = matrix;
    // Stored pixels for one of the input: the root of how much larger the area is.
    let scale = (a * d - b * c).abs().sqrt() / INPUT as f32;
    let reach = scale.clamp(1.0, MOST_REACH);
    let source = StoredPicture { picture, matrix, middle, reach };
    if 2.0 * reach <= FEW_TAPS as f32 { source.read::<FEW_TAPS>(colour) } else { source.read::<MOST_TAPS>(colour) }
}

/// A stored picture and the way into it.
struct StoredPicture<'a> {
    picture: Stored<'a>,
    /// From sides of the input to stored pixels.
    matrix: [[f32; 2]; 2],
    middle: [f32; 2],
    reach: f32,
}

impl StoredPicture<'_> {
    /// Fills `colour`, each value out of at most `N` by `N` stored pixels.
    fn read<const N: usize>(&self, colour: &mut [f32]) {
        let Self { picture, matrix: [[a, b], [c, d]], middle, reach } = self;
        let along = |index: usize| (index as f32 + 0.5) / INPUT as f32 - 0.5;
        for (place, value) in colour.chunks_exact_mut(3).enumerate() {
            let (u, v) = (along(place % INPUT), along(place / INPUT));
            let columns = Taps::<N>::around(a * u + b * v + middle[0], *reach, picture.side);
            let rows = Taps::<N>::around(c * u + d * v + middle[1], *reach, picture.side);
            let mut sum = [0.0; 3];
            for (row, row_weight) in rows.iter() {
                let line = &picture.pixels[row * picture.side * 3..(row + 1) * picture.side * 3];
                let mut line_sum = [0.0; 3];
                for (column, weight) in columns.iter() {
                    for (sum, byte) in line_sum.iter_mut().zip(&line[column * 3..column * 3 + 3]) {
                        *sum += weight * f32::from(*byte);
                    }
                }
                for (sum, line) in sum.iter_mut().zip(line_sum) {
                    *sum += row_weight * line;
                }
            }
            value.copy_from_slice(&sum);
        }
    }
}

/// Pixels along one axis with their weights, whose sum is 1.
struct Taps<const N: usize> {
    places: [usize; N],
    weights: [f32; N],
    count: usize,
}

impl<const N: usize> Taps<N> {
    /// The pixels nearer than `reach` to `position`, in pixels from the middle of the first one.
    #[inline]
    fn around(position: f32, reach: f32, side: usize) -> Self {
        let mut taps = Self { places: [0; N], weights: [0.0; N], count: 0 };
        let last = side as i32 - 1;
        // Far outside there is only the edge; so far that the numbers stay small.
        let position = position.clamp(-2.0 * MOST_REACH, last as f32 + 2.0 * MOST_REACH);
        let first = (position - reach).floor() as i32 + 1;
        let mut total = 0.0;
        for (place, weight) in taps.places.iter_mut().zip(&mut taps.weights) {
            let pixel = first + taps.count as i32;
            let near = 1.0 - (pixel as f32 - position).abs() / reach;
            if near <= 0.0 {
                break;
            }
            // It is within the picture.
            *place = pixel.clamp(0, last) as usize;
            *weight = near;
            total += near;
            taps.count += 1;
        }
        for weight in &mut taps.weights[..taps.count] {
            *weight /= total;
        }
        taps
    }

    #[inline]
    fn iter(&self) -> impl Iterator<Item = (usize, f32)> {
        self.places[..self.count].iter().copied().zip(self.weights[..self.count].iter().copied())
    }
}
