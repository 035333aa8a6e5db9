//! The command line: one file per subcommand; no vision code here.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::detect::DetectorKind;
use crate::model::Task;
use crate::source::SourceSpec;

mod cameras;
mod models;

pub use cameras::CamerasArgs;
pub use models::ModelsArgs;

/// Age, gender and head pose, live from a webcam. Without a command, the window opens.
#[derive(Debug, Parser)]
#[command(name = "facelens", version, about)]
pub struct Cli {
    /// What to do; the window without it.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What the window opens on.
    #[command(flatten)]
    pub window: WindowArgs,
}

/// Options of the window.
#[derive(Clone, Debug, Default, Args)]
pub struct WindowArgs {
    /// `camera`, `camera:NAME`, `camera:INDEX`, `demo`, a video file, a picture, or a folder of pictures.
    #[arg(long, value_name = "SRC")]
    pub source: Option<SourceSpec>,

    /// A camera by its name or number, as `facelens cameras` lists them.
    #[arg(long, value_name = "NAME|INDEX", conflicts_with = "source")]
    pub camera: Option<String>,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// Which models to use.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelArgs {
    /// Use this file for age, gender or pose; given several times for one task, the outputs are averaged.
    #[arg(long = "model", value_name = "TASK=FILE", value_parser = parse_model)]
    pub model: Vec<(Task, PathBuf)>,

    /// How faces are found: `blaze-back`, `blaze-front` or `seeta`.
    #[arg(long, value_name = "NAME", value_parser = parse_detector)]
    pub detector: Option<DetectorKind>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the cameras.
    Cameras(CamerasArgs),
    /// List, show, check or import model files.
    Models(ModelsArgs),
}

fn parse_model(text: &str) -> Result<(Task, PathBuf), String> {
    let (task, file) = text.split_once('=').ok_or("expected TASK=FILE, e.g. pose=fsanet.h5")?;
    if file.is_empty() {
        return Err("the file is missing after `=`".into());
    }
    Ok((task.parse()?, PathBuf::from(file)))
}

fn parse_detector(text: &str) -> Result<DetectorKind, String> {
    DetectorKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| format!("there is no detector `{text}`; there are blaze-back, blaze-front and seeta"))
}

/// Runs a command. Errors go to the caller, who prints them once and exits with 1.
///
/// # Errors
/// One sentence that names the file or device, the cause and what to do.
pub fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Cameras(args) => cameras::run(&args),
        Command::Models(args) => models::run(&args),
    }
}

/// Opens the window as the command line asks.
///
/// # Errors
/// Where the system gives no window.
pub fn open_window(args: WindowArgs) -> anyhow::Result<()> {
    let camera = args.camera.map(|camera| {
        let Ok(choice) = camera.parse();
        SourceSpec::Camera(choice)
    });
    crate::app::run(crate::app::AppOptions {
        source: args.source.or(camera),
        models: args.models.model,
        detector: args.models.detector,
    })
}

/// Prints an error as one sentence on standard error.
pub fn report(error: &anyhow::Error) {
    use std::io::Write as _;
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(std::io::stderr(), "facelens: {error:#}");
}
