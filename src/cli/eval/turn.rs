//! Pictures turned in their plane, to see how the estimates bear a tilted head.

use crate::frame::{Frame, FrameError};

/// What lies outside the picture, each channel.
const OUTSIDE: u8 = 114;
/// Longest side of a turned picture, pixels: its canvas is up to twice as large as the picture.
const MOST: f32 = 16_384.0;

/// `frame` turned clockwise as displayed about its middle, bilinear, on a grey canvas that holds all of it; as it is where
/// that would be too large to be a picture.
///
/// # Errors
/// Where the canvas is no picture.
pub(super) fn turned(frame: Frame, clockwise_degrees: f32) -> Result<Frame, FrameError> {
    let (sin, cos) = clockwise_degrees.to_radians().sin_cos();
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    // Less a little: the sine of half a turn is not quite 0.
    let side = |along: f32, across: f32| (along * cos.abs() + across * sin.abs() - 0.01).ceil().max(1.0);
    let canvas = (side(width, height), side(height, width));
    if canvas.0.max(canvas.1) > MOST {
        return Ok(frame);
    }
    let (columns, rows) = (canvas.0 as usize, canvas.1 as usize);
    let mut rgb = vec![OUTSIDE; columns * rows * 3];
    for (place, pixel) in rgb.chunks_exact_mut(3).enumerate() {
        let (dx, dy) =
            ((place % columns) as f32 + 0.5 - canvas.0 / 2.0, (place / columns) as f32 + 0.5 - canvas.1 / 2.0);
        // The way back: a clockwise turn takes (x, y), y down, to (cos x - sin y, sin x + cos y).
        let (x, y) = (cos * dx + sin * dy + width / 2.0, cos * dy - sin * dx + height / 2.0);
        if (0.0..width).contains(&x) && (0.0..height).contains(&y) {
            read(&frame, x - 0.5, y - 0.5, pixel);
        }
    }
    Frame::from_rgb(columns as u32, rows as u32, rgb)
}

/// The colour at a place in pixels from the middle of the first one.
fn read(frame: &Frame, x: f32, y: f32, pixel: &mut [u8]) {
    let taps = |place: f32, size: u32| {
        let place = place.clamp(0.0, (size - 1) as f32);
        let first = place as usize;
        (first, (first + 1).min(size as usize - 1), place.fract())
    };
    let (left, right, beside) = taps(x, frame.width());
    let (upper, lower, below) = taps(y, frame.height());
    let at = |row: usize, column: usize| &frame.rgb()[(row * frame.width() as usize + column) * 3..][..3];
    let corners = [at(upper, left), at(upper, right), at(lower, left), at(lower, right)];
    for (channel, value) in pixel.iter_mut().enumerate() {
        let [a, b, c, d] = corners.map(|corner| f32::from(corner[channel]));
        let (first, second) = (a + beside * (b - a), c + beside * (d - c));
        *value = (first + below * (second - first)).round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four columns and two rows: red grows to the right, green downwards.
    fn ramp() -> Frame {
        Frame::from_rgb(4, 2, (0..8_u8).flat_map(|place| [place % 4 * 10, place / 4 * 10, 7]).collect()).unwrap()
    }

    #[test]
    fn a_quarter_turn_takes_the_top_to_the_right() {
        let frame = turned(ramp(), 90.0).unwrap();
        assert_eq!((frame.width(), frame.height()), (2, 4));
        let pixel = |x: usize, y: usize| &frame.rgb()[(y * 2 + x) * 3..][..3];
        // Its first row is the last column now, from the top down.
        for y in 0..4 {
            assert_eq!((pixel(1, y), pixel(0, y)), (&[y as u8 * 10, 0, 7][..], &[y as u8 * 10, 10, 7][..]));
        }
        assert_eq!(turned(ramp(), 0.0).unwrap().rgb(), ramp().rgb());
    }

    #[test]
    fn a_turned_picture_is_whole_and_lies_on_grey() {
        let white = Frame::from_rgb(100, 60, vec![255; 100 * 60 * 3]).unwrap();
        let frame = turned(white, -30.0).unwrap();
        assert_eq!((frame.width(), frame.height()), (117, 102));
        let whites = frame.rgb().chunks_exact(3).filter(|pixel| pixel[0] == 255).count();
        assert!(whites.abs_diff(100 * 60) < 60, "{whites}");
        assert_eq!(frame.rgb()[..3], [OUTSIDE; 3]);
    }
}
