//! How pictures are shown: turned, mirrored, and with pixels that are no squares.

use image::metadata::Orientation;

use super::super::boxes::Bytes;

/// The part of a display matrix that turns and mirrors (ISO/IEC 14496-12, 8.3.2): a point (x, y) is shown at
/// (a x + c y, b x + d y).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DisplayMatrix {
    a: f64,
    b: f64,
    c: f64,
    d: f64,
}

impl DisplayMatrix {
    /// Reads a b u, c d v, x y w.
    pub(super) fn read(bytes: &mut Bytes<'_>) -> Option<Self> {
        let mut values = [0.0; 9];
        for value in &mut values {
            *value = f64::from(bytes.u32()?.cast_signed());
        }
        let [a, b, _, c, d, ..] = values;
        Some(Self { a, b, c, d })
    }

    /// This one, and then another.
    pub(super) fn then(self, Self { a, b, c, d }: Self) -> Self {
        Self {
            a: self.a * a + self.b * c,
            b: self.a * b + self.b * d,
            c: self.c * a + self.d * c,
            d: self.c * b + self.d * d,
        }
    }

    /// The quarter turn, mirrored or not, that is nearest. A matrix that is none leaves the picture as it is.
    pub(super) fn orientation(self) -> Orientation {
        let Self { a, b, c, d } = self;
        let along = a.abs() + d.abs() >= b.abs() + c.abs();
        match if along { (true, a < 0.0, d < 0.0) } else { (false, c < 0.0, b < 0.0) } {
            (true, false, false) => Orientation::NoTransforms,
            (true, true, false) => Orientation::FlipHorizontal,
            (true, true, true) => Orientation::Rotate180,
            (true, false, true) => Orientation::FlipVertical,
            (false, true, false) => Orientation::Rotate90,
            (false, false, true) => Orientation::Rotate270,
            (false, false, false) => Orientation::Rotate90FlipH,
            (false, true, true) => Orientation::Rotate270FlipH,
        }
    }
}

/// Width and height of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::video) struct PixelAspect {
    width: u32,
    height: u32,
}

/// Pixels that are longer than this many times their other side are nobody's: such a ratio is damage.
const LONGEST: u32 = 8;

impl PixelAspect {
    /// `None` for squares and for ratios that nobody films with.
    pub(in crate::video) fn new(width: u32, height: u32) -> Option<Self> {
        let (short, long) = (width.min(height), width.max(height));
        (short > 0 && short != long && long <= short.saturating_mul(LONGEST)).then_some(Self { width, height })
    }

    /// The `pasp` box (ISO/IEC 14496-12, 12.1.4).
    pub(super) fn read(pasp: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(pasp);
        Self::new(bytes.u32()?, bytes.u32()?)
    }

    /// The size of a picture whose pixels are squares: the side that is shown longer grows.
    pub(in crate::video) fn squared(self, width: u32, height: u32) -> (u32, u32) {
        let grown = |side: u32, by: u32, over: u32| {
            let (by, over) = (u64::from(by), u64::from(over));
            u32::try_from((u64::from(side) * by + over / 2) / over).unwrap_or(u32::MAX)
        };
        if self.width > self.height {
            (grown(width, self.width, self.height), height)
        } else {
            (width, grown(height, self.height, self.width))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(a: f64, b: f64, c: f64, d: f64) -> DisplayMatrix {
        DisplayMatrix { a, b, c, d }
    }

    #[test]
    fn every_quarter_turn_and_mirror_is_told_apart() {
        let one = 65536.0;
        let expected = [
            (matrix(one, 0.0, 0.0, one), Orientation::NoTransforms),
            (matrix(0.0, one, -one, 0.0), Orientation::Rotate90),
            (matrix(-one, 0.0, 0.0, -one), Orientation::Rotate180),
            (matrix(0.0, -one, one, 0.0), Orientation::Rotate270),
            (matrix(-one, 0.0, 0.0, one), Orientation::FlipHorizontal),
            (matrix(one, 0.0, 0.0, -one), Orientation::FlipVertical),
            (matrix(0.0, one, one, 0.0), Orientation::Rotate90FlipH),
            (matrix(0.0, -one, -one, 0.0), Orientation::Rotate270FlipH),
            (matrix(0.0, 0.0, 0.0, 0.0), Orientation::NoTransforms),
            // Rounded in the making, as by a phone that counts in degrees.
            (matrix(-2.0, 65535.0, -65536.0, 3.0), Orientation::Rotate90),
        ];
        for (matrix, orientation) in expected {
            assert_eq!(matrix.orientation(), orientation, "{matrix:?}");
        }
    }

    #[test]
    fn the_matrix_of_the_movie_comes_after_that_of_the_track() {
        let (turn, flip) = (matrix(0.0, 1.0, -1.0, 0.0), matrix(-1.0, 0.0, 0.0, 1.0));
        assert_eq!(turn.then(turn).orientation(), Orientation::Rotate180);
        assert_eq!(turn.then(flip).orientation(), Orientation::Rotate90FlipH);
        assert_eq!(flip.then(turn).orientation(), Orientation::Rotate270FlipH);
    }

    #[test]
    fn pixels_become_squares_and_nonsense_is_passed_over() {
        assert_eq!(PixelAspect::new(2, 1).unwrap().squared(240, 360), (480, 360));
        assert_eq!(PixelAspect::new(8, 9).unwrap().squared(720, 480), (720, 540));
        assert_eq!(PixelAspect::new(u32::MAX, u32::MAX - 1).unwrap().squared(u32::MAX, 2), (u32::MAX, 2));
        for (width, height) in [(1, 1), (0, 1), (1, 0), (9, 1), (1, u32::MAX)] {
            assert_eq!(PixelAspect::new(width, height), None, "{width}:{height}");
        }
    }
}
