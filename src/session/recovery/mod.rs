//! Recordings that were broken off - by a kill, a crash, a power cut, a full disk - made whole again.
//!
//! ```text
//! videos: half a fragment cut off, index and length written, all to the same number of frames
//! faces.csv: half a row cut off, and the rows of frames that no video has any more
//! session.json: true counts and length, and how it ended
//! ```

mod mend;
mod rows;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use mend::Mended;
pub(super) use mend::mend;

use super::file_error::WriteError;
use super::info::{INFO_FILE, SESSION_SCHEMA, SessionEnd, SessionInfo, has_session_file};
use super::recording::{FolderLock, save_info};

/// A session that was finished.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    /// Its folder.
    pub folder: PathBuf,
    /// Frames in it.
    pub frames: u64,
    /// From the first frame to the end of the last one.
    pub duration: Duration,
    /// What was cut off.
    pub mended: Mended,
}

/// The sessions in `folder` that were broken off, by name. Those that another facelens is recording at this moment are
/// left out, and so are those of a newer facelens. A folder that is not there has none.
pub fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_unfinished = |folder: &PathBuf| {
        let name = folder.file_name().and_then(|name| name.to_str());
        // Only folders that facelens has named itself are touched without being asked.
        name.is_some_and(|name| name.starts_with("session-"))
            && has_session_file(folder)
            && read_info(folder).is_none_or(|info| info.end.is_none() && info.schema <= SESSION_SCHEMA)
            && FolderLock::is_free(folder)
    };
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_unfinished).collect();
    found.sort();
    found
}

/// Finishes a session that was broken off at any byte. `None` where it was finished already. Broken off itself, it can
/// be done again.
///
/// # Errors
/// `InUse` where another facelens is at it, `Empty` where `folder` is no session, `Io` where it cannot be written. What
/// was recorded stays as it is then.
pub fn recover(folder: &Path) -> Result<Option<Recovered>, WriteError> {
    if !has_session_file(folder) {
        return Err(WriteError::no_session(folder));
    }
    if read_info(folder).is_some_and(|info| info.end.is_some()) {
        return Ok(None);
    }
    let lock = FolderLock::take(folder)?;
    // It may have been finished just before the lock was free.
    let mut info = match read_info(folder) {
        Some(info) if info.end.is_some() => {
            lock.release();
            return Ok(None);
        }
        Some(info) => info,
        None => SessionInfo::default(),
    };
    let mended = mend(folder, &mut info);
    info.end = Some(SessionEnd::Recovered);
    save_info(folder, &info)?;
    lock.release();
    Ok(Some(Recovered {
        folder: folder.to_owned(),
        frames: info.counts.written,
        duration: Duration::try_from_secs_f64(info.duration_s).unwrap_or_default(),
        mended,
    }))
}

/// What `session.json` says; `None` where it is missing or damaged.
fn read_info(folder: &Path) -> Option<SessionInfo> {
    serde_json::from_slice(&std::fs::read(folder.join(INFO_FILE)).ok()?).ok()
}
