//! Ctrl-C: the first asks a command to finish its files, the second ends the program at once.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of an interrupted command.
const INTERRUPTED: u8 = 130;

static STOP: AtomicBool = AtomicBool::new(false);

/// Becomes `true` at the first Ctrl-C. Commands that call this must look at it at least a few times a second.
pub fn flag() -> &'static AtomicBool {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let handler = || {
            if STOP.swap(true, Ordering::SeqCst) {
                std::process::exit(INTERRUPTED.into());
            }
        };
        if let Err(error) = ctrlc::set_handler(handler) {
            // Without a handler Ctrl-C ends the program as it always does.
            tracing::debug!("no handler for Ctrl-C: {error}");
        }
    });
    &STOP
}

/// Whether Ctrl-C was pressed.
pub fn stopped() -> bool {
    STOP.load(Ordering::SeqCst)
}

/// The exit code of an interrupted command.
pub fn exit_code() -> ExitCode {
    ExitCode::from(INTERRUPTED)
}
