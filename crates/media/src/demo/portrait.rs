//! The portrait of the demo: the astronaut, cut out round, turned in the picture's plane and scaled; her head turns in it.

use facelens_core::geometry::Point;

use super::turn::TurnGrid;
use super::{FACE_CENTER, HEIGHT, WIDTH, blend, coverage};

/// Radius of the round cut-out of the astronaut picture around [`FACE_CENTER`], pixels.
pub(super) const CUT_RADIUS: f32 = 128.0;
/// Width of the rim around the cut-out with its shadow, in pixels of the frame.
pub(super) const RIM: f32 = 14.0;
/// Width of the light ring around the cut-out, pixels.
const RING: f32 = 3.0;
const RING_COLOR: [f32; 3] = [232.0, 238.0, 246.0];

/// Where the portrait is, and how the head in it is turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PortraitPlace {
    /// Middle of the cut-out, in pixels of the frame.
    pub center: Point,
    /// Pixels of the frame per pixel of the astronaut picture.
    pub scale: f32,
    /// How far the picture is turned clockwise, degrees.
    pub turn_degrees: f32,
    /// How far the head is turned aside and up in the picture, degrees, with the signs of a pose.
    pub yaw_degrees: f32,
    pub pitch_degrees: f32,
}

/// The astronaut picture.
pub(super) struct Portrait(image::RgbImage);

/// What a pixel of the frame is in the astronaut picture: the turn and the scale in it.
struct PortraitView {
    step_x: f32,
    step_y: f32,
    turn: TurnGrid,
}

impl Portrait {
    /// Decodes a picture of 512x512 pixels.
    ///
    /// # Errors
    /// Where it cannot be decoded.
    pub(super) fn new(png: &[u8]) -> image::ImageResult<Self> {
        Ok(Self(image::load_from_memory_with_format(png, image::ImageFormat::Png)?.into_rgb8()))
    }

    /// Draws the portrait over a frame.
    pub(super) fn draw(&self, rgb: &mut [u8], place: &PortraitPlace) {
        let center = place.center;
        let radius = CUT_RADIUS * place.scale;
        let (sin, cos) = place.turn_degrees.to_radians().sin_cos();
        let turn = TurnGrid::new(place.yaw_degrees, place.pitch_degrees);
        let view = PortraitView { step_x: cos / place.scale, step_y: -sin / place.scale, turn };
        let reach = radius + RIM;
        let first = (center.y - reach).floor().max(0.0) as usize;
        let last = ((center.y + reach).ceil() as usize).min(HEIGHT as usize - 1);
        for y in first..=last {
            let dy = y as f32 + 0.5 - center.y;
            let half = (reach * reach - dy * dy).max(0.0).sqrt();
            let left = (center.x - half).floor().max(0.0) as usize;
            let right = ((center.x + half).ceil() as usize).min(WIDTH as usize - 1);
            let row = &mut rgb[y * WIDTH as usize * 3..][..WIDTH as usize * 3];
            for (x, pixel) in (left..=right).zip(row[left * 3..].as_chunks_mut::<3>().0) {
                let dx = x as f32 + 0.5 - center.x;
                let square = dx * dx + dy * dy;
                if square < (radius - 1.0) * (radius - 1.0) {
                    *pixel = self.sample(dx, dy, &view);
                } else {
                    let distance = square.sqrt();
                    let under = shaded(*pixel, distance - radius);
                    let ringed = blend(under, RING_COLOR, coverage(distance - radius - RING));
                    let face = self.sample(dx, dy, &view).map(f32::from);
                    *pixel = blend(ringed, face, coverage(distance - radius)).map(|value| (value + 0.5) as u8);
                }
            }
        }
    }

    /// The astronaut picture, bilinear, at an offset from the face's middle in pixels of the frame.
    fn sample(&self, dx: f32, dy: f32, view: &PortraitView) -> [u8; 3] {
        let PortraitView { step_x, step_y, turn } = view;
        let (x, y) = turn.source(dx * step_x - dy * step_y, dx * step_y + dy * step_x);
        let (x, y) = (FACE_CENTER.x + x - 0.5, FACE_CENTER.y + y - 0.5);
        let (width, height) = (self.0.width() as usize, self.0.height() as usize);
        let x = x.clamp(0.0, (width - 2) as f32);
        let y = y.clamp(0.0, (height - 2) as f32);
        // 8 bits of fraction: exact enough for 8-bit pixels, and quicker than floats.
        let (fixed_x, fixed_y) = ((x * 256.0) as usize, (y * 256.0) as usize);
        let (fx, fy) = ((fixed_x & 255) as u32, (fixed_y & 255) as u32);
        let at = ((fixed_y >> 8) * width + (fixed_x >> 8)) * 3;
        let (upper, lower) = (&self.0.as_raw()[at..at + 6], &self.0.as_raw()[at + width * 3..][..6]);
        std::array::from_fn(|channel| {
            let mix = |row: &[u8]| u32::from(row[channel]) * (256 - fx) + u32::from(row[channel + 3]) * fx;
            ((mix(upper) * (256 - fy) + mix(lower) * fy + (1 << 15)) >> 16) as u8
        })
    }
}

/// The background under the soft shadow that the cut-out throws `distance` pixels beyond its edge.
fn shaded(pixel: [u8; 3], distance: f32) -> [f32; 3] {
    let fade = (1.0 - distance / RIM).clamp(0.0, 1.0);
    pixel.map(|value| f32::from(value) * (1.0 - 0.6 * fade * fade))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::ASTRONAUT;

    /// The picture is warped back by its place and compared with the original: place, size and sense of rotation hold.
    #[test]
    fn the_picture_is_where_its_place_says() {
        let portrait = Portrait::new(ASTRONAUT).unwrap();
        for (x, y, scale, turn_degrees) in
            [(180.0, 240.0, 0.8, 0.0), (240.0, 200.0, 1.2, 24.0), (200.5, 250.3, 1.0, -18.0)]
        {
            let center = Point { x, y };
            let place = PortraitPlace { center, scale, turn_degrees, yaw_degrees: 0.0, pitch_degrees: 0.0 };
            let mut rgb = vec![0; (WIDTH * HEIGHT * 3) as usize];
            portrait.draw(&mut rgb, &place);
            let (sin, cos) = turn_degrees.to_radians().sin_cos();
            let (mut difference, mut count) = (0.0, 0);
            for v in (-45..=45).step_by(3) {
                for u in (-45..=45).step_by(3) {
                    // Clockwise on screen with y down: (x, y) -> (x cos - y sin, x sin + y cos).
                    let (u, v) = (u as f32, v as f32);
                    let x = center.x + scale * (u * cos - v * sin);
                    let y = center.y + scale * (u * sin + v * cos);
                    let at = |x: f32, y: f32, width: u32| (y as usize * width as usize + x as usize) * 3;
                    let drawn = f32::from(rgb[at(x, y, WIDTH)]);
                    let original = f32::from(portrait.0.as_raw()[at(FACE_CENTER.x + u, FACE_CENTER.y + v, 512)]);
                    difference += (drawn - original).abs();
                    count += 1;
                }
            }
            let mean = difference / count as f32;
            assert!(mean < 8.0, "{place:?}: {mean}");
        }
    }
}
