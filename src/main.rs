//! The program: parse the command line, start the log, hand over to the window or to a command.

use std::process::ExitCode;

use clap::Parser as _;
use facelens::cli::{self, Cli};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(command) => cli::run(command),
        None => cli::open_window(cli.window).map(|()| ExitCode::SUCCESS),
    };
    result.unwrap_or_else(|error| {
        cli::report(&error);
        ExitCode::FAILURE
    })
}
