//! The folder of a session: its name, its lock, and `session.json` in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use facelens_base::atomic_file::{self, Access, create_private_folder};
use facelens_base::bounded_file;

use super::super::file_error::{WriteError, WriteErrorKind};
use super::super::info::{CLEAN_FILE, INFO_FILE, MAX_INFO_BYTES, SessionInfo, VIDEO_FILE};
use super::super::kept_json;

/// Held while a session is recorded or finished; gone afterwards.
pub(crate) const LOCK_FILE: &str = "recording.lock";

/// More sessions than this in one second are refused.
const MOST_A_SECOND: u32 = 1000;

/// Where the system knows no locks, a session is taken as being recorded while its `session.json` is younger than this.
const FRESH: Duration = Duration::from_secs(10);

/// `facelens` in the user's folder for videos, or `None` where the user has no home.
pub fn default_sessions_folder() -> Option<PathBuf> {
    let user = directories::UserDirs::new()?;
    // A bare system names no folder for videos; there it gets the usual name.
    let videos = user.video_dir().map_or_else(|| user.home_dir().join("Videos"), Path::to_owned);
    Some(videos.join("facelens"))
}

/// Makes a new folder in `parent`, named by the local time `now`, which the user alone may enter.
pub(super) fn make(parent: &Path, now: &jiff::Zoned) -> Result<PathBuf, WriteError> {
    fs::create_dir_all(parent).map_err(|error| WriteError::io(parent, &error))?;
    let stem = now.strftime("session-%Y-%m-%d_%H-%M-%S").to_string();
    for number in 1..=MOST_A_SECOND {
        let folder = parent.join(if number == 1 { stem.clone() } else { format!("{stem}-{number}") });
        match create_private_folder(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(WriteError::io(&folder, &error)),
        }
    }
    let cause = format!("it has {MOST_A_SECOND} sessions of this second already");
    Err(WriteError::new(WriteErrorKind::Io, parent, cause, "wait a second"))
}

/// How long to wait before `session.json` is tried again, where the reason may pass.
const PATIENCE: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(300), Duration::from_millis(600)];

/// As [`save_info`], several times where the reason may pass: at the beginning and at the end there is no next second.
pub(super) fn save_info_patiently(folder: &Path, info: &SessionInfo) -> Result<(), WriteError> {
    let may_pass = |error: &io::Error| {
        use ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
        use ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        let stays =
            [IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull];
        !stays.contains(&error.kind())
    };
    let mut written = write_info(folder, info);
    for pause in PATIENCE {
        if !written.as_ref().is_err_and(may_pass) {
            break;
        }
        std::thread::sleep(pause);
        written = write_info(folder, info);
    }
    written.map_err(|error| info_error(folder, &error))
}

/// Writes `session.json` whole or not at all. Where the disk is too full for a second file, the text goes over the old one:
/// both fit into the block that a file system gives the smallest file, so there is room for it.
pub(crate) fn save_info(folder: &Path, info: &SessionInfo) -> Result<(), WriteError> {
    write_info(folder, info).map_err(|error| info_error(folder, &error))
}

fn write_info(folder: &Path, info: &SessionInfo) -> io::Result<()> {
    let file = folder.join(INFO_FILE);
    let old = bounded_file::read(&file, MAX_INFO_BYTES).ok();
    // What somebody has added meanwhile stays; without a whole old file there is nothing to keep.
    let text = match old.and_then(|old| kept_json::renewed(&old, info).ok()) {
        Some(text) => text,
        None => serde_json::to_string_pretty(info).map_err(io::Error::from)? + "\n",
    };
    atomic_file::write(&file, text.as_bytes(), Access::Private).or_else(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => write_over(&file, &text),
        _ => Err(error),
    })
}

fn info_error(folder: &Path, error: &io::Error) -> WriteError {
    if error.kind() == ErrorKind::NotFound {
        let cause = "the folder was deleted or moved while it was recorded";
        return WriteError::new(WriteErrorKind::Io, folder, cause, "record again");
    }
    WriteError::io(&folder.join(INFO_FILE), error)
}

/// Writes `text` over what is in `file`.
fn write_over(file: &Path, text: &str) -> io::Result<()> {
    let mut old = OpenOptions::new().write(true).open(file)?;
    old.write_all(text.as_bytes())?;
    old.set_len(text.len() as u64)?;
    old.sync_all()
}

/// Removes what a session without any frame left, and its folder where nothing else is in it.
pub(super) fn remove_empty(folder: &Path, info: &SessionInfo) {
    for name in [VIDEO_FILE, CLEAN_FILE, &info.data, INFO_FILE, LOCK_FILE] {
        // What cannot be removed stays, and with it the folder: nothing is lost.
        let _ = fs::remove_file(folder.join(name));
    }
    super::gait::remove(folder);
    let _ = fs::remove_dir(folder);
}

/// Says that a folder is being recorded or finished. The system lets go of it when the program ends, however it ends.
pub(crate) struct FolderLock {
    path: PathBuf,
    file: File,
}

impl FolderLock {
    /// Takes the lock of `folder`.
    ///
    /// # Errors
    /// `InUse` where another facelens has it; `Io` where its file cannot be made.
    pub(crate) fn take(folder: &Path) -> Result<Self, WriteError> {
        let in_use = || {
            let cause = "another facelens is recording it";
            WriteError::new(WriteErrorKind::InUse, folder, cause, "stop that recording first")
        };
        let path = folder.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|error| WriteError::io(&path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { path, file }),
            Err(TryLockError::WouldBlock) => Err(in_use()),
            // A file system without locks.
            Err(TryLockError::Error(_)) if is_fresh(&folder.join(INFO_FILE)) => Err(in_use()),
            Err(TryLockError::Error(_)) => Ok(Self { path, file }),
        }
    }

    /// Whether nobody holds the lock of `folder`. Changes nothing.
    pub(crate) fn is_free(folder: &Path) -> bool {
        let Ok(file) = File::open(folder.join(LOCK_FILE)) else {
            // A folder without a lock is not being recorded; one whose lock cannot be read is somebody else's.
            return !folder.join(LOCK_FILE).exists();
        };
        match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => !is_fresh(&folder.join(INFO_FILE)),
        }
    }

    /// Gives it up and removes its file.
    pub(crate) fn release(self) {
        drop(self.file);
        // An empty file that stays is harmless.
        let _ = fs::remove_file(self.path);
    }
}

fn is_fresh(file: &Path) -> bool {
    let changed = fs::metadata(file).and_then(|metadata| metadata.modified());
    changed.is_ok_and(|changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age < FRESH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_second_are_numbered() {
        let parent = tempfile::tempdir().unwrap();
        let parent = parent.path().join("new");
        let now = jiff::civil::date(2026, 1, 2).at(3, 4, 5, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        let name = |folder: PathBuf| folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(name(make(&parent, &now).unwrap()), "session-2026-01-02_03-04-05");
        assert_eq!(name(make(&parent, &now).unwrap()), "session-2026-01-02_03-04-05-2");
    }

    #[test]
    fn a_lock_is_held_by_one_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::take(folder.path()).unwrap();
        assert_eq!(FolderLock::take(folder.path()).err().unwrap().kind, WriteErrorKind::InUse);
        lock.release();
        assert!(!folder.path().join(LOCK_FILE).exists());
        drop(FolderLock::take(folder.path()).unwrap());
    }

    #[test]
    fn keys_that_are_not_known_here_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(INFO_FILE);
        fs::write(&file, "{\"schema\":1,\"weather\":\"fine\",\"source\":{\"gain\":3}}").unwrap();
        save_info(folder.path(), &SessionInfo::default()).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!((&value["weather"], &value["source"]["gain"]), (&"fine".into(), &3.into()));
        assert_eq!(serde_json::from_value::<SessionInfo>(value).unwrap(), SessionInfo::default());
    }

    #[test]
    fn a_shorter_text_leaves_nothing_of_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        fs::write(&file, "longer").unwrap();
        write_over(&file, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(write_over(&folder.path().join("none"), "new").unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let words = make(&file, &jiff::Zoned::now()).unwrap_err().to_string();
        assert!(
            words.contains("file: it cannot be written (") && words.contains("file is where a folder should be"),
            "{words}"
        );
    }
}
