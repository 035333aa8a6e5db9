//! Paints what egui gives, triangles with textures, in software: no graphics driver, the same pixels on every machine but
//! for the last digit of a sum.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use eframe::egui::epaint::{Primitive, Vertex};
use eframe::egui::{ColorImage, ImageData, Pos2, Rect, TextureId, TexturesDelta, pos2};
use egui_kittest::{Harness, TestRenderer};
use image::{Rgb, RgbImage};

/// The textures that a window has now: its letters and its pictures.
#[derive(Clone, Default)]
pub(super) struct Textures(Rc<RefCell<HashMap<TextureId, ColorImage>>>);

impl TestRenderer for Textures {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        let mut textures = self.0.borrow_mut();
        for (id, changes) in delta.set.drain() {
            for change in changes {
                let ImageData::Color(part) = change.image;
                if let (Some([left, top]), Some(texture)) = (change.pos, textures.get_mut(&id)) {
                    let (width, stride) = (part.size[0], texture.size[0]);
                    for (row, pixels) in part.pixels.chunks_exact(width).enumerate() {
                        let start = (top + row) * stride + left;
                        texture.pixels[start..start + width].copy_from_slice(pixels);
                    }
                } else {
                    textures.insert(id, (*part).clone());
                }
            }
        }
        for id in delta.free.drain() {
            textures.remove(&id);
        }
    }
}

/// Paints the last frame of a window, a pixel for each point.
pub(super) fn paint<State>(window: &Harness<'_, State>, textures: &Textures) -> RgbImage {
    let output = window.output();
    assert_eq!(output.pixels_per_point, 1.0);
    let size = window.ctx.content_rect().size();
    let mut canvas = Canvas::new(size.x as usize, size.y as usize);
    // What the window is cleared with.
    let [red, green, blue, _] = window.ctx.global_style().visuals.panel_fill.to_array().map(f32::from);
    canvas.pixels.fill([red, green, blue]);
    let textures = textures.0.borrow();
    for painted in window.ctx.tessellate(output.shapes.clone(), output.pixels_per_point) {
        let Primitive::Mesh(mesh) = painted.primitive else { panic!("something paints by itself") };
        let texture = &textures[&mesh.texture_id];
        for corners in mesh.indices.chunks_exact(3) {
            canvas.triangle([0, 1, 2].map(|i| mesh.vertices[corners[i] as usize]), texture, painted.clip_rect);
        }
    }
    canvas.image()
}

/// Pixels with red, green and blue up to 255.
struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<[f32; 3]>,
}

impl Canvas {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, pixels: vec![[0.0; 3]; width * height] }
    }

    /// Blends a triangle with premultiplied colours over what is there, as egui's own painters do.
    fn triangle(&mut self, [a, mut b, mut c]: [Vertex; 3], texture: &ColorImage, clip: Rect) {
        let mut area = side(a.pos, b.pos, c.pos);
        if area < 0.0 {
            (b, c, area) = (c, b, -area);
        }
        let corners = [a, b, c];
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(self.width as f32, self.height as f32));
        let clip = Rect::from_min_max(clip.min.round(), clip.max.round()).intersect(whole);
        let place = Rect::from_points(&corners.map(|corner| corner.pos)).intersect(clip);
        if area == 0.0 || !place.is_positive() {
            return;
        }
        let sides = [(b.pos, c.pos), (c.pos, a.pos), (a.pos, b.pos)];
        let weights = |x: usize, y: usize| {
            let at = pos2(x as f32 + 0.5, y as f32 + 0.5);
            sides.map(|(from, to)| side(from, to, at))
        };
        // A pixel on the line between two triangles belongs to the one below it or right of it.
        let owns = sides.map(|(from, to)| to.y < from.y || (to.y == from.y && to.x > from.x));
        let is_inside = |x: usize, y: usize| {
            weights(x, y).iter().zip(owns).all(|(weight, owns)| *weight > 0.0 || (*weight == 0.0 && owns))
        };
        let columns = place.left().floor() as usize..place.right().ceil() as usize;
        for y in place.top().floor() as usize..place.bottom().ceil() as usize {
            // What is inside of a row has no gap; where it begins and ends is known to a pixel.
            let mut near = columns.clone();
            for (from, to) in sides {
                let (rise, at_left) = (from.y - to.y, side(from, to, pos2(0.5, y as f32 + 0.5)));
                if rise > 0.0 {
                    near.start = near.start.max((-at_left / rise - 1.0).max(0.0) as usize);
                } else if rise < 0.0 {
                    near.end = near.end.min((-at_left / rise + 2.0).max(0.0) as usize);
                }
            }
            let Some(first) = near.clone().find(|x| is_inside(*x, y)) else { continue };
            let last = near.rfind(|x| is_inside(*x, y)).unwrap_or(first);
            let pixels = &mut self.pixels[y * self.width + first..=y * self.width + last];
            if corners.iter().all(|corner| (corner.uv, corner.color) == (a.uv, a.color)) {
                let color = colored(a.color.to_array().map(f32::from), texel(texture, a.uv.x, a.uv.y));
                pixels.iter_mut().for_each(|pixel| blend(pixel, color));
                continue;
            }
            for (x, pixel) in (first..).zip(pixels) {
                let weights = weights(x, y).map(|weight| weight / area);
                let (mut color, mut uv) = ([0.0; 4], [0.0; 2]);
                for (corner, weight) in corners.iter().zip(weights) {
                    for (sum, channel) in color.iter_mut().zip(corner.color.to_array()) {
                        *sum += weight * f32::from(channel);
                    }
                    uv = [uv[0] + weight * corner.uv.x, uv[1] + weight * corner.uv.y];
                }
                blend(pixel, colored(color, texel(texture, uv[0], uv[1])));
            }
        }
    }

    fn image(&self) -> RgbImage {
        RgbImage::from_fn(self.width as u32, self.height as u32, |x, y| {
            Rgb(self.pixels[y as usize * self.width + x as usize].map(|channel| channel.round() as u8))
        })
    }
}

/// Twice the area of the triangle that `at` forms with a line; positive where it lies to the right of it.
fn side(from: Pos2, to: Pos2, at: Pos2) -> f32 {
    (to.x - from.x) * (at.y - from.y) - (to.y - from.y) * (at.x - from.x)
}

/// The colour of a vertex where the texture is so.
fn colored(color: [f32; 4], texel: [u8; 4]) -> [f32; 4] {
    [0, 1, 2, 3].map(|channel| color[channel] * f32::from(texel[channel]) / 255.0)
}

fn blend(pixel: &mut [f32; 3], [red, green, blue, alpha]: [f32; 4]) {
    let left = 1.0 - alpha / 255.0;
    *pixel = [red + pixel[0] * left, green + pixel[1] * left, blue + pixel[2] * left];
}

/// The texture's pixel at these parts of its width and height.
fn texel(texture: &ColorImage, u: f32, v: f32) -> [u8; 4] {
    let [width, height] = texture.size;
    let place = |part: f32, size: usize| ((part * size as f32).max(0.0) as usize).min(size - 1);
    texture.pixels[place(v, height) * width + place(u, width)].to_array()
}

#[test]
fn two_triangles_cover_a_square_once() {
    use eframe::egui::{Color32, vec2};
    let white = ColorImage::filled([1, 1], Color32::WHITE);
    let mut canvas = Canvas::new(6, 6);
    let corner = |x: f32, y: f32| Vertex {
        pos: pos2(x, y),
        uv: pos2(0.0, 0.0),
        color: Color32::from_rgba_premultiplied(100, 0, 0, 128),
    };
    let [a, b, c, d] = [corner(1.0, 1.0), corner(5.0, 1.0), corner(5.0, 5.0), corner(1.0, 5.0)];
    let clip = Rect::from_min_size(Pos2::ZERO, vec2(6.0, 4.0));
    canvas.triangle([a, b, c], &white, clip);
    // The other way round.
    canvas.triangle([a, d, c], &white, clip);
    let red = canvas.image();
    for (x, y, pixel) in red.enumerate_pixels() {
        let inside = (1..5).contains(&x) && (1..4).contains(&y);
        assert_eq!(pixel.0, [if inside { 100 } else { 0 }, 0, 0], "{x}, {y}");
    }
    canvas.triangle([a, b, c], &white, clip);
    assert_eq!(canvas.image().get_pixel(4, 2).0, [150, 0, 0], "half of what is under it shines through");
}
