//! The training: a run is a folder as that of faces is (`run.toml`, `history.csv`, `state/`), and goes on where it was
//! stopped.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::detect::follow::{OUTPUTS, SIDE};
use indicatif::ProgressBar;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::config::{FollowConfig, FollowSetEntry};
use super::figures::{FollowFigures, figures};
use super::sample::{FollowAugmentation, FollowTarget, draw};
use super::set::FollowSet;
use crate::augment::{INPUT_LEN, generator};
use crate::nets::FollowNet;
use crate::train::error::write_whole;
use crate::train::run::{drawn, progress_bar};
use crate::train::schedule::{kept, learning_rate};
use crate::train::state::{Progress, file as state_file, keep, load_net};
use crate::train::step::{Met, optimiser};
use crate::train::{Outcome, RunError, history, weights};

/// Crops that go through the network together where nothing is learnt.
const CHUNK: usize = 128;
/// Stands where a face's number stands otherwise: the generator of the order of an epoch.
const ORDER: u64 = u64::MAX;
/// Stands where an epoch's number stands otherwise: the crops of a validation are the same each time.
const VALIDATION: u64 = u64::MAX;

/// What a run needs beside its settings, and what does not change its result.
pub struct FollowSurroundings<'a> {
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
    seconds: f64,
    crops_per_second: f64,
    sets: Vec<(String, FollowFigures)>,
}

impl Row {
    fn cells(&self) -> Vec<(String, String)> {
        let mut cells = vec![
            ("epoch".to_owned(), self.epoch.to_string()),
            ("learning_rate".to_owned(), format!("{:.3e}", self.learning_rate)),
            ("loss".to_owned(), format!("{:.5}", self.loss)),
            ("seconds".to_owned(), format!("{:.1}", self.seconds)),
            ("crops_per_second".to_owned(), format!("{:.1}", self.crops_per_second)),
        ];
        for (name, figures) in &self.sets {
            let named = figures.cells().into_iter();
            cells.extend(named.map(|(cell, value)| (format!("{name}_{cell}"), format!("{value:.4}"))));
        }
        cells
    }

    fn line(&self, epochs: usize) -> String {
        let sets: String = self.sets.iter().map(|(name, figures)| format!("; {name}: {figures}")).collect();
        let Self { epoch, loss, seconds, crops_per_second, .. } = self;
        format!("epoch {epoch}/{epochs}: loss {loss:.4}, {seconds:.0} s, {crops_per_second:.0} crops/s{sets}")
    }
}

/// The faces of a run.
struct RunSets {
    train: FollowSet,
    validate: Vec<(String, FollowSet)>,
}

impl RunSets {
    /// Reads the sets, and notes in `config` what they are.
    fn read(config: &mut FollowConfig) -> Result<Self, RunError> {
        let mut train = FollowSet::default();
        for entry in &mut config.sets.train {
            train.append(read(entry)?);
        }
        let mut validate = Vec::new();
        for entry in &mut config.sets.validate {
            let set = read(entry)?;
            let name = entry.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            validate.push((name, set));
        }
        Ok(Self { train, validate })
    }
}

fn read(entry: &mut FollowSetEntry) -> Result<FollowSet, RunError> {
    let set = FollowSet::read(&entry.file)?;
    if entry.faces != 0 && entry.faces != set.len() {
        let (file, found, expected) = (entry.file.display().to_string(), set.len(), entry.faces);
        return Err(RunError::SetChanged { file, found, expected });
    }
    if set.is_empty() {
        return Err(RunError::NoLabels { files: entry.file.display().to_string(), tasks: "following".to_owned() });
    }
    entry.faces = set.len();
    Ok(set)
}

/// Begins a run in a new folder.
///
/// # Errors
/// Where the folder is there already, the settings or the sets cannot be used, a file cannot be written, or the loss is
/// not a finite number any more.
pub fn start(
    folder: &Path,
    mut config: FollowConfig,
    surroundings: &FollowSurroundings<'_>,
) -> Result<Outcome, RunError> {
    let settings = |cause| RunError::Settings { file: folder.display().to_string(), cause };
    config.check().map_err(settings)?;
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(RunError::Exists { folder: folder.display().to_string() });
    }
    let sets = RunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let net = drawn(&device, config.seed, || config.network.init(&device));
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
pub fn resume(folder: &Path, surroundings: &FollowSurroundings<'_>) -> Result<Outcome, RunError> {
    let mut config = FollowConfig::read(folder)?;
    let progress: Progress<Row> = Progress::read(folder)?;
    let sets = RunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let file = |part| state_file(folder, part, progress.epochs);
    let net = load_net(config.network.init(&device), &file("net"))?;
    let averaged = config.schedule.average > 0.0;
    // Into a copy of the net: loading brings back the ids of the weights, but not those of the statistics.
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
pub fn load(run: &Path, device: &Device) -> Result<(FollowConfig, FollowNet), RunError> {
    let config = FollowConfig::read(run)?;
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
    net: FollowNet,
    /// The moving average, without automatic differentiation.
    average: Option<FollowNet>,
    optimiser: ModuleOptimizer,
    progress: Progress<Row>,
}

impl Run {
    fn train(
        mut self,
        config: &FollowConfig,
        sets: &RunSets,
        surroundings: &FollowSurroundings<'_>,
    ) -> Result<Outcome, RunError> {
        let batch = config.batch.min(sets.train.len());
        let steps = sets.train.len() / batch;
        let bar = progress_bar((config.epochs * steps) as u64, self.progress.steps as u64);
        bar.suspend(|| {
            tracing::info!(
                "{} faces, {steps} steps of {batch} an epoch, {} parameters, {:.1} million multiply-adds a crop",
                sets.train.len(),
                self.net.num_params(),
                config.network.multiply_adds_millions(),
            );
        });
        while self.progress.epochs < config.epochs {
            let stopped = Outcome::Stopped { epochs: self.progress.epochs };
            if surroundings.until.is_some_and(|until| self.progress.epochs >= until) {
                bar.finish_and_clear();
                return Ok(stopped);
            }
            let Some(mut row) = self.epoch(config, &sets.train, surroundings.stop, &bar, batch)? else {
                bar.finish_and_clear();
                return Ok(stopped);
            };
            let valid = self.net.valid();
            let judged = self.average.as_ref().unwrap_or(&valid);
            let device = weights::plain(&self.device);
            for (name, set) in &sets.validate {
                row.sets.push((name.clone(), judge(judged, set, config, &device)));
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
        config: &FollowConfig,
        set: &FollowSet,
        stop: &AtomicBool,
        bar: &ProgressBar,
        batch: usize,
    ) -> Result<Option<Row>, RunError> {
        let (epoch, started) = (self.progress.epochs, Instant::now());
        let mut order: Vec<usize> = (0..set.len()).collect();
        order.shuffle(&mut generator(config.seed.into(), epoch as u64, ORDER));
        let steps = order.len() / batch;
        let (mut sum, mut rate) = (0.0, 0.0);
        for (step, chosen) in order.chunks_exact(batch).enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            rate = learning_rate(&config.schedule, self.progress.steps, config.epochs * steps);
            let met = self.step(config, set, chosen, rate);
            for (what, value) in [("loss", met.loss), ("gradient", met.gradient)] {
                if !value.is_finite() {
                    return Err(RunError::NotFinite { what, value, epoch: epoch + 1, step: step + 1 });
                }
            }
            self.progress.steps += 1;
            sum += f64::from(met.loss);
            bar.inc(1);
            bar.set_message(format!("epoch {}, loss {:.4}", epoch + 1, sum / (step + 1) as f64));
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(Some(Row {
            epoch: epoch + 1,
            learning_rate: rate,
            loss: sum / steps as f64,
            seconds,
            crops_per_second: (steps * batch) as f64 / seconds.max(1e-9),
            sets: Vec::new(),
        }))
    }

    /// Learns from a batch. Where the loss or the gradients are not finite numbers nothing is changed.
    fn step(&mut self, config: &FollowConfig, set: &FollowSet, chosen: &[usize], rate: f64) -> Met {
        let (crops, targets) = crops(set, chosen, &config.augmentation, config.seed, self.progress.epochs as u64);
        let answers = self.net.forward(tensor(crops, &self.device));
        let loss = config.loss.of(&answers, &targets);
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

/// Crops of these faces, and what should be said of them.
fn crops(
    set: &FollowSet,
    chosen: &[usize],
    augmentation: &FollowAugmentation,
    seed: u32,
    epoch: u64,
) -> (Vec<f32>, Vec<FollowTarget>) {
    let mut crops = vec![0.0; chosen.len() * INPUT_LEN];
    let targets = chosen.iter().zip(crops.chunks_exact_mut(INPUT_LEN)).map(|(index, crop)| {
        let mut rng = generator(seed.into(), epoch, *index as u64);
        draw(set, *index, augmentation, &mut rng, crop)
    });
    let targets = targets.collect();
    (crops, targets)
}

fn tensor(crops: Vec<f32>, device: &Device) -> Tensor<4> {
    let count = crops.len() / INPUT_LEN;
    Tensor::from_data(TensorData::new(crops, [count, 3, SIDE, SIDE]), device)
}

/// What a network says of crops.
pub(super) fn answers(net: &FollowNet, crops: Vec<f32>, device: &Device) -> Vec<Vec<f32>> {
    let numbers: Vec<f32> = net.forward(tensor(crops, device)).into_data().iter::<f32>().collect();
    numbers.chunks(OUTPUTS).map(<[f32]>::to_vec).collect()
}

/// The figures of a network on one crop of each face of a set, the same each time.
fn judge(net: &FollowNet, set: &FollowSet, config: &FollowConfig, device: &Device) -> FollowFigures {
    let (mut said, mut truth) = (Vec::new(), Vec::new());
    let all: Vec<usize> = (0..set.len()).collect();
    for chosen in all.chunks(CHUNK) {
        let (crops, targets) = crops(set, chosen, &config.augmentation, config.seed, VALIDATION);
        said.extend(answers(net, crops, device));
        truth.extend(targets);
    }
    figures(&said, &truth)
}

/// Crops of the first faces of a set, for comparisons.
pub(super) fn some_crops(set: &FollowSet, count: usize) -> Vec<Vec<f32>> {
    let chosen: Vec<usize> = (0..count.min(set.len())).collect();
    let (crops, _) = crops(set, &chosen, &FollowAugmentation::default(), 1, VALIDATION);
    crops.chunks_exact(INPUT_LEN).map(<[f32]>::to_vec).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::follow::{FollowSetWriter, FollowedFace, PICTURE_SIDE};
    use crate::nets::FollowNetConfig;
    use crate::train::ScheduleConfig;

    /// Drawn faces: two dark eyes and a red mouth on a bright disc.
    pub(in crate::follow) fn faces(folder: &Path) -> PathBuf {
        let file = folder.join("drawn.follow");
        let mut writer = FollowSetWriter::create(&file).unwrap();
        for index in 0..24_u32 {
            let (x, y) = (44.0 + (index % 5) as f32 * 2.0, 46.0 + (index % 3) as f32);
            let at = |dx: f32, dy: f32| [x + dx, y + dy];
            let landmarks =
                [at(-11.0, -10.0), at(11.0, -10.0), at(0.0, 3.0), at(0.0, 15.0), at(-26.0, -5.0), at(26.0, -5.0)];
            let mut picture = vec![(40 + 6 * index % 90) as u8; PICTURE_SIDE * PICTURE_SIDE * 3];
            for (place, pixel) in picture.chunks_exact_mut(3).enumerate() {
                let (column, row) = ((place % PICTURE_SIDE) as f32, (place / PICTURE_SIDE) as f32);
                let near = |[a, b]: [f32; 2], reach: f32| (column - a).hypot(row - b) < reach;
                if near(at(0.0, 0.0), 28.0) {
                    pixel.copy_from_slice(&[210, 170, 150]);
                }
                if near(landmarks[0], 5.0) || near(landmarks[1], 5.0) {
                    pixel.fill(20);
                }
                if near(landmarks[3], 6.0) {
                    pixel.copy_from_slice(&[190, 40, 40]);
                }
            }
            writer.push(FollowedFace { name: index.to_string(), landmarks }, &picture).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    fn config(set: &Path) -> FollowConfig {
        let entry = || vec![FollowSetEntry::new(set)];
        FollowConfig {
            epochs: 8,
            batch: 8,
            network: FollowNetConfig { layers: vec![[6, 4], [8, 2], [8, 2]], hidden: 16 },
            schedule: ScheduleConfig { learning_rate: 0.01, warm_up_steps: 2, average: 0.5, ..Default::default() },
            augmentation: FollowAugmentation { shift: 0.2, log_scale: 0.2, turn_degrees: 5.0, ..Default::default() },
            sets: crate::follow::FollowSets { train: entry(), validate: entry() },
            ..FollowConfig::default()
        }
    }

    fn surroundings(stop: &AtomicBool, until: Option<usize>) -> FollowSurroundings<'_> {
        FollowSurroundings { device: Device::flex(), until, stop }
    }

    #[test]
    fn a_run_learns_and_one_that_was_stopped_comes_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (set, stop) = (faces(folder.path()), AtomicBool::new(false));
        let config = config(&set);
        let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
        assert_eq!(start(&whole, config.clone(), &surroundings(&stop, None)).unwrap(), Outcome::Done);
        let stopped = start(&parts, config, &surroundings(&stop, Some(3))).unwrap();
        assert_eq!(stopped, Outcome::Stopped { epochs: 3 });
        assert_eq!(resume(&parts, &surroundings(&stop, None)).unwrap(), Outcome::Done);
        let numbers = |run: &Path| weights::numbers(&load(run, &Device::flex()).unwrap().1);
        assert_eq!(numbers(&whole), numbers(&parts));

        let progress: Progress<Row> = Progress::read(&whole).unwrap();
        let (first, last) = (&progress.history[0], &progress.history[7]);
        assert!(last.loss < 0.95 * first.loss, "{} after {}", last.loss, first.loss);
        assert!(last.sets[0].1.faces > 8);
        let table = std::fs::read_to_string(whole.join("history.csv")).unwrap();
        assert!(table.starts_with("epoch,learning_rate,loss") && table.contains("drawn_place_median"), "{table}");
    }

    #[test]
    fn what_cannot_be_trained_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let (set, stop) = (faces(folder.path()), AtomicBool::new(false));
        let refusal = |change: &dyn Fn(&mut FollowConfig)| {
            let mut config = config(&set);
            change(&mut config);
            start(&folder.path().join("a"), config, &surroundings(&stop, Some(0))).unwrap_err().to_string()
        };
        assert!(refusal(&|config| config.epochs = 0).contains("epochs"));
        assert!(refusal(&|config| config.loss.smooth = 0.0).contains("loss.smooth"));
        assert!(refusal(&|config| config.sets.train[0].file = "none.follow".into()).contains("none.follow"));
        assert!(refusal(&|config| config.sets.train[0].faces = 7).contains("changed since the run began"));
        assert!(refusal(&|config| config.sets.train.clear()).contains("no follow set"));
        let none = resume(&folder.path().join("b"), &surroundings(&stop, None)).unwrap_err().to_string();
        assert!(none.contains("there is no run in"), "{none}");
    }
}
