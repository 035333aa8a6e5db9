//! `facelens models`: list, show, check and import model files.

use std::process::ExitCode;

/// Options of `facelens models`.
#[derive(Debug, clap::Args)]
pub struct ModelsArgs {}

/// Runs `models list | show | check | import`.
pub(super) fn run(args: &ModelsArgs) -> anyhow::Result<ExitCode> {
    let _ = args;
    todo!("model rooms")
}
