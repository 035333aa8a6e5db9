//! Films of heads whose places are known: the astronaut's head before a wall, moved, scaled and turned; and what an analyser
//! makes of them.

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use crate::analyser::Estimates;
use crate::detect::Detector;
use crate::estimate::{Estimate, EstimateError, EstimateTimings, FaceRegion, Quality};
use crate::frame::{Frame, Sampler};
use crate::geometry::{Point, Rect};
use crate::{Analyser, Faces};

/// Frames a second.
pub const FPS: f32 = 30.0;

/// Where the astronaut's facelens box is in her picture, and how far out from its middle her head reaches, pixels.
const FACE: Rect = Rect::new(173.0, 71.0, 103.0, 103.0);
const HEAD: [f32; 2] = [78.0, 104.0];
/// The soft edge of the head, pixels of her picture.
const EDGE: f32 = 7.0;

/// A head in a frame.
#[derive(Clone, Copy, Debug)]
pub struct FilmHead {
    /// Middle of its facelens box.
    pub middle: Point,
    /// Side of the box, pixels.
    pub side: f32,
    /// How far it is tilted clockwise, degrees.
    pub roll_degrees: f32,
    /// How far it moves while the shutter is open, pixels.
    pub motion: [f32; 2],
    /// The share of the head that a board covers, from the left: 1 is all of it.
    pub covered: f32,
}

impl FilmHead {
    /// An upright head that holds still.
    pub const fn at(x: f32, y: f32, side: f32) -> Self {
        Self { middle: Point { x, y }, side, roll_degrees: 0.0, motion: [0.0; 2], covered: 0.0 }
    }

    /// Its facelens box.
    pub fn rect(&self) -> Rect {
        Rect::square(self.middle, self.side)
    }
}

/// What there is to see at a time, in seconds; later heads stand in front.
pub type FilmScript<'a> = &'a dyn Fn(f32) -> Vec<FilmHead>;

/// Her picture, and made smaller by halves, so that nothing flickers.
struct Levels(Vec<Frame>);

static LEVELS: LazyLock<Levels> = LazyLock::new(|| {
    let mut levels = vec![super::astronaut()];
    while levels.len() < 5 {
        let last = &levels[levels.len() - 1];
        let (width, height) = (last.width() as usize / 2, last.height() as usize / 2);
        let at = |x: usize, y: usize, c: usize| u32::from(last.rgb()[(y * width * 2 + x) * 3 + c]);
        let mut rgb = Vec::with_capacity(width * height * 3);
        for place in 0..width * height {
            let (x, y) = (place % width * 2, place / width * 2);
            rgb.extend(
                (0..3).map(|c| ((at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c) + 2) / 4) as u8),
            );
        }
        levels.push(Frame::from_rgb(width as u32, height as u32, rgb).unwrap());
    }
    Levels(levels)
});

/// A frame of a film: the heads before a wall with a door and shelves, with the noise of a camera.
pub fn draw(width: u32, height: u32, heads: &[FilmHead], number: u32) -> Frame {
    let mut rgb: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(move |x| wall(x, y, width))).collect();
    for head in heads {
        paste(&mut rgb, width, height, head);
    }
    let mut state = number.wrapping_mul(0x9E37_79B9) | 1;
    for byte in &mut rgb {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        // Of -3 to 3.
        *byte = byte.saturating_add(3).saturating_sub((state >> 16) as u8 % 7);
    }
    let time = Duration::from_secs_f64(f64::from(number) / f64::from(FPS));
    Frame::from_rgb(width, height, rgb).unwrap().at(number.into(), time)
}

fn wall(x: u32, y: u32, width: u32) -> [u8; 3] {
    let (right, shelf) = (x * 90 / width, y % 60 < 6);
    let grain = (x * 7 + y * 13) % 9;
    if shelf { [90 + grain as u8, 66, 50] } else { [150 - right as u8 + grain as u8, 140, 120 + right as u8] }
}

fn paste(rgb: &mut [u8], width: u32, height: u32, head: &FilmHead) {
    let scale = FACE.width / head.side;
    let level = (scale.log2().round().clamp(0.0, 4.0)) as usize;
    let source = &LEVELS.0[level];
    let sampler = Sampler::new(source.rgb(), source.width() as usize, source.height() as usize);
    let (sin, cos) = head.roll_degrees.to_radians().sin_cos();
    let reach = HEAD[1] / scale + head.motion[0].abs() + head.motion[1].abs() + 4.0;
    let steps = if head.motion == [0.0; 2] { 1 } else { 7 };
    let range = |middle: f32, end: u32| (middle - reach).max(0.0) as u32..((middle + reach).max(0.0) as u32).min(end);
    for y in range(head.middle.y, height) {
        for x in range(head.middle.x, width) {
            let place = ((y * width + x) * 3) as usize;
            let pixel = &mut rgb[place..place + 3];
            let (mut colour, mut cover) = ([0.0; 3], 0.0);
            for step in 0..steps {
                let along = if steps == 1 { 0.0 } else { step as f32 / (steps - 1) as f32 - 0.5 };
                let dx = x as f32 + 0.5 - head.middle.x - along * head.motion[0];
                let dy = y as f32 + 0.5 - head.middle.y - along * head.motion[1];
                let (u, v) = (scale * (cos * dx + sin * dy), scale * (cos * dy - sin * dx));
                let out = ((u / HEAD[0]).powi(2) + (v / HEAD[1]).powi(2)).sqrt();
                let share = ((1.0 - out) * HEAD[0] / EDGE).clamp(0.0, 1.0);
                if share > 0.0 {
                    let middle = FACE.center();
                    let shrink = (1_u32 << level) as f32;
                    let mut read = [0; 3];
                    sampler.read((middle.x + u) / shrink - 0.5, (middle.y + v) / shrink - 0.5, &mut read);
                    cover += share;
                    for (sum, byte) in colour.iter_mut().zip(read) {
                        *sum += share * f32::from(byte);
                    }
                }
            }
            let share = cover / steps as f32;
            for (byte, sum) in pixel.iter_mut().zip(colour) {
                *byte = (f32::from(*byte) * (1.0 - share) + sum / steps as f32 + 0.5) as u8;
            }
            // The board stands before the head, upright.
            let from_left = (x as f32 - head.middle.x) / (HEAD[0] / scale) * 0.5 + 0.5;
            if head.covered > 0.0 && from_left < head.covered * 1.1 {
                pixel.copy_from_slice(&[70, 90 + (y % 5) as u8, 75]);
            }
        }
    }
}

/// Estimates nothing, and notes how far the heads are tilted that it is shown.
struct Tilts(Arc<Mutex<Vec<f32>>>);

impl Estimates for Tilts {
    fn estimate(&mut self, _: &Frame, face: FaceRegion) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.0.lock().unwrap().push(face.roll_degrees);
        let quality = Quality { side_px: face.rect.width, sharpness: 0.2 };
        Ok((Estimate { quality, ..Estimate::default() }, EstimateTimings::default()))
    }

    fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.estimate(frame, FaceRegion::default())
    }
}

/// How well the heads of a film are followed.
#[derive(Clone, Debug, Default)]
pub struct FilmFigures {
    /// Heads in all frames together, without those that are covered by more than a half.
    pub heads: usize,
    /// Those of them that have a face within half a side.
    pub found: usize,
    /// Identities that were given, and how often a head has another one than before.
    pub ids: u64,
    /// Changes of identity.
    pub changes: usize,
    /// Faces where no head is, or a covered one.
    pub ghosts: usize,
    /// The longest time that such a face stays, seconds.
    pub longest_ghost_s: f32,
    /// Standard deviation of the box's middle around the truth, in sides, of the worse axis.
    pub place_sd: f32,
    /// Of the middle from one frame to the next, in sides: trembling.
    pub tremble_sd: f32,
    /// Of the natural logarithm of the side.
    pub size_sd: f32,
    /// Of the tilt in a frame, degrees; of films with one head.
    pub tilt_sd: f32,
}

/// Shows a film of so many seconds to an analyser with this detector.
pub fn watch(
    script: FilmScript<'_>,
    seconds: f32,
    (width, height): (u32, u32),
    detector: Box<dyn Detector>,
) -> FilmFigures {
    let tilts = Arc::new(Mutex::new(Vec::new()));
    let mut analyser = Analyser::with(Faces::Detect(detector), Box::new(Tilts(Arc::clone(&tilts))), None);
    let mut figures = FilmFigures::default();
    let mut last: Vec<(u64, [f32; 2])> = Vec::new();
    let (mut places, mut sizes, mut steps, mut turns) = ([Vec::new(), Vec::new()], Vec::new(), Vec::new(), Vec::new());
    let mut ids: Vec<u64> = Vec::new();
    let mut ghost = 0_usize;
    for number in 0..(seconds * FPS) as u32 {
        let heads = script(number as f32 / FPS);
        let frame = draw(width, height, &heads, number);
        tilts.lock().unwrap().clear();
        let faces = analyser.analyse(Arc::new(frame)).unwrap().faces;
        let mut taken = vec![false; faces.len()];
        ids.resize(heads.len().max(ids.len()), 0);
        let mut now = Vec::new();
        for (index, head) in heads.iter().enumerate() {
            let near = |rect: &Rect| {
                let middle = rect.center();
                (middle.x - head.middle.x).hypot(middle.y - head.middle.y) < 0.5 * head.side
            };
            let face = faces.iter().enumerate().find(|(place, face)| !taken[*place] && near(&face.rect));
            if let Some((place, _)) = face {
                taken[place] = true;
            }
            if head.covered > 0.9 && face.is_some() {
                figures.ghosts += 1;
                ghost += 1;
                continue;
            }
            if head.covered > 0.5 {
                continue;
            }
            figures.heads += 1;
            let Some((_, face)) = face else { continue };
            figures.found += 1;
            figures.changes += usize::from(ids[index] != 0 && ids[index] != face.id);
            ids[index] = face.id;
            let middle = face.rect.center();
            let off = [(middle.x - head.middle.x) / head.side, (middle.y - head.middle.y) / head.side];
            if let Some((_, before)) = last.iter().find(|(id, _)| *id == face.id) {
                steps.push(off[0] - before[0]);
                steps.push(off[1] - before[1]);
            }
            now.push((face.id, off));
            places[0].push(off[0]);
            places[1].push(off[1]);
            sizes.push((face.rect.width / head.side).ln());
            if heads.len() == 1 && faces.len() == 1 {
                turns.extend(tilts.lock().unwrap().first().map(|tilt| tilt - head.roll_degrees));
            }
        }
        let others = taken.iter().filter(|taken| !**taken).count();
        figures.ghosts += others;
        let hidden = heads.iter().any(|head| head.covered > 0.9);
        ghost = if others > 0 {
            ghost + 1
        } else if hidden {
            ghost
        } else {
            0
        };
        figures.longest_ghost_s = figures.longest_ghost_s.max(ghost as f32 / FPS);
        last = now;
    }
    figures.ids = analyser.identities();
    figures.place_sd = deviation(&places[0]).max(deviation(&places[1]));
    (figures.size_sd, figures.tremble_sd, figures.tilt_sd) = (deviation(&sizes), deviation(&steps), deviation(&turns));
    figures
}

fn deviation(numbers: &[f32]) -> f32 {
    let count = numbers.len().max(1) as f32;
    let mean = numbers.iter().sum::<f32>() / count;
    (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / count).sqrt()
}

/// A film's name, its length in seconds, and its heads at a time in seconds.
pub type Film = (&'static str, f32, Box<dyn Fn(f32) -> Vec<FilmHead>>);

/// The films that following is judged by: name, seconds, script. Frames are [`SIZE`].
pub fn films() -> Vec<Film> {
    let tau = std::f32::consts::TAU;
    let wave = move |time_s: f32, period_s: f32| (tau * time_s / period_s).sin();
    // Back and forth at an even speed, from -1 to 1.
    let swing = |time_s: f32, period_s: f32| {
        let share = (time_s / period_s).rem_euclid(1.0);
        if share < 0.5 { 4.0 * share - 1.0 } else { 3.0 - 4.0 * share }
    };
    let one = |head: FilmHead| vec![head];
    vec![
        ("still", 2.0, Box::new(move |_| one(FilmHead::at(160.0, 120.0, 70.0)))),
        ("far and still", 2.0, Box::new(move |_| one(FilmHead::at(200.0, 100.0, 30.0)))),
        (
            "walks",
            3.0,
            Box::new(move |t| one(FilmHead::at(160.0 + 70.0 * wave(t, 2.0), 120.0 + 10.0 * wave(t, 0.7), 60.0))),
        ),
        ("turns back quickly", 3.0, Box::new(move |t| one(FilmHead::at(160.0 + 60.0 * swing(t, 0.8), 120.0, 60.0)))),
        (
            "comes nearer and goes",
            3.0,
            Box::new(move |t| one(FilmHead::at(160.0, 120.0, 70.0 * (0.55 * wave(t, 1.5)).exp()))),
        ),
        (
            "tilts",
            3.0,
            Box::new(move |t| one(FilmHead { roll_degrees: 40.0 * wave(t, 1.5), ..FilmHead::at(160.0, 120.0, 70.0) })),
        ),
        (
            "blurred by motion",
            3.0,
            Box::new(move |t| {
                let head = FilmHead::at(160.0 + 60.0 * swing(t, 0.8), 120.0, 60.0);
                one(FilmHead { motion: [10.0, 0.0], ..head })
            }),
        ),
        (
            "is hidden for 0.4 s",
            3.0,
            Box::new(move |t| {
                let covered = if (1.0..1.4).contains(&t) { 1.0 } else { 0.0 };
                one(FilmHead { covered, ..FilmHead::at(160.0 + 12.0 * t, 120.0, 70.0) })
            }),
        ),
        (
            "is half covered slowly",
            3.0,
            Box::new(move |t| {
                let covered = 0.4 * (1.0 - (tau * t / 3.0).cos()) / 2.0;
                one(FilmHead { covered, ..FilmHead::at(160.0, 120.0, 70.0) })
            }),
        ),
        (
            "is gone suddenly",
            2.5,
            Box::new(move |t| if t < 1.0 { one(FilmHead::at(160.0 + 40.0 * t, 120.0, 70.0)) } else { Vec::new() }),
        ),
        ("walks out of the frame", 2.5, Box::new(move |t| one(FilmHead::at(160.0 + 120.0 * t, 120.0, 60.0)))),
        (
            "two cross",
            3.0,
            Box::new(move |t| {
                vec![FilmHead::at(60.0 + 65.0 * t, 115.0, 55.0), FilmHead::at(260.0 - 65.0 * t, 125.0, 55.0)]
            }),
        ),
    ]
}

/// Size of the frames of [`films`].
pub const SIZE: (u32, u32) = (320, 240);
