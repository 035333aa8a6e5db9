//! The training: a run is a folder as that of faces is (`run.toml`, `history.csv`, `state/`), and goes on where it was
//! stopped.

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::detect::follow::{OUTPUTS, SIDE};

use super::config::{FollowConfig, FollowSetEntry};
use super::figures::{FollowFigures, figures};
use super::sample::{FollowAugmentation, FollowTarget, draw};
use super::set::FollowSet;
use crate::augment::{INPUT_LEN, generator};
use crate::nets::FollowNet;
use crate::train::course::{self, Course, CourseSurroundings, Moment, Plan};
use crate::train::run::drawn;
use crate::train::{Outcome, RunError};

/// Crops that go through the network together where nothing is learnt.
const CHUNK: usize = 128;
/// Stands where an epoch's number stands otherwise: the crops of a validation are the same each time.
const VALIDATION: u64 = u64::MAX;

/// Settings and faces of a run.
struct FollowCourse {
    config: FollowConfig,
    sets: FollowRunSets,
}

impl Course for FollowCourse {
    type Net = FollowNet;
    type Figures = FollowFigures;
    const SAMPLES: &'static str = "crops";

    fn plan(&self) -> Plan<'_> {
        let FollowConfig { seed, epochs, batch, schedule, .. } = &self.config;
        Plan { seed: *seed, epochs: *epochs, batch: *batch, schedule }
    }

    fn samples(&self) -> &[usize] {
        &self.sets.numbers
    }

    fn loss(&self, net: &FollowNet, chosen: &[usize], moment: Moment, device: &Device) -> Tensor<1> {
        let FollowConfig { seed, augmentation, loss, .. } = &self.config;
        let (crops, targets) = crops(&self.sets.train, chosen, augmentation, *seed, moment.epoch as u64);
        loss.of(&net.forward(tensor(crops, device)), &targets)
    }

    fn judge(&self, net: &FollowNet, device: &Device) -> Vec<(String, FollowFigures)> {
        let judged = |(name, set): &(String, FollowSet)| (name.clone(), judge(net, set, &self.config, device));
        self.sets.validate.iter().map(judged).collect()
    }
}

/// The faces of a run.
struct FollowRunSets {
    train: FollowSet,
    /// The numbers of all faces of `train`.
    numbers: Vec<usize>,
    validate: Vec<(String, FollowSet)>,
}

impl FollowRunSets {
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
        let numbers = (0..train.len()).collect();
        Ok(Self { train, numbers, validate })
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
    surroundings: &CourseSurroundings<'_>,
) -> Result<Outcome, RunError> {
    let settings = |cause| RunError::Settings { file: folder.display().to_string(), cause };
    config.check().map_err(settings)?;
    course::check_new(folder)?;
    let sets = FollowRunSets::read(&mut config)?;
    let device = surroundings.device.clone().autodiff();
    let net = drawn(&device, config.seed, || config.network.init(&device));
    std::fs::create_dir_all(folder).map_err(|cause| RunError::io(folder, "written", cause))?;
    config.write(folder)?;
    tracing::info!("{:.1} million multiply-adds a crop", config.network.multiply_adds_millions());
    course::start(folder, &FollowCourse { config, sets }, net, surroundings)
}

/// Goes on with the run in a folder after its last finished epoch. The result is that of an unbroken run.
///
/// # Errors
/// Where there is no run, its state is damaged, its sets have changed, and those of [`start`].
pub fn resume(folder: &Path, surroundings: &CourseSurroundings<'_>) -> Result<Outcome, RunError> {
    let mut config = FollowConfig::read(folder)?;
    let sets = FollowRunSets::read(&mut config)?;
    let net = config.network.init(&surroundings.device.clone().autodiff());
    course::resume(folder, &FollowCourse { config, sets }, net, surroundings)
}

/// The settings of the run in `run` and its network after the last finished epoch: the averaged one where the run keeps an
/// average. `device` is one without automatic differentiation.
///
/// # Errors
/// Where there is no run, no epoch was finished, or a file is damaged.
pub fn load(run: &Path, device: &Device) -> Result<(FollowConfig, FollowNet), RunError> {
    let config = FollowConfig::read(run)?;
    let net = course::load::<FollowCourse>(run, &config.schedule, config.network.init(device))?;
    Ok((config, net))
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
fn answers(net: &FollowNet, crops: Vec<f32>, device: &Device) -> Vec<Vec<f32>> {
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
    use std::path::PathBuf;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::follow::{FollowSetWriter, FollowedFace, PICTURE_SIDE};
    use crate::nets::FollowNetConfig;
    use crate::train::history::Epoch;
    use crate::train::state::RunProgress;
    use crate::train::{ScheduleConfig, weights};

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

    fn surroundings(stop: &AtomicBool, until: Option<usize>) -> CourseSurroundings<'_> {
        CourseSurroundings { device: Device::flex(), until, stop }
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

        let progress: RunProgress<Epoch<FollowFigures>> = RunProgress::read(&whole).unwrap();
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
