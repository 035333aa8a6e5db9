//! What `analyze` and `gait` share: inputs one after the other, rows into a file, and what is told of both.

use std::io::{self, IsTerminal as _, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use facelens_base::atomic_file::is_same_file;
use facelens_base::interrupt;
use facelens_media::{CameraFormat, Mode, Source, SourceInfo, SourceKind, SourceSpec};
use facelens_session::RowFormat;

use super::limited::Limited;
use super::output::{self, OutputTarget, usage};
use super::progress::Progress;
use crate::pipeline::{BatchEnd, BatchEvent, BatchStop, FrameWork, run_batch};

pub(super) fn parse_format(text: &str) -> Result<RowFormat, String> {
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

/// What a call reads and writes.
pub(super) struct Files<'a> {
    pub inputs: &'a [SourceSpec],
    pub output: &'a Path,
    pub format: Option<RowFormat>,
    pub video: Option<&'a Path>,
    pub seconds: Option<Duration>,
    pub camera_format: Option<&'a CameraFormat>,
}

impl Files<'_> {
    /// What can be wrong with the call, before anything is opened.
    pub(super) fn check(&self) -> anyhow::Result<(OutputTarget, RowFormat)> {
        let is_camera = |input: &SourceSpec| matches!(input, SourceSpec::Camera(_));
        if self.camera_format.is_some() && !self.inputs.iter().any(is_camera) {
            return Err(usage("--camera-format is for cameras, and no input is one; leave it out".to_owned()));
        }
        for input in self.inputs {
            match input {
                SourceSpec::Camera(_) if self.seconds.is_none() => {
                    return Err(usage(format!("{input}: a camera never ends; limit it with --seconds N")));
                }
                SourceSpec::Path(path) if is_part_of(path, self.output) => {
                    return Err(usage(format!("{input}: it is an input and cannot be the output; choose another -o")));
                }
                SourceSpec::Path(path) if self.video.is_some_and(|video| is_part_of(path, video)) => {
                    return Err(usage(format!(
                        "{input}: it is an input and cannot be the output; choose another --video"
                    )));
                }
                _ => {}
            }
        }
        if let Some(video) = self.video {
            let is_mp4 = video.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mp4"));
            if !is_mp4 || is_same_file(video, self.output) {
                return Err(usage(format!(
                    "{}: the video is an MP4; give --video a name of its own in .mp4",
                    video.display()
                )));
            }
        }
        if self.output.as_os_str() == "-" {
            return Ok((OutputTarget::Stdout, self.format.unwrap_or(RowFormat::Jsonl)));
        }
        let format = self.format.or_else(|| RowFormat::of_extension(self.output)).ok_or_else(|| {
            let name = self.output.display();
            usage(format!(
                "{name}: its extension is neither .csv nor .jsonl; choose the format with --format csv or jsonl"
            ))
        })?;
        Ok((OutputTarget::File(self.output.to_owned()), format))
    }
}

/// Whether writing `output` would destroy `input`: that file, or a picture in that folder.
pub(super) fn is_part_of(input: &Path, output: &Path) -> bool {
    let is_picture_of = |folder: &Path| {
        let mut entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.any(|entry| is_same_file(&entry, output) && facelens_media::is_picture_file(&entry))
    };
    is_same_file(input, output) || (output.is_file() && input.is_dir() && is_picture_of(input))
}

/// Why an input was not analysed to its end.
pub(super) enum InputTrouble {
    /// It is the input's fault: the others go on.
    Input(anyhow::Error),
    /// What is written cannot be written: nothing more can be done.
    Output(anyhow::Error),
}

/// Goes through the inputs one after the other. Gives whether all went well, and whether what is written could be written.
pub(super) fn each(
    inputs: &[SourceSpec],
    mut analyse: impl FnMut(&SourceSpec) -> Result<bool, InputTrouble>,
) -> (bool, anyhow::Result<()>) {
    let stop = interrupt::flag();
    let mut all_well = true;
    for input in inputs {
        match analyse(input) {
            Ok(well) => all_well &= well,
            // What reads it may have been asked to end, too.
            Err(InputTrouble::Input(_)) if interrupt::stopped() => {}
            Err(InputTrouble::Input(error)) => {
                output::note(format_args!("{error:#}"));
                all_well = false;
            }
            Err(InputTrouble::Output(error)) => return (all_well, Err(error)),
        }
        if stop.load(std::sync::atomic::Ordering::SeqCst) {
            break;
        }
    }
    (all_well, Ok(()))
}

/// The exit code when nothing but inputs failed.
pub(super) fn exit_code(all_well: bool) -> ExitCode {
    match (interrupt::stopped(), all_well) {
        (true, _) => interrupt::exit_code(),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::FAILURE,
    }
}

/// One opened input.
pub(super) struct Batch {
    source: Option<Box<dyn Source>>,
    /// The input as it was given.
    pub name: String,
    /// What it promises.
    pub info: SourceInfo,
    pub progress: Progress,
    failed: u64,
}

impl Batch {
    /// Opens an input; `seconds` as `--seconds`, `format` as `--camera-format`.
    pub(super) fn open(
        input: &SourceSpec,
        seconds: Option<Duration>,
        format: Option<&CameraFormat>,
        rows_on_terminal: bool,
    ) -> Result<Self, InputTrouble> {
        let mut source =
            facelens_media::open_as(input, Mode::Batch, format).map_err(|error| InputTrouble::Input(error.into()))?;
        if let Some(limit) = seconds {
            source = Box::new(Limited::new(source, limit));
        }
        let info = source.info().clone();
        let progress = Progress::new(&info, seconds, rows_on_terminal);
        Ok(Self { source: Some(source), name: input.to_string(), info, progress, failed: 0 })
    }

    /// The `input` of rows: a camera's name, anything else as it was given.
    pub(super) fn input(&self) -> &str {
        if self.info.kind == SourceKind::Camera { &self.info.name } else { &self.name }
    }

    /// Works on every frame and writes what comes of it; `false` where a part of the input failed and was told.
    pub(super) fn run<Work: FrameWork<Error: std::fmt::Display>>(
        &mut self,
        work: &mut Work,
        mut write: impl FnMut(Work::Done) -> anyhow::Result<()>,
    ) -> Result<bool, InputTrouble> {
        let Some(source) = self.source.take() else { return Ok(true) };
        let mut written = Ok(());
        let end = run_batch(source, work, interrupt::flag(), |event| {
            match event {
                BatchEvent::Analysed(done) => {
                    self.progress.frame();
                    written = write(done);
                    if written.is_err() {
                        return ControlFlow::Break(());
                    }
                }
                BatchEvent::Failed { frame, error } => {
                    self.failed += 1;
                    if self.failed == 1 {
                        self.progress.note(format_args!("{}: frame {}: {error}", self.name, frame.sequence));
                    }
                }
                BatchEvent::Skipped(error) => self.progress.note(format_args!("{error}; it is skipped")),
                BatchEvent::Damaged(error) => self.progress.note(format_args!("{error}")),
                BatchEvent::Stalled { silent_for } => self.progress.stalled(silent_for),
                BatchEvent::Disconnected { reason } => self.progress.disconnected(&reason),
            }
            ControlFlow::Continue(())
        });
        written.map_err(InputTrouble::Output)?;
        let end = end.map_err(|error| InputTrouble::Input(error.into()))?;
        Ok(self.tell(&end))
    }

    /// Tells what was lost; `false` where something failed.
    fn tell(&self, end: &BatchEnd) -> bool {
        let (name, failed) = (&self.name, self.failed);
        if failed > 1 {
            self.progress.note(format_args!("{name}: {failed} frames failed this way"));
        }
        if end.damaged > 0 {
            let (damaged, captured) = (end.damaged, end.captured.max(end.damaged));
            self.progress.note(format_args!(
                "{name}: {damaged} of {captured} pictures came damaged and were left out; try another cable or port"
            ));
        }
        if end.dropped > 0 {
            let (dropped, captured) = (end.dropped, end.captured);
            self.progress.note(format_args!(
                "{name}: {dropped} of {captured} frames were dropped: newer ones arrived before their turn"
            ));
        }
        if end.analysed == 0 && end.stop == BatchStop::End && end.skipped == 0 && failed == 0 {
            let is_camera = self.info.kind == SourceKind::Camera;
            let what = if is_camera { "it delivered no image" } else { "it contains no frame" };
            self.progress.note(format_args!("{name}: {what}"));
            return false;
        }
        failed == 0 && end.skipped == 0
    }
}

/// The rows' way out. A file is made when the first row comes, so that a mistake in the inputs destroys nothing.
pub(super) struct Rows<Writer> {
    target: OutputTarget,
    format: RowFormat,
    writer: Option<Writer>,
    make: fn(RowFormat, Box<dyn Write>) -> Writer,
    flush: fn(&mut Writer) -> io::Result<()>,
}

impl<Writer> Rows<Writer> {
    /// Rows that nothing was written of yet. `make` and `flush` are the writer's own.
    pub(super) fn new(
        target: OutputTarget,
        format: RowFormat,
        make: fn(RowFormat, Box<dyn Write>) -> Writer,
        flush: fn(&mut Writer) -> io::Result<()>,
    ) -> Self {
        Self { target, format, writer: None, make, flush }
    }

    /// Writes by the writer, which is made for it where there is none yet.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Writer) -> io::Result<()>) -> anyhow::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert((self.make)(self.format, self.target.create()?)),
        };
        write(writer).map_err(|error| self.target.failed(&error))
    }

    /// Makes the file also where there was nothing to write, unless the inputs failed.
    pub(super) fn finish(mut self, all_well: bool) -> anyhow::Result<()> {
        let flush = self.flush;
        if self.writer.is_some() || all_well { self.write(flush) } else { Ok(()) }
    }

    pub(super) fn on_terminal(&self) -> bool {
        self.target == OutputTarget::Stdout && io::stdout().is_terminal()
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
