//! Drawn backgrounds, and heads pasted on them.

use anyhow::{Context, Result};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use image::imageops::FilterType;
use image::{Rgb, RgbImage};

/// A picture with one face.
pub struct Portrait {
    /// The picture.
    pub picture: RgbImage,
    /// The facelens box of the face in it, pixels.
    pub face: Rect,
}

impl Portrait {
    /// The astronaut Eileen Collins (NASA, public domain).
    pub fn astronaut() -> Result<Self> {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/astronaut.png");
        let picture = image::open(file).with_context(|| format!("reading {file}"))?.to_rgb8();
        Ok(Self { picture, face: Rect::new(173.0, 71.0, 103.0, 103.0) })
    }
}

/// How many backgrounds there are.
pub const BACKGROUNDS: u32 = 3;

/// A picture without a face: a soft gradient, a wall of bright and dark discs, or furniture-like rectangles.
pub fn background(number: u32, (width, height): (u32, u32)) -> RgbImage {
    let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ u64::from(number));
    let mut picture = RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x as f32 / width as f32, y as f32 / height as f32);
        Rgb([(90.0 + 80.0 * x) as u8, (100.0 + 60.0 * y) as u8, (150.0 - 60.0 * x * y) as u8])
    });
    for _ in 0..[0, 60, 40][number as usize % 3] {
        let (x, y) = (random.unit() * width as f32, random.unit() * height as f32);
        let (half_width, half_height) = (8.0 + 70.0 * random.unit(), 8.0 + 70.0 * random.unit());
        let color = Rgb([0, 1, 2].map(|_| (30.0 + 200.0 * random.unit()) as u8));
        let (left, right) = ((x - half_width).max(0.0) as u32, (x + half_width).min(width as f32) as u32);
        let (top, bottom) = ((y - half_height).max(0.0) as u32, (y + half_height).min(height as f32) as u32);
        for row in top..bottom {
            for column in left..right {
                let (dx, dy) = ((column as f32 - x) / half_width, (row as f32 - y) / half_height);
                if number % 3 == 2 || dx * dx + dy * dy < 1.0 {
                    picture.put_pixel(column, row, color);
                }
            }
        }
    }
    for value in picture.iter_mut() {
        *value = value.saturating_add((random.unit() * 6.0) as u8);
    }
    picture
}

/// The background with a portrait's head, its face `side` pixels large and turned clockwise by `turn` degrees, and the
/// true box. `seed` chooses the place.
pub fn paste(background: &RgbImage, portrait: &Portrait, side: f32, turn: f32, seed: u32) -> Result<(Frame, Rect)> {
    let scale = side / portrait.face.width;
    let (width, height) = portrait.picture.dimensions();
    let small = image::imageops::resize(
        &portrait.picture,
        ((width as f32 * scale).round() as u32).max(2),
        ((height as f32 * scale).round() as u32).max(2),
        FilterType::Triangle,
    );
    let scale = small.width() as f32 / width as f32;
    let head = Point { x: portrait.face.center().x * scale, y: portrait.face.center().y * scale };
    let radius = 1.15 * side;
    let mut random = Random(0x2545_F491_4F6C_DD1D ^ (u64::from(seed) << 20));
    let place = |length: u32, unit: f32| {
        let free = (length as f32 - 2.0 * radius).max(0.0);
        length as f32 / 2.0 + (unit - 0.5) * free
    };
    let center = Point { x: place(background.width(), random.unit()), y: place(background.height(), random.unit()) };
    let mut picture = background.clone();
    let (sin, cos) = turn.to_radians().sin_cos();
    for (column, row, pixel) in picture.enumerate_pixels_mut() {
        let (dx, dy) = (column as f32 + 0.5 - center.x, row as f32 + 0.5 - center.y);
        let opacity = ((radius - dx.hypot(dy)) / (0.1 * side)).clamp(0.0, 1.0);
        if opacity > 0.0 {
            let (x, y) = (head.x + dx * cos + dy * sin - 0.5, head.y - dx * sin + dy * cos - 0.5);
            let color = sample(&small, x, y);
            for (value, new) in pixel.0.iter_mut().zip(color) {
                *value = (f32::from(*value) * (1.0 - opacity) + new * opacity).round() as u8;
            }
        }
    }
    let frame = Frame::from_rgb(picture.width(), picture.height(), picture.into_raw())?;
    Ok((frame, Rect::square(center, side)))
}

/// Bilinear; beyond the edge the last pixel goes on.
fn sample(picture: &RgbImage, x: f32, y: f32) -> [f32; 3] {
    let inside = |value: f32, size: u32| value.clamp(0.0, size as f32 - 1.0);
    let (x, y) = (inside(x, picture.width()), inside(y, picture.height()));
    let (left, top) = (x as u32, y as u32);
    let (right, bottom) = ((left + 1).min(picture.width() - 1), (top + 1).min(picture.height() - 1));
    let (fx, fy) = (x.fract(), y.fract());
    let at = |column: u32, row: u32, channel: usize| f32::from(picture.get_pixel(column, row).0[channel]);
    [0, 1, 2].map(|channel| {
        let upper = at(left, top, channel) * (1.0 - fx) + at(right, top, channel) * fx;
        let lower = at(left, bottom, channel) * (1.0 - fx) + at(right, bottom, channel) * fx;
        upper * (1.0 - fy) + lower * fy
    })
}

/// Marsaglia's xorshift64*: the same pictures on every machine.
struct Random(u64);

impl Random {
    /// 0 to 1.
    fn unit(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1u64 << 24) as f32
    }
}
