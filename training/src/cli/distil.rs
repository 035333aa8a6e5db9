//! `facelens-training distil`: what teachers say of faces.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{Args, Subcommand};
use facelens_base::interrupt;
use indicatif::{ProgressBar, ProgressStyle};

use crate::data::FaceSet;
use crate::distil::{LabelOptions, Teacher, check, join, label};

/// Options of `facelens-training distil`.
#[derive(Debug, Args)]
pub(super) struct DistilArgs {
    #[command(subcommand)]
    action: DistilAction,
}

#[derive(Debug, Subcommand)]
enum DistilAction {
    /// Write a copy of a set with the head poses that teacher models estimate for its faces. Head pose is the only task
    /// that can be distilled so far.
    ///
    /// Each face is shown as it is and mirrored, and both rotated by 4 degrees to either side; its label is the mean of
    /// the estimates, each rotated back. Labels are kept in OUT.faces.labels.csv: after Ctrl-C or a kill the same
    /// command continues, and with that file another --max-spread takes seconds.
    Label(LabelArgs),
    /// Write a copy of a set with labels from files: head poses that were estimated elsewhere
    /// (file,yaw,pitch,roll,spread), and ages inside their bins (file,age,sd,mass). CSV, plain or compressed by gzip;
    /// the set's faces are matched by the name of their image, ignoring its extension.
    Join(JoinArgs),
    /// Evaluate a head pose model without ground truth: how close it is to a reference, and whether its estimates
    /// follow mirroring and rotation of the image.
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct LabelArgs {
    /// The set of faces.
    set: PathBuf,

    /// A head pose model: any file that `facelens models import` understands, a model card, or the name of a model in
    /// the library of facelens. Several are averaged.
    #[arg(long, required = true, num_args = 1.., value_name = "MODEL")]
    teacher: Vec<PathBuf>,

    /// The labelled set.
    #[arg(short, long, value_name = "OUT.faces")]
    output: PathBuf,

    /// Give no pose to faces whose views disagree by more (the standard deviation over the views of the least certain
    /// angle); they are left out if neither age nor gender is known.
    #[arg(long, value_name = "DEGREES", value_parser = degrees)]
    max_spread: Option<f32>,

    /// Number of views of each face that a teacher is shown: 2 leaves out the rotated views, which is three times as
    /// fast.
    #[arg(long, value_name = "2|6", default_value = "6", value_parser = views)]
    views: usize,

    /// Number of threads; by default all cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

#[derive(Debug, Args)]
struct JoinArgs {
    /// The set of faces.
    set: PathBuf,

    /// Head poses, degrees, with the signs of 300W-LP.
    #[arg(long, value_name = "FILE", required_unless_present = "ages")]
    poses: Option<PathBuf>,

    /// Ages inside their bins, years.
    #[arg(long, value_name = "FILE")]
    ages: Option<PathBuf>,

    /// The labelled set.
    #[arg(short, long, value_name = "OUT.faces")]
    output: PathBuf,
}

#[derive(Debug, Args)]
struct CheckArgs {
    /// The set of faces. If they have a pose, the model is compared with it, too.
    set: PathBuf,

    /// The model; several are averaged.
    #[arg(long, required = true, num_args = 1.., value_name = "MODEL")]
    model: Vec<PathBuf>,

    /// What it is compared with; several are averaged.
    #[arg(long, num_args = 1.., value_name = "MODEL")]
    reference: Vec<PathBuf>,

    /// Use only the first faces of the set.
    #[arg(long, value_name = "N")]
    faces: Option<usize>,

    /// Number of threads; by default all cores.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

/// Runs `distil label | join | check`.
pub(super) fn run(args: &DistilArgs) -> anyhow::Result<ExitCode> {
    match &args.action {
        DistilAction::Label(args) => run_label(args),
        DistilAction::Join(args) => {
            let joined = join(&args.set, &args.output, args.poses.as_deref(), args.ages.as_deref())?;
            write!(std::io::stdout(), "{joined}")?;
            Ok(ExitCode::SUCCESS)
        }
        DistilAction::Check(args) => run_check(args),
    }
}

fn run_label(args: &LabelArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let teacher = Teacher::load(&args.teacher)?;
    let options = LabelOptions { threads: threads(args.threads), max_spread: args.max_spread, views: args.views };
    let bar = faces_bar(0);
    let progress = |done: usize, of: usize| {
        if bar.length() != Some(of as u64) {
            bar.set_length(of as u64);
            // A run that goes on has done some before: they do not count for its speed.
            bar.set_position(done as u64);
            bar.reset_eta();
        }
        bar.set_position(done as u64);
    };
    let done = label(&args.set, &args.output, &teacher, options, stop, progress)?;
    bar.finish_and_clear();
    let Some(summary) = done else {
        tracing::info!("interrupted; the same command continues from here");
        return Ok(interrupt::exit_code());
    };
    write!(std::io::stdout(), "{summary}")?;
    Ok(ExitCode::SUCCESS)
}

fn run_check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let model = Teacher::load(&args.model)?;
    let reference = if args.reference.is_empty() { None } else { Some(Teacher::load(&args.reference)?) };
    let mut faces = FaceSet::read(&args.set)?;
    if let Some(count) = args.faces {
        faces.truncate(count);
    }
    let rounds = 1 + usize::from(reference.is_some());
    let bar = faces_bar((faces.len() * rounds) as u64);
    let progress = |done: usize| bar.set_position(done as u64);
    let done = check(&faces, &model, reference.as_ref(), threads(args.threads), stop, progress)?;
    bar.finish_and_clear();
    let Some(check) = done else { return Ok(interrupt::exit_code()) };
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&check)?)?;
    } else {
        write!(out, "{check}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn threads(given: Option<u16>) -> usize {
    given.map_or_else(|| available_parallelism().map_or(1, usize::from), usize::from)
}

/// A bar on standard error, which indicatif hides where that is no terminal.
fn faces_bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} faces, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}

fn degrees(text: &str) -> Result<f32, String> {
    let degrees: f32 = text.parse().map_err(|error: std::num::ParseFloatError| error.to_string())?;
    if degrees.is_finite() && degrees > 0.0 { Ok(degrees) } else { Err("expected a number above 0".to_owned()) }
}

fn views(text: &str) -> Result<usize, String> {
    match text {
        "2" => Ok(2),
        "6" => Ok(6),
        _ => Err("expected 2 or 6".to_owned()),
    }
}
