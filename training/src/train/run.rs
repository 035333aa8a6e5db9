//! The loop.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use indicatif::{ProgressBar, ProgressStyle};

use super::batches::{self, Batches};
use super::config::RunConfig;
use super::course::check_new;
use super::error::RunError;
use super::faces::{self, RunFaces, short_name};
use super::history::{self, Epoch, EpochSteps};
use super::schedule::learning_rate;
use super::state::{self, RunProgress};
use super::step::{Learner, optimiser};
use super::validate::{Figures, figures};
use super::weights;
use crate::augment::{INPUT, INPUT_LEN};
use crate::data::FaceSet;
use crate::nets::{Network, NetworkConfig, Pretrained};

/// What a run learns from, in its table.
const SAMPLES: &str = "images";

/// Faces whose statistics folded batch normalisations get.
const SETTLING: usize = 512;

/// What a run needs beside its settings, and what does not change its result.
pub struct Surroundings<'a> {
    /// The device, without automatic differentiation.
    pub device: Device,
    /// Threads that make batches.
    pub makers: usize,
    /// Stop when so many epochs are finished.
    pub until: Option<usize>,
    /// Set from elsewhere to end the run after the step that it is in.
    pub stop: &'a AtomicBool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Done,
    /// It was stopped; so many epochs are finished and kept.
    Stopped {
        /// Finished epochs.
        epochs: usize,
    },
}

/// Begins a run in a new folder.
///
/// # Errors
/// Where the folder is there already, the settings or the sets cannot be used, a file cannot be written, or the loss is
/// not a finite number any more.
pub fn start(folder: &Path, mut config: RunConfig, surroundings: &Surroundings<'_>) -> Result<Outcome, RunError> {
    let settings = |cause| RunError::Settings { file: folder.display().to_string(), cause };
    config.check().map_err(settings)?;
    check_new(folder)?;
    let sets = RunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let net = new_net(&config, &device, &sets.faces)?;
    std::fs::create_dir_all(folder).map_err(|cause| RunError::io(folder, "written", cause))?;
    config.write(folder)?;
    let average = (config.schedule.average > 0.0).then(|| net.valid());
    let learner = Learner { device, net, average, optimiser: optimiser(&config.schedule) };
    let run = Run { folder: folder.to_owned(), learner, progress: RunProgress::default() };
    run.train(&config, &sets, surroundings)
}

/// Goes on with the run in a folder after its last finished epoch. The result is that of an unbroken run.
///
/// # Errors
/// Where there is no run, its state is damaged, its sets have changed, and those of [`start`].
pub fn resume(folder: &Path, surroundings: &Surroundings<'_>) -> Result<Outcome, RunError> {
    let mut config = RunConfig::read(folder)?;
    let progress: RunProgress = RunProgress::read(folder)?;
    let sets = RunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let mut learner = state::load(folder, &config, progress.epochs, device)?;
    learner.net.keep(&config.kept(), config.keep_convolutions);
    if let Some(average) = &mut learner.average {
        average.keep(&config.kept(), config.keep_convolutions);
    }
    // An interruption may have come between the state and the table.
    history::write(folder, &progress.history, SAMPLES)?;
    let run = Run { folder: folder.to_owned(), learner, progress };
    run.train(&config, &sets, surroundings)
}

/// A network with random weights, or with those of another run, of a model or of a published file.
pub(super) fn new_net(config: &RunConfig, device: &Device, faces: &RunFaces) -> Result<Network, RunError> {
    let net = drawn(device, config.seed, || config.network.init(device));
    let Some(from) = &config.from else { return Ok(net) };
    let wrong = |cause: String| RunError::From { file: from.display().to_string(), cause };
    let plain = weights::plain(device);
    let (model, trained) = if from.is_dir() {
        let (other, trained) = state::load_trained(from, &plain).map_err(|error| wrong(error.to_string()))?;
        (Some(other.network), trained)
    } else {
        // The error names the file itself.
        let Pretrained { mut net, model, folded } =
            Pretrained::read(from, &plain).map_err(|error| wrong(error.to_string()))?;
        if folded {
            let inputs = batches::sample(faces, config, SETTLING);
            let shape = [inputs.len() / INPUT_LEN, 3, INPUT, INPUT];
            net.settle(&Tensor::from_data(TensorData::new(inputs, shape), &plain));
        }
        (model.map(|(network, _)| network), net)
    };
    let trained = match model {
        Some(other) if other == config.network => trained,
        Some(other) if goes_on(&other, &config.network) => {
            let (widened, taken, all) = weights::take_over(net.valid(), trained);
            tracing::info!(
                "{}: {taken} of its {all} tensors have the shapes of this network; the rest is trained from scratch",
                from.display()
            );
            widened
        }
        Some(_) => return Err(wrong("its network is another one; use the same --network and --task".to_owned())),
        None => trained,
    };
    let mut net = net
        .try_load_record(trained.into_record())
        .map_err(|error| wrong(format!("its weights do not fit the network {:?}: {error}", config.network)))?;
    net.keep(&config.kept(), config.keep_convolutions);
    Ok(net)
}

/// A new network with the random weights of this seed.
pub(crate) fn drawn<M: Module>(device: &Device, seed: u32, init: impl FnOnce() -> M) -> M {
    // The seed belongs to the whole program.
    static DRAWING: Mutex<()> = Mutex::new(());
    let _drawing = DRAWING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    device.seed(seed.into());
    let net = init();
    weights::draw(&net);
    net
}

/// Whether the parts of a network are the first parts of another one, though not of the same widths.
fn goes_on(trained: &NetworkConfig, net: &NetworkConfig) -> bool {
    let same_tasks = net.tasks() == trained.tasks();
    std::mem::discriminant(trained) == std::mem::discriminant(net)
        && net.tasks().starts_with(trained.tasks())
        && trained.residuals() <= net.residuals()
        // The scale of the age comes last: behind it there is no room for another task.
        && (!trained.age_scale() || same_tasks)
}

/// The sets of a run, in memory.
struct RunSets {
    faces: RunFaces,
    validate: Vec<(String, FaceSet)>,
}

impl RunSets {
    /// Reads them, and notes in `config` what they are.
    fn read(config: &mut RunConfig) -> Result<Self, RunError> {
        let sets = config.sets.train.iter_mut().map(faces::read).collect::<Result<Vec<_>, _>>()?;
        let faces = RunFaces::new(sets, &config.tasks, &config.loss);
        if faces.len() < 2 {
            let files: Vec<_> = config.sets.train.iter().map(|set| set.file.display().to_string()).collect();
            let tasks: Vec<_> = config.tasks.iter().map(|task| task.name()).collect();
            return Err(RunError::NoLabels { files: files.join(", "), tasks: tasks.join(" or ") });
        }
        let mut validate: Vec<(String, FaceSet)> = Vec::new();
        for entry in &mut config.sets.validate {
            let set = faces::read(entry)?;
            let mut name = short_name(&entry.file);
            if validate.iter().any(|(other, _)| *other == name) {
                name += &format!("-{}", validate.len() + 1);
            }
            validate.push((name, set));
        }
        Ok(Self { faces, validate })
    }
}

/// A run at work.
struct Run {
    folder: PathBuf,
    learner: Learner,
    progress: RunProgress,
}

impl Run {
    fn train(
        mut self,
        config: &RunConfig,
        sets: &RunSets,
        surroundings: &Surroundings<'_>,
    ) -> Result<Outcome, RunError> {
        let steps = batches::steps(sets.faces.len(), config);
        let bar = progress_bar((config.epochs * steps) as u64, self.progress.steps as u64);
        bar.suspend(|| {
            tracing::info!(
                "{} faces, {steps} steps of {} an epoch, {} parameters, {}",
                sets.faces.len(),
                batches::at_once(config).min(sets.faces.len()) * config.pictures(),
                self.learner.net.num_params(),
                match self.progress.epochs {
                    0 => "from the first epoch".to_owned(),
                    epochs => format!("resuming after epoch {epochs}"),
                }
            );
        });
        while self.progress.epochs < config.epochs {
            if surroundings.until.is_some_and(|until| self.progress.epochs >= until) {
                bar.finish_and_clear();
                return Ok(Outcome::Stopped { epochs: self.progress.epochs });
            }
            let Some(mut row) = self.epoch(config, &sets.faces, surroundings, &bar, steps)? else {
                bar.finish_and_clear();
                return Ok(Outcome::Stopped { epochs: self.progress.epochs });
            };
            let device = weights::plain(&self.learner.device);
            let valid = self.learner.net.valid();
            let judged = self.learner.average.as_ref().unwrap_or(&valid);
            for (name, set) in &sets.validate {
                row.sets.push((name.clone(), figures(judged, set, &config.tasks, config.margin, &device)));
            }
            bar.suspend(|| tracing::info!("{}", row.line(config.epochs, "faces")));
            self.progress.epochs += 1;
            self.progress.history.push(row);
            state::save(&self.folder, &self.progress, &self.learner)?;
            history::write(&self.folder, &self.progress.history, SAMPLES)?;
        }
        bar.finish_and_clear();
        Ok(Outcome::Done)
    }

    /// One epoch; `None` where it was stopped.
    fn epoch(
        &mut self,
        config: &RunConfig,
        faces: &RunFaces,
        surroundings: &Surroundings<'_>,
        bar: &ProgressBar,
        steps: usize,
    ) -> Result<Option<Epoch<Figures>>, RunError> {
        let epoch = self.progress.epochs;
        let (mut made, mut rate) = (EpochSteps::start(epoch + 1), 0.0);
        let finished = std::thread::scope(|scope| {
            let batches = Batches::start(scope, faces, config, epoch, surroundings.makers);
            for batch in batches {
                if surroundings.stop.load(Ordering::Relaxed) {
                    return Ok::<_, RunError>(false);
                }
                rate = learning_rate(&config.schedule, self.progress.steps, config.epochs * steps);
                let met = self.learner.step(config, &batch, self.progress.steps, rate);
                made.note(met, bar)?;
                self.progress.steps += 1;
            }
            Ok(true)
        })?;
        if !finished {
            return Ok(None);
        }
        let seen = steps * batches::at_once(config).min(faces.len()) * config.pictures();
        Ok(Some(made.finish(rate, seen)))
    }
}

/// On a terminal only.
pub(crate) fn progress_bar(length: u64, position: u64) -> ProgressBar {
    // The template is a constant of ours; without it the bar would be a plain one.
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style).with_position(position)
}
