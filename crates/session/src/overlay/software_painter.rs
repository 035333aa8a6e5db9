//! Paints a [`Scene`] onto RGB8 pixels. Only the pixels under a shape are touched, so that a video is annotated at its
//! own rate.

use ab_glyph::{Font as _, Glyph, point};
use facelens_core::geometry::{Point, Rect};
use tiny_skia::{FillRule, LineCap, LineJoin, Mask, Path, PathBuilder, Stroke, Transform};

use super::scene::{Color, Scene, Shape};
use super::text;

/// Control points of a cubic curve for a quarter of a circle, as a part of its radius.
const QUARTER_CIRCLE: f32 = 0.552_285;

/// Paints the scene onto tightly packed RGB8 rows of `width` x `height` pixels, scaled where the scene was made for
/// another size. Rows that the buffer does not hold are left out.
pub fn paint_on_picture(scene: &Scene, rgb: &mut [u8], width: u32, height: u32) {
    if !(scene.width > 0.0 && scene.height > 0.0) || width == 0 {
        return;
    }
    let rows = rgb.len() / (width as usize * 3);
    let height = height.min(u32::try_from(rows).unwrap_or(u32::MAX));
    let mut canvas = PixelCanvas { rgb, width, height, mask: Vec::new() };
    let (across, down) = (width as f32 / scene.width, height as f32 / scene.height);
    let at = |point: Point| Point { x: point.x * across, y: point.y * down };
    for shape in &scene.shapes {
        match shape {
            Shape::Line { from, to, width, color } => canvas.line(&[at(*from), at(*to)], width * across, *color),
            Shape::Polyline { points, width, color } => {
                let points: Vec<_> = points.iter().map(|&point| at(point)).collect();
                canvas.line(&points, width * across, *color);
            }
            Shape::Rect { rect, radius, fill, stroke } => {
                let rect = Rect::new(rect.x * across, rect.y * down, rect.width * across, rect.height * down);
                let path = round_rect(rect, radius * across);
                if let (Some(path), Some(color)) = (&path, fill) {
                    canvas.fill(path, *color);
                }
                if let (Some(path), Some((width, color))) = (&path, stroke) {
                    canvas.stroke(path, width * across, *color);
                }
            }
            Shape::Text { at: place, text, size, color } => canvas.text(at(*place), text, size * across, *color),
        }
    }
}

struct PixelCanvas<'a> {
    rgb: &'a mut [u8],
    width: u32,
    height: u32,
    /// The coverage of a shape, kept so that shapes share its memory.
    mask: Vec<u8>,
}

impl PixelCanvas<'_> {
    fn line(&mut self, points: &[Point], width: f32, color: Color) {
        let mut builder = PathBuilder::new();
        for (index, point) in points.iter().enumerate() {
            match index {
                0 => builder.move_to(point.x, point.y),
                _ => builder.line_to(point.x, point.y),
            }
        }
        let dot = match points {
            [from, rest @ ..] if rest.iter().all(|to| (to.x - from.x).hypot(to.y - from.y) < 0.01) => Some(*from),
            _ => None,
        };
        if let Some(dot) = dot {
            if let Some(path) = PathBuilder::from_circle(dot.x, dot.y, width / 2.0) {
                self.fill(&path, color);
            }
        } else if let Some(path) = builder.finish() {
            self.stroke(&path, width, color);
        }
    }

    fn stroke(&mut self, path: &Path, width: f32, color: Color) {
        // Opaque lines have round ends; translucent ones are blunt, as egui paints them.
        let line_cap = if color.a == 255 { LineCap::Round } else { LineCap::Butt };
        let stroke = Stroke { width, line_cap, line_join: LineJoin::Round, ..Stroke::default() };
        if let Some(outline) = path.stroke(&stroke, 1.0) {
            self.fill(&outline, color);
        }
    }

    /// Fills a path through a mask that is just as large as the visible part of the path.
    fn fill(&mut self, path: &Path, color: Color) {
        let bounds = path.bounds();
        let Some((left, right)) = pixels(bounds.left(), bounds.right(), self.width) else {
            return;
        };
        let Some((top, bottom)) = pixels(bounds.top(), bounds.bottom(), self.height) else {
            return;
        };
        let (width, height) = (right - left, bottom - top);
        let mut data = std::mem::take(&mut self.mask);
        data.clear();
        data.resize(width as usize * height as usize, 0);
        let Some(mut mask) = tiny_skia::IntSize::from_wh(width, height).and_then(|size| Mask::from_vec(data, size))
        else {
            return;
        };
        let transform = Transform::from_translate(-(left as f32), -(top as f32));
        mask.fill_path(path, FillRule::Winding, true, transform);
        for (row, coverage) in mask.data().chunks_exact(width as usize).enumerate() {
            let start = ((top as usize + row) * self.width as usize + left as usize) * 3;
            let Some(pixels) = self.rgb.get_mut(start..start + coverage.len() * 3) else {
                break;
            };
            for (pixel, &coverage) in pixels.chunks_exact_mut(3).zip(coverage) {
                blend(pixel, color, coverage);
            }
        }
        self.mask = mask.take();
    }

    fn text(&mut self, at: Point, text: &str, size: f32, color: Color) {
        let Some((font, scale)) = text::font().and_then(|font| Some((font, font.pt_to_px_scale(size * 0.75)?))) else {
            return;
        };
        let mut glyphs = Vec::with_capacity(text.len());
        let Some(line) = text::layout(text, size, |id, x, _| glyphs.push((id, x))) else {
            return;
        };
        // Whole rows for the baseline, so that the strokes of a line of text are equally sharp.
        let baseline = (at.y + line.ascent).round();
        for (id, x) in glyphs {
            let glyph = Glyph { id, scale, position: point(at.x + x, baseline) };
            let Some(outline) = font.outline_glyph(glyph) else {
                continue;
            };
            let bounds = outline.px_bounds();
            let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
            outline.draw(|x, y, coverage| {
                let (x, y) = (left.saturating_add(x.into()), top.saturating_add(y.into()));
                if (0..i64::from(self.width)).contains(&x) && (0..i64::from(self.height)).contains(&y) {
                    let start = (y as usize * self.width as usize + x as usize) * 3;
                    if let Some(pixel) = self.rgb.get_mut(start..start + 3) {
                        blend(pixel, color, (coverage.clamp(0.0, 1.0) * 255.0).round() as u8);
                    }
                }
            });
        }
    }
}

/// The pixels that a shape from `low` to `high` touches, or `None` where there are none within `length`.
fn pixels(low: f32, high: f32, length: u32) -> Option<(u32, u32)> {
    let (first, end) = ((low - 1.0).floor().max(0.0), (high + 1.0).ceil().min(length as f32));
    (first < end).then_some((first as u32, end as u32))
}

fn blend(pixel: &mut [u8], color: Color, coverage: u8) {
    let alpha = u32::from(coverage) * u32::from(color.a);
    if alpha == 0 {
        return;
    }
    for (below, above) in pixel.iter_mut().zip([color.r, color.g, color.b]) {
        let sum = u32::from(above) * alpha + u32::from(*below) * (255 * 255 - alpha);
        *below = ((sum + 255 * 255 / 2) / (255 * 255)) as u8;
    }
}

fn round_rect(rect: Rect, radius: f32) -> Option<Path> {
    let radius = radius.clamp(0.0, (rect.width.min(rect.height) / 2.0).max(0.0));
    let handle = radius * (1.0 - QUARTER_CIRCLE);
    let (left, top, right, bottom) = (rect.x, rect.y, rect.right(), rect.bottom());
    let mut path = PathBuilder::new();
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(right - handle, top, right, top + handle, right, top + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(right, bottom - handle, right - handle, bottom, right - radius, bottom);
    path.line_to(left + radius, bottom);
    path.cubic_to(left + handle, bottom, left, bottom - handle, left, bottom - radius);
    path.line_to(left, top + radius);
    path.cubic_to(left, top + handle, left + handle, top, left + radius, top);
    path.close();
    path.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Color = Color::opaque(255, 0, 0);

    fn painted(shapes: Vec<Shape>, width: u32, height: u32) -> impl Fn(u32, u32) -> [u8; 3] {
        let mut rgb = vec![255; width as usize * height as usize * 3];
        let scene = Scene { width: width as f32, height: height as f32, shapes };
        paint_on_picture(&scene, &mut rgb, width, height);
        move |x, y| {
            let start = (y * width + x) as usize * 3;
            [rgb[start], rgb[start + 1], rgb[start + 2]]
        }
    }

    fn line(from: (f32, f32), to: (f32, f32)) -> Shape {
        let at = |(x, y)| Point { x, y };
        Shape::Line { from: at(from), to: at(to), width: 4.0, color: RED }
    }

    #[test]
    fn a_line_has_its_colour_and_its_width() {
        let pixel = painted(vec![line((10.0, 20.0), (50.0, 20.0))], 60, 40);
        assert_eq!(pixel(30, 19), [255, 0, 0]);
        assert_eq!(pixel(30, 20), [255, 0, 0]);
        assert_eq!(pixel(30, 24), [255, 255, 255]);
        assert_eq!(pixel(5, 20), [255, 255, 255]);
        assert_eq!(pixel(51, 20)[0], 255, "a round end");
        assert!(pixel(51, 20)[1] < 255, "a round end");
    }

    #[test]
    fn a_line_without_length_is_a_dot() {
        let pixel = painted(vec![line((10.0, 10.0), (10.0, 10.0))], 20, 20);
        assert_eq!(pixel(10, 10), [255, 0, 0]);
        assert_eq!(pixel(14, 10), [255, 255, 255]);
    }

    #[test]
    fn a_translucent_plate_lets_the_picture_through() {
        let rect = Rect::new(2.0, 2.0, 16.0, 16.0);
        let fill = Some(Color { r: 0, g: 0, b: 0, a: 128 });
        let pixel = painted(vec![Shape::Rect { rect, radius: 4.0, fill, stroke: None }], 20, 20);
        assert_eq!(pixel(10, 10), [127, 127, 127]);
        assert_eq!(pixel(2, 2), [255, 255, 255], "a round corner");
    }

    #[test]
    fn light_text_on_a_plate_is_light_within_its_box_and_nowhere_else() {
        let at = Point { x: 10.0, y: 10.0 };
        let text = Shape::Text { at, text: "age 25–43".to_owned(), size: 15.0, color: Color::opaque(255, 255, 255) };
        let fill = Some(Color::opaque(0, 0, 0));
        let plate = Shape::Rect { rect: Rect::new(0.0, 0.0, 120.0, 40.0), radius: 0.0, fill, stroke: None };
        let pixel = painted(vec![plate, text], 120, 40);
        let size = text::TextSize::of("age 25–43", 15.0);
        let (mut brightest, mut outside) = (0, 0);
        for (x, y) in (0..120).flat_map(|x| (0..40).map(move |y| (x, y))) {
            let inside =
                (9.0..=11.0 + size.width).contains(&(x as f32)) && (9.0..=11.0 + size.height).contains(&(y as f32));
            let light = pixel(x, y)[0];
            if inside { brightest = brightest.max(light) } else { outside = outside.max(light) }
        }
        assert!(brightest > 200, "{brightest}");
        assert_eq!(outside, 0);
    }

    #[test]
    fn shapes_beyond_the_picture_are_cut_off() {
        let far = Rect::new(-1e6, -1e6, 2e6, 2e6);
        let shapes = vec![
            line((-50.0, 10.0), (500.0, 10.0)),
            line((-50.0, -50.0), (-10.0, -10.0)),
            Shape::Rect { rect: far, radius: 10.0, fill: None, stroke: Some((2.0, RED)) },
            Shape::Text { at: Point { x: 15.0, y: -5.0 }, text: "cut".to_owned(), size: 20.0, color: RED },
        ];
        let pixel = painted(shapes, 20, 20);
        assert_eq!(pixel(0, 10), [255, 0, 0]);
        assert_eq!(pixel(19, 10), [255, 0, 0]);
        assert_eq!(pixel(3, 3), [255, 255, 255]);
    }

    #[test]
    fn a_scene_of_another_size_is_scaled_and_missing_rows_are_left_out() {
        let scene = Scene { width: 10.0, height: 10.0, shapes: vec![line((5.0, 0.0), (5.0, 10.0))] };
        let mut rgb = vec![255; 40 * 40 * 3];
        paint_on_picture(&scene, &mut rgb, 40, 40);
        let at = |x: usize, y: usize| rgb[(y * 40 + x) * 3 + 1];
        assert_eq!((at(13, 20), at(20, 20), at(26, 20), at(30, 20)), (0, 0, 0, 255));
        let mut short = vec![255; 40 * 3];
        paint_on_picture(&scene, &mut short, 40, 40);
        assert_eq!(short[20 * 3 + 1], 0);
        paint_on_picture(&scene, &mut [], 40, 40);
        paint_on_picture(&scene, &mut [1, 2, 3], 0, 0);
    }
}
