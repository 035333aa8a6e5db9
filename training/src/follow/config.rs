//! Settings of a training of the network that follows faces.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::loss::FollowLoss;
use super::sample::FollowAugmentation;
use crate::nets::FollowNetConfig;
use crate::train::settings;
use crate::train::{RunError, ScheduleConfig};

/// All settings of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowConfig {
    /// Seed of the first weights, the order and the crops.
    pub seed: u32,
    /// How often each face is seen, in another crop each time.
    pub epochs: usize,
    /// Crops of one step.
    pub batch: usize,
    /// The network.
    pub network: FollowNetConfig,
    /// What counts how much.
    pub loss: FollowLoss,
    /// The optimiser and its schedule.
    pub schedule: ScheduleConfig,
    /// How crops are drawn.
    pub augmentation: FollowAugmentation,
    /// The sets.
    pub sets: FollowSets,
}

/// The follow sets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowSets {
    /// Trained on.
    pub train: Vec<FollowSetEntry>,
    /// Looked at after each epoch.
    pub validate: Vec<FollowSetEntry>,
}

/// A follow set, as it was when the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowSetEntry {
    /// Its file.
    pub file: PathBuf,
    /// How many faces are in it; 0 until the run has begun.
    #[serde(default)]
    pub faces: usize,
}

impl FollowSetEntry {
    /// The set in this file.
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), faces: 0 }
    }
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 40,
            batch: 64,
            network: FollowNetConfig::default(),
            loss: FollowLoss::default(),
            schedule: ScheduleConfig::default(),
            augmentation: FollowAugmentation::default(),
            sets: FollowSets::default(),
        }
    }
}

impl FollowConfig {
    /// Whether the settings make sense.
    ///
    /// # Errors
    /// Names the first that does not, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        self.network.check()?;
        self.augmentation.check()?;
        self.loss.check()?;
        self.schedule.check()?;
        if self.epochs == 0 || self.batch < 2 {
            return Err("epochs must be 1 or more, batch 2 or more".to_owned());
        }
        if self.sets.train.is_empty() {
            return Err("there is no follow set to train on".to_owned());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_recipe_can_be_read() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes/follow.toml");
        let mut config = FollowConfig::read_file(&file).unwrap();
        config.sets.train.push(FollowSetEntry::new(Path::new("a.follow")));
        config.check().unwrap();
    }
}
