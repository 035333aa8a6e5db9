//! The astronaut's head in space: her face on a rounded surface, which can be turned in every way. Turned aside by 40 degrees
//! it is taken for a head that looks aside by 31 (`facelens-face`).

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use facelens_core::geometry::{Point, Rotation};
use image::RgbImage;

use super::{ASTRONAUT, HEIGHT, WIDTH, background};

/// Middle of the head in the astronaut picture, pixels.
const MIDDLE: Point = Point { x: 226.0, y: 122.0 };
/// Half axes of the head there: across, down, and into the picture, pixels. The face is as far before the axis about which a
/// head turns as it is on a neck.
const HEAD: [f64; 3] = [60.0, 84.0, 110.0];
/// Middle of the nose from that of the head (right, down, away), and its half axes, pixels.
const NOSE: ([f64; 3], [f64; 3]) = ([0.0, 12.0, -104.0], [11.0, 20.0, 24.0]);

/// Draws the head.
pub struct TurningHead {
    astronaut: RgbImage,
    background: Vec<u8>,
}

impl TurningHead {
    /// The head, in front of nothing.
    #[expect(clippy::new_without_default, reason = "for tests alone")]
    pub fn new() -> Self {
        let astronaut = image::load_from_memory(ASTRONAUT).unwrap().into_rgb8();
        Self { astronaut, background: background() }
    }

    /// A picture of 640x480 pixels with the head around `center`, `scale` times as large as in the astronaut picture, and
    /// turned by `rotation` from how it is held there. Orthographic.
    pub fn draw(&self, rotation: Rotation, center: Point, scale: f64) -> Vec<u8> {
        let mut rgb = self.background.clone();
        let back = rotation.inverse().matrix();
        let into_head = |point: [f64; 3]| back.map(|row| row[0] * point[0] + row[1] * point[1] + row[2] * point[2]);
        let sight = into_head([0.0, 0.0, 1.0]);
        for (place, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
            let (column, row) = (place % WIDTH as usize, place / WIDTH as usize);
            let (x, y) = (column as f64 + 0.5 - f64::from(center.x), row as f64 + 0.5 - f64::from(center.y));
            let from = into_head([x / scale, y / scale, 0.0]);
            let hits = [hit(from, sight, [0.0; 3], HEAD), hit(from, sight, NOSE.0, NOSE.1)];
            let Some(depth) = hits.into_iter().flatten().min_by(f64::total_cmp) else { continue };
            let [x, y, _]: [f64; 3] = std::array::from_fn(|axis| from[axis] + depth * sight[axis]);
            *pixel = self.colour(f64::from(MIDDLE.x) + x, f64::from(MIDDLE.y) + y);
        }
        debug_assert_eq!(rgb.len(), (WIDTH * HEIGHT * 3) as usize);
        rgb
    }

    /// The astronaut picture at a point, bilinear.
    fn colour(&self, x: f64, y: f64) -> [u8; 3] {
        let (x, y) = (x - 0.5, y - 0.5);
        let (column, row) = (x.floor(), y.floor());
        let at = |dx: u32, dy: u32| self.astronaut.get_pixel(column as u32 + dx, row as u32 + dy).0.map(f64::from);
        let (right, down) = (x - column, y - row);
        let [a, b, c, d] = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
        std::array::from_fn(|channel| {
            let upper = a[channel] + (b[channel] - a[channel]) * right;
            let lower = c[channel] + (d[channel] - c[channel]) * right;
            (upper + (lower - upper) * down + 0.5) as u8
        })
    }
}

/// How far along the line of sight an ellipsoid begins; `None` beside it.
fn hit(from: [f64; 3], sight: [f64; 3], middle: [f64; 3], half: [f64; 3]) -> Option<f64> {
    // On a sphere of radius 1.
    let start: [f64; 3] = std::array::from_fn(|axis| (from[axis] - middle[axis]) / half[axis]);
    let along: [f64; 3] = std::array::from_fn(|axis| sight[axis] / half[axis]);
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let (square, half_linear, rest) = (dot(along, along), dot(start, along), dot(start, start) - 1.0);
    let discriminant = half_linear * half_linear - square * rest;
    (discriminant > 0.0).then(|| (-half_linear - discriminant.sqrt()) / square)
}
