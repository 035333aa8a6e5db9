//! `facelens recover`: finishes recordings that were broken off.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use facelens_session::has_session_file;
use facelens_session::recovery::{Survey, recover, survey};

use super::output;
use super::output::usage;
use super::record::sessions_folder;

/// Options of `facelens recover`.
#[derive(Debug, clap::Args)]
pub struct RecoverArgs {
    /// A session, or the folder with all sessions; by default that of the settings, or `facelens` in your videos.
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
    let survey =
        if single { Survey { unfinished: vec![folder.clone()], ..Survey::default() } } else { survey(&folder) };
    // What may have been broken off and is left alone is no success.
    let mut all_well = survey.left_alone.is_empty();
    let mut none = survey.left_alone.is_empty();
    for error in survey.left_alone {
        output::note(error);
    }
    let mut printed = Ok(());
    for session in survey.unfinished {
        match recover(&session) {
            Ok(None) => {}
            Ok(Some(recovered)) => {
                none = false;
                all_well &= recovered.repairs.troubles.is_empty();
                let secs = recovered.duration.as_secs_f64();
                let words = format!("{secs:.1} s, {} frames; {}", recovered.frames, recovered.repairs);
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
    let what = if single { "it is already complete" } else { "there is no interrupted recording in it" };
    format!("{}: {what}", folder.display())
}
