//! The demo: two heads that turn in every way along a script that is known exactly. The astronaut's portrait travels and
//! changes its size; beside it stands a man who is drawn.
//!
//! What the chain finds can be held against [`truth`] at the frame's time.

mod drawn;
mod drawn_face;
mod portrait;
mod script;
mod turn;
#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod turning;
mod walkers;

use std::time::{Duration, Instant};

pub use script::{FACE_CENTER, FACE_SIDE, FPS, FRAMES, HEAD_ROLL, HEIGHT, ROUND_SECS, Truth, WIDTH, truth};
pub use walkers::Walkers;

use facelens_core::frame::{self, Frame};

use self::drawn::DrawnMan;
use self::portrait::Portrait;
use super::pace::{MAX_SLEEP, PaceClock};
use super::{Mode, Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

/// The astronaut Eileen Collins, 512x512 (NASA, public domain).
pub const ASTRONAUT: &[u8] = include_bytes!("../../../assets/astronaut.png");

/// The demo as a source: 640x480 at 30 frames a second. [`Mode::Batch`] gives one round of 1,800 frames as fast as they
/// are asked for; [`Mode::Live`] goes round for ever at its own pace.
pub struct Demo {
    info: SourceInfo,
    mode: Mode,
    clock: PaceClock,
    sequence: u64,
    portrait: Portrait,
    man: DrawnMan,
    background: Vec<u8>,
}

impl Demo {
    /// The demo from its beginning.
    ///
    /// # Errors
    /// Where the built-in picture cannot be decoded, which a test rules out.
    pub fn new(mode: Mode) -> Result<Self, SourceError> {
        let portrait = Portrait::new(ASTRONAUT)
            .map_err(|error| SourceError::new(SourceErrorKind::Other, "demo", error.to_string(), ""))?;
        let info = SourceInfo {
            name: "demo".to_owned(),
            kind: SourceKind::Video,
            size: Some((WIDTH, HEIGHT)),
            fps: Some(FPS as f32),
            frame_count: (mode == Mode::Batch).then_some(FRAMES),
            duration: None,
            format: format!("drawn {WIDTH}x{HEIGHT} at {FPS} fps"),
        };
        Ok(Self {
            info,
            mode,
            clock: PaceClock::default(),
            sequence: 0,
            portrait,
            man: DrawnMan::new(),
            background: background(),
        })
    }

    /// Leaves out the next frames without drawing them, so that tests see the whole script in little time.
    #[cfg(any(test, feature = "testing"))]
    pub fn skip(&mut self, frames: u64) {
        self.sequence += frames;
    }

    /// The frame's pixels at `time`: the two heads as [`truth`] says.
    fn draw(&self, time: Duration) -> Vec<u8> {
        let mut rgb = frame::buffer(self.background.len());
        rgb.copy_from_slice(&self.background);
        self.man.draw(&mut rgb, &script::drawn(time));
        self.portrait.draw(&mut rgb, &script::portrait(time));
        rgb
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

/// The first column whose middle is at `x` or right of it; the width where there is none.
fn column(x: f32) -> usize {
    (x - 0.5).ceil().clamp(0.0, WIDTH as f32) as usize
}

/// A colour as a pixel: what is above 255 or below 0 becomes that.
fn rounded(color: [f32; 3]) -> [u8; 3] {
    color.map(|value| (value + 0.5) as u8)
}

fn blend(under: [f32; 3], over: [f32; 3], alpha: f32) -> [f32; 3] {
    std::array::from_fn(|channel| under[channel] + (over[channel] - under[channel]) * alpha)
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
