//! The command line: one file per subcommand; no vision code here.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use clap_lex::OsStrExt as _;
use facelens_core::detect::DetectorKind;
use facelens_core::model::{ModelSet, Task};
use facelens_import::{Library, Sandbox};
use facelens_media::{CameraChoice, CameraFormat, SourceSpec};

use crate::outputs::{Address, OPENTRACK_PORT, WantedJsonl, WantedOutputs};

mod analyze;
mod batch;
mod bench;
mod cameras;
mod chart;
mod completions;
mod eval;
mod export;
mod gait;
mod input_report;
mod limited;
mod models;
mod output;
mod progress;
mod record;
mod recover;
mod replay;
mod rows;
mod stdout;
mod try_model;
mod video;

pub use analyze::AnalyzeArgs;
pub use bench::BenchArgs;
pub use cameras::CamerasArgs;
pub use completions::CompletionsArgs;
pub use eval::EvalArgs;
pub(crate) use eval::reads_labels;
pub use export::ExportArgs;
pub use facelens_base::interrupt;
pub use gait::GaitArgs;
pub use models::ModelsArgs;
pub use record::RecordArgs;
pub use recover::RecoverArgs;
pub use replay::ReplayArgs;
pub use try_model::TryModelArgs;

/// Age, gender and head pose, live from a webcam. Without a command, the window opens.
#[derive(Debug, Parser)]
#[command(name = "facelens", version = env!("FACELENS_VERSION"), about)]
pub struct Cli {
    /// What to do; without a command, the window opens.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// What the window opens on.
    #[command(flatten)]
    pub window: WindowArgs,
}

/// Options of the window.
#[derive(Clone, Debug, Default, Args)]
pub struct WindowArgs {
    /// `camera`, `camera:NAME`, `camera:INDEX`, `camera:DEVICE`, `demo`, a video file, an image, or a folder of images.
    // A desktop entry can name a file or none; the option stands alone then.
    #[arg(long, value_name = "SRC", num_args = 0..=1, default_missing_value = "")]
    pub source: Option<SourceSpec>,

    /// A camera by its name, number or device, as `facelens cameras` lists them.
    #[arg(long, value_name = "NAME|INDEX|DEVICE", conflicts_with = "source")]
    pub camera: Option<CameraChoice>,

    /// The camera's format: its size, rate and pixels, e.g. `1280x720@30:MJPG`; each part may be left out. `facelens cameras
    /// --all` lists them. By default the one that is best for faces.
    #[arg(long, value_name = "WxH@RATE:PIXELS")]
    pub camera_format: Option<CameraFormat>,

    /// Send the head pose to opentrack's input "UDP over network", at 127.0.0.1:4242 unless another address is given.
    #[arg(long, value_name = "HOST:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1", value_parser = parse_opentrack)]
    pub opentrack: Option<Address>,

    /// Send each frame's data as a line of JSON to this address by UDP, or to standard output (`-`).
    #[arg(long, value_name = "HOST:PORT|-", allow_hyphen_values = true)]
    pub jsonl: Option<WantedJsonl>,

    /// Show the image as a camera to other programs (Linux with the module v4l2loopback): on the first virtual camera that
    /// is free, or on the one of this number, device or name.
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, default_missing_value = "")]
    pub virtual_camera: Option<CameraChoice>,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// Which models to use.
#[derive(Clone, Debug, Default, Args)]
pub struct ModelArgs {
    /// Use this file, or the model of this name that `facelens models list` shows, for age, gender or pose. Given several
    /// times for one task, the outputs are averaged. A model for several tasks is used for the tasks it is given for.
    #[arg(long = "model", value_name = "TASK=FILE", value_parser = OsStringValueParser::new().try_map(parse_model))]
    pub model: Vec<(Task, PathBuf)>,

    /// The face detector.
    #[arg(long, value_name = "NAME", value_parser = one_of(&DetectorKind::ALL, DetectorKind::name))]
    pub detector: Option<DetectorKind>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Find the faces in files, the demo or a camera, and write age, gender and head pose as JSONL or CSV.
    Analyze(AnalyzeArgs),
    /// Track people who walk in videos, and write the metrics and the gait energy image of each stride.
    Gait(GaitArgs),
    /// Open the window on a recorded session, to play it back.
    Replay(ReplayArgs),
    /// Write a recorded session in another format: data, subtitles, or its video with or without the overlay.
    Export(ExportArgs),
    /// Record a session (video and data) from a camera, a file or the demo, without the window.
    Record(RecordArgs),
    /// Complete recordings that were interrupted by a crash, a kill or a power cut.
    Recover(RecoverArgs),
    /// Evaluate the models on labelled images.
    Eval(EvalArgs),
    /// Time the networks and whole frames on this machine, on one thread.
    Bench(BenchArgs),
    /// List the cameras.
    Cameras(CamerasArgs),
    /// List, show, check or import model files.
    Models(ModelsArgs),
    /// Write the completions of a shell to standard output.
    Completions(CompletionsArgs),
    /// Write the manual page to standard output.
    #[command(hide = true)]
    Man,
    /// Read and try one model file under limits, for the program that started this one.
    #[command(hide = true)]
    TryModel(TryModelArgs),
}

impl ModelArgs {
    /// The models in use: those that ship, and in their place the files that the command line names.
    fn load(&self, sandbox: &Sandbox) -> anyhow::Result<ModelSet> {
        Ok(Library::open(sandbox).model_set(&self.model)?)
    }

    /// The detector in use.
    fn detector(&self) -> DetectorKind {
        self.detector.unwrap_or(DetectorKind::ALL[0])
    }
}

/// The file's name may be any that the system allows.
#[expect(clippy::needless_pass_by_value, reason = "clap hands it over")]
fn parse_model(text: OsString) -> Result<(Task, PathBuf), String> {
    let (task, file) = text.split_once("=").ok_or("expected TASK=FILE, e.g. pose=fsanet.h5")?;
    let task: Task = task.to_string_lossy().parse()?;
    if file.is_empty() {
        return Err("the file is missing after `=`".into());
    }
    Ok((task, file.into()))
}

/// Nobody is asked for the machine of a name: that may take many seconds, and is done beside the window.
fn parse_opentrack(text: &str) -> Result<Address, String> {
    Address::parse(text, Some(OPENTRACK_PORT))
}

/// Whether `--source` stands alone.
fn is_empty(source: &SourceSpec) -> bool {
    matches!(source, SourceSpec::Path(path) if path.as_os_str().is_empty())
}

/// Takes the name of one of `values`; help and completions list them.
fn one_of<T: Copy + Send + Sync + 'static>(
    values: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(values.iter().map(|value| name(*value))).try_map(move |text| {
        values.iter().copied().find(|value| name(*value) == text).ok_or("it is none of the possible values")
    })
}

/// So many of what `make` makes, each on a thread of its own: a detector alone takes a tenth of a second, and programs with
/// many workers need as many.
fn make_each<T: Send>(count: usize, make: impl Fn() -> anyhow::Result<T> + Sync) -> anyhow::Result<Vec<T>> {
    std::thread::scope(|scope| {
        let makers: Vec<_> = (0..count).map(|_| scope.spawn(&make)).collect();
        let made =
            makers.into_iter().map(|maker| maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        made.collect()
    })
}

/// Runs a command; model files are tried in `sandbox`. Errors go to the caller, who prints them once and exits with 1.
///
/// # Errors
/// One sentence that names the file or device, the cause and what to do.
pub fn run(command: Command, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    match command {
        Command::Analyze(args) => analyze::run(&args, sandbox),
        Command::Gait(args) => gait::run(&args),
        Command::Replay(args) => replay::run(&args, sandbox),
        Command::Export(args) => export::run(&args),
        Command::Record(args) => record::run(&args, sandbox),
        Command::Recover(args) => recover::run(&args),
        Command::Eval(args) => eval::run(&args, sandbox),
        Command::Bench(args) => bench::run(&args, sandbox),
        Command::Cameras(args) => cameras::run(&args),
        Command::Models(args) => models::run(&args, sandbox),
        Command::Completions(args) => completions::run(&args),
        Command::Man => completions::man(),
        Command::TryModel(args) => try_model::run(&args),
    }
}

/// Opens the window as the command line asks; model files are tried in `sandbox`.
///
/// # Errors
/// Where the system gives no window.
pub fn open_window(args: WindowArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let options = crate::app::AppOptions {
        source: args.source.filter(|source| !is_empty(source)).or(args.camera.map(SourceSpec::Camera)),
        models: args.models.model,
        detector: args.models.detector,
        camera_format: args.camera_format,
        session: None,
        outputs: WantedOutputs { opentrack: args.opentrack, jsonl: args.jsonl, camera: args.virtual_camera },
    };
    crate::app::run(options, sandbox)?;
    Ok(after_window())
}

/// The exit code when the window is closed: by its user, or because the program was asked to end.
fn after_window() -> ExitCode {
    if interrupt::stopped() { interrupt::exit_code() } else { ExitCode::SUCCESS }
}

/// Prints an error as one sentence on standard error and gives the exit code that goes with it: 2 for a wrong call, 1
/// otherwise. Where the reader of standard output has gone, nothing is printed and the exit code is 0.
pub fn report(error: &anyhow::Error) -> ExitCode {
    output::report(error)
}
