//! Requests to end: Ctrl-C, and on Unix also SIGTERM (`kill`, systemd, a logout) and SIGHUP (a closed terminal). The first
//! asks the program to finish its files, the second ends it at once.

use std::io;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// The exit code after Ctrl-C: 128 and the number of SIGINT, as shells count it.
const INTERRUPTED: u8 = 130;

/// A terminal that is closed and a session that ends send SIGHUP twice, or SIGTERM and SIGHUP: within this time they are
/// one request.
const ONE_REQUEST: Duration = Duration::from_secs(1);

static STOP: AtomicBool = AtomicBool::new(false);
static FIRST_AT: OnceLock<Instant> = OnceLock::new();
/// The exit code that goes with the first request.
static CODE: AtomicU8 = AtomicU8::new(INTERRUPTED);
static ON_STOP: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Becomes `true` at the first request. Commands that call this must look at it at least a few times a second.
pub fn flag() -> &'static AtomicBool {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        if let Err(error) = install() {
            // Without a handler a signal ends the program as it always does.
            tracing::debug!("no handler for signals: {error}");
        }
    });
    &STOP
}

/// Calls `wake` at the first request, on a thread of its own that it must not hold up: the second request is heard there.
pub fn on_stop(wake: impl FnOnce() + Send + 'static) {
    *ON_STOP.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(wake));
    if flag().load(Ordering::SeqCst) {
        call();
    }
}

/// Whether the program was asked to end.
pub fn stopped() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// The exit code of a program that was asked to end: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
pub fn exit_code() -> ExitCode {
    ExitCode::from(CODE.load(Ordering::SeqCst))
}

/// Ends the program without another word; nothing is cleaned up.
pub fn exit_now() -> ! {
    exit(CODE.load(Ordering::SeqCst))
}

fn request(code: u8) {
    let first_at = *FIRST_AT.get_or_init(Instant::now);
    if STOP.load(Ordering::SeqCst) {
        if code == INTERRUPTED || first_at.elapsed() >= ONE_REQUEST {
            exit(code);
        }
        return;
    }
    // The code first: whoever sees the flag may read it.
    CODE.store(code, Ordering::SeqCst);
    STOP.store(true, Ordering::SeqCst);
    call();
}

fn call() {
    let wake = ON_STOP.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(wake) = wake {
        wake();
    }
}

#[cfg(unix)]
fn install() -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut wanted = vec![SIGINT, SIGTERM];
    // `nohup` has it ignored, so that the program outlives its terminal.
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let (give, take) = crossbeam_channel::bounded::<Signals>(1);
    // The thread before the handlers: signals that nobody hears would do nothing at all.
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        let Ok(mut signals) = take.recv() else { return };
        for signal in signals.forever() {
            request(u8::try_from(signal).map_or(INTERRUPTED, |signal| 128 + signal));
        }
    })?;
    // The thread waits for it.
    let _ = give.send(Signals::new(wanted)?);
    Ok(())
}

/// Whether this process was started with `signal` ignored. Only Linux tells.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| (mask >> (signal - 1)) & 1 == 1)
}

/// Windows: Ctrl-C and Ctrl-Break. Where the console is closed or the user logs off, the system ends the program while it
/// finishes its files; the next start finishes a recording.
#[cfg(not(unix))]
fn install() -> io::Result<()> {
    ctrlc::set_handler(|| request(INTERRUPTED)).map_err(io::Error::other)
}

/// Neither the buffers nor the exit handlers of libraries are run: both may wait for what hangs.
#[cfg(unix)]
fn exit(code: u8) -> ! {
    signal_hook::low_level::exit(code.into())
}

#[cfg(not(unix))]
fn exit(code: u8) -> ! {
    std::process::exit(code.into())
}
