//! Pictures turned in their plane.

use super::{Frame, FrameError, Sampler};

/// What lies outside the picture, each channel.
const OUTSIDE: u8 = 114;

impl Frame {
    /// The picture turned clockwise as displayed about its middle, bilinear, on a grey canvas that holds all of it.
    ///
    /// # Errors
    /// Where the canvas would be too large for a picture.
    pub fn turned(&self, clockwise_degrees: f32) -> Result<Self, FrameError> {
        let (sin, cos) = clockwise_degrees.to_radians().sin_cos();
        let (width, height) = (self.width() as f32, self.height() as f32);
        // Less a little: the sine of half a turn is not quite 0.
        let side = |along: f32, across: f32| (along * cos.abs() + across * sin.abs() - 0.01).ceil().max(1.0);
        let canvas = (side(width, height), side(height, width));
        Self::check_size(canvas.0 as u32, canvas.1 as u32)?;
        let (columns, rows) = (canvas.0 as usize, canvas.1 as usize);
        let picture = Sampler::new(self.rgb(), self.width() as usize, self.height() as usize);
        let mut rgb = vec![OUTSIDE; columns * rows * 3];
        for (place, pixel) in rgb.chunks_exact_mut(3).enumerate() {
            let (dx, dy) =
                ((place % columns) as f32 + 0.5 - canvas.0 / 2.0, (place / columns) as f32 + 0.5 - canvas.1 / 2.0);
            // The way back: a clockwise turn takes (x, y), y down, to (cos x - sin y, sin x + cos y).
            let (x, y) = (cos * dx + sin * dy + width / 2.0, cos * dy - sin * dx + height / 2.0);
            if (0.0..width).contains(&x) && (0.0..height).contains(&y) {
                picture.read(x - 0.5, y - 0.5, pixel);
            }
        }
        Self::from_rgb(columns as u32, rows as u32, rgb)
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
        let frame = ramp().turned(90.0).unwrap();
        assert_eq!((frame.width(), frame.height()), (2, 4));
        let pixel = |x: usize, y: usize| &frame.rgb()[(y * 2 + x) * 3..][..3];
        // Its first row is the last column now, from the top down.
        for y in 0..4 {
            assert_eq!((pixel(1, y), pixel(0, y)), (&[y as u8 * 10, 0, 7][..], &[y as u8 * 10, 10, 7][..]));
        }
        assert_eq!(ramp().turned(0.0).unwrap().rgb(), ramp().rgb());
    }

    #[test]
    fn a_turned_picture_is_whole_and_lies_on_grey() {
        let white = Frame::from_rgb(100, 60, vec![255; 100 * 60 * 3]).unwrap();
        let frame = white.turned(-30.0).unwrap();
        assert_eq!((frame.width(), frame.height()), (117, 102));
        let whites = frame.rgb().chunks_exact(3).filter(|pixel| pixel[0] == 255).count();
        assert!(whites.abs_diff(100 * 60) < 60, "{whites}");
        assert_eq!(frame.rgb()[..3], [OUTSIDE; 3]);
        let long = Frame::from_rgb(16_000, 1, vec![0; 48_000]).unwrap();
        assert!(long.turned(45.0).is_err(), "too many pixels");
    }
}
