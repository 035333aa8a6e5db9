//! A session exported into a file, with progress, until it is done or cancelled.

use std::io::{self, BufWriter, ErrorKind, IntoInnerError, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{Access, AtomicFile};

use super::video::{VideoExport, VideoExportError, VideoPlan, copy_video, plan_video};
use super::{ExportFormat, is_own_file, write_data};
use crate::file_error::{WriteError, WriteErrorKind};
use crate::folder::{SessionFolder, SessionNotice};

/// What to export, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportRequest {
    /// The format.
    pub format: ExportFormat,
    /// These people alone; everybody where it is empty.
    pub people: Vec<u64>,
    /// [`ExportFormat::Mp4`]: with the overlay, drawn anew from the data.
    pub overlay: bool,
    /// The new file.
    pub file: PathBuf,
    /// A file that is there already is replaced.
    pub replace: bool,
}

/// How far an export of a video is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportProgress {
    /// Frames that are written.
    pub done: u64,
    /// Frames that there are.
    pub all: u64,
}

/// How an export ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportEnd {
    /// The file is there.
    Written,
    /// It was cancelled: there is no file, and one that was there before is as it was.
    Cancelled,
}

/// Why a session cannot be exported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionExportError {
    /// The data cannot be read whole; nobody could tell the file from a whole one.
    #[error("{}: nothing is exported, because {notice}; correct the file, or record or analyse again", file.display())]
    Data {
        /// The file of the data.
        file: PathBuf,
        /// What is wrong with it.
        notice: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// There is no such video, or it cannot be read.
    #[error(transparent)]
    Video(#[from] VideoExportError),
}

/// Exports a session into a file, which is whole or not there. `go_on` is called again and again; [`ControlFlow::Break`]
/// cancels.
///
/// # Errors
/// [`SessionExportError`]. Where a damaged video breaks off, the part before that is in the file.
pub fn export_to_file(
    session: &SessionFolder,
    request: &ExportRequest,
    go_on: &mut (dyn FnMut(ExportProgress) -> ControlFlow<()> + Send),
) -> Result<ExportEnd, SessionExportError> {
    let ExportRequest { format, people, overlay, file, replace } = request;
    // The rows are in everything but a copy of the video.
    let rows_matter = *format != ExportFormat::Mp4 || *overlay;
    if let Some(notice) = session.unread().filter(|notice| rows_matter && **notice != SessionNotice::CutRow) {
        let data = session.path.join(&session.info.data);
        return Err(SessionExportError::Data { file: data, notice: notice.to_string() });
    }
    if is_own_file(session, file) {
        let cause = "it is a part of the session and is never replaced";
        return Err(WriteError::new(WriteErrorKind::Exists, file, cause, "choose another name").into());
    }
    // A device or a named pipe is written into; nothing of it is lost.
    if !replace && file.metadata().is_ok_and(|there| there.is_file() || there.is_dir()) {
        return Err(exists(file).into());
    }
    match format {
        ExportFormat::Mp4 => export_video(session, request, go_on),
        _ => {
            let mut stopped = false;
            let mut stop = || {
                stopped |= go_on(ExportProgress { done: 0, all: 0 }).is_break();
                stopped
            };
            let written = write_data_file(session, *format, people, file, *replace, &mut stop);
            match written {
                _ if stopped => Ok(ExportEnd::Cancelled),
                Ok(()) => Ok(ExportEnd::Written),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(file).into()),
                Err(error) => Err(WriteError::io(file, &error).into()),
            }
        }
    }
}

fn exists(file: &Path) -> WriteError {
    let cause = "it already exists and is not overwritten";
    WriteError::new(WriteErrorKind::Exists, file, cause, "choose another name")
}

fn export_video(
    session: &SessionFolder,
    request: &ExportRequest,
    go_on: &mut (dyn FnMut(ExportProgress) -> ControlFlow<()> + Send),
) -> Result<ExportEnd, SessionExportError> {
    let video = match plan_video(session, request.overlay, &request.people)? {
        VideoPlan::Copy(video) => {
            copy_video(session, &video, &request.file)?;
            return Ok(ExportEnd::Written);
        }
        VideoPlan::Draw(video) => video,
    };
    let mut export = VideoExport::new(session, &video, &request.people, &request.file)?;
    let mut progress = ExportProgress { done: 0, all: export.info().frame_count.unwrap_or(session.rows.len() as u64) };
    let result = loop {
        if go_on(progress).is_break() {
            export.abandon();
            return Ok(ExportEnd::Cancelled);
        }
        match export.step() {
            Ok(true) => progress.done += 1,
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    // The file is finished also where the next picture could not be read.
    let finished = export.finish();
    result?;
    match finished? {
        Some(_) => Ok(ExportEnd::Written),
        None => Err(VideoExportError::NoVideo(session.path.clone()).into()),
    }
}

/// Writes the data of a session into a file, which is whole or not there. `stop` is asked before each write; once it says
/// `true`, the rest fails.
///
/// # Errors
/// What the system says; [`ErrorKind::AlreadyExists`] for a file that is there and not to be replaced.
pub fn write_data_file(
    session: &SessionFolder,
    format: ExportFormat,
    people: &[u64],
    file: &Path,
    replace: bool,
    stop: &mut (dyn FnMut() -> bool + Send),
) -> io::Result<()> {
    let mut new = BufWriter::new(StoppableWriter { writer: AtomicFile::create(file, Access::Usual)?, stop });
    write_data(session, format, people, &mut new)?;
    let StoppableWriter { writer, .. } = new.into_inner().map_err(IntoInnerError::into_error)?;
    if replace { writer.commit() } else { writer.commit_new() }
}

/// A writer that fails once it is to stop.
pub struct StoppableWriter<'a, W> {
    /// What is written to.
    pub writer: W,
    /// Whether to stop.
    pub stop: &'a mut (dyn FnMut() -> bool + Send),
}

impl<W: Write> Write for StoppableWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.stop)() {
            return Err(io::Error::other("interrupted"));
        }
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}
