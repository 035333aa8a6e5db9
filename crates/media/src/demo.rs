//! The demo: the astronaut's face travels, turns in the plane and changes size along a script that is known exactly.
//!
//! What the chain finds can be held against [`truth`] at the frame's time.

mod script;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod turning;
mod walkers;

use std::time::{Duration, Instant};

pub use script::{FACE_CENTER, FACE_SIDE, FPS, FRAMES, HEAD_ROLL, HEIGHT, ROUND_SECS, Truth, WIDTH, truth};
pub use walkers::Walkers;

use facelens_core::frame::{self, Frame};

use self::script::{CUT_RADIUS, RIM};
use super::pace::{MAX_SLEEP, PaceClock};
use super::{Mode, Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

/// The astronaut Eileen Collins, 512x512 (NASA, public domain).
pub const ASTRONAUT: &[u8] = include_bytes!("../../../assets/astronaut.png");

/// Width of the light ring around the cut-out, pixels.
const RING: f32 = 3.0;
const RING_COLOR: [f32; 3] = [232.0, 238.0, 246.0];

/// The demo as a source: 640x480 at 30 frames a second. [`Mode::Batch`] gives one round of 1,800 frames as fast as they
/// are asked for; [`Mode::Live`] goes round for ever at its own pace.
pub struct Demo {
    info: SourceInfo,
    mode: Mode,
    clock: PaceClock,
    sequence: u64,
    astronaut: image::RgbImage,
    background: Vec<u8>,
}

impl Demo {
    /// The demo from its beginning.
    ///
    /// # Errors
    /// Where the built-in picture cannot be decoded, which a test rules out.
    pub fn new(mode: Mode) -> Result<Self, SourceError> {
        let astronaut = image::load_from_memory_with_format(ASTRONAUT, image::ImageFormat::Png)
            .map_err(|error| SourceError::new(SourceErrorKind::Other, "demo", error.to_string(), ""))?
            .into_rgb8();
        let info = SourceInfo {
            name: "demo".to_owned(),
            kind: SourceKind::Video,
            size: Some((WIDTH, HEIGHT)),
            fps: Some(FPS as f32),
            frame_count: (mode == Mode::Batch).then_some(FRAMES),
            duration: None,
            format: format!("drawn {WIDTH}x{HEIGHT} at {FPS} fps"),
        };
        Ok(Self { info, mode, clock: PaceClock::default(), sequence: 0, astronaut, background: background() })
    }

    /// Leaves out the next frames without drawing them, so that tests see the whole script in little time.
    #[cfg(any(test, feature = "testing"))]
    pub fn skip(&mut self, frames: u64) {
        self.sequence += frames;
    }

    /// The frame's pixels at `time`: the astronaut picture, cut out round, turned and scaled as [`truth`] says.
    fn draw(&self, time: Duration) -> Vec<u8> {
        let mut rgb = frame::buffer(self.background.len());
        rgb.copy_from_slice(&self.background);
        let truth = truth(time);
        let center = truth.face.center();
        let radius = CUT_RADIUS * truth.scale;
        let (sin, cos) = truth.turn.to_radians().sin_cos();
        let (step_x, step_y) = (cos / truth.scale, -sin / truth.scale);
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
                    *pixel = self.sample(dx, dy, step_x, step_y);
                } else {
                    let distance = square.sqrt();
                    let under = shaded(*pixel, distance - radius);
                    let ringed = blend(under, RING_COLOR, coverage(distance - radius - RING));
                    let face = self.sample(dx, dy, step_x, step_y).map(f32::from);
                    *pixel = blend(ringed, face, coverage(distance - radius)).map(|value| (value + 0.5) as u8);
                }
            }
        }
        rgb
    }

    /// The astronaut picture, bilinear, at an offset from the face's middle in pixels of the frame.
    fn sample(&self, dx: f32, dy: f32, step_x: f32, step_y: f32) -> [u8; 3] {
        let x = FACE_CENTER.x + dx * step_x - dy * step_y - 0.5;
        let y = FACE_CENTER.y + dx * step_y + dy * step_x - 0.5;
        let (width, height) = (self.astronaut.width() as usize, self.astronaut.height() as usize);
        let x = x.clamp(0.0, (width - 2) as f32);
        let y = y.clamp(0.0, (height - 2) as f32);
        // 8 bits of fraction: exact enough for 8-bit pixels, and quicker than floats.
        let (fixed_x, fixed_y) = ((x * 256.0) as usize, (y * 256.0) as usize);
        let (fx, fy) = ((fixed_x & 255) as u32, (fixed_y & 255) as u32);
        let at = ((fixed_y >> 8) * width + (fixed_x >> 8)) * 3;
        let (upper, lower) = (&self.astronaut.as_raw()[at..at + 6], &self.astronaut.as_raw()[at + width * 3..][..6]);
        std::array::from_fn(|channel| {
            let mix = |row: &[u8]| u32::from(row[channel]) * (256 - fx) + u32::from(row[channel + 3]) * fx;
            ((mix(upper) * (256 - fy) + mix(lower) * fy + (1 << 15)) >> 16) as u8
        })
    }
}

impl Source for Demo {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        if self.mode == Mode::Batch && self.sequence >= FRAMES {
            return Ok(Next::End);
        }
        let time = Duration::from_nanos(self.sequence * 1_000_000_000 / u64::from(FPS));
        if self.mode == Mode::Live {
            let wait = self.clock.wait_for(time, Instant::now());
            std::thread::sleep(wait.min(MAX_SLEEP));
            if wait > MAX_SLEEP {
                return Ok(Next::Waiting);
            }
        }
        let frame = Frame::from_rgb(WIDTH, HEIGHT, self.draw(time))
            .map_err(|error| SourceError::new(SourceErrorKind::Other, "demo", error.to_string(), ""))?
            .at(self.sequence, time);
        self.sequence += 1;
        Ok(Next::Frame(frame))
    }
}

/// How much of a pixel lies inside an edge that is `distance` pixels away (below zero: inside).
fn coverage(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}

fn blend(under: [f32; 3], over: [f32; 3], alpha: f32) -> [f32; 3] {
    std::array::from_fn(|channel| under[channel] + (over[channel] - under[channel]) * alpha)
}

/// The background under the soft shadow that the cut-out throws `distance` pixels beyond its edge.
fn shaded(pixel: [u8; 3], distance: f32) -> [f32; 3] {
    let fade = (1.0 - distance / RIM).clamp(0.0, 1.0);
    pixel.map(|value| f32::from(value) * (1.0 - 0.6 * fade * fade))
}

/// A calm night sky: a gradient from deep blue to a pale horizon, and a few small stars.
fn background() -> Vec<u8> {
    let (width, height) = (WIDTH as usize, HEIGHT as usize);
    let (top, bottom) = ([16.0, 22.0, 40.0], [58.0, 78.0, 112.0]);
    let mut rgb = vec![0; width * height * 3];
    for (index, pixel) in rgb.as_chunks_mut::<3>().0.iter_mut().enumerate() {
        let (x, y) = (index % width, index / width);
        let depth = (y as f32 + 0.5) / height as f32;
        // Half a level of ordered noise hides the bands of the gradient.
        let noise = ((x * 7 + y * 13) % 16) as f32 / 16.0;
        *pixel = blend(top, bottom, depth * depth).map(|value| (value + noise) as u8);
    }
    let mut seed = 20_u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    for _ in 0..140 {
        let (x, y, light) = (random(width), random(height * 3 / 4), 24 + random(120));
        for channel in &mut rgb[(y * width + x) * 3..][..3] {
            *channel = channel.saturating_add(light as u8);
        }
    }
    rgb
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame_at(demo: &Demo, secs: f32) -> Frame {
        Frame::from_rgb(WIDTH, HEIGHT, demo.draw(Duration::from_secs_f32(secs))).unwrap()
    }

    #[test]
    fn a_batch_is_one_round_and_then_ends() {
        let mut demo = Demo::new(Mode::Batch).unwrap();
        assert_eq!(demo.info().frame_count, Some(1800));
        demo.sequence = FRAMES - 1;
        let Next::Frame(last) = demo.next().unwrap() else { panic!("no last frame") };
        assert_eq!((last.sequence, last.time.as_millis()), (1799, 59_966));
        assert!(matches!(demo.next(), Ok(Next::End)) && matches!(demo.next(), Ok(Next::End)));
    }

    #[test]
    fn frames_are_the_same_every_time() {
        let (mut a, mut b) = (Demo::new(Mode::Batch).unwrap(), Demo::new(Mode::Live).unwrap());
        let (Next::Frame(a), Next::Frame(b)) = (a.next().unwrap(), b.next().unwrap()) else { panic!("no frame") };
        assert_eq!(a.rgb(), b.rgb());
    }

    /// The picture is warped back by the truth and compared with the original: box, size and sense of rotation hold.
    #[test]
    fn the_face_is_where_the_truth_says() {
        let demo = Demo::new(Mode::Batch).unwrap();
        for secs in [0.0, 3.0, 7.5, 21.0, 33.3, 51.0] {
            let (frame, truth) = (frame_at(&demo, secs), truth(Duration::from_secs_f32(secs)));
            let (sin, cos) = truth.turn.to_radians().sin_cos();
            let (center, mut difference, mut count) = (truth.face.center(), 0.0, 0);
            for v in (-45..=45).step_by(3) {
                for u in (-45..=45).step_by(3) {
                    // Clockwise on screen with y down: (x, y) -> (x cos - y sin, x sin + y cos).
                    let (u, v) = (u as f32, v as f32);
                    let x = center.x + truth.scale * (u * cos - v * sin);
                    let y = center.y + truth.scale * (u * sin + v * cos);
                    let at = |x: f32, y: f32, width: u32| (y as usize * width as usize + x as usize) * 3;
                    let drawn = f32::from(frame.rgb()[at(x, y, WIDTH)]);
                    let (x, y) = (FACE_CENTER.x + u, FACE_CENTER.y + v);
                    let original = f32::from(demo.astronaut.as_raw()[at(x, y, 512)]);
                    difference += (drawn - original).abs();
                    count += 1;
                }
            }
            let mean = difference / count as f32;
            assert!(mean < 8.0, "at {secs} s: {mean}");
        }
    }

    #[test]
    fn the_live_demo_keeps_its_pace_and_goes_on() {
        let mut demo = Demo::new(Mode::Live).unwrap();
        demo.sequence = FRAMES - 1;
        let mut times = Vec::new();
        for _ in 0..4 {
            if let Next::Frame(frame) = demo.next().unwrap() {
                times.push((frame.sequence, frame.captured_at));
            }
        }
        assert_eq!(times.iter().map(|(sequence, _)| *sequence).collect::<Vec<_>>(), [1799, 1800, 1801, 1802]);
        // Three intervals of 33 ms; slower is the machine's, faster would be a fault.
        assert!(times[3].1 - times[0].1 > Duration::from_millis(80));
    }
}
