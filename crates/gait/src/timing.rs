//! The parts of the analysis one by one, for `facelens bench`.

use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;

use super::GaitError;
use super::body::{Body, BodyCutter, BodyNetwork};
use super::people::PeopleDetector;
use super::sample::{Figure, WalkSample};
use super::silhouette::Silhouette;
use super::stride::StrideCutter;
use super::{measures::Measures, outline};

/// The parts with their buffers. Each is called as often as one likes.
pub struct GaitParts {
    people: PeopleDetector,
    cutter: BodyCutter,
    strides: StrideCutter,
    time_s: f64,
    last: Measures,
}

impl GaitParts {
    /// Prepares the networks.
    pub fn new(network: BodyNetwork) -> Result<Self, GaitError> {
        let (people, cutter) = (PeopleDetector::new()?, BodyCutter::new(network)?);
        Ok(Self { people, cutter, strides: StrideCutter::default(), time_s: 0.0, last: Measures::default() })
    }

    /// A search for people.
    pub fn search(&mut self, frame: &Frame) -> Result<usize, GaitError> {
        Ok(self.people.detect(frame)?.len())
    }

    /// An outline of whoever is in the frame's middle.
    pub fn cut(&mut self, frame: &Frame) -> Result<Option<CutOut>, GaitError> {
        let (width, height) = (frame.width() as f32, frame.height() as f32);
        let window = Rect::new((width - height) / 2.0, 0.0, height, height);
        Ok(self.cutter.cut(frame, &window)?.map(CutOut))
    }

    /// Silhouette, outline and rhythm, once every 30th of a second of the film.
    pub fn stride(&mut self, frame: &Frame, body: &CutOut) {
        self.time_s += 1.0 / 30.0;
        std::hint::black_box(outline::outline(&body.0.mask));
        if let Some(silhouette) = Silhouette::from_mask(&body.0.mask) {
            let sample = WalkSample { time_s: self.time_s, silhouette, figure: Figure::of(&body.0, frame) };
            if let Some(cut) = self.strides.push(sample).pop() {
                self.last = cut.measures;
            }
        }
    }
}

/// A person cut out of a frame.
pub struct CutOut(Body);
