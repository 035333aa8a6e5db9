//! Processor time of this process.

use std::time::Duration;

/// Processor time that this process has used so far, user and system together, to a hundredth of a second; `None` where
/// the system does not say it in a file.
pub(super) fn process_time() -> Option<Duration> {
    if cfg!(target_os = "linux") { parse(&std::fs::read_to_string("/proc/self/stat").ok()?) } else { None }
}

/// Fields 14 and 15 of `/proc/PID/stat` (proc_pid_stat(5)). They are in clock ticks, and Linux has had 100 of them a
/// second towards programs on every architecture that Rust's standard library runs on (`USER_HZ`).
fn parse(stat: &str) -> Option<Duration> {
    // The second field is the program's name in brackets and may hold anything, brackets and spaces too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_added() {
        let stat = "12 (a) (b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20";
        assert_eq!(parse(stat), Some(Duration::from_secs(3)));
        assert_eq!(parse("12 (short) S 1 2"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn work_takes_time() {
        let before = process_time().unwrap();
        let start = std::time::Instant::now();
        let mut sum = 0_u64;
        while process_time().unwrap() == before && start.elapsed() < Duration::from_secs(5) {
            sum = std::hint::black_box((0..100_000_u64).fold(sum, |a, b| a ^ b));
        }
        assert!(process_time().unwrap() > before);
    }
}
