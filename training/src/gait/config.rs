//! Settings of a training on gaits.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::augment::GaitAugmentation;
use super::loss::GaitLoss;
use crate::nets::GlCnnConfig;
use crate::train::settings::{self, within};
use crate::train::{RunError, ScheduleConfig};

/// All settings of a training on gaits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaitConfig {
    /// Seed of the first weights, the order, the augmentation, and of whom is held out.
    pub seed: u32,
    /// How often each image is seen.
    pub epochs: usize,
    /// Images of one step.
    pub batch: usize,
    /// Share of the persons of the training's sets who are kept for validation.
    pub held_out: f32,
    /// The run whose network the training begins from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<PathBuf>,
    /// The network.
    pub network: GlCnnConfig,
    /// What counts how much.
    pub loss: GaitLoss,
    /// The optimiser and its schedule.
    pub schedule: ScheduleConfig,
    /// How images are varied.
    pub augmentation: GaitAugmentation,
    /// The sets.
    pub sets: GaitSets,
}

/// The gait sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaitSets {
    /// Trained on.
    pub train: Vec<GaitSetEntry>,
    /// Looked at after each epoch.
    pub validate: Vec<GaitSetEntry>,
}

/// A gait set, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaitSetEntry {
    /// Its file.
    pub file: PathBuf,
    /// How many images are in it; 0 until the run has begun.
    #[serde(default)]
    pub images: usize,
}

impl GaitSetEntry {
    /// The set in this file.
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), images: 0 }
    }
}

impl Default for GaitConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 12,
            batch: 64,
            held_out: 0.1,
            from: None,
            network: GlCnnConfig::slim(),
            loss: GaitLoss::default(),
            schedule: ScheduleConfig::default(),
            augmentation: GaitAugmentation::default(),
            sets: GaitSets::default(),
        }
    }
}

impl GaitConfig {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// Names the first that does not, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        self.network.check()?;
        self.augmentation.check()?;
        within("loss.lambda", self.loss.lambda.into(), 1e6)?;
        within("loss.gender", self.loss.gender.into(), 1e6)?;
        within("held_out", self.held_out.into(), 0.9)?;
        self.schedule.check()?;
        if self.epochs == 0 || self.batch == 0 {
            return Err("epochs and batch must be 1 or more".to_owned());
        }
        if self.sets.train.is_empty() {
            return Err("there is no gait set to train on".to_owned());
        }
        Ok(())
    }

    /// Reads settings from a file in the form of a run.toml.
    ///
    /// # Errors
    /// Where it cannot be read, or says what cannot be.
    pub fn read_file(file: &Path) -> Result<Self, RunError> {
        settings::read_file(file)
    }

    /// Reads the settings of the run in `folder`.
    ///
    /// # Errors
    /// Where there is no run, or its settings cannot be read.
    pub fn read(folder: &Path) -> Result<Self, RunError> {
        settings::read(folder, Self::check)
    }

    /// Writes the settings of the run in `folder`.
    pub(super) fn write(&self, folder: &Path) -> Result<(), RunError> {
        settings::write(folder, self)
    }
}
