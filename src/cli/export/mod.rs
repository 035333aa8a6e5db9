//! `facelens export`: a recorded session in another format.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use facelens_base::interrupt;
use facelens_session::export::{
    self, ExportFormat, StoppableWriter, VideoExport, VideoExportError, VideoPlan, default_name,
};
use facelens_session::{SessionFolder, SessionNotice, WriteError, WriteErrorKind};

use super::one_of;
use super::output::{self, OutputTarget, note, usage};
use super::progress::Progress;

/// Options of `facelens export`.
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The session's folder.
    #[arg(value_name = "SESSION")]
    pub session: PathBuf,

    /// What to write: the rows as `analyze` writes them (csv, jsonl), a table for pandas, polars and R (parquet), CSV with
    /// OpenFace's columns (openface), subtitles (srt), or the video (mp4). By default chosen by the extension of -o.
    #[arg(long, value_name = "FORMAT", value_parser = one_of(&ExportFormat::ALL, ExportFormat::name))]
    pub to: Option<ExportFormat>,

    /// The new file; `-` is standard output, for text. By default a file in the session's folder; its name is printed
    /// at the end.
    #[arg(short, long, value_name = "FILE|-")]
    pub output: Option<PathBuf>,

    /// Only this person, by the number in the overlay and the data; may be given several times.
    #[arg(long, value_name = "ID")]
    pub person: Vec<u64>,

    /// mp4: with the overlay, drawn again from the data, or without.
    #[arg(long, value_name = "SWITCH", value_parser = one_of(&[true, false], switch))]
    pub overlay: Option<bool>,

    /// Replace the file if it already exists.
    #[arg(long)]
    pub force: bool,
}

/// Whether a switch is on.
const fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// Exports a session.
pub(super) fn run(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let format = format(args)?;
    let session = SessionFolder::open(&args.session)?;
    let overlay = args.overlay.unwrap_or(true);
    // The rows are in everything but a copy of the video.
    let data = if format == ExportFormat::Mp4 && !overlay { Ok(true) } else { check_data(&session) };
    for notice in session.notices.iter().filter(|notice| data.is_ok() || session.unread() != Some(notice)) {
        note(format_args!("{}: {notice}", args.session.display()));
    }
    let data_whole = data?;
    check_people(&session, &args.person)?;
    let target = match &args.output {
        Some(output) if output.as_os_str() == "-" => OutputTarget::Stdout,
        Some(output) => OutputTarget::File(output.clone()),
        None => OutputTarget::File(session.path.join(default_name(&session, format, &args.person, overlay))),
    };
    if let OutputTarget::File(file) = &target {
        check_file(&session, file, args.force)?;
    }
    let code = match (format, &target) {
        (ExportFormat::Mp4, OutputTarget::File(file)) => export_video(&session, &args.person, overlay, file)?,
        (_, OutputTarget::File(file)) => {
            interrupt::flag();
            let written = write_file(&session, format, args, file);
            if interrupt::stopped() {
                return Ok(interrupt::exit_code());
            }
            written?;
            ExitCode::SUCCESS
        }
        (_, OutputTarget::Stdout) => {
            let mut stdout = StoppableWriter { writer: output::stdout()?, stop: &mut interrupt::stopped };
            let written = export::write_data(&session, format, &args.person, &mut stdout);
            if interrupt::stopped() {
                return Ok(interrupt::exit_code());
            }
            written.map_err(|error| target.failed(&error))?;
            ExitCode::SUCCESS
        }
    };
    if let (OutputTarget::File(file), None) = (&target, &args.output) {
        note(format_args!("written: {}", file.display()));
    }
    // A part of the data is never passed for the whole.
    Ok(if data_whole { code } else { ExitCode::FAILURE })
}

/// Whether the data were read whole. A last row that is cut off is missing in what is written, whatever else cannot be
/// read is an error: nobody could tell the file from a whole one.
fn check_data(session: &SessionFolder) -> anyhow::Result<bool> {
    let file = session.path.join(&session.info.data);
    match session.unread() {
        None => Ok(true),
        Some(SessionNotice::CutRow) => Ok(false),
        Some(notice) => Err(anyhow::anyhow!(
            "{}: nothing is exported, because {notice}; correct the file, or record or analyse again",
            file.display()
        )),
    }
}

/// What to write, and whether the call makes sense.
fn format(args: &ExportArgs) -> anyhow::Result<ExportFormat> {
    let by_name = args.output.as_deref().and_then(ExportFormat::of_extension);
    let Some(format) = args.to.or(by_name) else {
        return Err(usage(match &args.output {
            Some(output) => format!("{}: the extension names no export format; choose one with --to", output.display()),
            None => "choose a format: --to csv, jsonl, parquet, openface, srt or mp4, or a name with -o".to_owned(),
        }));
    };
    if args.overlay.is_some() && format != ExportFormat::Mp4 {
        return Err(usage(format!("--overlay is for mp4; {} has no images", format.name())));
    }
    if args.overlay == Some(false) && !args.person.is_empty() {
        return Err(usage("--person chooses whose overlay is drawn; with --overlay off there is none"));
    }
    if args.output.as_ref().is_some_and(|output| output.as_os_str() == "-") && !format.is_text() {
        return Err(usage(format!("{} cannot be written to standard output; name a file with -o", format.name())));
    }
    Ok(format)
}

/// A person who never appears is more likely a slip than a wish for an empty file.
fn check_people(session: &SessionFolder, people: &[u64]) -> anyhow::Result<()> {
    let known: Vec<u64> = session.people().into_iter().map(|person| person.id).collect();
    let Some(id) = people.iter().find(|id| !known.contains(id)) else { return Ok(()) };
    let there = if known.is_empty() {
        "nobody appears in it".to_owned()
    } else {
        let list: Vec<String> = known.iter().map(u64::to_string).collect();
        format!("there are {}", list.join(", "))
    };
    Err(usage(format!("{}: there is no person {id} in this session; {there}", session.path.display())))
}

/// The session's own files are never replaced, others only where the user says so.
fn check_file(session: &SessionFolder, file: &Path, force: bool) -> anyhow::Result<()> {
    if export::is_own_file(session, file) {
        return Err(usage(format!(
            "{}: it is a part of the session and is never replaced; choose another -o",
            file.display()
        )));
    }
    // A device or a named pipe is written into; nothing of it is lost.
    if !force && file.metadata().is_ok_and(|there| there.is_file() || there.is_dir()) {
        return Err(exists(file).into());
    }
    Ok(())
}

fn exists(file: &Path) -> WriteError {
    let remedy = "choose another name with -o, or add --force";
    WriteError::new(WriteErrorKind::Exists, file, "it already exists and is not overwritten", remedy)
}

/// Writes data so that the file is whole or not there.
fn write_file(session: &SessionFolder, format: ExportFormat, args: &ExportArgs, file: &Path) -> anyhow::Result<()> {
    let written = export::write_data_file(session, format, &args.person, file, args.force, &mut interrupt::stopped);
    Ok(written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(file),
        _ => WriteError::io(file, &error),
    })?)
}

fn export_video(session: &SessionFolder, people: &[u64], overlay: bool, file: &Path) -> anyhow::Result<ExitCode> {
    let video = match export::plan_video(session, overlay, people)? {
        VideoPlan::Copy(video) => {
            if overlay {
                note(format_args!(
                    "the session has no video without overlay: {} is copied with the overlay that was recorded",
                    video.file
                ));
            }
            export::copy_video(session, &video, file)?;
            return Ok(ExitCode::SUCCESS);
        }
        VideoPlan::Draw(video) => video,
    };
    let stop = interrupt::flag();
    let mut export = VideoExport::new(session, &video, people, file)?;
    let mut progress = Progress::new(export.info(), None, false);
    let result = loop {
        if stop.load(Ordering::SeqCst) {
            break Ok(());
        }
        match export.step() {
            Ok(true) => progress.frame(),
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    drop(progress);
    // The file is finished also where the next picture could not be read.
    let finished = export.finish();
    result.with_context(|| format!("{}: it is not complete", file.display()))?;
    match finished? {
        _ if interrupt::stopped() => Ok(interrupt::exit_code()),
        Some(_) => Ok(ExitCode::SUCCESS),
        None => Err(VideoExportError::NoVideo(session.path.clone()).into()),
    }
}
