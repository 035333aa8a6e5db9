//! Runs detector and networks over labelled pictures, a few at a time, with a result that does not depend on how many.

use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender};
use facelens_core::detect::{self, Detector, DetectorKind};
use facelens_core::estimate::{Estimate, Estimator};
use facelens_core::model::ModelSet;
use facelens_media::decode_picture;
use indicatif::ProgressBar;

use super::images::walk;
use super::labels::Labels;
use super::perturb::{Scatter, scatter};
use crate::cli::make_each;

/// The most worker threads: each has its own detector, and beyond this the reading is the limit.
const MAX_WORKERS: usize = 8;

/// What became of one picture.
#[derive(Clone, Debug)]
pub(super) enum EvalOutcome {
    /// The estimates of its face, and how they scatter where that is measured.
    Estimated(Estimate, Option<Scatter>),
    /// No face was found.
    NoFace,
    /// The picture cannot be read; its name and the reason.
    Unreadable(String),
}

/// How pictures become estimates.
pub(super) struct EvalMethod<'a> {
    /// The models; tasks without one are left out.
    pub models: &'a ModelSet,
    /// How faces are found; `None` takes each picture as one ready crop.
    pub detector: Option<DetectorKind>,
    /// By how much pictures are turned first, degrees.
    pub turn_degrees: f32,
    /// Whether it is measured how estimates scatter under small changes.
    pub perturb: bool,
}

/// The outcome of each label, in the labels' order; `None` where its picture was not there, or was not reached before
/// `stop`.
///
/// # Errors
/// Images that cannot be opened, a detector or network that fails.
pub(super) fn measure(
    images: &[PathBuf],
    labels: &Labels,
    method: &EvalMethod,
    progress: &ProgressBar,
    stop: &AtomicBool,
) -> anyhow::Result<Vec<Option<EvalOutcome>>> {
    let count = std::thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    let workers = make_each(count, || EvalWorker::new(method))?;
    let mut outcomes = vec![None; labels.rows().len()];
    let (give, jobs) = crossbeam_channel::bounded::<(usize, Vec<u8>)>(4 * count);
    let (done, results) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        for worker in workers {
            let (jobs, done) = (jobs.clone(), done.clone());
            scope.spawn(move || worker.work(labels, &jobs, &done, progress));
        }
        drop((jobs, done));
        // The workers end when the last job is taken and `give` is gone, also where the reading fails.
        let give = give;
        walk(images, labels, |index, bytes| {
            match bytes {
                // Nobody takes jobs any more where every worker has failed.
                Ok(bytes) => {
                    if give.send((index, bytes)).is_err() {
                        return ControlFlow::Break(());
                    }
                }
                Err(error) => {
                    let words = format!("{}: {error}", labels.rows()[index].file);
                    outcomes[index] = Some(EvalOutcome::Unreadable(words));
                }
            }
            if stop.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    })?;
    // In the order of the labels, so that the same error is reported whichever worker was first.
    let mut results: Vec<(usize, anyhow::Result<EvalOutcome>)> = results.into_iter().collect();
    results.sort_unstable_by_key(|(index, _)| *index);
    for (index, outcome) in results {
        let named = outcome.map_err(|error| error.context(labels.rows()[index].file.clone()));
        outcomes[index] = Some(named?);
    }
    Ok(outcomes)
}

struct EvalWorker {
    detector: Option<Box<dyn Detector>>,
    turn_degrees: f32,
    perturb: bool,
    estimator: Estimator,
}

impl EvalWorker {
    fn new(method: &EvalMethod) -> anyhow::Result<Self> {
        let detector = method.detector.map(detect::create).transpose()?;
        let estimator = Estimator::new(method.models.clone());
        Ok(Self { detector, turn_degrees: method.turn_degrees, perturb: method.perturb, estimator })
    }

    fn work(
        mut self,
        labels: &Labels,
        jobs: &Receiver<(usize, Vec<u8>)>,
        done: &Sender<(usize, anyhow::Result<EvalOutcome>)>,
        progress: &ProgressBar,
    ) {
        for (index, bytes) in jobs {
            // Half of them to either side.
            let turn = if index % 2 == 0 { self.turn_degrees } else { -self.turn_degrees };
            let outcome = self.outcome(&labels.rows()[index].file, &bytes, turn);
            progress.inc(1);
            let failed = outcome.is_err();
            // A failing network fails on every picture: no use going on.
            if done.send((index, outcome)).is_err() || failed {
                return;
            }
        }
    }

    fn outcome(&mut self, name: &str, bytes: &[u8], turn: f32) -> anyhow::Result<EvalOutcome> {
        let frame = match decode_picture(name, bytes) {
            Ok(frame) => frame,
            Err(error) => return Ok(EvalOutcome::Unreadable(error.to_string())),
        };
        let Some(detector) = &mut self.detector else {
            return Ok(EvalOutcome::Estimated(self.estimator.first_look(&frame, None)?.0, None));
        };
        let frame = match if turn == 0.0 { Ok(frame) } else { frame.turned(turn) } {
            Ok(frame) => frame,
            Err(error) => return Ok(EvalOutcome::Unreadable(format!("{name}, turned: {error}"))),
        };
        let detections = detector.detect(&frame)?;
        let Some(face) = detect::main_face(&frame, &detections) else { return Ok(EvalOutcome::NoFace) };
        let mut estimate = self.estimator.first_look(&frame, Some(face.into()))?.0;
        let scatter = self.perturb.then(|| scatter(&mut self.estimator, &frame, face.into(), &estimate)).transpose()?;
        estimate.pose = estimate.pose.map(|pose| pose.turned(-turn));
        Ok(EvalOutcome::Estimated(estimate, scatter))
    }
}
