//! `facelens try-model`: the process that reads and tries a model file which nobody vouches for.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use facelens_core::model::Task;
use facelens_import::{Limits, try_model};

/// Options of `facelens try-model`.
#[derive(Debug, clap::Args)]
pub struct TryModelArgs {
    /// Most memory that this process takes.
    #[arg(long, value_name = "N")]
    memory_bytes: u64,

    /// Most processor time that this process takes.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    processor_seconds: Duration,

    /// Most time that its parent waits.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    seconds: Duration,

    /// What the model is to estimate.
    #[arg(long)]
    task: Option<Task>,

    /// The model file or card.
    file: PathBuf,
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// Tries the file and writes the answer to standard output.
pub(super) fn run(args: &TryModelArgs) -> anyhow::Result<ExitCode> {
    // A panic over a broken file is part of the answer, not something to report.
    std::panic::set_hook(Box::new(|_| {}));
    let limits =
        Limits { memory_bytes: args.memory_bytes, processor_time: args.processor_seconds, elapsed_time: args.seconds };
    try_model(&args.file, args.task, &limits, &mut io::stdout().lock()).context("the trial cannot be run")?;
    Ok(ExitCode::SUCCESS)
}
