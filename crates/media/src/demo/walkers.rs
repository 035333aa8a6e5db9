//! Several heads that wander over a frame of any size, for what has to be measured with a known number of faces.

use std::f32::consts::TAU;
use std::time::Duration;

use facelens_core::frame::{self, Frame, FrameError};
use facelens_core::geometry::{Point, Rect};
use image::RgbImage;
use image::imageops::{self, FilterType};

use super::{ASTRONAUT, FACE_CENTER, FACE_SIDE};

/// The head in the astronaut picture, pixels: left, top and side of the square.
const CUT: (u32, u32, u32) = (146, 45, 160);
/// How far a head goes from the middle of its place, in sides of the square that is pasted.
const REACH: f32 = 0.2;

/// The astronaut (NASA, public domain) several times, every second one mirrored, each wandering about a place of its own.
/// The same at every run: what is where follows from the time alone.
pub struct Walkers {
    size: (u32, u32),
    background: Vec<u8>,
    heads: Vec<WalkerHead>,
}

/// One head and the middle of its place.
struct WalkerHead {
    picture: RgbImage,
    mirrored: bool,
    middle: Point,
    reach: (f32, f32),
    phase: f32,
}

impl Walkers {
    /// `faces` heads on a frame of `width` x `height` pixels, in up to four columns. One face is about three
    /// eighths of the frame's height.
    ///
    /// # Errors
    /// Where the frame has no size, is larger than a [`Frame`] may be, or is too small for so many faces.
    pub fn new(width: u32, height: u32, faces: u32) -> Result<Self, FrameError> {
        Frame::check_size(width, height)?;
        let columns = faces.clamp(1, 4);
        let rows = faces.div_ceil(columns).max(1);
        let (place_width, place_height) = (width as f32 / columns as f32, height as f32 / rows as f32);
        let side = (place_width * 0.85).min(place_height * 0.6).round();
        if side < 8.0 {
            return Err(FrameError::Empty { width: place_width as u32, height: place_height as u32 });
        }
        // The built-in picture can be decoded: a test rules the other case out.
        let astronaut = image::load_from_memory(ASTRONAUT).map(|picture| picture.into_rgb8()).unwrap_or_default();
        let cut = imageops::crop_imm(&astronaut, CUT.0, CUT.1, CUT.2, CUT.2).to_image();
        let cut = imageops::resize(&cut, side as u32, side as u32, FilterType::Triangle);
        let reach = |place: f32| (REACH * side).min((place - side) / 2.0).max(0.0);
        let heads = (0..faces).map(|number| {
            let mirrored = number % 2 == 1;
            let (column, row) = ((number % columns) as f32 + 0.5, (number / columns) as f32 + 0.5);
            WalkerHead {
                picture: if mirrored { imageops::flip_horizontal(&cut) } else { cut.clone() },
                mirrored,
                middle: Point { x: column * place_width, y: row * place_height },
                reach: (reach(place_width), reach(place_height)),
                phase: 0.37 * number as f32,
            }
        });
        Ok(Self { size: (width, height), heads: heads.collect(), background: background(width, height) })
    }

    /// How many faces there are.
    pub fn count(&self) -> usize {
        self.heads.len()
    }

    /// Where the faces truly are at `time`: squares from hairline to chin, pixels.
    pub fn truth(&self, time: Duration) -> Vec<Rect> {
        let face = |head: &WalkerHead| {
            let (left, top) = head.corner(time);
            let scale = head.picture.width() as f32 / CUT.2 as f32;
            let x = scale * (FACE_CENTER.x - CUT.0 as f32);
            let x = if head.mirrored { head.picture.width() as f32 - x } else { x };
            let center = Point { x: left as f32 + x, y: top as f32 + scale * (FACE_CENTER.y - CUT.1 as f32) };
            Rect::square(center, FACE_SIDE * scale)
        };
        self.heads.iter().map(face).collect()
    }

    /// The frame at `time`.
    ///
    /// # Errors
    /// None that [`Walkers::new`] does not rule out.
    pub fn draw(&self, sequence: u64, time: Duration) -> Result<Frame, FrameError> {
        let (width, height) = self.size;
        let mut buffer = frame::buffer(self.background.len());
        buffer.copy_from_slice(&self.background);
        for head in &self.heads {
            let (left, top) = head.corner(time);
            let row_bytes = head.picture.width() as usize * 3;
            let first = (top as usize * width as usize + left as usize) * 3;
            let rows = buffer[first..].chunks_mut(width as usize * 3).zip(head.picture.as_raw().chunks(row_bytes));
            rows.for_each(|(row, pixels)| row[..row_bytes].copy_from_slice(pixels));
        }
        Ok(Frame::from_rgb(width, height, buffer)?.at(sequence, time))
    }
}

impl WalkerHead {
    /// The upper left pixel of the pasted square at `time`: a round in about six seconds.
    fn corner(&self, time: Duration) -> (u32, u32) {
        let swing = |seconds: f64| ((time.as_secs_f64() / seconds).fract() as f32 * TAU + self.phase).sin();
        let half = self.picture.width() as f32 / 2.0;
        let along = |middle: f32, reach: f32, swing: f32| (middle - half + reach * swing).max(0.0) as u32;
        (along(self.middle.x, self.reach.0, swing(6.1)), along(self.middle.y, self.reach.1, swing(8.3)))
    }
}

/// A soft gradient with broad stripes, which no detector takes for a face.
fn background(width: u32, height: u32) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let stripe = 12 * u32::from(x * 16 / width % 2 == 1);
        [(60 + 80 * x / width + stripe) as u8, (70 + 60 * y / height + stripe) as u8, (110 - stripe) as u8]
    };
    (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect()
}

#[cfg(test)]
mod tests {
    use facelens_core::detect::{DetectorKind, create};

    use super::*;

    #[test]
    fn the_faces_are_where_the_truth_says() {
        let mut detector = create(DetectorKind::BlazeBack).unwrap();
        for (size, faces) in [((640, 480), 1), ((640, 480), 8), ((1280, 720), 4), ((1920, 1080), 2)] {
            let walkers = Walkers::new(size.0, size.1, faces).unwrap();
            for time in [0, 1700].map(Duration::from_millis) {
                let frame = walkers.draw(0, time).unwrap();
                let found = detector.detect(&frame).unwrap();
                let truth = walkers.truth(time);
                assert_eq!(found.len(), truth.len(), "{size:?} with {faces}");
                for face in truth {
                    assert!(found.iter().any(|found| found.rect.iou(&face) > 0.6), "{size:?}: {face:?}");
                }
            }
        }
    }

    #[test]
    fn frames_move_with_the_time_and_stay_the_same_for_the_same_time() {
        let walkers = Walkers::new(320, 240, 2).unwrap();
        let at = |millis| walkers.draw(0, Duration::from_millis(millis)).unwrap();
        assert_eq!(at(500).rgb(), at(500).rgb());
        assert_ne!(at(500).rgb(), at(600).rgb());
        // Over the buffer of another moment's frame.
        drop(at(500));
        let reused = at(600);
        assert_eq!(reused.rgb(), at(600).rgb());
    }

    #[test]
    fn any_number_of_faces_fits_or_is_refused() {
        for faces in 0..=40 {
            let walkers = Walkers::new(640, 480, faces).unwrap();
            assert_eq!(walkers.truth(Duration::from_secs(3)).len(), faces as usize);
            walkers.draw(0, Duration::from_secs(3)).unwrap();
        }
        assert!(Walkers::new(20, 20, 8).is_err());
        assert!(Walkers::new(0, 20, 1).is_err());
    }
}
