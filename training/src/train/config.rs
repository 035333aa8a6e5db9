//! Everything that tells one training run from another: `run.toml`.

use std::path::{Path, PathBuf};

use facelens_base::bounded_file;
use facelens_core::model::Task;
use serde::{Deserialize, Serialize};

use super::error::RunError;
use super::settings::{self, FILE, within};
use crate::augment::Augmentation;
use crate::nets::NetworkConfig;
use crate::nets::ssr_net::{CONVOLUTIONS, is_zero};

/// Everything that tells one training run from another. Two runs with the same settings on the same device and machine
/// give the same weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// What the network's outputs are, in their order: age and gender one number each, pose yaw, pitch and roll.
    pub tasks: Vec<Task>,
    /// Margin of the crop on each side, in sides of the detector's box.
    #[serde(default = "RunConfig::default_margin")]
    pub margin: f32,
    /// Seed of the first weights, the order of the faces and their augmentation.
    #[serde(default = "RunConfig::default_seed")]
    pub seed: u32,
    /// How often each face is seen.
    #[serde(default = "RunConfig::default_epochs")]
    pub epochs: usize,
    /// Pictures of one step: as many faces, half as many where they come in pairs ([`LossConfig::agreement`]).
    #[serde(default = "RunConfig::default_batch")]
    pub batch: usize,
    /// Threads that share the faces of each step. Each part has its own statistics in the batch normalisations, so the
    /// number changes the result.
    #[serde(default = "RunConfig::default_parallel")]
    pub parallel: usize,
    /// The run or the file of weights that this one goes on from; random weights without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// Tasks of which nothing is to change: neither their parts of the network nor what all tasks share are trained, but the
    /// other tasks' parts alone. For a network that goes on from another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<Task>,
    /// How many convolutions of each stream, from the first on, are not trained: edges and colours need not be learnt again,
    /// and keeping the first one saves a sixth of the time. For a network that goes on from another.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub keep_convolutions: usize,
    /// The network.
    pub network: NetworkConfig,
    /// What is made small.
    #[serde(default)]
    pub loss: LossConfig,
    /// How.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// How pictures are varied.
    #[serde(default)]
    pub augmentation: Augmentation,
    /// The faces.
    #[serde(default)]
    pub sets: Sets,
}

/// What is made small: the sum over the tasks of weight times error, the error in the task's unit (30 years, 1 of the
/// male score, 30 degrees), so that with equal weights the tasks pull about equally.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// Weight of the age: mean absolute error to the exact age or the distance to the bin.
    pub age: f32,
    /// Weight of the gender.
    pub gender: f32,
    /// Weight of the pose: mean absolute error over the three angles.
    pub pose: f32,
    /// How the male score is judged.
    pub gender_error: GenderError,
    /// Pull to the middle of an age bin, in parts of the pull into the bin. An open bin has no middle. A network that gives
    /// the age's scale is not pulled: the likelihood of a bin knows no middle.
    pub bin_middle: f32,
    /// How much what somebody says of the age inside its bin ([`crate::data::AgeHint`]) counts beside the bin, 0 to 1. Only
    /// for a network that gives the age's scale.
    pub age_hint: f32,
    /// How the pose is judged.
    pub pose_error: PoseError,
    /// Spread of a label at which it counts half, degrees; the square of the spread decides. 0: all count the same.
    pub pose_doubt: f32,
    /// How far rare poses count more, as `balance` for ages: by groups of the yaw and by groups of the pitch.
    pub pose_balance: f32,
    /// How far rare ages count more: the age and the gender of a face of an age group with frequency f have the weight
    /// f^-balance, on average 1. 0: each face counts the same; 1: each age group does.
    pub balance: f32,
    /// How much it counts that a network says different poses of one face, in parts of the pose's weight: each face is in a
    /// batch twice then, once of them mirrored, each picture varied by itself. 0: each face comes alone.
    pub agreement: f32,
}

/// How the male score, which is to be 1 for men and 0 for women, is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GenderError {
    /// The absolute difference, as in the paper.
    #[default]
    Absolute,
    /// Its square.
    Squared,
    /// The logistic loss of the score's distance from 0.5.
    Logistic,
}

/// How the pose is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoseError {
    /// Mean absolute difference of yaw, pitch and roll, as in the paper.
    #[default]
    Angles,
    /// The rotation from one pose to the other. Beyond 60 degrees of yaw, where pitch and roll do nearly the same, it does
    /// not ask for what cannot be told.
    Rotation,
}

/// The optimiser and its schedule: AdamW, a linear warm-up and a cosine down to almost nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Largest learning rate, after the warm-up.
    pub learning_rate: f64,
    /// Steps in which the learning rate rises from 0; at most a fifth of the run.
    pub warm_up_steps: usize,
    /// Last learning rate, in parts of the largest.
    pub last_rate: f64,
    /// Weight decay of AdamW, times the learning rate in each step; 0 is Adam.
    pub weight_decay: f32,
    /// Largest norm of all gradients together; a longer step is shortened to it. 0: never.
    pub clip_norm: f32,
    /// Share of the old that the moving average of the weights and statistics keeps in each step; in the first steps
    /// it keeps less. The averaged net is what is validated and exported. 0: no average.
    pub average: f64,
}

/// The sets of faces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sets {
    /// Trained on.
    pub train: Vec<SetEntry>,
    /// Looked at after each epoch.
    pub validate: Vec<SetEntry>,
}

/// A set of faces, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetEntry {
    /// Its file.
    pub file: PathBuf,
    /// How many faces are in it; 0 until the run has begun.
    #[serde(default)]
    pub faces: usize,
    /// Length of the file in bytes; 0 until the run has begun.
    #[serde(default)]
    pub bytes: u64,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            age: 1.0,
            gender: 1.0,
            pose: 1.0,
            gender_error: GenderError::Absolute,
            bin_middle: 0.0,
            age_hint: 0.0,
            pose_error: PoseError::Angles,
            pose_doubt: 0.0,
            pose_balance: 0.0,
            balance: 0.0,
            agreement: 0.0,
        }
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            learning_rate: 2e-3,
            warm_up_steps: 300,
            last_rate: 0.002,
            weight_decay: 0.01,
            clip_norm: 2.0,
            average: 0.998,
        }
    }
}

impl ScheduleConfig {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// Names the first that does not, and what it may be.
    pub(crate) fn check(&self) -> Result<(), String> {
        within("schedule.learning_rate", self.learning_rate, 10.0)?;
        within("schedule.last_rate", self.last_rate, 1.0)?;
        within("schedule.weight_decay", self.weight_decay.into(), 10.0)?;
        within("schedule.clip_norm", self.clip_norm.into(), 1e9)?;
        if !(0.0..1.0).contains(&self.average) {
            return Err(format!("schedule.average is {}; it must be from 0 to below 1", self.average));
        }
        Ok(())
    }
}

impl SetEntry {
    /// The set in this file.
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), faces: 0, bytes: 0 }
    }
}

impl RunConfig {
    const fn default_margin() -> f32 {
        0.25
    }

    const fn default_seed() -> u32 {
        1
    }

    const fn default_epochs() -> usize {
        16
    }

    const fn default_batch() -> usize {
        64
    }

    const fn default_parallel() -> usize {
        1
    }

    /// The default settings for a network.
    pub fn new(tasks: Vec<Task>, network: NetworkConfig) -> Self {
        Self {
            tasks,
            margin: Self::default_margin(),
            seed: Self::default_seed(),
            epochs: Self::default_epochs(),
            batch: Self::default_batch(),
            parallel: Self::default_parallel(),
            from: None,
            keep: Vec::new(),
            keep_convolutions: 0,
            network,
            loss: LossConfig::default(),
            schedule: ScheduleConfig::default(),
            augmentation: Augmentation::default(),
            sets: Sets::default(),
        }
    }

    /// How many pictures of a face a batch holds side by side.
    pub(super) fn pictures(&self) -> usize {
        if self.loss.agreement > 0.0 { 2 } else { 1 }
    }

    /// How many numbers the network gives.
    pub fn values(&self) -> usize {
        self.tasks.iter().map(|task| values(*task)).sum::<usize>() + usize::from(self.network.age_scale())
    }

    /// Whether each output of the tasks is kept as it is.
    pub(super) fn kept(&self) -> Vec<bool> {
        self.tasks.iter().flat_map(|task| vec![self.keep.contains(task); values(*task)]).collect()
    }

    /// Whether the settings make sense.
    ///
    /// # Errors
    /// Names the first that does not, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        self.augmentation.check()?;
        let mut sorted = self.tasks.clone();
        sorted.sort();
        sorted.dedup();
        if sorted.is_empty() || sorted.len() != self.tasks.len() {
            return Err("name each task once: age, gender, pose".to_owned());
        }
        if self.network.tasks() != self.tasks {
            let names = |tasks: &[Task]| tasks.iter().map(|task| task.name()).collect::<Vec<_>>().join(",");
            let (found, asked) = (names(self.network.tasks()), names(&self.tasks));
            return Err(format!("the network estimates {found} where tasks says {asked}"));
        }
        self.network.check()?;
        if self.keep.iter().any(|task| !self.tasks.contains(task)) {
            return Err("keep names a task that the network does not have".to_owned());
        }
        if !self.keep.is_empty() && (self.from.is_none() || !matches!(self.network, NetworkConfig::SsrNet(_))) {
            return Err("keep is for an ssr-net that starts from another network".to_owned());
        }
        if self.keep_convolutions > CONVOLUTIONS {
            return Err(format!(
                "keep_convolutions is {}; it must be from 0 to {CONVOLUTIONS}",
                self.keep_convolutions
            ));
        }
        if self.keep_convolutions > 0 && (self.from.is_none() || !matches!(self.network, NetworkConfig::SsrNet(_))) {
            return Err("keep_convolutions is for an ssr-net that starts from another network".to_owned());
        }
        within("margin", self.margin.into(), 2.0)?;
        self.schedule.check()?;
        within("loss.age", self.loss.age.into(), 1e6)?;
        within("loss.gender", self.loss.gender.into(), 1e6)?;
        within("loss.pose", self.loss.pose.into(), 1e6)?;
        within("loss.bin_middle", self.loss.bin_middle.into(), 1.0)?;
        within("loss.age_hint", self.loss.age_hint.into(), 1.0)?;
        within("loss.pose_doubt", self.loss.pose_doubt.into(), 180.0)?;
        within("loss.pose_balance", self.loss.pose_balance.into(), 1.0)?;
        within("loss.balance", self.loss.balance.into(), 1.0)?;
        within("loss.agreement", self.loss.agreement.into(), 1e6)?;
        for (name, value) in [("epochs", self.epochs), ("parallel", self.parallel)] {
            if value == 0 {
                return Err(format!("{name} is 0; it must be 1 or more"));
            }
        }
        // The statistics of a batch normalisation need two faces.
        if self.batch / self.pictures() < 2 * self.parallel {
            return Err(format!("batch is {}; each of the {} parts needs 2 faces", self.batch, self.parallel));
        }
        if self.sets.train.is_empty() {
            return Err("there is no set of faces to train on".to_owned());
        }
        Ok(())
    }

    /// Largest file of settings, bytes.
    pub const MAX_BYTES: u64 = 1 << 20;

    /// Reads the settings of the run in `folder`.
    ///
    /// # Errors
    /// Where there is no run, or its settings cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RunError> {
        let file = folder.join(FILE);
        let text = bounded_file::read_text(&file, Self::MAX_BYTES)
            .map_err(|error| RunError::NoRun { folder: folder.display().to_string(), cause: error.into() })?;
        let config: Self = toml::from_str(&text)
            .map_err(|error| RunError::Settings { file: file.display().to_string(), cause: error.to_string() })?;
        config.check().map_err(|cause| RunError::Settings { file: file.display().to_string(), cause })?;
        Ok(config)
    }

    /// Writes the settings of the run in `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<(), RunError> {
        settings::write(folder, self)
    }
}

/// How many numbers a task's estimate has.
pub(super) fn values(task: Task) -> usize {
    match task {
        Task::Age | Task::Gender => 1,
        Task::Pose => 3,
    }
}
