//! Starts the child, waits for its answer no longer than it may take, and says in words how it ended.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use facelens_core::model::{ModelError, ModelErrorKind, Task};

use super::answer::{self, Verdict};
use super::{Limits, TRY_COMMAND};
use crate::opened::Opened;

/// Exit code of a child that found itself above the limit of memory; Rust's own is 101.
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "only macOS has the process watch itself"))]
pub(super) const MEMORY_EXIT_CODE: i32 = 87;
/// Most of the child's words on standard error that are read.
const MAX_WORDS: u64 = 64 << 10;
/// How often the child is looked at.
const PERIOD: Duration = Duration::from_millis(5);

/// Whose child it is.
#[derive(Clone, Debug)]
pub(super) enum Program {
    /// The running program's.
    This,
    /// This file's.
    At(PathBuf),
}

impl Program {
    fn path(&self) -> io::Result<PathBuf> {
        match self {
            // The file of a running program may have been replaced by an update; this is the one that runs.
            Self::This if cfg!(target_os = "linux") && Path::new("/proc/self/exe").exists() => {
                Ok(PathBuf::from("/proc/self/exe"))
            }
            Self::This => std::env::current_exe(),
            Self::At(program) => Ok(program.clone()),
        }
    }
}

/// How a child ended.
enum ChildEnd {
    /// By itself.
    Exited { status: ExitStatus, answer: Vec<u8>, words: Vec<u8> },
    /// It took too long and was killed.
    TimedOut,
}

/// Has a child read and try a file.
pub(super) fn open(program: &Program, limits: &Limits, file: &Path, task: Option<Task>) -> Result<Opened, ModelError> {
    let end = run(program, limits, file, task).map_err(|error| {
        let cause = format!("it cannot be tested in a separate process ({error})");
        ModelError::new(ModelErrorKind::Io, file, cause, "close other programs and try again")
    })?;
    let too_large =
        |cause: String| ModelError::new(ModelErrorKind::TooLarge, file, cause, "use a model made for faces");
    let out_of_memory = || too_large(format!("the network takes more than {} of memory", limits.memory_words()));
    let (status, answer, words) = match end {
        ChildEnd::TimedOut => {
            return Err(too_large(format!("the network takes more than {} s", limits.elapsed_time.as_secs_f64())));
        }
        ChildEnd::Exited { status, answer, words } => (status, answer, words),
    };
    match answer::read(&answer, file).filter(|_| status.success()) {
        Some(Verdict::Opened(opened)) => Ok(*opened),
        Some(Verdict::Refused(error)) => Err(error),
        Some(Verdict::OutOfMemory) => Err(out_of_memory()),
        None if status.code() == Some(MEMORY_EXIT_CODE) || is_out_of_memory(&words) => Err(out_of_memory()),
        None if took_its_processor_time(status) => {
            let seconds = limits.processor_time.as_secs_f64();
            Err(too_large(format!("the network takes more than {seconds} s of processor time")))
        }
        None => {
            tracing::debug!("{TRY_COMMAND} ended with {status}: {}", String::from_utf8_lossy(&words));
            let cause = "the network crashed while it was tested";
            Err(ModelError::new(ModelErrorKind::Corrupt, file, cause, "get the file again from its source"))
        }
    }
}

fn run(program: &Program, limits: &Limits, file: &Path, task: Option<Task>) -> io::Result<ChildEnd> {
    let mut command = Command::new(program.path()?);
    command
        .arg(TRY_COMMAND)
        .arg(format!("--memory-bytes={}", limits.memory_bytes))
        .arg(format!("--processor-seconds={}", limits.processor_time.as_secs_f64()))
        .arg(format!("--seconds={}", limits.elapsed_time.as_secs_f64()));
    if let Some(task) = task {
        command.arg(format!("--task={task}"));
    }
    // A trace of a crash takes longer than the trial; nobody reads it.
    command.arg("--").arg(file).env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn()?;
    // The graphs come back from memory that the child had, so no answer is longer than its limit.
    let answer = child.stdout.take().map(|output| reader(output, limits.memory_bytes));
    let words = child.stderr.take().map(|output| reader(output, MAX_WORDS));
    let Some(status) = wait(&mut child, started + limits.elapsed_time)? else { return Ok(ChildEnd::TimedOut) };
    Ok(ChildEnd::Exited { status, answer: read(answer), words: read(words) })
}

/// Reads a pipe on a thread of its own, so that the child never waits for its reader.
fn reader(pipe: impl Read + Send + 'static, max_bytes: u64) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read is missing, and the answer is none.
        let _ = pipe.take(max_bytes).read_to_end(&mut bytes);
        bytes
    })
}

fn read(reader: Option<JoinHandle<Vec<u8>>>) -> Vec<u8> {
    reader.and_then(|reader| reader.join().ok()).unwrap_or_default()
}

/// Waits for the end; after `deadline` the child is killed.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(Some(status)),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(PERIOD),
            late => {
                // It may have ended by itself just now.
                let _ = child.kill();
                child.wait()?;
                return late.map(|_| None);
            }
        }
    }
}

/// Rust's words when an allocation is refused; the process is aborted behind them.
fn is_out_of_memory(words: &[u8]) -> bool {
    String::from_utf8_lossy(words).contains("memory allocation of ")
}

/// Whether the limit of processor time ended the child.
#[cfg(unix)]
fn took_its_processor_time(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    status.signal() == Some(rustix::process::Signal::XCPU.as_raw())
}

#[cfg(not(unix))]
fn took_its_processor_time(_status: ExitStatus) -> bool {
    false
}
