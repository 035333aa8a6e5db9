//! What this process uses: processor time and memory.

use std::time::Duration;

use serde::Serialize;

/// Processor time that this process has used so far, all its threads, user and system together; `None` where the system
/// has no clock for it.
#[cfg(unix)]
pub(super) fn processor_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(time.tv_sec.try_into().ok()?, time.tv_nsec.try_into().ok()?))
}

/// `None`: the clock is POSIX's.
#[cfg(not(unix))]
pub(super) fn processor_time() -> Option<Duration> {
    None
}

/// Memory of this process that lies in RAM, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Memory {
    /// Now.
    resident_mib: f64,
    /// The most since the start.
    peak_mib: f64,
}

impl Memory {
    /// Of this process; `None` where the system does not say it in a file.
    pub(super) fn now() -> Option<Self> {
        if cfg!(target_os = "linux") { Self::parse(&std::fs::read_to_string("/proc/self/status").ok()?) } else { None }
    }

    /// `VmRSS` and `VmHWM` of `/proc/PID/status` (proc_pid_status(5)), in kB, which are KiB.
    fn parse(status: &str) -> Option<Self> {
        let mib = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let kib: f64 = line.strip_prefix(':')?.trim().strip_suffix(" kB")?.parse().ok()?;
            Some((kib / 102.4).round() / 10.0)
        };
        Some(Self { resident_mib: mib("VmRSS")?, peak_mib: mib("VmHWM")? })
    }

    /// In words.
    pub(super) fn words(self) -> String {
        format!("{:.0} MiB in RAM, {:.0} MiB at most", self.resident_mib, self.peak_mib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_in_mebibytes() {
        let status = "Name:\tfacelens\nVmPeak:\t  999999 kB\nVmHWM:\t  204800 kB\nVmRSS:\t  102502 kB\nThreads:\t3\n";
        assert_eq!(Memory::parse(status), Some(Memory { resident_mib: 100.1, peak_mib: 200.0 }));
        assert_eq!(Memory::parse("VmRSS:\t1 kB\n"), None);
        assert_eq!(Memory::parse("VmHWM:\tmany kB\nVmRSS:\t1 kB\n"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory_and_the_peak_is_no_less() {
        let memory = Memory::now().unwrap();
        assert!(memory.resident_mib > 0.0 && memory.peak_mib >= memory.resident_mib, "{memory:?}");
    }

    #[test]
    #[cfg(unix)]
    fn work_takes_processor_time_on_any_thread() {
        let before = processor_time().unwrap();
        let sum = std::thread::spawn(|| (0..200_000_u64).fold(0, |a, b| std::hint::black_box(a ^ b))).join().unwrap();
        std::hint::black_box(sum);
        assert!(processor_time().unwrap() > before);
    }
}
