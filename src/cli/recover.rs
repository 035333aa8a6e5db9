//! `facelens recover`: finishes recordings that were broken off.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output;
use super::output::usage;
use super::record::sessions_folder;
use crate::session::has_session_file;
use crate::session::recovery::{recover, unfinished};

/// Options of `facelens recover`.
#[derive(Debug, clap::Args)]
pub struct RecoverArgs {
    /// A session, or the folder with all sessions; without it that of the settings, or `facelens` in your videos.
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// Finishes what was broken off, and says so.
pub(super) fn run(args: &RecoverArgs) -> anyhow::Result<ExitCode> {
    let given = args.folder.is_some();
    let folder = sessions_folder(args.folder.clone())?;
    if given && !folder.is_dir() {
        return Err(usage(format!("{}: there is no such folder", folder.display())));
    }
    let single = has_session_file(&folder);
    let sessions = if single { vec![folder.clone()] } else { unfinished(&folder) };
    let mut all_well = true;
    let mut none = true;
    let mut printed = Ok(());
    for session in sessions {
        match recover(&session) {
            Ok(None) => {}
            Ok(Some(recovered)) => {
                none = false;
                all_well &= recovered.mended.troubles.is_empty();
                let secs = recovered.duration.as_secs_f64();
                let words = format!("{secs:.1} s, {} frames; {}", recovered.frames, recovered.mended);
                // A reader that has gone keeps no session from being finished.
                printed = printed.and_then(|()| output::print(&format!("{}: {words}\n", session.display())));
            }
            Err(error) => {
                none = false;
                all_well = false;
                output::note(error);
            }
        }
    }
    if none {
        output::note(nothing(&folder, single));
    }
    if !all_well {
        return Ok(ExitCode::FAILURE);
    }
    printed.map(|()| ExitCode::SUCCESS)
}

fn nothing(folder: &Path, single: bool) -> String {
    let what = if single { "it is finished already" } else { "no recording in it was broken off" };
    format!("{}: {what}", folder.display())
}
