//! Files that are written whole or not at all. Everything that facelens replaces or makes in one piece goes through here.
//!
//! ```text
//! create: links followed -> a draft beside the file (.facelens-XXXXXX.part, a name of its own)
//! commit: draft synced -> renamed into place -> folder synced; dropped before that, the draft is removed
//! ```
//!
//! A target that is no regular file (a device, a named pipe) is never replaced: it is written into.

use std::fs::{self, File, Metadata};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use private::{create_private, create_private_folder};
pub use words::cause;

mod private;
#[cfg(test)]
mod tests;
mod words;

/// What the names of drafts begin with; hidden, and short enough beside any file.
const DRAFT_PREFIX: &str = ".facelens-";
/// What the names of drafts end with.
const DRAFT_SUFFIX: &str = ".part";
/// A chain of links that is longer leads in a circle.
const MOST_LINKS: u32 = 40;

/// A file that is being written. [`commit`](Self::commit) puts it into its place; dropped before, it leaves nothing.
#[derive(Debug)]
pub struct AtomicFile {
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A draft in the folder of the file whose place it will take.
    Draft { draft: NamedTempFile, target: PathBuf },
    /// What is there is no regular file and is written into.
    Direct(File),
}

/// Who may read a file that was not there before. One that was keeps its permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever may read the user's new files.
    Usual,
    /// The user alone (on Unix).
    Private,
}

impl AtomicFile {
    /// Begins to write `path`. Symbolic links are followed, so that they stay; a file that is there must be writable and
    /// keeps its permissions. Opening a named pipe waits for its reader.
    ///
    /// # Errors
    /// What the system says; `IsADirectory` for a folder.
    pub fn create(path: &Path, access: Access) -> io::Result<Self> {
        let target = follow(path)?;
        let there = match fs::symlink_metadata(&target) {
            Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(there) => Some(there),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if let Some(there) = &there {
            // Renaming asks nobody whether the file itself may be written.
            let file = File::options().write(true).open(&target)?;
            if !there.is_file() {
                return Ok(Self { place: Place::Direct(file) });
            }
        }
        let draft = draft(folder_of(&target), access)?;
        if let Some(there) = &there {
            keep_permissions(draft.as_file(), there)?;
        }
        Ok(Self { place: Place::Draft { draft, target } })
    }

    /// The open file, for those who write at several places in it.
    pub fn as_file(&self) -> &File {
        match &self.place {
            Place::Draft { draft, .. } => draft.as_file(),
            Place::Direct(file) => file,
        }
    }

    /// Brings the file to the disk and puts it into its place, whose former file is gone then.
    ///
    /// # Errors
    /// What the system says; what was there stays.
    pub fn commit(self) -> io::Result<()> {
        match self.place {
            Place::Draft { draft, target } => {
                draft.as_file().sync_all()?;
                draft.persist(&target).map_err(|error| error.error)?;
                sync_folder(folder_of(&target))
            }
            Place::Direct(mut file) => file.flush(),
        }
    }

    /// As [`commit`](Self::commit), where nothing is there yet.
    ///
    /// # Errors
    /// `AlreadyExists` where something is, which stays; else what the system says.
    pub fn commit_new(self) -> io::Result<()> {
        match self.place {
            Place::Draft { draft, target } => {
                draft.as_file().sync_all()?;
                persist_new(draft, &target)?;
                sync_folder(folder_of(&target))
            }
            Place::Direct(mut file) => file.flush(),
        }
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.as_file().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.as_file().flush()
    }
}

impl Seek for AtomicFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.as_file().seek(to)
    }
}

/// Writes `bytes` as the whole file `path`, in place of what is there.
///
/// # Errors
/// As [`AtomicFile::create`] and [`AtomicFile::commit`].
pub fn write(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut file = AtomicFile::create(path, access)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Whether two paths lead to one file or folder, by whatever links; also where nothing is there yet.
pub fn is_same_file(a: &Path, b: &Path) -> bool {
    if is_same_entry(a, b) {
        return true;
    }
    let (Ok(a), Ok(b)) = (follow(a), follow(b)) else { return false };
    a.file_name().is_some() && a.file_name() == b.file_name() && is_same_entry(folder_of(&a), folder_of(&b))
}

/// Whether two paths lead to the same thing that is there. Neither is opened: a named pipe would wait for somebody at its
/// other end.
fn is_same_entry(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |path: &Path| fs::metadata(path).ok().map(|there| (there.dev(), there.ino()));
        identity(a).is_some_and(|a| identity(b) == Some(a))
    }
    #[cfg(not(unix))]
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

/// Where the links of `path` lead, whether or not anything is there.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(there) if there.is_symlink() => target = folder_of(&target).join(fs::read_link(&target)?),
            _ => return Ok(target),
        }
    }
    Err(io::Error::other("its symbolic links form a loop"))
}

/// The folder that `path` lies in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// An empty file in `folder` with a name that nothing else has.
fn draft(folder: &Path, access: Access) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(DRAFT_PREFIX).suffix(DRAFT_SUFFIX);
    #[cfg(unix)]
    if access == Access::Usual {
        // Less the user's mask, as for every new file; without this, drafts are private.
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    }
    #[cfg(not(unix))]
    let _ = access;
    builder.tempfile_in(folder).map_err(|error| {
        // The library adds the draft's name, which says nothing to the user.
        let words = error.to_string();
        let system = words.split(" at path ").next().unwrap_or_default();
        io::Error::new(error.kind(), system)
    })
}

/// Gives a draft the owner, where that may be, and the permissions of the file that it replaces.
fn keep_permissions(draft: &File, there: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt as _, fchown};
        let new = draft.metadata()?;
        if (new.uid(), new.gid()) != (there.uid(), there.gid()) {
            // Only an administrator may give files away; for others the file becomes the user's, as with every editor.
            let _ = fchown(draft, Some(there.uid()), Some(there.gid()));
        }
    }
    draft.set_permissions(there.permissions())
}

/// Renames a draft to a name that nothing has.
fn persist_new(draft: NamedTempFile, target: &Path) -> io::Result<()> {
    let error = match draft.persist_noclobber(target) {
        Ok(_) => return Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Err(error.error),
        Err(error) => error,
    };
    // A file system that can neither rename without replacing nor link: an empty file holds the name.
    File::options().write(true).create_new(true).open(target)?;
    error.file.persist(target).map(drop).map_err(|error| {
        // The error to tell is the one that led here.
        let _ = fs::remove_file(target);
        error.error
    })
}

/// Brings a folder's names to the disk, without which a power cut may undo a rename.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        // Some file systems sync no folders, and a folder may be writable without being readable.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        synced => synced,
    }
}
