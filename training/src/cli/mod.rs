//! The command line: one file per command.

mod calibrate;
mod distil;
mod export;
mod follow;
mod gait;
mod prepare;
mod train;
mod walkers;

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use facelens_base::interrupt;

use crate::train::Outcome;

/// Prepares faces and gaits, trains SSR-Net, FSA-Net and GL-CNN, and exports them for facelens.
#[derive(Debug, Parser)]
#[command(version)]
struct TrainingCli {
    #[command(subcommand)]
    command: TrainingCommand,
}

#[derive(Debug, Subcommand)]
enum TrainingCommand {
    /// Find the faces of a published data set, or its gaits, and write them, with their labels, to one file.
    Prepare(prepare::PrepareArgs),
    /// Label faces with teacher models.
    Distil(distil::DistilArgs),
    /// Train a network on sets of faces, or resume a stopped run.
    Train(train::TrainArgs),
    /// Export a trained network as a model for facelens.
    Export(export::FaceExportArgs),
    /// Draw synthetic walkers.
    Walkers(walkers::FilmArgs),
    /// Train, export and evaluate networks that estimate the age from gait.
    Gait(gait::GaitTrainingArgs),
    /// Train and export the network that follows a face from frame to frame.
    Follow(follow::FollowArgs),
    /// Calibrate a model: fit its age range and its gender probability on faces that it never saw, and write both into
    /// its card.
    Calibrate(calibrate::CalibrateArgs),
}

/// Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
pub fn main() -> ExitCode {
    let cli = TrainingCli::parse();
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours).without_time().with_target(false).init();
    let done: anyhow::Result<ExitCode> = match cli.command {
        TrainingCommand::Prepare(args) => prepare::run(&args),
        TrainingCommand::Distil(args) => distil::run(&args),
        TrainingCommand::Train(args) => train::run(&args),
        TrainingCommand::Export(args) => export::run(&args),
        TrainingCommand::Walkers(args) => walkers::film(&args),
        TrainingCommand::Gait(args) => gait::run(&args),
        TrainingCommand::Follow(args) => follow::run(&args),
        TrainingCommand::Calibrate(args) => calibrate::run(&args),
    };
    match done {
        Ok(code) => code,
        Err(error) if reader_is_gone(&error) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether what failed was to write to standard output that nobody reads any more (`| head`).
fn reader_is_gone(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Says how a training run ended; `command` is the one that goes on with it.
fn tell_outcome(outcome: Outcome, run: &Path, command: &str) -> ExitCode {
    let folder = run.display();
    match outcome {
        Outcome::Done => {
            tracing::info!("done: {folder}");
            return ExitCode::SUCCESS;
        }
        Outcome::Stopped { epochs: 0 } => {
            tracing::info!("stopped before an epoch was finished; delete {folder} and start again");
        }
        Outcome::Stopped { epochs } => {
            tracing::info!("stopped; epoch {epochs} is kept: {command} --run {folder} --resume continues");
        }
    }
    if interrupt::stopped() { interrupt::exit_code() } else { ExitCode::SUCCESS }
}
