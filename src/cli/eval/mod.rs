//! `facelens eval`: the models against labelled pictures.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{bail, ensure};
use chart::Chart;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use facelens_base::interrupt;
use facelens_core::model::{ModelSet, Task};
use facelens_import::Sandbox;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use labels::Labels;
use measure::{EvalMethod, EvalOutcome, measure};
use metrics::{EvalMetrics, EvalReport, EvalSample, Groups};

use super::chart::ChartFile;
use super::{ModelArgs, output};

mod chart;
mod honesty;
mod images;
mod labels;
mod measure;
mod metrics;
mod perturb;
mod table;

pub(super) use table::align;

/// Whether a file of labels is taken: for the fuzz tests.
pub(crate) fn reads_labels(file: &std::path::Path) -> bool {
    Labels::read(file).is_ok()
}

/// Options of `facelens eval`.
///
/// Each image is analysed by itself, without smoothing. If an image has several faces, the label refers to the large
/// one in the middle. An image without a detected face counts only in `detected`.
#[derive(Debug, clap::Args)]
pub struct EvalArgs {
    /// A CSV with `file` and any of `age` or `age_min`,`age_max` (completed years; an empty `age_max` is an open end),
    /// `gender` (`female` or `male`), `yaw`,`pitch`,`roll` (degrees). Tables of Excel, pandas and R are read, too.
    #[arg(long, value_name = "L.csv")]
    pub labels: PathBuf,

    /// Where the labelled images are: folders, and archives (.tar, .tar.gz, .zip), read without unpacking.
    #[arg(long, value_name = "DIR|FILE.tar", required = true, num_args = 1..)]
    pub images: Vec<PathBuf>,

    /// Evaluate this task: age, gender or pose; by default all that have labels and a model.
    #[arg(long, value_name = "TASK")]
    pub task: Vec<Task>,

    /// Treat each image as one ready face crop: no detection, no margin.
    #[arg(long)]
    pub crops: bool,

    /// Rotate each image by this many degrees first, one clockwise, the next counter-clockwise, to measure robustness
    /// to in-plane rotation. Head pose is compared after rotating it back.
    #[arg(long, value_name = "DEGREES", default_value_t = 0.0, value_parser = parse_turn, conflicts_with = "crops")]
    pub turn: f32,

    /// Also measure the stability of the estimates: each face is shifted, scaled, rotated by 5 degrees, mirrored, made
    /// grey, lighter, darker, and compressed as JPEG. Takes fourteen times as long.
    #[arg(long, conflicts_with = "crops")]
    pub perturb: bool,

    /// One JSON document instead of a table.
    #[arg(long)]
    pub json: bool,

    /// Also draw the errors by age, gender and yaw, with 95 % intervals, into this file.
    #[arg(long, value_name = "FILE.svg|FILE.png", value_parser = OsStringValueParser::new().try_map(ChartFile::try_from))]
    pub chart: Option<ChartFile>,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// Measures and prints the figures on standard output.
pub(super) fn run(args: &EvalArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    if let Some(chart) = &args.chart {
        chart.check_folder()?;
        chart.check_inputs(args.images.iter().chain([&args.labels]).cloned())?;
    }
    let labels = Labels::read(&args.labels)?;
    if let Some(chart) = &args.chart {
        let rows = labels.rows().iter();
        chart.check_inputs(rows.flat_map(|row| args.images.iter().map(|folder| folder.join(&row.file))))?;
    }
    let mut models = args.models.load(sandbox)?;
    let tasks = tasks(args, &labels, &models)?;
    for task in Task::ALL.into_iter().filter(|task| !tasks.contains(task)) {
        models.set(task, Vec::new());
    }
    let detector = (!args.crops).then(|| args.models.detector());
    let progress = progress_bar(labels.rows().len());
    let method = EvalMethod { models: &models, detector, turn_degrees: args.turn, perturb: args.perturb };
    let outcomes = measure(&args.images, &labels, &method, &progress, stop);
    progress.finish_and_clear();
    let outcomes = outcomes?;
    if interrupt::stopped() {
        output::note("interrupted; no metrics are computed from a part of the images");
        return Ok(interrupt::exit_code());
    }
    let samples = samples(&labels, &outcomes);
    let report = report(&samples, &outcomes, &tasks);
    tell_what_is_not_counted(&labels, &outcomes);
    ensure!(
        report.all.n > 0,
        "{}: none of its {} images could be read from --images",
        args.labels.display(),
        labels.rows().len()
    );
    let text = if args.json { format!("{}\n", serde_json::to_string(&report)?) } else { table::table(&report) };
    let printed = output::print(&text);
    if let Some(file) = &args.chart {
        let name = args.labels.file_name().unwrap_or_default().to_string_lossy();
        let faces =
            detector.map_or_else(|| "ready crops".to_owned(), |detector| format!("detector {}", detector.name()));
        let (models, samples, all) = (&models, samples.as_slice(), &report.all);
        file.write(&Chart { models, faces: &faces, labels: &name, samples, all }.scene())?;
    }
    // A reader that has gone keeps the chart from nobody.
    printed.map(|()| ExitCode::SUCCESS)
}

fn parse_turn(text: &str) -> Result<f32, String> {
    let degrees = text.parse::<f32>().ok().filter(|degrees| (0.0..=180.0).contains(degrees));
    degrees.ok_or_else(|| "it must be from 0 to 180".to_owned())
}

/// Which tasks are measured. One that was asked for by name must have labels and a model.
fn tasks(args: &EvalArgs, labels: &Labels, models: &ModelSet) -> anyhow::Result<Vec<Task>> {
    for task in &args.task {
        ensure!(labels.have(*task), "{}: there are no labels for {task}", args.labels.display());
        ensure!(!models.of(*task).is_empty(), "there is no model for {task}; give one with --model {task}=FILE");
    }
    let tasks: Vec<_> = Task::ALL
        .into_iter()
        .filter(|task| args.task.is_empty() || args.task.contains(task))
        .filter(|task| labels.have(*task) && !models.of(*task).is_empty())
        .collect();
    if tasks.is_empty() {
        let labelled: Vec<_> = Task::ALL.into_iter().filter(|task| labels.have(*task)).map(Task::name).collect();
        bail!(
            "{}: there are labels for {}, but no model for that; give one with --model TASK=FILE",
            args.labels.display(),
            labelled.join(" and ")
        );
    }
    Ok(tasks)
}

/// The pictures that were read.
fn samples<'a>(labels: &'a Labels, outcomes: &[Option<EvalOutcome>]) -> Vec<EvalSample<'a>> {
    labels
        .rows()
        .iter()
        .zip(outcomes)
        .filter_map(|(label, outcome)| match outcome.as_ref()? {
            EvalOutcome::Estimated(estimate, scatter) => {
                Some(EvalSample { label, estimate: Some(estimate.clone()), scatter: *scatter })
            }
            EvalOutcome::NoFace => Some(EvalSample { label, estimate: None, scatter: None }),
            EvalOutcome::Unreadable(_) => None,
        })
        .collect()
}

fn report(samples: &[EvalSample], outcomes: &[Option<EvalOutcome>], tasks: &[Task]) -> EvalReport {
    EvalReport {
        all: EvalMetrics::of(samples.iter(), tasks),
        missing: outcomes.iter().filter(|outcome| outcome.is_none()).count(),
        unreadable: outcomes.iter().filter(|outcome| matches!(outcome, Some(EvalOutcome::Unreadable(_)))).count(),
        groups: Groups::of(samples, tasks),
    }
}

/// Names the pictures that are missing or cannot be read; of many, the first ones.
fn tell_what_is_not_counted(labels: &Labels, outcomes: &[Option<EvalOutcome>]) {
    const NAMED: usize = 5;
    let more = |count: usize| if count > NAMED { format!(" and {} more", count - NAMED) } else { String::new() };

    let rows = labels.rows().iter().zip(outcomes);
    let missing: Vec<_> = rows.filter(|(_, outcome)| outcome.is_none()).map(|(label, _)| label.file.as_str()).collect();
    if !missing.is_empty() {
        let first = missing[..missing.len().min(NAMED)].join(", ");
        output::note(format_args!("not in the given images: {first}{}", more(missing.len())));
    }
    let unreadable: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Some(EvalOutcome::Unreadable(words)) => Some(words),
            _ => None,
        })
        .collect();
    for words in unreadable.iter().take(NAMED) {
        output::note(format_args!("{words}; it is not counted"));
    }
    if unreadable.len() > NAMED {
        output::note(format_args!("{} more images cannot be read", unreadable.len() - NAMED));
    }
}

/// A bar on standard error, hidden where that is no terminal.
fn progress_bar(pictures: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(pictures as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} images, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
