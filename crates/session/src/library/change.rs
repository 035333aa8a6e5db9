//! Changes that a user makes to sessions: another name, into the trash. Nothing is ever deleted for good.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::trash;
use crate::file_error::{WriteError, WriteErrorKind};
use crate::info::has_session_file;
use crate::names::is_plain_name;
use crate::recording::FolderLock;
use crate::recovery;

/// Longest name of a session's folder, bytes: the files in it need room, too.
const LONGEST_NAME: usize = 200;

/// Gives the session in the folder `session` another name: that of its folder. Gives the new folder.
///
/// # Errors
/// `Io` where the name cannot be that of a folder or the system refuses, `Exists` where there is such a file or folder,
/// `InUse` while it is recorded, `NotProven` while it waits to be recovered, `Empty` where it is no session.
pub fn rename(session: &Path, name: &str) -> Result<PathBuf, WriteError> {
    check_free(session)?;
    let name = name.trim();
    let problem = if name.is_empty() {
        Some("a session needs a name")
    } else if name.starts_with('.') {
        Some("a name that begins with a full stop would hide it")
    } else if name.len() > LONGEST_NAME {
        Some("the name is too long")
    } else if !is_plain_name(name) {
        Some("a folder cannot have this name: it may hold none of / \\ : < > \" | ? *, and no name of a device")
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(WriteError::new(WriteErrorKind::Io, session, problem, "choose another name"));
    }
    if recovery::is_unfinished(session) {
        let cause = "its recording was interrupted, and it is found again by its name";
        return Err(WriteError::new(WriteErrorKind::NotProven, session, cause, "recover it first"));
    }
    let renamed = session.with_file_name(name);
    if renamed == session {
        return Ok(renamed);
    }
    // Where names that differ in capital letters alone are one folder, it is the session itself that is there.
    if fs::symlink_metadata(&renamed).is_ok() && !is_same(&renamed, session) {
        let cause = "there is something of this name already";
        return Err(WriteError::new(WriteErrorKind::Exists, &renamed, cause, "choose another name"));
    }
    fs::rename(session, &renamed).map_err(|error| WriteError::io(session, &error))?;
    Ok(renamed)
}

/// Moves the session in the folder `session` to the system's trash, from where its file manager restores it.
///
/// # Errors
/// `InUse` while it is recorded, `Empty` where it is no session, `Io` where there is no trash for this folder; then it
/// stays where it is.
pub fn move_to_trash(session: &Path) -> Result<(), WriteError> {
    check_free(session)?;
    trash::move_to_trash(session).map_err(|error| {
        let cause = match error.kind() {
            ErrorKind::Unsupported => "facelens knows no trash for it".to_owned(),
            _ => format!("it cannot be moved to the trash ({error})"),
        };
        WriteError::new(WriteErrorKind::Io, session, cause, "it stays; delete it with your file manager")
    })
}

fn check_free(session: &Path) -> Result<(), WriteError> {
    if !has_session_file(session) {
        return Err(WriteError::no_session(session));
    }
    if !FolderLock::is_free(session) {
        let cause = "it is being recorded or completed";
        return Err(WriteError::new(WriteErrorKind::InUse, session, cause, "try again when that is over"));
    }
    Ok(())
}

fn is_same(a: &Path, b: &Path) -> bool {
    fs::canonicalize(a).ok().zip(fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
}
