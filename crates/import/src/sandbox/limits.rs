//! What a process that tries a model may take.

use std::io;
use std::time::Duration;

/// What a process that tries a model may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory, bytes: address space on Linux, committed memory on Windows, resident memory on macOS.
    pub memory_bytes: u64,
    /// Processor time until the model has run, rounded up to seconds; only elapsed time is limited on Windows.
    pub processor_time: Duration,
    /// Elapsed time until the model has run.
    pub elapsed_time: Duration,
}

impl Default for Limits {
    /// The largest networks that the guard lets through (226 MiB of file, 1.2e10 multiplications) take 0.7 GiB and 3 s of a
    /// common processor; one that takes far longer is of no use on a live picture. On a busy machine more time elapses.
    fn default() -> Self {
        let elapsed_time = Duration::from_secs(if cfg!(unix) { 20 } else { 8 });
        Self { memory_bytes: 2 << 30, processor_time: Duration::from_secs(6), elapsed_time }
    }
}

impl Limits {
    /// Puts the limits on this process, for good.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn apply(&self) -> io::Result<()> {
        #[cfg(unix)]
        unix::apply(self)?;
        #[cfg(windows)]
        windows::apply(self)?;
        #[cfg(target_os = "macos")]
        watch::start(self.memory_bytes)?;
        Ok(())
    }

    /// `2 GiB`, `512 MiB`.
    pub(super) fn memory_words(&self) -> String {
        let bytes = self.memory_bytes;
        if bytes.is_multiple_of(1 << 30) { format!("{} GiB", bytes >> 30) } else { format!("{} MiB", bytes >> 20) }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::Limits;

    pub(super) fn apply(limits: &Limits) -> io::Result<()> {
        let seconds = limits.processor_time.as_secs_f64().ceil() as u64;
        // At the first limit comes the signal that tells why, at the second a kill.
        lower(Resource::Cpu, seconds, seconds + 2)?;
        lower(Resource::Core, 0, 0)?;
        lower(Resource::Fsize, 0, 0)?;
        let memory = lower(Resource::As, limits.memory_bytes, limits.memory_bytes);
        // macOS refuses a limit below what its libraries map in every process; resident memory is watched there.
        if cfg!(target_os = "macos") { Ok(()) } else { memory }
    }

    /// Lowers a limit; one that is lower already stays.
    fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
        let now = getrlimit(resource);
        let lower = |wanted: u64, now: Option<u64>| Some(now.map_or(wanted, |now| now.min(wanted)));
        let maximum = lower(hard, now.maximum);
        Ok(setrlimit(resource, Rlimit { current: lower(soft, now.current.or(maximum)), maximum })?)
    }
}

#[cfg(windows)]
mod windows {
    use std::io;

    use win32job::{ExtendedLimitInfo, Job};

    use super::Limits;

    /// `JOB_OBJECT_LIMIT_PROCESS_MEMORY` of winnt.h: committed memory of each process.
    const PROCESS_MEMORY: u32 = 0x100;

    pub(super) fn apply(limits: &Limits) -> io::Result<()> {
        let mut info = ExtendedLimitInfo::new();
        info.0.ProcessMemoryLimit = usize::try_from(limits.memory_bytes).unwrap_or(usize::MAX);
        info.0.BasicLimitInformation.LimitFlags |= PROCESS_MEMORY;
        let job = Job::create_with_limit_info(&mut info).map_err(io::Error::other)?;
        // The limit outlives the handle: a process never leaves its job.
        job.assign_current_process().map_err(io::Error::other)
    }
}

#[cfg(target_os = "macos")]
mod watch {
    use std::io;
    use std::time::Duration;

    use super::super::child::MEMORY_EXIT_CODE;

    /// How often resident memory is looked at. New pages are filled at a few GiB a second, so little is taken in between.
    const PERIOD: Duration = Duration::from_millis(5);

    /// Ends the process once it takes more than so many bytes.
    pub(super) fn start(memory_bytes: u64) -> io::Result<()> {
        std::thread::Builder::new().name("memory".into()).spawn(move || {
            loop {
                if memory_stats::memory_stats().is_some_and(|stats| stats.physical_mem as u64 > memory_bytes) {
                    std::process::exit(MEMORY_EXIT_CODE);
                }
                std::thread::sleep(PERIOD);
            }
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_said_in_round_numbers() {
        assert_eq!(Limits::default().memory_words(), "2 GiB");
        assert_eq!(Limits { memory_bytes: 300 << 20, ..Limits::default() }.memory_words(), "300 MiB");
    }
}
