//! `facelens replay`: the window on a recorded session.

use std::path::PathBuf;
use std::process::ExitCode;

use facelens_import::Sandbox;
use facelens_session::SessionFolder;

use crate::app::{self, AppOptions};

/// Options of `facelens replay`.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The session's folder.
    #[arg(value_name = "SESSION")]
    pub session: PathBuf,
}

/// Opens the window. What is no session is told before.
pub(super) fn run(args: &ReplayArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let session = SessionFolder::find(&args.session)?;
    app::run(AppOptions { session: Some(session), ..AppOptions::default() }, sandbox)?;
    Ok(super::after_window())
}
