//! The portrait of the demo: the astronaut, cut out round, turned in the picture's plane and scaled; her head turns in it.

use facelens_core::geometry::Point;

use super::turn::TurnGrid;
use super::{FACE_CENTER, HEIGHT, WIDTH, blend, column, coverage, rounded};

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
pub(super) struct Portrait {
    /// Red in the lowest byte, then green and blue.
    pixels: Vec<u32>,
    width: usize,
    height: usize,
}

/// What a pixel of the frame is in the astronaut picture: the turn and the scale in it.
struct PortraitView {
    step_x: f32,
    step_y: f32,
    turn: TurnGrid,
}

/// Where a pixel comes from is asked for this many pixels apart, and taken as even in between: the grid of the turn is
/// not finer.
const SPAN: usize = 8;
/// Parts of a pixel in which places in the picture are counted.
const UNIT: f32 = 65536.0;

impl Portrait {
    /// Decodes a picture of 512x512 pixels.
    ///
    /// # Errors
    /// Where it cannot be decoded.
    pub(super) fn new(png: &[u8]) -> image::ImageResult<Self> {
        let picture = image::load_from_memory_with_format(png, image::ImageFormat::Png)?.into_rgb8();
        let pixels =
            picture.pixels().map(|&image::Rgb([red, green, blue])| u32::from_le_bytes([red, green, blue, 0])).collect();
        Ok(Self { pixels, width: picture.width() as usize, height: picture.height() as usize })
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
            let row = &mut rgb.as_chunks_mut::<3>().0[y * WIDTH as usize..][..WIDTH as usize];
            let columns = |reach: f32| {
                let half = (reach * reach - dy * dy).max(0.0).sqrt();
                column(center.x - half)..column(center.x + half)
            };
            let (inner, outer) = (columns(radius - 1.0), columns(reach));
            for x in (outer.start..inner.start).chain(inner.end..outer.end) {
                let dx = x as f32 + 0.5 - center.x;
                let distance = (dx * dx + dy * dy).sqrt();
                let under = shaded(row[x], distance - radius);
                let mut mixed = blend(under, RING_COLOR, coverage(distance - radius - RING));
                let share = coverage(distance - radius);
                if share > 0.0 {
                    mixed = blend(mixed, self.sample(self.place(&view, dx, dy)).map(f32::from), share);
                }
                row[x] = rounded(mixed);
            }
            let start = inner.start as f32 + 0.5 - center.x;
            self.draw_inner(&mut row[inner], start, dy, &view);
        }
    }

    /// A row of pixels that the picture covers whole; the first one is (`dx`, `dy`) from the face's middle.
    fn draw_inner(&self, row: &mut [[u8; 3]], mut dx: f32, dy: f32, view: &PortraitView) {
        let mut here = self.place(view, dx, dy);
        for span in row.chunks_mut(SPAN) {
            dx += SPAN as f32;
            let next = self.place(view, dx, dy);
            let step = ((next.0 - here.0) / SPAN as i32, (next.1 - here.1) / SPAN as i32);
            for pixel in span {
                *pixel = self.sample(here);
                here = (here.0 + step.0, here.1 + step.1);
            }
            here = next;
        }
    }

    /// Where in the astronaut picture the pixel comes from that is so far from the face's middle, pixels of the frame.
    /// In parts of a pixel, 1 / [`UNIT`], and never at the last column or row.
    fn place(&self, view: &PortraitView, dx: f32, dy: f32) -> (i32, i32) {
        let PortraitView { step_x, step_y, turn } = view;
        let (x, y) = turn.source(dx * step_x - dy * step_y, dx * step_y + dy * step_x);
        let fixed = |at: f32, count: usize| (at.clamp(0.0, (count - 2) as f32) * UNIT) as i32;
        (fixed(FACE_CENTER.x + x - 0.5, self.width), fixed(FACE_CENTER.y + y - 0.5, self.height))
    }

    /// The astronaut picture, bilinear, at such a place.
    fn sample(&self, (x, y): (i32, i32)) -> [u8; 3] {
        let at = (y >> 16) as usize * self.width + (x >> 16) as usize;
        let (upper, lower) = (&self.pixels[at..at + 2], &self.pixels[at + self.width..at + self.width + 2]);
        // The shares of the four pixels, of 256: exact enough for 8 bits.
        let (right, down) = (((x >> 8) & 255) as u32, ((y >> 8) & 255) as u32);
        let both = (right * down) >> 8;
        let shares = [256 + both - right - down, right - both, down - both, both];
        let corners = [upper[0], upper[1], lower[0], lower[1]];
        // Two channels in one number, 16 bits each.
        let mix = |shift: u32| {
            let channels = |pixel: u32| (pixel >> shift) & 0x00ff_00ff;
            let sum: u32 = corners.iter().zip(shares).map(|(&pixel, share)| channels(pixel) * share).sum();
            (sum + 0x0080_0080) >> 8
        };
        let (red_blue, green) = (mix(0), mix(8));
        [red_blue as u8, green as u8, (red_blue >> 16) as u8]
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
        let picture = image::load_from_memory(ASTRONAUT).unwrap().into_rgb8();
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
                    let original = f32::from(picture.as_raw()[at(FACE_CENTER.x + u, FACE_CENTER.y + v, 512)]);
                    difference += (drawn - original).abs();
                    count += 1;
                }
            }
            let mean = difference / count as f32;
            assert!(mean < 8.0, "{place:?}: {mean}");
        }
    }
}
