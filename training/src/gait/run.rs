//! The training: a run is a folder as that of faces is (`run.toml`, `history.csv`, `state/`), and goes on where it was stopped.

use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_gait::{AgeDistribution, GEI_HEIGHT, GEI_WIDTH};
use rand::RngExt;

use super::augment::plain;
use super::config::{GaitConfig, GaitSetEntry};
use super::figures::{GaitAgeEstimate, GaitFigures, figures};
use super::loss::GaitTargets;
use super::set::{GaitSample, GaitSet};
use crate::augment::generator;
use crate::nets::GlCnn;
use crate::nets::gl_cnn::dropout;
use crate::train::course::{self, Course, CourseSurroundings, Moment, Plan};
use crate::train::run::drawn;
use crate::train::{Outcome, RunError};

/// Images that go through the network together where nothing is learnt.
const CHUNK: usize = 256;
/// Stand where an image's number stands otherwise: the generators of who is held out, and of what is left out in a step.
const HELD_OUT: u64 = u64::MAX - 1;
const DROPOUT: u64 = u64::MAX - 2;
/// Bytes of an image.
const PICTURE: usize = GEI_WIDTH * GEI_HEIGHT;

/// Settings and images of a run.
struct GaitCourse {
    config: GaitConfig,
    sets: GaitRunSets,
}

impl Course for GaitCourse {
    type Net = GlCnn;
    type Figures = GaitFigures;
    const SAMPLES: &'static str = "images";

    fn plan(&self) -> Plan<'_> {
        let GaitConfig { seed, epochs, batch, schedule, .. } = &self.config;
        Plan { seed: *seed, epochs: *epochs, batch: *batch, schedule }
    }

    fn samples(&self) -> &[usize] {
        &self.sets.train
    }

    fn loss(&self, net: &GlCnn, chosen: &[usize], moment: Moment, device: &Device) -> Tensor<1> {
        let (config, set) = (&self.config, &self.sets.all);
        let mut images = vec![0.0; chosen.len() * PICTURE];
        let mut targets = GaitTargets::new(config.network.questions);
        for (index, image) in chosen.iter().zip(images.chunks_exact_mut(PICTURE)) {
            let mut rng = generator(config.seed.into(), moment.epoch as u64, *index as u64);
            config.augmentation.vary(set.picture(*index), &mut rng, image);
            targets.push(&set.samples[*index]);
        }
        let mut rng = generator(config.seed.into(), moment.step as u64, DROPOUT);
        let network = &config.network;
        let mut kept = |width| dropout([chosen.len(), width], network.dropout, &mut rng, device);
        let kept_numbers = (network.dropout > 0.0).then(|| network.hidden.map(&mut kept));
        targets.loss(&net.logits(&tensor(images, device), kept_numbers), &config.loss)
    }

    fn judge(&self, net: &GlCnn, device: &Device) -> Vec<(String, GaitFigures)> {
        let judge = |set: &GaitSet, chosen: &[usize]| {
            let said = estimates(net, set, chosen, device);
            let samples: Vec<&GaitSample> = chosen.iter().map(|index| &set.samples[*index]).collect();
            figures(&samples, &said)
        };
        let GaitRunSets { all, held_out, validate, .. } = &self.sets;
        let mut judged = Vec::new();
        if !held_out.is_empty() {
            judged.push(("held-out".to_owned(), judge(all, held_out)));
        }
        let whole = |set: &GaitSet| (0..set.len()).collect::<Vec<_>>();
        judged.extend(validate.iter().map(|(name, set)| (name.clone(), judge(set, &whole(set)))));
        judged
    }
}

/// The images of a run: those that are learnt from, and those of each validation.
struct GaitRunSets {
    all: GaitSet,
    train: Vec<usize>,
    held_out: Vec<usize>,
    validate: Vec<(String, GaitSet)>,
}

impl GaitRunSets {
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
    let mut rng = generator(config.seed.into(), u64::from(sample.person), HELD_OUT);
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
pub fn start(
    folder: &Path,
    mut config: GaitConfig,
    surroundings: &CourseSurroundings<'_>,
) -> Result<Outcome, RunError> {
    let settings = |cause| RunError::Settings { file: folder.display().to_string(), cause };
    config.check().map_err(settings)?;
    course::check_new(folder)?;
    let sets = GaitRunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let mut net = drawn(&device, config.seed, || config.network.init(&device));
    if let Some(from) = &config.from {
        let wrong = |cause: String| RunError::From { file: from.display().to_string(), cause };
        let (_, trained) = load(from, &surroundings.device).map_err(|error| wrong(error.to_string()))?;
        net = net.try_load_record(trained.into_record()).map_err(|error| wrong(error.to_string()))?;
    }
    std::fs::create_dir_all(folder).map_err(|cause| RunError::io(folder, "written", cause))?;
    config.write(folder)?;
    tracing::info!("{} images are held out", sets.held_out.len());
    course::start(folder, &GaitCourse { config, sets }, net, surroundings)
}

/// Goes on with the run in a folder after its last finished epoch. The result is that of an unbroken run.
///
/// # Errors
/// Where there is no run, its state is damaged, its sets have changed, and those of [`start`].
pub fn resume(folder: &Path, surroundings: &CourseSurroundings<'_>) -> Result<Outcome, RunError> {
    let mut config = GaitConfig::read(folder)?;
    let sets = GaitRunSets::read(&mut config)?;
    let net = config.network.init(&surroundings.device.clone().autodiff());
    course::resume(folder, &GaitCourse { config, sets }, net, surroundings)
}

/// The settings of the run in `run` and its network after the last finished epoch: the averaged one where the run keeps an
/// average. `device` is one without automatic differentiation.
///
/// # Errors
/// Where there is no run, no epoch was finished, or a file is damaged.
pub fn load(run: &Path, device: &Device) -> Result<(GaitConfig, GlCnn), RunError> {
    let config = GaitConfig::read(run)?;
    let net = course::load::<GaitCourse>(run, &config.schedule, config.network.init(device))?;
    Ok((config, net))
}

fn tensor(images: Vec<f32>, device: &Device) -> Tensor<4> {
    let count = images.len() / PICTURE;
    Tensor::from_data(TensorData::new(images, [count, 1, GEI_HEIGHT, GEI_WIDTH]), device)
}

/// What a network says of the chosen images of a set. `device` is one without automatic differentiation.
pub fn estimates(net: &GlCnn, set: &GaitSet, chosen: &[usize], device: &Device) -> Vec<GaitAgeEstimate> {
    let mut said = Vec::with_capacity(chosen.len());
    for chunk in chosen.chunks(CHUNK) {
        let images: Vec<f32> = chunk.iter().flat_map(|index| plain(set.picture(*index))).collect();
        let answers = net.forward(&tensor(images, device));
        let width = answers.dims()[1];
        let numbers: Vec<f32> = answers.into_data().iter::<f32>().collect();
        said.extend(numbers.chunks(width).filter_map(|row| {
            let (male, answers) = row.split_last()?;
            // Sigmoids are numbers.
            Some(GaitAgeEstimate { age: AgeDistribution::new(answers)?, male: Some(*male) })
        }));
    }
    said
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::AtomicBool;

    use facelens_gait::Gei;

    use super::*;
    use crate::gait::GaitSetWriter;
    use crate::nets::GlCnnConfig;
    use crate::train::history::Epoch;
    use crate::train::state::RunProgress;
    use crate::train::{ScheduleConfig, weights};

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

    fn surroundings(stop: &AtomicBool, until: Option<usize>) -> CourseSurroundings<'_> {
        CourseSurroundings { device: Device::flex(), until, stop }
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

        let progress: RunProgress<Epoch<GaitFigures>> = RunProgress::read(&whole).unwrap();
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
