//! `facelens cameras`: which cameras there are.

use std::process::ExitCode;

/// Options of `facelens cameras`.
#[derive(Debug, clap::Args)]
pub struct CamerasArgs {
    /// One JSON document instead of a table.
    #[arg(long)]
    pub json: bool,
}

/// Lists the cameras on standard output.
pub(super) fn run(args: &CamerasArgs) -> anyhow::Result<ExitCode> {
    let _ = args;
    todo!("source rooms")
}
