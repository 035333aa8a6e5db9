//! `facelens gait`: the strides of people who walk through films, as rows.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use facelens_core::frame::Frame;
use facelens_core::track::IdentityNumbers;
use facelens_gait::{
    AgeByGait, BodyNetwork, GaitAgeModel, GaitAnalyser, GaitError, GaitFrame, GaitOptions, Shows, Stride,
};
use facelens_media::{CameraFormat, SourceKind, SourceSpec};
use facelens_session::overlay::{GaitScene, Scene, SceneOptions};
use facelens_session::{GaitRow, GaitWriter, RowFormat};
use images::GeiImages;
use tally::Tally;

use super::batch::{Batch, Files, InputTrouble, each, exit_code, parse_seconds};
use super::input_report::row_name;
use super::one_of;
use super::output::{self, OutputTarget};
use super::rows::Rows;
use super::video::Video;
use crate::pipeline::FrameWork;

mod images;
mod tally;

/// Options of `facelens gait`.
///
/// Each row is one stride of one walker: its time, and the metrics that can be measured from this view. They do not say
/// why somebody walks like this: a stick, a limp, a heavy bag or a long coat change them as much as age does.
#[derive(Debug, clap::Args)]
pub struct GaitArgs {
    /// Videos: video files, `demo`, or `camera`, `camera:NAME`, `camera:INDEX` (with --seconds).
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<SourceSpec>,

    /// Where the rows go; `-` is standard output.
    #[arg(short, long, value_name = "FILE.csv|FILE.jsonl|-", default_value = "-")]
    pub output: PathBuf,

    /// The format of the rows; by default chosen by the extension of the output file; JSONL on standard output.
    #[arg(long, value_name = "FORMAT", value_parser = one_of(&RowFormat::ALL, RowFormat::name))]
    pub format: Option<RowFormat>,

    /// Also write each stride's gait energy image as a PNG of 44x64 pixels into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub gei: Option<PathBuf>,

    /// Also write the frames with outlines, numbers and gait energy images as an MP4.
    #[arg(long, value_name = "OUT.mp4")]
    pub video: Option<PathBuf>,

    /// Which network segments people: `lite`, or `full`, which is more stable and half as fast.
    #[arg(long, value_name = "NETWORK", default_value = "lite", value_parser = one_of(&BodyNetwork::ALL, BodyNetwork::name))]
    pub body: BodyNetwork,

    /// A model that estimates the age from gait: its card, or its .onnx with the card beside it. Its card says what it
    /// may show.
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,

    /// Stop each input after this many seconds: of its own time, or by the clock for a camera.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    pub seconds: Option<Duration>,

    /// The camera's format: its size, rate and pixels, e.g. `1280x720@30:MJPG`; each part may be left out. `facelens cameras
    /// --all` lists them. Without it the best for faces is taken.
    #[arg(long, value_name = "WxH@RATE:PIXELS")]
    pub camera_format: Option<CameraFormat>,
}

/// Analyses the inputs one after the other.
pub(super) fn run(args: &GaitArgs) -> anyhow::Result<ExitCode> {
    let files = Files {
        inputs: &args.inputs,
        output: &args.output,
        video: args.video.as_deref(),
        seconds: args.seconds,
        camera_format: args.camera_format.as_ref(),
    };
    let (target, format) = files.check::<RowFormat>(args.format)?;
    let images = args.gei.clone().map(GeiImages::new).transpose()?;
    let numbers = IdentityNumbers::new();
    let age = match &args.model {
        Some(file) => Some(read_model(file)?),
        None => None,
    };
    let options = GaitOptions { body: args.body, age, numbers: numbers.clone() };
    let mut walks = Walks { analyser: GaitAnalyser::new(options)?, numbers };
    let make = move |target: &OutputTarget| Ok(GaitWriter::new(format, target.create()?));
    let rows = Rows::new(target, Box::new(make), GaitWriter::flush);
    let mut out = GaitOutput { rows, images, video: args.video.clone().map(Video::new) };
    let (all_well, rows) = each(&args.inputs, |input| analyse(input, args, &mut walks, &mut out));
    // Both are finished also where one of them fails.
    let video = out.video.map_or(Ok(()), Video::finish);
    rows.and_then(|()| out.rows.finish(all_well)).or_else(output::unless_stopped)?;
    video?;
    Ok(exit_code(all_well))
}

/// The model in a file; a word where it tells nothing.
fn read_model(file: &Path) -> anyhow::Result<Box<dyn AgeByGait>> {
    let model = GaitAgeModel::read(file)?;
    if model.shows() == Shows::Measures {
        output::note(format_args!(
            "{}: its card does not allow it to show an age (`shows`); `facelens-training gait eval` determines what it \
             may show",
            file.display()
        ));
    }
    Ok(Box::new(model))
}

/// The gaits of one input after the other.
struct Walks {
    analyser: GaitAnalyser,
    numbers: IdentityNumbers,
}

impl FrameWork for Walks {
    type Done = (Arc<Frame>, GaitFrame);
    type Error = GaitError;

    /// People are counted anew in each input.
    fn reset(&mut self) {
        self.analyser.reset();
        self.numbers.restart();
    }

    fn work(&mut self, frame: Arc<Frame>) -> Result<Self::Done, GaitError> {
        let seen = self.analyser.analyse(&frame, &[])?;
        Ok((frame, seen))
    }
}

/// Analyses one input; `false` where a part of it failed and was told.
fn analyse(input: &SourceSpec, args: &GaitArgs, walks: &mut Walks, out: &mut GaitOutput) -> Result<bool, InputTrouble> {
    let mut batch = Batch::open(input, args.seconds, args.camera_format.as_ref(), out.rows.on_terminal())?;
    let name = row_name(input, &batch.report.info);
    if batch.report.info.kind == SourceKind::Pictures {
        let words = "single images show no steps; use a video (a file, or a camera)";
        return Err(InputTrouble::Input(anyhow::anyhow!("{name}: {words}")));
    }
    if let Some(video) = &mut out.video {
        video.begin(&batch.report.info);
    }
    if let Some(images) = &mut out.images {
        images.begin(input);
    }
    let mut tally = Tally::default();
    let well = batch.run(walks, |(frame, seen)| {
        tally.add(&frame, &seen);
        out.write(&name, &frame, &seen)
    })?;
    let last = walks.analyser.finish().map_err(|error| InputTrouble::Input(error.into()))?;
    tally.add_strides(&last);
    out.write_strides(&name, &last).map_err(InputTrouble::Output)?;
    for words in tally.words() {
        batch.report.note(format_args!("{name}: {words}"));
    }
    Ok(well)
}

/// Where the results go.
struct GaitOutput {
    rows: Rows<GaitWriter<Box<dyn Write + Send>>>,
    images: Option<GeiImages>,
    video: Option<Video>,
}

impl GaitOutput {
    fn write(&mut self, input: &str, frame: &Frame, seen: &GaitFrame) -> anyhow::Result<()> {
        self.write_strides(input, &seen.strides)?;
        if let Some(video) = &mut self.video {
            let (width, height) = (frame.width(), frame.height());
            let options = SceneOptions { mirrored: false, ..SceneOptions::default() }.for_saving(height);
            let scene = GaitScene::of(&seen.walkers, &Scene::default(), width, height, &options);
            video.write(frame, |rgb| scene.paint(rgb, width, height))?;
        }
        Ok(())
    }

    fn write_strides(&mut self, input: &str, strides: &[Stride]) -> anyhow::Result<()> {
        for stride in strides {
            let image = self.images.as_mut().map_or(Ok(None), |images| images.write(stride))?;
            let Some(row) = GaitRow::new(input, stride, image) else { continue };
            // Every stride is handed to the system at once: whatever ends the program, the rows so far are there.
            self.rows.write(|writer| writer.write(&row).and_then(|()| writer.flush()))?;
        }
        Ok(())
    }
}
