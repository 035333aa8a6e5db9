//! A square of a frame at the size of a stored picture.
//!
//! The squares of a set have sides and places that are no whole pixels, and often reach over the picture's edge. So the
//! resampling is written out here: separable, antialiased, every tap clamped into the picture, which repeats its edge.

use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;

use crate::data::SIDE;

/// A square longer than this, in pixels, is a detector's or a label's mistake: no picture that is read is as large.
const MAX_SQUARE: f32 = 1e5;

/// Cuts faces; keeps its buffers.
#[derive(Default)]
pub(super) struct Cutter {
    columns: Vec<AxisTaps>,
    rows: Vec<AxisTaps>,
    /// Each needed row of the frame at the width of the target.
    narrow: Vec<f32>,
}

/// The source pixels of one target pixel along one axis.
struct AxisTaps {
    /// Index of the first, before it is clamped into the picture.
    first: i64,
    /// Weights of it and of those that follow; their sum is 1.
    weights: Vec<f32>,
}

impl Cutter {
    /// The picture that a set stores of `face` (facelens box, pixels of the frame): the square around its middle,
    /// `context` times its side, as [`SIDE`] x [`SIDE`] x 3 bytes, RGB. `None` where the box has no finite size.
    pub(super) fn cut(&mut self, frame: &Frame, face: &Rect, context: f32) -> Option<Vec<u8>> {
        let square = Rect::square(face.center(), context * (face.width + face.height) / 2.0);
        self.square(frame, &square)
    }

    fn square(&mut self, frame: &Frame, square: &Rect) -> Option<Vec<u8>> {
        // Written so that NaN is refused too.
        let near = [square.x, square.y].into_iter().all(|edge| edge.abs() <= MAX_SQUARE);
        if !(near && square.width > 0.0 && square.width <= MAX_SQUARE) {
            return None;
        }
        taps(square.x, square.width, &mut self.columns);
        taps(square.y, square.height, &mut self.rows);
        let (width, height) = (frame.width() as usize, frame.height() as usize);
        let clamp = |index: i64, size: usize| index.clamp(0, size as i64 - 1) as usize;
        let last = |taps: &AxisTaps| taps.first + taps.weights.len() as i64 - 1;
        let top = clamp(self.rows.first()?.first, height);
        let bottom = clamp(self.rows.iter().map(last).max()?, height);

        self.narrow.clear();
        for row in frame.rgb().chunks_exact(width * 3).take(bottom + 1).skip(top) {
            for column in &self.columns {
                let mut sum = [0.0; 3];
                for (weight, index) in column.weights.iter().zip(column.first..) {
                    let start = clamp(index, width) * 3;
                    for (sum, value) in sum.iter_mut().zip(&row[start..start + 3]) {
                        *sum += weight * f32::from(*value);
                    }
                }
                self.narrow.extend(sum);
            }
        }

        let mut rgb = Vec::with_capacity(SIDE * SIDE * 3);
        let mut line = [0.0; SIDE * 3];
        for row in &self.rows {
            line.fill(0.0);
            for (weight, index) in row.weights.iter().zip(row.first..) {
                let start = (clamp(index, height) - top) * SIDE * 3;
                for (sum, value) in line.iter_mut().zip(&self.narrow[start..start + SIDE * 3]) {
                    *sum += weight * value;
                }
            }
            // `as` holds the filter's overshoot within 0 to 255.
            rgb.extend(line.iter().map(|value| value.round() as u8));
        }
        Some(rgb)
    }
}

/// Fills `taps` for [`SIDE`] target pixels over the source pixels from `start`, `length` of them.
fn taps(start: f32, length: f32, taps: &mut Vec<AxisTaps>) {
    let scale = f64::from(length) / SIDE as f64;
    // Shrinking widens the filter: each source pixel counts, so that nothing flickers.
    let stretch = scale.max(1.0);
    taps.clear();
    taps.extend((0..SIDE).map(|target| {
        let middle = f64::from(start) + (target as f64 + 0.5) * scale - 0.5;
        let first = (middle - REACH * stretch).ceil();
        let last = (middle + REACH * stretch).floor();
        let count = (last - first) as usize + 1;
        let weight = |index: usize| kernel((first + index as f64 - middle) / stretch);
        let sum: f64 = (0..count).map(weight).sum();
        AxisTaps { first: first as i64, weights: (0..count).map(|index| (weight(index) / sum) as f32).collect() }
    }));
}

/// How far the kernel reaches, in pixels.
const REACH: f64 = 2.0;

/// Catmull and Rom's cubic (Keys 1981, a = -1/2). Training resizes a stored picture once more, with the triangle filter
/// that the app uses; a triangle here too would blur twice what the app blurs once.
fn kernel(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) -> Frame {
        let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| pixel(x, y)).collect();
        Frame::from_rgb(width, height, rgb).unwrap()
    }

    fn cut(frame: &Frame, square: Rect) -> Vec<u8> {
        Cutter::default().square(frame, &square).unwrap()
    }

    #[test]
    fn a_square_of_the_stored_size_on_whole_pixels_is_copied() {
        let noise = |x: u32, y: u32| [x * 7 + y * 13, x * y, x ^ y].map(|value| (value % 256) as u8);
        let source = frame(130, 120, noise);
        let got = cut(&source, Rect::new(20.0, 10.0, SIDE as f32, SIDE as f32));
        let expected: Vec<u8> =
            (0..SIDE as u32).flat_map(|y| (0..SIDE as u32).flat_map(move |x| noise(x + 20, y + 10))).collect();
        assert!(got == expected);
    }

    #[test]
    fn positions_between_pixels_and_sizes_are_exact_on_a_ramp() {
        // A cubic kernel gives a straight line back as it is, wherever the square lies.
        let source = frame(200, 200, |x, y| [x as u8, y as u8, 100]);
        for (x, y, side) in [(30.3, 41.7, 61.5), (20.0, 20.5, 150.25)] {
            let got = cut(&source, Rect::new(x, y, side, side));
            for (row, column) in [(5, 5), (48, 20), (90, 91)] {
                let at = |place: usize, start: f32| start + (place as f32 + 0.5) * side / SIDE as f32 - 0.5;
                let pixel = &got[(row * SIDE + column) * 3..][..3];
                assert!((f32::from(pixel[0]) - at(column, x)).abs() < 0.75, "{pixel:?} in {row},{column}");
                assert!((f32::from(pixel[1]) - at(row, y)).abs() < 0.75, "{pixel:?} in {row},{column}");
                assert_eq!(pixel[2], 100);
            }
        }
    }

    #[test]
    fn shrinking_means_over_all_pixels() {
        let source = frame(960, 960, |x, y| if (x + y) % 2 == 0 { [255; 3] } else { [0; 3] });
        let got = cut(&source, Rect::new(0.0, 0.0, 960.0, 960.0));
        assert!(got.iter().all(|value| (126..=129).contains(value)));
    }

    #[test]
    fn outside_the_picture_its_edge_goes_on() {
        let source = frame(40, 30, |x, _| if x < 20 { [10; 3] } else { [200; 3] });
        let got = cut(&source, Rect::new(-28.0, -33.0, 96.0, 96.0));
        let at = |x: usize, y: usize| got[(y * SIDE + x) * 3];
        assert_eq!((at(0, 0), at(0, 95), at(95, 0), at(95, 95)), (10, 10, 200, 200));
        assert_eq!((at(47, 3), at(48, 3)), (10, 200));
        // Wholly outside there is nothing but the corner.
        assert!(cut(&source, Rect::new(500.0, 900.0, 50.0, 50.0)).iter().all(|value| *value == 200));
    }

    #[test]
    fn a_box_without_a_size_is_refused() {
        let source = frame(4, 4, |_, _| [0; 3]);
        let mut cutter = Cutter::default();
        for (x, side) in [(f32::NAN, 5.0), (0.0, 0.0), (0.0, f32::INFINITY), (1e9, 5.0), (0.0, -3.0)] {
            assert_eq!(cutter.cut(&source, &Rect::new(x, 0.0, side, side), 2.0), None, "{x}, {side}");
        }
    }
}
