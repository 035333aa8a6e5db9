//! The program: parse the command line, start the log, hand over to the window or to a command.

// Windows opens a console beside every program of the other kind, also beside a window.
#![cfg_attr(windows, windows_subsystem = "windows")]

use std::env::VarError;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use facelens::cli::{self, Cli, Command};
use facelens_import::Sandbox;
use tracing_subscriber::EnvFilter;

/// Environment variable with the log's filter, e.g. `facelens=debug`.
const LOG_VARIABLE: &str = "FACELENS_LOG";

fn main() -> ExitCode {
    attach_console();
    let cli = Cli::parse();
    start_log();
    let sandbox = Sandbox::of_this_program();
    let window = matches!(cli.command, None | Some(Command::Replay(_)));
    let result = match cli.command {
        Some(command) => cli::run(command, &sandbox),
        None => cli::open_window(cli.window, &sandbox),
    };
    result.unwrap_or_else(|error| {
        if window {
            show_error(&error);
        }
        cli::report(&error)
    })
}

/// Windows: writes to the console that the program was started from, where there is one.
fn attach_console() {
    #[cfg(windows)]
    {
        const PARENT_PROCESS: u32 = u32::MAX;
        // Started from the desktop, there is none, and nobody reads what is written.
        let _ = win32console::console::WinConsole::attach_console(PARENT_PROCESS);
    }
}

/// Says why there is no window, where nobody sees standard error: in a program that was started from the desktop.
fn show_error(error: &anyhow::Error) {
    #[cfg(any(windows, target_os = "macos"))]
    if !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        let dialog = rfd::MessageDialog::new().set_level(rfd::MessageLevel::Error).set_title("facelens");
        dialog.set_description(format!("{error:#}")).show();
    }
    #[cfg(not(any(windows, target_os = "macos")))]
    let _ = error;
}

/// Logs to standard error, warnings and worse unless the variable asks for more.
fn start_log() {
    let default = || EnvFilter::new("warn");
    let (filter, bad) = match std::env::var(LOG_VARIABLE) {
        Ok(text) => match EnvFilter::try_new(&text) {
            Ok(filter) => (filter, None),
            Err(error) => (default(), Some((text, error.to_string()))),
        },
        Err(VarError::NotPresent) => (default(), None),
        Err(VarError::NotUnicode(text)) => {
            (default(), Some((text.to_string_lossy().into_owned(), "it is not UTF-8".to_owned())))
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(wants_colours())
        // A closed standard error is nobody's fault; to complain there would be a panic.
        .log_internal_errors(false)
        .init();
    if let Some((text, error)) = bad {
        tracing::warn!("{LOG_VARIABLE}={text} is not a valid log filter ({error}); warnings are shown");
    }
}

/// Colours are for people who look at a terminal and did not ask for none (<https://no-color.org>).
fn wants_colours() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !no_colour
}
