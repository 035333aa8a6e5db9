//! `facelens analyze`: the faces in files, the demo or a camera, as rows.

mod parts;
mod resume;
mod table;
mod workers;

use std::io::IsTerminal as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use facelens_base::interrupt;
use facelens_core::model::{ModelSet, Task};
use facelens_core::{Analyser, Analysis, Faces, detect};
use facelens_import::Sandbox;
use facelens_media::{CameraFormat, SourceInfo, SourceSpec};
use facelens_session::overlay::{Scene, SceneOptions, SteadyLabels, paint_on_picture};
use parts::{Opening, times};
use resume::Resume;
use table::{Table, TableFormat};
use workers::{Analysed, InOrder, PartEvent, Workers};

use super::batch::{Files, exit_code, parse_seconds};
use super::input_report::InputReport;
use super::output::{OutputTarget, usage};
use super::rows::is_terminal;
use super::video::Video;
use super::{ModelArgs, make_each, one_of, output};
use crate::pipeline::{BatchEnd, BatchStop};

/// Options of `facelens analyze`.
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    /// Video files, images, folders of images, `demo`, or `camera`, `camera:NAME`, `camera:INDEX` (with --seconds).
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<SourceSpec>,

    /// Where the rows go: a file in .csv, .jsonl or .parquet; `-` is standard output.
    #[arg(short, long, value_name = "FILE|-", default_value = "-")]
    pub output: PathBuf,

    /// The format of the rows; by default chosen by the extension of the output file; JSONL on standard output.
    #[arg(long, value_name = "FORMAT", value_parser = one_of(&TableFormat::ALL, TableFormat::name))]
    pub format: Option<TableFormat>,

    /// Go on after an interruption: inputs that the output file already has rows of are not analysed again, except the
    /// last one, which may be incomplete. Give the same inputs in the same order.
    #[arg(long)]
    pub resume: bool,

    /// So many inputs, or images of a folder, are analysed at once; by default as many as there are processors. The rows
    /// and their order are the same with any number. Cameras, and inputs with --video, are analysed one after the other.
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,

    /// Also write the frames with the overlay as an MP4; single images are shown for one second.
    #[arg(long, value_name = "OUT.mp4")]
    pub video: Option<PathBuf>,

    /// Treat each image as one ready face crop: no detection, no margin.
    #[arg(long)]
    pub crops: bool,

    /// Stop each input after this many seconds: of its own time (an image of a folder counts as one second), or by the
    /// clock for a camera.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    pub seconds: Option<Duration>,

    /// The camera's format: its size, rate and pixels, e.g. `1280x720@30:MJPG`; each part may be left out. `facelens cameras
    /// --all` lists them. Without it the best for faces is taken.
    #[arg(long, value_name = "WxH@RATE:PIXELS")]
    pub camera_format: Option<CameraFormat>,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// Analyses the inputs, several at once, and writes their rows in order.
pub(super) fn run(args: &AnalyzeArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let files = Files {
        inputs: &args.inputs,
        output: &args.output,
        video: args.video.as_deref(),
        seconds: args.seconds,
        camera_format: args.camera_format.as_ref(),
    };
    let (target, format) = files.check(args.format)?;
    let resume = if args.resume { resume(args, &target, format)? } else { None };
    let one_by_one = args.video.is_some() || args.inputs.iter().any(|input| matches!(input, SourceSpec::Camera(_)));
    let jobs = if one_by_one { 1 } else { args.jobs.map_or_else(processors, NonZeroUsize::get) };
    let parts = parts::parts(&args.inputs, jobs, one_by_one || args.seconds.is_some(), resume.as_ref());

    let models = args.models.load(sandbox)?;
    tell_absent_models(&models);
    let analyser = || -> anyhow::Result<Analyser> {
        let faces =
            if args.crops { Faces::WholePicture } else { Faces::Detect(detect::create(args.models.detector())?) };
        Ok(Analyser::new(faces, models.clone()))
    };
    let analysers = make_each(jobs.min(parts.len()), analyser)?;

    let pictures_done = resume.as_ref().map_or(0, |resume| resume.pictures_done);
    let opening = Opening { seconds: args.seconds, camera_format: args.camera_format.as_ref(), pictures_done };
    let workers = Workers { parts: &parts, opening, frames: args.video.is_some() };
    let mut out = AnalyzeOutput {
        on_terminal: is_terminal(&target),
        rows: Table::new(target, format, resume.map(|resume| resume.keep)),
        video: args.video.clone().map(Video::new),
        labels: SteadyLabels::default(),
    };
    let (all_well, rows) = workers
        .run(analysers, |events| write_all(&workers, events, &mut out))
        .context("the system cannot start a thread; close other programs and try again")?;
    // Both are finished also where one of them fails.
    let video = out.video.map_or(Ok(()), Video::finish);
    rows.and_then(|()| out.rows.finish(all_well)).or_else(output::unless_stopped)?;
    video?;
    Ok(exit_code(all_well))
}

/// One for each processor, at least one.
fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Where an interrupted call goes on; `None` where there is nothing yet.
fn resume(args: &AnalyzeArgs, target: &OutputTarget, format: TableFormat) -> anyhow::Result<Option<Resume>> {
    let refused = |why: &str| usage(format!("--resume {why}"));
    match (target, format) {
        (OutputTarget::Stdout, _) => Err(refused("needs a file to go on with; name it with -o")),
        (_, TableFormat::Parquet) => {
            Err(refused("cannot go on with Parquet; write CSV or JSONL, or one file per input"))
        }
        _ if args.video.is_some() => Err(refused("cannot go on with a video; leave --video out")),
        _ if args.inputs.iter().any(|input| matches!(input, SourceSpec::Camera(_))) => {
            Err(refused("cannot go on with a camera; leave it out"))
        }
        (OutputTarget::File(file), TableFormat::Text(format)) => resume::read(file, format, &args.inputs),
    }
}

/// A hint for people: a script that reads standard error for trouble gets none.
fn tell_absent_models(models: &ModelSet) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let absent: Vec<_> = Task::ALL.into_iter().filter(|task| models.of(*task).is_empty()).map(Task::name).collect();
    if let Some(first) = absent.first() {
        output::note(format_args!(
            "there is no model for {}, so it is left out; load one with --model {first}=FILE",
            absent.join(" and ")
        ));
    }
}

/// Writes what the threads find, part by part. Gives whether all went well, and whether what is written could be written.
fn write_all(workers: &Workers<'_>, events: &mut InOrder, out: &mut AnalyzeOutput) -> (bool, anyhow::Result<()>) {
    let mut all_well = true;
    let mut input = InputTotal::new(workers.opening.pictures_done);
    for (number, part) in workers.parts.iter().enumerate() {
        let Some(events) = events.part(number) else { break };
        for event in events {
            match event {
                PartEvent::Opened(info) if part.first => {
                    let info = part.folder_info().cloned().unwrap_or(*info);
                    input.report = Some(InputReport::new(part.input, &info, workers.opening.seconds, out.on_terminal));
                    out.begin(&info);
                }
                PartEvent::Opened(_) => {}
                PartEvent::Frame(event) => {
                    let done = input.report.as_mut().and_then(|report| report.event(event));
                    if let Some(mut analysed) = done {
                        analysed.row.time_s += input.time_before_s;
                        if let Err(error) = out.write(*analysed) {
                            return (all_well, Err(error));
                        }
                    }
                }
                PartEvent::End(end) => input.add(&end, part.folder_info().is_some()),
                // What reads it may have been asked to end, too.
                PartEvent::Broken(_) if interrupt::stopped() => input.end.stop = BatchStop::Interrupted,
                PartEvent::Broken(error) => {
                    output::note(format_args!("{error:#}"));
                    (all_well, input.report) = (false, None);
                }
            }
        }
        let interrupted = input.end.stop == BatchStop::Interrupted;
        if part.last || interrupted {
            // One that broke off has told why.
            all_well &= input.report.take().is_none_or(|report| report.end(&input.end));
            input = InputTotal::new(0);
        }
        // Rows of later inputs would hide that this one is not complete.
        if interrupted {
            break;
        }
    }
    (all_well, Ok(()))
}

/// What is known of an input whose parts come one after the other.
struct InputTotal {
    report: Option<InputReport>,
    end: BatchEnd,
    /// Where the times of the next part begin, seconds.
    time_before_s: f64,
}

impl InputTotal {
    fn new(pictures_done: u64) -> Self {
        Self { report: None, end: BatchEnd::default(), time_before_s: times(pictures_done).as_secs_f64() }
    }

    fn add(&mut self, end: &BatchEnd, of_pictures: bool) {
        if of_pictures {
            self.time_before_s += times(end.analysed + end.failed).as_secs_f64();
        }
        self.end.add(end);
    }
}

/// Where the results go.
struct AnalyzeOutput {
    rows: Table,
    video: Option<Video>,
    /// What the labels in the video say.
    labels: SteadyLabels,
    on_terminal: bool,
}

impl AnalyzeOutput {
    /// Another input begins.
    fn begin(&mut self, info: &SourceInfo) {
        if let Some(video) = &mut self.video {
            video.begin(info);
        }
        self.labels = SteadyLabels::default();
    }

    fn write(&mut self, analysed: Analysed) -> anyhow::Result<()> {
        self.rows.write(analysed.row)?;
        if let (Some(video), Some(analysis)) = (&mut self.video, &analysed.analysis) {
            let frame = &analysis.frame;
            let (width, height) = (frame.width(), frame.height());
            let options = SceneOptions { mirrored: false, ..SceneOptions::default() }.for_saving(height);
            let scene = Scene::of(&self.labels.update(analysis), width, height, &options);
            video.write(frame, |rgb| paint_on_picture(&scene, rgb, width, height))?;
        }
        Ok(())
    }
}

/// The `input` of a row: as it was given; for a picture out of a folder, that picture's path.
fn row_input(input: &str, analysis: &Analysis) -> String {
    match &analysis.frame.name {
        Some(name) => Path::new(input).join(&**name).to_string_lossy().into_owned(),
        None => input.to_owned(),
    }
}
