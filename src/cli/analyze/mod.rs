//! `facelens analyze`: the faces in files, the demo or a camera, as rows.

use std::io::{IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::output::{Target, usage};
use super::progress::Progress;
use super::{ModelArgs, output};
use crate::atomic_file::is_same_file;
use crate::detect;
use crate::interrupt;
use crate::model::{ModelSet, Sandbox, Task};
use crate::pipeline::{Analyser, Analysis, BatchEvent, BatchStop, Faces, run_batch};
use crate::session::{FrameRow, RowFormat, RowWriter};
use crate::source::{self, Mode, SourceKind, SourceSpec};
use limited::Limited;
use video::Video;

mod limited;
mod video;

/// Options of `facelens analyze`.
#[derive(Debug, clap::Args)]
pub struct AnalyzeArgs {
    /// Video files, pictures, folders of pictures, `demo`, or `camera`, `camera:NAME`, `camera:INDEX` (with --seconds).
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<SourceSpec>,

    /// Where the rows go; `-` is standard output.
    #[arg(short, long, value_name = "FILE.csv|FILE.jsonl|-", default_value = "-")]
    pub output: PathBuf,

    /// How the rows are written; without it the output's ending tells, and standard output gets JSONL.
    #[arg(long, value_name = "csv|jsonl", value_parser = parse_format)]
    pub format: Option<RowFormat>,

    /// Also write the frames with the overlay as an MP4; single pictures stand a second each.
    #[arg(long, value_name = "OUT.mp4")]
    pub video: Option<PathBuf>,

    /// Take each picture as one ready face crop: no detection, no margin.
    #[arg(long)]
    pub crops: bool,

    /// Stop each input after this many seconds: of its own time (a picture of a folder stands for one), or by the clock for
    /// a camera.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    pub seconds: Option<Duration>,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

fn parse_format(text: &str) -> Result<RowFormat, String> {
    match text {
        "csv" => Ok(RowFormat::Csv),
        "jsonl" => Ok(RowFormat::Jsonl),
        _ => Err("the formats are csv and jsonl".into()),
    }
}

/// A positive number of seconds.
pub(super) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration > Duration::ZERO => Ok(duration),
        _ => Err("expected a number of seconds above 0".into()),
    }
}

/// Analyses the inputs one after the other.
pub(super) fn run(args: &AnalyzeArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let (target, format) = check(args)?;
    let stop = interrupt::flag();
    let models = args.models.load(sandbox)?;
    tell_absent_models(&models);
    let faces = if args.crops { Faces::WholePicture } else { Faces::Detect(detect::create(args.models.detector())?) };
    let mut analyser = Analyser::new(faces, models);
    let mut out = Out { rows: Rows { target, format, writer: None }, video: args.video.clone().map(Video::new) };
    let mut all_well = true;
    let mut rows = Ok(());
    for input in &args.inputs {
        match analyse(input, args, &mut analyser, &mut out) {
            Ok(well) => all_well &= well,
            // What reads it may have been asked to end, too.
            Err(Trouble::Input(_)) if interrupt::stopped() => {}
            Err(Trouble::Input(error)) => {
                output::note(format_args!("{error:#}"));
                all_well = false;
            }
            Err(Trouble::Output(error)) => {
                rows = Err(error);
                break;
            }
        }
        if stop.load(std::sync::atomic::Ordering::SeqCst) {
            break;
        }
    }
    // Both are finished also where one of them fails.
    let video = out.video.map_or(Ok(()), Video::finish);
    rows.and_then(|()| out.rows.finish(all_well)).or_else(output::unless_stopped)?;
    video?;
    Ok(match (interrupt::stopped(), all_well) {
        (true, _) => interrupt::exit_code(),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    })
}

/// What can be wrong with the call, before anything is opened.
fn check(args: &AnalyzeArgs) -> anyhow::Result<(Target, RowFormat)> {
    for input in &args.inputs {
        match input {
            SourceSpec::Camera(_) if args.seconds.is_none() => {
                return Err(usage(format!("{input}: a camera has no end; say how long with --seconds N")));
            }
            SourceSpec::Path(path) if is_part_of(path, &args.output) => {
                return Err(usage(format!("{input}: it is an input and cannot be the output; choose another -o")));
            }
            SourceSpec::Path(path) if args.video.as_ref().is_some_and(|video| is_part_of(path, video)) => {
                return Err(usage(format!("{input}: it is an input and cannot be the output; choose another --video")));
            }
            _ => {}
        }
    }
    if let Some(video) = &args.video {
        let is_mp4 = video.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mp4"));
        if !is_mp4 || is_same_file(video, &args.output) {
            return Err(usage(format!(
                "{}: the video is an MP4; give --video a name of its own in .mp4",
                video.display()
            )));
        }
    }
    if args.output.as_os_str() == "-" {
        return Ok((Target::Stdout, args.format.unwrap_or(RowFormat::Jsonl)));
    }
    let format = args.format.or_else(|| RowFormat::of_extension(&args.output)).ok_or_else(|| {
        let name = args.output.display();
        usage(format!("{name}: its ending is neither .csv nor .jsonl; say how to write it with --format csv or jsonl"))
    })?;
    Ok((Target::File(args.output.clone()), format))
}

/// Whether writing `output` would destroy `input`: that file, or a picture in that folder.
fn is_part_of(input: &Path, output: &Path) -> bool {
    let is_picture_of = |folder: &Path| {
        let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.any(|entry| is_same_file(&entry, output) && source::is_picture_file(&entry))
    };
    is_same_file(input, output) || (output.is_file() && input.is_dir() && is_picture_of(input))
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

/// Why an input was not analysed to its end.
enum Trouble {
    /// It is the input's fault: the others go on.
    Input(anyhow::Error),
    /// The rows cannot be written: nothing more can be done.
    Output(anyhow::Error),
}

/// Analyses one input; `false` where a part of it failed and was told.
fn analyse(input: &SourceSpec, args: &AnalyzeArgs, analyser: &mut Analyser, out: &mut Out) -> Result<bool, Trouble> {
    let mut source = source::open(input, Mode::Batch).map_err(|error| Trouble::Input(error.into()))?;
    if let Some(limit) = args.seconds {
        source = Box::new(Limited::new(source, limit));
    }
    let (name, kind) = (input.to_string(), source.info().kind);
    let mut progress = Progress::new(source.info(), args.seconds, out.rows.on_terminal());
    if let Some(video) = &mut out.video {
        video.begin(source.info());
    }
    let mut failed = 0_u64;
    let mut written = Ok(());
    let end = run_batch(source, analyser, interrupt::flag(), |event| {
        match event {
            BatchEvent::Analysed(analysis) => {
                progress.frame();
                written = out.write(&name, &analysis);
                if written.is_err() {
                    return ControlFlow::Break(());
                }
            }
            BatchEvent::Failed { frame, error } => {
                failed += 1;
                if failed == 1 {
                    progress.note(format_args!("{name}: frame {}: {error}", frame.sequence));
                }
            }
            BatchEvent::Skipped(error) => progress.note(format_args!("{error}; it is passed over")),
            BatchEvent::Damaged(error) => progress.note(format_args!("{error}")),
            BatchEvent::Stalled { silent_for } => progress.stalled(silent_for),
            BatchEvent::Disconnected { reason } => progress.disconnected(&reason),
        }
        ControlFlow::Continue(())
    });
    written.map_err(Trouble::Output)?;
    let end = end.map_err(|error| Trouble::Input(error.into()))?;
    if failed > 1 {
        progress.note(format_args!("{name}: {failed} frames failed like that"));
    }
    if end.dropped > 0 {
        let (dropped, captured) = (end.dropped, end.captured);
        progress.note(format_args!(
            "{name}: {dropped} of {captured} frames were dropped: newer ones came before their turn"
        ));
    }
    if end.analysed == 0 && end.stop == BatchStop::End && end.skipped == 0 && failed == 0 {
        let what = if kind == SourceKind::Camera { "it gave no picture" } else { "there is no frame in it" };
        progress.note(format_args!("{name}: {what}"));
        return Ok(false);
    }
    Ok(failed == 0 && end.skipped == 0)
}

/// Where the results go.
struct Out {
    rows: Rows,
    video: Option<Video>,
}

impl Out {
    fn write(&mut self, input: &str, analysis: &Analysis) -> anyhow::Result<()> {
        self.rows.write(input, analysis)?;
        if let Some(video) = &mut self.video {
            video.write(analysis)?;
        }
        Ok(())
    }
}

/// The rows' way out. A file is made when the first row comes, so that a mistake in the inputs destroys nothing.
struct Rows {
    target: Target,
    format: RowFormat,
    writer: Option<RowWriter<Box<dyn Write>>>,
}

impl Rows {
    fn write(&mut self, input: &str, analysis: &Analysis) -> anyhow::Result<()> {
        let row = FrameRow::new(row_input(input, analysis), analysis);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(RowWriter::new(self.format, self.target.create()?)),
        };
        // Every frame is handed to the system at once: whatever ends the program, the rows so far are there.
        writer.write(&row).and_then(|()| writer.flush()).map_err(|error| self.target.failed(&error))
    }

    /// Makes the file also where there was nothing to write, unless the inputs failed.
    fn finish(mut self, all_well: bool) -> anyhow::Result<()> {
        if self.writer.is_none() && all_well {
            self.writer = Some(RowWriter::new(self.format, self.target.create()?));
        }
        match &mut self.writer {
            Some(writer) => writer.flush().map_err(|error| self.target.failed(&error)),
            None => Ok(()),
        }
    }

    fn on_terminal(&self) -> bool {
        self.target == Target::Stdout && std::io::stdout().is_terminal()
    }
}

/// The `input` of a row: as it was given; for a picture out of a folder, that picture's path.
fn row_input(input: &str, analysis: &Analysis) -> String {
    match &analysis.frame.name {
        Some(name) => Path::new(input).join(&**name).to_string_lossy().into_owned(),
        None => input.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_above_zero() {
        assert_eq!(parse_seconds("1.5"), Ok(Duration::from_millis(1500)));
        for text in ["0", "-1", "nan", "inf", "ten", ""] {
            assert!(parse_seconds(text).is_err(), "{text}");
        }
    }
}
