//! Colours between the pixels of a picture.

/// Reads a picture of RGB bytes at places between its pixels: bilinear, two by two pixels wherever it is asked. Outside,
/// the picture's edge is repeated.
#[derive(Clone, Copy, Debug)]
pub struct Sampler<'a> {
    rgb: &'a [u8],
    width: usize,
    height: usize,
}

impl<'a> Sampler<'a> {
    /// Of `width` x `height` pixels, row by row; at least one, and as many as there are bytes for.
    pub fn new(rgb: &'a [u8], width: usize, height: usize) -> Self {
        debug_assert!(width > 0 && height > 0 && rgb.len() == width * height * 3);
        Self { rgb, width, height }
    }

    /// The colour at a place, in pixels from the middle of the first one, into the three bytes of `pixel`.
    #[inline]
    pub fn read(&self, x: f32, y: f32, pixel: &mut [u8]) {
        let (left, right, beside) = taps(x, self.width);
        let (upper, lower, below) = taps(y, self.height);
        let at = |row: usize, column: usize| &self.rgb[(row * self.width + column) * 3..][..3];
        let corners = [at(upper, left), at(upper, right), at(lower, left), at(lower, right)];
        for (channel, value) in pixel.iter_mut().enumerate() {
            let [a, b, c, d] = corners.map(|corner| f32::from(corner[channel]));
            let (first, second) = (a + beside * (b - a), c + beside * (d - c));
            // A cast keeps within 0 to 255.
            *value = (first + below * (second - first) + 0.5) as u8;
        }
    }
}

/// Two neighbouring pixels of `size` around a place, and the second one's weight.
#[inline]
fn taps(place: f32, size: usize) -> (usize, usize, f32) {
    let place = place.clamp(0.0, (size - 1) as f32);
    let first = place as usize;
    (first, (first + 1).min(size - 1), place - first as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_between_pixels_are_mixed_and_the_edge_is_repeated() {
        // Two columns and two rows: 0 and 100 in red, 0 and 200 down in green.
        let rgb = [0, 0, 7, 100, 0, 7, 0, 200, 7, 100, 200, 7];
        let read = |x: f32, y: f32| {
            let mut pixel = [0; 3];
            Sampler::new(&rgb, 2, 2).read(x, y, &mut pixel);
            pixel
        };
        assert_eq!(read(0.0, 0.0), [0, 0, 7]);
        assert_eq!(read(0.25, 0.5), [25, 100, 7]);
        assert_eq!(read(-3.0, 0.75), [0, 150, 7]);
        assert_eq!(read(9.0, 9.0), [100, 200, 7]);
    }
}
