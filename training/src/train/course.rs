//! The training on a set that lies in memory: what the network that follows faces and GL-CNN have in common. A run is a
//! folder as that of faces is (`run.toml`, `history.csv`, `state/`), and goes on where it was stopped.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use indicatif::ProgressBar;
use rand::seq::SliceRandom;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::config::ScheduleConfig;
use super::error::RunError;
use super::history::{self, Epoch, EpochFigures, EpochSteps};
use super::run::{Outcome, progress_bar};
use super::schedule::{kept, learning_rate};
use super::state::{RunProgress, file as state_file, keep, load_net};
use super::step::{Met, optimiser};
use super::weights;
use crate::augment::generator;

/// Stands where a sample's number stands otherwise: the generator of the order of an epoch.
const ORDER: u64 = u64::MAX;

/// What a run needs beside its settings, and what does not change its result.
pub struct CourseSurroundings<'a> {
    /// The device, without automatic differentiation.
    pub device: Device,
    /// Stop when so many epochs are finished.
    pub until: Option<usize>,
    /// Set from elsewhere to end the run after the step that it is in.
    pub stop: &'a AtomicBool,
}

/// How long and how fast a network learns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    /// Of the first weights and the order.
    pub(crate) seed: u32,
    pub(crate) epochs: usize,
    /// Samples of one step.
    pub(crate) batch: usize,
    pub(crate) schedule: &'a ScheduleConfig,
}

/// When a step is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// From 0.
    pub(crate) epoch: usize,
    /// From 0, over all epochs.
    pub(crate) step: usize,
}

/// What differs from one training to another.
pub(crate) trait Course {
    type Net: Module;
    type Figures: EpochFigures + Serialize + DeserializeOwned;
    /// What it learns from, in the plural: `crops`.
    const SAMPLES: &'static str;

    fn plan(&self) -> Plan<'_>;

    /// The numbers of the samples that are learnt from.
    fn samples(&self) -> &[usize];

    /// The loss of `net` on these samples. `device` is one with automatic differentiation.
    fn loss(&self, net: &Self::Net, chosen: &[usize], moment: Moment, device: &Device) -> Tensor<1>;

    /// The figures of `net` on each validation set, by their names. `device` is one without automatic differentiation.
    fn judge(&self, net: &Self::Net, device: &Device) -> Vec<(String, Self::Figures)>;
}

/// How far a course's run has come.
type CourseProgress<C> = RunProgress<Epoch<<C as Course>::Figures>>;

/// A new run needs a new folder.
///
/// # Errors
/// Where there is something at its place.
pub(crate) fn check_new(folder: &Path) -> Result<(), RunError> {
    let taken = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file();
    if taken { Err(RunError::Exists { folder: folder.display().to_string() }) } else { Ok(()) }
}

/// Begins a run with this network, whose settings are in `folder`.
///
/// # Errors
/// Where a file cannot be written, or the loss is not a finite number any more.
pub(crate) fn start<C: Course>(
    folder: &Path,
    course: &C,
    net: C::Net,
    surroundings: &CourseSurroundings<'_>,
) -> Result<Outcome, RunError> {
    let schedule = course.plan().schedule;
    let average = (schedule.average > 0.0).then(|| net.valid());
    let (device, optimiser) = (surroundings.device.clone().autodiff(), optimiser(schedule));
    CourseRun { folder: folder.to_owned(), device, course, net, average, optimiser, progress: RunProgress::default() }
        .train(surroundings)
}

/// Goes on with the run in a folder after its last finished epoch; `net` has the run's form. The result is that of an
/// unbroken run.
///
/// # Errors
/// Where its state is missing or damaged, and those of [`start`].
pub(crate) fn resume<C: Course>(
    folder: &Path,
    course: &C,
    net: C::Net,
    surroundings: &CourseSurroundings<'_>,
) -> Result<Outcome, RunError> {
    let progress: CourseProgress<C> = RunProgress::read(folder)?;
    let schedule = course.plan().schedule;
    let file = |part| state_file(folder, part, progress.epochs);
    let net = load_net(net, &file("net"))?;
    // Into a copy of the net: loading brings back the ids of the weights, but not those of the statistics.
    let average = (schedule.average > 0.0).then(|| load_net(net.valid(), &file("average"))).transpose()?;
    let moments = file("optimiser");
    let optimiser = optimiser(schedule).load(&moments).map_err(|cause| RunError::damaged(&moments, cause))?;
    let device = surroundings.device.clone().autodiff();
    CourseRun { folder: folder.to_owned(), device, course, net, average, optimiser, progress }.train(surroundings)
}

/// The network of the run in `run` after its last finished epoch: the averaged one where the run keeps an average. `net` has
/// its form.
///
/// # Errors
/// Where no epoch was finished, or a file is damaged.
pub(crate) fn load<C: Course>(run: &Path, schedule: &ScheduleConfig, net: C::Net) -> Result<C::Net, RunError> {
    let progress: CourseProgress<C> = RunProgress::read(run)?;
    let part = if schedule.average > 0.0 { "average" } else { "net" };
    load_net(net, &state_file(run, part, progress.epochs))
}

/// A run at work.
struct CourseRun<'a, C: Course> {
    folder: PathBuf,
    /// With automatic differentiation.
    device: Device,
    course: &'a C,
    net: C::Net,
    /// The moving average, without automatic differentiation.
    average: Option<C::Net>,
    optimiser: ModuleOptimizer,
    progress: CourseProgress<C>,
}

impl<C: Course> CourseRun<'_, C> {
    fn train(mut self, surroundings: &CourseSurroundings<'_>) -> Result<Outcome, RunError> {
        let (course, plan) = (self.course, self.course.plan());
        let count = course.samples().len();
        let (batch, epochs) = (plan.batch.min(count), plan.epochs);
        let steps = count / batch;
        let bar = progress_bar((epochs * steps) as u64, self.progress.steps as u64);
        bar.suspend(|| {
            let (samples, numbers) = (C::SAMPLES, self.net.num_params());
            tracing::info!("{count} {samples}, {steps} steps of {batch} an epoch, {numbers} parameters");
        });
        while self.progress.epochs < epochs {
            let stopped = Outcome::Stopped { epochs: self.progress.epochs };
            if surroundings.until.is_some_and(|until| self.progress.epochs >= until) {
                bar.finish_and_clear();
                return Ok(stopped);
            }
            let Some(mut row) = self.epoch(batch, surroundings.stop, &bar)? else {
                bar.finish_and_clear();
                return Ok(stopped);
            };
            let valid = self.net.valid();
            row.sets = course.judge(self.average.as_ref().unwrap_or(&valid), &weights::plain(&self.device));
            bar.suspend(|| tracing::info!("{}", row.line(epochs, C::SAMPLES)));
            self.progress.epochs += 1;
            self.progress.history.push(row);
            keep(&self.folder, &self.progress, &self.net, self.average.as_ref(), &self.optimiser)?;
            history::write(&self.folder, &self.progress.history, C::SAMPLES)?;
        }
        bar.finish_and_clear();
        Ok(Outcome::Done)
    }

    /// One epoch; `None` where it was stopped.
    fn epoch(
        &mut self,
        batch: usize,
        stop: &AtomicBool,
        bar: &ProgressBar,
    ) -> Result<Option<Epoch<C::Figures>>, RunError> {
        let plan = self.course.plan();
        let epoch = self.progress.epochs;
        let mut order = self.course.samples().to_vec();
        order.shuffle(&mut generator(plan.seed.into(), epoch as u64, ORDER));
        let steps = order.len() / batch;
        let (mut made, mut rate) = (EpochSteps::start(epoch + 1), 0.0);
        for chosen in order.chunks_exact(batch) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            rate = learning_rate(plan.schedule, self.progress.steps, plan.epochs * steps);
            let met = self.step(chosen, plan.schedule, rate);
            made.note(met, bar)?;
            self.progress.steps += 1;
        }
        Ok(Some(made.finish(rate, steps * batch)))
    }

    /// Learns from a batch. Where the loss or the gradients are not finite numbers nothing is changed.
    fn step(&mut self, chosen: &[usize], schedule: &ScheduleConfig, rate: f64) -> Met {
        let moment = Moment { epoch: self.progress.epochs, step: self.progress.steps };
        let loss = self.course.loss(&self.net, chosen, moment, &self.device);
        let value = loss.clone().into_scalar::<f32>();
        let mut gradients = GradientsParams::from_grads(loss.backward(), &self.net);
        let gradient = weights::clip(&self.net, &mut gradients, schedule.clip_norm);
        if value.is_finite() && gradient.is_finite() {
            self.net = self.optimiser.step(rate, self.net.clone(), gradients);
            if let Some(average) = self.average.take() {
                let share = kept(schedule, self.progress.steps);
                self.average = Some(weights::average(average, &self.net.valid(), share));
            }
        }
        Met { loss: value, gradient }
    }
}
