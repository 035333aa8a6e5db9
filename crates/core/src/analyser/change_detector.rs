//! Whether a picture still looks the same, for next to nothing: an empty room need not be searched for faces again.

use crate::frame::Frame;

/// Blocks side by side over a picture's width. A face that the detector finds is about as large as a block, or larger.
const BLOCKS_ACROSS: u32 = 40;
/// Rows and columns of a block that are looked at, and the fewest that it has: in fewer pixels noise alone would move the
/// mean.
const SAMPLES: u32 = 8;
/// A block has changed where its mean is so many levels of 255 from what it was. The noise of a camera moves the mean of
/// dozens of pixels by one or two.
const CHANGED_LEVELS: f32 = 4.0;

/// What a picture looks like from afar: the mean brightness of each of its blocks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChangeDetector {
    size: (u32, u32),
    means: Vec<f32>,
}

impl ChangeDetector {
    /// A glance at this frame.
    pub(super) fn of(frame: &Frame) -> Self {
        let side = frame.width().div_ceil(BLOCKS_ACROSS).max(SAMPLES) as usize;
        let step = side / SAMPLES as usize;
        let row_bytes = frame.width() as usize * 3;
        let across = (frame.width() as usize).div_ceil(side);
        let mut means = Vec::new();
        let mut sums = vec![(0_u32, 0_u32); across];
        for band in frame.rgb().chunks(side * row_bytes) {
            sums.fill((0, 0));
            for row in band.chunks_exact(row_bytes).step_by(step) {
                for (block, (sum, count)) in row.chunks(side * 3).zip(&mut sums) {
                    for pixel in block.chunks_exact(3).step_by(step) {
                        *sum += pixel.iter().map(|&level| u32::from(level)).sum::<u32>();
                        *count += 3;
                    }
                }
            }
            // Of what the edge leaves of a block, less than half has too few pixels.
            let whole = sums.iter().filter(|(_, count)| *count >= 3 * SAMPLES * SAMPLES / 2);
            means.extend(whole.map(|&(sum, count)| sum as f32 / count as f32));
        }
        Self { size: (frame.width(), frame.height()), means }
    }

    /// Whether nothing as large as a face has come or gone between the two.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let same = |(a, b): (&f32, &f32)| (a - b).abs() < CHANGED_LEVELS;
        self.size == other.size && self.means.iter().zip(&other.means).all(same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture with noise of up to 12 levels to both sides, and a square of another grey in it.
    fn picture(seed: u32, width: u32, height: u32, square: Option<(u32, u32, u32)>) -> ChangeDetector {
        let mut state = seed;
        let mut noise = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 % 25
        };
        let inside =
            |x, y| square.is_some_and(|(left, top, side)| x >= left && y >= top && x < left + side && y < top + side);
        let level = |x, y| if inside(x, y) { 60 } else { 100 };
        let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| [level(x, y); 3])).map(|level| level + noise());
        ChangeDetector::of(&Frame::from_rgb(width, height, rgb.collect()).unwrap())
    }

    #[test]
    fn noise_alone_is_no_change() {
        for (width, height) in [(640, 480), (643, 359), (100, 70)] {
            assert!(picture(1, width, height, None).is_like(&picture(2, width, height, None)), "{width}x{height}");
        }
    }

    #[test]
    fn the_smallest_face_that_is_found_is_a_change_wherever_it_is() {
        let empty = picture(1, 640, 480, None);
        for (left, top) in [(0, 0), (9, 7), (616, 456), (321, 199)] {
            assert!(!empty.is_like(&picture(2, 640, 480, Some((left, top, 24)))), "{left}, {top}");
        }
    }

    #[test]
    fn a_picture_of_another_size_is_another() {
        assert!(!picture(1, 64, 48, None).is_like(&picture(1, 48, 64, None)));
    }
}
