//! The program: parse the command line, start the log, hand over to the window or to a command.

use std::process::ExitCode;

use clap::Parser as _;
use facelens::cli::{self, Cli};
use tracing_subscriber::EnvFilter;

/// Environment variable with the log's filter, e.g. `facelens=debug`.
const LOG_VARIABLE: &str = "FACELENS_LOG";

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    let result = match cli.command {
        Some(command) => cli::run(command),
        None => cli::open_window(cli.window).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| cli::report(&error))
}

/// Logs to standard error, warnings and worse unless the variable asks for more.
fn start_log() {
    let default = || EnvFilter::new("warn");
    let filter = match std::env::var(LOG_VARIABLE) {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| (text, error)),
        Err(_) => Ok(default()),
    };
    let (filter, bad) = match filter {
        Ok(filter) => (filter, None),
        Err(bad) => (default(), Some(bad)),
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if let Some((text, error)) = bad {
        tracing::warn!("{LOG_VARIABLE}={text} is no log filter ({error}); warnings are shown");
    }
}
