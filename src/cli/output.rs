//! Standard output and standard error, with closed pipes handled.

use std::fmt;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use facelens_base::atomic_file::cause;
use facelens_base::interrupt;

use super::stdout::PatientWriter;

/// Something is wrong with how the program was called; it exits with 2.
#[derive(Debug)]
pub(super) struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// A wrong call, in words that say how it is right.
pub(super) fn usage(words: impl Into<String>) -> anyhow::Error {
    UsageError(words.into()).into()
}

/// The reader of standard output has gone: nothing is left to do, and nothing went wrong.
#[derive(Debug)]
pub(super) struct StdoutClosed;

impl fmt::Display for StdoutClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for StdoutClosed {}

/// Where data goes, for the words of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum OutputTarget {
    /// Standard output (`-`).
    Stdout,
    /// A file.
    File(PathBuf),
}

impl OutputTarget {
    /// The writer; a file is made new.
    pub fn create(&self) -> anyhow::Result<Box<dyn Write + Send>> {
        match self {
            Self::Stdout => Ok(Box::new(stdout()?)),
            Self::File(path) => {
                Ok(Box::new(std::fs::File::create(path).map_err(|error| cannot_be_written(path, &error))?))
            }
        }
    }

    /// A writer that goes on behind the first `keep` bytes of the file that is there; what follows them is cut off.
    pub fn continue_after(&self, keep: u64) -> anyhow::Result<Box<dyn Write + Send>> {
        let Self::File(path) = self else { return self.create() };
        let open = || {
            let mut file = std::fs::File::options().write(true).open(path)?;
            file.set_len(keep)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        Ok(Box::new(open().map_err(|error: io::Error| cannot_be_written(path, &error))?))
    }

    /// The error that a failed write to this target is.
    pub fn failed(&self, error: &io::Error) -> anyhow::Error {
        match self {
            // A file may be a named pipe, or standard output by another name.
            _ if error.kind() == io::ErrorKind::BrokenPipe => StdoutClosed.into(),
            Self::Stdout => anyhow!("standard output: cannot be written ({})", cause(error)),
            Self::File(path) => anyhow!("{}: cannot be written ({})", path.display(), cause(error)),
        }
    }
}

/// The error of a file that cannot be opened for writing.
pub(super) fn cannot_be_written(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("{}: cannot be written ({}); choose another file with -o", path.display(), cause(error))
}

/// Standard output for many lines: a reader that takes nothing does not keep the program from ending when it is asked to.
///
/// # Errors
/// The system cannot start a thread.
pub(super) fn stdout() -> anyhow::Result<PatientWriter> {
    PatientWriter::stdout(interrupt::flag())
        .context("the system cannot start a thread; close other programs and try again")
}

/// Writes a whole text to standard output.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| OutputTarget::Stdout.failed(&error))
}

/// Writes one line to standard error for the user of a running command.
pub(super) fn note(words: impl fmt::Display) {
    // Standard error may be closed; there is nobody left to tell then.
    let _ = writeln!(io::stderr(), "facelens: {words}");
}

/// Of a program that was asked to end, rows that nobody took are no failure: they are told, and its exit code says the rest.
pub(super) fn unless_stopped(error: anyhow::Error) -> anyhow::Result<()> {
    if !interrupt::stopped() {
        return Err(error);
    }
    if !is_closed(&error) {
        note(format_args!("{error:#}"));
    }
    Ok(())
}

/// Whether it only says that the reader of standard output has gone.
fn is_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.is::<StdoutClosed>()
            || cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Says what went wrong, once, and gives the exit code that goes with it.
pub(super) fn report(error: &anyhow::Error) -> ExitCode {
    if is_closed(error) {
        return ExitCode::SUCCESS;
    }
    note(format_args!("{error:#}"));
    if error.is::<UsageError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
