//! Recordings that were broken off - by a kill, a crash, a power cut, a full disk - finished later.
//!
//! ```text
//! videos: what is no whole fragment at the end moved into a copy, index and length written
//! faces.csv: half a row at the end cut off, with a copy of the file as it was
//! session.json: true counts and length, how it ended, and all that this version does not know as it was
//! ```
//!
//! Only what is proven to be an unfinished session is touched, each file by itself: a damaged one stays as it is.

mod copies;
#[cfg(test)]
mod hostile_tests;
mod proof;
mod restore;
mod rows;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use facelens_base::atomic_file::{self, Access};
use proof::{Unfinished, prove};

use super::file_error::{WriteError, WriteErrorKind};
use super::info::{INFO_FILE, SessionEnd, has_session_file};
use super::kept_json;
use super::recording::FolderLock;

/// A session that was finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// Its folder.
    pub folder: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// From the first frame to the end of the last one.
    pub duration: Duration,
    /// What was done.
    pub repairs: Repairs,
}

/// What finishing a session came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repairs {
    /// What was changed, and how the files differ, one sentence each.
    pub changes: Vec<String>,
    /// What could not be made whole, one sentence each.
    pub troubles: Vec<String>,
}

impl fmt::Display for Repairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.changes.iter().chain(&self.troubles).map(String::as_str).collect();
        f.write_str(if words.is_empty() { "nothing was cut" } else { "" })?;
        f.write_str(&words.join("; "))
    }
}

/// What a folder with sessions holds that was broken off, or may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Sessions that can be finished, by name.
    pub unfinished: Vec<PathBuf>,
    /// Why the others that are not sure to be finished are left alone.
    pub left_alone: Vec<WriteError>,
}

/// The sessions in `folder` that were broken off, by name. Those that another facelens is recording at this moment are
/// left out. A folder that is not there has none.
pub fn unfinished(folder: &Path) -> Vec<PathBuf> {
    survey(folder).unfinished
}

/// Whether the session in the folder `session` was interrupted and can be finished.
pub(crate) fn is_unfinished(session: &Path) -> bool {
    matches!(prove(session), Ok(Some(_)))
}

/// Looks through the sessions in `folder`: see [`Survey`]. Those that another facelens is recording are in neither list.
pub fn survey(folder: &Path) -> Survey {
    let mut survey = Survey::default();
    let Ok(entries) = std::fs::read_dir(folder) else { return survey };
    // Only folders that facelens has named itself are touched without being asked, and links lead to others.
    let own = entries.flatten().filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with("session-"))
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    let mut sessions: Vec<_> = own.map(|entry| entry.path()).filter(|folder| has_session_file(folder)).collect();
    sessions.sort();
    for session in sessions {
        match prove(&session) {
            Ok(Some(_)) if FolderLock::is_free(&session) => survey.unfinished.push(session),
            Ok(_) => {}
            Err(error) => survey.left_alone.push(error),
        }
    }
    survey
}

/// Finishes a session that was broken off at any byte. `None` where it was finished already. Broken off itself, it can
/// be done again.
///
/// # Errors
/// `InUse` where another facelens is at it, `Empty` where `folder` is no session, `NotProven` where it is not sure to be
/// an unfinished one, `Io` where it cannot be read or written. What was recorded stays as it is then.
pub fn recover(folder: &Path) -> Result<Option<Recovered>, WriteError> {
    if !has_session_file(folder) {
        return Err(WriteError::no_session(folder));
    }
    if prove(folder)?.is_none() {
        return Ok(None);
    }
    let lock = FolderLock::take(folder)?;
    // It may have been finished just before the lock was free.
    let recovered =
        prove(folder).and_then(|unfinished| unfinished.map(|unfinished| finish(folder, unfinished)).transpose());
    lock.release();
    recovered
}

fn finish(folder: &Path, unfinished: Unfinished) -> Result<Recovered, WriteError> {
    let Unfinished { mut info, text } = unfinished;
    let repairs = restore::restore(folder, &mut info)?;
    info.end = Some(SessionEnd::Recovered);
    let file = folder.join(INFO_FILE);
    let text = kept_json::renewed(&text, &info).map_err(|error| {
        WriteError::new(WriteErrorKind::NotProven, &file, error.to_string(), "it was left as it is")
    })?;
    atomic_file::write(&file, text.as_bytes(), Access::Private).map_err(|error| WriteError::io(&file, &error))?;
    Ok(Recovered {
        folder: folder.to_owned(),
        frames: info.counts.written,
        duration: Duration::try_from_secs_f64(info.duration_s).unwrap_or_default(),
        repairs,
    })
}
