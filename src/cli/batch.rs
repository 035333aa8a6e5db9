//! What `analyze` and `gait` share: what they read and write, and inputs one after the other.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use facelens_base::atomic_file::is_same_file;
use facelens_base::interrupt;
use facelens_media::{CameraFormat, Mode, Source, SourceError, SourceSpec};

use super::input_report::InputReport;
use super::limited::Limited;
use super::output::{self, OutputTarget, usage};
use super::rows::OutputFormat;
use crate::pipeline::{FrameWork, run_batch};

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
    pub video: Option<&'a Path>,
    pub seconds: Option<Duration>,
    pub camera_format: Option<&'a CameraFormat>,
}

impl Files<'_> {
    /// What can be wrong with the call, before anything is opened; where the rows go, and in which format: as `format`
    /// says or else by the extension of the output.
    pub(super) fn check<Format: OutputFormat>(&self, format: Option<Format>) -> anyhow::Result<(OutputTarget, Format)> {
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
            return Ok((OutputTarget::Stdout, format.unwrap_or(Format::ON_STDOUT)));
        }
        let format = format.or_else(|| Format::of_extension(self.output)).ok_or_else(|| {
            let (name, names) = (self.output.display(), Format::NAMES);
            usage(format!("{name}: its extension tells no format; choose it with --format {names}"))
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
    pub report: InputReport,
}

impl Batch {
    /// Opens an input; `seconds` as `--seconds`, `format` as `--camera-format`.
    pub(super) fn open(
        input: &SourceSpec,
        seconds: Option<Duration>,
        format: Option<&CameraFormat>,
        rows_on_terminal: bool,
    ) -> Result<Self, InputTrouble> {
        let source = open(input, seconds, format).map_err(|error| InputTrouble::Input(error.into()))?;
        let report = InputReport::new(input, source.info(), seconds, rows_on_terminal);
        Ok(Self { source: Some(source), report })
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
            if let Some(done) = self.report.event(event.into()) {
                written = write(done);
            }
            if written.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        written.map_err(InputTrouble::Output)?;
        let end = end.map_err(|error| InputTrouble::Input(error.into()))?;
        Ok(self.report.end(&end))
    }
}

/// Opens an input for a batch, until `seconds` where they are given.
pub(super) fn open(
    input: &SourceSpec,
    seconds: Option<Duration>,
    format: Option<&CameraFormat>,
) -> Result<Box<dyn Source>, SourceError> {
    let source = facelens_media::open_as(input, Mode::Batch, format)?;
    Ok(match seconds {
        Some(limit) => Box::new(Limited::new(source, limit)),
        None => source,
    })
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
