//! Reads files that somebody names, in bounds.
//!
//! A path on a command line, in the settings or in a file may lead to anything: `/dev/zero` never ends, a named pipe waits
//! for a writer for ever, and a sparse file of a terabyte fits on every disk. Whoever reads a file that facelens did not
//! write a moment ago comes here:
//!
//! ```text
//! read(path, limit)       the whole file, at most `limit` bytes
//! read_text(path, limit)  the same as UTF-8 text
//! open(path)              a regular file to read piece by piece (videos, archives): the reader bounds what it keeps
//! ```
//!
//! The limit is the largest that a file of its kind ever needs. A [`ReadError`] names the file, the cause and what to do;
//! [`std::io::Error::from`] makes one for types that wrap the system's errors and name the file themselves.

use std::fs::{File, FileType};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// Why a file cannot be read: the file, the cause and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}; {remedy}", path.display())]
pub struct ReadError {
    /// The kind, for callers that tell errors apart.
    pub kind: ReadErrorKind,
    /// The file.
    pub path: PathBuf,
    /// The cause.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

/// What is wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadErrorKind {
    /// There is no such file.
    NotFound,
    /// It is a folder, a device, a named pipe or a socket.
    NotRegular,
    /// It is larger than its kind needs.
    TooLarge,
    /// It is not UTF-8 text.
    NotText,
    /// The system refused.
    Io(io::ErrorKind),
}

impl ReadError {
    fn new(kind: ReadErrorKind, path: &Path, cause: impl Into<String>, remedy: &str) -> Self {
        Self { kind, path: path.to_owned(), cause: cause.into(), remedy: remedy.to_owned() }
    }

    fn io(path: &Path, error: &io::Error) -> Self {
        let (kind, remedy) = match error.kind() {
            io::ErrorKind::NotFound => (ReadErrorKind::NotFound, "check the path"),
            kind @ io::ErrorKind::PermissionDenied => (ReadErrorKind::Io(kind), "allow reading it"),
            kind @ io::ErrorKind::OutOfMemory => (ReadErrorKind::Io(kind), "close other programs"),
            kind => (ReadErrorKind::Io(kind), "check the path and the disk"),
        };
        Self::new(kind, path, format!("it cannot be read ({error})"), remedy)
    }
}

impl From<ReadError> for io::Error {
    /// Without the file's name.
    fn from(error: ReadError) -> Self {
        let kind = match error.kind {
            ReadErrorKind::NotFound => io::ErrorKind::NotFound,
            ReadErrorKind::NotRegular => io::ErrorKind::InvalidInput,
            ReadErrorKind::TooLarge | ReadErrorKind::NotText => io::ErrorKind::InvalidData,
            ReadErrorKind::Io(kind) => kind,
        };
        Self::new(kind, format!("{}; {}", error.cause, error.remedy))
    }
}

/// Opens a regular file for reading; links are followed.
///
/// # Errors
/// `NotFound`, `NotRegular` or `Io`.
pub fn open(path: &Path) -> Result<File, ReadError> {
    let io_error = |error: io::Error| ReadError::io(path, &error);
    let check = |kind: FileType| if kind.is_file() { Ok(()) } else { Err(not_regular(path, kind)) };
    // Asked before as well: opening a pipe waits for its writer, and opening some devices does something.
    check(std::fs::metadata(path).map_err(io_error)?.file_type())?;
    let file = File::open(path).map_err(io_error)?;
    check(file.metadata().map_err(io_error)?.file_type())?;
    Ok(file)
}

/// Reads a whole regular file of at most `max_bytes`.
///
/// # Errors
/// As [`open`], and `TooLarge`.
pub fn read(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ReadError> {
    let file = open(path)?;
    let io_error = |error: io::Error| ReadError::io(path, &error);
    let too_large = || {
        let cause = format!("it is larger than {}, more than a file of its kind needs", size_words(max_bytes));
        ReadError::new(ReadErrorKind::TooLarge, path, cause, "give another file")
    };
    let length = file.metadata().map_err(io_error)?.len();
    if length > max_bytes {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    let memory = |_| io_error(io::ErrorKind::OutOfMemory.into());
    bytes.try_reserve_exact(usize::try_from(length).unwrap_or(usize::MAX)).map_err(memory)?;
    // It may grow while it is read, and some systems' own files say that they are empty.
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error)?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large());
    }
    Ok(bytes)
}

/// Reads a whole regular file of at most `max_bytes` as UTF-8 text.
///
/// # Errors
/// As [`read`], and `NotText`.
pub fn read_text(path: &Path, max_bytes: u64) -> Result<String, ReadError> {
    String::from_utf8(read(path, max_bytes)?).map_err(|error| {
        let line =
            error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() + 1;
        let cause = format!("line {line} is not UTF-8 text");
        ReadError::new(ReadErrorKind::NotText, path, cause, "save it as UTF-8")
    })
}

fn not_regular(path: &Path, kind: FileType) -> ReadError {
    ReadError::new(ReadErrorKind::NotRegular, path, format!("it is {}, not a file", kind_words(kind)), "give a file")
}

fn kind_words(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a folder" } else { "something else" }
}

fn size_words(bytes: u64) -> String {
    let (unit, shift) = match bytes {
        0..0x10_0000 => ("KiB", 10),
        0x10_0000..0x4000_0000 => ("MiB", 20),
        _ => ("GiB", 30),
    };
    format!("{} {unit}", bytes >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        std::fs::write(&file, [b'7'; 2048]).unwrap();
        assert_eq!(read(&file, 2048).unwrap(), [b'7'; 2048]);
        let error = read(&file, 2047).unwrap_err();
        assert_eq!(error.kind, ReadErrorKind::TooLarge);
        let words = "x: it is larger than 1 KiB, more than a file of its kind needs; give another file";
        assert!(error.to_string().ends_with(words), "{error}");
        assert_eq!(io::Error::from(error).kind(), io::ErrorKind::InvalidData);
        assert_eq!(read(&folder.path().join("y"), 9).unwrap_err().kind, ReadErrorKind::NotFound);
        assert_eq!(read_text(&file, 2048).unwrap().len(), 2048);
        std::fs::write(&file, b"a\nb\xff\n").unwrap();
        let error = read_text(&file, 9).unwrap_err();
        assert_eq!((error.kind, error.cause.as_str()), (ReadErrorKind::NotText, "line 2 is not UTF-8 text"));
    }

    #[test]
    fn a_sparse_file_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sparse");
        File::create(&file).unwrap().set_len(1 << 40).unwrap();
        assert_eq!(read(&file, 1 << 20).unwrap_err().kind, ReadErrorKind::TooLarge);
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = read(folder.path(), 9).unwrap_err();
        assert_eq!((error.kind, error.cause.as_str()), (ReadErrorKind::NotRegular, "it is a folder, not a file"));
    }

    #[cfg(unix)]
    #[test]
    fn pipes_sockets_and_devices_are_no_files_and_nothing_waits_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for (path, word) in
            [(&*pipe, "a named pipe"), (&socket, "a socket"), (Path::new("/dev/zero"), "a device"), (&link, "a device")]
        {
            let error = read(path, 9).unwrap_err();
            assert_eq!(error.kind, ReadErrorKind::NotRegular, "{error}");
            assert_eq!(error.cause, format!("it is {word}, not a file"));
            assert_eq!(open(path).unwrap_err(), error);
        }
    }
}
