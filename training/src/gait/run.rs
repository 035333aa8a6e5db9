//! The training: a run is a folder as that of faces is (`run.toml`, `history.csv`, `state/`), and goes on where it was stopped.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use facelens_gait::{AgeDistribution, GEI_HEIGHT, GEI_WIDTH};
use indicatif::ProgressBar;
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::augment::plain;
use super::config::{GaitConfig, GaitSetEntry};
use super::figures::{Estimate, GaitFigures, figures};
use super::loss::Targets;
use super::set::{GaitSample, GaitSet};
use crate::augment::generator;
use crate::nets::GlCnn;
use crate::nets::gl_cnn::dropout;
use crate::train::error::write_whole;
use crate::train::run::{drawn, progress_bar};
use crate::train::schedule::{kept, learning_rate};
use crate::train::state::{Progress, file as state_file, keep, load_net};
use crate::train::step::{Met, optimiser};
use crate::train::{Outcome, RunError, history, weights};

/// Images that go through the network together where nothing is learnt.
const CHUNK: usize = 256;
/// Stands where an image's number stands otherwise: the generators of the order of an epoch, of who is held out (one less), and of
/// what is left out in a step (two less).
const ORDER: u64 = u64::MAX;
/// Bytes of an image.
const PICTURE: usize = GEI_WIDTH * GEI_HEIGHT;

/// What a run needs beside its settings, and what does not change its result.
pub struct GaitSurroundings<'a> {
    /// The device, without automatic differentiation.
    pub device: Device,
    /// Stop when so many epochs are finished.
    pub until: Option<usize>,
    /// Set from elsewhere to end the run after the step that it is in.
    pub stop: &'a AtomicBool,
}

/// What is known after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    epoch: usize,
    learning_rate: f64,
    loss: f64,
    gradient_norm: f64,
    seconds: f64,
    images_per_second: f64,
    sets: Vec<(String, GaitFigures)>,
}

impl Row {
    fn cells(&self) -> Vec<(String, String)> {
        let mut cells = vec![
            ("epoch".to_owned(), self.epoch.to_string()),
            ("learning_rate".to_owned(), format!("{:.3e}", self.learning_rate)),
            ("loss".to_owned(), format!("{:.5}", self.loss)),
            ("gradient_norm".to_owned(), format!("{:.4}", self.gradient_norm)),
            ("seconds".to_owned(), format!("{:.1}", self.seconds)),
            ("images_per_second".to_owned(), format!("{:.1}", self.images_per_second)),
        ];
        for (name, figures) in &self.sets {
            let named =
                figures.cells().into_iter().map(|(cell, value)| (format!("{name}_{cell}"), format!("{value:.4}")));
            cells.extend(named);
        }
        cells
    }

    fn line(&self, epochs: usize) -> String {
        let sets: String = self.sets.iter().map(|(name, figures)| format!("; {name}: {figures}")).collect();
        format!(
            "epoch {}/{epochs}: loss {:.4}, {:.0} s, {:.0} images/s{sets}",
            self.epoch, self.loss, self.seconds, self.images_per_second
        )
    }
}

/// The images of a run: those that are learnt from, and those of each validation.
struct RunSets {
    all: GaitSet,
    train: Vec<usize>,
    held_out: Vec<usize>,
    validate: Vec<(String, GaitSet)>,
}

impl RunSets {
    /// Reads the sets, and notes in `config` what they are.
    fn read(config: &mut GaitConfig) -> Result<Self, RunError> {
        let mut all = GaitSet::default();
        for entry in &mut config.sets.train {
            all.append(read(entry)?);
        }
        let labelled = |index: &usize| {
            let sample = &all.samples[*index];
            sample.age_min.is_some() || sample.age_max.is_some() || sample.male.is_some()
        };
        let (held_out, train): (Vec<_>, Vec<_>) =
            (0..all.len()).filter(labelled).partition(|index| is_held_out(config, &all.samples[*index]));
        if train.is_empty() {
            let files: Vec<_> = config.sets.train.iter().map(|set| set.file.display().to_string()).collect();
            return Err(RunError::NoLabels { files: files.join(", "), tasks: "age or gender".to_owned() });
        }
        let mut validate: Vec<(String, GaitSet)> = Vec::new();
        for entry in &mut config.sets.validate {
            let set = read(entry)?;
            let mut name = entry.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if validate.iter().any(|(other, _)| *other == name) {
                name += &format!("-{}", validate.len() + 1);
            }
            validate.push((name, set));
        }
        Ok(Self { all, train, held_out, validate })
    }
}

/// Whether the walker of a sample is kept for validation.
fn is_held_out(config: &GaitConfig, sample: &GaitSample) -> bool {
    let mut rng = generator(config.seed.into(), u64::from(sample.person), ORDER - 1);
    rng.random_range(0.0..1.0_f32) < config.held_out
}

/// Those images of `set` whose walkers the run in `run` held out. It must be the run's only set, or its first.
///
/// # Errors
/// Where there is no run.
pub fn held_out(run: &Path, set: &GaitSet) -> Result<Vec<usize>, RunError> {
    let config = GaitConfig::read(run)?;
    Ok((0..set.len()).filter(|index| is_held_out(&config, &set.samples[*index])).collect())
}

fn read(entry: &mut GaitSetEntry) -> Result<GaitSet, RunError> {
    let set = GaitSet::read(&entry.file)?;
    if entry.images != 0 && entry.images != set.len() {
        let (file, found, expected) = (entry.file.display().to_string(), set.len(), entry.images);
        return Err(RunError::SetChanged { file, found, expected });
    }
    entry.images = set.len();
    Ok(set)
}

/// Begins a run in a new folder.
///
/// # Errors
/// Where the folder is there already, the settings or the sets cannot be used, a file cannot be written, or the loss is
/// not a finite number any more.
pub fn start(folder: &Path, mut config: GaitConfig, surroundings: &GaitSurroundings<'_>) -> Result<Outcome, RunError> {
    let settings = |cause| RunError::Settings { file: folder.display().to_string(), cause };
    config.check().map_err(settings)?;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(RunError::Exists { folder: folder.display().to_string() });
    }
    let sets = RunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let mut net = drawn(&device, config.seed, || config.network.init(&device));
    if let Some(from) = &config.from {
        let wrong = |cause: String| RunError::From { file: from.display().to_string(), cause };
        let (_, trained) = load(from, &surroundings.device).map_err(|error| wrong(error.to_string()))?;
        net = net.try_load_record(trained.into_record()).map_err(|error| wrong(error.to_string()))?;
    }
    std::fs::create_dir_all(folder).map_err(|cause| RunError::io(folder, "written", cause))?;
    config.write(folder)?;
    let average = (config.schedule.average > 0.0).then(|| net.valid());
    let optimiser = optimiser(&config.schedule);
    let run = Run { folder: folder.to_owned(), device, net, average, optimiser, progress: Progress::default() };
    run.train(&config, &sets, surroundings)
}

/// Goes on with the run in a folder after its last finished epoch. The result is that of an unbroken run.
///
/// # Errors
/// Where there is no run, its state is damaged, its sets have changed, and those of [`start`].
pub fn resume(folder: &Path, surroundings: &GaitSurroundings<'_>) -> Result<Outcome, RunError> {
    let mut config = GaitConfig::read(folder)?;
    let progress: Progress<Row> = Progress::read(folder)?;
    let sets = RunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let file = |part| state_file(folder, part, progress.epochs);
    let net = load_net(config.network.init(&device), &file("net"))?;
    let averaged = config.schedule.average > 0.0;
    let average = averaged.then(|| load_net(net.valid(), &file("average"))).transpose()?;
    let moments = file("optimiser");
    let optimiser = optimiser(&config.schedule).load(&moments).map_err(|cause| RunError::damaged(&moments, cause))?;
    let run = Run { folder: folder.to_owned(), device, net, average, optimiser, progress };
    run.train(&config, &sets, surroundings)
}

/// The settings of the run in `run` and its network after the last finished epoch: the averaged one where the run keeps an
/// average. `device` is one without automatic differentiation.
///
/// # Errors
/// Where there is no run, no epoch was finished, or a file is damaged.
pub fn load(run: &Path, device: &Device) -> Result<(GaitConfig, GlCnn), RunError> {
    let config = GaitConfig::read(run)?;
    let progress: Progress<Row> = Progress::read(run)?;
    let part = if config.schedule.average > 0.0 { "average" } else { "net" };
    let net = load_net(config.network.init(device), &state_file(run, part, progress.epochs))?;
    Ok((config, net))
}

/// A run at work.
struct Run {
    folder: PathBuf,
    /// With automatic differentiation.
    device: Device,
    net: GlCnn,
    /// The moving average, without automatic differentiation.
    average: Option<GlCnn>,
    optimiser: ModuleOptimizer,
    progress: Progress<Row>,
}

impl Run {
    fn train(
        mut self,
        config: &GaitConfig,
        sets: &RunSets,
        surroundings: &GaitSurroundings<'_>,
    ) -> Result<Outcome, RunError> {
        let batch = config.batch.min(sets.train.len());
        let steps = sets.train.len() / batch;
        let bar = progress_bar((config.epochs * steps) as u64, self.progress.steps as u64);
        bar.suspend(|| {
            tracing::info!(
                "{} images, {} more held out, {steps} steps of {batch} an epoch, {} parameters",
                sets.train.len(),
                sets.held_out.len(),
                self.net.num_params(),
            );
        });
        while self.progress.epochs < config.epochs {
            let stopped = Outcome::Stopped { epochs: self.progress.epochs };
            if surroundings.until.is_some_and(|until| self.progress.epochs >= until) {
                bar.finish_and_clear();
                return Ok(stopped);
            }
            let Some(mut row) = self.epoch(config, sets, surroundings.stop, &bar, batch)? else {
                bar.finish_and_clear();
                return Ok(stopped);
            };
            let valid = self.net.valid();
            let judged = self.average.as_ref().unwrap_or(&valid);
            let device = weights::plain(&self.device);
            let judge = |set: &GaitSet, chosen: &[usize]| {
                let said = estimates(judged, set, chosen, &device);
                let samples: Vec<&GaitSample> = chosen.iter().map(|index| &set.samples[*index]).collect();
                figures(&samples, &said)
            };
            if !sets.held_out.is_empty() {
                row.sets.push(("held-out".to_owned(), judge(&sets.all, &sets.held_out)));
            }
            for (name, set) in &sets.validate {
                row.sets.push((name.clone(), judge(set, &(0..set.len()).collect::<Vec<_>>())));
            }
            bar.suspend(|| tracing::info!("{}", row.line(config.epochs)));
            self.progress.epochs += 1;
            self.progress.history.push(row);
            keep(&self.folder, &self.progress, &self.net, self.average.as_ref(), &self.optimiser)?;
            self.write_history()?;
        }
        bar.finish_and_clear();
        Ok(Outcome::Done)
    }

    fn write_history(&self) -> Result<(), RunError> {
        let file = self.folder.join("history.csv");
        let rows: Vec<_> = self.progress.history.iter().map(Row::cells).collect();
        let text = history::table(&rows).map_err(|cause| RunError::io(&file, "written", cause))?;
        write_whole(&file, &text)
    }

    /// One epoch; `None` where it was stopped.
    fn epoch(
        &mut self,
        config: &GaitConfig,
        sets: &RunSets,
        stop: &AtomicBool,
        bar: &ProgressBar,
        batch: usize,
    ) -> Result<Option<Row>, RunError> {
        let (epoch, started) = (self.progress.epochs, Instant::now());
        let mut order = sets.train.clone();
        order.shuffle(&mut generator(config.seed.into(), epoch as u64, ORDER));
        let steps = order.len() / batch;
        let (mut sum, mut norms, mut rate) = (0.0, 0.0, 0.0);
        for (step, chosen) in order.chunks_exact(batch).enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            rate = learning_rate(&config.schedule, self.progress.steps, config.epochs * steps);
            let met = self.step(config, &sets.all, chosen, rate);
            for (what, value) in [("loss", met.loss), ("gradient", met.gradient)] {
                if !value.is_finite() {
                    return Err(RunError::NotFinite { what, value, epoch: epoch + 1, step: step + 1 });
                }
            }
            self.progress.steps += 1;
            sum += f64::from(met.loss);
            norms += f64::from(met.gradient);
            bar.inc(1);
            bar.set_message(format!("epoch {}, loss {:.4}", epoch + 1, sum / (step + 1) as f64));
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(Some(Row {
            epoch: epoch + 1,
            learning_rate: rate,
            loss: sum / steps as f64,
            gradient_norm: norms / steps as f64,
            seconds,
            images_per_second: (steps * batch) as f64 / seconds.max(1e-9),
            sets: Vec::new(),
        }))
    }

    /// Learns from a batch. Where the loss or the gradients are not finite numbers nothing is changed.
    fn step(&mut self, config: &GaitConfig, set: &GaitSet, chosen: &[usize], rate: f64) -> Met {
        let mut images = vec![0.0; chosen.len() * PICTURE];
        let mut targets = Targets::new(config.network.questions);
        for (index, image) in chosen.iter().zip(images.chunks_exact_mut(PICTURE)) {
            let mut rng = generator(config.seed.into(), self.progress.epochs as u64, *index as u64);
            config.augmentation.vary(set.picture(*index), &mut rng, image);
            targets.push(&set.samples[*index]);
        }
        let mut rng = generator(config.seed.into(), self.progress.steps as u64, ORDER - 2);
        let kept_numbers = (config.network.dropout > 0.0).then(|| {
            config
                .network
                .hidden
                .map(|width| dropout([chosen.len(), width], config.network.dropout, &mut rng, &self.device))
        });
        let logits = self.net.logits(&tensor(images, &self.device), kept_numbers);
        let loss = targets.loss(&logits, &config.loss);
        let value = loss.clone().into_scalar::<f32>();
        let mut gradients = GradientsParams::from_grads(loss.backward(), &self.net);
        let gradient = weights::clip(&self.net, &mut gradients, config.schedule.clip_norm);
        if value.is_finite() && gradient.is_finite() {
            self.net = self.optimiser.step(rate, self.net.clone(), gradients);
            if let Some(average) = self.average.take() {
                let share = kept(&config.schedule, self.progress.steps);
                self.average = Some(weights::average(average, &self.net.valid(), share));
            }
        }
        Met { loss: value, gradient }
    }
}

fn tensor(images: Vec<f32>, device: &Device) -> Tensor<4> {
    let count = images.len() / PICTURE;
    Tensor::from_data(TensorData::new(images, [count, 1, GEI_HEIGHT, GEI_WIDTH]), device)
}

/// What a network says of the chosen images of a set. `device` is one without automatic differentiation.
pub fn estimates(net: &GlCnn, set: &GaitSet, chosen: &[usize], device: &Device) -> Vec<Estimate> {
    let mut said = Vec::with_capacity(chosen.len());
    for chunk in chosen.chunks(CHUNK) {
        let images: Vec<f32> = chunk.iter().flat_map(|index| plain(set.picture(*index))).collect();
        let answers = net.forward(&tensor(images, device));
        let width = answers.dims()[1];
        let numbers: Vec<f32> = answers.into_data().iter::<f32>().collect();
        said.extend(numbers.chunks(width).filter_map(|row| {
            let (male, answers) = row.split_last()?;
            // Sigmoids are numbers.
            Some(Estimate { age: AgeDistribution::new(answers)?, male: Some(*male) })
        }));
    }
    said
}

#[cfg(test)]
mod tests {
    use facelens_gait::Gei;

    use super::*;
    use crate::gait::GaitSetWriter;
    use crate::nets::GlCnnConfig;
    use crate::train::ScheduleConfig;

    /// Walkers of two kinds: children of 8 with wide heads, men of 40 with narrow ones; 5 images of each of 8 persons.
    fn walkers(folder: &Path) -> PathBuf {
        let file = folder.join("walkers.gaits");
        let mut writer = GaitSetWriter::create(&file).unwrap();
        for index in 0..40_u32 {
            let (person, child) = (index / 5, index / 5 % 2 == 0);
            let half = if child { 9 } else { 4 };
            let inside = |i: usize| (i % 44).abs_diff(22) < half + (i / 44 + index as usize) % 2 && i / 44 < 30;
            let grey: Vec<u8> = (0..PICTURE).map(|i| if inside(i) { 230 } else { 0 }).collect();
            let age = Some(if child { 8.0 } else { 40.0 });
            let male = Some(if child { 0.0 } else { 1.0 });
            let sample = GaitSample { age_min: age, age_max: age, male, person, ..GaitSample::default() };
            writer.push(sample, &Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap()).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    fn config(set: &Path) -> GaitConfig {
        let network =
            GlCnnConfig { global: [2, 3], local: [2, 2], joined: 3, hidden: [8, 8], questions: 60, dropout: 0.1 };
        let schedule = ScheduleConfig { learning_rate: 0.02, warm_up_steps: 2, average: 0.5, ..Default::default() };
        GaitConfig {
            epochs: 6,
            batch: 8,
            held_out: 0.3,
            network,
            schedule,
            sets: super::super::GaitSets { train: vec![GaitSetEntry::new(set)], validate: Vec::new() },
            ..GaitConfig::default()
        }
    }

    fn surroundings(stop: &AtomicBool, until: Option<usize>) -> GaitSurroundings<'_> {
        GaitSurroundings { device: Device::flex(), until, stop }
    }

    #[test]
    fn a_run_learns_and_one_that_was_stopped_comes_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (set, stop) = (walkers(folder.path()), AtomicBool::new(false));
        let config = config(&set);
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        assert_eq!(start(&whole, config.clone(), &surroundings(&stop, None)).unwrap(), Outcome::Done);
        let stopped = start(&parts, config.clone(), &surroundings(&stop, Some(2))).unwrap();
        assert_eq!(stopped, Outcome::Stopped { epochs: 2 });
        assert_eq!(resume(&parts, &surroundings(&stop, None)).unwrap(), Outcome::Done);
        let numbers = |run: &Path| weights::numbers(&load(run, &Device::flex()).unwrap().1);
        assert_eq!(numbers(&whole), numbers(&parts));

        let progress: Progress<Row> = Progress::read(&whole).unwrap();
        let (first, last) = (&progress.history[0], &progress.history[5]);
        assert!(last.loss < 0.8 * first.loss, "{} after {}", last.loss, first.loss);
        let held_out = &last.sets[0].1;
        assert!(held_out.ages > 0 && held_out.ages % 5 == 0, "whole persons: {}", held_out.ages);
        let table = std::fs::read_to_string(whole.join("history.csv")).unwrap();
        assert!(table.starts_with("epoch,learning_rate,loss") && table.contains("held-out_mae"), "{table}");
        assert_eq!(table.lines().count(), 7);
    }

    #[test]
    fn what_cannot_be_trained_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let (set, stop) = (walkers(folder.path()), AtomicBool::new(false));
        let refusal = |change: &dyn Fn(&mut GaitConfig), run: &str| {
            let mut config = config(&set);
            change(&mut config);
            start(&folder.path().join(run), config, &surroundings(&stop, Some(0))).unwrap_err().to_string()
        };
        assert!(refusal(&|config| config.epochs = 0, "a").contains("epochs and batch"));
        assert!(refusal(&|config| config.loss.lambda = -1.0, "a").contains("loss.lambda"));
        assert!(refusal(&|config| config.sets.train[0].file = "none.gaits".into(), "a").contains("none.gaits"));
        assert!(refusal(&|config| config.sets.train[0].images = 7, "a").contains("changed since the run began"));
        assert!(refusal(&|config| config.from = Some("nowhere".into()), "a").contains("cannot start from nowhere"));
        std::fs::create_dir(folder.path().join("taken")).unwrap();
        std::fs::write(folder.path().join("taken/x"), "x").unwrap();
        assert!(refusal(&|_| {}, "taken").contains("already exists"));
        let none = resume(&folder.path().join("b"), &surroundings(&stop, None)).unwrap_err().to_string();
        assert!(none.contains("there is no run in"), "{none}");
    }
}
