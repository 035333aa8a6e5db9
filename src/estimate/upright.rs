//! A face that is tilted in the picture, turned upright before a network sees it.
//!
//! Networks know heads that are about upright. Tilted by 30 degrees the same face is some other age to them; turned back
//! by its landmarks it is not.

use super::crop::PixelRect;
use super::resize::CropResizer;
use crate::frame::{Frame, Sampler};
use crate::geometry::{Point, Rect};
use crate::model::ResizeFilter;

/// Cuts out crops that are turned; keeps its buffer.
#[derive(Default)]
pub(super) struct Turner {
    /// The part of the frame that holds the crop, as it lies there, already as small as the crop will be.
    part: Vec<u8>,
}

impl Turner {
    /// Fills `rgb` with `width` x `height` pixels of `face` (a box in the style that the card names) with `margin` of its
    /// sides on each side, turned counter-clockwise by `roll_degrees` about its middle. What lies outside the picture
    /// repeats its edge. `false` where nothing of it lies inside.
    ///
    /// # Errors
    /// In words, where the resizing library refuses.
    pub(super) fn fill(
        &mut self,
        resizer: &mut CropResizer,
        frame: &Frame,
        (face, margin, roll_degrees): (&Rect, f32, f32),
        (width, height): (u32, u32),
        rgb: &mut Vec<u8>,
    ) -> Result<bool, String> {
        let (sin, cos) = roll_degrees.to_radians().sin_cos();
        let sides = [face.width, face.height].map(|side| side * (1.0 + 2.0 * margin));
        let middle = face.center();
        let reach = Point {
            x: (sides[0] * cos.abs() + sides[1] * sin.abs()) / 2.0,
            y: (sides[0] * sin.abs() + sides[1] * cos.abs()) / 2.0,
        };
        let columns = span(middle.x, reach.x, frame.width());
        let rows = span(middle.y, reach.y, frame.height());
        let (Some((left, columns)), Some((top, rows))) = (columns, rows) else { return Ok(false) };
        // Made smaller first, with the filter that leaves no moire: four taps are enough then.
        let scale = |size: u32, side: f32| (size as f32 / side).min(1.0);
        let small = |pixels: u32, scale: f32| ((pixels as f32 * scale).round() as u32).max(1);
        let size = (small(columns, scale(width, sides[0])), small(rows, scale(height, sides[1])));
        let crop = PixelRect { left, top, width: columns, height: rows };
        resizer.resize(frame, crop, size, ResizeFilter::Triangle, &mut self.part)?;

        rgb.clear();
        rgb.resize(width as usize * height as usize * 3, 0);
        let part = Sampler::new(&self.part, size.0 as usize, size.1 as usize);
        let [across, down] = [size.0 as f32 / columns as f32, size.1 as f32 / rows as f32];
        for (place, pixel) in rgb.chunks_exact_mut(3).enumerate() {
            let (column, row) = (place % width as usize, place / width as usize);
            let u = ((column as f32 + 0.5) / width as f32 - 0.5) * sides[0];
            let v = ((row as f32 + 0.5) / height as f32 - 0.5) * sides[1];
            let (x, y) = (middle.x + cos * u - sin * v, middle.y + sin * u + cos * v);
            part.read((x - left as f32) * across - 0.5, (y - top as f32) * down - 0.5, pixel);
        }
        Ok(true)
    }
}

/// First pixel and number of pixels along one axis of `size` pixels; `None` where none lies inside, or without finite
/// numbers.
fn span(middle: f32, reach: f32, size: u32) -> Option<(u32, u32)> {
    let first = (middle - reach).floor().max(0.0);
    let end = (middle + reach).ceil().min(size as f32);
    // Both are whole and within 0..=size where this holds.
    let finite = middle.is_finite() && reach.is_finite();
    (finite && reach > 0.0 && first < end).then_some((first as u32, (end - first) as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: [u8; 3] = [255; 3];

    /// A black picture of 200 x 160 with white discs of 8 pixels.
    fn discs(middles: &[Point]) -> Frame {
        let near = |x: usize, y: usize| {
            middles.iter().any(|middle| (x as f32 + 0.5 - middle.x).hypot(y as f32 + 0.5 - middle.y) < 8.0)
        };
        let pixels = (0..200 * 160).flat_map(|place| if near(place % 200, place / 200) { WHITE } else { [0; 3] });
        Frame::from_rgb(200, 160, pixels.collect()).unwrap()
    }

    fn fill(frame: &Frame, face: Rect, roll_degrees: f32) -> Option<Vec<u8>> {
        let mut rgb = Vec::new();
        let crop = (&face, 0.2, roll_degrees);
        let inside = Turner::default().fill(&mut CropResizer::default(), frame, crop, (64, 64), &mut rgb).unwrap();
        inside.then_some(rgb)
    }

    fn at(rgb: &[u8], x: usize, y: usize) -> u8 {
        rgb[(y * 64 + x) * 3]
    }

    #[test]
    fn the_eyes_of_a_tilted_face_come_to_lie_level() {
        // Eyes 40 pixels apart, 15 above the middle of a box of 100, for each tilt; the crop is 140 pixels wide.
        let middle = Point { x: 100.0, y: 80.0 };
        for degrees in [-50.0_f32, -20.0, 0.0, 7.0, 35.0, 120.0] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let eyes =
                [-20.0, 20.0].map(|x| Point { x: middle.x + cos * x + sin * 15.0, y: middle.y + sin * x - cos * 15.0 });
            let rgb = fill(&discs(&eyes), Rect::square(middle, 100.0), degrees).unwrap();
            // 20 and 15 pixels are 9.1 and 6.9 of the input's.
            for x in [32 - 9, 32 + 9] {
                assert!(at(&rgb, x, 25) > 200, "{degrees}: {}", at(&rgb, x, 25));
            }
            assert!(at(&rgb, 32, 25) < 50 && at(&rgb, 23, 39) < 50, "{degrees}");
        }
    }

    #[test]
    fn a_face_at_the_edge_repeats_it_and_one_outside_is_none() {
        let corner = discs(&[Point { x: 0.0, y: 0.0 }]);
        let rgb = fill(&corner, Rect::square(Point { x: 5.0, y: 40.0 }, 60.0), 10.0).unwrap();
        assert_eq!(rgb.len(), 64 * 64 * 3);
        for (x, y, side) in
            [(-500.0, 40.0, 60.0), (50.0, f32::NAN, 60.0), (50.0, 40.0, 0.0), (50.0, 40.0, f32::INFINITY)]
        {
            assert!(fill(&corner, Rect::square(Point { x, y }, side), 10.0).is_none(), "{x}, {y}, {side}");
        }
    }

    #[test]
    fn a_small_face_is_enlarged() {
        let rgb = fill(&discs(&[Point { x: 100.0, y: 80.0 }]), Rect::square(Point { x: 100.0, y: 80.0 }, 20.0), 30.0);
        let rgb = rgb.unwrap();
        // The disc is 16 of 28 pixels wide.
        assert!(at(&rgb, 32, 32) == 255 && at(&rgb, 32 + 15, 32) > 200 && at(&rgb, 32 + 22, 32) < 50);
    }
}
