//! A folder of sessions as a list: what each one is, how it ended, a thumbnail; and renaming and deleting.
//!
//! [`list`] reads only `session.json` and names and sizes of files, so that a long list is there at once;
//! [`details`] reads the data and decodes one frame.

mod change;
mod details;
#[cfg(test)]
mod tests;
mod trash;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub use change::{move_to_trash, rename};
pub use details::{SessionDetails, details};

use crate::folder::{SessionError, SessionFolder, SessionNotice};
use crate::info::{SessionEnd, has_session_file};
use crate::recording::FolderLock;

/// A session in a list of sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionEntry {
    /// Its folder.
    pub path: PathBuf,
    /// When recording began, local time as `2026-01-02 03:04`; where nothing tells, when its folder was changed, or empty.
    pub started: String,
    /// The same in seconds since 1970, for sorting.
    pub started_secs: i64,
    /// Seconds from the first frame to the end of the last one, as far as `session.json` says.
    pub duration_s: f64,
    /// Bytes of the files in the folder.
    pub bytes: u64,
    /// How it is.
    pub state: SessionState,
}

/// How a session in a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// It ended, or was completed after an interruption.
    Complete,
    /// It is being recorded or completed at this moment.
    InUse,
    /// The recording was interrupted; [`recover`](crate::recovery::recover) completes it.
    Interrupted,
    /// The recording could not go on; what was written until then is whole. The error in one sentence.
    Failed(String),
    /// `session.json` is missing or cannot be read; why.
    Damaged(String),
}

impl SessionEntry {
    /// What to call the session: the folder's name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.path.display().to_string())
    }

    /// Whether it may be renamed or moved to the trash now.
    pub fn is_free(&self) -> bool {
        self.state != SessionState::InUse
    }
}

/// The sessions in `folder`, the newest first. A folder that is not there has none. What cannot be read of a session is
/// told by its [`SessionEntry::state`]; other files and folders are passed over.
///
/// # Errors
/// [`SessionError::Io`] where the folder itself cannot be read.
pub fn list(folder: &Path) -> Result<Vec<SessionEntry>, SessionError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(SessionError::Io { path: folder.to_owned(), cause: error.to_string() }),
    };
    let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir() && has_session_file(path));
    let mut sessions: Vec<SessionEntry> = folders.map(|path| entry(&path)).collect();
    sessions.sort_by(|a, b| b.started_secs.cmp(&a.started_secs).then_with(|| a.path.cmp(&b.path)));
    Ok(sessions)
}

/// What is to be said of the session in the folder `path`.
fn entry(path: &Path) -> SessionEntry {
    let mut notices = Vec::new();
    let info = SessionFolder::read_info(path, &mut notices);
    let damaged =
        notices.into_iter().find(|notice| matches!(notice, SessionNotice::NoInfo | SessionNotice::DamagedInfo(_)));
    let state = match (&info, damaged) {
        _ if !FolderLock::is_free(path) => SessionState::InUse,
        (None, damaged) => SessionState::Damaged(damaged.map(|notice| notice.to_string()).unwrap_or_default()),
        (Some(info), _) => match &info.end {
            None => SessionState::Interrupted,
            Some(SessionEnd::Failed { error }) => SessionState::Failed(error.clone()),
            Some(SessionEnd::Stopped | SessionEnd::SourceEnded | SessionEnd::Recovered) => SessionState::Complete,
        },
    };
    let info = info.unwrap_or_default();
    let told = info.started.parse::<jiff::Zoned>().ok();
    let changed = || fs::metadata(path).and_then(|metadata| metadata.modified()).ok().and_then(zoned);
    let (started, started_secs) = match told.or_else(changed) {
        Some(time) => (time.strftime("%Y-%m-%d %H:%M").to_string(), time.timestamp().as_second()),
        None => (String::new(), 0),
    };
    SessionEntry {
        path: path.to_owned(),
        started,
        started_secs,
        duration_s: info.duration_s,
        bytes: bytes(path),
        state,
    }
}

fn zoned(time: SystemTime) -> Option<jiff::Zoned> {
    let secs = i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    Some(jiff::Timestamp::from_second(secs).ok()?.to_zoned(jiff::tz::TimeZone::system()))
}

/// Bytes of the files in a session's folder, and of the images of its strides.
fn bytes(folder: &Path) -> u64 {
    let files = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    let of_file = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_file() => metadata.len(),
        Ok(metadata) if metadata.is_dir() => files(&entry.path())
            .filter_map(|file| file.metadata().ok())
            .filter(fs::Metadata::is_file)
            .map(|file| file.len())
            .sum(),
        _ => 0,
    };
    files(folder).map(of_file).sum()
}
