//! `facelens-training gait train`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use facelens_base::interrupt;

use crate::device::DeviceKind;
use crate::gait::{self, GaitConfig, GaitSetEntry};
use crate::nets::GlCnnConfig;
use crate::train::CourseSurroundings;

/// Trains GL-CNN on gait sets.
///
/// A run is a folder: run.toml (all its settings), history.csv (one row for each epoch) and state/ (the last finished
/// epoch). A stopped run is resumed with `gait train --run FOLDER --resume`, with the same result. A tenth of the
/// walkers is held out for validation.
#[derive(Debug, Args)]
pub(super) struct GaitTrainArgs {
    /// Folder of the run; it must be new, or hold the run to resume.
    #[arg(long, value_name = "FOLDER")]
    run: PathBuf,
    /// Resume the run after its last finished epoch.
    #[arg(long, conflicts_with_all = ["sets", "config", "validate", "size", "from", "epochs", "batch", "learning_rate", "lambda", "seed"])]
    resume: bool,
    /// Settings in the form of a run.toml; other options take precedence.
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Gait sets to train on.
    #[arg(long = "set", value_name = "FILE.gaits", num_args = 1..)]
    sets: Vec<PathBuf>,
    /// Gait sets to validate on after each epoch.
    #[arg(long, value_name = "FILE.gaits", num_args = 1..)]
    validate: Vec<PathBuf>,
    /// Width of the network [default: slim].
    #[arg(long, value_enum)]
    size: Option<Size>,
    /// Start from the trained weights of a run.
    #[arg(long, value_name = "RUN")]
    from: Option<PathBuf>,
    /// Number of epochs: how often each image is seen [default: 12].
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Batch size: images per step [default: 64].
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Largest learning rate [default: 0.002].
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Weight of the earth mover's distance beside the cross-entropy [default: 1].
    #[arg(long, value_name = "WEIGHT")]
    lambda: Option<f32>,
    /// Seed of the first weights, the order, the augmentation, and of who is held out [default: 1].
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Device to compute on.
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
    /// Stop after this epoch, to be resumed later with --resume.
    #[arg(long, value_name = "EPOCH")]
    until: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Size {
    /// 0.1 million parameters.
    Slim,
    /// The paper's, 7 million parameters.
    Published,
}

/// Runs the command.
pub(super) fn run(args: &GaitTrainArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let surroundings = CourseSurroundings { device: args.device.open()?, until: args.until, stop };
    let outcome = if args.resume {
        gait::resume(&args.run, &surroundings)?
    } else {
        match args.settings() {
            Ok(config) => gait::start(&args.run, config, &surroundings)?,
            Err(error) => {
                tracing::error!("{error:#}");
                return Ok(ExitCode::from(2));
            }
        }
    };
    Ok(crate::cli::tell_outcome(outcome, &args.run, "gait train"))
}

impl GaitTrainArgs {
    /// The settings of a new run.
    fn settings(&self) -> anyhow::Result<GaitConfig> {
        let mut config = match &self.config {
            Some(file) => GaitConfig::read_file(file)?,
            None => GaitConfig::default(),
        };
        if let Some(from) = &self.from {
            config.network = GaitConfig::read(from)?.network;
            config.from = Some(from.clone());
        }
        match self.size {
            Some(_) if self.from.is_some() => bail!("a run that starts from another has its size; leave --size out"),
            Some(Size::Slim) => config.network = GlCnnConfig::slim(),
            Some(Size::Published) => config.network = GlCnnConfig::default(),
            None => {}
        }
        let entries = |files: &[PathBuf]| files.iter().map(|file| GaitSetEntry::new(file)).collect::<Vec<_>>();
        if !self.sets.is_empty() {
            config.sets.train = entries(&self.sets);
        }
        if !self.validate.is_empty() {
            config.sets.validate = entries(&self.validate);
        }
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch = self.batch.unwrap_or(config.batch);
        config.schedule.learning_rate = self.learning_rate.unwrap_or(config.schedule.learning_rate);
        config.loss.lambda = self.lambda.unwrap_or(config.loss.lambda);
        config.seed = self.seed.unwrap_or(config.seed);
        config.check().map_err(anyhow::Error::msg)?;
        Ok(config)
    }
}
