//! What the files of all sets have in common: a first line, pictures, a header in JSON at the end.
//!
//! ```text
//! magic
//! the pictures, all of one size, one after the other
//! the header, JSON
//! length of the header in bytes, u64 little endian
//! ```

use std::collections::BTreeMap;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{self, Access, AtomicFile};
use facelens_base::bounded_file;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest set, bytes: five million faces of 64 pixels.
const MAX_BYTES: u64 = 64 << 30;

/// A set cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The file cannot be read or written.
    #[error("the set {file} cannot be {action}: {cause}")]
    Io {
        /// The file.
        file: String,
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        cause: String,
    },
    /// The file is no set of this kind, or only a part of one.
    #[error("{file} is not a {kind}: {cause}; create it again with `facelens-training prepare`")]
    Format {
        /// The file.
        file: String,
        /// What was expected: `set of faces`, `gait set`.
        kind: &'static str,
        /// What is wrong with it.
        cause: String,
    },
}

/// A kind of set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetKind {
    /// What its files begin with.
    pub magic: &'static [u8],
    /// Its name in messages.
    pub name: &'static str,
}

/// Writes a set of any kind. Until [`finish`](Self::finish) it lies beside its place under another name, so that a set that is there
/// is whole; dropped without it, nothing stays.
pub(crate) struct ContainerWriter<R> {
    target: PathBuf,
    file: BufWriter<AtomicFile>,
    /// What is known of each picture.
    pub records: Vec<R>,
    /// How many were left out, by reason.
    pub left_out: BTreeMap<String, usize>,
}

impl<R> ContainerWriter<R> {
    pub fn create(target: &Path, kind: SetKind) -> Result<Self, SetError> {
        let create = || {
            let mut file = BufWriter::new(AtomicFile::create(target, Access::Usual)?);
            file.write_all(kind.magic).map(|()| file)
        };
        let file = create().map_err(|cause| io(target, "written", &cause))?;
        Ok(Self { target: target.to_owned(), file, records: Vec::new(), left_out: BTreeMap::new() })
    }

    pub fn push(&mut self, record: R, picture: &[u8]) -> Result<(), SetError> {
        self.file.write_all(picture).map_err(|cause| io(&self.target, "written", &cause))?;
        self.records.push(record);
        Ok(())
    }

    pub fn leave_out(&mut self, reason: &str) {
        *self.left_out.entry(reason.to_owned()).or_default() += 1;
    }

    /// Ends the set with the header that `header` makes of its records and of what was left out, and puts it in its place.
    pub fn finish<H: Serialize>(
        self,
        header: impl FnOnce(Vec<R>, BTreeMap<String, usize>) -> H,
    ) -> Result<(), SetError> {
        let Self { target, mut file, records, left_out } = self;
        let header = header(records, left_out);
        let write = || {
            let header = serde_json::to_vec(&header)?;
            file.write_all(&header)?;
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.into_inner().map_err(IntoInnerError::into_error)?.commit()
        };
        write().map_err(|cause| io(&target, "written", &cause))
    }
}

/// The header and the pictures of a set, whose size `picture_bytes` tells from the header: bytes of one picture, and how many.
pub(crate) fn read<H: DeserializeOwned>(
    file: &Path,
    kind: SetKind,
    picture_bytes: impl FnOnce(&H) -> Option<(usize, usize)>,
) -> Result<(H, Vec<u8>), SetError> {
    let mut bytes = bounded_file::read(file, MAX_BYTES).map_err(|error| io(file, "read", &error.into()))?;
    let format = |cause: &str| format_error(file, kind, cause);
    if !bytes.starts_with(kind.magic) {
        return Err(format("it has another beginning"));
    }
    let cut = || format("its end is missing");
    let end = bytes.len().checked_sub(8).ok_or_else(cut)?;
    let (_, length) = bytes.split_last_chunk::<8>().ok_or_else(cut)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
    let start = end.checked_sub(length).filter(|start| *start >= kind.magic.len()).ok_or_else(cut)?;
    let header: H = serde_json::from_slice(&bytes[start..end]).map_err(|error| format(&error.to_string()))?;
    let expected = picture_bytes(&header).and_then(|(size, count)| size.checked_mul(count));
    if expected != Some(start - kind.magic.len()) {
        return Err(format("its images and its header do not match"));
    }
    bytes.truncate(start);
    bytes.drain(..kind.magic.len());
    Ok((header, bytes))
}

/// `file` is no set of this kind, for this cause.
pub(crate) fn format_error(file: &Path, kind: SetKind, cause: &str) -> SetError {
    SetError::Format { file: file.display().to_string(), kind: kind.name, cause: cause.to_owned() }
}

fn io(file: &Path, action: &'static str, cause: &std::io::Error) -> SetError {
    SetError::Io { file: file.display().to_string(), action, cause: atomic_file::cause(cause) }
}
