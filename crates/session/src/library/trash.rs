//! The trash of a desktop, by the FreeDesktop.org Trash Specification 1.0: files go into `files`, where they came from
//! into `info`, in the user's own trash or, on another disk, in that of the disk. macOS has one folder without notes.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// More files of one name are not kept in a trash.
const MOST_OF_A_NAME: u32 = 10_000;

/// Moves a folder to the user's trash. It stays where it is where that fails.
///
/// # Errors
/// The system's own; `Unsupported` where there is no trash for this disk or system.
pub(super) fn move_to_trash(folder: &Path) -> io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let base = directories::BaseDirs::new().ok_or(ErrorKind::Unsupported)?;
    if cfg!(windows) {
        return Err(ErrorKind::Unsupported.into());
    }
    let now = jiff::Zoned::now();
    if cfg!(target_os = "macos") {
        return into_folder(&folder, &base.home_dir().join(".Trash"));
    }
    let home_trash = base.data_dir().join("Trash");
    match into_trash(&folder, &folder, &home_trash, &now) {
        // Files are not moved from one disk to another: the trash of the disk itself has no need to.
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let (top, trash) = trash_of_disk(&folder)?;
            into_trash(&folder, folder.strip_prefix(&top).unwrap_or(&folder), &trash, &now)
        }
        moved => moved,
    }
}

/// Moves `folder` into `trash`, with a note that it came from `from`: first the note, so that no name is taken twice and
/// nothing lies there of which nobody knows where it came from.
pub(super) fn into_trash(folder: &Path, from: &Path, trash: &Path, now: &jiff::Zoned) -> io::Result<()> {
    let name = folder.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    let (files, notes) = (trash.join("files"), trash.join("info"));
    for part in [trash, &files, &notes] {
        make_private(part)?;
    }
    let date = now.strftime("%Y-%m-%dT%H:%M:%S");
    let note = format!("[Trash Info]\nPath={}\nDeletionDate={date}\n", escaped(from));
    for number in 1..=MOST_OF_A_NAME {
        let mut own = name.clone();
        if number > 1 {
            own.push(format!(".{number}"));
        }
        let mut note_name = own.clone();
        note_name.push(".trashinfo");
        let note_file = notes.join(note_name);
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&note_file) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let place = files.join(&own);
        // Something without a note may lie there.
        let is_free = fs::symlink_metadata(&place).is_err();
        let moved = if is_free {
            file.write_all(note.as_bytes()).and_then(|()| fs::rename(folder, place))
        } else {
            Err(ErrorKind::AlreadyExists.into())
        };
        match moved {
            Ok(()) => return Ok(()),
            Err(error) => {
                // The error to tell is the one that led here.
                let _ = fs::remove_file(&note_file);
                if is_free {
                    return Err(error);
                }
            }
        }
    }
    Err(io::Error::other("the trash is full of files of this name; empty it"))
}

/// Moves `folder` into `trash` under a name that is free there.
fn into_folder(folder: &Path, trash: &Path) -> io::Result<()> {
    let name = folder.file_name().ok_or(ErrorKind::InvalidInput)?;
    let place = (1..=MOST_OF_A_NAME).map(|number| {
        let mut own = name.to_owned();
        if number > 1 {
            own.push(format!(" {number}"));
        }
        trash.join(own)
    });
    let free = place.into_iter().find(|place| fs::symlink_metadata(place).is_err());
    fs::rename(folder, free.ok_or(ErrorKind::AlreadyExists)?)
}

/// The top folder of the disk that `folder` is on, and this user's trash there.
#[cfg(unix)]
fn trash_of_disk(folder: &Path) -> io::Result<(PathBuf, PathBuf)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::symlink_metadata(folder)?;
    let (disk, user) = (metadata.dev(), fs::metadata("/proc/self").map_or(metadata.uid(), |own| own.uid()));
    let on_disk = |path: &&Path| fs::symlink_metadata(path).is_ok_and(|metadata| metadata.dev() == disk);
    let top = folder.ancestors().take_while(on_disk).last().ok_or(ErrorKind::Unsupported)?;
    // A common trash is used where an administrator has made one that nobody can misuse: no link, and sticky.
    let common = top.join(".Trash");
    let usable = fs::symlink_metadata(&common).is_ok_and(|common| common.is_dir() && common.mode() & 0o1000 != 0);
    let trash = if usable { common.join(user.to_string()) } else { top.join(format!(".Trash-{user}")) };
    Ok((top.to_owned(), trash))
}

#[cfg(not(unix))]
fn trash_of_disk(_: &Path) -> io::Result<(PathBuf, PathBuf)> {
    Err(ErrorKind::Unsupported.into())
}

/// Makes a folder that this user alone may enter, where it is not there.
fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A path as the specification wants it: its bytes, all but plain ones as `%20`.
fn escaped(path: &Path) -> String {
    let mut text = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> jiff::Zoned {
        jiff::civil::date(2026, 1, 2).at(3, 4, 5, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap()
    }

    fn session(folder: &Path, name: &str, content: &str) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("faces.csv"), content).unwrap();
        path
    }

    #[test]
    fn what_is_in_the_trash_can_be_put_back_by_its_note() {
        let home = tempfile::tempdir().unwrap();
        let path = session(home.path(), "Besuch ä", "rows");
        let trash = home.path().join("data/Trash");
        into_trash(&path, &path, &trash, &now()).unwrap();
        assert!(!path.exists());
        assert_eq!(fs::read_to_string(trash.join("files/Besuch ä/faces.csv")).unwrap(), "rows");
        let note = fs::read_to_string(trash.join("info/Besuch ä.trashinfo")).unwrap();
        let home = escaped(home.path());
        let expected = format!("[Trash Info]\nPath={home}/Besuch%20%C3%A4\nDeletionDate=2026-01-02T03:04:05\n");
        assert_eq!(note, expected);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&trash).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn two_of_one_name_lie_beside_each_other() {
        let home = tempfile::tempdir().unwrap();
        let trash = home.path().join("Trash");
        for content in ["first", "second"] {
            let path = session(home.path(), "session", content);
            into_trash(&path, &path, &trash, &now()).unwrap();
        }
        // Something that has no note.
        fs::create_dir(trash.join("files/session.3")).unwrap();
        let path = session(home.path(), "session", "third");
        into_trash(&path, &path, &trash, &now()).unwrap();
        let content = |name: &str| fs::read_to_string(trash.join("files").join(name).join("faces.csv")).unwrap();
        assert_eq!(["session", "session.2", "session.4"].map(content), ["first", "second", "third"]);
        assert_eq!(fs::read_dir(trash.join("info")).unwrap().count(), 3, "each has its note, and no note is left over");
    }

    #[test]
    fn what_cannot_be_moved_stays_and_leaves_no_note() {
        let home = tempfile::tempdir().unwrap();
        let trash = home.path().join("Trash");
        let gone = home.path().join("gone");
        assert_eq!(into_trash(&gone, &gone, &trash, &now()).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(fs::read_dir(trash.join("info")).unwrap().count(), 0);
        let path = session(home.path(), "session", "rows");
        fs::write(home.path().join("file"), "").unwrap();
        assert!(into_trash(&path, &path, &home.path().join("file"), &now()).is_err() && path.is_dir());
    }

    #[test]
    #[cfg(unix)]
    fn another_disk_has_a_trash_of_its_own_at_its_top() {
        let folder = tempfile::tempdir().unwrap();
        let (top, trash) = trash_of_disk(folder.path()).unwrap();
        assert!(folder.path().starts_with(&top) && trash.starts_with(&top), "{}", trash.display());
        assert!(trash.strip_prefix(&top).unwrap().to_string_lossy().starts_with(".Trash"));
    }
}
