//! Detect -> track -> crop -> estimate -> smooth, for one frame, on the calling thread.

mod change_detector;
mod face_search;
#[cfg(test)]
mod following_tests;
mod whole_search;
mod worker_pool;

use std::sync::Arc;
use std::time::Instant;

use super::{Analysis, StageTimings};
use crate::analyser::face_search::FaceSearch;
use crate::analyser::worker_pool::{Another, WorkerPool};
use crate::detect::{DetectError, Detection, Detector};
use crate::estimate::{Estimate, EstimateError, EstimateTimings, Estimator, FaceRegion};
use crate::frame::Frame;
use crate::geometry::Rect;
use crate::model::{ModelSet, Task, TaskModel};
use crate::track::{IdentityNumbers, Tracker};

/// A frame could not be analysed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AnalyseError {
    /// The detector failed.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A network failed.
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}

/// Where the faces of a frame come from.
pub enum Faces {
    /// A detector finds them.
    Detect(Box<dyn Detector>),
    /// The whole picture is one ready face crop (`--crops`).
    WholePicture,
}

/// What the analyser asks of the networks: the [`Estimator`], or a script in tests.
pub trait Estimates: Send {
    /// Estimates the face at a place in a frame.
    ///
    /// # Errors
    /// Where a network fails.
    fn estimate(&mut self, frame: &Frame, face: FaceRegion) -> Result<(Estimate, EstimateTimings), EstimateError>;

    /// Estimates the face that the whole frame is a crop of.
    ///
    /// # Errors
    /// Where a network fails.
    fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError>;

    /// As those, of a face that nothing is known of yet (`None`: of the whole frame). It may take longer and be more exact.
    ///
    /// # Errors
    /// Where a network fails.
    fn first_look(
        &mut self,
        frame: &Frame,
        face: Option<FaceRegion>,
    ) -> Result<(Estimate, EstimateTimings), EstimateError> {
        match face {
            Some(face) => self.estimate(frame, face),
            None => self.estimate_crop(frame),
        }
    }

    /// The same networks with buffers of their own, for another thread; `None` where there is only one.
    fn another(&self) -> Option<Box<dyn Estimates>> {
        None
    }
}

impl Another for Box<dyn Estimates> {
    fn another(&self) -> Option<Self> {
        self.as_ref().another()
    }
}

impl Estimates for Estimator {
    fn estimate(&mut self, frame: &Frame, face: FaceRegion) -> Result<(Estimate, EstimateTimings), EstimateError> {
        Self::estimate(self, frame, face)
    }

    fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        Self::estimate_crop(self, frame)
    }

    fn first_look(
        &mut self,
        frame: &Frame,
        face: Option<FaceRegion>,
    ) -> Result<(Estimate, EstimateTimings), EstimateError> {
        Self::first_look(self, frame, face)
    }

    fn another(&self) -> Option<Box<dyn Estimates>> {
        Some(Box::new(Self::new(self.models().clone())))
    }
}

/// The one way from a frame to its faces, shared by the live view and by files. With several faces it uses a few threads
/// of its own beside the calling one; the results are the same.
pub struct Analyser {
    /// `None`: the whole picture is a face.
    search: Option<FaceSearch>,
    estimates: WorkerPool<Box<dyn Estimates>>,
    tracker: Tracker,
    /// Whether whole frames are searched beside the rest.
    beside: bool,
}

impl Analyser {
    /// An analyser with this detector and these models.
    pub fn new(faces: Faces, models: ModelSet) -> Self {
        let (estimates, age_error_years) = estimates_of(models);
        Self::with(faces, estimates, age_error_years)
    }

    /// An analyser around any estimates; `age_error_years` as in [`Tracker::set_age_error_years`].
    pub fn with(faces: Faces, estimates: Box<dyn Estimates>, age_error_years: Option<f32>) -> Self {
        let mut tracker = Tracker::new();
        tracker.set_age_error_years(age_error_years);
        Self { search: search(faces), estimates: WorkerPool::new(estimates), tracker, beside: false }
    }

    /// Takes identities' numbers out of a row that others take from, too.
    pub fn share_numbers(&mut self, numbers: IdentityNumbers) {
        self.tracker.share_numbers(numbers);
    }

    /// Replaces the models; identities stay, their averages start anew.
    pub fn set_models(&mut self, models: ModelSet) {
        let (estimates, age_error_years) = estimates_of(models);
        self.set_estimates(estimates, age_error_years);
    }

    /// Replaces what estimates; identities stay, their averages start anew.
    pub fn set_estimates(&mut self, estimates: Box<dyn Estimates>, age_error_years: Option<f32>) {
        self.estimates = WorkerPool::new(estimates);
        self.tracker.set_age_error_years(age_error_years);
        self.tracker.forget_estimates();
    }

    /// Replaces the detector; identities stay.
    pub fn set_faces(&mut self, faces: Faces) {
        self.search = search(faces);
        self.search_beside(self.beside);
    }

    /// Whether whole frames are searched beside the analysis, on a thread of their own; at first they are not. Live, no
    /// frame has to wait for such a search then: who comes is in a frame a moment later. Results depend on how fast the
    /// machine is, so files are analysed without it.
    pub fn search_beside(&mut self, beside: bool) {
        self.beside = beside;
        if let Some(search) = &mut self.search {
            search.set_beside(beside);
        }
    }

    /// Forgets all identities: the next frame has nothing to do with the last, and is searched whole.
    pub fn reset(&mut self) {
        self.tracker.reset();
        if let Some(search) = &mut self.search {
            search.reset();
        }
    }

    /// How many identities were given so far.
    pub fn identities(&self) -> u64 {
        self.tracker.given()
    }

    /// This analyser goes on in the place of one that gave so many identities: whoever it finds is somebody new.
    pub fn continue_from(&mut self, identities: u64) {
        self.tracker.continue_from(identities);
    }

    /// Analyses one frame; smoothing and the turns of the search follow [`Frame::time`]. Known faces are followed or searched
    /// in every frame, the whole of it after a [`reset`](Self::reset) and then at least every quarter of a second. The
    /// faces come sorted by identity.
    ///
    /// # Errors
    /// Where the detector or a network fails; the next frame may work.
    pub fn analyse(&mut self, frame: Arc<Frame>) -> Result<Analysis, AnalyseError> {
        let mut timings = StageTimings::default();
        let detections = match &mut self.search {
            Some(search) => {
                let finds = search.find(&frame, &self.tracker.expected(frame.time))?;
                timings.detect = finds.spent_ms;
                finds.faces
            }
            None => vec![whole_picture(&frame)],
        };
        let mut watch = Stopwatch::start();
        let ids = self.tracker.assign(&frame, frame.time, &detections);
        timings.track = watch.lap_ms();

        let named: Vec<(u64, Detection)> =
            ids.into_iter().zip(detections).filter_map(|(id, detection)| Some((id?, detection))).collect();
        let place = |detection: &Detection| self.search.is_some().then(|| FaceRegion::from(detection));
        let job = |(id, detection): &(u64, Detection)| FaceJob {
            frame: Arc::clone(&frame),
            face: place(detection),
            is_first: !self.tracker.was_seen(*id),
        };
        let estimates =
            self.estimates.map(named.iter().map(job).collect(), |estimates, job: &FaceJob| match job.face {
                face if job.is_first => estimates.first_look(&job.frame, face),
                Some(face) => estimates.estimate(&job.frame, face),
                None => estimates.estimate_crop(&job.frame),
            });
        watch.lap_ms();
        let mut faces = Vec::with_capacity(named.len());
        for ((id, detection), estimate) in named.iter().zip(estimates) {
            let (estimate, spent) = estimate?;
            timings.crop += spent.crop_ms;
            timings.age += spent.age_ms;
            timings.gender += spent.gender_ms;
            timings.pose += spent.pose_ms;
            faces.push(self.tracker.update(*id, detection, &estimate));
        }
        timings.track += watch.lap_ms();
        faces.sort_by_key(|face| face.id);
        Ok(Analysis { frame, faces, timings })
    }
}

/// A face to be estimated.
struct FaceJob {
    frame: Arc<Frame>,
    /// `None`: the whole frame is one.
    face: Option<FaceRegion>,
    /// Nothing is known of it yet.
    is_first: bool,
}

/// The estimates of these models, and the error to expect of their ages, years.
pub fn estimates_of(models: ModelSet) -> (Box<dyn Estimates>, Option<f32>) {
    let age_error_years = age_error_years(&models.age);
    (Box::new(Estimator::new(models)), age_error_years)
}

fn search(faces: Faces) -> Option<FaceSearch> {
    match faces {
        Faces::Detect(detector) => Some(FaceSearch::new(detector)),
        Faces::WholePicture => None,
    }
}

/// The whole picture as one sure face.
fn whole_picture(frame: &Frame) -> Detection {
    let rect = Rect::new(0.0, 0.0, frame.width() as f32, frame.height() as f32);
    Detection { rect, score: 1.0, keypoints: None }
}

/// The error to expect of these age models, years: of each card the worst mean absolute error that it states (the
/// figure on the set that the model knew best would flatter it), averaged over the cards. `None` where no card says.
fn age_error_years(models: &[Arc<TaskModel>]) -> Option<f32> {
    let worst = |model: &Arc<TaskModel>| {
        let figures = |whole: bool| {
            model
                .card
                .accuracy_of(Task::Age)
                .filter(move |figure| is_mae(&figure.measure, whole))
                .map(|figure| figure.value)
                .filter(|value| value.is_finite() && *value > 0.0)
                .reduce(f32::max)
        };
        // A figure on the whole set counts before figures per group, of which the worst says little.
        figures(true).or_else(|| figures(false))
    };
    let known: Vec<f32> = models.iter().filter_map(worst).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f32>() / known.len() as f32)
}

fn is_mae(measure: &str, whole: bool) -> bool {
    let measure = measure.trim().to_ascii_lowercase();
    if whole { matches!(measure.as_str(), "mae" | "mae in years" | "mae (years)") } else { measure.contains("mae") }
}

struct Stopwatch(Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(Instant::now())
    }

    /// Milliseconds since the start or the last lap.
    fn lap_ms(&mut self) -> f32 {
        let now = Instant::now();
        let spent = now.duration_since(self.0);
        self.0 = now;
        spent.as_secs_f32() * 1000.0
    }
}
