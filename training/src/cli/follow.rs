//! `facelens-training follow`: trains and exports the network that follows a face.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use facelens_base::interrupt;

use crate::device::DeviceKind;
use crate::follow::{self, FollowConfig, FollowSet, FollowSetEntry};
use crate::train::CourseSurroundings;

/// Options of `facelens-training follow`.
#[derive(Debug, Args)]
pub(super) struct FollowArgs {
    #[command(subcommand)]
    action: FollowAction,
}

#[derive(Debug, Subcommand)]
enum FollowAction {
    /// Train the network on follow sets (`prepare follow`), or resume a stopped run.
    Train(FollowTrainArgs),
    /// Export a trained network, checked against the graph number by number.
    Export(FollowExportArgs),
}

/// A run is a folder: run.toml (all its settings), history.csv (one row for each epoch) and state/ (the last finished
/// epoch). A stopped run is resumed with `follow train --run FOLDER --resume`, with the same result.
#[derive(Debug, Args)]
struct FollowTrainArgs {
    /// Folder of the run; it must be new, or hold the run to resume.
    #[arg(long, value_name = "FOLDER")]
    run: PathBuf,
    /// Resume the run after its last finished epoch.
    #[arg(long, conflicts_with_all = ["sets", "config", "validate", "epochs", "batch", "learning_rate", "seed"])]
    resume: bool,
    /// Settings in the form of a run.toml; other options take precedence.
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Follow sets to train on.
    #[arg(long = "set", value_name = "FILE.follow", num_args = 1..)]
    sets: Vec<PathBuf>,
    /// Follow sets to validate on after each epoch.
    #[arg(long, value_name = "FILE.follow", num_args = 1..)]
    validate: Vec<PathBuf>,
    /// Number of epochs: how often each face is seen [default: 40].
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Batch size: crops per step [default: 64].
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Largest learning rate [default: 0.002].
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Seed of the first weights, the order and the crops [default: 1].
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// Device to compute on.
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
    /// Stop after this epoch, to be resumed later with --resume.
    #[arg(long, value_name = "EPOCH")]
    until: Option<usize>,
}

#[derive(Debug, Args)]
struct FollowExportArgs {
    /// The folder of a run, as `follow train` writes it.
    run: PathBuf,
    /// A follow set, on whose faces network and graph are compared.
    #[arg(long, value_name = "FILE.follow")]
    set: PathBuf,
    /// Name of the file, without .onnx.
    #[arg(long, default_value = "facelens-follow")]
    name: String,
    /// The folder to write to.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Replace a file of this name.
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(super) fn run(args: &FollowArgs) -> anyhow::Result<ExitCode> {
    match &args.action {
        FollowAction::Train(args) => train(args),
        FollowAction::Export(args) => export(args),
    }
}

fn train(args: &FollowTrainArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let surroundings = CourseSurroundings { device: args.device.open()?, until: args.until, stop };
    let outcome = if args.resume {
        follow::resume(&args.run, &surroundings)?
    } else {
        match args.settings() {
            Ok(config) => follow::start(&args.run, config, &surroundings)?,
            Err(error) => {
                tracing::error!("{error:#}");
                return Ok(ExitCode::from(2));
            }
        }
    };
    Ok(super::tell_outcome(outcome, &args.run, "follow train"))
}

impl FollowTrainArgs {
    /// The settings of a new run.
    fn settings(&self) -> anyhow::Result<FollowConfig> {
        let mut config = match &self.config {
            Some(file) => FollowConfig::read_file(file)?,
            None => FollowConfig::default(),
        };
        let entries = |files: &[PathBuf]| files.iter().map(|file| FollowSetEntry::new(file)).collect::<Vec<_>>();
        if !self.sets.is_empty() {
            config.sets.train = entries(&self.sets);
        }
        if !self.validate.is_empty() {
            config.sets.validate = entries(&self.validate);
        }
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch = self.batch.unwrap_or(config.batch);
        config.schedule.learning_rate = self.learning_rate.unwrap_or(config.schedule.learning_rate);
        config.seed = self.seed.unwrap_or(config.seed);
        config.check().map_err(anyhow::Error::msg)?;
        Ok(config)
    }
}

fn export(args: &FollowExportArgs) -> anyhow::Result<ExitCode> {
    let device = DeviceKind::Cpu.open()?;
    let (_, net) = follow::load(&args.run, &device)?;
    let set = FollowSet::read(&args.set)?;
    let (file, sha256, verified) = follow::export(&net, &set, &args.output, &args.name, args.force)?;
    tracing::info!(
        "tract and burn agree to {:.1e} on {} crops, and with each of {} tensors changed",
        verified.largest_of_all(),
        verified.inputs,
        verified.tensors
    );
    if !verified.silent.is_empty() {
        tracing::warn!("whatever they are, these move no answer: {}", verified.silent.join(", "));
    }
    writeln!(std::io::stdout(), "{}\nsha256 {sha256}", file.display())?;
    Ok(ExitCode::SUCCESS)
}
