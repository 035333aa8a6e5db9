//! Shows a folder in the system's file manager.

use std::path::Path;
use std::process::{Command, Stdio};

/// The program that opens a folder as a double click would.
const PROGRAM: &str = if cfg!(target_os = "windows") {
    "explorer"
} else if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};

/// Shows `folder`. Waits for the program that opens it, so not for the window's thread.
///
/// # Errors
/// Why it is not shown and what to do, in one sentence.
pub(super) fn show_folder(folder: &Path) -> Result<(), String> {
    show_with(PROGRAM, folder)
}

fn show_with(program: &str, folder: &Path) -> Result<(), String> {
    let fails =
        |cause: String| format!("{} cannot be shown ({cause}); open it with your file manager", folder.display());
    if !folder.is_dir() {
        return Err(fails("there is no such folder any more".to_owned()));
    }
    // Its words are for a terminal; facelens' own may be a pipe that carries data.
    let quiet = || Stdio::null();
    let status = Command::new(program).arg(folder).stdin(quiet()).stdout(quiet()).stderr(quiet()).status();
    match status {
        // The Explorer says 1 whatever happens.
        Ok(status) if status.success() || cfg!(target_os = "windows") => Ok(()),
        Ok(_) => Err(fails(format!("{program} found no file manager"))),
        Err(error) => Err(fails(format!("{program} cannot be started: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_folder_from_being_shown_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = show_with("facelens-has-no-such-program", folder.path()).unwrap_err();
        assert!(error.contains("cannot be started") && error.contains(&folder.path().display().to_string()), "{error}");
        let error = show_folder(&folder.path().join("gone")).unwrap_err();
        assert!(error.contains("no such folder") && error.ends_with("with your file manager"), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn the_program_s_own_answer_counts() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(show_with("true", folder.path()), Ok(()));
        assert!(show_with("false", folder.path()).unwrap_err().contains("found no file manager"));
    }
}
