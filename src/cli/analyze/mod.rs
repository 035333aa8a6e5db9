//! `facelens analyze`: the faces in files, the demo or a camera, as rows.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use facelens_core::model::{ModelSet, Task};
use facelens_core::{Analyser, Analysis, Faces, detect};
use facelens_import::Sandbox;
use facelens_media::{CameraFormat, SourceSpec};
use facelens_session::overlay::{Scene, SceneOptions, SteadyLabels, paint_on_picture};
use facelens_session::{FrameRow, RowFormat, RowWriter};

use super::batch::{Batch, Files, InputTrouble, Rows, each, exit_code, parse_format, parse_seconds};
use super::video::Video;
use super::{ModelArgs, output};

/// Options of `facelens analyze`.
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    /// Video files, images, folders of images, `demo`, or `camera`, `camera:NAME`, `camera:INDEX` (with --seconds).
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<SourceSpec>,

    /// Where the rows go; `-` is standard output.
    #[arg(short, long, value_name = "FILE.csv|FILE.jsonl|-", default_value = "-")]
    pub output: PathBuf,

    /// The format of the rows; by default chosen by the extension of the output file; JSONL on standard output.
    #[arg(long, value_name = "csv|jsonl", value_parser = parse_format)]
    pub format: Option<RowFormat>,

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

/// Analyses the inputs one after the other.
pub(super) fn run(args: &AnalyzeArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let files = Files {
        inputs: &args.inputs,
        output: &args.output,
        format: args.format,
        video: args.video.as_deref(),
        seconds: args.seconds,
        camera_format: args.camera_format.as_ref(),
    };
    let (target, format) = files.check()?;
    let models = args.models.load(sandbox)?;
    tell_absent_models(&models);
    let faces = if args.crops { Faces::WholePicture } else { Faces::Detect(detect::create(args.models.detector())?) };
    let mut analyser = Analyser::new(faces, models);
    let rows = Rows::new(target, format, RowWriter::new, RowWriter::flush);
    let mut out = AnalyzeOutput { rows, video: args.video.clone().map(Video::new), labels: SteadyLabels::default() };
    let (all_well, rows) = each(&args.inputs, |input| analyse(input, args, &mut analyser, &mut out));
    // Both are finished also where one of them fails.
    let video = out.video.map_or(Ok(()), Video::finish);
    rows.and_then(|()| out.rows.finish(all_well)).or_else(output::unless_stopped)?;
    video?;
    Ok(exit_code(all_well))
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

/// Analyses one input; `false` where a part of it failed and was told.
fn analyse(
    input: &SourceSpec,
    args: &AnalyzeArgs,
    analyser: &mut Analyser,
    out: &mut AnalyzeOutput,
) -> Result<bool, InputTrouble> {
    let mut batch = Batch::open(input, args.seconds, args.camera_format.as_ref(), out.rows.on_terminal())?;
    let name = batch.input().to_owned();
    if let Some(video) = &mut out.video {
        video.begin(&batch.info);
    }
    out.labels = SteadyLabels::default();
    batch.run(analyser, |analysis| out.write(&name, &analysis))
}

/// Where the results go.
struct AnalyzeOutput {
    rows: Rows<RowWriter<Box<dyn Write>>>,
    video: Option<Video>,
    labels: SteadyLabels,
}

impl AnalyzeOutput {
    fn write(&mut self, input: &str, analysis: &Analysis) -> anyhow::Result<()> {
        let row = FrameRow::new(row_input(input, analysis), analysis);
        // Every frame is handed to the system at once: whatever ends the program, the rows so far are there.
        self.rows.write(|writer| writer.write(&row).and_then(|()| writer.flush()))?;
        if let Some(video) = &mut self.video {
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
