//! Files and folders that only the user may read: recordings show faces and say how old they look.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a file that the user alone may read and write (0600 on Unix), or empties the one that is there.
///
/// # Errors
/// What the system says.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder that the user alone may enter (0700 on Unix). Its parent must be there.
///
/// # Errors
/// What the system says; `AlreadyExists` where something is there.
pub fn create_private_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
