//! Crops that are turned, or reach over the picture's edge: each pixel of the input is read from its place in the frame.
//!
//! Networks know heads that are about upright. Tilted by 30 degrees the same face is some other age to them; turned back
//! by its landmarks it is not.

use super::crop::PixelRect;
use super::resize::CropResizer;
use crate::frame::{Frame, Sampler};
use crate::geometry::{Point, Rect};
use crate::model::{Alignment, CropSpec, Edge, ResizeFilter};

/// Where in a frame a network's input lies: a rectangle turned about its middle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct WarpView {
    /// Its middle.
    middle: Point,
    /// Width and height, pixels of the frame.
    sides: [f32; 2],
    /// How far it is turned clockwise as the picture shows it, degrees.
    pub(super) turn_degrees: f32,
}

impl WarpView {
    /// A square around `middle`, pixels of the frame, turned clockwise by `turn_degrees`.
    pub(crate) fn square(middle: Point, side: f32, turn_degrees: f32) -> Self {
        Self { middle, sides: [side; 2], turn_degrees }
    }

    /// `face` (a box in the style that the card names) with the crop's margin on each side, turned by `turn_degrees` about
    /// the box's middle.
    pub(super) fn of_box(face: &Rect, crop: &CropSpec, turn_degrees: f32) -> Self {
        let sides = [face.width, face.height].map(|side| side * (1.0 + 2.0 * crop.margin));
        let (sin, cos) = turn_degrees.to_radians().sin_cos();
        let (middle, down) = (face.center(), crop.down * face.height);
        let middle = Point { x: middle.x - sin * down, y: middle.y + cos * down };
        Self { middle, sides, turn_degrees }
    }

    /// The view in which landmarks, as [`Detection::keypoints`] has them, come nearest to where the card wants them. `None` where they lie in one point or are no numbers.
    ///
    /// [`Detection::keypoints`]: crate::detect::Detection::keypoints
    pub(super) fn aligned(landmarks: &[Point; 6], align: &Alignment) -> Option<Self> {
        // In the template's own unit, where distances to the right and down count alike.
        let unit = [align.width, align.height].map(|side| side * (1.0 + 2.0 * align.padding));
        let pairs: Vec<(Point, Point)> = (landmarks.iter().zip(align.targets()))
            .filter_map(|(from, to)| to.map(|to| (*from, Point { x: to.x * unit[0], y: to.y * unit[1] })))
            .collect();
        let count = pairs.len() as f32;
        let sum = |point: fn(&(Point, Point)) -> Point| {
            pairs
                .iter()
                .map(point)
                .fold(Point::default(), |sum, point| Point { x: sum.x + point.x, y: sum.y + point.y })
        };
        let [from, to] =
            [sum(|pair| pair.0), sum(|pair| pair.1)].map(|sum| Point { x: sum.x / count, y: sum.y / count });
        // As complex numbers: the template's points are `scale` times the landmarks, plus a constant.
        let (mut real, mut imaginary, mut spread) = (0.0, 0.0, 0.0);
        for (a, b) in &pairs {
            let (ax, ay, bx, by) = (a.x - from.x, a.y - from.y, b.x - to.x, b.y - to.y);
            real += ax * bx + ay * by;
            imaginary += ax * by - ay * bx;
            spread += ax * ax + ay * ay;
        }
        let scale = real.hypot(imaginary) / spread;
        if !(scale.is_finite() && scale > 0.0) {
            return None;
        }
        // Back from the template to the frame: turned by the opposite angle.
        let turn = -imaginary.atan2(real);
        let (sin, cos) = turn.sin_cos();
        let (dx, dy) = ((unit[0] / 2.0 - to.x) / scale, (unit[1] / 2.0 - to.y) / scale);
        let middle = Point { x: from.x + cos * dx - sin * dy, y: from.y + sin * dx + cos * dy };
        Some(Self { middle, sides: unit.map(|side| side / scale), turn_degrees: turn.to_degrees() })
    }
}

/// Cuts out views; keeps its buffer.
#[derive(Default)]
pub(crate) struct Warper {
    /// The part of the frame that holds the crop, as it lies there, already as small as the crop will be.
    part: Vec<u8>,
}

impl Warper {
    /// Fills `rgb` with `width` x `height` pixels of a view. `false` where nothing of it lies inside the picture. By the
    /// triangle filter it is made smaller first; by the bilinear one four taps are all.
    ///
    /// # Errors
    /// In words, where the resizing library refuses.
    pub(crate) fn fill(
        &mut self,
        resizer: &mut CropResizer,
        frame: &Frame,
        view: &WarpView,
        (filter, edge): (ResizeFilter, Edge),
        (width, height): (u32, u32),
        rgb: &mut Vec<u8>,
    ) -> Result<bool, String> {
        let (sin, cos) = view.turn_degrees.to_radians().sin_cos();
        let (middle, sides) = (view.middle, view.sides);
        let reach = Point {
            x: (sides[0] * cos.abs() + sides[1] * sin.abs()) / 2.0,
            y: (sides[0] * sin.abs() + sides[1] * cos.abs()) / 2.0,
        };
        let columns = span(middle.x, reach.x, frame.width());
        let rows = span(middle.y, reach.y, frame.height());
        let (Some((left, columns)), Some((top, rows))) = (columns, rows) else { return Ok(false) };
        // Made smaller first, with the filter that leaves no moire: four taps are enough then.
        let scale = |size: u32, side: f32| match filter {
            ResizeFilter::Triangle => (size as f32 / side).min(1.0),
            ResizeFilter::Bilinear => 1.0,
        };
        let small = |pixels: u32, scale: f32| ((pixels as f32 * scale).round() as u32).max(1);
        let size = (small(columns, scale(width, sides[0])), small(rows, scale(height, sides[1])));
        let crop = PixelRect { left, top, width: columns, height: rows };
        resizer.resize(frame, crop, size, filter, &mut self.part)?;

        rgb.clear();
        rgb.resize(width as usize * height as usize * 3, 0);
        let part = Sampler::new(&self.part, size.0 as usize, size.1 as usize);
        let [across, down] = [size.0 as f32 / columns as f32, size.1 as f32 / rows as f32];
        let (right, bottom) = (frame.width() as f32, frame.height() as f32);
        for (place, pixel) in rgb.chunks_exact_mut(3).enumerate() {
            let (column, row) = (place % width as usize, place / width as usize);
            let u = ((column as f32 + 0.5) / width as f32 - 0.5) * sides[0];
            let v = ((row as f32 + 0.5) / height as f32 - 0.5) * sides[1];
            let (x, y) = (middle.x + cos * u - sin * v, middle.y + sin * u + cos * v);
            let inside = x >= 0.0 && y >= 0.0 && x <= right && y <= bottom;
            if inside || edge == Edge::Repeat {
                part.read((x - left as f32) * across - 0.5, (y - top as f32) * down - 0.5, pixel);
            }
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
        let crop = CropSpec { margin: 0.2, ..CropSpec::default() };
        filled(frame, &WarpView::of_box(&face, &crop, roll_degrees), (ResizeFilter::Triangle, Edge::Repeat))
    }

    fn filled(frame: &Frame, view: &WarpView, how: (ResizeFilter, Edge)) -> Option<Vec<u8>> {
        let mut rgb = Vec::new();
        let resizer = &mut CropResizer::default();
        let inside = Warper::default().fill(resizer, frame, view, how, (64, 64), &mut rgb).unwrap();
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

    #[test]
    fn a_crop_may_lie_below_the_box_along_the_face() {
        let crop = CropSpec { down: 0.25, ..CropSpec::default() };
        let face = Rect::new(80.0, 60.0, 40.0, 40.0);
        let middle = |turn| WarpView::of_box(&face, &crop, turn).middle;
        assert_eq!(middle(0.0), Point { x: 100.0, y: 90.0 });
        // Turned clockwise by a quarter, the chin points to the left.
        let turned = middle(90.0);
        assert!((turned.x - 90.0).abs() < 1e-4 && (turned.y - 80.0).abs() < 1e-4, "{turned:?}");
    }

    #[test]
    fn outside_the_picture_a_crop_is_black_or_repeats_the_edge() {
        let white = Frame::from_rgb(40, 40, vec![255; 4800]).unwrap();
        let view = WarpView::of_box(&Rect::new(-10.0, 0.0, 40.0, 40.0), &CropSpec::default(), 0.0);
        for filter in [ResizeFilter::Bilinear, ResizeFilter::Triangle] {
            // A quarter of the columns lie to the left of the picture.
            let black = filled(&white, &view, (filter, Edge::Black)).unwrap();
            assert_eq!(
                [at(&black, 0, 30), at(&black, 15, 30), at(&black, 16, 30), at(&black, 63, 30)],
                [0, 0, 255, 255]
            );
            assert_eq!(filled(&white, &view, (filter, Edge::Repeat)).unwrap(), [255; 64 * 64 * 3]);
        }
    }

    /// The landmarks of a face that lies like a template, turned clockwise by `degrees`, `scale` times as large, its upper
    /// left corner at (30, 20).
    fn placed(align: &Alignment, degrees: f32, scale: f32) -> [Point; 6] {
        let (sin, cos) = degrees.to_radians().sin_cos();
        align.targets().map(|target| {
            let target = target.unwrap_or(Point { x: 7.0, y: -7.0 });
            let (x, y) = (scale * target.x * align.width, scale * target.y * align.height);
            Point { x: 30.0 + cos * x - sin * y, y: 20.0 + sin * x + cos * y }
        })
    }

    #[test]
    fn a_known_similarity_is_found_again() {
        let align = Alignment::arcface();
        for (degrees, scale) in [(0.0_f32, 1.0), (35.0, 0.5), (-80.0, 2.5), (170.0, 1.5)] {
            let view = WarpView::aligned(&placed(&align, degrees, scale), &align).unwrap();
            let (sin, cos) = degrees.to_radians().sin_cos();
            let (x, y) = (scale * 56.0, scale * 56.0);
            let middle = Point { x: 30.0 + cos * x - sin * y, y: 20.0 + sin * x + cos * y };
            assert!((view.turn_degrees - degrees).abs() < 1e-3, "{view:?}");
            assert!((view.sides[0] - 112.0 * scale).abs() < 1e-3 && view.sides[0] == view.sides[1], "{view:?}");
            assert!((view.middle.x - middle.x).hypot(view.middle.y - middle.y) < 1e-3, "{view:?}");
        }
    }

    #[test]
    fn landmarks_that_do_not_fit_are_fitted_with_the_least_squares() {
        // Eyes 2 apart and the mouth 1 below them; on the template it lies 2 below. Less their centroids the landmarks are
        // (-1, -1/3), (1, -1/3), (0, 2/3), the template's points (-1, -2/3), (1, -2/3), (0, 4/3): the sum of the products
        // is 2 + 4/3, that of the squares 2 + 2/3.
        let align = Alignment {
            width: 4.0,
            height: 4.0,
            left_eye: Some([1.0, 1.0]),
            right_eye: Some([3.0, 1.0]),
            mouth: Some([2.0, 3.0]),
            ..Alignment::default()
        };
        let mut landmarks = [Point::default(); 6];
        landmarks[0] = Point { x: 99.0, y: 50.0 };
        landmarks[1] = Point { x: 101.0, y: 50.0 };
        landmarks[3] = Point { x: 100.0, y: 51.0 };
        let view = WarpView::aligned(&landmarks, &align).unwrap();
        let scale = (2.0 + 4.0 / 3.0) / (2.0 + 2.0 / 3.0);
        assert!((view.sides[0] - 4.0 / scale).abs() < 1e-5, "{view:?}");
        // The centroids come to lie on each other: (100, 50 1/3) on (2, 1 2/3).
        assert!(
            (view.middle.x - 100.0).abs() < 1e-4
                && (view.middle.y - (50.0 + 1.0 / 3.0 + (1.0 / 3.0) / scale)).abs() < 1e-4
        );
        assert_eq!(view.turn_degrees, 0.0);
        // Not mirrored: eyes that are exchanged turn the face on its head.
        landmarks.swap(0, 1);
        landmarks[3].y = 50.0;
        assert!((WarpView::aligned(&landmarks, &align).unwrap().turn_degrees.abs() - 180.0).abs() < 1e-3);
    }

    #[test]
    fn padding_shows_more_around_the_template() {
        let align = Alignment {
            width: 1.0,
            height: 1.0,
            padding: 0.2,
            left_eye: Some([0.25, 0.25]),
            right_eye: Some([0.75, 0.25]),
            ..Alignment::default()
        };
        let mut landmarks = [Point::default(); 6];
        (landmarks[0], landmarks[1]) = (Point { x: 75.0, y: 60.0 }, Point { x: 125.0, y: 60.0 });
        let view = WarpView::aligned(&landmarks, &align).unwrap();
        // 100 pixels for the template, 20 on each side; the eyes a quarter of the template below its upper edge.
        assert!((view.sides[0] - 140.0).abs() < 1e-3, "{view:?}");
        assert!((view.middle.x - 100.0).abs() < 1e-3 && (view.middle.y - 85.0).abs() < 1e-3, "{view:?}");
    }

    #[test]
    fn landmarks_in_one_point_or_without_numbers_align_nothing() {
        for point in [Point { x: 5.0, y: 5.0 }, Point { x: f32::NAN, y: 5.0 }, Point { x: f32::INFINITY, y: 0.0 }] {
            assert_eq!(WarpView::aligned(&[point; 6], &Alignment::arcface()), None);
        }
    }

    #[test]
    fn aligned_pixels_come_from_their_places() {
        // White discs where the eyes and the mouth are, of a face turned by 30 degrees; a face of 112 units has 90 pixels.
        let align = Alignment::arcface();
        let landmarks = placed(&align, 30.0, 0.8).map(|point| Point { x: point.x + 45.0, ..point });
        let view = WarpView::aligned(&landmarks, &align).unwrap();
        let frame = discs(&[landmarks[0], landmarks[1], landmarks[3]]);
        for how in [(ResizeFilter::Bilinear, Edge::Black), (ResizeFilter::Triangle, Edge::Repeat)] {
            let rgb = filled(&frame, &view, how).unwrap();
            // The template's points, 64 pixels for 112 units.
            for (x, y) in [(22, 29), (42, 29), (32, 53)] {
                assert!(at(&rgb, x, y) > 200, "{how:?}: {x}, {y}: {}", at(&rgb, x, y));
            }
            for (x, y) in [(32, 29), (32, 41), (10, 53)] {
                assert!(at(&rgb, x, y) < 50, "{how:?}: {x}, {y}: {}", at(&rgb, x, y));
            }
        }
    }
}
